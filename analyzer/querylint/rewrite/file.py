"""One file that is edited, whatever its language."""

from __future__ import annotations

import re

from querylint.patch import TextEdit
from querylint.text import LineIndex

_INDENT = re.compile(rb"[ \t]*")


class File:
    """The bytes of a file, by place."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self.lines = LineIndex(path, data)

    def edit(self, start: int, end: int, text: str, *, shared: bool = False) -> TextEdit:
        """An edit of a stretch."""
        return TextEdit(self.lines.span(start, end), text, shared)

    def indent(self, offset: int) -> str:
        """The white space that the line of an offset begins with."""
        begin = self.data.rfind(b"\n", 0, offset) + 1
        found = _INDENT.match(self.data, begin)
        return found[0].decode() if found else ""
