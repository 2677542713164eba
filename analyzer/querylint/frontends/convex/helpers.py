"""Well-known libraries whose functions read the database, such as convex-helpers and the auth library (convex-facts 1.5), or the clock."""

from __future__ import annotations

from collections.abc import Callable

from querylint.construction import replace
from querylint.frontends.convex import queries
from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.flow.calls import arguments
from querylint.frontends.flow.days import library_day
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NO_STEPS,
    NOTHING,
    Closure,
    External,
    Many,
    Marker,
    Query,
    Record,
    Val,
    derived,
    join_queries,
    last_of,
    lowered,
)
from querylint.ir import Bound, LoopKind, Mode, Plan, Predicate, Relation, Side, Target, TargetKind, Way
from querylint.syntax import tree

SAME = frozenset(["pick", "omit", "withoutSystemFields", "compact", "nullThrows", "dedupe", "pruneNull", "ensureFn"])


def call(state: State, context: ModuleContext, node: tree.Call, shape: External) -> Val | None:
    """What a library function does; None for one that is not known."""
    name = shape.name.rpartition(".")[2]
    if shape.source.startswith("convex-helpers"):
        known = HELPERS.get(name)
        if known is not None:
            return known(state, context, node)
        if name in SAME and node.args:
            return arguments(state, node)[0]
    if name in ("getAuthUserId", "getUserId") and shape.source.startswith("@convex-dev/auth"):
        args = arguments(state, node)
        result = state.call(Target(TargetKind.EXTERNAL, "", name), Mode.DIRECT, args, node, name)
        return replace(result, origins=(), id_of="users")
    if shape.source.partition("/")[0] == "date-fns":  # which only works out times
        given = arguments(state, node)
        day = library_day(state, node, name, given)
        return day if day is not None else derived(*given)
    return None


def _text(value: Val) -> str | None:
    return value.literal if isinstance(value.literal, str) else None


def _get_all(state: State, context: ModuleContext, node: tree.Call) -> Val:
    args = arguments(state, node)
    ids = args[-1] if len(args) > 1 else NOTHING
    table = _text(args[1]) if len(args) > 2 else None
    size = len(ids.shape.items) if isinstance(ids.shape, Many) and ids.shape.items is not None else None
    with state.loop(
        LoopKind.GATHER,
        node.at,
        node.end,
        over=ids,
        over_text=state.text(node.args[-1]),
        constant=size is not None and not ids.deps,
        limit=size,
    ) as frame:
        item = ids.item().with_deps(frozenset({frame.id}))
        query = Query(table or item.id_of, (Plan(Way.KEY),), node.at, node.end, deps=item.deps)
        document = state.wait(queries.row(state, query, node.at, node.end, "get", key=lowered(item)), node.at, node.end)
    me = frozenset({frame.id})
    return Val(deps=me | document.deps, pending=me, shape=Many(document))


def _get_or_throw(state: State, context: ModuleContext, node: tree.Call) -> Val:
    args = arguments(state, node)
    key = args[-1] if args else NOTHING
    table = _text(args[1]) if len(args) > 2 else None
    query = Query(table or key.id_of, (Plan(Way.KEY),), node.at, node.end, deps=derived(*args).deps)
    return queries.row(state, query, node.at, node.end, "get", key=lowered(key))


def _from_index(state: State, node: tree.Call, args: tuple[Val, ...]) -> Query:
    table, index = (_text(args[1]), _text(args[2])) if len(args) >= 3 else (None, None)
    field = _text(args[4]) if len(args) > 4 else None
    if field is None and index is not None:
        field = index.removeprefix("by_") if index.startswith("by_") else index
    value = lowered(args[3], state.text(node.args[3])) if len(args) > 3 else None
    bounds = (Predicate(field, Relation.EQ, Side.INDEX, value, span=state.span(node.at, node.end)),)
    plan = Plan(Way.INDEX, index, bounds, None, index is not None, True, state.span(node.at, node.end))
    return Query(table, (plan,), node.at, node.end, deps=derived(*args).deps)


def _one_from(state: State, context: ModuleContext, node: tree.Call) -> Val:
    args = arguments(state, node)
    return queries.row(state, _from_index(state, node, args), node.at, node.end, "unique")


def _many_from(state: State, context: ModuleContext, node: tree.Call) -> Val:
    args = arguments(state, node)
    return queries.rows(state, _from_index(state, node, args), node.at, node.end, "collect", Bound.ALL)


def _many_via(state: State, context: ModuleContext, node: tree.Call) -> Val:
    args = arguments(state, node)
    joined = (args[0], args[1], *args[3:]) if len(args) > 3 else args
    with state.loop(LoopKind.ONCE, node.at, node.end) as whole:
        links = state.wait(
            queries.rows(state, _from_index(state, node, joined), node.at, node.end, "collect", Bound.ALL), node.at, node.end
        )
        with state.loop(LoopKind.GATHER, node.at, node.end, over=links, over_text=state.text(node)) as frame:
            field = _text(args[2]) if len(args) > 2 else None
            table = context.table(_text(args[1])) if len(args) > 1 else None
            declared = table.field(field) if table is not None and field is not None else None
            query = Query(
                declared.target if declared else None, (Plan(Way.KEY),), node.at, node.end, deps=frozenset({frame.id}) | links.deps
            )
            document = state.wait(queries.row(state, query, node.at, node.end, "get"), node.at, node.end)
    me = frozenset({whole.id})
    return Val(deps=me | document.deps, pending=me, shape=Many(document))


def _async_map(state: State, context: ModuleContext, node: tree.Call) -> Val:
    if len(node.args) < 2:
        return NOTHING
    base = state.evaluate(node.args[0])
    base = state.wait(base, node.args[0].at, node.args[0].end)
    callback = last_of(state.evaluate(node.args[1]))
    if not isinstance(callback.shape, Closure):
        return derived(base)
    fn = callback.shape.fn
    size = len(base.shape.items) if isinstance(base.shape, Many) and base.shape.items is not None else None
    with state.loop(
        LoopKind.GATHER,
        node.at,
        node.end,
        over=base,
        over_text=state.text(node.args[0]),
        constant=size is not None and not base.deps,
        limit=size,
    ) as frame:
        item = base.item().with_deps(frozenset({frame.id}))
        result = state.invoke(callback.shape, (item, derived(item)), fn.at, fn.end, inline=True)
        if not fn.is_async:
            result = state.wait(result, fn.at, fn.end)
    me = frozenset({frame.id})
    return Val(deps=me | result.deps, pending=me, shape=Many(result.settled()))


def _filter(state: State, context: ModuleContext, node: tree.Call) -> Val | None:
    args = arguments(state, node)
    if not args or not isinstance(args[0].shape, Query):
        return None
    query = args[0].shape
    found = queries.memory_predicates(state, args[1], query.table, node.at, node.end) if len(args) > 1 else ()
    plans = tuple(replace(p, predicates=(*p.predicates, *found)) for p in query.plans)
    return Val(deps=args[0].deps, shape=replace(query, plans=plans, at=min(query.at, node.at), end=max(query.end, node.end)))


def _stream(state: State, context: ModuleContext, node: tree.Call) -> Val:
    args = arguments(state, node)
    return Val(args[0].origins, args[0].deps, shape=Marker("db", ("stream",))) if args else NOTHING


def _merged(state: State, context: ModuleContext, node: tree.Call) -> Val:
    args = arguments(state, node)
    shape = args[0].shape if args else None
    found = [i.shape for i in (shape.items or (shape.item,)) if isinstance(i.shape, Query)] if isinstance(shape, Many) else []
    if not found:
        return NOTHING
    merged = found[0]
    for other in found[1:]:
        merged = join_queries(merged, other)
    return Val(deps=derived(*args).deps, shape=replace(merged, at=node.at, end=node.end))


def _page(state: State, context: ModuleContext, node: tree.Call) -> Val:
    args = arguments(state, node)
    config = args[1].shape if len(args) > 1 else None
    table = _text(config.fields["table"]) if isinstance(config, Record) and "table" in config.fields else None
    index = _text(config.fields["index"]) if isinstance(config, Record) and "index" in config.fields else None
    plan = Plan(Way.INDEX if index else Way.SCAN, index, (), None, True, True, state.span(node.at, node.end))
    return queries.page(
        state, Query(table, (plan,), node.at, node.end, flavor="stream", deps=derived(*args).deps), node.at, node.end, NO_STEPS
    )


HELPERS: dict[str, Callable[[State, ModuleContext, tree.Call], Val | None]] = {
    "getAll": _get_all, "getAllOrThrow": _get_all, "getAllOrNull": _get_all, "getOrThrow": _get_or_throw, "getOneFrom": _one_from,
    "getOneFromOrThrow": _one_from, "getManyFrom": _many_from, "getManyVia": _many_via, "getManyViaOrThrow": _many_via,
    "asyncMap": _async_map, "filter": _filter, "stream": _stream, "paginator": _stream, "mergedStream": _merged, "getPage": _page,
}  # fmt: skip
