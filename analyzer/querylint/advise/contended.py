"""Rows that every caller changes: each run of a mutation conflicts with the other runs (convex-facts 3.4)."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import waited_for
from querylint.advise.conflicts import UPKEEP
from querylint.advise.curation import by_staff
from querylint.advise.places import quiet
from querylint.advise.writes import CHANGES
from querylint.construction import dataclass
from querylint.ir import Access, Bound, Call, Function, Kind, Op, Origin, Predicate, Program, Root, Table, Value
from querylint.ir.program import Edge, Effect

NUMBERS = frozenset(("number", "int64", "float64"))
MOST_DEEP = 4


@dataclass(frozen=True, slots=True)
class Contended:
    """A write that adds to a field of the one row that all callers change, the read that picks the row, and the mutations that do so."""

    effect: Effect
    table: Table
    field: str
    read: Access
    mutations: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class _Here:
    """A function, with the calls that have led there from a registered one."""

    function: Function
    trail: tuple[Edge, ...]


def contended(program: Program) -> Iterator[Contended]:
    """Every write that adds to a row which is the same for all callers, once for each field that a place adds to."""
    found: dict[tuple[str, int, str], list[tuple[Effect, Table, Access, Function]]] = {}
    for mutation in program.functions.values():
        if mutation.kind is not Kind.MUTATION or not _busy(program, mutation):
            continue
        for effect in program.effects.get(mutation.key, ()):
            for table, field, read in _added(program, effect):
                found.setdefault((effect.function, effect.access.id, field), []).append((effect, table, read, mutation))
    for (_, _, field), ways in found.items():
        effect, table, read, _ = ways[0]
        yield Contended(effect, table, field, read, tuple(dict.fromkeys(mutation for *_, mutation in ways)))


def _busy(program: Program, mutation: Function) -> bool:
    """Whether users run a mutation, and not staff or upkeep now and then."""
    if quiet(mutation) or UPKEEP.search(mutation.name) is not None:
        return False
    return waited_for(program, mutation) and not by_staff(program, mutation)


def _added(program: Program, effect: Effect) -> Iterator[tuple[Table, str, Access]]:
    """The fields that a write makes out of what the row held, where the row is the same for every caller."""
    write = effect.access
    if write.op is not Op.WRITE or write.verb not in CHANGES or write.key is None or quiet(program.functions[effect.function]):
        return
    here = _Here(program.functions[effect.function], effect.trail)
    for origin in write.key.origins:
        row = Origin(origin.root, origin.ref, origin.path[:-1]) if origin.path[-1:] == ("_id",) else origin
        read = _read_of(program, here, row, MOST_DEEP)
        if read is None or _passes_on(write, read):
            continue
        table = program.table(here.function, read.table)
        if table is not None:
            yield from ((table, field, read) for field in _made_of(write, row, table))


def _made_of(write: Access, row: Origin, table: Table) -> Iterator[str]:
    """The numbers and lists that the write makes of those that the row held."""
    for name, steps in write.worked_out:
        field = table.field(name)
        if row.root is Root.STEP and row.ref in steps and field is not None and field.type in NUMBERS:
            yield name
    for name, lists in write.longer:
        if row.at(name) in lists:
            yield name


def _passes_on(write: Access, read: Access) -> bool:
    """Whether the write sets what the row was found by, so that the next caller finds another: a job that is claimed."""
    asked = {p.field for plan in read.plans for p in plan.predicates}
    return write.fields is None or not asked.isdisjoint(write.fields)


def _read_of(program: Program, here: _Here, row: Origin, depth: int) -> Access | None:
    """The read that every caller gets the same row by; None where the row hangs on the caller or is not known."""
    if row.path or depth == 0:
        return None
    if row.root is Root.PARAM:
        edge = here.trail[-1] if here.trail else None
        value = edge.call.args[row.ref] if edge is not None and isinstance(row.ref, int) and row.ref < len(edge.call.args) else None
        if edge is None or value is None:
            return None
        return _one(program, _Here(program.functions[edge.caller], here.trail[:-1]), value.origins, depth - 1)
    place = program.sites(here.function.key).of(row)
    if place is None:
        return None
    if isinstance(place.step, Access):
        return place.step if _fixed(here.trail, place.step) else None
    callee = program.callee(here.function, place.step) if isinstance(place.step, Call) else None
    if callee is None or not isinstance(place.step, Call):
        return None
    trail = (*here.trail, Edge(here.function.key, place.step, callee.key))
    return _one(program, _Here(callee, trail), callee.returns.origins, depth - 1)


def _one(program: Program, here: _Here, origins: tuple[Origin, ...], depth: int) -> Access | None:
    """The read by which all of some origins that are rows are got; a row that was just made for want of one is one more way to it."""
    found = [read for origin in origins if (read := _read_of(program, here, origin, depth)) is not None]
    return found[0] if len(found) == len(origins) and found else None


def _fixed(trail: tuple[Edge, ...], read: Access) -> bool:
    """Whether a read finds one row by what the code writes down: the only row of a table, or the one of a name."""
    if not read.reads or read.bound is not Bound.ONE or read.by_key or not read.plans or read.table is None:
        return False
    for plan in read.plans:
        if plan.order is not None and plan.order.descending:
            return False  # the newest of the rows is another one soon
        if not all(_written_down(trail, predicate) for predicate in plan.predicates):
            return False
    return True


def _written_down(trail: tuple[Edge, ...], predicate: Predicate) -> bool:
    """Whether a condition compares with what the code writes down."""
    if predicate.field is None or predicate.conditional or predicate.value is None:
        return False
    return _constant(predicate.value, trail)


def _constant(value: Value, trail: tuple[Edge, ...]) -> bool:
    """Whether a value is a constant, be it that of one of the calls which led here."""
    if value.constant:
        return True
    given = [o.ref for o in value.origins if o.root is Root.PARAM and not o.path and isinstance(o.ref, int)]
    if not trail or not given or len(given) < len(value.parts):
        return False
    args = trail[-1].call.args
    return all(ref < len(args) and _constant(args[ref], trail[:-1]) for ref in given)
