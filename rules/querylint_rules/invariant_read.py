"""
# The same read in every iteration of a loop

## What it finds
A read inside a loop, or inside a callback that runs per item, that does not depend on the item: every iteration asks the same question.

## Why it costs
Each iteration pays for the whole read again; Convex bills a repeated read like a new one.

## Instead
Read it once before the loop and keep the result.

## When it stays silent
Loops that write to the table they read, or read a row anew since something changes it, loops of a few iterations that the author wrote
down, polling and paging loops, reads that only the first match reaches, helpers and properties that keep what they have read, iterations
that each ask another database, tests, seeds and migrations. It is a hint where a helper asks it beside the work that it does for the
item.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.asking import answers_by_chance, asks_the_same
from querylint.advise.audience import ALONE, UNWAITED, left_alone, waited_for
from querylint.advise.bulk import remembered, small_matter
from querylint.advise.eager import missing, sources
from querylint.advise.places import describe, local_effects, own_trail, quiet, reaching, round_of, shortest
from querylint.advise.planner import plain
from querylint.advise.rounds import Rounds, rounds
from querylint.construction import replace
from querylint.ir import Access, Bound, Branch, Call, Clock, Loop, LoopKind, Mode, Op, Program, Root, TargetKind, Terminal
from querylint.ir.program import Effect, Site
from querylint.pattern import Pattern
from querylint.remedy import Advice, Hoist
from querylint.rule import Cost, Found, Point, Severity, rule

MADE = Pattern(r"(?:^|\.)[A-Z]\w*\([^()]*\)\.\w+$")
"""A method of an object that is made on the spot: `Thing().get`."""

REFRESHING = frozenset(("refresh_from_db", "arefresh_from_db", "refresh"))
TREES = frozenset(("move_to", "insert_at", "add_child", "add_sibling"))
"""Methods of rows by which libraries of trees (django-mptt, django-treebeard) change other rows of the table."""

SHARED = "a helper asks, which may serve other callers too"
SOMETIMES = "it runs only in some iterations"
HAND = Advice("read it once before the loop, and pass the result to the helper")


@rule(pattern="repeat-read", severity=Severity.WARNING, cwe=1050)
def invariant_read(program: Program) -> Iterator[Found]:
    """Reads that do not vary with the loop around them."""
    for site, effects in _candidates(program):
        hit = _invariant(program, site)
        if hit is not None and not any(_written(program, site, hit.loop, effect.access.table) for effect in effects):
            yield _found(program, site, hit, effects[0])
    asked: dict[tuple[str, int], list[tuple[Site, Rounds, Effect]]] = {}
    for site, hit, effect in _within(program):
        asked.setdefault((effect.function, effect.access.id), []).append((site, hit, effect))
    for together in asked.values():  # one helper, however many loops call it
        found = replace(_found(program, *together[0]), remedy=HAND, severity=Severity.INFO, because=SHARED)
        others = tuple(
            Point(site.step.span, f"and for every {round_of(program, site, hit.loop)} here")
            for site, hit, _ in together[1:]
            if isinstance(site.step, Call)
        )
        yield replace(found, trail=(*found.trail, *others))


def _candidates(program: Program) -> Iterator[tuple[Site, tuple[Effect, ...]]]:
    for site, read in program.reads():
        if site.loops and not quiet(site.function) and not _stays(read) and (not read.related or _asked_anew(program, site, read)):
            yield site, (Effect(site.function.key, read),)
    for site, call in program.calls():
        if site.loops and not quiet(site.function) and call.mode is Mode.DIRECT and not call.kept:
            effects = tuple(local_effects(program, site.function, call))
            if effects and all(
                e.access.op is Op.READ and not _stays(e.access, call) and not (remembered(e) or _made_up(program, e) or _sees(site, e))
                for e in effects
            ):
                yield site, effects


def _within(program: Program) -> Iterator[tuple[Site, Rounds, Effect]]:
    """Reads inside a helper that is handed the item, but asks for something else: the same in every round."""
    for site, call in program.calls():
        if (
            not site.loops
            or quiet(site.function)
            or call.mode is not Mode.DIRECT
            or call.kept
            or not program.facts(site.function).bulk_reads
        ):
            continue
        hit = next(iter(rounds(program, site)), None)
        if hit is None or not hit.varies or not _repeated(hit) or _picked(program, site, hit.loop):
            continue
        for effect in local_effects(program, site.function, call):
            read = effect.access
            if (
                read.op is Op.READ
                and not read.related
                and not (_stays(read, call) or remembered(effect))
                and effect.certain
                and asks_the_same(program, site, effect, hit.loop)
            ):
                if not _written(program, site, hit.loop, read.table):
                    yield site, hit, effect
                break


def _stays(read: Access, call: Call | None = None) -> bool:
    """Whether another round that asks for the same reads nothing; an object that the call makes for itself remembers nothing."""
    return read.kept or (read.memoized and not (call is not None and MADE.search(call.text)))


def _repeated(hit: Rounds) -> bool:
    """Whether a loop goes over many items, each of which it meets."""
    return (
        not (hit.paging or hit.searching or hit.constant or hit.loop.strided)
        and hit.loop.kind in (LoopKind.EACH, LoopKind.GATHER)
        and hit.loop.over is not None
    )


def _sees(site: Site, effect: Effect) -> bool:
    """Whether a read stands in a function inside of this one, which sees the variables of each round without being handed them."""
    return effect.function.startswith(f"{site.function.key}.")


def _made_up(program: Program, effect: Effect) -> bool:
    """Whether what is asked for comes from outside code that the helper calls: a random code, the time."""
    if not program.facts(program.functions[effect.function]).planner:
        return False
    values = [p.value for plan in effect.access.plans for p in plan.predicates if p.value is not None]
    if _by_calls(program, effect.function, {n for value in values for n in value.deps}):
        return True
    for edge in reversed(effect.trail):  # what each function on the way hands to the next
        refs = {o.ref for value in values for o in value.origins if o.root is Root.PARAM and isinstance(o.ref, int)}
        values = [edge.call.args[ref] for ref in refs if ref < len(edge.call.args)]
        if _by_calls(program, edge.caller, {n for value in values for n in value.deps}):
            return True
    return False


def _by_calls(program: Program, function: str, needs: set[int]) -> bool:
    sites = program.sites(function).by_id
    steps = [sites[n].step for n in needs if n in sites]
    return any(isinstance(s, Clock) or (isinstance(s, Call) and s.target.kind is not TargetKind.PARAM) for s in steps)


def _asked_anew(program: Program, site: Site, read: Access) -> bool:
    """Whether related rows are queried each time that they are asked for: several of them, which nobody has loaded ahead."""
    if read.terminal is not Terminal.ROWS or read.follows is None:
        return False
    found = sources(program, site.function, read.follows)
    return bool(found) and all(s.read is not None and missing(program, s.outer, s.read, s.path) for s in found)


def _invariant(program: Program, site: Site) -> Rounds | None:
    found = rounds(program, site)
    if not found:
        return None
    hit = found[0]
    if hit.varies or hit.paging or hit.searching or hit.loop.kind not in (LoopKind.EACH, LoopKind.GATHER) or hit.loop.over is None:
        return None
    if (hit.constant or hit.loop.strided) and program.facts(site.function).bulk_reads:
        return None  # a few iterations that the author wrote down, or each of another database
    if _picked(program, site, hit.loop):
        return None
    guards = site.step.guards if isinstance(site.step, Access | Call) else frozenset()
    needs = site.step.deps if isinstance(site.step, Access | Call) else frozenset()
    inner = {getattr(s.step, "id", None) for s in program.sites(site.function.key).all if hit.loop in s.loops}
    if guards & {c.id for c in hit.loop.carried}:
        return None  # it is read when a round before has not read it yet
    if needs & inner or (guards & (inner | {hit.loop.id}) and _leaves(hit.loop)):
        return None
    return hit


def _picked(program: Program, site: Site, loop: Loop) -> bool:
    """Whether only the items that equal some constant lead to the read: one item as a rule, of a list that names them all."""
    steps = program.sites(site.function.key).all
    inside = {id(step) for step in loop.steps()}
    return any(isinstance(b := steps[rank].step, Branch) and b.special and id(b) in inside for rank, _ in site.arms)


def _sometimes(program: Program, site: Site, loop: Loop) -> bool:
    """Whether only some of the items lead to the read."""
    return plain(program, site.function) and loop.id in getattr(site.step, "guards", ())


def _leaves(loop: Loop) -> bool:
    return bool(loop.control)


def _written(program: Program, site: Site, loop: Loop, table: str | None) -> bool:
    for other in program.sites(site.function.key).all:
        if loop not in other.loops:
            continue
        step = other.step
        if isinstance(step, Access) and step.op is Op.WRITE and (step.table in (table, None) or table is None):
            return True
        if _changed(step):
            return True
        if isinstance(step, Call) and (
            step.mode.remote
            or any(e.access.op is Op.WRITE and e.access.table in (table, None) for e in program.effects_of(site.function, step))
        ):
            return True
    return False


def _changed(step: object) -> bool:
    """Whether a round reads a row anew that it has, because something in it changes rows, or moves one in a tree."""
    if isinstance(step, Access):
        return step.verb in REFRESHING
    name = step.text.rpartition(".")[2] if isinstance(step, Call) and step.target.kind is TargetKind.EXTERNAL else ""
    return name in REFRESHING or name in TREES


def _little(program: Program, site: Site, hit: Rounds, effect: Effect) -> str:
    """Why the repetition is true, and little: nobody runs it, or nobody waits and it is one row."""
    if left_alone(program, site.function):
        return ALONE
    if effect.access.bound is Bound.ONE and not waited_for(program, site.function):
        return UNWAITED
    return small_matter(program, site, effect) or (SOMETIMES if _sometimes(program, site, hit.loop) else "")


def _found(program: Program, site: Site, hit: Rounds, effect: Effect) -> Found:
    step = site.step
    assert isinstance(step, Access | Call)
    table = f"`{effect.access.table}`" if effect.access.table else "a table"
    over = round_of(program, site, hit.loop)
    chance = answers_by_chance(program, site)  # then the read is to be kept, and not the answer
    because = _little(program, site, hit, effect) or (SHARED if chance else "")
    return Found(
        step.span,
        f"the same read of {table} runs again for every {over}",
        (
            *shortest(reaching(program, site.function)),
            Point(hit.loop.span, f"once for every {over}"),
            Point(step.span, describe(step)),
            *own_trail(program, effect, site.function),
        ),
        HAND if chance else Hoist(hit.loop.span),
        Severity.INFO if because else None,
        function=site.function.key,
        table=effect.access.table,
        also=("loop-read",),
        cost=Cost("n times the same read", "1 read"),
        operation=effect.access.verb,
        because=because,
    )
