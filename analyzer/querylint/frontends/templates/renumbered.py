"""The steps of one walk as another walk would have written them: with the numbers that are next there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

from querylint.construction import replace
from querylint.frontends.flow.scope import Var
from querylint.frontends.flow.state import Trace
from querylint.ir import Origin, Root, Step
from querylint.text import Span

T = TypeVar("T")
NUMBERS = frozenset(("id", "rerun_of"))
"""Fields that hold the number of a step."""
FIRST = "handed"
"""The field of a loop that holds the number of a step, then something else."""
AFTER = "after"
"""The field that holds the numbers of several steps in turn."""

_NAMES: dict[type, tuple[str, ...]] = {}


class Renumbered:
    """Numbers behind `last` become greater by `more`; what hung on the steps `why` hangs on the steps `now`."""

    def __init__(self, last: int, more: int, why: frozenset[int], now: frozenset[int]) -> None:
        self.last = last
        self.more = more
        self.why = why if why != now else frozenset[int]()
        self.now = now
        self._origins: dict[Origin, Origin] = {}

    def steps(self, steps: Sequence[Step]) -> list[Step]:
        """The steps with other numbers."""
        return [self._of(step) for step in steps]

    def traces(self, traces: Sequence[Trace]) -> list[Trace]:
        """The traces with other numbers."""
        return [
            trace if isinstance(trace, Var) else self._origin(trace) if isinstance(trace, Origin) else self._of(trace) for trace in traces
        ]

    def _number(self, number: int) -> int:
        return number + self.more if number > self.last else number

    def _origin(self, origin: Origin) -> Origin:
        if origin.root is not Root.STEP or not isinstance(origin.ref, int) or origin.ref <= self.last:
            return origin
        made = self._origins.get(origin)
        if made is None:
            made = self._origins[origin] = Origin(origin.root, origin.ref + self.more, origin.path)
        return made

    def _of(self, made: T) -> T:
        """A step, or a part of one."""
        kind = type(made)
        names = _NAMES.get(kind)
        if names is None:
            names = _NAMES[kind] = tuple(f.name for f in fields(made)) if is_dataclass(made) else ()
        changed: dict[str, Any] = {}
        for name in names:
            value = getattr(made, name)
            new = self._field(name, value)
            if new is not value:
                changed[name] = new
        return cast("T", replace(cast("Any", made), **changed)) if changed else made

    def _field(self, name: str, value: Any) -> Any:
        if name in NUMBERS and isinstance(value, int):
            return self._number(value)
        if isinstance(value, tuple):
            if name == AFTER:
                return tuple(self._number(number) for number in value)
            if name == FIRST and value and isinstance(value[0], int):
                return (self._number(value[0]), *value[1:])
            return self._all(value)
        return self._part(value)

    def _part(self, value: Any) -> Any:
        if isinstance(value, Origin):
            return self._origin(value)
        if isinstance(value, frozenset):
            if self.why and not value.isdisjoint(self.why):
                return frozenset(map(self._number, value - self.why)) | self.now
            found = any(isinstance(number, int) and number > self.last for number in value)
            return frozenset(self._number(number) for number in value) if found else value
        if isinstance(value, tuple):
            return self._all(value)
        return self._of(value) if is_dataclass(value) and not isinstance(value, Span) else value

    def _all(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        made = [self._part(value) for value in values]
        return tuple(made) if any(a is not b for a, b in zip(made, values, strict=True)) else values
