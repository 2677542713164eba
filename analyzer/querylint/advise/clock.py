"""Where the time of the run goes: into what is read, into what is kept of it, or into what is returned (convex-facts 3.3, 8.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from querylint.advise.stored import clocked
from querylint.construction import dataclass
from querylint.ir import Access, Branch, Call, Clock, Function, Kind, Mode, Op, Predicate, Program, Relation, Root, Use, Value, Work
from querylint.ir.program import Site
from querylint.pattern import Pattern
from querylint.text import Span

CHOOSING = frozenset((Work.FILTER, Work.FIND, Work.SOME, Work.EVERY))
ORDERED = frozenset((Relation.LT, Relation.LTE, Relation.GT, Relation.GTE))
DEPTH = 4
TIMELY = Pattern(
    r"(?:^|_)(?:now|today|day|date|time|end|start|since|until|before|after)"
    r"|(?:Now|Today|Day|Date|Time|Timestamp|At|End|Start|Ms)(?:$|[A-Z])|^as_?[oO]f"
)
LENGTH = Pattern(r"range|period|frame|zone|window|offset|span|days|weeks|months|hours|minutes", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dated:
    """A choice among rows that the time of the run decides. `step` is a read, or work in memory."""

    function: Function
    step: Access | Use
    predicate: Predicate
    way: tuple[Call, ...] = ()


STAMP = Pattern(
    r"^_creationTime$|(?:^|_|[a-z])(?:created|inserted|added|recorded|logged|received|sent|occurred|updated|modified|completed|finished|"
    r"evaluated|approved|rejected|resolved|answered|submitted|graded|archived|deleted|paid|joined|accepted|verified|closed)"
    r"_?(?:at|on|time|date|ms)?$|^(?:timestamp|ts|hourStart|dayStart|bucketStart)$",
    re.IGNORECASE,
)


def stamped(program: Program, choice: Dated) -> bool:
    """Whether a choice is made by the time at which something was written, which is never later than now: by its name, or as nothing else
    is ever stored there."""
    field = choice.predicate.field
    if field is None:
        return False
    return STAMP.search(field) is not None or any(clocked(program, choice.function.root, t, field) for t in _tables(program, choice))


def _tables(program: Program, choice: Dated) -> list[str]:
    """The tables whose rows are chosen."""
    if isinstance(choice.step, Access):
        return [choice.step.table] if choice.step.table is not None else []
    steps = program.sites(choice.function.key).by_id
    reads = [steps[o.ref].step for o in choice.step.of if o.root is Root.STEP and isinstance(o.ref, int) and o.ref in steps]
    return [r.table for r in reads if isinstance(r, Access) and r.table is not None]


def ages(program: Program, choice: Dated) -> bool:
    """Whether time alone changes the outcome: what was written before now stays so, and what is written later runs the query again."""
    return not (stamped(program, choice) and choice.predicate.relation in (Relation.LT, Relation.LTE))


def daily(program: Program, choice: Dated) -> bool:
    """Whether the day alone decides."""
    value = choice.predicate.value
    return value is not None and _of_day(program, choice.function, value.deps, DEPTH)


def _of_day(program: Program, function: Function, deps: frozenset[int], depth: int) -> bool:
    """Whether what hangs on these steps hangs on the time, and on no more of it than the day."""
    steps = program.sites(function.key).by_id
    hit = [steps[number].step for number in deps & clocks(program, function) if number in steps]
    calls = [step for step in hit if isinstance(step, Call)]
    if not hit or not all(_gives_day(program, function, call, depth) for call in calls):
        return False
    return all(step.daily or any(_within(step.span, call.span) for call in calls) for step in hit if isinstance(step, Clock))


def _gives_day(program: Program, function: Function, call: Call, depth: int) -> bool:
    """Whether a helper gives back the day of the time that it takes or is given; other code makes something of what it is given."""
    if not depth:
        return False
    callee = program.callee(function, call)
    if callee is None:
        return _of_day(program, function, call.deps - {call.id}, depth - 1)
    if any(origin.root is Root.PARAM for origin in callee.returns.origins):
        return False
    return _of_day(program, callee, callee.returns.deps, depth - 1)


def _within(inner: Span, outer: Span) -> bool:
    """Whether a time is read right where a helper is given it: nobody else has it."""
    return inner.path == outer.path and outer.start <= inner.start and inner.end <= outer.end


def swept(program: Program, function: Function, choice: Dated) -> bool:
    """Whether a job in the background deletes or changes the rows of the table by the same field as they come due."""
    table = choice.step.table if isinstance(choice.step, Access) else None
    if table is None or choice.predicate.field is None:
        return False
    for other in program.functions.values():
        if other.root != function.root or other.kind is not Kind.MUTATION or other.public:
            continue
        effects = [e.access for e in program.effects.get(other.key, ())]
        due = any(
            a.reads and a.table == table and any(p.field == choice.predicate.field for plan in a.plans for p in plan.predicates)
            for a in effects
        )
        if due and any(a.op is Op.WRITE and a.table == table and a.verb in ("delete", "patch", "replace") for a in effects):
            return True
    return False


def clocks(program: Program, function: Function) -> frozenset[int]:
    """The steps of a function whose results depend on the time of the run: clocks, and calls that are given it or give it back."""
    known = program.memo.get(("clocks", function.key))
    if isinstance(known, frozenset):
        return known
    program.memo["clocks", function.key] = frozenset()
    found = {step.id for step in function.steps() if isinstance(step, Clock)} - _spare(program, function)
    for step in function.steps():
        if not isinstance(step, Call) or step.mode is not Mode.DIRECT:
            continue
        callee = program.callee(function, step)
        if callee is not None and _reads(program, callee):
            continue
        if function.kind is not Kind.PLAIN and any(_a_time(function, arg) for arg in step.args):
            continue  # the helper takes the time that the caller gives, where one is given
        given = bool(step.deps & found) and not any(asked(function, arg) for arg in step.args)
        if given or (callee is not None and callee.returns.deps & clocks(program, callee)):
            found.add(step.id)
    program.memo["clocks", function.key] = frozenset(found)
    return frozenset(found)


def _spare(program: Program, function: Function) -> set[int]:
    """The clocks of a registered function that only stand in for an argument that is not given: `args.asOf ?? Date.now()`."""
    if function.kind is Kind.PLAIN:
        return set()
    places = program.sites(function.key).all
    around = [(site.step, places[site.arms[-1][0]].step) for site in places if isinstance(site.step, Clock) and site.arms]
    return {c.id for c, b in around if isinstance(b, Branch) and b.missing and not b.on and b.arms[0] == (c,) and c.span.end == b.span.end}


def asked(function: Function, value: Value) -> bool:
    """Whether a value is a time that the caller gave; the clock beside it is a fallback or a limit.

    What may itself be an argument of a registered function is such a time, whatever its name.
    """
    if function.kind is not Kind.PLAIN and any(o.root is Root.PARAM and o.ref == 1 and o.path for o in value.origins):
        return True
    return _a_time(function, value)


def _a_time(function: Function, value: Value) -> bool:
    """Whether a value is an argument of a function that is a time by its name."""
    for origin in value.origins:
        if origin.root is Root.PARAM and isinstance(origin.ref, int):
            name = origin.path[-1] if origin.path else function.params[origin.ref] if origin.ref < len(function.params) else ""
            if TIMELY.search(name) and not LENGTH.search(name):
                return True
    return False


def _reads(program: Program, callee: Function) -> bool:
    """Whether a helper reads the database: what it gives back is rows, not a time."""
    return bool(program.effects.get(callee.key))


def first_clock(program: Program, function: Function) -> Span | None:
    """Where the clock is read first, in the function or in a helper of it."""
    numbers = clocks(program, function)
    return next((s.span for s in function.steps() if isinstance(s, Clock | Call) and s.id in numbers), None)


def dated(program: Program, function: Function) -> list[Dated]:
    """The choices that the time of the run decides, in a function and in the helpers that it hands the time to."""
    return _dated(program, function, clocks(program, function), frozenset(), (), set())


Seen = set[tuple[str, frozenset[int]]]


def _dated(
    program: Program, function: Function, numbers: frozenset[int], params: frozenset[int], way: tuple[Call, ...], seen: Seen
) -> list[Dated]:
    found: list[Dated] = []
    for step in function.steps():
        if isinstance(step, Access) and step.op is Op.READ:
            predicates: Iterable[Predicate] = (p for plan in step.plans for p in plan.predicates)
        elif isinstance(step, Use) and step.work in CHOOSING:
            predicates = step.predicates
        else:
            if isinstance(step, Call) and step.mode is Mode.DIRECT and len(way) < DEPTH:
                found += _handed(program, function, step, numbers, params, way, seen)
            continue
        steps = program.sites(function.key).by_id
        hits = [p for p in predicates if p.value is not None and not _field(steps, p.value) and _of(function, p.value, numbers, params)]
        if hits:
            found.append(Dated(function, step, min(hits, key=lambda p: p.relation not in ORDERED), way))
    return found


def _field(steps: Mapping[int, Site], value: Value) -> bool:
    """Whether a value is a field of a stored row as it is: not the time, though the time may have chosen the row."""
    places = [steps.get(o.ref) if o.root is Root.STEP and isinstance(o.ref, int) and o.path else None for o in value.origins]
    return bool(places) and all(p is not None and isinstance(p.step, Access) for p in places)


def _of(function: Function, value: Value, numbers: frozenset[int], params: frozenset[int]) -> bool:
    if any(o.root is Root.PARAM and o.ref in params and not o.path for o in value.origins):
        return True
    return bool(value.deps & numbers) and not asked(function, value)


def _handed(
    program: Program, function: Function, call: Call, numbers: frozenset[int], params: frozenset[int], way: tuple[Call, ...], seen: Seen
) -> list[Dated]:
    """Helpers that are given the time: what they choose by it."""
    callee = program.callee(function, call)
    if callee is None:
        return []
    given = frozenset(number for number, value in enumerate(call.args) if _of(function, value, numbers, params))
    own = clocks(program, callee)
    if not (given or own) or (callee.key, given) in seen:
        return []
    seen.add((callee.key, given))
    return _dated(program, callee, own, given, (*way, call), seen)
