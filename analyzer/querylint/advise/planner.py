"""Databases that pick their indexes by themselves: what their stack can do, and which index serves what a statement asks."""

from __future__ import annotations

from querylint.advise.places import local_effects
from querylint.ir import Access, Call, Facts, Function, Index, IndexKind, Loop, Plan, Predicate, Program, Relation, Table, Way
from querylint.ir.program import Effect, Site

MOST_ARMS = 4
LIGHT = 8
BINDING = frozenset((Relation.EQ, Relation.IN))


def facts(program: Program, function: Function) -> Facts:
    """What is true of the stack that a function reaches its database by."""
    schema = program.schema(function)
    return schema.facts if schema is not None else Facts()


def planned(program: Program, function: Function) -> bool:
    """Whether the database picks indexes by itself."""
    return facts(program, function).planner


def keyed(read: Access) -> bool:
    """Whether conditions bind a column to a value: then the rows are those of one owner, one day, one key."""
    return all(any(p.relation in BINDING and p.field is not None for p in plan.predicates) for plan in read.plans)


def looked_up(read: Access, loop: Loop) -> str | None:
    """The column by which a read asks for the item of a loop."""
    for plan in read.plans:
        for p in plan.predicates:
            if p.field is not None and p.relation is Relation.EQ and p.value is not None and loop.id in p.value.deps:
                return p.field
    return None


def in_one(read: Access, loop: Loop) -> str:
    """How the rows of all items are read by one statement."""
    column = looked_up(read, loop) or next((p.field for plan in read.plans for p in plan.predicates if p.field is not None), None)
    asked = f"`{column} IN (...)`" if column is not None else "one query"
    return f"read the rows of all items with {asked} before the loop, and look them up in a dictionary"


def laborious(program: Program, site: Site, call: Call, effect: Effect) -> bool:
    """Whether a helper has so much to do for an item that a query more is not what it costs."""
    return len(effect.trail) > 2 or len(local_effects(program, site.function, call)) > LIGHT


def readable(plan: Plan) -> bool:
    """Whether a plan says all that it asks for, in terms of columns."""
    return plan.way is Way.PLANNER and all(_known(p) for p in plan.predicates)


def _known(p: Predicate) -> bool:
    if p.relation is Relation.ANY:
        return all(_known(x) for arm in p.arms for x in arm)
    return p.field is not None


def served(plan: Plan, table: Table) -> bool:
    """Whether some index of the table narrows down what a plan reads, or hands it out in the order that it asks for."""
    equal, rest = bound(plan.predicates)
    usable = [i for i in table.indexes if i.kind is IndexKind.ORDERED and i.fields]
    alone = [p for p in plan.predicates if p.relation is Relation.ANY]
    if alone and not equal and not rest:
        return all(_arms_served(p, table) for p in alone)
    if any(_narrows(i, equal, rest) for i in usable) or any(i.filter_fields and i.filter_fields[0] in equal for i in table.indexes):
        return True
    order = plan.order.fields if plan.order is not None else ()
    return bool(order) and any(not i.partial and i.fields[: len(order)] == order for i in usable)


def bound(predicates: tuple[Predicate, ...]) -> tuple[set[str], set[str]]:
    """The columns that are bound to values, and those that are bound to a range."""
    equal = {p.field for p in predicates if p.relation in BINDING and p.field is not None}
    return equal, {p.field for p in predicates if p.relation.ranged and p.field is not None} - equal


def _narrows(index: Index, equal: set[str], ranged: set[str]) -> bool:
    """Whether an index can be searched by its first column; one over some of the rows is taken to hold those that are asked for."""
    return index.fields[0] in equal or index.fields[0] in ranged


def _arms_served(p: Predicate, table: Table) -> bool:
    return len(p.arms) <= MOST_ARMS and all(served(Plan(Way.PLANNER, None, arm), table) for arm in p.arms)
