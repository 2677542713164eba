"""Conditions: what a truth value tests, and what its negation tests."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.cases import note_logic
from querylint.frontends.flow.state import DATABASE, State
from querylint.frontends.flow.values import (
    NOTHING,
    Condition,
    Many,
    Marker,
    Query,
    Val,
    derived,
    is_there,
    literal,
    lowered,
)
from querylint.frontends.flow.vocabulary import Consumption
from querylint.ir import NOT_LITERAL, Origin, Predicate, Relation, Root, Side, Work
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, last_name
from querylint.syntax.tree import UNDEFINED

RELATIONS = {
    "===": Relation.EQ, "==": Relation.EQ, "!==": Relation.NE, "!=": Relation.NE,
    "<": Relation.LT, "<=": Relation.LTE, ">": Relation.GT, ">=": Relation.GTE,
}  # fmt: skip


FLIPPED = {Relation.LT: Relation.GT, Relation.LTE: Relation.GTE, Relation.GT: Relation.LT, Relation.GTE: Relation.LTE}


FALSY: tuple[object, ...] = (False, None, UNDEFINED, 0, "")
BARE = Val()
"""What a `return` without a value gives back."""


OPPOSITE = {
    Relation.EQ: Relation.NE, Relation.NE: Relation.EQ, Relation.LT: Relation.GTE, Relation.GTE: Relation.LT,
    Relation.GT: Relation.LTE, Relation.LTE: Relation.GT,
}  # fmt: skip


def tested(m: State, node: tree.Expr) -> Val:
    """An expression in a place where only its truth matters; its conditions say what it tests."""
    if isinstance(node, tree.Op) and node.sign == "!" and len(node.operands) == 1:
        inner = tested(m, node.operands[0])
        known = not inner.literal if isinstance(inner.literal, bool) else NOT_LITERAL
        return replace(derived(inner), literal=known, conditions=negated(inner.conditions))
    if isinstance(node, tree.Logic) and node.sign in ("&&", "||"):
        return _logic_test(m, node)
    sized = m.language.sized(node)
    if sized is not None:
        return derived(m.language.measured(m, node, Work.EMPTY, sized))
    value = m.evaluate(node)
    if isinstance(value.shape, Query):
        value = m.vocabulary.consumed(m, value, Consumption.TESTED, node) or value
    elif m.language.function_scoped and isinstance(value.shape, Many) and not value.shape.keyed and _read(value):
        m.use(Work.EMPTY, value, node.at, node.end)  # a list is true where it has members
    if value.conditions:
        return value
    if isinstance(value.shape, Marker) and value.shape.kind == "db":
        return replace(value, conditions=has_database(value, there=True))
    if value.origins:
        found = tuple(Condition(o, Relation.EQ, literal(True), at=node.at, end=node.end) for o in value.origins)
        return replace(value, conditions=found)
    return value


def _read(value: Val) -> bool:
    """Whether a list is what a step at hand has read, and no relation of a row, which is asked for its truth as a rule."""
    return bool(value.origins) and all(o.root is Root.STEP and not o.path for o in value.origins)


def has_database(value: Val, *, there: bool) -> tuple[Condition, ...]:
    """The condition that a context has a database handle, or has none; `value` is the handle, or the context."""
    return tuple(Condition(o.at(DATABASE), Relation.EQ, literal(there)) for o in value.origins)


def of_database(condition: Condition) -> bool:
    """Whether a condition says that there is a database handle, or none."""
    return condition.origin is not None and condition.origin.path[-1:] == (DATABASE,)


def negated(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """The conditions that hold when not all of these do."""
    if not conditions:
        return ()
    groups: dict[tuple[int, int], list[Condition]] = {}
    for c in conditions:
        groups.setdefault((c.at, c.end), []).append(c)
    arms = [tuple(n for c in group for n in _negate(c)) for group in groups.values()]
    if len(arms) == 1:
        return arms[0]
    first, last = conditions[0], conditions[-1]
    return (Condition(None, Relation.ANY, None, arms=tuple(arms), at=first.at, end=last.end),)


def absent(conditions: tuple[Condition, ...]) -> bool:
    """Whether conditions hold where something is not there: null, undefined, false, zero or empty."""
    if not conditions:
        return False
    return all(
        all(absent(arm) for arm in c.arms)
        if c.arms
        else c.relation is Relation.EQ and c.other is not None and c.other.literal in (False, None, UNDEFINED, 0, "")
        for c in conditions
    )


def vacant(node: tree.Expr) -> bool:
    """Whether a test asks if a list is empty, or is not there at all: `!xs || xs.length === 0`."""
    if isinstance(node, tree.Logic) and node.sign == "||":
        sides = (node.left, node.right)
        return any(map(vacant, sides)) and all(vacant(side) or _denied(side) for side in sides)
    if _denied(node) and isinstance(node, tree.Op):
        return _length(node.operands[0])
    if not isinstance(node, tree.Op) or node.sign not in ("===", "==") or len(node.operands) != 2:
        return False
    return _length(node.operands[0]) and isinstance(node.operands[1], tree.Literal) and node.operands[1].value == 0


def _denied(node: tree.Expr) -> bool:
    return isinstance(node, tree.Op) and node.sign == "!" and isinstance(node.operands[0], tree.Name | tree.Member)


def _length(node: tree.Expr) -> bool:
    return isinstance(node, tree.Member) and node.name == "length"


def singled_out(conditions: tuple[Condition, ...]) -> bool:
    """Whether something must equal a text or a number that is written down."""
    return any(
        c.relation is Relation.EQ and c.other is not None and isinstance(c.other.literal, str | float) and c.other.literal != ""
        for c in conditions
    )


def names_constant(node: tree.Expr) -> bool:
    """Whether a test asks for one text or number that is written down, or for one of a few, of something of which nothing else is known."""
    if isinstance(node, tree.Logic) and node.sign == "&&":
        return names_constant(node.left) or names_constant(node.right)
    if isinstance(node, tree.Logic) and node.sign == "||":
        return names_constant(node.left) and names_constant(node.right)
    if not isinstance(node, tree.Op) or node.sign not in ("==", "===") or len(node.operands) != 2:
        return False
    written = [isinstance(o, tree.Literal) and isinstance(o.value, str | float) and o.value != "" for o in node.operands]
    return any(written) and not all(written)


def _negate(c: Condition) -> tuple[Condition, ...]:
    if c.arms:
        return tuple(n for arm in c.arms for n in negated(arm))
    if c.relation is Relation.EQ and c.other is not None and c.other.literal is True:
        return (replace(c, other=literal(False)),)
    if c.relation is Relation.EQ and c.other is not None and c.other.literal is False:
        return (replace(c, other=literal(True)),)
    return (replace(c, relation=OPPOSITE.get(c.relation, Relation.OTHER)),)


def _logic_test(m: State, node: tree.Logic) -> Val:
    left = tested(m, node.left)
    note_logic(m, node)
    right_holder: list[Val] = [NOTHING]

    def arm() -> None:
        right_holder[0] = tested(m, node.right)

    special = m.language.function_scoped and node.sign == "&&" and (singled_out(left.conditions) or names_constant(node.left))
    m.choose([arm, lambda: None], left.deps, node.at, node.end, special=special)
    right = right_holder[0]
    both = derived(left, right)
    left, right = told(m, left, node.left), told(m, right, node.right)
    if node.sign == "&&":
        return replace(both, conditions=(*left.conditions, *right.conditions))
    if not left.conditions and not right.conditions:
        return both
    arms = tuple(arm for side in (left, right) for arm in (side.conditions,))
    return replace(both, conditions=(Condition(None, Relation.ANY, None, arms=arms, at=node.at, end=node.end),))


def told(m: State, value: Val, node: tree.Expr) -> Val:
    """A truth value with what it tests: where it asks something of the row at hand that no field says, it asks something all the same."""
    found = truth(value, node)
    frame = next((f for f in reversed(m.frames) if f.items), None)
    if frame is None or frame.id not in value.deps or any(_within(c, frame.items) for c in found):
        return value if found == value.conditions else replace(value, conditions=found)
    first = found[0] if found else node
    return replace(value, conditions=(*found, Condition(frame.items[0], Relation.OTHER, None, at=first.at, end=first.end)))


def outcome(m: State, value: Val, found: list[tuple[Val, tuple[Condition, ...]]]) -> Val:
    """What a function tests whose value comes back on several paths: one of those holds that give no `false`, and none of those before it.

    Each of `found` is what comes back on one path, and the conditions around it.
    """
    if (len(found) == 1 and not found[0][1]) or not any(isinstance(r.literal, bool) or r.conditions for r, _ in found):
        return value
    refused: list[Condition] = []
    common: list[Condition] = []
    arms: list[tuple[Condition, ...]] = []
    for result, path in found:
        if result is BARE or result.literal in FALSY:
            refused.extend(negated(path))
            continue
        if not arms:
            common, refused = refused, []
        tests = () if result.literal is True else told(m, result, tree.Opaque([], 0, 0)).conditions
        arms.append((*refused, *path, *tests))
    if not arms:
        return value
    if len(arms) > 1:
        places = [c for arm in arms for c in arm]
        at, end = (min(c.at for c in places), max(c.end for c in places)) if places else (0, 0)
        arms = [(Condition(None, Relation.ANY, None, arms=tuple(arms), at=at, end=end),)] if places else [()]
    gathered = _once([*common, *arms[0]])
    return replace(value, conditions=gathered) if gathered else value


def _once(conditions: list[Condition]) -> tuple[Condition, ...]:
    """Conditions without those that are said again. What they compare with may be an object of known fields, which has no hash."""
    kept: list[Condition] = []
    for condition in conditions:
        if condition not in kept:
            kept.append(condition)
    return tuple(kept)


def _within(c: Condition, items: tuple[Origin, ...]) -> bool:
    """Whether a condition says anything of a row or of a field of it."""
    return field_of(c.origin, items) is not None or any(_within(inner, items) for arm in c.arms for inner in arm)


def defaulted(value: Val, relation: Relation, other: Val) -> bool:
    """Whether a default stands for a missing value, and may meet a condition in its place."""
    default = value.default
    if default is NOT_LITERAL or default is None:
        return False
    return relation is not Relation.EQ or default is UNDEFINED or other.literal is NOT_LITERAL or other.literal == default


def compared(m: State, node: tree.Op, left: Val, relation: Relation, right: Val) -> tuple[Condition, ...]:
    """What a comparison says of either side. One with null may hold for what is missing, as a default would."""
    loose = m.language.loose_equality and node.sign in ("==", "!=")
    found: list[Condition] = []
    for value, here, other in ((left, relation, right), (right, FLIPPED.get(relation, relation), left)):
        if isinstance(value.shape, Marker) and value.shape.kind == "db" and other.literal in (None, UNDEFINED):
            return has_database(value, there=here is Relation.NE)
        gap = (loose and other.literal is None) or defaulted(value, here, other)
        found += [Condition(o, here, other, at=node.at, end=node.end, defaulted=gap) for o in value.origins]
    return tuple(found)


def null_test(relation: Relation, left: Val, right: Val) -> object:
    """What a comparison of something that is there with null comes to; NOT_LITERAL where it is another one."""
    for value, other in ((left, right), (right, left)):
        if is_there(value) and other.literal in (None, UNDEFINED) and relation in (Relation.EQ, Relation.NE):
            return relation is Relation.NE
    return NOT_LITERAL


def truth(value: Val, node: tree.Expr) -> tuple[Condition, ...]:
    """What a value tests when only its truth matters."""
    if value.conditions:
        return value.conditions
    return tuple(Condition(o, Relation.EQ, literal(True), at=node.at, end=node.end) for o in value.origins)


def stated(m: State, conditions: tuple[Condition, ...], items: tuple[Origin, ...], *, conditional: bool = False) -> tuple[Predicate, ...]:
    """What a condition says of the fields of a row."""
    found: list[Predicate] = []
    for c in conditions:
        if c.arms:
            arms = [stated(m, arm, items) or _of_whole(arm, items) for arm in c.arms]
            real = [arm for arm in arms if arm]
            dropped = len(real) < len(arms)
            if len(real) == 1 and dropped:
                found.extend(_conditional(p) for p in real[0])
            elif real:
                found.append(Predicate(None, Relation.ANY, Side.MEMORY, None, dropped or conditional, tuple(real), m.span(c.at, c.end)))
            continue
        name = field_of(c.origin, items)
        if not name:
            continue
        other = c.other
        row_side = other is not None and any(field_of(o, items) is not None for o in other.origins)
        twins = {field_of(d.origin, items) for d in conditions if (d.at, d.end) == (c.at, c.end) and not d.arms and d.end}
        relation = Relation.OTHER if row_side or len(twins - {None}) > 1 else c.relation
        value = lowered(other) if other is not None else None
        span = m.span(c.at, c.end)
        found.append(Predicate(name, relation, Side.MEMORY, value, conditional or c.conditional, (), span, c.defaulted, c.dated))
    return tuple(dict.fromkeys(found))


def _of_whole(arm: tuple[Condition, ...], items: tuple[Origin, ...]) -> tuple[Predicate, ...]:
    """What an alternative says of a row, where that is clear of no field."""
    whole = any(c.relation is Relation.OTHER and field_of(c.origin, items) == "" for c in arm)
    return (Predicate(None, Relation.OTHER, Side.MEMORY),) if whole else ()


def field_of(origin: Origin | None, items: tuple[Origin, ...]) -> str | None:
    """The field of an item that an origin is, empty for the item itself; None where it is of none of them."""
    if origin is None:
        return None
    for item in items:
        if origin.root is item.root and origin.ref == item.ref and origin.path[: len(item.path)] == item.path:
            return ".".join(origin.path[len(item.path) :])
    return None


def _conditional(p: Predicate) -> Predicate:
    return replace(p, conditional=True)


QUERIES = frozenset("QuerySet RawQuerySet BaseQuerySet Manager BaseManager Query Select Executable".split())


def narrowed(m: State, test: tree.Expr, *, holds: bool) -> None:
    """`isinstance(rows, QuerySet)`: where it does not hold, the variable holds no query, whatever callers hand over."""
    if isinstance(test, tree.Op) and test.sign == "!" and len(test.operands) == 1:
        narrowed(m, test.operands[0], holds=not holds)
        return
    if holds or not isinstance(test, tree.Call) or callee_name(test) != "isinstance" or len(test.args) != 2:
        return
    kinds = test.args[1].items if isinstance(test.args[1], tree.Array) else [test.args[1]]
    var = m.scope.find(test.args[0].id) if isinstance(test.args[0], tree.Name) else None
    if var is not None and isinstance(m.store.get(var, NOTHING).shape, Query) and any(last_name(kind) in QUERIES for kind in kinds):
        m.store[var] = derived(m.store[var])
