"""What a schema shows of rows: members that no code names, asked of each of them."""

from __future__ import annotations

from collections.abc import Callable

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Many, Val
from querylint.ir import LoopKind
from querylint.syntax import tree


def each(state: State, rows: Val, node: tree.Expr, over: tree.Expr, ask: Callable[[Val], None]) -> None:
    """Ask a row, or in a loop that stands at `node` each row of a collection, which the source calls `over`."""
    if not isinstance(rows.shape, Many):
        ask(rows)
        return
    with state.loop(LoopKind.EACH, node.at, node.end, over=rows, over_text=state.text(over)) as frame:
        ask(rows.item().with_deps(frozenset({frame.id})))


def member(state: State, base: Val, way: str, node: tree.Expr) -> Val | None:
    """What `base.a.b` holds where `way` is "a.b", as if it were written at `node`; None where nothing is known of it."""
    found: Val | None = base
    for name in way.split("."):
        asked = tree.Member(tree.Opaque([], node.at, node.at), name, node.at, node.end, node.at)
        found = state.vocabulary.member(state, found, asked) if found is not None else None
    return found
