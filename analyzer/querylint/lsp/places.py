"""Places as the client counts them: lines and characters from zero, characters in the units of the encoding that was negotiated."""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol import types

from querylint.text import LineIndex, Span

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Text:
    """The text of one file as it was analyzed, and its places.

    The protocol ends a line at a carriage return too, and clients see no byte order mark.
    """

    def __init__(self, path: str, data: bytes, encoding: str, version: int | None = None) -> None:
        self.data = data
        self.version = version
        self._path = path
        self._encoding = encoding
        self._starts = [len(_BOM) if data.startswith(_BOM) else 0, *(match.end() for match in _LINE_END.finditer(data))]

    def position(self, offset: int) -> types.Position:
        """Where a byte of the text is for the client."""
        line = max(bisect_right(self._starts, offset) - 1, 0)
        return types.Position(line, self._units(self.data[self._starts[line] : offset]))

    def range(self, span: Span) -> types.Range:
        """A stretch of the text as the client sees it."""
        start, end = self.offsets(span)
        return types.Range(self.position(start), self.position(end))

    def offsets(self, span: Span) -> tuple[int, int]:
        """The bytes of a stretch, for those too that are known by lines and columns alone."""
        if span.end:
            return span.start, span.end
        return self._offset(span.line, span.column), self._offset(span.end_line, span.end_column)

    def _offset(self, line: int, column: int) -> int:
        start = 0
        for _ in range(line - 1):
            start = self.data.find(b"\n", start) + 1
        return start + len(LineIndex(self._path, self.data).line(line)[: column - 1].encode())

    def _units(self, data: bytes) -> int:
        if self._encoding == types.PositionEncodingKind.Utf8:
            return len(data)
        text = data.decode("utf-8", "replace")
        return len(text) if self._encoding == types.PositionEncodingKind.Utf32 else len(text.encode("utf-16-le")) // 2
