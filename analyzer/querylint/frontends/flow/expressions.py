# long: one kind of expression leads to the others; they are read as one list
"""Expressions: what each yields, and the steps that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from querylint.construction import replace
from querylint.frontends.flow import handlers, works
from querylint.frontends.flow.binding import TEXT, note_added
from querylint.frontends.flow.calls import apply, own, reach
from querylint.frontends.flow.cases import is_moved, meaning, note_if, note_logic
from querylint.frontends.flow.comprehensions import comprehension, go_through
from querylint.frontends.flow.conditions import FLIPPED, RELATIONS, absent, compared, narrowed, negated, null_test, tested, told, truth
from querylint.frontends.flow.merging import looked_up
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NO_STEPS,
    NOTHING,
    Closure,
    Condition,
    Many,
    OneOf,
    Query,
    Record,
    Val,
    derived,
    either_of,
    either_way,
    is_there,
    join,
    join_all,
    literal,
    many,
)
from querylint.frontends.flow.vocabulary import Consumption
from querylint.ir import NOT_LITERAL, Escape, Relation, Root, Value, Work
from querylint.syntax import tree

COMBINED = (Many, Record, Query)


def evaluate(m: State, node: tree.Expr) -> Val:
    """What an expression yields; its steps are written down."""
    if m.nested > 300 or m.full:
        return NOTHING
    m.nested += 1
    try:
        return EXPRESSIONS[type(node)](m, node)
    finally:
        m.nested -= 1


def _name(m: State, node: tree.Name) -> Val:
    var = m.scope.find(node.id)
    if var is not None:
        if m.trace is not None:
            m.trace.append(var)
        return m.store.get(var, NOTHING)
    return m.vocabulary.name(m, node.id) or NOTHING


def _literal(m: State, node: tree.Literal) -> Val:
    return m.language.composed(m, node, []) or literal(node.value)


def _template(m: State, node: tree.Template) -> Val:
    values = [evaluate(m, part) for part in node.parts]
    for value, part in zip(values, node.parts, strict=True):
        if value.interesting:
            m.vocabulary.consumed(m, value, Consumption.SHOWN, part)
    return m.language.composed(m, node, values) or derived(*values)


def _member(m: State, node: tree.Member) -> Val:
    base = evaluate(m, node.base)
    return member(m, base, node)


def member(m: State, base: Val, node: tree.Member) -> Val:
    """A field of a value."""
    special = m.vocabulary.member(m, base, node)
    if special is not None:
        return special
    known = m.language.member(m, base, node)
    if known is not None:
        return known
    shape = base.shape
    if isinstance(shape, Record):
        if node.name in shape.fields:
            return either_way(shape.fields[node.name]).with_deps(base.deps)
        if shape.rest:
            parts = []
            for part in shape.rest:
                if isinstance(part.shape, Record) and node.name in part.shape.fields:
                    parts.append(either_way(part.shape.fields[node.name]))
                else:
                    m.touch(part, node.name)
                    parts.append(Val(tuple(o.at(node.name) for o in part.origins), part.deps | base.deps, part.pending))
            return join_all(parts)
    m.touch(base, node.name)
    return Val(tuple(o.at(node.name) for o in base.origins if len(o.path) < 8), base.deps, base.pending)


def _index(m: State, node: tree.Index) -> Val:
    base = evaluate(m, node.base)
    known = m.language.index(m, base, node)
    if known is not None:
        return known
    key = evaluate(m, node.key)
    looked_up(m.frames, base)
    shape = base.shape
    if isinstance(key.literal, int) and not isinstance(key.literal, bool):
        if isinstance(shape, Many) and shape.items is not None and 0 <= key.literal < len(shape.items):
            if shape.names:
                m.touch(base, shape.names[key.literal])
            return either_way(shape.items[key.literal]).with_deps(base.deps)
        return works.picked(m, Work.FIRST if key.literal == 0 else Work.PICK, base, node.at, node.end).with_deps(key.deps)
    if isinstance(shape, Record):
        if isinstance(key.literal, str) and key.literal in shape.fields:
            return either_way(shape.fields[key.literal]).with_deps(base.deps | key.deps)
        rest = [part.shape.item if isinstance(part.shape, Many) and part.shape.keyed else part for part in shape.rest]
        return replace(join_all([*shape.fields.values(), *rest]), literal=NOT_LITERAL).with_deps(base.deps | key.deps)
    if isinstance(shape, Many) and shape.keyed:
        return shape.item.with_deps(base.deps | key.deps)
    return base.item().with_deps(key.deps | base.deps)


def _spread(m: State, node: tree.Spread) -> Val:
    value = evaluate(m, node.value)
    if isinstance(value.shape, Query):  # `zip(*rows)` goes through all of them
        read = m.vocabulary.rows(m, value, node.at, node.end, partial=False)
        if read is not None:
            go_through(m, read)
            return read
    return value


def _call(m: State, node: tree.Call) -> Val:
    func_node = node.func
    base: Val | None = None
    if isinstance(func_node, tree.Member):
        base = evaluate(m, func_node.base)
        func = NOTHING
        special = m.vocabulary.call(m, node, func, base)
        if special is not None:
            return special
        held = own(base, func_node.name) if not m.language.function_scoped else None
        if held is not None:
            return reach(m, node, held, base)
        if isinstance(func_node.base, tree.Name) and m.scope.find(func_node.base.id) is None:
            made = m.language.owned(m, node, func_node.base.id, func_node.name)
            if made is not None:
                return made
        made = m.language.method(m, node, func_node, base)
        if made is not None:
            return made
        func = member(m, base, func_node)
        if isinstance(func.shape, OneOf):
            return reach(m, node, func, base)
    else:
        func = evaluate(m, func_node)
        if isinstance(func.shape, OneOf):
            return reach(m, node, func, None)
        special = m.vocabulary.call(m, node, func, None)
        if special is not None:
            return special
        made = m.language.function(m, node, func_node, func)
        if made is not None:
            return made
    return apply(m, node, func, base)


def _fn(m: State, node: tree.Fn) -> Val:
    return Val(shape=Closure(node, m.scope, m.path, this=_this(m)))


def _this(m: State) -> Val | None:
    var = m.scope.find("this")
    return m.store.get(var) if var is not None else None


def _record(m: State, node: tree.Record) -> Val:
    fields: dict[str, Val] = {}
    rest: list[Val] = []
    deps = NO_STEPS
    pending = NO_STEPS
    computed_only = (
        m.language.function_scoped and bool(node.entries) and not any(key is None or isinstance(key, str) for key, _ in node.entries)
    )
    keys: list[Val] = []
    values: list[Val] = []
    for key, value_node in node.entries:
        value = m.ran(evaluate(m, value_node))
        values.append(value)
        deps |= value.deps
        pending |= value.pending
        if key is None:
            if isinstance(value.shape, Record):
                fields.update(value.shape.fields)
                rest.extend(value.shape.rest)
            elif value.interesting:
                rest.append(value)
        elif isinstance(key, str):
            fields[key] = value
        else:
            computed = evaluate(m, key)
            keys.append(computed)
            deps |= computed.deps
            if value.interesting:
                rest.append(Val(shape=Many(value, None, True), deps=value.deps))
    if computed_only:
        return Val(deps=deps, pending=pending, shape=Many(join_all(values), None, True, most=len(values), key=join_all(keys)))
    return Val(deps=deps, pending=pending, shape=Record(fields, tuple(rest)))


def _array(m: State, node: tree.Array) -> Val:
    items: list[Val] = []
    exact = True
    most: int | None = 0
    for item in node.items:
        value = m.ran(evaluate(m, item))
        if isinstance(item, tree.Spread):
            if isinstance(value.shape, Many) and value.shape.items is not None:
                items.extend(value.shape.items)
            else:
                exact = False
                most = most + value.most if most is not None and value.most is not None else None
                if len(node.items) == 1 and value.origins:
                    return value
                items.append(value.item())
        else:
            items.append(value)
            most = most + 1 if most is not None else None
    made = many(tuple(items) if exact else None, join_all(items) if items else NOTHING)
    pending = NO_STEPS
    for value in items:
        pending |= value.pending
    if not exact and most is not None and isinstance(made.shape, Many):
        made = replace(made, shape=replace(made.shape, most=most))
    if not exact and len(items) > 1 and isinstance(made.shape, Many):
        made = replace(made, shape=replace(made.shape, mixed=True))
    return replace(made, pending=pending)


def _op(m: State, node: tree.Op) -> Val:
    relation = RELATIONS.get(node.sign)
    if node.sign == "!" and len(node.operands) == 1:
        return tested(m, node)
    if relation is not None and len(node.operands) == 2:
        return _compare(m, node, relation)
    if node.sign == ",":
        values = [evaluate(m, operand) for operand in node.operands]
        return values[-1] if values else NOTHING
    if node.sign == "in":
        return m.language.contains(m, node) or NOTHING
    values = [evaluate(m, operand) for operand in node.operands]
    if (text := m.language.composed(m, node, values)) is not None:
        return text
    value = derived(*values)
    if m.language.function_scoped:
        _whole(m, values, node.operands)
    if node.sign in ("+", "|", "&") and m.language.function_scoped and any(isinstance(v.shape, COMBINED) or v.origins for v in values):
        return joined(values)
    if node.sign == "-" and len(values) == 1 and isinstance(values[0].literal, int | float):
        return literal(-values[0].literal)
    if node.sign in ("+", "-", "*") and all(isinstance(v.literal, int) for v in values) and len(values) == 2:
        a, b = (v.literal for v in values)
        assert isinstance(a, int)
        assert isinstance(b, int)
        return literal(a + b if node.sign == "+" else a - b if node.sign == "-" else a * b)
    return value


def _whole(m: State, values: list[Val], nodes: list[tree.Expr]) -> None:
    """Sets and lists that an operator takes as a whole."""
    for value, node in zip(values, nodes, strict=False):
        if value.origins and isinstance(value.shape, Many):
            m.leak(value, Escape.PASSED, node.at, node.end)


def joined(values: list[Val]) -> Val:
    """Two collections, or two queries for rows of one table, put together; of anything else nothing is known."""
    if all(isinstance(v.shape, Query) for v in values):
        tables = {v.shape.table for v in values if isinstance(v.shape, Query)}
        both = join_all(values)
        if len(tables) != 1 or not isinstance(both.shape, Query):
            return derived(*values)
        return replace(both, literal=NOT_LITERAL, shape=replace(both.shape, refined=True))  # what either has loaded does not serve it
    if all(isinstance(v.shape, Many) for v in values) or all(isinstance(v.shape, Record) for v in values):
        return replace(join_all(values), literal=NOT_LITERAL)
    return derived(*values)


def _compare(m: State, node: tree.Op, relation: Relation) -> Val:
    sides = []
    numbers = [o.value if isinstance(o, tree.Literal) else None for o in node.operands]
    for number, operand in enumerate(node.operands):
        other = numbers[1 - number]
        sized = m.language.sized(operand)
        here = relation if number == 0 else FLIPPED.get(relation, relation)
        if sized is not None and other in (0, 1) and not isinstance(other, bool):
            work = Work.EMPTY if (here in (Relation.GTE, Relation.LT)) == (other == 1) else Work.COUNT
            most = _most(m, here, node.operands[1 - number]) if work is Work.COUNT and not m.language.function_scoped else None
            sides.append(derived(m.language.measured(m, operand, work, sized, most)))
        elif sized is not None and not m.language.function_scoped and (most := _most(m, here, node.operands[1 - number])) is not None:
            sides.append(derived(m.language.measured(m, operand, Work.COUNT, sized, most)))
        else:
            sides.append(evaluate(m, operand))
    left, right = sides
    if m.language.function_scoped:
        _whole(m, sides, node.operands)
    known = null_test(relation, left, right)
    if known is not NOT_LITERAL:
        return replace(derived(left, right), literal=known)
    found = compared(m, node, left, relation, right) or _dated(m, node, left, relation, right)
    return replace(derived(left, right), conditions=(*found, *_shifted(m, node, left, relation, right)))


def _most(m: State, relation: Relation, other: tree.Expr) -> Value | None:
    """The number that a size is compared with; None for other tests, and numbers that something has to be done for."""
    if not (relation.ranged or relation in (Relation.EQ, Relation.NE)) or not isinstance(other, tree.Literal | tree.Name):
        return None
    return m.value(evaluate(m, other), other)


def _dated(m: State, node: tree.Op, left: Val, relation: Relation, right: Val) -> tuple[Condition, ...]:
    """What `new Date(row.at) >= since` says of the field. Two dates are never equal, whatever they hold."""
    if not relation.ranged:
        return ()
    found: list[Condition] = []
    for operand, here, other in ((node.operands[0], relation, right), (node.operands[1], FLIPPED[relation], left)):
        given = _read_as_date(m, operand)
        if given is not None:
            with m.recording():
                value = evaluate(m, given)
            found += [Condition(o, here, other, at=node.at, end=node.end, dated=True) for o in value.origins]
    return tuple(found)


def _shifted(m: State, node: tree.Op, left: Val, relation: Relation, right: Val) -> tuple[Condition, ...]:
    """What `row.at + WEEK < now` and `now - row.at > WEEK` say of the field: how far it lies from the other side is a number beside it."""
    if not relation.ranged or m.language.function_scoped:
        return ()
    found: list[Condition] = []
    for operand, here, other in ((node.operands[0], relation, right), (node.operands[1], FLIPPED[relation], left)):
        if not isinstance(operand, tree.Op) or operand.sign not in ("+", "-") or len(operand.operands) != 2 or not _still(m, other):
            continue
        with m.recording():
            first, second = (_moment(m, part) for part in operand.operands)
        for (value, dated), (shift, _), part, way in (
            (first, second, operand.operands[1], here),
            (second, first, operand.operands[0], here if operand.sign == "+" else FLIPPED[here]),
        ):
            if value.origins and not _still(m, value) and (_number(part, shift) if operand.sign == "+" else _still(m, shift)):
                moved = derived(other, shift)
                found += [Condition(o, way, moved, at=node.at, end=node.end, dated=dated) for o in value.origins]
    return tuple(found)


def _number(node: tree.Expr, value: Val) -> bool:
    """Whether something is a number: to put a text at the end is written with the same sign as to add."""
    product = isinstance(node, tree.Op) and node.sign == "*" and not value.origins
    return product or (isinstance(value.literal, int | float) and not isinstance(value.literal, bool))


def _moment(m: State, node: tree.Expr) -> tuple[Val, bool]:
    """An operand, and whether it is read as a date."""
    given = _read_as_date(m, node)
    return evaluate(m, node if given is None else given), given is not None


def _still(m: State, value: Val) -> bool:
    """Whether a value is none of a row's: a constant, the time, or what was made of them."""
    return all(o.root is Root.STEP and o.ref in m.clocks for o in value.origins)


def _read_as_date(m: State, node: tree.Expr) -> tree.Expr | None:
    """What `new Date(x)`, `new Date(x).getTime()` and `Date.parse(x)` read, also where a variable holds that."""
    if isinstance(node, tree.Name):
        meant = meaning(m, node.id)
        found = _date_of(meant) if meant is not None else None
        return found if found is not None and not is_moved(m, node.id) else None
    return _date_of(node)


def _date_of(node: tree.Expr) -> tree.Expr | None:
    while isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name in ("getTime", "valueOf"):
        node = node.func.base
    if not isinstance(node, tree.Call) or len(node.args) != 1:
        return None
    parses = isinstance(node.func, tree.Member) and node.func.name == "parse"
    name = node.func.base if parses and isinstance(node.func, tree.Member) else node.func
    return node.args[0] if isinstance(name, tree.Name) and name.id == "Date" and (parses or node.new) else None


def _logic(m: State, node: tree.Logic) -> Val:
    left = evaluate(m, node.left)
    if is_there(left) and node.sign in ("||", "??"):
        return left
    note_logic(m, node)
    holder: list[Val] = [NOTHING]

    def arm() -> None:
        holder[0] = evaluate(m, node.right)

    m.choose([arm, lambda: None], left.deps, node.at, node.end, missing=node.sign in ("||", "??"))
    right = holder[0]
    if node.sign == "&&":
        both = right.with_deps(left.deps)
        return replace(both, conditions=(*told(m, left, node.left).conditions, *told(m, right, node.right).conditions))
    if left.literal is not NOT_LITERAL and left.literal in (None, tree.UNDEFINED):
        return right
    value = join(left, right) if right.interesting or right.deps else replace(left, literal=NOT_LITERAL, conditions=())
    if left.origins:
        value = replace(value, default=right.literal if right.literal is not NOT_LITERAL else tree.UNDEFINED)
    if node.sign == "||":
        a, b = told(m, left, node.left).conditions, told(m, right, node.right).conditions
        if a or b:
            return replace(value, conditions=(Condition(None, Relation.ANY, None, arms=(a, b), at=node.at, end=node.end),))
    return value


def _ternary(m: State, node: tree.Ternary) -> Val:
    test = tested(m, node.test)
    note_if(m, node)
    holder: list[Val] = [NOTHING, NOTHING]

    def then() -> None:
        narrowed(m, node.test, holds=True)
        holder[0] = evaluate(m, node.then)

    def other() -> None:
        narrowed(m, node.test, holds=False)
        holder[1] = evaluate(m, node.other)

    if test.literal is True or test.literal is False:
        (then if test.literal else other)()
        return holder[0 if test.literal else 1].with_deps(test.deps)
    m.choose([then, other], test.deps, node.at, node.end, missing=absent(test.conditions))
    for value in holder:
        known = m.results.get(id(value.shape)) if isinstance(value.shape, Query) else None
        if known is not None:  # `rows if rows else others`: what has been loaded goes on
            go_through(m, known[1])
    return replace(join(holder[0], holder[1]).with_deps(test.deps), conditions=_choice(node, test, *holder))


def _choice(node: tree.Ternary, test: Val, then: Val, other: Val) -> tuple[Condition, ...]:
    """What `test ? then : other` tests where one of the two is a comparison: `then` under the test, `other` where it fails."""
    if not then.conditions and not other.conditions:
        return ()
    yes, no = (*test.conditions, *truth(then, node.then)), (*negated(test.conditions), *truth(other, node.other))
    if then.literal is False or other.literal is False:
        return no if then.literal is False else yes
    return (Condition(None, Relation.ANY, None, arms=(yes, no), at=node.at, end=node.end),)


def _await(m: State, node: tree.Await) -> Val:
    value = evaluate(m, node.value)
    special = m.vocabulary.awaited(m, value, node.at, node.end)
    if special is not None:
        return m.wait(special, node.at, node.end)
    return m.wait(value, node.at, node.end)


def _yield(m: State, node: tree.Yield) -> Val:
    if node.value is not None:
        value = evaluate(m, node.value)
        m.leak(value, Escape.PASSED, node.at, node.end)
        m.yields.append(value.item() if isinstance(node.value, tree.Spread) else value)
    return NOTHING


UNITING = ("|=", "&=", "^=")  # sets and conditions, which are no totals


def _assign(m: State, node: tree.Assign) -> Val:
    value = evaluate(m, node.value)
    var = m.scope.find(node.target.id) if isinstance(node.target, tree.NamePattern) else None
    if node.sign == "=":
        m.assign(node.target, value, how="=" if not _adds_to_itself(m, node) else TEXT if var in m.texts else "+=")
        return value
    old = NOTHING
    if isinstance(node.target, tree.NamePattern):
        old = m.store.get(var, NOTHING) if var is not None else NOTHING
    elif isinstance(node.target, tree.Member | tree.Index):
        old = evaluate(m, node.target)
    replaced = node.sign in ("??=", "||=", "&&=")
    result = join(old, value) if replaced else m.language.composed(m, node, [old, value]) or derived(old, value)
    how = "=" if replaced else TEXT if _is_text(node.value) or var in m.texts else node.sign
    if m.language.function_scoped and not replaced:
        if node.sign in UNITING:
            how = TEXT
        else:
            note_added(m, value)
        if all(isinstance(v.shape, COMBINED) for v in (old, value)):
            result, how = joined([old, value]), TEXT  # collections and queries grow; they are no totals
    m.assign(node.target, result, how=how)
    return result


def _adds_to_itself(m: State, node: tree.Assign) -> bool:
    """`sum = sum + row.size`, `counts[row.kind] = (counts[row.kind] ?? 0) + 1`, or as an arm of a choice."""
    if m.language.function_scoped:
        return False
    made = node.value
    arms = (made.then, made.other) if isinstance(made, tree.Ternary) else (made,)
    adding = [arm for arm in arms if isinstance(arm, tree.Op) and arm.sign == "+" and not _is_text(arm)]
    if not adding:
        return False
    place = m.text(node.target)
    parts = (this for arm in adding for this in tree.walk(arm) if isinstance(this, tree.Name | tree.Member | tree.Index))
    return any(m.text(part) == place for part in parts)


def _is_text(node: tree.Expr) -> bool:
    """Whether an expression is text: what is added to then is no total."""
    if isinstance(node, tree.Op) and node.sign in ("+", "%"):
        return any(_is_text(operand) for operand in node.operands)
    return isinstance(node, tree.Template) or (isinstance(node, tree.Literal) and isinstance(node.value, str))


def _typed(m: State, node: tree.Typed) -> Val:
    return m.vocabulary.typed(m, evaluate(m, node.value), node.type)


def _element(m: State, node: tree.Element) -> Val:
    special = m.vocabulary.element(m, node)
    if special is not None:
        return special
    host = node.tag is None or (isinstance(node.tag, tree.Name) and node.tag.id[:1].islower())
    parts = []
    for _, value_node in node.attributes:
        value = evaluate(m, value_node)
        if any(isinstance(one.shape, Closure) for one in either_of(value)):
            for one in either_of(value):
                handlers.walk(m, one)
            continue
        m.leak(value, Escape.PASSED, value_node.at, value_node.end)
        parts.append(value)
    for child in node.children:
        value = evaluate(m, child)
        if not host:
            m.leak(value, Escape.PASSED, child.at, child.end)
        parts.append(value)
    return derived(*parts)


def _slice(m: State, node: tree.Slice) -> Val:
    return derived(*(evaluate(m, part) for part in (node.start, node.stop, node.step) if part is not None))


def _opaque(m: State, node: tree.Opaque) -> Val:
    return derived(*(evaluate(m, part) for part in node.parts))


def _class(m: State, node: tree.ClassDef) -> Val:
    return NOTHING


EXPRESSIONS: dict[type, Callable[[State, Any], Val]] = {
    tree.Name: _name,
    tree.Literal: _literal,
    tree.Template: _template,
    tree.Member: _member,
    tree.Index: _index,
    tree.Spread: _spread,
    tree.Call: _call,
    tree.Fn: _fn,
    tree.Record: _record,
    tree.Array: _array,
    tree.Op: _op,
    tree.Logic: _logic,
    tree.Ternary: _ternary,
    tree.Await: _await,
    tree.Yield: _yield,
    tree.Assign: _assign,
    tree.Typed: _typed,
    tree.Element: _element,
    tree.Comprehension: comprehension,
    tree.Slice: _slice,
    tree.Opaque: _opaque,
    tree.ClassDef: _class,
}
