"""convex-ents: `ctx.table(...)` and its edges; a chain with no terminal runs when it is awaited (convex-facts 1.5)."""

from __future__ import annotations

from collections.abc import Sequence

from querylint.construction import replace
from querylint.frontends.convex import queries
from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.convex.ranges import captured, filter_predicates, range_predicates
from querylint.frontends.flow.calls import arguments
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Closure, Many, Query, Val, derived, lowered
from querylint.ir import Bound, Index, Link, LoopKind, Order, Origin, Plan, Predicate, Relation, Root, Side, Table, Terminal, Way
from querylint.syntax import tree

ONE = frozenset(["first", "firstX", "unique", "uniqueX"])
WITH_ARGUMENTS = frozenset(("order", "filter", "search", "insert", "insertMany", "take", "map", *ONE))


def table(state: State, node: tree.Call) -> Val | None:
    """`ctx.table("posts")`, `ctx.table("posts", "index", q => ...)`."""
    args = arguments(state, node)
    if not args or not isinstance(args[0].literal, str):
        return None
    plan = Plan(Way.SCAN)
    if len(args) > 1:
        index = args[1].literal if isinstance(args[1].literal, str) else None
        bounds = range_predicates(state, args[2]) if len(args) > 2 else ()
        plan = Plan(Way.INDEX, index, bounds or (), None, index is not None, len(args) > 2, state.span(node.at, node.end))
    return Val(shape=Query(args[0].literal, (plan,), node.at, node.end, flavor="ents", deps=_needs(state, args, plan.predicates)))


def _needs(state: State, args: Sequence[Val], found: Sequence[Predicate] = ()) -> frozenset[int]:
    """The steps that a link of a chain needs: those behind its arguments, behind what their callbacks name, and what these compare with."""
    deps = derived(*args).deps.union(*(captured(state, arg) for arg in args))
    return deps.union(*(p.value.deps for p in found if p.value is not None))


def chained(state: State, context: ModuleContext, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    """One more link of a chain of convex-ents."""
    query = base.shape
    assert isinstance(query, Query)
    name = func.name
    if name in ("get", "getX"):
        return _get(state, context, node, query)
    if name in ("getMany", "getManyX"):
        return _get_many(state, node, query)
    if name in ("patch", "replace", "delete") and query.one:
        document = finished(state, base, node.at, node.end)
        values = arguments(state, node)
        return queries.write(state, name, query.table, node, key=document, deps=document.deps | derived(*values).deps)
    if name == "paginate":
        return queries.page(state, replace(query, end=node.end), node.at, node.end, derived(*arguments(state, node)).deps)
    if name in ("docs", "doc"):
        return base
    if name in ("edge", "edgeX"):
        return edge(state, context, node, finished(state, base, node.at, node.end).settled())
    if name in WITH_ARGUMENTS:
        return _refined(state, node, name, base, query)
    return None


def _refined(state: State, node: tree.Call, name: str, base: Val, query: Query) -> Val:
    args = arguments(state, node)
    deps = query.deps | _needs(state, args)
    if name == "order":
        index = args[1].literal if len(args) > 1 and isinstance(args[1].literal, str) else None
        order = Order((), args[0].literal == "desc" if args else False)
        plans = tuple(
            replace(p, order=order, way=Way.INDEX if index else p.way, index=index or p.index, ranged=p.ranged and index is None)
            for p in query.plans
        )
        return Val(shape=replace(query, plans=plans, end=node.end, deps=deps))
    if name == "filter":
        found = filter_predicates(state, args[0], node.at, node.end) if args else ()
        plans = tuple(replace(p, predicates=(*p.predicates, *found)) for p in query.plans)
        return Val(shape=replace(query, plans=plans, end=node.end, deps=deps | _needs(state, (), found)))
    if name == "search":
        index = args[0].literal if args and isinstance(args[0].literal, str) else None
        bounds = range_predicates(state, args[1]) if len(args) > 1 else ()
        plan = Plan(Way.SEARCH, index, bounds or (), None, index is not None, True, state.span(node.at, node.end))
        return Val(shape=replace(query, plans=(plan,), end=node.end, deps=deps | _needs(state, (), plan.predicates)))
    if name in ("insert", "insertMany"):
        return queries.write(state, "insert", query.table, node, key=None, deps=deps, given=args[0] if args else None)
    if name in ONE:
        return Val(shape=replace(query, one=True, end=node.end, deps=deps))
    if name == "take":
        limit = lowered(args[0]) if args else None
        return queries.rows(state, replace(query, end=node.end), node.at, node.end, "take", Bound.LIMIT, limit=limit, deps=deps)
    return _map(state, node, base, args[0] if args else Val())


def _get(state: State, context: ModuleContext, node: tree.Call, query: Query) -> Val:
    args = arguments(state, node)
    deps = query.deps | derived(*args).deps
    if len(args) <= 1:
        plan = Plan(Way.KEY)
    else:
        index = args[0].literal if isinstance(args[0].literal, str) else None
        declared = context.table(query.table)
        known = declared.index(index) if declared is not None and index is not None else None
        names = known.fields if known is not None else (index,) if index else ()
        bounds = tuple(Predicate(f, Relation.EQ, Side.INDEX, lowered(a)) for f, a in zip(names, args[1:], strict=False))
        plan = Plan(Way.INDEX, index, bounds, None, index is not None, True, state.span(node.at, node.end))
    return Val(shape=replace(query, plans=(plan,), one=True, end=node.end, deps=deps), deps=deps)


def _get_many(state: State, node: tree.Call, query: Query) -> Val:
    args = arguments(state, node)
    ids = args[-1] if args else Val()
    with state.loop(LoopKind.GATHER, node.at, node.end, over=ids, over_text=state.text(node.args[-1]) if node.args else "") as frame:
        item = ids.item().with_deps(frozenset({frame.id}))
        one = Query(query.table, (Plan(Way.KEY),), node.at, node.end, deps=item.deps)
        document = state.wait(queries.row(state, one, node.at, node.end, "get", key=lowered(item)), node.at, node.end)
    me = frozenset({frame.id})
    return Val(deps=me | document.deps, pending=me, shape=Many(document))


def _map(state: State, node: tree.Call, base: Val, callback: Val) -> Val:
    promise = finished(state, base, node.at, node.end)  # which nobody has waited for yet: other reads may run beside it
    over = promise.settled()
    if not isinstance(callback.shape, Closure):
        return promise
    fn = callback.shape.fn
    text = state.text(node.func.base) if isinstance(node.func, tree.Member) else ""
    with state.loop(LoopKind.GATHER, node.at, node.end, over=over, over_text=text) as frame:
        result = state.invoke(callback.shape, (over.item().with_deps(frozenset({frame.id})),), fn.at, fn.end, inline=True)
    me = frozenset({frame.id})
    return Val(deps=over.deps | result.deps | me, pending=me | promise.pending, shape=Many(result.settled()))


def edge(state: State, context: ModuleContext, node: tree.Call, document: Val) -> Val | None:
    """`ent.edge("messages")`: the rows that refer to it, or the one row that it refers to; `ent.doc()` is the document itself."""
    if not node.args and isinstance(node.func, tree.Member) and node.func.name == "doc":
        return document if document.doc_of is not None else None
    if not node.args or not isinstance(node.args[0], tree.Literal) or not isinstance(node.args[0].value, str):
        return None
    name = node.args[0].value
    own = context.table(document.doc_of)
    link = own.link(name) if own is not None else None
    column = link.column if link is not None else f"{name}Id"
    reference = own.field(column) if own is not None and column is not None else None
    if reference is not None and reference.target is not None:
        state.touch(document, reference.name)
        one = Query(reference.target, (Plan(Way.KEY),), node.at, node.end, flavor="ents", deps=document.deps, one=True)
        return Val(shape=one, deps=document.deps)
    if document.doc_of is None:
        return None
    target = link.target if link is not None and link.target is not None else name
    other = context.table(target)
    index = _back_index(other, document.doc_of, link) if other is not None else None
    if index is None:
        return Val(
            shape=Query(target if other is not None else None, (Plan(Way.OPAQUE),), node.at, node.end, flavor="ents", deps=document.deps)
        )
    bounds = (Predicate(index.fields[0], Relation.EQ, Side.INDEX, lowered(document)),)
    plan = Plan(Way.INDEX, index.name, bounds, None, True, True, state.span(node.at, node.end))
    alone = link is not None and not link.many
    return Val(shape=Query(target, (plan,), node.at, node.end, flavor="ents", deps=document.deps, one=alone), deps=document.deps)


def _back_index(other: Table, table: str, link: Link | None) -> Index | None:
    """The index of the other table on the field that refers back: the one that the edge names, or that of the only edge back."""
    if link is not None and link.generic:
        return None  # from many to many: the rows between the two tables say which
    back = [one.column for one in other.links if one.target == table and one.column is not None]
    column = link.remote if link is not None and link.remote is not None else back[0] if len(back) == 1 else None
    for index in other.indexes:
        if index.implicit and len(index.fields) == 1:
            (name,) = index.fields
            if name == column if column is not None else name.lower().removesuffix("id") in table.lower():
                return index
    return None


def finished(state: State, value: Val, at: int, end: int) -> Val:
    """Run a chain that has no terminal: one document, or every row."""
    query = value.shape
    assert isinstance(query, Query)
    if query.one:
        number = queries.read(state, query, at, end, "get", Bound.ONE, Terminal.ROW)
        me = frozenset({number})
        return Val((Origin(Root.STEP, number),), me, me, doc_of=query.table)
    return queries.rows(state, query, at, end, "await", Bound.ALL)
