"""Files of evidence, line by line: which format each is in shows in what it holds."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

from querylint.construction import dataclass
from querylint.errors import EvidenceError
from querylint.evidence import convex_logs, statements
from querylint.evidence.execution import Execution, Insight
from querylint.evidence.measures import Measured, Name, Tally
from querylint.evidence.statements import Asked, StatementTally

MOST_BYTES = 256_000_000
"""Of one line, and of a file that is one JSON value: what is longer is no log."""
CSV_LOG = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [\w+:-]+,")
"""How a line of PostgreSQL's `csvlog` begins: the time and its zone, and nothing else before the comma."""
ENTRY = (b"# Time: ", b"# User@Host: ", b"# Query_time: ")
"""How the lines of MySQL's slow query log begin that are above a statement; MariaDB has others between these and it."""
MOST_CELL = 16_000_000
"""Characters of one cell of a table."""
MOST_NUMBER = 2**62


@dataclass(slots=True)
class Evidence:
    """What all files say together.

    `first` and `last` are seconds of the epoch, None where nothing ran. `started` says how many runs a run has started, `within` how many
    milliseconds these took. `strange` counts by file the lines that are no events, `repeated` the events that were there before.
    """

    names: tuple[str, ...] = ()
    functions: dict[Name, Tally] = field(default_factory=dict)
    insights: list[Insight] = field(default_factory=list)
    started: Counter[str] = field(default_factory=Counter)
    within: dict[str, float] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None
    deployments: set[str] = field(default_factory=set)
    strange: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    statements: dict[str, StatementTally] = field(default_factory=dict)
    _known: set[int] = field(default_factory=set)

    def measured(self) -> list[Measured]:
        """What the runs of each function come to; one that only an insight names has not been seen to run."""
        insights: dict[Name, list[Insight]] = {}
        for insight in self.insights:
            insights.setdefault(Name(insight.component, insight.function), []).append(insight)
        names = sorted({*self.functions, *insights}, key=str)
        return [self.functions.get(name, Tally()).measured(name, self.started, self.within, insights.get(name, ())) for name in names]

    def asked(self) -> list[Asked]:
        """What the calls of each SQL statement come to."""
        return [tally.asked(text) for text, tally in sorted(self.statements.items())]

    def logged(self, entry: str) -> bool:
        """Count the call of a statement that an entry of a database's log tells of, if it does."""
        found = statements.logged(entry)
        if found is not None:
            self.statements.setdefault(found.text, StatementTally()).add_call(found)
        return found is not None

    def statistic(self, row: Mapping[str, Any], name: str) -> bool:
        """Count a row of a database's statistics, if it is one."""
        try:
            asked = statements.statistic(row)
        except ValueError:
            self.strange[name] += 1
            return True
        if asked is not None:
            self.statements.setdefault(asked.text, StatementTally()).add(asked)
        return asked is not None

    def take(self, value: object, name: str, line: int | None = None) -> None:
        """Count a JSON value; `line` is the hash of the line that holds nothing else."""
        try:
            self._take(value, name, line)
        except RecursionError:
            self.strange[name] += 1

    def _take(self, value: object, name: str, line: int | None) -> None:
        if isinstance(value, list):
            for item in value:
                self._take(item, name, None)
            return
        if not isinstance(value, Mapping):
            self.strange[name] += 1
            return
        if isinstance(value.get("insights"), list):
            self._insights(value, name)
            return
        known = hash(repr(value)) if line is None else line
        if known in self._known:
            self.repeated += 1
            return
        self._known.add(known)
        try:
            self._event(value, name)
        except ValueError:
            self.strange[name] += 1

    def _event(self, event: Mapping[str, Any], name: str) -> None:
        if self.statistic(event, name) or self.logged(str(event.get("message") or "")) or "error_severity" in event:
            return  # the last is a line of PostgreSQL's log about something else
        event = convex_logs.bare(event)
        run = convex_logs.execution(event)
        if run is not None:
            self._run(run)
            return
        near = convex_logs.near_limits(event)
        if near is not None:
            self.functions.setdefault(Name(*near[:2]), Tally()).near.update(near[2])
        elif not convex_logs.is_event(event):
            self.strange[name] += 1

    def _run(self, run: Execution) -> None:
        numbers = (run.at, run.milliseconds, *(n for n in (run.documents, run.written, run.read) if n is not None))
        if not all(0 <= number < MOST_NUMBER for number in numbers):  # NaN is not either
            raise ValueError("a number is out of range")
        self.functions.setdefault(Name(run.component, run.function), Tally()).add(run)
        if run.parent:
            self.started[run.parent] += not run.again
            self.within[run.parent] = self.within.get(run.parent, 0.0) + (0.0 if run.cached else run.milliseconds)
        self.first = run.at if self.first is None else min(self.first, run.at)
        self.last = run.at if self.last is None else max(self.last, run.at)
        if run.deployment:
            self.deployments.add(run.deployment)

    def _insights(self, told: Mapping[str, Any], name: str) -> None:
        deployment = str(told.get("deploymentName") or "")
        for entry in told["insights"]:
            try:
                found = convex_logs.insight(entry if isinstance(entry, Mapping) else {}, deployment)
            except ValueError:
                self.strange[name] += 1
                continue
            if found not in self.insights:
                self.insights.append(found)
        if deployment:
            self.deployments.add(deployment)


def read(paths: Sequence[Path], given: IO[bytes] | None = None) -> Evidence:
    """Read files (`.gz` too); `-` is `given`.

    Raises EvidenceError for a file that cannot be read, and where one holds nothing that we understand.
    """
    evidence = Evidence(tuple("standard input" if str(path) == "-" else str(path) for path in paths))
    for path, name in zip(paths, evidence.names, strict=True):
        before = _size(evidence)
        try:
            if str(path) == "-" and given is not None:
                _read(given, name, evidence)
            else:
                with path.open("rb") as file:
                    _read(cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file, name, evidence)
        except (OSError, EOFError, zlib.error) as error:
            raise EvidenceError(f"`{name}` cannot be read ({(getattr(error, 'strerror', None) or str(error)).lower()})") from None
        if _size(evidence) == before and evidence.strange[name]:
            raise EvidenceError(
                f"`{name}` holds nothing that can be read as a log; see `querylint profile --help` for the formats that can be"
            )
    return evidence


def _size(evidence: Evidence) -> int:
    runs = sum(tally.calls + tally.near.total() for tally in evidence.functions.values())
    asked = sum(tally.calls + len(tally.times) for tally in evidence.statements.values())
    return runs + asked + len(evidence.insights) + evidence.repeated


def _read(file: IO[bytes], name: str, evidence: Evidence) -> None:
    lines = _lines(file)
    first = next(lines, b"")
    if CSV_LOG.match(first):
        _cells(chain((first,), lines), name, evidence)
        return
    delimiter = next((mark for mark in ",\t;|" if statements.is_header(_text(first).split(mark))), "")
    if delimiter:
        _table(first, lines, delimiter, name, evidence)
    elif first[:1] in (b"{", b"[") and _parsed(first) is None:  # one value on several lines
        whole = _parsed(_joined(first, lines))
        if whole is None:
            raise EvidenceError(f"`{name}` is no JSON, neither as a whole nor line by line")
        evidence.take(whole, name)
    else:
        _each(chain((first,) if first else (), lines), name, evidence)


def _cells(lines: Iterable[bytes], name: str, evidence: Evidence) -> None:
    """The log of PostgreSQL as CSV (`csvlog`), which has no line of names."""
    found = other = 0
    for cells in _rows(lines, ","):
        told = any(evidence.logged(cell) for cell in cells if cell.startswith("duration: "))
        found, other = found + told, other + (not told)
    if not found:
        evidence.strange[name] += other


def _table(first: bytes, lines: Iterable[bytes], delimiter: str, name: str, evidence: Evidence) -> None:
    """A table with a line of names above, as `psql --csv` and `mysql --batch` print it."""
    rows = _rows(chain((first,), lines), delimiter)
    names = next(rows, [])
    for cells in rows:
        if not evidence.statistic(dict(zip(names, cells, strict=False)), name):
            evidence.strange[name] += 1


def _rows(lines: Iterable[bytes], delimiter: str) -> Iterator[list[str]]:
    """The cells of each row, none for one that is no CSV; where tabs are between them, they hold their own as `\\t` and `\\n`."""
    if delimiter == "\t":
        for line in lines:
            yield [cell.replace("\\n", " ").replace("\\t", " ") for cell in _text(line).split("\t")]
        return
    csv.field_size_limit(MOST_CELL)
    rows = csv.reader((f"{_text(line)}\n" for line in lines), delimiter=delimiter)
    while True:
        try:
            cells = next(rows, None)
        except csv.Error:
            cells = []
        if cells is None:
            return
        yield cells


def _each(lines: Iterable[bytes], name: str, evidence: Evidence) -> None:
    """Events one by one; of a log in plain text, the statements that it tells of, which may go on in lines that are moved in."""
    plain: list[str] = []
    other = found = 0
    for line in chain(lines, (b"",)):
        if plain and (line[:1] == b"\t" or (statements.is_slow(plain[0]) and line and not line.startswith(ENTRY))):
            plain.append(_text(line))
            continue
        if plain:
            told = evidence.logged("\n".join(plain))
            found, other = found + told, other + (not told)
            plain = []
        value = _parsed(line) if line[:1] in (b"{", b"[") else None
        if value is not None:
            evidence.take(value, name, hash(line))
        elif line:
            plain.append(_text(line))
    if not found:  # lines about anything else are no wonder in a database's log
        evidence.strange[name] += other


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines that hold something, without the mark that some editors put before the first."""
    first = True
    while line := file.readline(MOST_BYTES):
        if first:
            line = line.removeprefix(b"\xef\xbb\xbf")
            first = False
        line = line.rstrip()
        if line.strip():
            yield line if line[:1] == b"\t" else line.strip()


def _joined(first: bytes, rest: Iterable[bytes]) -> bytes:
    parts, size = [first], len(first)
    for line in rest:
        size += len(line)
        if size > MOST_BYTES:
            return b""
        parts.append(line)
    return b"\n".join(parts)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _parsed(text: bytes) -> object:
    """A JSON value; None for what is none (and for `null`, which says nothing either)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
