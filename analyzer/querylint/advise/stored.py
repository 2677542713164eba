"""What the code ever stores in a field: a condition on a field that always holds one constant leaves nothing out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from querylint.advise.audience import TRIED, left_alone
from querylint.ir import NOT_LITERAL, Access, Clock, Function, Origin, Plan, Predicate, Program, Relation, Role, Root, Side
from querylint.ir.program import Site
from querylint.pattern import Pattern

Constants = dict[str, object]
SWITCHED_ON = Pattern(r"^(?:is_?)?(?:active|enabled|visible|available)$", re.IGNORECASE)
TOMBSTONE = Pattern(r"^(?:is_?)?(?:deleted|archived|removed|trashed|disabled|cancell?ed|revoked)_?(?:at|on|time|date)?$", re.IGNORECASE)

PAID = frozenset(("confirmed", "succeeded", "success", "paid", "settled", "captured", "complete", "completed"))
PAYMENTS = Pattern(r"(?:payments?|transactions?|purchases?|charges?)$", re.IGNORECASE)


def come_through(table: str | None, p: Predicate) -> bool:
    """Whether a condition asks for payments that went through: those are nearly all."""
    if table is None or not PAYMENTS.search(table) or p.relation is not Relation.EQ or p.value is None:
        return False
    return isinstance(p.value.literal, str) and p.value.literal.lower() in PAID


def spared(p: Predicate) -> bool:
    """Whether a condition asks for rows that nobody has taken out: those are nearly all, as a rule."""
    if p.field is None or p.relation is not Relation.EQ or p.value is None or not p.value.constant:
        return False
    return TOMBSTONE.match(p.field) is not None and (not p.value.literal or repr(p.value.literal) == "undefined")


def idle(program: Program, root: str, table: str | None, predicates: Iterable[Predicate]) -> bool:
    """Whether the conditions leave out next to nothing: each asks for what the code always stores, for rows that are not deleted,
    or for payments that went through."""
    given = list(predicates)
    return bool(given) and all(spared(p) or come_through(table, p) or always(program, root, table, p) for p in given)


def lets_pass(program: Program, root: str, table: str | None, predicates: tuple[Predicate, ...]) -> bool:
    """Whether a filter leaves out no more than the odd row: it asks for nothing but what nearly every row has."""
    return not narrows(predicates) or idle(program, root, table, predicates)


def narrows(residual: tuple[Predicate, ...]) -> bool:
    """Whether a filter leaves out more than the odd row: a switch that every row is born with, and few lose, leaves out next to none."""
    tested = [p for p in residual if p.field is not None and p.relation is Relation.EQ and p.value is not None and p.value.constant]
    if len(tested) < len(residual):
        return True
    return not all(p.field is not None and SWITCHED_ON.match(p.field) and p.value is not None and p.value.literal is True for p in tested)


def always(program: Program, root: str, table: str | None, p: Predicate) -> bool:
    """Whether a condition asks for the only value that the code ever stores in the field."""
    if p.field is None or table is None or p.relation is not Relation.EQ or p.value is None or not p.value.constant:
        return False
    return stored_as(_only(program, root, table), p.field, p.value.literal)


def stored_as(constants: Constants, field: str, literal: object) -> bool:
    """Whether what a field gets is a literal; `1` is not `true`."""
    stored = constants.get(field, NOT_LITERAL)
    return stored is not NOT_LITERAL and stored == literal and type(stored) is type(literal)


def alongside(program: Program, root: str, table: str | None, plan: Plan, p: Predicate) -> bool:
    """Whether a condition asks for the value that the code always stores along with the time that the range of a query is about.

    Whatever completes a job stores that it is completed, and when: in a range of that time all are. What every row is born with tells
    nothing, since it may change by itself; nor does what is later stored without the time.
    """
    if p.field is None or table is None or p.relation is not Relation.EQ or p.value is None or not p.value.constant:
        return False
    ranged = [q for q in plan.predicates if q.side is Side.INDEX and q.relation in (Relation.GT, Relation.GTE)]
    bound = [q.field for q in ranged if q.field is not None and q.field != "_creationTime"]
    return any(stored_as(_joined(program, root, table, field), p.field, p.value.literal) for field in bound)


def _joined(program: Program, root: str, table: str, field: str) -> Constants:
    """The constants that every write of ordinary code which stores a field stores with it; none where rows are born with the field.

    What an update that leaves that field alone stores otherwise is no such constant: it changes rows that have the field.
    """
    return program.once(("stored with", root, table, field), lambda: _with(program, root, table, field))


def _with(program: Program, root: str, table: str, field: str) -> Constants:
    found: Constants | None = None
    later: list[tuple[str, object]] = []
    for _, access in _changes(program, root, table):
        if access.fields is None:
            return {}
        if field in access.fields:
            if access.verb == "insert":
                return {}
            constants = dict(access.constants)
            found = constants if found is None else {k: v for k, v in found.items() if stored_as(constants, k, v)}
        elif access.verb != "insert":
            constants = dict(access.constants)
            later += [(name, constants.get(name, NOT_LITERAL)) for name in access.fields]
    changed = {name for name, value in later if found is not None and not stored_as(found, name, value)}
    return {k: v for k, v in (found or {}).items() if k not in changed}


def _only(program: Program, root: str, table: str) -> Constants:
    """The fields of a table of which every write that ordinary code makes stores the same constant."""
    return program.once(("only stored", root, table), lambda: _alike(program, root, table))


def _alike(program: Program, root: str, table: str) -> Constants:
    found: Constants | None = None
    loose: set[str] = set()
    for _, access in _changes(program, root, table):
        if access.fields is None:
            found, loose = {}, set()
            break
        constants = dict(access.constants)
        loose |= set(access.fields) - constants.keys()
        if access.verb == "insert" and access.table == table:
            shared = constants if found is None else {k: v for k, v in found.items() if k in constants and constants[k] == v}
            found = dict(shared)
        elif found is not None or access.verb != "insert":
            loose |= {k for k, v in constants.items() if found is None or found.get(k, v) != v}
    return {k: v for k, v in (found or {}).items() if k not in loose}


def clocked(program: Program, root: str, table: str, field: str) -> bool:
    """Whether every write of a field that ordinary code makes stores the time of the write; what fills in samples is no such code."""
    return field in program.once(("clocked", root, table), lambda: _clocked(program, root, table))


def _clocked(program: Program, root: str, table: str) -> frozenset[str]:
    found: set[str] = set()
    others: set[str] = set()
    for site, access in _changes(program, root, table):
        if _sampling(program, site.function):
            continue
        if access.fields is None:
            return frozenset()
        steps = program.sites(site.function.key).by_id
        now = {name for name, origins in access.sources if all(_now(steps, o) for o in origins)}
        found |= now
        others |= set(access.fields) - now
    return frozenset(found - others)


def _changes(program: Program, root: str, table: str) -> Iterator[tuple[Site, Access]]:
    """What ordinary code that is in use stores in a table, or may store in it."""
    for site, access in program.writes(root):
        function = site.function
        if access.table in (table, None) and access.verb != "delete" and function.role is Role.CODE and not left_alone(program, function):
            yield site, access


def _sampling(program: Program, function: Function) -> bool:
    """Whether all ways to a function fill in or clear samples, by their names: `setupDemoData`."""
    return all(TRIED.match(entry.name) for entry in program.entries(function.key) or (function,))


def stamps(program: Program, root: str, table: str) -> frozenset[str]:
    """The fields of rows in which ordinary code stores the time of a change, whatever else it stores there."""
    return program.once(("stamps", root, table), lambda: _stamps(program, root, table))


def _stamps(program: Program, root: str, table: str) -> frozenset[str]:
    found: set[str] = set()
    for site, access in program.writes_of(root, table):
        if access.verb == "patch" and site.function.role is Role.CODE:
            steps = program.sites(site.function.key).by_id
            found |= {name for name, origins in access.sources if origins and all(_now(steps, o) for o in origins)}
    return frozenset(found)


def _now(steps: Mapping[int, Site], origin: Origin) -> bool:
    place = steps.get(origin.ref) if isinstance(origin.ref, int) and origin.root is Root.STEP else None
    return place is not None and isinstance(place.step, Clock) and not origin.path
