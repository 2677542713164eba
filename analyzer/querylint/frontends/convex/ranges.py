"""The callbacks of `withIndex`, `withSearchIndex` and `filter`, read as predicates (convex-facts 1.1, 2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.frontends.flow import cases
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NO_STEPS, NOTHING, Closure, Val, derived, last_of, lowered
from querylint.ir import Predicate, Relation, Side, Value
from querylint.syntax import tree

RANGE = {"eq": Relation.EQ, "gt": Relation.GT, "gte": Relation.GTE, "lt": Relation.LT, "lte": Relation.LTE, "search": Relation.SEARCH}
COMPARE = {"eq": Relation.EQ, "neq": Relation.NE, "gt": Relation.GT, "gte": Relation.GTE, "lt": Relation.LT, "lte": Relation.LTE}
FILTERS = frozenset((*COMPARE, "and", "or", "not"))
FLIP = {Relation.LT: Relation.GT, Relation.LTE: Relation.GTE, Relation.GT: Relation.LT, Relation.GTE: Relation.LTE}


def range_predicates(m: State, callback: Val) -> tuple[Predicate, ...] | None:
    """The bounds that an index range callback sets; None when it cannot be read."""
    callback = last_of(callback)
    if not isinstance(callback.shape, Closure):
        return None
    fn = callback.shape.fn
    found: list[Predicate] = []
    for call, conditional in calls_of(fn.body, frozenset(RANGE)):
        assert isinstance(call.func, tree.Member)
        if len(call.args) < 2:
            continue
        name = call.args[0]
        value = _value(m, callback.shape, call.args[1])
        field = name.value if isinstance(name, tree.Literal) and isinstance(name.value, str) else _constant_name(m, callback.shape, name)
        side = Side.INDEX
        found.append(Predicate(field, RANGE[call.func.name], side, value, conditional, (), m.span(call.at, call.end)))
    return tuple(found)


def captured(m: State, callback: Val) -> frozenset[int]:
    """The steps behind the variables that a callback names: what it does depends on them, even where it cannot be read."""
    callback = last_of(callback)
    if not isinstance(callback.shape, Closure) or callback.shape.scope is None:
        return callback.deps
    found: set[int] = set()
    for node in tree.find(callback.shape.fn.body, tree.Name):
        var = callback.shape.scope.find(node.id)
        found |= m.store[var].deps if var is not None and var in m.store else NO_STEPS
    return frozenset(found)


def _constant_name(m: State, closure: Closure, node: tree.Expr) -> str | None:
    value = _inside(m, closure, node)
    return value.literal if isinstance(value.literal, str) else None


def _inside(m: State, closure: Closure, node: tree.Expr) -> Val:
    """An expression of the callback, in the variables around it (and those that it declares itself stay unknown)."""
    outer = m.scope
    if closure.scope is not None:
        m.scope = closure.scope
    value = m.evaluate(node)
    m.scope = outer
    return value


def calls_of(body: list[tree.Stmt], names: frozenset[str]) -> Iterator[tuple[tree.Call, bool]]:
    """Method calls of these names in a callback, inner first, and whether they depend on a choice in it."""
    for statement in body:
        yield from _calls(statement, names, False)


def _calls(node: object, names: frozenset[str], conditional: bool) -> Iterator[tuple[tree.Call, bool]]:
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Member):
        yield from _calls(node.func.base, names, conditional)
        if node.func.name in names:
            yield node, conditional
        else:
            for arg in node.args:
                yield from _calls(arg, names, conditional)
    elif isinstance(node, tree.Ternary):
        yield from _calls(node.then, names, True)
        yield from _calls(node.other, names, True)
    elif isinstance(node, tree.Logic):
        yield from _calls(node.left, names, conditional)
        yield from _calls(node.right, names, True)
    elif isinstance(node, tree.If):
        for s in (*node.then, *node.other):
            yield from _calls(s, names, True)
    elif isinstance(node, tree.Return | tree.Do | tree.Let | tree.Assign | tree.Typed):
        if node.value is not None:
            yield from _calls(node.value, names, conditional)
    elif isinstance(node, tree.Block):
        for s in node.body:
            yield from _calls(s, names, conditional)


# Filters.


def filter_predicates(m: State, callback: Val, at: int, end: int) -> tuple[Predicate, ...]:
    """What a database-side filter demands; one opaque predicate where it cannot be read."""
    opaque = (Predicate(None, Relation.OTHER, Side.FILTER, span=m.span(at, end)),)
    callback = last_of(callback)
    if not isinstance(callback.shape, Closure):
        return opaque
    closure = callback.shape
    fn = closure.fn
    results: list[tuple[Predicate, ...]] = []
    several = len([s for s in fn.body if not isinstance(s, tree.Let)]) > 1
    for statement in fn.body:
        if isinstance(statement, tree.Return) and statement.value is not None:
            results.append(_read(m, closure, statement.value, several))
        elif isinstance(statement, tree.If):
            _note(m, closure, statement)
            returned = [s.value for s in (*statement.then, *statement.other) if isinstance(s, tree.Return) and s.value is not None]
            results.extend(_read(m, closure, value, True) for value in returned)
        elif isinstance(statement, tree.Let) and statement.value is not None:
            results.append(_read(m, closure, statement.value, False) if _compares(statement.value) else ())
    predicates = tuple(p for found in results for p in found)
    return predicates or opaque


def _compares(node: tree.Expr) -> bool:
    return isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name in FILTERS


def _read(m: State, closure: Closure, node: tree.Expr, conditional: bool) -> tuple[Predicate, ...]:
    span = m.span(node.at, node.end)
    other = (Predicate(None, Relation.OTHER, Side.FILTER, None, conditional, (), span),)
    if isinstance(node, tree.Typed):
        return _read(m, closure, node.value, conditional)
    if isinstance(node, tree.Ternary):
        _note(m, closure, node)
        return (*_read(m, closure, node.then, True), *_read(m, closure, node.other, True))
    if isinstance(node, tree.Literal):
        return ()
    if not isinstance(node, tree.Call) or not isinstance(node.func, tree.Member):
        return () if isinstance(node, tree.Name) and not conditional else other if not isinstance(node, tree.Name) else ()
    name = node.func.name
    if name == "and":
        return tuple(p for arg in node.args for p in _conjunct(m, closure, arg, conditional))
    if name == "or":
        return _disjunction(m, closure, node, conditional)
    if name == "not":
        inner = [p for arg in node.args for p in _read(m, closure, arg, conditional)]
        if len(inner) == 1 and inner[0].relation is Relation.EQ:
            p = inner[0]
            return (Predicate(p.field, Relation.NE, Side.FILTER, p.value, conditional, (), span),)
        if len(inner) == 1 and inner[0].spelled:
            return tuple(inner)
        return other
    relation = COMPARE.get(name)
    if relation is None or len(node.args) != 2:
        return other
    left, right = _field(node.args[0]), _field(node.args[1])
    if left is not None and right is not None:
        return (Predicate(left, Relation.OTHER, Side.FILTER, None, conditional, (), span),)
    if left is not None:
        return (Predicate(left, relation, Side.FILTER, _value(m, closure, node.args[1]), conditional, (), span),)
    if right is not None:
        return (Predicate(right, FLIP.get(relation, relation), Side.FILTER, _value(m, closure, node.args[0]), conditional, (), span),)
    first, second = node.args
    if isinstance(first, tree.Literal) and isinstance(first.value, str) and not _asks_builder(closure, second):
        return (Predicate(None, Relation.OTHER, Side.FILTER, None, conditional, (), span, spelled=first.value),)
    return other


def _asks_builder(closure: Closure, node: tree.Expr) -> bool:
    """Whether an expression may hold a field of the row, since it goes back to what the callback is given, or to a variable in it."""
    mine = {pattern.id for pattern in tree.walk([p.pattern for p in closure.fn.params]) if isinstance(pattern, tree.NamePattern)}
    mine |= {
        pattern.id
        for s in closure.fn.body
        if isinstance(s, tree.Let)
        for pattern in tree.walk(s.pattern)
        if isinstance(pattern, tree.NamePattern)
    }
    return any(isinstance(part, tree.Name) and part.id in mine for part in tree.walk(node))


def _note(m: State, closure: Closure, node: tree.If | tree.Ternary) -> None:
    """What is asked only where arguments of the function around say so."""
    if closure.scope is not None:
        outer, m.scope = m.scope, closure.scope
        cases.note_if(m, node)
        m.scope = outer


def _conjunct(m: State, closure: Closure, node: tree.Expr, conditional: bool) -> tuple[Predicate, ...]:
    if isinstance(node, tree.Spread):
        return (Predicate(None, Relation.OTHER, Side.FILTER, None, True, (), m.span(node.at, node.end)),)
    return _read(m, closure, node, conditional)


def _disjunction(m: State, closure: Closure, node: tree.Call, conditional: bool) -> tuple[Predicate, ...]:
    span = m.span(node.at, node.end)
    if len(node.args) == 1 and isinstance(node.args[0], tree.Spread):
        inner = list(calls_of([tree.Do(node.args[0].value, node.at, node.end)], frozenset({"map"})))
        if inner and inner[0][0].args and isinstance(inner[0][0].args[0], tree.Fn):
            fn = inner[0][0].args[0]
            returned = [s.value for s in fn.body if isinstance(s, tree.Return) and s.value is not None]
            if len(returned) == 1:
                each = _read(m, closure, returned[0], conditional)
                over = m.evaluate(inner[0][0].func.base) if isinstance(inner[0][0].func, tree.Member) else NOTHING
                if len(each) == 1 and each[0].relation is Relation.EQ:
                    return (Predicate(each[0].field, Relation.IN, Side.FILTER, lowered(over), conditional, (), span),)
    arms = tuple(_read(m, closure, arg, False) for arg in node.args if not isinstance(arg, tree.Spread))
    if len(arms) == 1 and len(node.args) == 1:
        return arms[0]
    return (Predicate(None, Relation.ANY, Side.FILTER, None, conditional, arms, span),)


def _field(node: tree.Expr) -> str | None:
    while isinstance(node, tree.Typed):
        node = node.value
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name == "field" and node.args:
        name = node.args[0]
        while isinstance(name, tree.Typed):
            name = name.value
        return name.value if isinstance(name, tree.Literal) and isinstance(name.value, str) else None
    return None


def _value(m: State, closure: Closure, node: tree.Expr) -> Value:
    value = _inside(m, closure, node)
    part = not m.selecting.isdisjoint(value.works)  # `key.slice(3)` is another value than `key`, and `ids[0]` than `ids[1]`
    return lowered(derived(value) if part else value, m.text(node))
