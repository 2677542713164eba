"""Syntax that is newer than the Python that runs, written as older ones read it, byte for byte as long.

Only files that do not parse are written anew: type parameters (PEP 695), `except A, B:` (PEP 758), quotes within the expressions of
f-strings (PEP 701) and t-strings (PEP 750) mean nothing to what is analyzed, and would keep a whole file from being read.
"""

from __future__ import annotations

import re

_GENERIC = re.compile(rb"^[ \t]*(?:async[ \t]+def|def|class)[ \t]+\w+[ \t]*(?=\[)", re.MULTILINE)
_ALIAS = re.compile(rb"^([ \t]*)type([ \t]+)(\w+)(?=[ \t]*[\[=])", re.MULTILINE)
_ALIASED = re.compile(rb"^[ \t]*\w+ {5,}(?=\[)", re.MULTILINE)
# A bare name in small letters is what Python 2 calls the exception by.
_CLASS = rb"(?:[\w.]+\.\w+|[A-Z]\w*)"
_EXCEPT = re.compile(
    rb"^([ \t]*except\*?)[ \t]([ \t]*CLASS),[ \t](CLASS(?:[ \t]*,[ \t]*CLASS)*)([ \t]*:)".replace(b"CLASS", _CLASS), re.MULTILINE
)
_TOKEN = re.compile(rb"#[^\r\n]*|(?<!\w)([A-Za-z]{0,2})('''|\"\"\"|'|\")")
_INNER = re.compile(rb"[(\[{]|[)\]}]|(?<!\w)([A-Za-z]{0,2})('''|\"\"\"|'|\")")
_BRACKETS = re.compile(rb"[\[\]]")
_OTHER = {ord("'"): b'"', ord('"'): b"'"}
_FILLED = re.compile(rb"[^\r\n]")
_LINE_END = re.compile(rb" ?(\r?\n)")
_DEEPEST = 20
_LONGEST = 2_000  # bytes of type parameters


def older(source: bytes) -> bytes:
    """The source as an older Python reads it; as many bytes, the same lines. What is as old already stays as it is."""
    found = _strings(source)
    found = _EXCEPT.sub(rb"\1(\2,\3)\4", found)
    found = _blanked_parameters(found, _GENERIC)
    found = _ALIAS.sub(rb"\1\3    \2", found)
    return _blanked_parameters(found, _ALIASED) if found != source else found


def _blanked_parameters(source: bytes, before: re.Pattern[bytes]) -> bytes:
    """Without the type parameters that stand after a pattern; where they go over several lines, these are joined."""
    parts: list[bytes] = []
    last = 0
    for found in before.finditer(source):
        depth = 0
        for bracket in _BRACKETS.finditer(source, found.end(), found.end() + _LONGEST):
            depth += 1 if bracket[0] == b"[" else -1
            if depth == 0:
                parts += [source[last : found.end()], _LINE_END.sub(_joined, _FILLED.sub(b" ", source[found.end() : bracket.end()]))]
                last = bracket.end()
                break
    return b"".join(parts) + source[last:]


def _joined(line_end: re.Match[bytes]) -> bytes:
    return b"\\" + line_end[1] if line_end[0].startswith(b" ") else line_end[0]


def _strings(source: bytes) -> bytes:
    """With the strings within f-strings in other quotes than those around them, and t-strings as f-strings."""
    written = bytearray(source)
    at = 0
    while (token := _TOKEN.search(source, at)) is not None:
        if token[2] is None:
            at = token.end()
        else:
            at = _string(source, written, token, b"", 0)
    return bytes(written)


def _string(source: bytes, written: bytearray, opened: re.Match[bytes], around: bytes, depth: int) -> int:
    """Where a string ends; `around` is the quote that its own must differ from, empty outside of f-strings."""
    prefix, quote = opened[1].lower(), opened[2]
    formatted = b"f" in prefix or b"t" in prefix
    mark = quote[:1]
    if b"t" in prefix:
        at = opened.start() + prefix.index(b"t")
        written[at : at + 1] = b"f"
    if around and mark == around[:1]:
        mark = _OTHER[mark[0]]
        written[opened.start(2) : opened.end(2)] = mark * len(quote)
    at = opened.end()
    while at < len(source):
        if source.startswith(quote, at):
            written[at : at + len(quote)] = mark * len(quote)
            return at + len(quote)
        char = source[at : at + 1]
        if char == b"\\" and b"r" not in prefix:
            if around:
                written[at : at + 2] = b"__"  # no backslash may stand in the expression of an older f-string
            at += 2
        elif formatted and char == b"{" and source[at + 1 : at + 2] != b"{" and depth < _DEEPEST:
            at = _expression(source, written, at + 1, mark, depth + 1)
        elif formatted and source[at : at + 2] == b"{{":
            at += 2
        elif char == b"\n" and len(quote) == 1:
            return at  # it never ends
        else:
            if around and char in (mark, around[:1]):
                written[at : at + 1] = b"_"
            at += 1
    return at


def _expression(source: bytes, written: bytearray, at: int, around: bytes, depth: int) -> int:
    """Where the expression of an f-string ends, behind its brace."""
    open_brackets = 1
    while (found := _INNER.search(source, at)) is not None:
        at = found.end()
        if found[2] is not None:
            at = _string(source, written, found, around, depth)
        else:
            open_brackets += 1 if found[0] in (b"(", b"[", b"{") else -1
            if open_brackets == 0:
                return at
    return len(source)
