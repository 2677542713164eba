"""
# Independent reads awaited one after another

## What it finds
Two or more reads, batches of reads, or calls that read, of which the later does not need the earlier: neither its result nor a check made
on it lies between them.

## Why it costs
The function waits for one trip to the database after the other. In a Convex transaction reads that are started together travel together,
up to 16 at a time; in an action each `runQuery` is a transaction of its own, and they overlap.

## Instead
Start them together: `const [persona, variants] = await Promise.all([...])`.

## When it stays silent
It reports nothing for

- reads with a check between them that throws or returns (the second may then not be wanted), or with a write to the same table;
- promises that are started before the first of them is awaited, and loops that fetch their rows as they go (`for await`);
- reads that use one another's results, and alternatives of one choice;
- `runQuery` inside a transaction, where starting them together gains nothing;
- tests, seeds and migrations.

It is only a hint where

- nobody waits (crons, scheduled jobs), or no client calls this function while clients call most others;
- another branch of the same choice has a waterfall that is reported;
- the function also waits for every item of a loop, or two or three lookups delay a write;
- a single document is read next to a batch that takes several trips or reads long lists;
- the later read depends on a condition of its own, behind one that may have ended the function;
- a lookup could be saved for an action that also waits for an external service;
- lookups are made only if an earlier one finds nothing, or a whole table is read whose rows are looked up by the ids of others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import ceil

from querylint.advise.audience import UNASKED, UNWAITED, unasked, waited_for
from querylint.advise.behind import behind_outside
from querylint.advise.growth import accumulates, grows
from querylint.advise.memory import keyed
from querylint.advise.places import describe, quiet, reaching, shortest
from querylint.advise.planner import entire
from querylint.advise.rounds import SEQUENTIAL, lasting
from querylint.advise.sequence import Unit, barriers, cheap, closure, exclusive, leaves, units, writes_between
from querylint.advise.volume import MANY, busy
from querylint.ir import Access, Bound, Branch, Call, ExitKind, Function, Kind, Loop, LoopKind, Program, Root, TargetKind, Wait
from querylint.ir.program import Effect
from querylint.remedy import Gather
from querylint.rule import Cost, Found, Point, Severity, rule

FEW_READS = 2
ENDS = frozenset((ExitKind.RETURN, ExitKind.THROW))
BATCH = 16  # reads that travel together (convex-facts 0.4)

MOST_READS = 60
"""Reads of one block that are compared with one another: more, which only machines write, are compared in parts."""

AGAIN = "another chain in the same function is reported"


@rule(pattern="waterfall", severity=Severity.WARNING, cwe=1060)
def waterfall(program: Program) -> Iterator[Found]:
    """Groups of reads that could have been started together: the first of a function as it deserves, the others as hints."""
    for function in program.functions.values():
        if quiet(function) or function.kind is Kind.CLIENT or not program.facts(function).parallel:
            continue
        told = False
        apart = ([u for u in reads if not _streamed(u)] for reads in units(program, function))
        for block in (reads[at : at + MOST_READS] for reads in apart for at in range(0, len(reads), MOST_READS)):
            for group, again in _groups(program, function, block):
                found = _found(program, function, group, again=again or told)
                told = told or found.severity is None
                yield found


def _streamed(unit: Unit) -> bool:
    """Whether a loop fetches the rows as it goes (`for await`): its rounds belong to the read, which a Promise.all cannot start."""
    return isinstance(unit.site.step, Access) and unit.site.step.verb == "for await"


def _groups(program: Program, function: Function, block: list[Unit]) -> Iterator[tuple[list[Unit], bool]]:
    """Reads that could start at the same time, yet are waited for one after another.

    The level of a read is the number of waits that must come before it: one more than the level of what it needs. Reads of one level
    that are waited for at different places are a waterfall; those that a Promise.all waits for together are one stage already. A
    group holds reads of one path; those of other arms of the same choice come after it, and say so.
    """
    behind = [closure(program, function, u.needs | barriers(program, function, u.start, u.site.loops), u.site.loops) for u in block]
    levels: list[int] = []
    for number, later in enumerate(block):
        stage = [n for n, u in enumerate(block) if u.done == later.done]
        before = [levels[n] for n in range(number) if any(_needs(program, function, block[n], block[m], behind[m]) for m in stage)]
        levels.append(1 + max(before, default=-1))
    for level in sorted(set(levels)):
        together: list[list[Unit]] = []
        for unit in (u for n, u in enumerate(block) if levels[n] == level):
            home = next((g for g in together if not any(_apart(program, unit, o) for o in g)), None)
            if home is None:
                together.append([unit])
            else:
                home.append(unit)
        groups = [[u for u in members if any(_in_turn(u, o) for o in members)] for members in together]
        for number, group in enumerate(g for g in groups if len({u.done for u in g}) > 1):
            yield group, number > 0


def _in_turn(a: Unit, b: Unit) -> bool:
    """Whether one of two reads is only started when the other has been waited for."""
    return a.done < b.start or b.done < a.start


def _apart(program: Program, a: Unit, b: Unit) -> bool:
    """Whether only one of two reads is ever reached."""
    first, second = (a, b) if a.start < b.start else (b, a)
    return exclusive(program, first.site, second.site)


def _needs(program: Program, function: Function, earlier: Unit, later: Unit, behind: frozenset[int]) -> bool:
    """Whether the later read must wait for the earlier: for its result, for a check made on it, for its failure, or for a write between."""
    if earlier.done >= later.start or _apart(program, earlier, later):
        return False
    if later.site.handled and not earlier.site.handled:
        return True
    number = getattr(earlier.site.step, "id", None)
    if number in behind or _ids(earlier) & behind:
        return True
    if program.callees.get((function.key, number or 0)) in program.throws and not earlier.remote:
        return True
    tables = {e.access.table for e in later.reads}
    for write in writes_between(program, function, earlier.start, later.start):
        if isinstance(write, Call) or write.table is None or write.table in tables or None in tables:
            return True
    return False


def _ids(unit: Unit) -> frozenset[int]:
    return frozenset(e.access.id for e in unit.reads if e.function == unit.site.function.key)


def _found(program: Program, function: Function, group: list[Unit], *, again: bool) -> Found:
    later = next(u for u in group if u.done != group[0].done)
    waits = len({u.done for u in group})
    points = tuple(Point(u.site.step.span, f"waits for {_awaited(u)}") for u in group)
    because = AGAIN if again else _little(program, function, group)
    return Found(
        later.site.step.span,
        _message([_name(u) for u in group], waits),
        shortest(reaching(program, function)) + points,
        Gather(tuple(u.site.step.span for u in group)),
        Severity.INFO if because else None,
        function=function.key,
        table=later.reads[0].access.table,
        cost=Cost(f"{waits} round trips, one after another", _together(group)),
        operation="waterfall",
        because=because,
    )


def _little(program: Program, function: Function, group: list[Unit]) -> str:
    """Why the waits are felt little, or starting the reads together would read more; empty where neither is so."""
    if any(writes_between(program, function, a.start, b.start) for a, b in pairwise(group)):  # also by what goes on with the rows
        return "something is written between the reads"
    if len(group) <= 3 and _writing(program, function) and all(_short(program, u) for u in group):
        return "it delays one write by a lookup or two"
    if len(group) == FEW_READS and all(cheap(u.reads) for u in group) and _unseen_between(program, function, *group):
        return "code outside the project gets the context between two lookups, and may throw or write"
    if _fanned_out(program, function, group):
        return "this runs for every item of a long list at once, so the batches are full already"
    if _behind(program, function, group):
        return "the caller waits for an external service anyway"
    if _drowned(program, function):
        return "the function also waits for every item of a loop, which costs far more"
    if _beside_many(program, function, group) or _beside_heavy(program, group):
        return "it saves one lookup next to a batch that takes longer"
    if len(group) == FEW_READS and any(_looked_up(program, function, u) for u in group):
        return "the rows are only looked up for the others: the read of all of them is reported, and fixing it needs the others first"
    if unasked(program, function):
        return UNASKED
    if not waited_for(program, function):
        return UNWAITED
    if _seldom(group) or _left_before(program, function, group) or _fallback(program, function, group):
        return "a condition often skips the later read; starting both would not"
    return ""


def _unseen_between(program: Program, function: Function, first: Unit, second: Unit) -> bool:
    """Whether the function stands still, between two reads, for outside code that it hands its context."""
    places = program.sites(function.key)
    return any(
        isinstance(place.step, Call)
        and place.step.target.kind is TargetKind.EXTERNAL
        and first.done < place.rank < second.start
        and place.step.id in places.waits
        and any(o.root is Root.PARAM and o.ref == 0 and not o.path for value in place.step.args for _, o in value.parts)
        for place in places.all
    )


def _writing(program: Program, function: Function) -> bool:
    """Whether a function is no query, and no query leads to it: one wait more or less is then seen by one caller, once."""
    return function.kind is not Kind.QUERY and not any(e.kind is Kind.QUERY for e in program.entries(function.key))


def _short(program: Program, unit: Unit) -> bool:
    """Whether reads fetch single rows, or the few that one parent has."""
    if cheap(unit.reads):
        return True
    return not any(accumulates(program, program.functions[e.function], e.access) for e in unit.reads)


def _fanned_out(program: Program, function: Function, group: list[Unit]) -> bool:
    """Whether the reads run for every row of a long list at once: what travels together is full already (convex-facts 0.4)."""
    if all(cheap(u.reads) for u in group):
        return any(loop.kind is LoopKind.GATHER and not loop.constant for loop in group[0].site.loops)
    return any(_long(program, function, loop) for loop in group[0].site.loops)


def _long(program: Program, function: Function, loop: Loop) -> bool:
    """Whether a loop starts more reads at once than travel together: it runs over a list of rows that nothing keeps short."""
    sites = program.sites(function.key)
    for origin in loop.over.origins if loop.kind is LoopKind.GATHER and loop.over is not None else ():
        found = sites.of(origin)
        if found is not None and isinstance(found.step, Access):
            many = accumulates(program, function, found.step) or busy(program, function.root, found.step.table)
            many = many or (entire(program, function, found.step) and grows(program, function, found.step.table))
            most = found.step.limit.literal if found.step.limit is not None else None
            short = isinstance(most, int) and most < BATCH
            return (many and found.step.bound is Bound.ALL) or (found.step.bound in (Bound.LIMIT, Bound.PAGE) and not short)
    return False


def _beside_many(program: Program, function: Function, group: list[Unit]) -> bool:
    """Whether a single document is all that need not wait, where the function also waits for a batch which takes several trips."""
    if len(group) != FEW_READS or not any(len(u.reads) == 1 and u.reads[0].access.by_key for u in group):
        return False
    beside = (s.step for s in program.sites(function.key).all if isinstance(s.step, Loop) and s.loops == group[0].site.loops)
    reading = (loop for loop in beside if any(isinstance(step, Access) and step.reads for step in loop.steps()))
    return any(_long(program, function, loop) for loop in reading)


def _left_before(program: Program, function: Function, group: list[Unit]) -> bool:
    """Whether the later reads hang on a condition of their own, behind another on which the function may have ended already."""
    first = group[0]
    places = program.sites(function.key).all

    def passed_by(unit: Unit) -> bool:
        return bool(set(unit.site.arms) - set(first.site.arms)) and any(
            isinstance(place.step, Branch)
            and not place.step.handler
            and first.done < place.rank < unit.start
            and place.arms == unit.site.arms[: len(place.arms)]
            and any(leaves(arm, ENDS) for arm in place.step.arms)
            for place in places
        )

    return len({u.done for u in group if u is first or not passed_by(u)}) < FEW_READS


def _looked_up(program: Program, function: Function, unit: Unit) -> bool:
    """Whether a whole table is read to look rows up by the ids that others hold."""
    step = unit.site.step
    if not isinstance(step, Access) or not entire(program, function, step):
        return False
    return keyed(function, step) == "_id" and grows(program, function, step.table)


def _fallback(program: Program, function: Function, group: list[Unit]) -> bool:
    """Whether all reads but one run only where an earlier look-up has found nothing."""
    places = program.sites(function.key).all
    asked = {place.step.id for place in places if isinstance(place.step, Access | Call)}

    def instead(unit: Unit) -> bool:
        branches = ((places[rank].step, arm) for rank, arm in unit.site.arms)
        return any(isinstance(b, Branch) and b.missing and arm == 0 and b.on & asked for b, arm in branches)

    return len({u.done for u in group if not instead(u)}) < FEW_READS


def _behind(program: Program, function: Function, group: list[Unit]) -> bool:
    """Whether all that could be spared are short waits, for the sake of actions that wait for the world outside besides."""
    return len([u for u in group if not _short(program, u)]) < FEW_READS and behind_outside(program, function)


def _beside_heavy(program: Program, group: list[Unit]) -> bool:
    """Whether one look-up by key is all that need not wait, beside a batch of long lists that are read at once."""
    stages: dict[int, list[Effect]] = {}
    for unit in group:
        stages.setdefault(unit.done, []).extend(unit.reads)
    first, *others = sorted(stages.values(), key=lambda reads: (not cheap(tuple(reads)), len(reads)))
    if len(others) != 1 or len(first) != 1 or not cheap(tuple(first)):
        return False
    return sum(_lengthy(program, e) for e in others[0]) > FEW_READS


def _lengthy(program: Program, effect: Effect) -> bool:
    """Whether a read hands out a long list."""
    read = effect.access
    most = read.limit.literal if read.limit is not None else None
    if read.bound is Bound.LIMIT:
        return not isinstance(most, int) or most >= MANY
    return read.bound is Bound.ALL and accumulates(program, program.functions[effect.function], read)


def _drowned(program: Program, function: Function) -> bool:
    """Whether the function also waits once for every item of some loop: beside that, a single wait is not felt."""
    waiting = {loop.id: loop for site in program.sites(function.key).all if isinstance(site.step, Wait) for loop in site.loops}
    return any(loop.kind in SEQUENTIAL and (not loop.constant or lasting(loop)) for loop in waiting.values())


def _seldom(group: list[Unit]) -> bool:
    """Whether starting the reads together would often read too much.

    Where each hangs on its own condition, both are seldom wanted. A helper that may not read at all, beside a read that hangs on a
    condition, may exclude it; and what runs only on its own condition, and reads a lot, is better left behind it.
    """
    choosy = [u for u in group if not any(e.certain for e in u.reads)]
    if choosy and any(u.site.arms for u in group if u not in choosy):
        return True
    shared = frozenset.intersection(*(frozenset(u.site.arms) for u in group))
    if all(set(u.site.arms) - shared for u in group):
        return True
    return any(set(u.site.arms) - shared and len(u.reads) > FEW_READS for u in group)


def _together(group: list[Unit]) -> str:
    """What is waited for when the reads start together: so many travel at once, and a helper that reads several times takes its time."""
    trips = ceil(len(group) / BATCH)
    if trips > 1:
        return f"{trips} round trips, for {BATCH} reads each"
    return "the longest of them" if any(len({e.access.id for e in u.reads}) > 1 for u in group) else "1 round trip"


def _message(names: list[str], waits: int) -> str:
    if len(names) == 2:
        both = f"two reads of {names[0]} run" if names[0] == names[1] else f"{names[0]} and {names[1]} are read"
        return f"{both} one after another, though neither needs the other"
    said = [f"{name} ({'twice' if times == 2 else f'{times} times'})" if times > 1 else name for name, times in Counter(names).items()]
    listed = " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))
    if waits < len(names):
        return f"{len(names)} independent reads ({listed}) are awaited in {waits} steps, though one would do"
    return f"{len(names)} independent reads ({listed}) wait for one another"


def _awaited(unit: Unit) -> str:
    step = unit.site.step
    if isinstance(step, Call):
        return f"`{step.text}`" if step.text else "a call"
    return describe(step) if isinstance(step, Access) else "a batch"


def _name(unit: Unit) -> str:
    step = unit.site.step
    if isinstance(step, Call) and step.text:
        return f"`{step.text}`"
    tables = list(dict.fromkeys(e.access.table for e in unit.reads if e.access.table))
    if not tables and isinstance(step, Access) and step.key is not None and step.key.text:
        return f"the document of `{step.key.text}`"
    return f"`{tables[0]}`" if tables else "a table"
