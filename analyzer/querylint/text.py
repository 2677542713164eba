"""Places in source text: the only room that knows how bytes, characters, lines and columns relate."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from querylint.construction import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one file.

    Lines and columns are 1-based; columns count characters (code points), and the end is exclusive. `start` and `end`
    are byte offsets into the UTF-8 source, for edits. `path` is relative to the project root, with forward slashes.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"

    def covers(self, other: Span) -> bool:
        """Whether the other span lies within this one."""
        return self.path == other.path and self.start <= other.start and other.end <= self.end


class LineIndex:
    """Byte offsets of one source file turned into lines and columns."""

    __slots__ = ("_ascii", "_lines", "path", "source")

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        self._ascii = source.isascii()
        self._lines: list[int] | None = None

    @property
    def _starts(self) -> list[int]:
        """Where each line begins, found once somebody asks: of most files nobody does."""
        if self._lines is None:
            lengths = map(len, self.source.split(b"\n"))
            self._lines = [0, *accumulate(map((1).__add__, lengths))]
            self._lines.pop()  # the end of the file
        return self._lines

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte offset, both 1-based, the column in characters."""
        starts = self._starts
        line = bisect_right(starts, offset)
        begin = starts[line - 1]
        if self._ascii:
            return line, offset - begin + 1
        return line, len(self.source[begin:offset].decode("utf-8", "replace")) + 1

    def span(self, start: int, end: int) -> Span:
        """The span between two byte offsets."""
        if not self._ascii:
            line, column = self.position(start)
            end_line, end_column = self.position(end)
            return Span(self.path, line, column, end_line, end_column, start, end)
        starts = self._starts  # spelled out, since a walk asks for spans all the time
        line = bisect_right(starts, start)
        end_line = bisect_right(starts, end, line - 1) if end >= start else bisect_right(starts, end)
        return Span(self.path, line, start - starts[line - 1] + 1, end_line, end - starts[end_line - 1] + 1, start, end)

    def text(self, start: int, end: int) -> str:
        """The source between two byte offsets."""
        return self.source[start:end].decode("utf-8", "replace")

    def line(self, number: int) -> str:
        """One line of the source without its line end, by its 1-based number; empty when there is none."""
        if not 1 <= number <= len(self._starts):
            return ""
        begin = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.source)
        return self.source[begin:end].decode("utf-8", "replace").rstrip("\r\n")


class Stretches:
    """Stretches of one source, between byte offsets, that places are compared with."""

    __slots__ = ("_reach", "_starts", "stretches")

    def __init__(self, stretches: Sequence[tuple[int, int]] = ()) -> None:
        self.stretches = stretches
        self._starts: list[int] | None = None
        self._reach: list[int] = []

    def touch(self, start: int, end: int) -> bool:
        """Whether any of them shares something with the stretch from `start` to `end`."""
        if not self.stretches:
            return False
        if self._starts is None:  # in a source that is all noise there are thousands
            ordered = sorted(self.stretches)
            self._starts = [first for first, _ in ordered]
            self._reach = list(accumulate((last for _, last in ordered), max))
        before = bisect_left(self._starts, end)
        return before > 0 and self._reach[before - 1] > start
