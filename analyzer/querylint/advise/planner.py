"""Databases that pick their indexes by themselves: what their stack can do, and which index serves what a statement asks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.advise.cover import Shape
from querylint.advise.growth import small
from querylint.advise.places import quiet
from querylint.advise.serving import unranged
from querylint.construction import dataclass
from querylint.ir import (
    Access,
    Bound,
    Function,
    Index,
    IndexKind,
    Op,
    Plan,
    Predicate,
    Program,
    Relation,
    Role,
    Table,
    Terminal,
    Way,
)
from querylint.ir.program import Site
from querylint.pattern import Pattern

MOST_ARMS = 4
FLAG = Pattern(r"^(?:is|has|was|can)_|(?:^|_)(?:status|state|type|kind|flag|enabled|active|deleted|archived|level|mode)$", re.IGNORECASE)
BINDING = frozenset((Relation.EQ, Relation.IN))


def plain(program: Program, function: Function) -> bool:
    """Whether the program writes its statements itself, so that what it asks for is what it means to read."""
    return program.facts(function).planner and not program.facts(function).lazy


def bare(program: Program, function: Function, plan: Plan) -> bool:
    """Whether a plan walks a whole table or index, as a statement without any condition does."""
    return unranged(plan) or (plan.way is Way.PLANNER and not plan.predicates and plain(program, function))


def entire(program: Program, function: Function, read: Access) -> bool:
    """Whether a read hands out everything that a table holds, with no condition."""
    rows = read.bound is Bound.ALL and read.terminal is Terminal.ROWS
    return rows and any(bare(program, function, p) and not p.residual() for p in read.plans)


@dataclass(frozen=True, slots=True)
class Unserved:
    """A statement that no index of its table serves: the columns that it binds, as it writes them, and what it ranges over or orders by.

    `grows` says that the program keeps adding rows to the table.
    """

    table: Table
    site: Site
    access: Access
    equal: tuple[str, ...]
    then: tuple[str, ...]
    grows: bool

    @property
    def shape(self) -> Shape:
        """What an index must have for it: what the equalities leave over is read soon enough without the rest."""
        return Shape(frozenset(self.equal), () if self.equal else self.then)


def unserved(program: Program) -> Iterator[Unserved]:
    """Every statement that asks for an index which no table has."""
    for op in Op:
        for site, access in program.accesses(op):
            table = program.table(site.function, access.table)
            if table is None or not table.indexes_known or not _asks(program, site, access):
                continue
            want = next((w for p in access.plans if (w := _unserved(access, p, table)) is not None), None)
            if want is not None:
                asked = [p.field for plan in access.plans for p in plan.predicates if p.field in want.equal and p.field is not None]
                grows = _inserted(program, site.function, table.name)
                yield Unserved(table, site, access, tuple(dict.fromkeys(asked)), want.then, grows)


@dataclass(frozen=True, slots=True)
class _Want:
    """The columns that a statement binds to values, and the one that it then ranges over or orders by."""

    equal: frozenset[str]
    then: tuple[str, ...]


def _asks(program: Program, site: Site, access: Access) -> bool:
    if quiet(site.function) or small(program, access.table) or not access.plans or access.verb in ("insert", "upsert"):
        return False
    return plain(program, site.function) and all(readable(p) for p in access.plans)  # foreign keys of models are another rule's


def _unserved(access: Access, plan: Plan, table: Table) -> _Want | None:
    """What a plan wants, where no index gives it."""
    equal, ranged = bound(plan.predicates)
    names = {f.name for f in table.fields or ()}
    order = plan.order.fields if plan.order is not None and access.bound in (Bound.LIMIT, Bound.ONE) else ()
    if not {*equal, *ranged, *order} <= names or served(plan, table):
        return None
    written = {p.field for p in plan.predicates if p.value is not None and p.value.constant}  # a constant of the program names a kind
    telling = {name for name in equal if name not in written and not _flag(name, table)}
    if telling:
        then = next(((name,) for name in sorted(ranged)), order if len(order) == 1 and order[0] not in equal else ())
        return _Want(frozenset(equal), then)
    if not plan.predicates and order and len(order) == 1:
        return _Want(frozenset(), order)
    return None


def _flag(name: str, table: Table) -> bool:
    """Whether a column tells few values apart."""
    declared = table.field(name)
    return (declared is not None and declared.type == "boolean") or FLAG.search(name) is not None


def _inserted(program: Program, function: Function, name: str) -> bool:
    return any(
        access.verb in ("insert", "upsert", "executemany") and site.function.role is Role.CODE
        for site, access in program.writes_of(function.root, name)
    )


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
    order = plan.order.fields if plan.order is not None and not equal else ()
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
