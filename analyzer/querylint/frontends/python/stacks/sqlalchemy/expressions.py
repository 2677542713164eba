"""SQL expressions as Python writes them: columns, comparisons, functions, what a statement selects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import ClassRef, Condition, External, Many, Marker, Query, Val, derived, literal
from querylint.frontends.python.stacks.sqlalchemy import words
from querylint.ir import Escape, Origin, Predicate, Relation, Root, Side
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy.model import Model
    from querylint.frontends.python.stacks.sqlalchemy.models import Models

PREFIX = "sql:"
ENTITY = "@"
LABEL = "="
TOTAL = "=."
COLLECTED = "columns"
DERIVED = "derived"
"""What marks a column of a subquery, which is asked after all else for the table that a statement is about."""
SOME = "some model"
"""The kind of a marker that stands for one mapped class or another: its rows are read, but nobody knows of which table."""
WHOLE = (Condition(None, Relation.OTHER, None),)


def column(model: Model, name: str) -> Val:
    """A column or relation of a class or table, as a part of an expression."""
    kind = "relation" if name in model.links else "column"
    return Val((Origin(Root.OUTER, f"{PREFIX}{model.table}", (name,)),), shape=Marker(kind, (model.table, name)))


def any_column(name: str, deps: frozenset[int]) -> Val:
    """A column of one mapped class or another."""
    return Val((Origin(Root.OUTER, PREFIX, (name,)),), deps, shape=Marker("column", ("", name)))


def derived_column(base: Val, name: str) -> Val:
    """A column of a subquery, or a part of a bundle, of which nothing is known."""
    shape = base.shape
    if not isinstance(shape, Marker) or shape.kind != "subquery":
        return Val(deps=base.deps)
    return Val(deps=base.deps, shape=Marker("sql", (shape.data[0], name, "", DERIVED), shape.inner))


def model_of(models: Models, val: Val) -> Model | None:
    """The model that a value is: a mapped class, an alias of one, a table."""
    shape = val.shape
    if isinstance(shape, ClassRef) and not shape.instance:
        return models.by_class.get((shape.path, shape.name))
    if isinstance(shape, Marker) and shape.kind in ("model", "table"):
        return models.by_table.get(shape.data[0])
    return None


def some_model(models: Models, val: Val) -> bool:
    """Whether a value is a mapped class, whichever it is: of those that take after the class whose method is at hand."""
    shape = val.shape
    if isinstance(shape, ClassRef):
        return not shape.instance and bool(models.below(shape.path, shape.name))
    return isinstance(shape, Marker) and shape.kind == SOME


def selected(models: Models, val: Val) -> str | None:
    """What one element of a statement's columns is.

    `@table` for rows, `table.column` for a column, `=label` for an expression, `=.label` for one over all rows.
    """
    model = model_of(models, val)
    if model is not None:
        return f"{ENTITY}{model.table}"
    if some_model(models, val):
        return ENTITY
    shape = val.shape
    if isinstance(shape, Marker):
        if shape.kind in ("column", "relation"):
            return f"{LABEL}{shape.data[2]}" if len(shape.data) > 2 and shape.data[2] else f"{shape.data[0]}.{shape.data[1]}"
        if shape.kind in ("sql", "subquery"):
            label = shape.data[1] if len(shape.data) > 1 else ""
            return f"{TOTAL if shape.data[2:] and shape.data[2] in words.TOTALS else LABEL}{label}"
        if shape.kind == "bundle":
            return LABEL
    return LABEL if isinstance(shape, Query) else None


def table_of(val: Val) -> str | None:
    """The table whose column or rows an expression speaks of first."""
    shape = val.shape
    if isinstance(shape, Marker) and shape.kind in ("column", "relation", "sql", "model", "table") and shape.data:
        return shape.data[0] or None
    return None


def sql(*parts: Val, label: str = "", name: str = "") -> Val:
    """An expression that the database works out: what it is made of is not to be compared as a column."""
    table = next((t for part in parts if (t := table_of(part))), "")
    derivations = (part.shape.inner for part in parts if isinstance(part.shape, Marker) and part.shape.kind == "sql")
    inner = next((one for one in derivations if one is not None), None)
    return Val(deps=derived(*(plain(p) for p in parts)).deps, shape=Marker("sql", (table, label, name), inner))


def plain(value: Val) -> Val:
    """A value inside a condition: a query there is a subquery, which the database runs by itself."""
    if isinstance(value.shape, Query | Marker):
        return Val(value.origins, value.deps, literal=value.literal)
    return value


# Conditions.


def conditions(state: State, node: tree.Expr) -> tuple[Condition, ...]:
    """What one argument of `filter(...)` demands."""
    if isinstance(node, tree.Op) and node.sign == "&":
        return tuple(c for operand in node.operands for c in conditions(state, operand))
    if isinstance(node, tree.Op) and node.sign == "|":
        arms = tuple(conditions(state, operand) for operand in node.operands)
        return (Condition(None, Relation.ANY, None, arms=arms, at=node.at, end=node.end),)
    if isinstance(node, tree.Spread):
        value = state.evaluate(node.value)
        shape = value.shape
        if isinstance(shape, Many) and shape.items is not None:
            return tuple(c for item in shape.items for c in of_value(item))
        return unread(value)
    if isinstance(node, tree.Op) and node.sign == "!":
        return unread(state.evaluate(node))
    return of_value(state.evaluate(node))


def unread(*values: Val) -> tuple[Condition, ...]:
    """A condition that cannot be read, and what it depends on."""
    return (Condition(None, Relation.OTHER, Val(deps=derived(*values).deps)),)


def deps_of(found: tuple[Condition, ...]) -> frozenset[int]:
    """All that conditions depend on, those of their alternatives too."""
    deps = frozenset[int]()
    for condition in found:
        if condition.other is not None:
            deps |= condition.other.deps
        for arm in condition.arms:
            deps |= deps_of(arm)
    return deps


def of_value(value: Val) -> tuple[Condition, ...]:
    """What a value demands: a comparison that is kept in a variable, a column that is true or false."""
    known = tuple(c for c in value.conditions if c.relation in (Relation.ANY, Relation.IN) or _is_column(c.origin))
    if known:
        return _joined(known)
    shape = value.shape
    if isinstance(shape, Marker) and shape.kind == "column":
        return (Condition(value.origins[0], Relation.EQ, literal(True)),) if value.origins else WHOLE
    if value.literal is True:
        return ()
    return (Condition(None, Relation.OTHER, value),)


def _is_column(origin: Origin | None) -> bool:
    return origin is not None and origin.root is Root.OUTER and str(origin.ref).startswith(PREFIX)


def _joined(found: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """A comparison of two columns is a join: it demands no value of either."""
    return tuple(replace(c, relation=Relation.OTHER) if c.other is not None and _column_value(c.other) else c for c in found)


def _column_value(value: Val) -> bool:
    return any(_is_column(o) for o in value.origins) and not isinstance(value.shape, Many)


def predicates(state: State, models: Models, table: str | None, found: tuple[Condition, ...], node: tree.Expr) -> tuple[Predicate, ...]:
    """Conditions as the shared language has them, in terms of the table that is read."""
    made: list[Predicate] = []
    for condition in found:
        span = state.span(node.at, node.end)
        if condition.relation is Relation.ANY:
            arms = tuple(predicates(state, models, table, arm, node) for arm in condition.arms)
            made.append(Predicate(None, Relation.ANY, Side.FILTER, arms=arms, span=span))
            continue
        if condition.other is not None:
            state.leak(condition.other, Escape.PASSED, node.at, node.end)
        value = state.value(_from_outside(plain(condition.other))) if condition.other is not None else None
        relation = condition.relation
        field = _field(models, table, condition.origin)
        if relation in (Relation.EQ, Relation.NE) and condition.other is not None and condition.other.literal is None:
            relation = Relation.OTHER
        made.append(Predicate(field, relation, Side.FILTER, value, span=span))
    return tuple(made)


def _from_outside(value: Val) -> Val:
    """A value that outside code hands out (`current_user.id`): one and the same for all that it is compared with, for it is no column."""
    shape = value.shape
    if not isinstance(shape, External) or value.origins or shape.source.startswith(words.PACKAGES):
        return value
    return replace(value, origins=(Origin(Root.OUTER, shape.source),))


def _field(models: Models, table: str | None, origin: Origin | None) -> str | None:
    if origin is None or not origin.path:
        return None
    owner = str(origin.ref)[len(PREFIX) :]
    name = origin.path[0]
    model = models.by_table.get(owner)
    link = model.links.get(name) if model is not None else None
    if link is not None and link.column is not None:
        name = link.column
    return name if owner == table or table is None else f"{owner}.{name}"


def method(state: State, node: tree.Call, name: str, base: Val) -> Val:
    """A method of a column or an expression: a comparison, an order, a label."""
    shape = base.shape
    assert isinstance(shape, Marker)
    args = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
    if name in words.ORDERED:
        label = str(args[0].literal) if name == "label" and args and isinstance(args[0].literal, str) else ""
        if shape.kind == "sql":
            return replace(base, shape=Marker("sql", (shape.data[0], label, *shape.data[2:])))
        kept = ("desc",) if name == "desc" else shape.data[3:]
        return replace(base, shape=Marker(shape.kind, (*shape.data[:2], label, *kept)))
    if name in ("of_type", "and_") and shape.kind == "relation":
        return replace(base, shape=Marker(shape.kind, (*shape.data[:2], "", "narrowed")))
    relation = words.COMPARED.get(name, Relation.OTHER)
    made = sql(base, *args, name=shape.data[2] if name == "filter" and shape.kind == "sql" and len(shape.data) > 2 else "")
    if shape.kind not in ("column", "relation") or not base.origins:
        return made
    other = args[0] if args else None
    origin = base.origins[0] if shape.kind == "column" or relation is not Relation.OTHER else None
    return replace(made, conditions=(Condition(origin, relation, other, at=node.at, end=node.end),))
