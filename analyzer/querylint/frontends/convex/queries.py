"""Query chains: from `db.query(...)` to the terminal that runs them (convex-facts 1.1)."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.convex.ranges import captured, filter_predicates, range_predicates
from querylint.frontends.flow.conditions import stated
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NO_STEPS, Closure, Many, Query, Record, Val, derived, last_of, lowered
from querylint.ir import ITEM, NOT_LITERAL, Access, Bound, Op, Order, Origin, Plan, Predicate, Relation, Root, Side, Terminal, Value, Way
from querylint.syntax import tree

BUILDERS = frozenset(["withIndex", "withSearchIndex", "filter", "order", "fullTableScan", "filterWith"])
TERMINALS = frozenset(["collect", "take", "first", "unique", "paginate", "next", "count"])


def start(
    table: str | None,
    at: int,
    end: int,
    *,
    table_from: Origin | None = None,
    base: Origin | None = None,
    flavor: str = "",
    deps: frozenset[int] = NO_STEPS,
) -> Val:
    """A query over a whole table, not yet run."""
    way = Way.OPAQUE if base is not None else Way.SCAN
    return Val(deps=deps, shape=Query(table, (Plan(way),), at, end, table_from, base, flavor, deps))


def chained(m: State, context: ModuleContext, node: tree.Call, func: tree.Member, query: Query, deps: frozenset[int]) -> Val | None:
    """One more link of a chain; None where the method is not the query's."""
    if func.name in BUILDERS:
        built = _built(m, node, func.name, query)
        return Val(deps=deps | built.deps, shape=built)
    if func.name in TERMINALS:
        return _run(m, context, node, func.name, query)
    return None


def _built(m: State, node: tree.Call, name: str, query: Query) -> Query:
    args = [m.evaluate(a) for a in node.args]
    deps = query.deps | derived(*args).deps
    for arg in args:
        deps |= captured(m, arg)
    end = max(query.end, node.end)
    if name == "order":
        down = bool(args) and args[0].literal == "desc"
        plans = tuple(replace(p, order=Order((), down)) for p in query.plans)
        return replace(query, plans=plans, end=end, deps=deps)
    if name in ("filter", "filterWith"):
        if name == "filter":
            found = filter_predicates(m, args[0], node.at, node.end) if args else ()
        else:
            found = memory_predicates(m, args[0], query.table, node.at, node.end) if args else ()
        for p in found:
            if p.value is not None:
                deps |= p.value.deps
        plans = tuple(replace(p, predicates=(*p.predicates, *found)) for p in query.plans)
        return replace(query, plans=plans, end=end, deps=deps)
    if name in ("withIndex", "withSearchIndex"):
        index, named = _index_name(node, args)
        bounds = range_predicates(m, args[1]) if len(args) > 1 else ()
        way = Way.INDEX if name == "withIndex" else Way.SEARCH
        for p in bounds or ():
            if p.value is not None:
                deps |= p.value.deps
        kept = query.plans[0].predicates if query.plans else ()
        ranged = len(args) > 1
        plan = Plan(
            way, index, (*(bounds or ()), *kept), query.plans[0].order if query.plans else None, named, ranged, m.span(node.at, node.end)
        )
        if bounds is None and ranged:
            plan = replace(plan, named=False)
        return replace(query, plans=(plan,), end=end, deps=deps)
    return replace(query, end=end, deps=deps)


def _index_name(node: tree.Call, args: list[Val]) -> tuple[str | None, bool]:
    if args and isinstance(args[0].literal, str):
        return args[0].literal, True
    return None, False


def memory_predicates(m: State, callback: Val, table: str | None, at: int, end: int) -> tuple[Predicate, ...]:
    """A JavaScript predicate that a library applies to every row that the database has read."""
    callback = last_of(callback)
    if not isinstance(callback.shape, Closure):
        return (Predicate(None, Relation.OTHER, Side.FILTER, span=m.span(at, end)),)
    origin = Origin(Root.STEP, m.fresh(), (ITEM,))
    result = m.invoke(callback.shape, (Val((origin,), doc_of=table),), callback.shape.fn.at, callback.shape.fn.end, inline=True)
    found = tuple(replace(p, side=Side.FILTER) for p in stated(m, result.conditions, (origin,)))
    return found or (Predicate(None, Relation.OTHER, Side.FILTER, span=m.span(at, end)),)


def _run(m: State, context: ModuleContext, node: tree.Call, name: str, query: Query) -> Val:
    args = [m.evaluate(a) for a in node.args]
    deps = derived(*args).deps
    if name == "collect":
        return rows(m, query, node.at, node.end, name, Bound.ALL)
    if name == "take":
        limit = m.value(args[0], node.args[0]) if args else None
        return rows(m, query, node.at, node.end, name, Bound.LIMIT, limit=limit, deps=deps)
    if name in ("first", "unique", "next"):
        return row(m, query, node.at, node.end, name)
    if name == "count":
        return total(m, query, node.at, node.end)
    return page(m, query, node.at, node.end, deps)


def read(
    m: State,
    query: Query,
    at: int,
    end: int,
    verb: str,
    bound: Bound,
    terminal: Terminal,
    *,
    limit: Value | None = None,
    deps: frozenset[int] = NO_STEPS,
    key: Value | None = None,
) -> int:
    """Write the read down and give its number."""
    number = m.fresh()
    before = m.runs.setdefault(id(query), (query, number, at))
    rerun_of = before[1] if before[2] != at and not _reusable(query) else None
    m.emit(
        Access(
            number, Op.READ, verb, query.table, query.plans, bound, terminal, m.span(at, end), m.span(query.at, max(query.end, query.at)),
            query.deps | deps, m.why(), limit, query.table_from, query.base, key, None, m.broken(query.at, end), rerun_of,
        )
    )  # fmt: skip
    return number


def _reusable(query: Query) -> bool:
    """Whether a query may run more than once: `db.query(table)` alone starts anew each time, and packages have their own objects."""
    return bool(query.flavor) or query.base is not None or query.plans == (Plan(Way.SCAN),)


def rows(
    m: State, query: Query, at: int, end: int, verb: str, bound: Bound, *, limit: Value | None = None, deps: frozenset[int] = NO_STEPS
) -> Val:
    """The read hands out a list."""
    number = read(m, query, at, end, verb, bound, Terminal.ROWS, limit=limit, deps=deps)
    me = frozenset({number})
    origin = Origin(Root.STEP, number)
    item = Val((origin.at(ITEM),), me, doc_of=query.table)
    return Val((origin,), me, me, shape=Many(item))


def row(m: State, query: Query, at: int, end: int, verb: str, *, key: Value | None = None) -> Val:
    """The read hands out one document or none."""
    number = read(m, query, at, end, verb, Bound.ONE, Terminal.ROW, key=key)
    me = frozenset({number})
    return Val((Origin(Root.STEP, number),), me, me, doc_of=query.table)


def total(m: State, query: Query, at: int, end: int) -> Val:
    """The read hands out a number."""
    me = frozenset({read(m, query, at, end, "count", Bound.ALL, Terminal.COUNT)})
    return Val(deps=me, pending=me)


def page(m: State, query: Query, at: int, end: int, deps: frozenset[int]) -> Val:
    """The read hands out a page and the cursor of the next."""
    # Pages of a library are ranges that it reads with `take`: a function may ask for several (convex-facts 1.5, 3.2).
    verb = "getPage" if query.flavor == "stream" else "paginate"
    number = read(m, query, at, end, verb, Bound.PAGE, Terminal.PAGE, deps=deps)
    me = frozenset({number})
    origin = Origin(Root.STEP, number, ("page",))
    item = Val((origin.at(ITEM),), me, doc_of=query.table)
    inside = Val((origin,), me, shape=Many(item))
    other = Val(deps=me)
    fields = {"page": inside, "isDone": other, "continueCursor": other}
    return Val((Origin(Root.STEP, number),), me, me, shape=Record(fields))


def write(
    m: State,
    verb: str,
    table: str | None,
    node: tree.Call,
    *,
    key: Val | None,
    deps: frozenset[int],
    table_from: Origin | None = None,
    given: Val | None = None,
) -> Val:
    """The database changes one document; `given` are the fields that it sets, as an object."""
    number = m.fresh()
    span = m.span(node.at, node.end)
    plans = (Plan(Way.KEY),) if key is not None else ()
    fields = field_names(given) if given is not None else None
    m.emit(
        Access(
            number, Op.WRITE, verb, table, plans, Bound.ONE, Terminal.NOTHING, span, span, deps, m.why(), None, table_from, None,
            lowered(key) if key is not None else None, fields, m.broken(node.at, node.end),
            constants=constants_of(given), sources=sources_of(given), worked_out=worked_out_of(given), longer=longer_of(given),
        )
    )  # fmt: skip
    me = frozenset({number})
    return Val(deps=me, pending=me, id_of=table if verb == "insert" else None)


def constants_of(value: Val | None) -> tuple[tuple[str, object], ...]:
    """The fields that a write sets to a constant."""
    return tuple((name, inner.literal) for name, inner in _set(value) if inner.literal is not NOT_LITERAL)


def sources_of(value: Val | None) -> tuple[tuple[str, tuple[Origin, ...]], ...]:
    """The fields that a write sets to values taken from somewhere as they are."""
    return tuple((name, inner.origins) for name, inner in _set(value) if inner.origins)


def worked_out_of(value: Val | None) -> tuple[tuple[str, frozenset[int]], ...]:
    """The fields that a write sets to something made of what other steps gave, and these steps."""
    given = ((name, inner) for name, inner in _set(value) if inner.literal is NOT_LITERAL and not inner.origins)
    return tuple((name, inner.deps) for name, inner in given if inner.deps)


def longer_of(value: Val | None) -> tuple[tuple[str, tuple[Origin, ...]], ...]:
    """The fields that a write sets to lists that hold all members of other lists, and more."""
    found = []
    for name, inner in _set(value):
        if isinstance(inner.shape, Many) and inner.shape.mixed and not inner.done and inner.rows:
            found.append((name, inner.rows))
    return tuple(found)


def _set(value: Val | None) -> tuple[tuple[str, Val], ...]:
    return tuple(value.shape.fields.items()) if value is not None and isinstance(value.shape, Record) else ()


def field_names(value: Val) -> tuple[str, ...] | None:
    """The fields that a write sets, where its argument shows them all."""
    if isinstance(value.shape, Record) and not value.shape.rest:
        return tuple(value.shape.fields)
    return None
