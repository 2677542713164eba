"""The comment that silences a finding, where one can stand on the line above it."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.filters.comments import comments
from querylint.rule import Finding
from querylint.syntax.typescript.comments import comment_at
from querylint.text import LineIndex

_SCRIPT = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_HASH = (".py", ".pyi")


def suppression(finding: Finding, path: str, data: bytes, at: int, reasoned: bool) -> tuple[int, str] | None:
    """Where in the file to insert which text; None where a line above would be part of a string.

    `at` is the byte where the finding begins. With `reasoned` the comment ends where its reason is to be written: until then it
    silences nothing and says so.
    """
    start = data.rfind(b"\n", 0, at) + 1
    line = data[start:].split(b"\n", 1)[0]
    indent = line[: len(line) - len(line.lstrip(b" \t"))]
    if data.startswith(b"\xef\xbb\xbf") and start == 0:
        start = 3
    words = f"querylint: ignore[{finding.rule}]{' -- ' if reasoned else ''}"
    for form in _forms(path, words):
        text = indent.decode() + form
        if _is_comment(path, data, start, text.encode(), len(indent)):
            end = "\r\n" if line.endswith(b"\r") else "\n"
            return start, text + end
    return None


def _forms(path: str, words: str) -> Iterator[str]:
    if path.endswith(_HASH):
        yield f"# {words}"
    elif path.endswith(_SCRIPT):
        yield f"// {words}"
        yield f"{{/* {words} */}}"
    else:
        yield f"{{# {words} #}}"


def _is_comment(path: str, data: bytes, start: int, text: bytes, indent: int) -> bool:
    """Whether the text would be taken for a suppression there, by us and by the language."""
    written = data[:start] + text + b"\n" + data[start:]
    line = data.count(b"\n", 0, start) + 1
    if not any(comment.span.line == line for comment in comments(LineIndex(path, written))):
        return False
    if not path.endswith(_SCRIPT):
        return True
    brace = text[indent:].startswith(b"{")
    begin, end = start + indent + brace, start + len(text) - brace
    return comment_at(path, written, begin, end)
