"""How many rows a loop of remote calls runs over: followed to the read, be it behind a query that the function has asked."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import waited_for
from querylint.advise.growth import Reach, reach
from querylint.advise.volume import busy
from querylint.advise.writes import CHANGES
from querylint.ir import Access, Bound, Call, Function, Loop, Mode, Op, Origin, Program, Relation, Terminal, Use, Way, Work
from querylint.ir.program import Remote, Site


def few_of_one(program: Program, site: Site, loop: Loop) -> bool:
    """Whether a loop runs over what one person or one thing has, in a table that no stream fills."""
    over = loop.over
    found = [list(_reads(program, site.function, origin)) for _, origin in over.parts] if over is not None else []
    return bool(found) and all(reads and all(_few(program, f, read) for f, read in reads) for reads in found)


def _few(program: Program, function: Function, read: Access) -> bool:
    if read.terminal is not Terminal.ROWS or read.bound is not Bound.ALL or not read.plans:
        return False
    if not all(plan.way is Way.INDEX and plan.fixed() for plan in read.plans) or busy(program, function.root, read.table):
        return False
    return reach(program, function, read) <= Reach.PERSON


def _reads(program: Program, function: Function, origin: Origin) -> Iterator[tuple[Function, Access]]:
    """The reads that a list comes from as it is."""
    place = program.sites(function.key).of(origin)
    step = place.step if place is not None else None
    if isinstance(step, Access) and not origin.path:
        yield function, step
    elif isinstance(step, Call) and step.mode is Mode.QUERY and not origin.path:
        callee = program.callee(function, step)
        for path, given in callee.returns.parts if callee is not None else ():
            back = program.sites(callee.key).of(given) if callee is not None and not path else None
            if callee is not None and back is not None and isinstance(back.step, Access) and not given.path:
                yield callee, back.step


def just_come(program: Program, site: Site, loop: Loop, remote: Remote) -> bool:
    """Whether nobody waits for a loop over rows in one state, which the call of each round puts into another."""
    callee = program.callees.get((remote.function, remote.call.id))
    if callee is None or remote.call.mode is not Mode.MUTATION or waited_for(program, site.function):
        return False
    states = _states(program, site, loop)
    changed = {
        name
        for effect in program.effects.get(callee, ())
        if effect.access.op is Op.WRITE and effect.access.verb in CHANGES
        for name in effect.access.fields or ()
    }
    return bool(states & changed)


def answered(program: Program, site: Site, loop: Loop) -> bool:
    """Whether nobody waits for a loop over a list that is no part of an answer, but worked out of it: of the text that a model wrote."""
    if loop.over is None or loop.over.parts or waited_for(program, site.function):
        return False
    calls = (program.sites(site.function.key).by_id.get(number) for number in loop.over.deps)
    return any(
        place is not None and isinstance(place.step, Call) and program.callees.get((site.function.key, place.step.id)) in program.outside
        for place in calls
    )


def _states(program: Program, site: Site, loop: Loop) -> set[str]:
    """The fields by whose constants the rows of a loop were picked: in its range, or in memory."""
    origins = set(loop.over.origins) if loop.over is not None else set()
    uses = (s for s in site.function.steps() if isinstance(s, Use) and s.work is Work.FILTER and origins & set(s.of))
    tested = [p for use in uses for p in use.predicates]
    for origin in origins:
        for _, read in _reads(program, site.function, origin):
            tested += [p for plan in read.plans for p in plan.predicates]
    return {p.field for p in tested if p.field is not None and p.relation is Relation.EQ and p.value is not None and p.value.constant}
