"""What leaves when a value leaves whole."""

from __future__ import annotations

from dataclasses import field

from querylint.construction import dataclass
from querylint.frontends.flow.values import FLATTEN_DEPTH, Many, Record, Val
from querylint.ir import Origin


@dataclass(slots=True)
class Leak:
    """A place where part of a value leaves: its origin and the works done before."""

    origin: Origin
    works: tuple[int, ...] = field(default=())


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
        for inner in shape.items or (shape.item,):
            _leak(inner, found, depth + 1)
