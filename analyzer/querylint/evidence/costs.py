"""What a call of a function takes on databases of several sizes, and how that grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import log
from typing import Any

OVER = "it reads more than Convex allows one transaction (32,000 documents, 16 MiB)"
"""Why there is no cost where a run was ended because of that."""

MEASURES = ("documents", "bytes", "calls", "trips")
"""Documents and bytes that are read, calls of the database, round trips."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call took: documents read as Convex bills them and their bytes, calls of the database, and round trips.

    Reads that are begun together share a round trip. `bytes` are those of generated documents.
    """

    documents: int
    bytes: int
    calls: int
    trips: int

    def of(self, measure: str) -> int:
        """One of the measures by its name."""
        return int(getattr(self, measure))


@dataclass(frozen=True, slots=True)
class Sample:
    """What a call took where each table has so many rows; `trouble` says why it did not end well, and there is no cost."""

    rows: int
    cost: Cost | None
    trouble: str = ""

    @property
    def over(self) -> bool:
        """Whether it read more than Convex allows."""
        return self.trouble == OVER


@dataclass(frozen=True, slots=True)
class Call:
    """The call that a function is measured by: the dearest of those that were tried. `world` is the database, `args` are the arguments."""

    world: int
    variant: int
    args: Any


class Growth(Enum):
    """How a measure grows with the rows of the tables, from the one before the last size to the last."""

    NONE = "does not grow"
    SLOWER = "slower than the rows"
    ROWS = "with the rows"
    FASTER = "faster than the rows"
    SQUARE = "with their square"
    MORE = "faster than their square"

    @property
    def rank(self) -> int:
        """0 for what does not grow; more for what grows faster."""
        return list(Growth).index(self)


_BOUNDS = ((0.25, Growth.NONE), (0.75, Growth.SLOWER), (1.25, Growth.ROWS), (1.75, Growth.FASTER), (2.25, Growth.SQUARE))


def exponent(samples: Sequence[Sample], measure: str) -> float | None:
    """The power of the rows that a measure grows with, by the last two sizes that could be measured; None where there is one only.

    A sum of parts shows that of the part which counts in the end, the more so the larger the sizes are.
    """
    found = [(sample.rows, sample.cost.of(measure)) for sample in samples if sample.cost is not None]
    if len(found) < 2:
        return None
    (few, less), (many, more) = found[-2:]
    return round(log(max(more, 1) / max(less, 1)) / log(many / few), 2)


def growth(power: float | None) -> Growth | None:
    """An exponent in words."""
    if power is None:
        return None
    return next((word for bound, word in _BOUNDS if power < bound), Growth.MORE)


def cost_of(answer: Mapping[str, Any]) -> Cost:
    """The cost that a bench has answered."""
    return Cost(*(int(answer[measure]) for measure in MEASURES))
