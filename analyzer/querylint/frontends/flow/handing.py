"""What a call hands over, in the shared language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.values import NO_STEPS, Closure, Many, OneOf, Query, Record, Val, both, derived, either_of
from querylint.ir import Value
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.flow.state import State

MOST_HELD = 3
"""How deep a function may lie in what is handed over, or in the variables of another function, to be looked at."""


def asking(found: Value, value: Val) -> Value:
    """An argument; a query that asks for a relation of a row as it is goes by that relation, which may have been loaded with the row."""
    query = value.shape
    if isinstance(query, Query) and query.follows is not None and not query.refined:
        return replace(found, parts=(*found.parts, ((), query.follows)))
    return found


def needed(m: State, args: tuple[Val, ...], node: object) -> frozenset[int]:
    """The steps that had a hand in what a call is given, also by the variables of the functions that it is given: it may run them."""
    deps = derived(*args).deps
    return both(deps, _held(m, args, MOST_HELD)) if isinstance(node, tree.Call) else deps


def _held(m: State, values: Iterable[Val], depth: int) -> frozenset[int]:
    deps = NO_STEPS
    for value in values:
        shape = value.shape
        if isinstance(shape, OneOf):
            deps = both(deps, _held(m, either_of(value), depth))
        elif isinstance(shape, Closure):
            deps = both(deps, _around(m, shape, depth))
        elif depth and isinstance(shape, Record):
            deps = both(deps, _held(m, (*shape.fields.values(), *shape.rest), depth - 1))
        elif depth and isinstance(shape, Many) and not value.origins:
            deps = both(deps, _held(m, shape.items or (shape.item,), depth - 1))
    return deps


def _around(m: State, closure: Closure, depth: int) -> frozenset[int]:
    """What the variables around a function hold by now: it reads them whenever it is run."""
    if closure.scope is None or closure.name:
        return NO_STEPS
    deps = NO_STEPS
    own = {p.id for p in tree.find(closure.fn.params, tree.NamePattern)}
    for name in {n.id for n in tree.find(closure.fn.body, tree.Name)} - own:
        var = closure.scope.find(name)
        value = m.store.get(var) if var is not None else None
        if value is not None:
            deps = both(deps, value.deps)
            if depth and isinstance(value.shape, Closure):
                deps = both(deps, _held(m, (value,), depth - 1))
    return deps
