"""
# The same row read twice on one path

## What it finds
A document that is fetched by the same id twice in one function, or fetched and then fetched again by a helper that is handed its id,
with no write to its table in between; the same query run twice.

## Why it costs
Convex bills the second read like the first, and it is one more wait.

## Instead
Keep the result of the first read, or hand the document to the helper instead of its id.

## When it stays silent
Reads after a write (to see what was stored), reads that lock rows which were read before without a lock, alternatives of one choice,
reads in different transactions (a mutation must check again what an action has read), helpers and properties that keep what they have
read, tests, seeds and migrations. A single document that is fetched again, what a helper asks again, and what the handler of an error
reads once more are hints.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.handed import given
from querylint.advise.places import describe, own_trail, quiet, reaching, shortest
from querylint.advise.planner import plain
from querylint.advise.sequence import exclusive, writes_between
from querylint.ir import ITEM, Access, Call, Mode, Op, Origin, Program, Root, Terminal, Value, Way
from querylint.ir.program import Effect, Site
from querylint.pattern import Pattern
from querylint.remedy import Advice, Reuse
from querylint.rule import Cost, Found, Point, Severity, rule

Key = tuple[object, ...]
SETTLED = Pattern(r"^\w+(?:[?!]?\.\w+|(?:\?\.)?\[-?\d+\]|!)*$")
"""What names one member of a list for as long as nobody assigns anything: variables, their members, and places that are numbers."""


@rule(pattern="repeat-read", severity=Severity.WARNING, cwe=1073)
def repeated_read(program: Program) -> Iterator[Found]:
    """Reads that repeat an earlier one."""
    for key, function in program.functions.items():
        if quiet(function):
            continue
        seen: dict[Key, tuple[Site, bool]] = {}
        for site in program.sites(key).all:
            for question, effect in _questions(program, site):
                locks = any(plan.locked for plan in effect.access.plans)
                first, locked = seen.setdefault(question, (site, locks))
                if locks and not locked:
                    seen[question] = site, locks  # what was read before it could be locked may have changed since
                elif first is not site and not _kept(site, effect) and _repeats(program, first, site, effect.access.table):
                    yield _found(program, first, site, effect)


def _questions(program: Program, site: Site) -> Iterator[tuple[Key, Effect]]:
    """What a step asks of the database, in terms of the function that it stands in."""
    step = site.step
    if isinstance(step, Access) and step.op is Op.READ:
        question = _asked(step, None, plain=plain(program, site.function))
        if question is not None:
            yield (*question, *_picked(site, _values(step))), Effect(site.function.key, step)
        if step.terminal is Terminal.ROW and step.table is not None:
            own = Origin(Root.STEP, step.id, ("_id",))
            yield ("get", step.table, (own,)), Effect(site.function.key, step)
    elif isinstance(step, Call) and step.mode is Mode.DIRECT:
        for effect in program.effects_of(site.function, step):
            if not effect.trail and effect.access.op is Op.READ:
                question = _asked(effect.access, step, plain=plain(program, site.function))
                if question is not None:
                    yield (*question, *_picked(site, step.args)), effect


def _kept(site: Site, effect: Effect) -> bool:
    """Whether what has been read once is kept by whoever reads it: a cached property, an attribute that is filled when it is empty."""
    call = site.step
    return effect.access.kept or effect.access.memoized or (isinstance(call, Call) and call.kept)


def _values(read: Access) -> tuple[Value, ...]:
    """What a read asks by."""
    bound = (p.value for plan in read.plans for p in plan.predicates)
    return tuple(value for value in (read.key, *bound) if value is not None)


def _picked(site: Site, values: tuple[Value, ...]) -> tuple[str, ...]:
    """How the code names what it has picked out of lists: `rows[0]` is another row than `rows[1]`, though both come from the same list.

    `rows[n]` and `rows.pop()` may be another one each time.
    """
    walked = {o for loop in site.loops if loop.over is not None for o in loop.over.origins}
    picked = (value.text for value in values if any(_picks(o, walked) for o in value.origins))
    return tuple(text if SETTLED.match(text) is not None else f"place {site.rank}" for text in picked)


def _picks(origin: Origin, walked: set[Origin]) -> bool:
    """Whether something was taken from a member of a list that no loop around goes through."""
    lists = (Origin(origin.root, origin.ref, origin.path[:n]) for n, part in enumerate(origin.path) if part == ITEM)
    return not walked.issuperset(lists)


def _asked(read: Access, call: Call | None, *, plain: bool) -> Key | None:
    if read.by_key:
        origins = _origins(read.key, call)
        return ("get", read.table, origins) if origins and read.table is not None else None
    if len(read.plans) != 1 or read.terminal is Terminal.PAGE or read.table is None:
        return None  # a helper may be told another table each time
    plan = read.plans[0]
    if plan.index is None and not (plain and plan.way is Way.PLANNER and read.table is not None):
        return None
    parts: list[object] = []
    for p in plan.predicates:
        if p.field is None or p.value is None or p.conditional:
            return None
        origins = _origins(p.value, call)
        if not origins and not p.value.constant:
            return None
        parts.append((p.field, p.relation, p.side, origins or repr(p.value.literal)))
    if call is not None and read.limit is not None and not read.limit.constant:
        return None
    limit = read.limit.text if read.limit is not None else ""
    how = (read.bound, read.terminal) if plain else read.bound
    return ("query", read.table, plan.index, tuple(parts), plan.order, how, limit) if parts else None


def _origins(value: Value | None, call: Call | None) -> tuple[Origin, ...]:
    """Where a key comes from, in the caller's terms where a call leads to it."""
    if value is None:
        return ()
    if call is None:
        return value.origins
    found: list[Origin] = []
    for origin in value.origins:
        if origin.root is not Root.PARAM or not isinstance(origin.ref, int) or origin.ref >= len(call.args):
            return ()
        found.extend(given(origin, call))
    return tuple(found)


def _repeats(program: Program, first: Site, second: Site, table: str | None) -> bool:
    if not set(first.arms) <= set(second.arms) or exclusive(program, first, second) or first.loops != second.loops[: len(first.loops)]:
        return False
    if any(loop.kind.value != "once" for loop in second.loops[len(first.loops) :]):
        return False
    for write in writes_between(program, second.function, first.rank, second.rank):
        if isinstance(write, Call) or write.table in (table, None):
            return False
    return True


def _found(program: Program, first: Site, second: Site, effect: Effect) -> Found:
    step, before = second.step, first.step
    assert isinstance(step, Access | Call)
    assert isinstance(before, Access | Call)
    read = effect.access
    through = f" through `{step.text}`" if isinstance(step, Call) else ""
    hidden = isinstance(before, Call)
    because = "it is read in a helper that others call too" if through or hidden else "it is one lookup by key" if read.by_key else ""
    if second.handled and not first.handled:
        because = "an error handler reads it again, as the first read may have failed"
    return Found(
        step.span,
        f"the same row of `{read.table}` is read again{through}"
        if read.bound.value == "one"
        else f"the same query on `{read.table}` runs again{through}",
        (
            *shortest(reaching(program, second.function)),
            Point(before.span, f"first: {describe(before)}"),
            Point(step.span, "again"),
            *own_trail(program, effect, second.function),
        ),
        Advice("read it once, and pass it to the helpers that need it") if hidden else Reuse(before.span),
        Severity.INFO if because else None,
        function=second.function.key,
        table=read.table,
        cost=Cost("2 reads of one row", "1 read") if read.bound.value == "one" else Cost("2 reads of the same rows", "1 read"),
        operation=read.verb,
        because=because,
    )
