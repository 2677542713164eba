"""Jinja's template text cut into tokens, with the default delimiters, and what stands between these into words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.syntax.templates.bodies import Sort, Token, Word

OPENING = re.compile(r"\{[%{#]")
CLOSING = {"{%": "%}", "{{": "}}", "{#": "#}"}
RAW = re.compile(r"[-+]?\s*raw\s*[-+]?%\}")
END_OF_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
ENDS = {"{%": re.compile(r"\s*[-+]?%\}"), "{{": re.compile(r"\s*[-+]?\}\}")}
NAME, NUMBER, STRING, SIGN = "name", "number", "string", "sign"
WORD = re.compile(
    r"""\s*(?:
    (?P<name>[A-Za-z_\x80-\xff][\w\x80-\xff]*)
    |(?P<number>0[bBoOxX][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][-+]?\d+)?)
    |(?P<string>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")
    |(?P<sign>//|\*\*|==|!=|>=|<=|[-+*/%~<>=.,:|;()\[\]{}])
    )""",
    re.VERBOSE | re.DOTALL,
)
TAG_NAME = re.compile(r"[-+]?\s*([A-Za-z_]\w*)")
PAIRS = {")": "(", "]": "[", "}": "{"}
# Pages that are no templates of Jinja's hold braces that never close; a statement of this many words is none.
MOST_WORDS = 5000


def tokens(letters: str) -> Iterator[Token]:
    """Every token but comments; `letters` has one character a byte."""
    done = at = 0
    nearest: dict[str, int] = {}
    while (match := OPENING.search(letters, at)) is not None:
        opener, at = match[0], match.start()
        close = nearest.get(opener, -1)
        if close < at + 2:
            close = letters.find(CLOSING[opener], at + 2)
            nearest[opener] = close = close if close >= 0 else len(letters) + 2
        if close > len(letters):
            at += 2
            continue
        if at > done:
            yield Token(Sort.TEXT, done, at, done, at, "", [])
        if opener == "{#":
            done = at = close + 2
            continue
        if opener == "{%" and (raw := RAW.match(letters, at + 2)) is not None:
            stop = END_OF_RAW.search(letters, raw.end())
            end = stop.start() if stop is not None else len(letters)
            if end > raw.end():
                yield Token(Sort.TEXT, raw.end(), end, raw.end(), end, "", [])
            done = at = stop.end() if stop is not None else end
            continue
        token = _braces(letters, opener, at, close)
        yield token
        done = at = token.end
    if done < len(letters):
        yield Token(Sort.TEXT, done, len(letters), done, len(letters), "", [])


def _braces(letters: str, opener: str, at: int, close: int) -> Token:
    """The token that opens here; where its words cannot be read it ends at the first closing braces."""
    name = ""
    inner = at + 2
    if opener == "{%":
        named = TAG_NAME.match(letters, inner)
        if named is not None:
            name, inner = named[1], named.end()
    elif letters[inner : inner + 1] in ("-", "+"):
        inner += 1
    found: list[Word] = []
    brackets: list[str] = []
    here = inner
    while len(found) < MOST_WORDS:
        end = ENDS[opener].match(letters, here) if not brackets else None
        if end is not None:
            return Token(
                Sort.TAG if opener == "{%" else Sort.VARIABLE, at, end.end(), inner, here, name, found, bool(name or opener == "{{")
            )
        match = WORD.match(letters, here)
        if match is None:
            break
        kind = match.lastgroup
        assert kind is not None
        text = match[kind]
        if text in "([{":
            brackets.append(text)
        elif text in PAIRS and (not brackets or brackets.pop() != PAIRS[text]):
            break
        found.append(Word(text, match.start(kind), kind))
        here = match.end()
    kept = [w for w in found if w.end <= close]
    return Token(Sort.TAG if opener == "{%" else Sort.VARIABLE, at, close + 2, inner, close, name, kept, False)
