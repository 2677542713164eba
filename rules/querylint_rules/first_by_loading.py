"""
# A list loaded only for one row, or to check whether there are any

## What it finds
`.collect()` whose result is used by its first or last element, or by whether it is empty, and by nothing else.

## Why it costs
All rows of the range are read and billed where one would do.

## Instead
`.first()` for the first row (and `=== null` for emptiness), `.order("desc").first()` for the last, `.take(n)` for the first n. Rows that
are asked for again after the question whether there are any are to be loaded once, and kept.

## When it stays silent
Lists of which more is used, be it only to make a text of each row, lookups by a unique field, lists that were filtered or sorted in
memory first and whole tables (other rules speak of those), tables that the settings call small, tests, seeds and migrations. It is a hint
where the code lets only one such row exist, where some row is an error and so as a rule there is none (not where it
keeps a row from being deleted), and where the question is whether any row passes a filter: without a match, the first costs as many rows
as all.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import ALONE, UNWAITED, left_alone, unhurried
from querylint.advise.eager import at_most_one
from querylint.advise.growth import asked_for, memberships, one_row
from querylint.advise.memory import Load, choices, fails, grouped, handed_on, loads, matching, trail, visited
from querylint.advise.planner import plain
from querylint.advise.sequence import leaves, writes_between
from querylint.advise.stored import TOMBSTONE
from querylint.advise.trace import Seen
from querylint.ir import Access, Bound, Branch, Call, Kind, Program, Terminal, Way, Work
from querylint.ir.program import Site, Sites
from querylint.remedy import Advice, Limit, Probe
from querylint.rule import Cost, Found, Point, Severity, demoted, rule

KEPT = Advice("load them once: keep them in a variable (a template has {% with %}), and ask that whether there are any")
ONE = frozenset((Work.FIRST, Work.LAST, Work.EMPTY))


@rule(pattern="mem-filter", severity=Severity.WARNING, cwe=1094)
def first_by_loading(program: Program) -> Iterator[Found]:
    """Lists of which one row or none is used."""
    for load in loads(program):
        kinds = {s.use.work for s in load.fate.uses}
        if not kinds or not kinds <= ONE or load.fate.leaves_unselected() or load.fate.truncated or load.fate.gone_through:
            continue
        if kinds == {Work.EMPTY} and load.fate.fields:
            continue
        if _answered(load):
            continue
        if program.facts(load.function).planner and handed_on(load):
            continue
        if load.access.bound is not Bound.ALL or load.reported or load.access.held or _unique(program, load) or visited(load):
            continue
        if plain(program, load.function) and (kinds == {Work.EMPTY} or any(p.predicates for p in load.access.plans)):
            continue  # the few rows that conditions leave come in one message
        found = _found(program, load, kinds)
        spared = not (kinds == {Work.EMPTY} and _filtered(load))  # where nothing matches, the first match costs all rows as well
        because = _little(program, load) if spared else "where no row matches, the first match costs all rows as well"
        yield demoted(found, because) if because else found


def _answered(load: Load) -> bool:
    """Whether the list is what a client asked for, and only the server looks at its first row or whether there is any."""
    unreduced = any(not left.selected for left in load.fate.sent)
    return unreduced and not any(s.function.kind is Kind.CLIENT for s in load.fate.uses)


def _filtered(load: Load) -> bool:
    """Whether the database filters the rows that it has read: it then reads on until one matches."""
    return any(p.way in (Way.SCAN, Way.INDEX) and p.residual() for p in load.access.plans)


def _little(program: Program, load: Load) -> str:
    """Why next to nothing is loaded too much: one row, the groups that one is in, the rows of a row at hand or of a pair of keys, or
    while nobody waits; else empty."""
    if left_alone(program, load.function):
        return ALONE
    if load.access.follows is not None:
        return "the rows belong to one parent row, and are usually few"
    if unhurried(program, load.function):
        return UNWAITED
    plans = load.access.plans
    if grouped(load.access):
        return "the database reads all rows to group them, however many groups are wanted"
    if _refused(program, load):
        return "a row is an error here, so there is usually none"
    if program.facts(load.function).planner:
        if _elsewhere(load):
            return "other callers of the query may need the list"
        if all(len(asked_for(p)) > 1 for p in plans):
            return "the query binds two keys, and few rows have both"
    if memberships(program, load.function, load.access):
        return "one person is in few groups"
    return "there is one such row at most" if one_row(program, load.function, load.access, plans[0]) else ""


def _refused(program: Program, load: Load) -> bool:
    """Whether some row is an error, and rows are all that is loaded: as a rule there is none, or the one that the check allows.

    Not where a row is to be deleted, or marked so, that others may belong to: those may be many, and they are asked for because they often
    are there. Whoever calls a helper that asks may delete.
    """
    if any(plan.eager or plan.whole for plan in load.access.plans):
        return False
    if any(isinstance(step, Access) and _removes(step) for step in load.function.own_steps()):
        return False
    gone = [e.access for entry in program.entries(load.function.key) for e in program.effects.get(entry.key, ()) if _removes(e.access)]
    if any(_owns(program, load, access) for access in gone):
        return False
    tests = choices(load.function, load.access)
    return bool(tests) and all(not b.missing and fails(b.arms[0]) for b in tests)


def _owns(program: Program, load: Load, removed: Access) -> bool:
    """Whether the rows that are asked for may belong to the one that is removed, as far as the tables say what belongs to what."""
    if load.table is None or removed.table is None or not program.facts(load.function).planner:
        return True
    return removed.table in {load.table.name, *(link.target for link in load.table.links if not link.many)}


def _removes(access: Access) -> bool:
    """Whether a row is deleted, or marked as such; `{ archived: false }` brings it back."""
    if access.verb != "patch":
        return access.verb == "delete"
    constants = dict(access.constants)
    marks = [name for name in access.fields or () if TOMBSTONE.match(name)]
    return any(name not in constants or (bool(constants[name]) and repr(constants[name]) != "undefined") for name in marks)


def _elsewhere(load: Load) -> bool:
    """Whether the rows are asked for in other functions, of which some may not be seen."""
    return any(s.function.key != load.function.key for s in load.fate.uses)


def _unique(program: Program, load: Load) -> bool:
    """Whether the range holds one row at most: by the id, or as far as an index that is unique tells."""
    if program.facts(load.function).planner:
        return at_most_one(program, load.function, load.access)
    plan = load.access.plans[0]
    if "_id" in plan.fixed():
        return True
    index = load.table.index(plan.index) if load.table is not None and plan.index else None
    return index is not None and index.unique and set(index.fields) <= set(plan.fixed())


def _remedy(kinds: set[Work], *, planner: bool) -> Advice | Limit | Probe:
    if kinds == {Work.EMPTY}:
        return Probe()
    return Advice('read one row with .order("desc").first()') if Work.LAST in kinds and not planner else Limit(1)


def _found(program: Program, load: Load, kinds: set[Work]) -> Found:
    seen: Seen = next((s for s in load.fate.uses if s.use.work is not Work.EMPTY), load.fate.uses[0])
    table = load.access.table
    last = Work.LAST in kinds
    planned = program.facts(load.function).planner
    rows = f"{matching(program, load)}{' that match' if _filtered(load) and not planned else ''}"
    if kinds == {Work.EMPTY}:
        message = f"{rows} are loaded to check whether there are any"
    elif Work.EMPTY in kinds and planned:
        message = f"{rows} are loaded to check whether there are any, and to use the {'last' if last else 'first'} one"
    else:
        message = f"{rows} are loaded to use the {'last' if last else 'first'} one"
    again = _again(program, load) if planned and kinds == {Work.EMPTY} else None
    if again is not None:
        message += ", and loaded again to be used"
    return Found(
        load.access.span if planned else load.access.chain,
        message,
        (*trail(program, load, seen), *([Point(again.span, "the same rows are loaded again here")] if again is not None else [])),
        KEPT if again is not None else _remedy(kinds, planner=planned),
        function=load.function.key,
        table=table,
        also=("overfetch",),
        cost=Cost(load.cost if not planned else rows, _after(load, again)),
        operation=load.access.verb,
    )


def _again(program: Program, load: Load) -> Access | None:
    """A later read of the very same rows, which are used there: it would do for the question as well."""
    places, mine = program.sites(load.function.key), load.access
    for site in places.all:
        step = site.step
        if (
            site.rank > load.site.rank
            and len(site.loops) <= len(load.site.loops)
            and isinstance(step, Access)
            and step.reads
            and step.terminal is Terminal.ROWS
            and (step.table, step.bound, step.chain) == (mine.table, mine.bound, mine.chain)
            and step.plans == mine.plans
            and _of_the_same(places, mine.deps ^ step.deps)
            and _where_some_are(places, mine, site)
        ):
            between = writes_between(program, load.function, load.site.rank, site.rank)
            return None if any(isinstance(w, Call) or w.table in (mine.table, None) for w in between) else step
    return None


def _where_some_are(places: Sites, asked: Access, site: Site) -> bool:
    """Whether a place is reached where a question has found rows, or in either case; not only where there are none."""
    inside = [(places.all[rank].step, arm) for rank, arm in site.arms]
    told = [(b, arm) for b, arm in inside if isinstance(b, Branch) and asked.id in b.on]
    if told:
        return all(b.missing == (arm == 1) for b, arm in told)
    before = (s.step for s in places.all if s.rank < site.rank)
    return not any(isinstance(b, Branch) and asked.id in b.on and not b.missing and leaves(b.arms[0]) for b in before)


def _of_the_same(places: Sites, between: frozenset[int]) -> bool:
    """Whether what two reads hang on differs in nothing but that each has been asked for by a call of its own, written alike."""
    steps = [places.by_id[number].step if number in places.by_id else None for number in between]
    calls = {(step.target, step.text) for step in steps if isinstance(step, Call)}
    return len(calls) <= 1 and all(isinstance(step, Call) for step in steps)


def _after(load: Load, again: Access | None) -> str:
    if again is not None:
        return "one read of them"
    return "the rows up to the first that matches" if _filtered(load) else "1 row"
