"""Source lines with a mark under the place that matters, aligned as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from unicodedata import category, east_asian_width

from querylint.construction import dataclass
from querylint.rule import Point
from querylint.text import LineIndex, Span

TAB = "    "
NEAR = 6
"""How many lines away a point of the trail may lie to be shown beside the place itself."""
ELLIPSIS = "…"
DIRECTION_MARKS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class RowKind(Enum):
    """What a row of a snippet holds."""

    SOURCE = "source"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a line of source with its number, the mark under it, or a gap."""

    kind: RowKind
    body: str
    number: int | None = None


def printable(text: str) -> str:
    """Text that cannot steer a terminal: one line, no control characters, nothing that turns the reading direction."""
    text = text.replace("\t", TAB)
    return "".join("\ufffd" if category(char) == "Cc" or char in DIRECTION_MARKS else char for char in text)


def display_width(text: str) -> int:
    """How many terminal cells the text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def snippet(source: LineIndex, span: Span, trail: Sequence[Point], room: int) -> list[Row]:
    """The first line of the span underlined, and the points of the trail that lie near it, each at most `room` cells wide."""
    marks: dict[int, tuple[Span, str]] = {point.span.line: (point.span, point.text) for point in reversed(trail) if near(point, span)}
    marks[span.line] = (span, "")
    rows: list[Row] = []
    last = 0
    for number in sorted(marks):
        place, label = marks[number]
        if last and number > last + 1:
            rows.append(Row(RowKind.GAP, "..."))
        last = number
        sign, kind = ("^", RowKind.PRIMARY) if number == span.line else ("-", RowKind.SECONDARY)
        line, underline = _marked(source.line(number), place, sign, room)
        rows.append(Row(RowKind.SOURCE, line, number))
        rows.append(Row(kind, f"{underline} {printable(label)}".rstrip()))
    return rows


def near(point: Point, span: Span) -> bool:
    """Whether a point of the trail is shown in the snippet of the span."""
    return point.span.path == span.path and point.span.line != span.line and abs(point.span.line - span.line) <= NEAR


def _marked(line: str, span: Span, sign: str, room: int) -> tuple[str, str]:
    several = span.end_line > span.line
    end = len(line.rstrip()) if several else span.end_column - 1
    before, inside, after = (printable(part) for part in (line[: span.column - 1], line[span.column - 1 : end], line[end:]))
    if display_width(before + inside + after) > room:
        before = _last_cells(before, room // 3)
        inside = _first_cells(inside, room - display_width(before))
        left = room - display_width(before + inside)
        after = "" if inside.endswith(ELLIPSIS) else _first_cells(after, max(1, left))
    underline = " " * display_width(before) + sign * max(1, display_width(inside)) + (ELLIPSIS if several else "")
    return (before + inside + after).rstrip(), underline


def _first_cells(text: str, room: int) -> str:
    if display_width(text) <= room:
        return text
    used, kept = 1, ""
    for char in text:
        used += _cells(char)
        if used > room:
            break
        kept += char
    return kept + ELLIPSIS


def _last_cells(text: str, room: int) -> str:
    return text if display_width(text) <= room else _first_cells(text[::-1], room)[::-1]


def _cells(char: str) -> int:
    if category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1
