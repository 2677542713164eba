"""Helpers that are walked where they are called: predicates over contexts, which say whether a function has a database handle
(`hasDb(ctx)`), as actions have none; what small functions say of a row (`isLive(post)`); and those that go through the query that they
are handed, row after row."""

from __future__ import annotations

from querylint.frontends.flow.calls import arguments, said, says, tests
from querylint.frontends.flow.conditions import field_of, of_database
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Closure, Query, Val
from querylint.ir import LoopKind
from querylint.syntax import tree

SMALL = 1500  # bytes of a function that is walked in place


def in_place(state: State, node: tree.Call, shape: Closure) -> Val | None:
    """What a helper yields that is walked where it is called; None where it is a call like others."""
    made = _handle_asked_for(state, node, shape)
    made = _of_row(state, node, shape) if made is None else made
    return made if made is not None or not _drains(state, node, shape) else _drained(state, node, shape)


def _drains(state: State, node: tree.Call, shape: Closure) -> bool:
    """Whether a small helper of the module goes through a parameter by `for await`, for which a query is handed in."""
    if shape.path != state.path or shape.fn.end - shape.fn.at > SMALL or any(fn is shape.fn for fn in state.calling):
        return False
    loops = [loop for loop in tree.find(shape.fn.body, tree.For) if loop.form is tree.LoopForm.AWAIT_OF]
    names = {loop.over.id for loop in loops if isinstance(loop.over, tree.Name)}
    given = [arg for param, arg in zip(shape.fn.params, node.args, strict=False) if getattr(param.pattern, "id", None) in names]
    if not given:
        return False
    with state.recording():
        return any(isinstance(state.evaluate(arg).shape, Query) for arg in given)


def _drained(state: State, node: tree.Call, shape: Closure) -> Val:
    """What such a helper yields. Its work stands where it is called, since each call is about a query of its own."""
    args = arguments(state, node)
    outer, state.placed = state.placed, (shape.fn.at, shape.fn.end, state.span(node.at, node.end))
    try:
        return state.invoke(Closure(shape.fn, None, shape.path), args, node.at, node.end)
    finally:
        state.placed = outer


def _of_row(state: State, node: tree.Call, shape: Closure) -> Val | None:
    """What a small function without effects says of the row that a loop is at: `isLive(post)`, `roleOf(user) === "admin"`."""
    items = [item for frame in state.frames for item in frame.items]
    if not all(isinstance(arg, tree.Name | tree.Member | tree.Index | tree.Literal) for arg in node.args):
        return None
    if not items or not node.args or not says(shape, state.path) or any(fn is shape.fn for fn in state.calling):
        return None
    if not tests(shape.fn) and (len(shape.fn.body) != 1 or state.frames[-1].kind is not LoopKind.EACH):
        return None  # it makes something else of the row
    with state.recording():
        given = arguments(state, node)
        if not any(field_of(o, tuple(items)) is not None for arg in given for o in arg.origins):
            return None
        found = said(state, node, shape, given)
    if not found.conditions and not found.origins:
        return None
    args = arguments(state, node)
    with state.recording():
        return said(state, node, shape, args)


def _handle_asked_for(state: State, node: tree.Call, shape: Closure) -> Val | None:
    """What a call of a one-line predicate says of a database handle; None where it asks for anything else."""
    body = shape.fn.body
    if shape.fn.is_async or len(body) != 1 or not isinstance(body[0], tree.Return):
        return None
    if tree.find(body, tree.Call) or not _names_handle(body):
        return None
    value = state.invoke(Closure(shape.fn, None, shape.path), arguments(state, node), node.at, node.end, inline=True)
    return value if value.conditions and all(of_database(c) for c in value.conditions) else None


def _names_handle(body: list[tree.Stmt]) -> bool:
    members, literals = tree.find(body, tree.Member), tree.find(body, tree.Literal)
    return any(member.name == "db" for member in members) or any(literal.value == "db" for literal in literals)
