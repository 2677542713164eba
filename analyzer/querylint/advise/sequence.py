"""What waits for what: the dependences among the steps of a function, and which awaited reads could have been started together."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import partial

from querylint.advise.places import transactional
from querylint.construction import dataclass
from querylint.ir import Access, Block, Branch, Call, Exit, ExitKind, Function, Kind, Loop, LoopKind, Mode, Op, Program, Step, Terminal, Way
from querylint.ir.program import Effect, Site


@dataclass(frozen=True, slots=True)
class Unit:
    """A read, a call that reads, or a batch of reads, that the function stands still for."""

    site: Site
    start: int
    done: int
    reads: tuple[Effect, ...]
    needs: frozenset[int]
    remote: bool


def units(program: Program, function: Function) -> Iterator[list[Unit]]:
    """The awaited reads of every block that runs at one pace, in order."""
    groups: dict[tuple[int, ...], list[Unit]] = {}
    for site in program.sites(function.key).all:
        unit = _unit(program, function, site)
        if unit is not None:
            groups.setdefault(tuple(loop.id for loop in site.loops), []).append(unit)
    yield from groups.values()


def _unit(program: Program, function: Function, site: Site) -> Unit | None:
    step = site.step
    number = getattr(step, "id", None)
    if number is None or not isinstance(step, Access | Call | Loop):
        return None
    waits = [w for w in program.sites(function.key).waits.get(number, ()) if w.loops == site.loops]
    if not waits or waits[0].rank < site.rank:
        return None
    reads = _reads(program, function, step)
    if not reads:
        return None
    remote = isinstance(step, Call) and step.mode.remote
    return Unit(site, site.rank, waits[0].rank, reads, needs_of(step), remote)


def _reads(program: Program, function: Function, step: Access | Call | Loop) -> tuple[Effect, ...]:
    """What a step reads; empty where it also writes, or is no read at all."""
    if isinstance(step, Access):
        paged = step.terminal is Terminal.PAGE and transactional(program, function)  # not batched (convex-facts 0.4)
        return (Effect(function.key, step),) if step.op is Op.READ and not paged else ()
    if isinstance(step, Call):
        if step.mode is Mode.QUERY:
            if transactional(program, function):
                return ()
            return program.effects_of(function, step)
        if step.mode is not Mode.DIRECT:
            return ()
        found = program.effects_of(function, step)
        if _outside(program, function):
            found = tuple(e for e in found if any(edge.call.mode.remote for edge in e.trail))
        return () if any(e.access.op is Op.WRITE for e in found) else found
    if step.kind not in (LoopKind.GATHER, LoopKind.ONCE):
        return ()
    found_in: list[Effect] = []
    for inner in step.steps():
        if isinstance(inner, Access):
            if inner.op is Op.WRITE:
                return ()
            found_in.append(Effect(function.key, inner))
        elif isinstance(inner, Call):
            effects = program.effects_of(function, inner)
            if inner.mode in (Mode.MUTATION, Mode.ACTION) or any(e.access.op is Op.WRITE for e in effects):
                return ()
            found_in.extend(effects)
    return tuple(found_in)


def _outside(program: Program, function: Function) -> bool:
    """Whether a function runs outside of transactions wherever it is reached from: helpers that could read by themselves do not, there."""
    entries = program.entries(function.key) or (function,)
    return all(entry.kind is Kind.ACTION for entry in entries)


def needs_of(step: Step) -> frozenset[int]:
    """The steps whose results, or whose outcome, decide a step."""
    if isinstance(step, Access | Call):
        return step.deps | step.guards
    if isinstance(step, Loop):
        deps = step.guards | (step.over.deps if step.over is not None else frozenset())
        for inner in step.steps():
            if isinstance(inner, Access | Call):
                deps |= inner.deps | inner.guards
        return deps
    return frozenset()


def closure(program: Program, function: Function, needs: frozenset[int], around: tuple[Loop, ...] = ()) -> frozenset[int]:
    """All the steps behind some steps. The loops `around` the place give it an item, not what else they hold."""
    outer = {loop.id for loop in around}
    by_id = program.sites(function.key).by_id
    found = set(needs)
    queue = list(needs)
    while queue:
        site = by_id.get(queue.pop())
        if site is None:
            continue
        if isinstance(site.step, Loop) and site.step.id in outer:
            for number in site.step.over.deps if site.step.over is not None else ():
                if number not in found:
                    found.add(number)
                    queue.append(number)
            continue
        for number in needs_of(site.step):
            if number not in found:
                found.add(number)
                queue.append(number)
        if isinstance(site.step, Loop):
            for inner in site.step.steps():
                if isinstance(inner, Access | Call | Loop):
                    found.add(inner.id)
    return frozenset(found)


def barriers(program: Program, function: Function, before: int, block: tuple[Loop, ...]) -> frozenset[int]:
    """Awaited calls before a place that may end the function by an error: what follows waits for their verdict."""
    found: set[int] = set()
    for site in program.sites(function.key).all:
        if site.rank >= before:
            break
        step = site.step
        if isinstance(step, Call) and site.loops == block[: len(site.loops)] and step.mode is not Mode.SCHEDULE:
            key = program.callees.get((function.key, step.id))
            if key in program.throws or (step.mode in (Mode.MUTATION, Mode.ACTION) and key is not None):
                found.add(step.id)
    return frozenset(found)


def writes_between(program: Program, function: Function, first: int, last: int) -> list[Access | Call]:
    """Writes, and calls that may write, between two places."""
    ranks, steps = program.once(("writes by rank", function.key), partial(_writes, program, function))
    return steps[bisect_right(ranks, first) : bisect_left(ranks, last)]


def _writes(program: Program, function: Function) -> tuple[list[int], list[Access | Call]]:
    """The places of all writes, and of the calls that may write, in order, and the steps themselves."""
    ranks: list[int] = []
    steps: list[Access | Call] = []
    for site in program.sites(function.key).all:
        step = site.step
        if (isinstance(step, Access) and step.op is Op.WRITE) or (
            isinstance(step, Call)
            and (step.mode in (Mode.MUTATION, Mode.ACTION) or any(e.access.op is Op.WRITE for e in program.effects_of(function, step)))
        ):
            ranks.append(site.rank)
            steps.append(step)
    return ranks, steps


def apart(a: Site, b: Site) -> bool:
    """Whether two places of a function stand in different arms of one choice."""
    arms = dict(b.arms)
    return any(arms.get(branch, arm) != arm for branch, arm in a.arms)


def exclusive(program: Program, a: Site, b: Site) -> bool:
    """Whether the later of two places is never reached after the earlier: other arms of one choice, or an arm that leaves."""
    if apart(a, b):
        return True
    shared = dict(b.arms)
    choices = ((program.sites(a.function.key).all[branch].step, arm) for branch, arm in a.arms if branch not in shared)
    return any(isinstance(step, Branch) and leaves(step.arms[arm]) for step, arm in choices)


def blocks(block: Block) -> Iterator[Block]:
    """A block and every block inside it, the outer ones first."""
    yield block
    for step in block:
        for inner in step.arms if isinstance(step, Branch) else (step.body,) if isinstance(step, Loop) else ():
            yield from blocks(inner)


def leaves(block: Block, kinds: frozenset[ExitKind] = frozenset(ExitKind)) -> bool:
    """Whether a block always ends by an exit of these kinds."""
    for step in block:
        if isinstance(step, Exit):
            return step.kind in kinds
        if isinstance(step, Branch) and not step.handler and len(step.arms) > 1 and all(leaves(arm, kinds) for arm in step.arms):
            return True
    return False


def cheap(effects: tuple[Effect, ...]) -> bool:
    """Whether reads fetch one row each by key or by a whole index key."""
    return all(
        e.access.by_key or (e.access.bound.value == "one" and all(p.way is Way.INDEX and p.fixed() for p in e.access.plans))
        for e in effects
    )
