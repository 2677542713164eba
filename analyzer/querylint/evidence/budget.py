"""What a function of the running system may take, and which take more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass

if TYPE_CHECKING:
    from querylint.evidence.measures import Measured
    from querylint.evidence.statements import Asked


def _share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


MEASURES: dict[str, Callable[[Measured], float | None]] = {
    "mean": lambda m: m.mean if m.ran else None,
    "p50": lambda m: m.p50 if m.ran else None,
    "p95": lambda m: m.p95 if m.ran else None,
    "p99": lambda m: m.p99 if m.ran else None,
    "documents": lambda m: m.documents_p95,
    "failures": lambda m: _share(m.failed, m.calls),
    "conflicts": lambda m: _share(m.met, m.ran),
}
"""What can be limited: milliseconds (nearest rank), documents that 95 of 100 runs do not exceed, percent of calls (`failures`) or of
runs (`conflicts`)."""

OF_STATEMENTS: dict[str, Callable[[Asked], float | None]] = {
    "mean": lambda s: s.mean,
    "p50": lambda s: s.p50,
    "p95": lambda s: s.p95,
    "p99": lambda s: s.p99,
}
"""What can be limited of statements of SQL, where the database tells it."""

OF_SCALES = {"documents": "documents", "round-trips": "trips"}
"""What can be limited of functions that are run on generated databases (`lab.costs.MEASURES`), where no time says anything."""

UNITS = {"mean": "ms", "p50": "ms", "p95": "ms", "p99": "ms", "documents": "", "round-trips": "", "failures": "%", "conflicts": "%"}
"""Everything that can be limited, and what it is counted in."""


@dataclass(frozen=True, slots=True)
class Excess:
    """A function or a statement that takes more than it may, by its name or its text."""

    name: str
    measure: str
    allowed: float
    found: float


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits by the name of the measure: for all functions, and for those whose name a glob matches (the last that matches counts)."""

    limits: Mapping[str, float] = field(default_factory=dict)
    special: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, function: str) -> Mapping[str, float]:
        """The limits of one function."""
        from fnmatch import fnmatchcase  # every run reads the settings, few ask for this

        limits = dict(self.limits)
        for glob, own in self.special.items():
            if fnmatchcase(function, glob):
                limits |= own
        return limits

    def joined(self, other: Budget) -> Budget:
        """With the limits of another one, which count where both speak of the same."""
        return Budget({**self.limits, **other.limits}, {**self.special, **other.special})

    def exceeded(self, functions: Iterable[Measured], statements: Iterable[Asked] = ()) -> Iterator[Excess]:
        """What takes more than it may."""
        for measured in functions:
            for measure, allowed in self.of(str(measured.name)).items():
                found = MEASURES[measure](measured) if measure in MEASURES else None
                if found is not None and found > allowed:
                    yield Excess(str(measured.name), measure, allowed, found)
        for asked in statements:
            for measure, allowed in self.limits.items():
                found = OF_STATEMENTS[measure](asked) if measure in OF_STATEMENTS else None
                if found is not None and found > allowed:
                    yield Excess(asked.text, measure, allowed, found)
