"""What the runs of a function come to: how many, how long, how much they read."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from math import ceil
from typing import TypeVar

from querylint.construction import dataclass
from querylint.evidence.execution import Execution, Insight

Number = TypeVar("Number", int, float)

RERUN = "dataChange"
"""Why a query of a subscription runs again: something that it had read was changed (convex: `run_reason`)."""


@dataclass(frozen=True, slots=True)
class Name:
    """A function of a component, which is empty for the application itself."""

    component: str
    function: str

    def __str__(self) -> str:
        return f"{self.component}/{self.function}" if self.component else self.function


@dataclass(frozen=True, slots=True)
class Measured:
    """One function, measured.

    `calls` counts every answer, `cached` those from the cache, `retried` the runs that the platform threw away to run the same once more.
    `p50`, `p95`, `p99`, `longest` and `total` are milliseconds of all runs (nearest rank), `nested` those of the runs that they started
    and that are measured by themselves. `documents` and `bytes` are what they read together, `written` the documents that they wrote,
    `documents_p95` and `most` what one run reads; None where no log tells it. `conflicts` counts runs that met another transaction, by
    table (empty: not told) and by the function that had written there. `near` counts limits that came near. `started_p95` and
    `most_started` say how many other functions one run starts, None where no log tells it. `reruns` are runs of a subscription because
    something changed.
    """

    name: Name
    kind: str
    calls: int = 0
    cached: int = 0
    failed: int = 0
    retried: int = 0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    total: float = 0.0
    nested: float = 0.0
    documents: int | None = None
    documents_p95: int | None = None
    most: int | None = None
    written: int | None = None
    bytes: int | None = None
    conflicts: tuple[tuple[str, str, int], ...] = ()
    near: tuple[tuple[str, int], ...] = ()
    started_p95: int | None = None
    most_started: int | None = None
    reruns: int = 0
    insights: tuple[Insight, ...] = ()

    @property
    def ran(self) -> int:
        """How often it ran: for each call that was not answered from the cache, and once for each that had to be tried again."""
        return self.calls - self.cached + self.retried

    @property
    def mean(self) -> float:
        """Milliseconds of one run, on the average."""
        return self.total / self.ran if self.ran else 0.0

    @property
    def met(self) -> int:
        """How many runs met another transaction."""
        return sum(number for _, _, number in self.conflicts)

    def met_over(self, table: str | None) -> int:
        """How many runs met another transaction over a table."""
        return sum(number for where, _, number in self.conflicts if where == table)


@dataclass(slots=True)
class Tally:
    """The runs of one function so far."""

    kind: str = ""
    calls: int = 0
    cached: int = 0
    failed: int = 0
    retried: int = 0
    reruns: int = 0
    times: array[float] = field(default_factory=lambda: array("d"))
    documents: array[int] = field(default_factory=lambda: array("q"))
    written: int | None = None
    bytes: int | None = None
    conflicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    near: Counter[str] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)

    def add(self, run: Execution) -> None:
        """Count one more."""
        self.kind = run.kind
        if run.again:
            self.retried += 1
        else:
            self.calls += 1
            self.cached += run.cached
            self.failed += run.failed
        self.reruns += run.reason == RERUN
        if run.conflict is not None:
            self.conflicts[run.conflict, run.source] += 1
        if run.cached and not run.again:
            return  # its warnings are those of the run before
        self.near.update(run.warnings)
        self.times.append(run.milliseconds)
        if run.documents is not None:
            self.documents.append(run.documents)
        if run.written is not None:
            self.written = (self.written or 0) + run.written
        if run.read is not None:
            self.bytes = (self.bytes or 0) + run.read
        if run.id and run.kind in ("action", "http"):
            self.ids.append(run.id)

    def measured(self, name: Name, started: Counter[str], within: Mapping[str, float], insights: Iterable[Insight]) -> Measured:
        """What they come to; `started` says how many runs each run has started, `within` how many milliseconds these took."""
        times, documents = sorted(self.times), sorted(self.documents)
        began = sorted(started[run] for run in self.ids) if started else []
        return Measured(
            name,
            self.kind,
            self.calls,
            self.cached,
            self.failed,
            self.retried,
            percentile(times, 50) or 0.0,
            percentile(times, 95) or 0.0,
            percentile(times, 99) or 0.0,
            percentile(times, 100) or 0.0,
            sum(times),
            sum(within.get(run, 0.0) for run in self.ids),
            sum(documents) if documents else None,
            percentile(documents, 95),
            percentile(documents, 100),
            self.written,
            self.bytes,
            tuple((table, source, number) for (table, source), number in self.conflicts.most_common()),
            tuple(self.near.most_common()),
            percentile(began, 95),
            percentile(began, 100),
            self.reruns,
            tuple(insights),
        )


def percentile(ordered: Sequence[Number], share: int) -> Number | None:
    """The least of the values that at least `share` percent do not exceed (nearest rank); None where there is none."""
    return ordered[max(ceil(len(ordered) * share / 100), 1) - 1] if ordered else None
