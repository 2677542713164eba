"""Querysets and managers: built lazily, run when something asks for their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.amounts import amount
from querylint.frontends.flow.scope import elsewhere
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NO_STEPS,
    ClassRef,
    Many,
    Marker,
    Query,
    Record,
    Val,
    derived,
    literal,
    lowered,
    many,
)
from querylint.frontends.python.stacks.django import words
from querylint.frontends.python.stacks.django.annotated import stood_in_for
from querylint.ir import ITEM, Access, Bound, Eager, Loading, Op, Order, Origin, Plan, Predicate, Relation, Root, Side, Terminal, Value, Way
from querylint.syntax import tree
from querylint.syntax.questions import callee_name
from querylint.text import Span

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django.models import Models

FLAVOR = "django"
UNKNOWN_PATH = "?"
WHATEVER = Eager((UNKNOWN_PATH,), Loading.BATCHED)


def start(
    table: str | None, at: int, end: int, *, cls: ClassRef | None = None, follows: Origin | None = None, deps: frozenset[int] = NO_STEPS,
    manager: bool = False,
) -> Val:  # fmt: skip
    """All rows of a table, or those that a relation leads to; not yet asked for."""
    query = Query(table, (Plan(Way.PLANNER),), at, end, flavor=FLAVOR, deps=deps, follows=follows, cls=cls, manager=manager)
    return Val(deps=deps, shape=query)


# Building.


def built(m: State, models: Models, node: tree.Call, name: str, base: Val, query: Query) -> Val:
    """One more link of a chain."""
    args = [m.evaluate(a) for a in node.args]
    keywords = [(k, m.evaluate(v), v) for k, v in node.keywords]
    deps = query.deps | base.deps | derived(*args, *(v for _, v, _ in keywords)).deps
    plan = query.plans[0]
    at, end = query.at if query.end else node.at, max(query.end, node.end)  # a query that is handed over begins where it goes on
    refined = query.refined or name not in words.KEEPING
    made = replace(query, at=at, end=end, deps=deps, refined=refined, born=len(m.frames), held=False, manager=False, ran=None)
    if name in ("filter", "exclude", "complex_filter"):
        found = predicates(m, models, query.table, node, args, keywords, negated=name == "exclude")
        ends = nowhere(keywords) if name == "filter" else ()
        made = replace(made, plans=tuple(replace(p, predicates=(*p.predicates, *found), eager=(*p.eager, *ends)) for p in query.plans))
    elif name == "order_by":
        fields = tuple(str(a.literal) for a in args if isinstance(a.literal, str))
        order = Order(tuple(f.lstrip("-") for f in fields), bool(fields) and fields[0].startswith("-"))
        made = replace(made, plans=tuple(replace(p, order=order) for p in query.plans))
    elif name == "reverse":
        order = plan.order or Order()
        made = replace(made, plans=tuple(replace(p, order=Order(order.fields, not order.descending)) for p in query.plans))
    elif name in ("select_related", "prefetch_related"):
        made = _loading(m, made, name, node, args)
    elif name == words.JOINS:
        if not any(p.whole or any(e.loading is Loading.JOINED and e.span is not None for e in p.eager) for p in query.plans):
            made = _loading(m, made, "select_related", node, args)
    elif name in ("only", "defer"):
        names = tuple(str(a.literal).replace("__", ".") for a in args if isinstance(a.literal, str))
        if name == "only":
            made = replace(made, plans=tuple(replace(p, columns=names) for p in query.plans))
        else:
            made = replace(made, plans=tuple(replace(p, deferred=(*p.deferred, *names)) for p in query.plans))
    elif name in ("values", "values_list", "dates", "datetimes"):
        made = _columns(made, name, args, keywords)
    elif name == "annotate" and query.columns and any(_aggregates(e) for e in (*node.args, *(v for _, v in node.keywords))):
        made = replace(made, plans=tuple(replace(p, grouped=True) for p in query.plans))
    elif name == "annotate":
        spared = tuple(stood_in_for(models.by_table.get(query.table or ""), (k for k, _ in node.keywords)))
        made = replace(made, plans=tuple(replace(p, eager=(*p.eager, *spared)) for p in query.plans)) if spared else made
    elif name == "select_for_update":
        made = replace(made, plans=tuple(replace(p, locked=True) for p in query.plans))
    elif name == "using":
        elsewhere(m.frames, derived(*args).deps)
    elif name == words.OWN:
        made = replace(made, made=None, at=node.at, end=node.end, refined=query.refined)
    elif name == "none":
        made = replace(made, limit=literal(0), cut=True)
    elif name in ("union", "intersection", "difference"):
        made = replace(made, limit=None, cut=False) if name == "union" and empty(query) else made  # the rows of the others
        made = replace(made, plans=tuple(replace(p, predicates=(*p.predicates, _other(m, node))) for p in query.plans))
    return Val(deps=deps, shape=made)


def _aggregates(node: tree.Expr) -> bool:
    """Whether an expression takes many values together: `Count("id")`."""
    name = callee_name(node) if isinstance(node, tree.Call) else ""
    return name in words.AGGREGATES or name.endswith("Agg")


def nowhere(keywords: list[tuple[str, Val, tree.Expr]]) -> tuple[Eager, ...]:
    """Relations that lead nowhere from the rows that are asked for (`author__isnull=True`): nothing is to be loaded for them."""
    names = (key.removesuffix("__isnull") for key, value, _ in keywords if key.endswith("__isnull") and value.literal is True)
    return tuple(Eager(tuple(name.split("__")), Loading.JOINED) for name in names)


def unread(m: State, node: tree.Call, base: Val, query: Query) -> Val:
    """A method of a queryset that cannot be read: some rows of the same table, with whatever it loads ahead."""
    args = [m.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
    deps = query.deps | base.deps | derived(*(plain(a) for a in args)).deps
    plans = tuple(replace(p, predicates=(*p.predicates, _other(m, node)), eager=(*p.eager, WHATEVER)) for p in query.plans)
    return Val(deps=deps, shape=replace(query, plans=plans, end=max(query.end, node.end), deps=deps, refined=True, unsure=True))


def _other(m: State, node: tree.Expr) -> Predicate:
    return Predicate(None, Relation.OTHER, Side.FILTER, span=m.span(node.at, node.end), named=_naming(m, node))


def _naming(m: State, node: tree.Expr) -> Value | None:
    """What the keys of `**{f"{name}__in": values}` are made of, which are the names of fields."""
    keys = [key for key, _ in node.entries if key is not None and not isinstance(key, str)] if isinstance(node, tree.Record) else []
    made = [m.evaluate(key) for key in keys]
    return lowered(made[0] if len(made) == 1 else derived(*made)) if made else None


def predicates(
    m: State,
    models: Models,
    table: str | None,
    node: tree.Call,
    args: list[Val],
    keywords: list[tuple[str, Val, tree.Expr]],
    *,
    negated: bool,
) -> tuple[Predicate, ...]:
    """The conditions of `filter(...)`."""
    found: list[Predicate] = []
    for arg, expr in zip(args, node.args, strict=False):
        shape = arg.shape
        if (
            isinstance(shape, Marker)
            and shape.kind == "q"
            and shape.inner is not None
            and isinstance(shape.inner.shape, Record)
            and not negated
        ):
            found += [condition(m, models, table, key, value, expr) for key, value in shape.inner.shape.fields.items()]
        else:
            found.append(_other(m, expr))
    for key, value, expr in keywords:
        if key == "**":
            fields = value.shape.fields if isinstance(value.shape, Record) and not value.shape.rest else None
            found += [condition(m, models, table, k, v, expr) for k, v in fields.items()] if fields is not None else [_other(m, expr)]
        else:
            found.append(condition(m, models, table, key, value, expr))
    if negated:
        found = [replace(p, relation=Relation.NE if p.relation is Relation.EQ and len(found) == 1 else Relation.OTHER) for p in found]
    return tuple(found)


def condition(m: State, models: Models, table: str | None, key: str, value: Val, expr: tree.Expr) -> Predicate:
    """`created__gte=x` as a condition on a field; relations become a path with dots."""
    parts = key.split("__")
    relation = Relation.EQ
    compared(m, models, value)
    path: list[str] = []
    here = models.by_table.get(table) if table is not None else None
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if last and number and part in words.LOOKUPS and not (here is not None and any(f.name == part for f in here.fields)):
            relation = words.LOOKUPS[part]
            break
        if part in ("pk", "id") and path and here is not None:
            continue
        name = here.key if part == "pk" and here is not None else part
        if here is not None:
            link = here.links.get(name) or next((x for x in here.links.values() if x.lookup == name or x.column == name), None)
            if link is not None:
                name = link.name
                here = models.by_table.get(link.target) if link.target is not None else None
            elif not any(f.name == name for f in here.fields) and path:
                relation = Relation.OTHER  # a transform of the field before
                break
        path.append(name)
    if value.literal is None and relation is Relation.EQ:
        relation = Relation.OTHER
    return Predicate(".".join(path), relation, Side.FILTER, m.value(plain(value), expr), span=m.span(expr.at, expr.end))


def compared(m: State, models: Models, value: Val) -> None:
    """Of a row in a condition only the key is needed."""
    model = models.by_table.get(value.doc_of) if value.doc_of is not None else None
    if model is not None:
        m.touch(value, model.key)


def plain(value: Val) -> Val:
    """A value inside a condition: a query there is a subquery, which the database runs by itself."""
    return Val(value.origins, value.deps, literal=value.literal) if isinstance(value.shape, Query) else value


def _columns(query: Query, name: str, args: list[Val], keywords: list[tuple[str, Val, tree.Expr]]) -> Query:
    flat = any(k == "flat" and v.literal is True for k, v, _ in keywords)
    names = tuple(a.literal.replace("__", ".") for a in args if isinstance(a.literal, str))
    kind = "flat" if flat or name in ("dates", "datetimes") else "records" if name == "values" else "tuples"
    plans = tuple(replace(p, columns=names or p.columns) for p in query.plans)
    return replace(query, yields=kind, columns=names, plans=plans)


# What comes along.


def _loading(m: State, query: Query, name: str, node: tree.Call, args: list[Val]) -> Query:
    if len(args) == 1 and args[0].literal is None:
        kept = Loading.BATCHED if name == "select_related" else Loading.JOINED
        plans = (
            replace(p, eager=tuple(e for e in p.eager if e.loading is kept), whole=p.whole and name != "select_related")
            for p in query.plans
        )
        return replace(query, plans=tuple(plans))
    if not args and name == "select_related":
        return replace(query, plans=tuple(replace(p, whole=True) for p in query.plans))
    found = named(args, Loading.JOINED if name == "select_related" else Loading.BATCHED, m.span(node.at, node.end))
    plans = (replace(p, eager=(*p.eager, *found), whole=p.whole and name != "select_related") for p in query.plans)
    return replace(query, plans=tuple(plans))  # names replace a join of everything


def named(args: list[Val], loading: Loading, span: Span) -> list[Eager]:
    """The relations that arguments name, each by its path or by a `Prefetch`."""
    found: list[Eager] = []
    for arg in _spread(args):
        shape = arg.shape
        if isinstance(arg.literal, str):
            found += _paths(tuple(arg.literal.split("__")), loading, span)
        elif isinstance(shape, Marker) and shape.kind == "prefetch":
            found += _prefetch(shape, span)
        else:
            found.append(Eager((UNKNOWN_PATH,), loading, span=span))
    return found


def _spread(args: list[Val]) -> list[Val]:
    out: list[Val] = []
    for arg in args:
        shape = arg.shape
        out.extend(shape.items if isinstance(shape, Many) and shape.items is not None else (arg,))
    return out


def _paths(path: tuple[str, ...], loading: Loading, span: Span) -> list[Eager]:
    """A path loads every relation on its way."""
    return [Eager(path[: n + 1], loading, span=span) for n in range(len(path))]


def _prefetch(shape: Marker, span: Span) -> list[Eager]:
    lookup, to = shape.data
    path = tuple(lookup.split("__"))
    if not lookup:
        return [Eager((UNKNOWN_PATH,), Loading.BATCHED, span=span)]
    found = _paths(path[:-1], Loading.BATCHED, span)
    query = shape.inner.shape if shape.inner is not None and isinstance(shape.inner.shape, Query) else None
    narrowed = query is not None and any(p.predicates for p in query.plans)
    here = (*path[:-1], to) if to else path
    found.append(Eager(here, Loading.BATCHED, to or None, narrowed, span))
    if query is not None:
        for plan in query.plans[:1]:
            found += [replace(e, path=(*here, *e.path)) for e in plan.eager]
            if plan.whole:
                found.append(Eager((*here, UNKNOWN_PATH), Loading.JOINED))
    elif shape.inner is not None:
        found.append(Eager((*here, UNKNOWN_PATH), Loading.BATCHED))
    return found


# Running.


def read(
    m: State, query: Query, at: int, end: int, verb: str, bound: Bound, terminal: Terminal, *, limit: Value | None = None,
    deps: frozenset[int] = NO_STEPS, key: Value | None = None, refined: bool | None = None, kept: bool = False,
) -> int:  # fmt: skip
    """Write the read down and give its number."""
    number = m.fresh()
    own = m.span(at, end)
    begun = at if query.end and not query.at else query.at  # one that was handed over, and goes on here
    chain = query.made or m.span(begun, max(query.end, begun))
    plans = query.plans
    if query.unsure:  # whatever made it may have loaded what there is
        plans = tuple(replace(p, eager=(*p.eager, WHATEVER)) for p in plans)
    m.emit(
        Access(
            number, Op.READ, verb, query.table, plans, bound, terminal, own, chain, query.deps | deps, m.why(), limit,
            query.table_from, query.base, key, None, False, None, query.follows, query.refined if refined is None else refined, kept,
            held=query.held,
        )
    )  # fmt: skip
    return number


def done(m: State, value: Val, at: int, end: int, *, later: bool) -> Val:
    """The result of a read; an asynchronous one is there when it is awaited."""
    return value if later else m.wait(value, at, end)


def empty(query: Query) -> bool:
    """Whether a query is `none()`, which asks for nothing."""
    return query.limit is not None and query.limit.literal == 0


def rows(m: State, value: Val, at: int, end: int, verb: str, *, later: bool = False) -> Val:
    """The rows of a query; asked a second time, the query object hands out what it has."""
    query = value.shape
    assert isinstance(query, Query)
    known = m.results.get(id(query))
    if known is not None:
        return known[1].with_deps(value.deps)
    if query.ran is not None:  # by the function around
        return query.ran.with_deps(value.deps)
    if empty(query):
        return many(()).with_deps(value.deps)
    bound = Bound.LIMIT if query.cut else Bound.ALL
    limit = lowered(query.limit) if query.limit is not None else None
    asked = replace(query, held=True) if id(query) in m.hung and not query.held else query
    number = read(m, asked, at, end, verb, bound, Terminal.ROWS, limit=limit, deps=value.deps, kept=query.born < len(m.frames))
    me = frozenset({number})
    origin = Origin(Root.STEP, number)
    served = (query.follows, origin) if query.follows is not None and not query.refined else (origin,)
    item = _item(query, tuple(o.at(ITEM) for o in served), me)
    found = done(m, Val(served, me | value.deps, me, shape=Many(item, most=amount(query.limit))), at, end, later=later)
    m.results[id(query)] = (query, found.settled())
    return found


def _item(query: Query, origins: tuple[Origin, ...], deps: frozenset[int]) -> Val:
    if query.yields == "flat":
        return Val(tuple(o.at(query.columns[0]) if query.columns else o for o in origins), deps)
    if query.yields == "records":
        fields = {name.replace(".", "__"): Val(tuple(o.at(name) for o in origins), deps) for name in query.columns}
        return Val(origins, deps, shape=Record(fields, () if query.columns else (Val(origins, deps),)))
    if query.yields == "tuples":
        return many(tuple(Val(tuple(o.at(name) for o in origins), deps) for name in query.columns)) if query.columns else Val(origins, deps)
    return Val(origins, deps, doc_of=query.table)


def row(
    m: State, query: Query, at: int, end: int, verb: str, *, deps: frozenset[int] = NO_STEPS, key: Value | None = None,
    refined: bool = True, later: bool = False,
) -> Val:  # fmt: skip
    """One row of a query."""
    number = read(m, query, at, end, verb, Bound.ONE, Terminal.ROW, deps=deps, key=key, refined=refined)
    me = frozenset({number})
    item = _item(query, (Origin(Root.STEP, number),), me)
    return done(m, replace(item, deps=me | query.deps | deps, pending=me), at, end, later=later)


def number_of(m: State, query: Query, at: int, end: int, verb: str, deps: frozenset[int], *, later: bool) -> Val:
    """A number or a truth value that the database works out."""
    terminal = Terminal.EXISTS if verb in ("exists", "contains") else Terminal.COUNT
    asked = query.refined or verb == "aggregate"  # which asks the database, also where the rows are there
    me = frozenset({read(m, query, at, end, verb, Bound.ALL, terminal, deps=deps, refined=asked)})
    return done(m, Val(deps=me, pending=me), at, end, later=later)


def write(
    m: State, verb: str, table: str | None, at: int, end: int, *, key: Val | None = None, deps: frozenset[int] = NO_STEPS,
    fields: tuple[str, ...] | None = None, bound: Bound = Bound.ONE, plans: tuple[Plan, ...] = (), follows: Origin | None = None,
    later: bool = False,
) -> Val:  # fmt: skip
    """Rows are written."""
    number = m.fresh()
    span = m.span(at, end)
    used = plans or ((Plan(Way.KEY),) if key is not None else ())
    m.emit(
        Access(
            number, Op.WRITE, verb, table, used, bound, Terminal.NOTHING, span, span, deps, m.why(), None, None, None,
            lowered(key) if key is not None else None, fields, False, None, follows, False,
        )
    )  # fmt: skip
    me = frozenset({number})
    return done(m, Val((Origin(Root.STEP, number),), me, me), at, end, later=later)
