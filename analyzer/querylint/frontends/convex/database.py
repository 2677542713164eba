"""The database handle: queries begin here, documents are fetched and written here (convex-facts 1.1, 1.2)."""

from __future__ import annotations

from querylint.frontends.convex import queries
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NOTHING,
    Many,
    Marker,
    Query,
    Record,
    Val,
    derived,
)
from querylint.ir import Bound, Origin, Plan, Root, Terminal, Way
from querylint.syntax import tree

WRITES = frozenset(("insert", "patch", "replace", "delete"))


def on_database(state: State, node: tree.Call, func: tree.Member, shape: Marker) -> Val | None:
    """A method of `ctx.db`; None for one that it does not have."""
    name = func.name
    if name == "query" and node.args:
        value = state.evaluate(node.args[0])
        table = value.literal if isinstance(value.literal, str) else None
        origin = value.origins[0] if value.origins else None
        flavor = shape.data[0] if shape.data else ""
        return queries.start(table, node.at, node.end, table_from=origin, flavor=flavor, deps=value.deps)
    if name == "get" and node.args:
        return _get(state, node)
    if name in WRITES:
        return _write(state, node, name)
    if name == "normalizeId" and len(node.args) == 2:
        values = [state.evaluate(a) for a in node.args]
        named = values[0].literal
        return Val(values[1].origins, derived(*values).deps, id_of=named if isinstance(named, str) else None)
    return None


def _get(state: State, node: tree.Call) -> Val:
    values = [state.evaluate(a) for a in node.args]
    key = values[-1]
    table = table_from = None
    if len(values) == 2:
        table = values[0].literal if isinstance(values[0].literal, str) else None
        table_from = values[0].origins[0] if values[0].origins else None
    if table is None:
        table = key.id_of
    query = Query(table, (Plan(Way.KEY),), node.at, node.end, table_from, None, "", derived(*values).deps)
    return queries.row(state, query, node.at, node.end, "get", key=state.value(key, node.args[-1]))


def _write(state: State, node: tree.Call, name: str) -> Val:
    values = [state.evaluate(a) for a in node.args]
    deps = derived(*values).deps
    if name == "insert":
        table = values[0].literal if values and isinstance(values[0].literal, str) else None
        origin = values[0].origins[0] if values and values[0].origins else None
        given = values[1] if len(values) > 1 else None
        return queries.write(state, name, table, node, key=None, deps=deps, table_from=origin, given=given)
    wanted = 1 if name == "delete" else 2
    key = values[-wanted] if len(values) >= wanted else NOTHING
    named = values[0].literal if len(values) > wanted else None
    table = named if isinstance(named, str) else key.id_of
    return queries.write(state, name, table, node, key=key, deps=deps, given=values[-1] if wanted == 2 and values else None)


def vector_search(state: State, node: tree.Call) -> Val:
    """`ctx.vectorSearch(table, index, ...)`: ids and scores (convex-facts 1.3)."""
    values = [state.evaluate(a) for a in node.args]
    table, index = (v.literal if isinstance(v.literal, str) else None for v in values[:2])
    plan = Plan(Way.VECTOR, index, (), None, index is not None, True, state.span(node.at, node.end))
    query = Query(table, (plan,), node.at, node.end, deps=derived(*values).deps)
    number = queries.read(state, query, node.at, node.end, "vectorSearch", Bound.LIMIT, Terminal.ROWS)
    me = frozenset({number})
    origin = Origin(Root.STEP, number)
    item = Val(shape=Record({"_id": Val((origin.at("[]", "_id"),), me, id_of=table), "_score": Val(deps=me)}), deps=me)
    return Val((origin,), me, me, shape=Many(item))
