"""Filters and sorts in memory whose work an index range could do: what they ask of an index, and which standing one has it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.advise.audience import unasked, waited_for
from querylint.advise.growth import Reach, catalogued, reach
from querylint.advise.memory import Load, drains, joins, loads, weight
from querylint.advise.planner import plain
from querylint.advise.serving import (
    Serving,
    Want,
    before_creation,
    full,
    keeps_order,
    known_field,
    proposal,
    range_taken,
    sargable,
    serve,
    wanted,
)
from querylint.advise.stored import always, lets_pass
from querylint.advise.trace import Seen
from querylint.advise.volume import busy
from querylint.construction import dataclass
from querylint.ir import Access, Loop, Plan, Predicate, Program, Relation, Root, Table, Way, Work
from querylint.pattern import Pattern
from querylint.rule import Severity, Weight, hint

OWNERS = Pattern(r"^(?:org|organization|team|workspace|tenant|user|owner|account|thread)_?id$", re.IGNORECASE)
WHOLE = (Work.FOLD, Work.GROUP, Work.DISTINCT, Work.COUNT)
ALL_NEEDED = (Work.FIRST, Work.LAST, Work.PICK, Work.SORT, Work.SLICE, Work.COUNT, Work.FOLD, Work.GROUP, Work.DISTINCT)
CUTS = (Work.SLICE, Work.FIRST, Work.LAST, Work.PICK)


@dataclass(frozen=True, slots=True)
class Reduction:
    """Filters in memory that one index range could do, the first of them in `seen`. `serving` is the index that has it, or one to add.

    `always` says that they run on every call, whatever its arguments; `because` why it is a hint, where it is.
    """

    load: Load
    seen: Seen
    predicates: tuple[Predicate, ...]
    want: Want
    serving: Serving
    severity: Severity
    always: bool
    because: str = ""


@dataclass(frozen=True, slots=True)
class Sorting:
    """A sort in memory, and whether the list is cut after it.

    `fields` are compared one after the other; `*` where they are chosen at run time.

    The want binds what filters bind that always run before it: one index then does both.

    `serving` is the index that would give the order, or one to add; None where no index can.
    """

    load: Load
    seen: Seen
    fields: tuple[str, ...]
    want: Want
    serving: Serving | None
    severity: Severity
    cut: bool
    because: str = ""


Filtered = tuple[Load, list[Seen], list[Reduction]]
LOWER = frozenset((Relation.GT, Relation.GTE))
TIMED = Pattern(r"^_creationTime$|(?:^|_|[a-z])(?:date|day|time|timestamp|at)$", re.IGNORECASE)


def filtered(program: Program) -> list[Filtered]:
    """Every list that memory filters: the works that do so, and those of them that an index range could do."""
    return program.once("filtered in memory", lambda: list(_filtered(program)))


def _filtered(program: Program) -> Iterator[Filtered]:
    for load in loads(program, capped=True):
        if load.fate.leaves_unselected() or load.fate.truncated or load.access.table is None:
            continue  # of a table that is not to be told, no index can be named
        counted = load.counted_filters(program)
        seen = [s for s in load.works(Work.FILTER, Work.FIND, Work.SOME) if s.mark not in counted]
        batched = {s.mark for s in seen if joins(program, s, s.use.predicates)}
        seen = [s for s in seen if batched.isdisjoint(s.behind)]  # what a batch has for one item is a matter of that item
        if program.facts(load.function).bulk_reads:
            seen = [s for s in seen if not wanted_besides(load, s)]
        yield load, seen, [] if any(p.way is Way.SEARCH for p in load.access.plans) else list(_reductions(program, load, seen))


def _reductions(program: Program, load: Load, seen: list[Seen]) -> Iterator[Reduction]:
    """One for the filters that always run; one for each that the caller may choose, the later ones as hints."""
    hits = [
        (s, found) for s in seen if not bypassed(load, s) and not _walked_besides(program, load, s) and (found := _usable(program, load, s))
    ]
    always = [h for h in hits if not h[0].use.conditional]
    choices = [h for h in hits if h[0].use.conditional]
    if always:
        yield _reduction(program, load, always)
    for number, choice in enumerate(choices):
        yield _reduction(program, load, [choice], again=bool(always) or number > 0)


def _reduction(program: Program, load: Load, hits: list[tuple[Seen, tuple[Predicate, ...]]], *, again: bool = False) -> Reduction:
    plan = load.access.plans[0]
    common = _common(hits)
    given = tuple(p for _, found in hits for p in found if p.field in common)
    predicates = tuple(p for p in given if not p.conditional) or given[:1]
    want, serving = _served(load.table, plan, predicates)
    counted = {s.mark for s, _ in hits} <= load.only_counted()  # all the rows are needed besides
    shown = load.fate.listed and all(s.use.work is Work.SOME for s, _ in hits)  # and so they are where something of each is shown
    maybe = hits[0][0].use.conditional
    besides = "all of the rows are needed anyway" if counted or shown else "an earlier filter on the same rows is reported" if again else ""
    found = hint(besides) if besides else _weight(program, load, plan, predicates, serving, want, maybe=maybe)
    return Reduction(load, hits[0][0], predicates, want, serving, found.severity or Severity.WARNING, not maybe, found.because)


def _common(hits: list[tuple[Seen, tuple[Predicate, ...]]]) -> set[str | None]:
    """The fields that all of some filters test, each together with those before it: of side by side ones a range may bind no others.

    Where they have none in common, those of the first: its own caller may ask for them.
    """
    tested = {s.mark: {p.field for p in found} for s, found in hits}

    def passed(s: Seen) -> set[str | None]:
        return {name for mark in (*s.behind, s.mark) for name in tested.get(mark, ())}

    ends = [s for s, _ in hits if not any(s.mark in other.behind for other, _ in hits)]
    shared = set.intersection(*map(passed, ends)) if ends else set()
    return shared or passed(hits[0][0])


def sorted_in_memory(program: Program) -> list[Sorting]:
    """Every list that memory sorts by a field of its rows."""
    return program.once("sorted in memory", lambda: list(_sorted(program)))


def _sorted(program: Program) -> Iterator[Sorting]:
    before = {(load.function.key, load.access.id): found for load, _, found in filtered(program)}
    for load in loads(program):
        if any(p.way is Way.SEARCH for p in load.access.plans) or load.fate.truncated or load.access.table is None:
            continue
        for seen in load.works(Work.SORT)[:1]:
            known = seen.use.fields and all(f == "*" or known_field(f, load.table) for f in seen.use.fields)
            if known and not _merged(program, load, seen):
                yield _sorting(program, load, seen, before.get((load.function.key, load.access.id), []))


def _merged(program: Program, load: Load, seen: Seen) -> bool:
    """Whether rows of another table are sorted together with these: no query puts them in one order."""
    sites = program.sites(seen.function.key).by_id
    reads = (sites[o.ref].step for o in seen.use.of if o.root is Root.STEP and o.ref in sites)
    return any(isinstance(read, Access) and read.table != load.access.table for read in reads)


def _sorting(program: Program, load: Load, seen: Seen, before: list[Reduction]) -> Sorting:
    plan = load.access.plans[0]
    cut = any(seen.mark in s.behind for s in load.works(*CUTS))
    tested = (p.field for p in plan.residual() if p.field and p.relation is Relation.EQ and not p.conditional and sargable(p, load.table))
    known = (*plan.fixed(), *tested)
    keys = _keys(seen.use.fields, known)
    field = keys[0]
    ranged = any(p.relation is not Relation.EQ and p.field in (None, field) for p in plan.predicates)
    ahead = [r for r in before if r.always and r.seen.mark in seen.behind and r.want.then in ((), (field,))]
    bound = (*known, *(f for r in ahead for f in r.want.equal))
    fixed = tuple(dict.fromkeys(f for f in bound if f not in keys))
    want = Want(fixed, keys)
    serving = serve(load.table, want, beyond=fixed)
    if field in ("*", "_creationTime"):
        serving = None if field == "*" else serving
    elif serving is None or not full(serving, want):
        serving = proposal(want)
    cuts = {s.mark for s in load.works(*CUTS)}
    others = any(s.use.work in WHOLE and not cuts & s.behind and _beside(program, load, seen, s) for s in load.fate.uses)
    picked = any(s.use.id in seen.use.after and not all(sargable(p, load.table) for p in s.use.predicates) for s in load.works(Work.FILTER))
    alone = (
        "all of the rows are shown, so an index saves only the sort"
        if not cut
        else "the range binds this field already"
        if ranged
        else "the rows are needed anyway, whatever their order"
        if others
        else "what is tested in memory picks the rows after the sort"
        if picked
        else "the range binds two keys already, and a person has few rows with both"
        if _few_of_person(program, load, plan, serving)
        else ""
    )
    found = hint(alone) if alone else weight(program, load)
    return Sorting(load, seen, keys, want, serving, found.severity or Severity.WARNING, cut, found.because)


def _few_of_person(program: Program, load: Load, plan: Plan, serving: Serving | None) -> bool:
    """Whether a new index would only put in order the rows of one person that a second key has picked already."""
    new = serving is not None and serving.create
    return new and len(plan.fixed()) > 1 and reach(program, load.function, load.access) <= Reach.PERSON


def _keys(fields: tuple[str, ...], bound: tuple[str, ...]) -> tuple[str, ...]:
    """The fields of an order that an index has to hold: what the query binds is the same in all rows, the time of creation comes last."""
    if fields[0].startswith("_") or "*" in fields:
        return ("*",) if "*" in fields else fields[:1]
    left = tuple(f for f in fields if f not in bound)
    return before_creation(left) or fields[:1]


def _beside(program: Program, load: Load, seen: Seen, other: Seen) -> bool:
    """Whether a work runs where the sort does, in a helper that is always given the rows before they are cut, or in one beside it."""
    if other.function.key == seen.function.key or _shared_out(program, seen, other):
        return True
    by_id = program.sites(seen.function.key).by_id
    call = next((by_id[e.call.id] for e in other.way[len(seen.way) :] if e.caller == seen.function.key and e.call.id in by_id), None)
    cuts = [by_id[s.use.id] for s in load.works(*CUTS) if s.function.key == seen.function.key and s.use.id in by_id]
    return call is not None and all(call.rank < cut.rank and set(call.arms) <= set(cut.arms) for cut in cuts)


def _shared_out(program: Program, seen: Seen, other: Seen) -> bool:
    """Whether one function hands the rows to two others: a component that shows totals beside the one that lists the newest."""
    fork = next(((mine, its) for mine, its in zip(seen.way, other.way, strict=False) if mine != its), None)
    if fork is None or fork[0].caller != fork[1].caller:
        return False
    by_id = program.sites(fork[0].caller).by_id
    mine, its = by_id.get(fork[0].call.id), by_id.get(fork[1].call.id)
    return mine is not None and its is not None and set(its.arms) <= set(mine.arms)


def bypassed(load: Load, seen: Seen) -> bool:
    """Whether other work needs the rows that the filter drops."""
    if seen.use.work is Work.FIND:  # a choice with a fallback: the rows that it passes by may be taken all the same
        return any(o.function.key == seen.function.key for o in load.works(Work.FIRST, Work.LAST, Work.PICK, Work.SORT, Work.COUNT))
    if seen.use.work is Work.SOME:  # a question about rows that are there for others
        return any(o.function.key == seen.function.key and not o.use.after for o in load.works(*ALL_NEEDED))
    if seen.use.work is not Work.FILTER:
        return False
    fields = {p.field for p in seen.use.predicates}
    periods = {s.use.id for s in load.works(Work.FILTER) if s.function.key == seen.function.key and begin_alike(seen, s)}
    for other in load.works(Work.FILTER):
        apart = seen.use.id not in other.use.after and other.use.id not in seen.use.after and periods.isdisjoint(other.use.after)
        alone = other.function.key == seen.function.key and apart and not (seen.use.conditional or other.use.conditional)
        if alone and not fields & {p.field for p in other.use.predicates}:
            return True
    for other in load.works(Work.SORT, Work.SLICE, Work.FOLD, Work.GROUP, Work.DISTINCT):
        mine = other.function.key == seen.function.key and periods.isdisjoint(other.use.after)
        if mine and seen.use.id not in other.use.after and other.use.id not in seen.use.after:
            return True
    return False


def begin_alike(one: Seen, other: Seen) -> bool:
    """Whether two filters bound the same field from the same side (this month, the month before): one range holds the rows of both."""
    mine, its = ({(p.field, p.relation in LOWER) for p in s.use.predicates if p.field and p.relation.ranged} for s in (one, other))
    return not mine.isdisjoint(its)


def wanted_besides(load: Load, seen: Seen) -> bool:
    """Whether rows that are searched by one field are also there for others."""
    tested = {p.field for p in seen.use.predicates}
    return seen.use.work is Work.SOME and bool(load.fate.fields.keys() - tested)


def _walked_besides(program: Program, load: Load, seen: Seen) -> bool:
    """Whether the same rows are walked once more than they are filtered: then all of them are wanted."""
    if not plain(program, load.function):
        return False
    over = [s for s in seen.function.steps() if isinstance(s, Loop) and s.over is not None and set(s.over.origins) & set(seen.use.of)]
    return len(over) > len([s for s in load.fate.uses if s.function.key == seen.function.key and s.use.work is Work.FILTER])


def _usable(program: Program, load: Load, seen: Seen) -> tuple[Predicate, ...]:
    plan = load.access.plans[0]
    taken = range_taken(plan) is not None
    found = tuple(
        p for p in seen.use.predicates if sargable(p, load.table) and p.field not in plan.fixed() and not (taken and p.relation.ranged)
    )
    if program.facts(load.function).planner:
        found = tuple(p for p in found if not _varying(program, seen, p))
    moving = _moving(program, seen)
    found = tuple(p for p in found if p.value is None or not p.value.deps & moving)
    if plain(program, load.function):
        found = tuple(p for p in found if load.table is not None and load.table.field(p.field or ""))
    return () if joins(program, seen, found) else found


def _moving(program: Program, seen: Seen) -> frozenset[int]:
    """What a loop over the rows changes from round to round, as the best that it has met: no range can be bound by that."""
    site = program.sites(seen.function.key).by_id.get(seen.use.id)
    loops = [loop for loop in site.loops if loop.over is not None and set(loop.over.origins) & set(seen.use.of)] if site is not None else []
    return frozenset(carried.id for loop in loops for carried in loop.carried)


def _varying(program: Program, seen: Seen, p: Predicate) -> bool:
    """Whether what a field is compared with differs from row to row."""
    site = program.sites(seen.function.key).by_id.get(seen.use.id)
    if site is None or p.value is None:
        return False
    inside = {loop.id for loop in site.loops} | {getattr(step, "id", None) for loop in site.loops for step in loop.steps()}
    return bool(p.value.deps & inside)


def _weight(
    program: Program, load: Load, plan: Plan, predicates: tuple[Predicate, ...], serving: Serving, want: Want, *, maybe: bool
) -> Weight:
    """A hint where the filter leaves out next to nothing, or a new index would split what two keys have found already."""
    if drains(program, load):
        return hint("the rows leave the range that is read, which stays short")
    if serving.create and len(plan.fixed()) > 1:
        return hint("the range binds two keys already, and few rows have both")
    if serving.create and catalogued(program, load.function, load.access):
        return hint("the range holds one row for each of a few names")
    chosen = all(p.conditional for p in predicates)
    if (chosen or maybe) and any(p.relation is Relation.EQ and not p.conditional for p in plan.residual()):
        return hint("what the database always filters by is worth the index more")
    if load.site.arms and (chosen or maybe):  # the arm may be the one where the condition is not asked for
        return hint("only some calls ask for it")
    if serving.create and plan.order is not None and not keeps_order(plan, load.table, serving, want):
        return hint("the order is needed, and an index that serves both would be a different one")
    if _guards(program, load, plan, predicates):
        return hint("the filter only checks the owner")
    if lets_pass(program, load.function.root, load.access.table, predicates):
        return hint("nearly every row passes the filter")
    if not (chosen or maybe) and _further_on(program, load, plan, predicates, serving):
        return Weight(Severity.WARNING)
    return weight(program, load)


def _further_on(program: Program, load: Load, plan: Plan, predicates: tuple[Predicate, ...], serving: Serving) -> bool:
    """Whether the index in use goes on with the time by which memory cuts down what a busy table gathers: the range may end there."""
    function = load.function
    if load.reported or serving.create or serving.index != plan.index or program.facts(function).planner:
        return False
    timed = any(p.relation.ranged and p.field in serving.fields and TIMED.search(p.field or "") for p in predicates)
    return timed and busy(program, function.root, load.access.table) and waited_for(program, function) and not unasked(program, function)


def _guards(program: Program, load: Load, plan: Plan, predicates: tuple[Predicate, ...]) -> bool:
    """Whether the filter only checks the owner: the range is that of one thing, which has one owner anyway."""
    names = [p.field for p in predicates if p.field]
    inner = any(f.lower().endswith("id") and not OWNERS.match(f) for f in plan.fixed())
    root, table = load.function.root, load.access.table
    return inner and bool(names) and all(OWNERS.match(p.field or "") or always(program, root, table, p) for p in predicates)


def _served(table: Table | None, plan: Plan, found: tuple[Predicate, ...]) -> tuple[Want, Serving]:
    taken = range_taken(plan)
    database = tuple(p for p in plan.residual() if p.relation is Relation.EQ and not p.conditional)
    want = wanted(plan.fixed(), (*database, *found), table, taken=taken) or Want(tuple(p.field for p in found if p.field))
    serving = serve(table, want, beyond=plan.fixed())
    if not full(serving, want) and (serving is None or taken is not None or len(serving.fields) <= len(plan.fixed())):
        serving = proposal(want)
    assert serving is not None
    return want, serving
