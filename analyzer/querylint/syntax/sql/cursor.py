"""The tokens of a defining statement, and a place among them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.construction import dataclass

# What is opened and never closed costs one look: a comment goes on to the end, a name in brackets has at most 128 characters (SQL Server).
_TOKEN = re.compile(
    r"""
      (?P<skip>\s+|--[^\n]*|/\*(?:.*?\*/|.*))
    | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`|\[[^\]\d][^\]]{0,127}\])
    | (?P<string>'(?:[^']|'')*')
    | (?P<word>[^\W\d][\w$]*|\x1a)
    | (?P<number>\d[\w.]*)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
USUAL = frozenset(("public", "dbo", "main", "temp"))
MOST_TOKENS = 40_000


@dataclass(frozen=True, slots=True)
class Token:
    """A word, name or sign; `quoted` names are never keywords."""

    text: str
    at: int
    quoted: bool = False
    string: bool = False

    @property
    def upper(self) -> str:
        """The keyword that it may be."""
        return "" if self.quoted or self.string else self.text.upper()


def tokens(text: str) -> list[Token]:
    """The words, names and signs of a statement; none for one of enormous length."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match.group()
        if kind == "skip":
            continue
        if kind == "quoted":
            found.append(Token(token[1:-1].replace('""', '"'), match.start(), True))
        else:
            found.append(Token(token, match.start(), string=kind == "string"))
        if len(found) > MOST_TOKENS:
            return []
    while found and found[-1].text == ";":
        found.pop()
    return found


def qualified(space: str | None, name: str) -> str:
    """A table's name with its schema, unless that is the one that every database begins with."""
    return name if not space or space.lower() in USUAL else f"{space}.{name}"


class Cursor:
    """A place in a list of tokens."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.at = 0

    @property
    def here(self) -> str:
        """The keyword here."""
        return self.tokens[self.at].upper if self.at < len(self.tokens) else ""

    def ahead(self, by: int = 1) -> str:
        """The keyword some tokens further on."""
        return self.tokens[self.at + by].upper if self.at + by < len(self.tokens) else ""

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.tokens)

    def skip(self, *words: str) -> bool:
        """Step over these words in turn if they stand here."""
        for number, word in enumerate(words):
            if self.ahead(number) != word:
                return False
        self.at += len(words)
        return True

    def name(self) -> str:
        """A name, without the schema in front of it."""
        return self._parts()[-1]

    def table(self) -> str:
        """The name of a table, with the schema in front of it where that is not the one that goes without saying."""
        *spaces, name = self._parts()
        return qualified(spaces[-1] if spaces else None, name) if name else ""

    def _parts(self) -> list[str]:
        parts = [self.tokens[self.at].text]
        self.at += 1
        while not self.done and self.tokens[self.at].text == "." and not self.tokens[self.at].quoted:
            parts.append(self.tokens[self.at + 1].text)
            self.at += 2
        return ["" if "\x1a" in part else part for part in parts]

    def group(self) -> list[Token]:
        """The tokens between the parenthesis that opens here and its partner."""
        depth, start = 0, self.at + 1
        while not self.done:
            sign = self.tokens[self.at].upper
            depth += (sign == "(") - (sign == ")")
            self.at += 1
            if depth == 0:
                return self.tokens[start : self.at - 1]
        return self.tokens[start:]

    def to_comma(self) -> list[Token]:
        """The tokens up to the next comma of this level."""
        start, depth = self.at, 0
        while not self.done:
            sign = self.tokens[self.at].upper
            if sign == "," and depth == 0:
                break
            depth += (sign == "(") - (sign == ")")
            self.at += 1
        return self.tokens[start : self.at]


def items(held: list[Token], text: str) -> Iterator[Cursor]:
    """The entries of a list, between its commas."""
    cursor = Cursor(held, text)
    while not cursor.done:
        part = cursor.to_comma()
        cursor.at += 1
        if part:
            yield Cursor(part, text)


def words(held: list[Token], text: str) -> str:
    """The source of some tokens on one line."""
    if not held:
        return ""
    end = held[-1].at + len(held[-1].text) + 2 * held[-1].quoted
    return " ".join(text[held[0].at : end].split())
