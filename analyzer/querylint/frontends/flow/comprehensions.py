"""Comprehensions: each clause a loop, each test a filter of the rows that it runs over."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.binding import bind, row
from querylint.frontends.flow.conditions import stated, tested
from querylint.frontends.flow.scope import Frame, Scope
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NO_STEPS, NOTHING, ClassRef, Condition, Many, Marker, Query, Val, derived
from querylint.ir import ITEM, LoopKind, Predicate, Relation, Side, Work
from querylint.syntax import tree


def comprehension(m: State, node: tree.Comprehension) -> Val:
    """A list, set, dict or generator; a generator is taken to be consumed where it stands."""
    return run(m, node)[0]


def run(m: State, node: tree.Comprehension, *, partial: bool = False) -> tuple[Val, Val]:
    """The collection that a comprehension makes, and its element with what it tests."""
    outer, m.scope = m.scope, Scope(m.scope)
    guards = m.guards
    try:
        element, key, source = _clause(m, node, 0, partial=partial)
    finally:
        m.scope, m.guards = outer, guards
    keyed = node.key is not None
    most = source.shape.most or None if len(node.clauses) == 1 and isinstance(source.shape, Many) else None
    shape = Many(replace(element, conditions=()), None, keyed, most=most, key=(row(key) or replace(key, conditions=())) if keyed else None)
    made = Val(deps=element.deps | source.deps, pending=element.pending, shape=shape)
    if len(node.clauses) == 1 and not keyed and element.origins and element.origins == source.item().origins:
        made = replace(made, origins=source.origins, works=source.works)
    return made, element


def _clause(m: State, node: tree.Comprehension, number: int, *, partial: bool) -> tuple[Val, Val, Val]:
    """The element, the key of a map, and what is run over."""
    pattern, over_node, tests, waiting = node.clauses[number]
    over = iterated(m, over_node, waiting=waiting, partial=partial)
    size = over.shape.most if isinstance(over.shape, Many) else None
    written = isinstance(over.shape, ClassRef) and not over.shape.instance  # the members of an enumeration
    with m.loop(
        LoopKind.EACH, node.at if number == 0 else over_node.at, over_node.end if number else node.end, over=over,
        over_text=m.text(over_node), constant=written or (size is not None and not over.origins), limit=size,
    ) as frame:  # fmt: skip
        bind(m, pattern, over.item().with_deps(frozenset({frame.id})))
        if m.language.function_scoped and not partial and not tests:
            go_through(m, over)
        kept: list[int] = []
        item, key = _behind_tests(m, node, number, over, frame, kept, partial=partial)
    for number_ in kept:
        over = over.worked(number_)
        item = item.worked(number_)
    if node.key is not None and over.rows:
        m.use(Work.GROUP, over, node.at, node.end)
    return item, key, over


def _behind_tests(
    m: State, node: tree.Comprehension, number: int, over: Val, frame: Frame, kept: list[int], *, partial: bool, first: int = 0
) -> tuple[Val, Val]:
    """The element and the key behind the tests of a clause from `first` on; `kept` gets the filters that the tests are.

    No local function that calls itself: such a one would keep all of the walk from going away.
    """
    tests = node.clauses[number][2]
    if first < len(tests):
        test = tests[first]
        value = tested(m, test)
        if frame.items:
            kept.extend(_filtered(m, value, over, test, frame.id))
        holder = [(NOTHING, NOTHING)]

        def arm() -> None:
            holder[0] = _behind_tests(m, node, number, over, frame, kept, partial=partial, first=first + 1)

        m.choose([arm, lambda: None], value.deps, test.at, test.end)
        return holder[0]
    if number + 1 < len(node.clauses):
        element, key, _ = _clause(m, node, number + 1, partial=partial)
        return element, key
    key = m.evaluate(node.key) if node.key is not None else NOTHING
    element = m.evaluate(node.element)
    return element.with_deps(key.deps), key


def _filtered(m: State, value: Val, over: Val, test: tree.Expr, loop: int) -> list[int]:
    """A test of a comprehension is a filter of the rows that it runs over, if it says anything of them, in however roundabout a way."""
    items = tuple(o.at("[]") for o in over.rows)
    conditions = value.conditions or tuple(Condition(o, Relation.EQ, None) for o in value.origins)
    predicates = stated(m, conditions, items)
    if not predicates:
        own = any(o.root is i.root and o.ref == i.ref and len(o.path) > len(i.path) for o in value.origins for i in items)
        if not own and loop not in value.deps:
            return []
        predicates = (Predicate(None, Relation.OTHER, Side.MEMORY),)
    number = m.use(Work.FILTER, over, test.at, test.end, predicates=predicates, deps=derived(value).deps or NO_STEPS)
    return [number] if number is not None else []


def go_through(m: State, over: Val) -> None:
    """All the rows of a collection are handed out, one by one."""
    for origin in over.rows:
        m.look(origin.at(ITEM))


def iterated(m: State, node: tree.Expr, *, waiting: bool = False, partial: bool = False) -> Val:
    """What an expression hands out one by one; a query is run."""
    over = m.evaluate(node)
    if waiting or isinstance(over.shape, Query | Marker):
        read = m.vocabulary.rows(m, over, node.at, node.end, partial=partial)
        if read is not None:
            return read
        if waiting or isinstance(over.shape, Query):
            return m.wait(over, node.at, node.end) if waiting else NOTHING
    if m.language.function_scoped and isinstance(over.shape, Many) and over.shape.key is not None:
        return Val(deps=over.deps, shape=Many(over.shape.key))  # a map hands out its keys
    return over


__all__ = ["comprehension", "go_through", "iterated", "run"]
