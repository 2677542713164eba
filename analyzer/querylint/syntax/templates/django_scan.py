"""Django's template text cut into tokens, and a tag cut into words, as its own lexer does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.syntax.templates.bodies import Sort, Token, Word

OPENING = re.compile(r"\{[%{#]")
CLOSING = {"{%": "%}", "{{": "}}", "{#": "#}"}
WORDS = re.compile(
    r"""((?:[^\s'"]*(?:(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')[^\s'"]*)+)|\S+)""",
)


def tokens(letters: str) -> Iterator[Token]:
    """Every token but comments; `letters` has one character a byte."""
    done = 0
    closing: str | None = None
    for opener, at, end in _braces(letters):
        inner = letters[at + 2 : end - 2]
        if closing is not None:
            if opener == "{%" and " ".join(inner.split()) == closing:
                closing = None
                done = end
            continue
        if at > done:
            yield Token(Sort.TEXT, done, at, done, at, "", [])
        done = end
        if opener == "{{":
            yield Token(Sort.VARIABLE, at, end, at + 2, end - 2, "", [])
        elif opener == "{%" and (found := words(inner, at + 2)):
            if found[0].text == "verbatim":
                closing = " ".join(["endverbatim", *(w.text for w in found[1:])])
            else:
                yield Token(Sort.TAG, at, end, at + 2, end - 2, found[0].text, found[1:])
    if closing is None and done < len(letters):
        yield Token(Sort.TEXT, done, len(letters), done, len(letters), "", [])


def _braces(letters: str) -> Iterator[tuple[str, int, int]]:
    """What stands in braces: its opening, start and end. None of it runs over the end of a line."""
    at = 0
    line_end = -1
    barren: dict[str, int] = {}  # up to where no closing is to be found: looking once a line keeps a line of braces cheap
    while (match := OPENING.search(letters, at)) is not None:
        opener, at = match[0], match.start()
        if line_end < at:
            line_end = letters.find("\n", at)
            line_end = len(letters) if line_end < 0 else line_end
        close = -1 if barren.get(opener, -1) > at else letters.find(CLOSING[opener], at + 2, line_end)
        if close < 0:
            barren[opener] = line_end
            at += 1
            continue
        yield opener, at, close + 2
        at = close + 2


def words(text: str, at: int) -> list[Word]:
    """The words of a tag: split at blanks, but neither in quotes nor within `_("…")`."""
    found: list[Word] = []
    joined: list[Word] | None = None
    for match in WORDS.finditer(text):
        piece = Word(match[0], at + match.start())
        if joined is not None:
            joined.append(piece)
            if piece.text.endswith((')"', ")'", '")', "')")):
                found.append(Word(text[joined[0].at - at : piece.end - at], joined[0].at))
                joined = None
        elif piece.text.startswith(('_("', "_('")) and not piece.text.endswith(('")', "')")) and ")" in text[piece.end - at :]:
            joined = [piece]
        else:
            found.append(piece)
    found.extend(joined or ())
    return found
