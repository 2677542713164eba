"""What leaves when a value leaves whole."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.frontends.flow.values import FLATTEN_DEPTH, Many, Record, Val
from querylint.ir import ITEM, Escape, Origin, Outflow

if TYPE_CHECKING:
    from querylint.frontends.flow.state import State


@dataclass(slots=True)
class Leak:
    """A place where part of a value leaves: its origin and the works done before; `through` where it is but made of the parts of a row."""

    origin: Origin
    works: tuple[int, ...] = field(default=())
    through: bool = False


def let_go(m: State, value: Val, how: Escape, at: int, end: int) -> None:
    """Note all that leaves with a value."""
    for leak in leaks(value):
        key = (leak.origin, how, leak.works)
        if leak.through:
            use_each(m, (leak.origin,), leak.works)
        elif key not in m.outflows or m.trace is not None:
            outflow = Outflow(leak.origin, how, m.span(at, end), leak.works)
            m.outflows.setdefault(key, outflow)
            if m.trace is not None:
                m.trace.append(outflow)


def use_each(m: State, items: tuple[Origin, ...], works: tuple[int, ...]) -> None:
    """Note that something comes of every row of a list, unless works before have picked some of them."""
    if m.selecting.isdisjoint(works):
        for origin in items:
            m.look(origin)


def leaks(value: Val) -> list[Leak]:
    """All that leaves when this value leaves whole."""
    found: list[Leak] = []
    _leak(value, found, 0)
    return found


def _leak(value: Val, found: list[Leak], depth: int) -> None:
    found.extend(Leak(origin, value.works) for origin in value.origins)
    if depth > FLATTEN_DEPTH or len(found) > 200:
        return
    shape = value.shape
    if isinstance(shape, Record):
        for inner in shape.fields.values():
            _leak(inner, found, depth + 1)
        for inner in shape.rest:
            _leak(inner, found, depth + 1)
    elif isinstance(shape, Many) and not value.origins:
        found.extend(Leak(origin.at(ITEM), value.works, through=True) for origin in shape.made_of)
        for inner in shape.items or (shape.item,):
            _leak(inner, found, depth + 1)
