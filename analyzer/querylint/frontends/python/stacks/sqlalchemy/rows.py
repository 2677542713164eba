"""Rows of mapped classes: columns, columns left for later, relations that are followed lazily."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Many, Query, Record, Val
from querylint.frontends.python.stacks.sqlalchemy import loaders, queries, words
from querylint.frontends.python.vocabulary import PythonVocabulary
from querylint.ir import ITEM, Access, Bound, Link, LoopKind, Op, Origin, Plan, Predicate, Relation, Root, Side, Terminal, Value, Way
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy import SqlAlchemy
    from querylint.frontends.python.stacks.sqlalchemy.model import Model

MOST_HOPS = 9
LACKS = "lacks "
ASSIGNED = "assign"


def member(stack: SqlAlchemy, state: State, base: Val, node: tree.Member) -> Val | None:
    """A column or a relation of a row; None for methods, properties and whatever else the class defines."""
    model = stack.models.by_table.get(base.doc_of or "")
    if model is None:
        return None
    name = node.name
    if name == "awaitable_attrs":
        return replace(base, type=base.type.replace(queries.AWAITED, "").strip())
    here = tuple(o.at(name) for o in base.origins if len(o.path) < MOST_HOPS)
    if isinstance(base.shape, Record) and name in base.shape.fields:
        return base.shape.fields[name].with_deps(base.deps)
    if name in model.links:
        return followed(stack, state, base, model, model.links[name], here, node)
    if name in model.proxies:
        return _through(stack, state, base, model, name, node)
    if name in model.properties:
        assert isinstance(state.vocabulary, PythonVocabulary)
        return state.vocabulary.reached(state, node, model.properties[name], (base,))
    if not model.has(name):
        return None
    state.touch(base, name)
    if name in _lacking(base):
        _late(state, base, model, name, here, node)
    target = model.foreign.get(name)
    id_of = model.table if (name,) == model.keys else target[0] or None if target is not None else None
    return Val(here, base.deps, id_of=id_of)


def _lacking(base: Val) -> list[str]:
    return base.type.removeprefix(LACKS).split(" ") if base.type.startswith(LACKS) else []


def _late(state: State, base: Val, model: Model, name: str, here: tuple[Origin, ...], node: tree.Member) -> None:
    """A column that the query of the row left out: it is read when it is asked for."""
    if here and queries.AWAITED not in _lacking(base):
        number = state.fresh()
        _emit(state, number, name, model.table, (Plan(Way.KEY, columns=(name,)),), Bound.ONE, base, here[0], node)
        state.wait(Val(pending=frozenset({number})), node.at, node.end)


def _emit(
    state: State, number: int, verb: str, table: str | None, plans: tuple[Plan, ...], bound: Bound, base: Val, follows: Origin,
    node: tree.Expr,
) -> None:  # fmt: skip
    span = state.span(node.at, node.end)
    terminal = Terminal.ROW if bound is Bound.ONE else Terminal.ROWS
    state.emit(
        Access(number, Op.READ, verb, table, plans, bound, terminal, span, span, base.deps, state.why(), follows=follows, kept=True)
    )  # fmt: skip


def followed(stack: SqlAlchemy, state: State, base: Val, model: Model, link: Link, here: tuple[Origin, ...], node: tree.Member) -> Val:
    """A relation: read when it is first asked for, then kept with the row."""
    how = model.lazy.get(link.name, "select")
    target = stack.models.by_table.get(link.target or "")
    if how in words.QUERIED:
        plan = loaders.plan_of(stack.models, target, Plan(Way.PLANNER, predicates=_back(stack, model, link, base)))
        query = Query(
            link.target, (plan,), node.at, node.end, flavor=queries.FLAVOR, deps=base.deps, follows=here[0] if here else None, refined=True
        )
        return Val(deps=base.deps, shape=query)
    left = _lacking(base)
    lacks = " ".join(d.partition(".")[2] if d != queries.AWAITED else d for d in left if d.startswith((f"{link.name}.", queries.AWAITED)))
    kind = f"{LACKS}{lacks}" if lacks else ""
    silent = (
        not here
        or state.dead
        or _being_made(state, base)
        or how in words.SILENT
        or queries.AWAITED in left
        or (link.column is not None and stack.holds(state, link.target))
    )
    if silent:
        return _related(here, base, link, kind)
    number = state.fresh()
    plan = Plan(Way.KEY) if link.column is not None else Plan(Way.PLANNER, predicates=_back(stack, model, link, base))
    plan = loaders.plan_of(stack.models, target, plan)
    bound = Bound.ALL if link.many else Bound.ONE
    _emit(state, number, link.name, link.target, (plan,), bound, base, here[0], node)
    me = frozenset({number})
    if not link.many:
        return state.wait(Val(here, base.deps | me, me, doc_of=link.target, type=kind), node.at, node.end)
    origins = (*here, Origin(Root.STEP, number))
    item = Val(tuple(o.at(ITEM) for o in origins), me, doc_of=link.target, type=kind)
    return state.wait(Val(origins, base.deps | me, me, shape=Many(item)), node.at, node.end)


def _being_made(state: State, base: Val) -> bool:
    """Whether a row is only just being made, in its own `__init__`: nothing of it, or of what it holds, is stored yet."""
    fn = state.calling[-1] if state.calling else None
    return isinstance(fn, tree.Fn) and fn.name == "__init__" and any(o.root is Root.PARAM and o.ref == 0 for o in base.origins)


def _related(here: tuple[Origin, ...], base: Val, link: Link, kind: str) -> Val:
    if link.many:
        return Val(here, base.deps, shape=Many(Val(tuple(o.at(ITEM) for o in here), base.deps, doc_of=link.target, type=kind)))
    return Val(here, base.deps, doc_of=link.target, type=kind)


def _back(stack: SqlAlchemy, model: Model, link: Link, base: Val) -> tuple[Predicate, ...]:
    """The condition by which the other side is found."""
    column = model.remote.get(link.name)
    if column is None:
        return ()
    value = Value(tuple(((), o.at(model.key)) for o in base.origins), base.deps)
    return (Predicate(column, Relation.EQ, Side.FILTER, value),)


def _through(stack: SqlAlchemy, state: State, base: Val, model: Model, name: str, node: tree.Member) -> Val:
    """An association proxy: the attribute of each of the related rows."""
    relation, attribute = model.proxies[name]
    over = member(stack, state, base, replace_name(node, relation))
    if over is None:
        return Val(deps=base.deps)
    if not isinstance(over.shape, Many):
        return member(stack, state, over, replace_name(node, attribute)) or Val(deps=over.deps)
    with state.loop(LoopKind.EACH, node.at, node.end, over=over, over_text=state.text(node)) as frame:
        item = over.item().with_deps(frozenset({frame.id}))
        made = member(stack, state, item, replace_name(node, attribute)) or Val(deps=item.deps)
    return Val(deps=over.deps, shape=Many(made))


def assigned(state: State, base: Val, model: Model, target: tree.Member, value: Val) -> None:
    """Every row of a loop is given the same value: one statement could give it to all of them."""
    frame = state.frames[-1] if state.frames else None
    same = frame is not None and set(base.origins) <= set(frame.items) and frame.id not in value.deps
    if not same or state.control or not (model.has(target.name) or target.name in model.links):
        return
    link = model.links.get(target.name)
    field = link.column if link is not None else target.name
    if field is None and link is not None and link.many:
        return
    queries.write(
        state, ASSIGNED, model.table, target.at, target.end, deps=base.deps, plans=(Plan(Way.KEY),), fields=(field or target.name,)
    )


def replace_name(node: tree.Member, name: str) -> tree.Member:
    """The same place, asking for another name."""
    return replace(node, name=name)
