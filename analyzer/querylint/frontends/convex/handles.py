"""Predicates over contexts: helpers that say whether a function has a database handle (`hasDb(ctx)`), as actions have none."""

from __future__ import annotations

from querylint.frontends.flow.calls import arguments
from querylint.frontends.flow.conditions import of_database
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Closure, Val
from querylint.syntax import tree


def handle_asked_for(state: State, node: tree.Call, shape: Closure) -> Val | None:
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
