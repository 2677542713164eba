"""Statements and legacy queries: built lazily, run by a session or by the query itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.amounts import amount
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NO_STEPS, Condition, Many, Marker, Query, Record, Val, derived, lowered, many
from querylint.frontends.python.language.arguments import PERHAPS
from querylint.frontends.python.stacks.sqlalchemy import loaders, subqueries, words
from querylint.frontends.python.stacks.sqlalchemy.expressions import (
    DERIVED,
    ENTITY,
    LABEL,
    PREFIX,
    TOTAL,
    conditions,
    deps_of,
    model_of,
    predicates,
    selected,
    table_of,
)
from querylint.ir import ITEM, NOT_LITERAL, Access, Bound, Op, Order, Origin, Plan, Predicate, Relation, Root, Terminal, Value, Way
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy.models import Models

FLAVOR = "sqlalchemy"
RESULT = "sqlalchemy result"
LATER = "sqlalchemy result of an asynchronous session"
RESULTS = (RESULT, LATER)
FLAVORS = (FLAVOR, *RESULTS)
AWAITED = "!awaited"
TUPLES = "tuples"
FIRST = "first"
ROW = "row:"


def start(
    state: State, models: Models, elements: tuple[str, ...], at: int, end: int, *, yields: str, table: str | None = None,
    deps: frozenset[int] = NO_STEPS,
) -> Val:  # fmt: skip
    """A query over what is selected; not run yet."""
    if table is None:
        entity = next((e[1:] for e in elements if e.startswith(ENTITY)), None)
        table = (entity or None) if entity is not None else next((e.partition(".")[0] for e in elements if not e.startswith(LABEL)), None)
    plan = loaders.plan_of(models, models.by_table.get(table or ""), Plan(Way.PLANNER))
    query = Query(table, (plan,), at, end, flavor=FLAVOR, deps=deps, yields=yields, columns=elements)
    return Val(deps=deps, shape=_narrowed(query))


def _narrowed(query: Query) -> Query:
    """What is selected decides which columns are read; something without a name may be a class that nobody knows."""
    if any(e.startswith(ENTITY) or e == LABEL for e in query.columns) or all(e.startswith(LABEL) for e in query.columns):
        return query
    own = tuple(e.partition(".")[2] for e in query.columns if e.partition(".")[0] == query.table)
    return replace(query, plans=tuple(replace(p, columns=own, eager=(), deferred=()) for p in query.plans))


def selection(state: State, models: Models, node: tree.Call, *, legacy: bool) -> Val | None:
    """`select(A, B.c)`, `session.query(A)`; None where nothing in it is a mapped class, a column or an expression of SQL.

    `select(1)` asks whether there are rows, of what `select_from` names.
    """
    with state.recording() as block:
        values = []
        for arg in node.args:
            value = state.evaluate(arg)
            shape = value.shape
            if isinstance(arg, tree.Spread) or (isinstance(shape, Many) and shape.items is not None):
                values += list(shape.items) if isinstance(shape, Many) and shape.items is not None else [Val(shape=Marker("sql", ("",)))]
            else:
                values.append(value)
    elements = [selected(models, value) for value in values]
    constant = bool(values) and not legacy and all(v.literal is not NOT_LITERAL for v in values)
    if not constant and not any(e is not None for e in elements):
        return None
    for step in block:
        state.emit(step)
    named = tuple(e if e is not None else LABEL for e in elements)
    asked = sorted(values, key=_derived)
    table = next((t for v in asked if (t := table_of(v) or (m.table if (m := model_of(models, v)) is not None else None))), None)
    yields = "" if legacy and len(named) == 1 and named[0].startswith(ENTITY) else TUPLES
    made = start(state, models, named, node.at, node.end, yields=yields, table=table, deps=derived(*values).deps)
    shape = made.shape
    if not isinstance(shape, Query):
        return made
    alone = table is None and len(values) == 1  # `select(posts.exists())` asks what `posts` asks
    return replace(made, shape=subqueries.asking(shape, values[0]) if alone else subqueries.led_by(models, shape, values))


def _derived(value: Val) -> bool:
    return isinstance(value.shape, Marker) and DERIVED in value.shape.data


# Building.


def built(state: State, models: Models, node: tree.Call, name: str, base: Val, query: Query) -> Val:
    """One more link of a chain."""
    made = replace(query, end=max(query.end, node.end), refined=query.refined or name != "options")
    if name in ("filter", "where", "having"):
        deps = NO_STEPS
        found: list[Predicate] = []
        for arg in node.args:
            demands = conditions(state, arg)
            deps |= deps_of(demands)
            found += predicates(state, models, query.table, demands, arg) if name != "having" else [subqueries.SOME]
        made = replace(made, deps=made.deps | deps, plans=tuple(replace(p, predicates=(*p.predicates, *found)) for p in made.plans))
        return Val(deps=base.deps | made.deps, shape=made)
    args = [state.evaluate(a) for a in node.args]
    keywords = [(k, state.evaluate(v), v) for k, v in node.keywords]
    deps = derived(base, *args, *(v for _, v, _ in keywords)).deps | query.deps
    made = replace(made, deps=deps)
    if name == "filter_by":
        made = _filter_by(state, models, made, keywords)
    elif name == "options":
        made = loaders.apply(state, models, made, node, args)
    elif name == "order_by":
        made = _ordered(made, args)
    elif name in words.WINDOWS:
        cut = name != "offset"
        size = args[-1] if args and cut else query.limit
        made = replace(made, cut=made.cut or (cut and bool(args) and args[-1].literal is not None), limit=size)
    elif name in words.COLUMNS_OF:
        made = _with_columns(models, made, name, args)
    elif name == "select_from" and made.table is None and args:
        model = model_of(models, args[0])
        made = replace(made, table=model.table) if model is not None else subqueries.about(made, args[0])
    elif name in words.UNIONS or name in ("distinct", "group_by"):
        other = tuple(replace(p, predicates=(*p.predicates, *predicates(state, models, None, (_OTHER,), node))) for p in made.plans)
        made = replace(made, plans=other) if name in words.UNIONS else made
        made = replace(made, plans=tuple(replace(p, grouped=True) for p in made.plans)) if name == "group_by" else made
    elif name == "join" and any(subqueries.within(arg) is not None for arg in args[:1]) and not _outer(args, keywords):
        made = subqueries.some_of(made)
    elif name in words.LOCKING:
        made = replace(made, plans=tuple(replace(p, locked=True) for p in made.plans))
    elif name in words.JOINS and not args and keywords:
        return Val(deps=deps, shape=made)
    return Val(deps=deps, shape=made)


def _outer(args: list[Val], keywords: list[tuple[str, Val, tree.Expr]]) -> bool:
    """Whether a join keeps the rows that nothing is joined to: `join(other, onclause, isouter=True, full=False)`."""
    return any(value.literal is not False for value in (*args[2:], *(v for name, v, _ in keywords if name in ("isouter", "full"))))


_OTHER = Condition(None, Relation.OTHER, None)


def _filter_by(state: State, models: Models, query: Query, keywords: list[tuple[str, Val, tree.Expr]]) -> Query:
    model = models.by_table.get(query.table or "")
    found: list[Predicate] = []
    for key, value, expr, sure in (one for given in keywords for one in _spread(*given)):
        known = model is None or model.open or model.has(key) or key in model.links
        origin = Origin(Root.OUTER, f"{PREFIX}{query.table}", (key,)) if known and key != "**" else None
        made = predicates(state, models, query.table, (Condition(origin, Relation.EQ if origin else Relation.OTHER, value),), expr)
        found += made if sure else [replace(p, conditional=True) for p in made]
    return replace(query, plans=tuple(replace(p, predicates=(*p.predicates, *found)) for p in query.plans))


def _spread(key: str, value: Val, expr: tree.Expr) -> list[tuple[str, Val, tree.Expr, bool]]:
    """A keyword, or those that `**given` stands for where their names are known, and whether they are given for sure.

    A function's own keywords are what its caller wrote down; a dictionary may have some of its keys in some cases only.
    """
    shape = value.shape
    if key != "**" or not isinstance(shape, Record) or shape.rest or not shape.fields:
        return [(key, value, expr, True)]
    return [(name, part, expr, value.type != PERHAPS and _own(name, part)) for name, part in shape.fields.items()]


def _own(name: str, value: Val) -> bool:
    return bool(value.origins) and all(o.root is Root.PARAM and o.path == (name,) for o in value.origins)


def _ordered(query: Query, args: list[Val]) -> Query:
    fields: list[str] = []
    down = False
    for number, arg in enumerate(args):
        shape = arg.shape
        if not isinstance(shape, Marker) or shape.kind != "column" or shape.data[0] != query.table:
            return replace(query, plans=tuple(replace(p, order=Order()) for p in query.plans))
        fields.append(shape.data[1])
        down = "desc" in shape.data if number == 0 else down
    return replace(query, plans=tuple(replace(p, order=Order(tuple(fields), down)) for p in query.plans))


def _with_columns(models: Models, query: Query, name: str, args: list[Val]) -> Query:
    added = tuple(selected(models, a) or LABEL for a in args)
    columns = (*query.columns, *added) if name.startswith("add_") else added
    kept = [replace(p, columns=None) for p in query.plans]
    return _narrowed(replace(query, columns=columns, yields=TUPLES, plans=tuple(kept)))


# Running.


def read(
    state: State, query: Query, at: int, end: int, verb: str, bound: Bound, terminal: Terminal, *, deps: frozenset[int] = NO_STEPS,
    key: Value | None = None, kept: bool = False,
) -> int:  # fmt: skip
    """Write the read down and give its number."""
    number = state.fresh()
    chain = query.made or state.span(min(query.at, at) or at, max(query.end, end))
    limit = lowered(query.limit) if query.limit is not None and bound is Bound.LIMIT else None
    state.emit(
        Access(
            number, Op.READ, verb, query.table, query.plans, bound, terminal, state.span(at, end), chain, query.deps | deps, state.why(),
            limit, None, query.base, key, None, False, None, query.follows, query.refined, kept,
        )
    )  # fmt: skip
    return number


def done(state: State, value: Val, at: int, end: int, *, later: bool) -> Val:
    """The result of a read; an asynchronous one is there when it is awaited."""
    return value if later else state.wait(value, at, end)


def rows(state: State, value: Val, at: int, end: int, verb: str, *, later: bool = False, bound: Bound | None = None) -> Val:
    """All the rows of a query, as a list."""
    query = value.shape
    assert isinstance(query, Query)
    one = _total(query)
    taken = bound or (Bound.ONE if one else Bound.LIMIT if query.cut else Bound.ALL)
    number = read(state, query, at, end, verb, taken, Terminal.PAGE if bound is Bound.PAGE else Terminal.ROWS, deps=value.deps)
    me = frozenset({number})
    origin = Origin(Root.STEP, number)
    served = (query.follows, origin) if query.follows is not None and not query.refined else (origin,)
    element = item(query, tuple(o.at(ITEM) for o in served), me)
    plain = query.yields != TUPLES
    for name in query.columns:
        if not name.startswith((ENTITY, LABEL)) and name.partition(".")[0] == query.table:
            state.touch(Val((origin.at(ITEM),)), name.partition(".")[2])  # what is selected is used
    found = Val(served if plain else (origin,), me | value.deps, me, shape=Many(element, most=1 if one else amount(query.limit)))
    return done(state, found, at, end, later=later)


def _total(query: Query) -> bool:
    """Whether all that is asked for is worked out of all rows at once, which makes one row."""
    totals = bool(query.columns) and all(name.startswith(TOTAL) for name in query.columns)
    return totals and not any(plan.grouped for plan in query.plans)


def item(query: Query, origins: tuple[Origin, ...], deps: frozenset[int]) -> Val:
    """One row of a query as its code sees it: a row of the table, a tuple, the first of a tuple."""
    if not query.yields or not query.columns:
        return entity(query, query.table, origins, deps)
    parts = tuple(_element(query, name, origins, deps) for name in query.columns)
    if query.yields == FIRST:
        return parts[0]
    names = ",".join(name.removeprefix(ENTITY).removeprefix(LABEL).rpartition(".")[2] for name in query.columns)
    return replace(many(parts), type=f"{ROW}{names}")


def _element(query: Query, name: str, origins: tuple[Origin, ...], deps: frozenset[int]) -> Val:
    if name.startswith(ENTITY):
        table = name[1:] or None
        return entity(query, table, origins if table == query.table else (), deps)
    if name.startswith(LABEL):
        return Val(deps=deps)
    table, _, field = name.partition(".")
    return Val(tuple(o.at(field) for o in origins) if table == query.table else (), deps)


def entity(query: Query, table: str | None, origins: tuple[Origin, ...], deps: frozenset[int]) -> Val:
    """A row; what it lacks of its columns goes with it."""
    lacks = " ".join(sorted({d for p in query.plans for d in p.deferred})) if table == query.table else ""
    if query.flavor == LATER:
        lacks = f"{lacks} {AWAITED}".strip()
    return Val(origins, deps, doc_of=table, type=f"lacks {lacks}" if lacks else "")


def row(
    state: State, value: Val, at: int, end: int, verb: str, *, key: Value | None = None, later: bool = False, kept: bool = False
) -> Val:
    """One row of a query."""
    query = value.shape
    assert isinstance(query, Query)
    if (_total(query) or query.columns == (f"{LABEL}exists",)) and not key:
        return number_of(state, value, at, end, verb, later=later)
    number = read(state, query, at, end, verb, Bound.ONE, Terminal.ROW, deps=value.deps, key=key, kept=kept)
    me = frozenset({number})
    made = item(query, (Origin(Root.STEP, number),), me)
    return done(state, replace(made, deps=me | value.deps, pending=me), at, end, later=later)


def number_of(state: State, value: Val, at: int, end: int, verb: str, *, later: bool = False, exists: bool = False) -> Val:
    """A number or a truth value that the database works out."""
    query = value.shape
    assert isinstance(query, Query)
    terminal = Terminal.EXISTS if exists else Terminal.COUNT
    me = frozenset({read(state, query, at, end, verb, Bound.ALL, terminal, deps=value.deps)})
    return done(state, Val(deps=me | value.deps, pending=me), at, end, later=later)


def method(state: State, models: Models, node: tree.Call, name: str, base: Val, query: Query) -> Val | None:
    """A method of a query, a statement or a result."""
    at, end = node.at, node.end
    if query.flavor in RESULTS:
        if name in words.RESULT_SHAPES:
            for arg in node.args:
                state.evaluate(arg)
            return replace(base, shape=replace(query, end=end, yields=FIRST if name == "scalars" else query.yields))
        if name == "close":
            return derived(base)
    elif name in words.BUILDERS:
        return built(state, models, node, name, base, query)
    elif name in words.SUBQUERIES:
        args = [state.evaluate(a) for a in node.args]
        inner = derived(base, *args)
        label = str(args[0].literal) if name == "label" and args and isinstance(args[0].literal, str) else ""
        return Val(deps=inner.deps | query.deps, shape=Marker("subquery", (query.table or "", label, name), Val(shape=query)))
    elif name == "count":
        return number_of(state, replace(base, shape=replace(query, end=end)), at, end, name)
    elif name in ("delete", "update"):
        return _bulk(state, node, name, base, query)
    elif name == "select" and query.follows is not None:
        # A statement of a relation that is asked for by statements: `author.posts.select()`.
        return replace(base, shape=replace(query, end=end, yields=TUPLES, columns=(f"{ENTITY}{query.table or ''}",)))
    elif name in ("get", "get_or_404"):
        return by_key(state, models, node, name, query.table, plans=query.plans, begin=query.at)
    args = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
    given = replace(base, deps=derived(base, *args).deps, shape=replace(query, end=end))
    if name in words.ALL:
        return rows(state, given, at, end, name)
    if name in ("fetchmany",):
        return rows(state, given, at, end, name, bound=Bound.LIMIT)
    if name in words.PAGES:
        found = rows(state, given, at, end, name, bound=Bound.PAGE)
        return Val(found.origins, found.deps, shape=Marker("page", (), found))
    if name in ("scalar", "scalar_one", "scalar_one_or_none"):
        shape = given.shape
        assert isinstance(shape, Query)
        if query.columns[:1] == (f"{LABEL}exists",):
            return number_of(state, given, at, end, name, exists=True)
        return row(state, replace(given, shape=replace(shape, yields=FIRST)), at, end, name)
    if name in words.ONE:
        return row(state, given, at, end, name)
    return None


def _bulk(state: State, node: tree.Call, name: str, base: Val, query: Query) -> Val:
    """`query.delete()`, `query.update({...})`: one statement for many rows; a statement `table.update()` never gets here."""
    args = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
    return write(
        state, name, query.table, node.at, node.end, deps=derived(base, *args).deps | query.deps, bound=Bound.ALL, plans=query.plans
    )


def by_key(
    state: State, models: Models, node: tree.Call, verb: str, table: str | None, *, plans: tuple[Plan, ...] = (), begin: int | None = None,
    key_at: int = 0, later: bool = False,
) -> Val:  # fmt: skip
    """`session.get(Model, key)`: a row that the session holds already costs nothing."""
    args = [state.evaluate(a) for a in node.args[key_at:]]
    keywords = {k: state.evaluate(v) for k, v in node.keywords}
    key = args[0] if args else keywords.get("ident", Val())
    model = models.by_table.get(table or "")
    base = plans or (loaders.plan_of(models, model, Plan(Way.KEY)),)
    locked = words.LOCKING & keywords.keys() != frozenset()
    plans = tuple(replace(p, way=Way.KEY, locked=p.locked or locked) for p in base)
    query = Query(table, plans, begin if begin is not None else node.at, node.end, flavor=FLAVOR)
    if "options" in keywords:
        query = loaders.apply(state, models, query, node, [keywords["options"]])
    value = Val(deps=derived(*args, *keywords.values()).deps, shape=replace(query, flavor=LATER) if later else query)
    return row(state, value, node.at, node.end, verb, key=state.value(key, node.args[key_at] if args else None), later=later)


def write(
    state: State, verb: str, table: str | None, at: int, end: int, *, deps: frozenset[int] = NO_STEPS, bound: Bound = Bound.ONE,
    plans: tuple[Plan, ...] = (), fields: tuple[str, ...] | None = None, later: bool = False,
) -> Val:  # fmt: skip
    """Rows are written."""
    number = state.fresh()
    span = state.span(at, end)
    state.emit(Access(number, Op.WRITE, verb, table, plans, bound, Terminal.NOTHING, span, span, deps, state.why(), fields=fields))
    me = frozenset({number})
    return done(state, Val(deps=me | deps, pending=me), at, end, later=later)
