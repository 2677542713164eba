"""What a SQL database says of the statements that it has run: its statistics by statement, and its log of durations.

Sources: PostgreSQL, "pg_stat_statements" (columns, milliseconds) and "Error Reporting and Logging" (`log_min_duration_statement`, the
formats of its log); MySQL, "Statement Summary Tables" (`events_statements_summary_by_digest`, picoseconds) and "The Slow Query Log"
(seconds).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from querylint.construction import dataclass
from querylint.evidence.measures import percentile

PICOSECONDS = 1e-9
"""One in milliseconds."""

TEXTS = ("query", "digest_text")
CALLS = ("calls", "count_star")
TOTALS = {"total_exec_time": 1.0, "total_time": 1.0, "sum_timer_wait": PICOSECONDS}
LONGEST = {"max_exec_time": 1.0, "max_time": 1.0, "max_timer_wait": PICOSECONDS}
QUANTILES_95 = {"quantile_95": PICOSECONDS}
QUANTILES_99 = {"quantile_99": PICOSECONDS}
ROWS = {"rows": 1.0, "sum_rows_sent": 1.0}
EXAMINED = {"sum_rows_examined": 1.0}

DURATION = re.compile(r"duration: (\d+(?:\.\d+)?) ms  (?:statement|execute [^:]*):\s*(.*)", re.DOTALL)
"""A line of PostgreSQL's log about one statement; those about `parse` and `bind` are parts of the same."""

_TOKEN = re.compile(
    r"""(?P<kept>"[^"]*"|`[^`]*`)|(?P<comment>/\*.*?\*/|--[^\n]*)"""
    r"""|'(?:[^'\\]|''|\\.)*'|\$\d+\b|(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)|%s|\?""",
    re.DOTALL,
)
"""Names in quotation marks, comments, and values; which of them begins first decides what the others within it are."""
_SLOW = re.compile(r"(\w+): (\d+(?:\.\d+)?)")
_SETTING = re.compile(r"^(?:#[^\n]*$|(?:SET timestamp=\d+|use [^;\n]*);\s*)", re.IGNORECASE | re.MULTILINE)
_ONE = r"\?(?:::\w+(?: precision| varying)?(?:\(\?\))?(?: with(?:out)? time zone)?(?:\[\])*)?"
"""A value, which PostgreSQL's drivers may give a type."""
_LIST = re.compile(rf"\(\s*{_ONE}(?:\s*,\s*{_ONE})*(?:\s*,\s*\.\.\.)?\s*\)", re.IGNORECASE)
_TUPLES = re.compile(r"(\(\?\))(?:\s*,\s*\(\?\))+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement, its values left out.

    `total` and `longest` are milliseconds, as are the percentiles, which only some databases tell. `rows` are those that it has given or
    changed, `examined` those that were looked at for that. None is not told.
    """

    text: str
    calls: int
    total: float
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    longest: float | None = None
    rows: int | None = None
    examined: int | None = None

    @property
    def mean(self) -> float:
        """Milliseconds of one call, on the average."""
        return self.total / self.calls if self.calls else 0.0


@dataclass(slots=True)
class StatementTally:
    """The calls of one statement so far; `times` are those that a log tells one by one."""

    calls: int = 0
    total: float = 0.0
    p95: float | None = None
    p99: float | None = None
    longest: float | None = None
    rows: int | None = None
    examined: int | None = None
    times: array[float] = field(default_factory=lambda: array("d"))

    def add(self, other: Asked) -> None:
        """Count what a row of statistics tells; of several percentiles, the worst is kept."""
        self.calls += other.calls
        self.total += other.total
        self.p95 = _most(self.p95, other.p95)
        self.p99 = _most(self.p99, other.p99)
        self.longest = _most(self.longest, other.longest)
        self.rows = _sum(self.rows, other.rows)
        self.examined = _sum(self.examined, other.examined)

    def add_call(self, call: Asked) -> None:
        """Count a single call, whose time is one among all."""
        self.times.append(call.total)
        self.rows = _sum(self.rows, call.rows)
        self.examined = _sum(self.examined, call.examined)

    def asked(self, text: str) -> Asked:
        """What they come to."""
        times = sorted(self.times)
        if not times:
            return Asked(text, self.calls, self.total, None, self.p95, self.p99, self.longest, self.rows, self.examined)
        p50, p95, p99, longest = (percentile(times, share) for share in (50, 95, 99, 100))
        return Asked(text, self.calls + len(times), self.total + sum(times), p50, p95, p99, longest, self.rows, self.examined)


def is_slow(line: str) -> bool:
    """Whether a line is the one of MySQL's slow query log that has the times; the statement follows."""
    return line.startswith("# Query_time: ")


def _slow(entry: str) -> Asked | None:
    """A call of a statement in MySQL's slow query log; None for other text."""
    head, _, text = entry.partition("\n")
    numbers = {name: float(value) for name, value in _SLOW.findall(head)}
    if "Query_time" not in numbers:
        return None
    bare = normal(_SETTING.sub("", text))
    rows, examined = (int(numbers[name]) if name in numbers else None for name in ("Rows_sent", "Rows_examined"))
    return Asked(bare, 1, numbers["Query_time"] * 1000, rows=rows, examined=examined) if bare else None


def is_header(cells: Iterable[str]) -> bool:
    """Whether the first line of a table names the columns of such statistics."""
    names = {cell.strip().lower() for cell in cells}
    return bool(names & set(TEXTS)) and bool(names & set(CALLS)) and bool(names & TOTALS.keys())


def statistic(cells: Mapping[str, Any]) -> Asked | None:
    """A row of statistics by the names of its columns; None for anything else. Raises ValueError for one that is cut or odd."""
    row = {str(name).strip().lower(): value for name, value in cells.items()}
    if not is_header(row):
        return None
    text = next((str(row[name]) for name in TEXTS if row.get(name)), "")
    calls = next((_number(row[name]) for name in CALLS if name in row), None)
    total = _scaled(row, TOTALS)
    if not text or calls is None or total is None:
        raise ValueError("a statement, its calls or its time is missing")
    rows, examined = _scaled(row, ROWS), _scaled(row, EXAMINED)
    return Asked(
        normal(text), int(calls), total, None, _scaled(row, QUANTILES_95), _scaled(row, QUANTILES_99), _scaled(row, LONGEST),
        int(rows) if rows is not None else None, int(examined) if examined is not None else None,
    )  # fmt: skip


def logged(entry: str) -> Asked | None:
    """The call of a statement that an entry of PostgreSQL's log, or of MySQL's slow query log, tells of; None for other entries."""
    found = DURATION.search(entry)
    if found is not None:
        return Asked(normal(found[2]), 1, float(found[1]))
    return _slow(entry) if is_slow(entry) else None


def normal(text: str) -> str:
    """A statement without its values and comments: calls with other values are calls of the same."""
    bare = _TOKEN.sub(_without, text)
    bare = _TUPLES.sub(r"\1", _LIST.sub("(?)", bare))
    return _SPACE.sub(" ", bare).strip().rstrip(";").rstrip()


def _without(token: re.Match[str]) -> str:
    kind = token.lastgroup
    return "?" if kind is None else " " if kind == "comment" else token[0]


def _scaled(row: Mapping[str, Any], columns: Mapping[str, float]) -> float | None:
    for name, unit in columns.items():
        value = _number(row.get(name))
        if value is not None:
            return value * unit
    return None


def _number(value: object) -> float | None:
    """A number from 0 up, written in whatever way; None for nothing. Raises ValueError for what is none."""
    if value is None or value == "":
        return None
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        raise ValueError("a number is something else")
    number = float(value)
    if not 0 <= number < 2.0**80:
        raise ValueError("a number is out of range")
    return number


def _most(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else max(one, other)


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
