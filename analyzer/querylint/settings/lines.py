"""On which line of a TOML file a key stands, which the parser of the standard library does not say.

It reads text that the parser has accepted already, so it only has to find its way, not to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union

from querylint.pattern import Pattern

KeyPath = tuple[Union[str, int], ...]

_MOST_NAMES = 50
"""Names of a dotted key that are told apart: no setting stands nearly as deep."""
_BARE = Pattern(r"[A-Za-z0-9_-]+")
_BLANK = Pattern(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = Pattern(r"[ \t]*")
_PLAIN = Pattern(r"[^,\]}#\n]+")
_QUOTES = ('"""', "'''", '"', "'")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


def key_lines(text: str) -> Mapping[KeyPath, int]:
    """The line of every key, table and list item; lists count their items from 0."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.counts: dict[KeyPath, int] = {}
        self.line = 1
        self.counted = 0

    def document(self) -> Mapping[KeyPath, int]:
        table: KeyPath = ()
        while self.skip(_BLANK) and self.at < len(self.text):
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)
        return self.lines

    def header(self) -> KeyPath:
        """A table header: in `[a.b]`, `a` may be a list of tables whose last one is meant."""
        many = self.text.startswith("[[", self.at)
        start = self.at
        self.at += 1 + many
        table: KeyPath = ()
        names = self.key()
        for number, name in enumerate(names, 1):
            table = (*table, name)
            self.mark(table, start)
            if many and number == len(names):
                self.counts[table] = self.counts.get(table, -1) + 1
            if table in self.counts:
                table = (*table, self.counts[table])
                self.mark(table, start)
        self.skip(_SPACE)
        self.at += 1 + many
        return table

    def pair(self, table: KeyPath) -> None:
        start = self.at
        for name in self.key():
            table = (*table, name)
            self.mark(table, start)
        self.skip(_SPACE)
        self.at += 1
        self.skip(_SPACE)
        self.value(table)

    def key(self) -> list[str]:
        """A key, dotted or not, as far as its names are told apart."""
        names: list[str] = []
        while True:
            self.skip(_SPACE)
            if self.text.startswith(('"', "'"), self.at):
                names.append(self.string())
            else:
                bare = _BARE.match(self.text, self.at)
                names.append(bare.group() if bare else "")
                self.at = bare.end() if bare else self.at + 1
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return names[:_MOST_NAMES]
            self.at += 1

    def value(self, path: KeyPath) -> None:
        char = self.text[self.at : self.at + 1]
        if char in ('"', "'"):
            self.string()
        elif char == "[":
            self.items(path)
        elif char == "{":
            self.inline(path)
        elif plain := _PLAIN.match(self.text, self.at):
            self.at = plain.end()

    def items(self, path: KeyPath) -> None:
        self.at += 1
        count = 0
        while self.skip(_BLANK) and self.text[self.at : self.at + 1] not in ("]", ""):
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.mark((*path, count), self.at)
            self.value((*path, count))
            count += 1
        self.at += 1

    def inline(self, path: KeyPath) -> None:
        self.at += 1
        while self.skip(_BLANK) and self.text[self.at : self.at + 1] not in ("}", ""):
            if self.text[self.at] == ",":
                self.at += 1
            else:
                self.pair(path)
        self.at += 1

    def string(self) -> str:
        quote = next(quote for quote in _QUOTES if self.text.startswith(quote, self.at))
        self.at += len(quote)
        out: list[str] = []
        while self.at < len(self.text) and not self.text.startswith(quote, self.at):
            char = self.text[self.at]
            if char == "\\" and quote[0] == '"':
                self.at += 1
                char = self.escape()
            out.append(char)
            self.at += 1
        self.at += len(quote)
        # A long string may end in quotes of its own, before those that close it.
        while len(quote) == 3 and self.text.startswith(quote[0], self.at):
            self.at += 1
        return "".join(out)

    def escape(self) -> str:
        char = self.text[self.at]
        width = {"x": 2, "u": 4, "U": 8}.get(char)
        if width is None:
            return _ESCAPES.get(char, char)
        digits = self.text[self.at + 1 : self.at + 1 + width]
        self.at += width
        return chr(int(digits, 16))

    def mark(self, path: KeyPath, at: int) -> None:
        """Note the line of a place, which comes after those that were marked before it."""
        self.line += self.text.count("\n", self.counted, at)
        self.counted = at
        self.lines.setdefault(path, self.line)

    def skip(self, pattern: Pattern[str]) -> bool:
        if match := pattern.match(self.text, self.at):
            self.at = match.end()
        return True
