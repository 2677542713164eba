"""Signs of life that are written into rows which other queries read: each of them runs again with every beat (convex-facts 3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.advise.audience import unasked, waited_for
from querylint.advise.curation import by_staff
from querylint.advise.places import quiet
from querylint.advise.stored import stamps
from querylint.advise.trace import fate
from querylint.construction import dataclass
from querylint.ir import Access, Call, Clock, Function, Kind, Op, Program, Role, Table
from querylint.ir.program import Effect
from querylint.pattern import Pattern

BEAT = Pattern(
    r"^last_?(?:heart_?beat|seen|ping(?:ed)?|active|activity|online|presence|alive)(?:_?(?:at|time|on|ts|ms))?$|^heart_?beat(?:_?at)?$",
    re.I,
)
STATE = Pattern(r"online|presence|status|state|active|typing|page|path|route|location|cursor|position|device", re.IGNORECASE)
MOST_FIELDS = 3
"""What a beat writes at most: the time, and perhaps a state and a place."""
OTHERS = 4
"""How many other fields make a row more than a sign of life."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A write of no more than a sign of life, the mutations that lead there, and the public queries that read the rows for the rest."""

    function: Function
    access: Access
    table: Table
    field: str
    mutations: tuple[Function, ...]
    readers: tuple[Function, ...]


def beats(program: Program) -> Iterator[Beat]:
    """Every write that beats, with those whom it disturbs."""
    for site, access in program.writes():
        function = site.function
        table = program.table(function, access.table)
        if table is None or table.fields is None or quiet(function) or program.facts(function).planner:
            continue
        field = _beat(program, function, access, table)
        mutations = _asked(program, function, access) if field is not None else ()
        if field is not None and mutations:
            yield Beat(function, access, table, field, mutations, tuple(_disturbed(program, function.root, table.name, field)))


def _beat(program: Program, function: Function, access: Access, table: Table) -> str | None:
    """The field in which a write keeps the time of the last sign of life, where the row holds much else and the write hardly anything."""
    if access.verb != "patch" or not access.fields or len(access.fields) > MOST_FIELDS:
        return None
    if len(table.fields or ()) < len(access.fields) + OTHERS or not _alive(program, function, access, table.name):
        return None
    steps = program.sites(function.key).by_id
    if any(isinstance(steps[number].step, Clock) for number in access.guards if number in steps):
        return None  # it is written only where the last one is some time ago
    now = stamps(program, function.root, table.name)
    return next((name for name in access.fields if BEAT.match(name) and name in now), None)


def _alive(program: Program, function: Function, access: Access, table: str) -> bool:
    """Whether a write says no more than that somebody is there, and where: times, constants, a state."""
    told = stamps(program, function.root, table) | {name for name, _ in access.constants}
    return access.fields is not None and all(name in told or STATE.search(name) for name in access.fields)


def _asked(program: Program, function: Function, access: Access) -> tuple[Function, ...]:
    """The mutations that users run and that change nothing else: a time that is written with another change comes as often as that."""
    found = []
    for mutation in program.hosts(function.key):
        if mutation.kind is not Kind.MUTATION or by_staff(program, mutation) or not waited_for(program, mutation):
            continue
        writes = [e for e in program.effects.get(mutation.key, ()) if e.access.op is Op.WRITE]
        if all(e.access.table == access.table and _only_alive(program, e) for e in writes):
            found.append(mutation)
    return tuple(found)


def _only_alive(program: Program, effect: Effect) -> bool:
    """Whether a write beats as well, or makes the row that is to beat."""
    write, function = effect.access, program.functions[effect.function]
    return write.verb == "insert" or (write.table is not None and _alive(program, function, write, write.table))


def _disturbed(program: Program, root: str, table: str, field: str) -> Iterator[Function]:
    """The public queries that read rows of a table and look at anything but a field of them."""
    for query in program.functions.values():
        if query.kind is not Kind.QUERY or not query.public or query.root != root or query.role is not Role.CODE or unasked(program, query):
            continue
        effects = [e for e in program.effects.get(query.key, ()) if e.access.reads and e.access.table == table]
        if effects and not any(_looks_at(program, query, effect, field) for effect in effects):
            yield query


def _looks_at(program: Program, query: Function, effect: Effect, field: str) -> bool:
    """Whether what a query does with the rows of a read may hang on a field of them."""
    if any(p.field == field or p.field is None for plan in effect.access.plans for p in plan.predicates):
        return True
    within = program.once(("within", query.key), lambda: _within(program, query))
    seen = fate(program, program.functions[effect.function], effect.access, within)
    return seen.truncated or field in seen.fields or bool(seen.whole or seen.sent)


def _within(program: Program, query: Function) -> frozenset[str]:
    """A query, and the functions that it calls in place."""
    found, stack = {query.key}, [query.key]
    while stack:
        here = program.functions[stack.pop()]
        for step in here.steps():
            callee = program.callee(here, step) if isinstance(step, Call) else None
            if callee is not None and callee.key not in found:
                found.add(callee.key)
                stack.append(callee.key)
    return frozenset(found)
