"""Suppression comments in source text.

    // querylint: ignore[rule-name, other-rule] -- the reason
    # querylint: ignore-file[rule-name] -- the reason
    {# querylint: ignore[rule-name] -- the reason #}

An `ignore` speaks for its own line; on a line of its own, for the next line that is not a comment. An `ignore-file` speaks for the
whole file, wherever it stands in it.
"""

from __future__ import annotations

import io
import tokenize

from querylint.construction import dataclass
from querylint.pattern import Pattern
from querylint.text import LineIndex, Span

_WORDS = "querylint:"
_HASH = (".py", ".pyi")
_SLASH = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".toml")
_CLOSING = {"/*": "*/", "{#": "#}"}
_PATTERN = r"(?P<marker>//|/\*+|\{\#-?|\#)\s*querylint:\s*(?P<verb>[A-Za-z-]+)\s*(?P<names>\[[^\]]*\])?(?P<rest>.*)"
_FIRST = Pattern(_PATTERN)
_LATER = Pattern(rf"(?<=\s){_PATTERN}")
_VERBS = ("ignore", "ignore-file")
_MEANT = frozenset({"ignore", "ignored", "disable", "disabled", "allow", "suppress", "skip", "noqa", "off"})
_REASON = Pattern(r"\s*--\s*(?P<reason>.*\w.*)")


@dataclass(frozen=True, slots=True)
class Comment:
    """One suppression comment.

    `covers` is the line that it speaks for, None for the whole file. `names` and `reason` are empty where it gives none.
    """

    span: Span
    verb: str
    names: tuple[str, ...]
    reason: str
    covers: int | None

    @property
    def known(self) -> bool:
        """Whether its verb is one of ours."""
        return self.verb in _VERBS


def comments(source: LineIndex) -> tuple[Comment, ...]:
    """The suppression comments of a file, in order."""
    if _WORDS.encode() not in source.source:
        return ()
    # Bytes that are no UTF-8 keep their number this way, so that offsets stay right.
    text = source.source.decode("utf-8", "surrogateescape")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    hashed = source.path.endswith(_HASH)
    braced = not hashed and not source.path.endswith(_SLASH)
    starts = _tokens(text) if hashed else None
    found: list[Comment] = []
    for number, line in enumerate(lines, 1):
        if _WORDS not in line:
            continue
        start = _brace(line) if braced else _comment_start(line, hashed) if starts is None else starts.get(number)
        comment = None if start is None else _comment(source, lines, number, start)
        if comment is not None:
            found.append(comment)
    return tuple(found)


def _tokens(text: str) -> dict[int, int] | None:
    """Where in which line of Python a comment starts, so that no docstring is taken for one; None for code that is no Python."""
    try:
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        return {token.start[0]: token.start[1] for token in tokens if token.type == tokenize.COMMENT}
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None


def _comment_start(line: str, hashed: bool) -> int | None:
    """Where the comment of a line starts, going by the quotes before it.

    A quote that is not closed on its line opens no string: it is an apostrophe in JSX, part of a pattern, or the end of a long string.
    """
    at = 0
    while at < len(line):
        char = line[at]
        if char in "'\"`":
            at = _closing(line, at) or at
        elif (hashed and char == "#") or (not hashed and line.startswith(("//", "/*"), at)):
            return at
        at += 1
    return None


def _brace(line: str) -> int | None:
    """Where the comment of a line of a template starts."""
    at = line.rfind("{#", 0, line.index(_WORDS))
    return at if at >= 0 else None


def _closing(line: str, at: int) -> int | None:
    """Where the string that opens here closes."""
    quote = line[at]
    at += 1
    while at < len(line):
        if line[at] == "\\":
            at += 1
        elif line[at] == quote:
            return at
        at += 1
    return None


def _comment(source: LineIndex, lines: list[str], number: int, start: int) -> Comment | None:
    line = lines[number - 1]
    match = _FIRST.match(line, start) or _LATER.search(line, start)
    if match is None:
        return None
    verb = match["verb"]
    if verb not in _VERBS and match["names"] is None and verb.partition("-")[0] not in _MEANT:
        return None
    closing = _CLOSING.get(match["marker"][:2])
    body, closed, after = match["rest"].partition(closing) if closing is not None else (match["rest"], "", "")
    body = body.removesuffix("-") if closing == "#}" else body
    reason = _REASON.fullmatch(body)
    begin, end = match.start(), len(line) - len(after)
    alone = not line[:begin].strip(" \t\ufeff").removeprefix("{").strip() and not after.strip().removeprefix("}")
    covers: int | None = number
    if verb == "ignore-file":
        covers = None
    elif alone:
        last = number if closed or closing is None else _block_end(lines, number, closing)
        covers = _next_code(lines, last, source.path.endswith(_HASH))
    said = _legible(reason["reason"].strip()) if reason else ""
    return Comment(_span(source, lines, number, begin, end), verb, _names(match["names"]), said, covers)


def _names(brackets: str | None) -> tuple[str, ...]:
    listed = (_legible(name.strip()) for name in (brackets or "").strip("[]").split(","))
    return tuple(dict.fromkeys(name for name in listed if name))


def _legible(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _block_end(lines: list[str], number: int, closing: str) -> int:
    """The line on which a comment ends that is still open at the end of this one."""
    return next((later for later in range(number + 1, len(lines) + 1) if closing in lines[later - 1]), number)


def _next_code(lines: list[str], number: int, hashed: bool) -> int:
    """The line after a comment line and those that follow it."""
    number += 1
    while number <= len(lines) and _only_comment(lines[number - 1].strip(), hashed):
        number += 1
    return number


def _only_comment(line: str, hashed: bool) -> bool:
    if hashed:
        return line.startswith("#")
    if line.startswith("{#"):
        return line.endswith("#}")
    return line.startswith("//") or (line.startswith(("/*", "{/*", "{ /*")) and line.endswith(("*/", "*/}", "*/ }")))


def _span(source: LineIndex, lines: list[str], number: int, begin: int, end: int) -> Span:
    line = lines[number - 1]
    at = 0
    for _ in range(number - 1):
        at = source.source.index(b"\n", at) + 1
    return source.span(at + _size(line[:begin]), at + _size(line[:end]))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
