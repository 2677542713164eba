"""
# A database read for every item of a loop, one after the other

## What it finds
A read that a sequential loop waits for in every round, in the loop itself or in a helper that it calls.

## Why it costs
Every round waits for a trip to the database before the next one starts. In Convex a `get` per item costs latency, not more bytes: up to
16 reads that start together travel together. A query per item also pays for its own index range, and a scan per item reads the whole
table again and again.

## Instead
Start the reads together and wait once: `await Promise.all(ids.map((id) => ctx.db.get(id)))`. Where every item asks for the rows of one
parent, read the parent's range once and group it in memory.

## When it stays silent
Loops whose length the author wrote down, loops that page (the next read needs the cursor of the one before), searches that stop at the
first hit, reads that are started in the loop but awaited together after it, tests, seeds and migrations.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.places import describe, local_effects, own_trail, quiet, reaching, shortest
from querylint.advise.rounds import Rounds, rounds
from querylint.ir import Access, Bound, Call, Kind, LoopKind, Mode, Op, Program, Way
from querylint.ir.program import Effect, Site
from querylint.remedy import Batch, Gather
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule


@rule(pattern="loop-read", severity=Severity.WARNING, cwe=1050)
def loop_read(program: Program) -> Iterator[Found]:
    """Reads that a loop waits for in every round."""
    for site, read in program.reads():
        hit = _waiting(program, site)
        if hit is None or quiet(site.function) or site.function.kind is Kind.CLIENT:
            continue
        yield _found(program, site, read, hit, Effect(site.function.key, read))
    for site, call in program.calls():
        hit = _waiting(program, site)
        if hit is None or quiet(site.function) or call.mode is not Mode.DIRECT or site.function.kind is Kind.CLIENT:
            continue
        effects = local_effects(program, site.function, call)
        effect = _worst([e for e in effects if e.access.op is Op.READ])
        if effect is not None:
            yield _found(program, site, call, hit, effect, writes=any(e.access.op is Op.WRITE for e in effects))


def _waiting(program: Program, site: Site) -> Rounds | None:
    for hit in rounds(program, site):
        if hit.constant or hit.paging or hit.searching:
            return None
        if hit.waits:
            return hit if hit.varies else None
        if hit.loop.kind is LoopKind.GATHER:
            return None
    return None


def _worst(effects: list[Effect]) -> Effect | None:
    return max(effects, key=lambda e: (_weight(e.access), -len(e.trail)), default=None)


def _weight(read: Access) -> int:
    if any(p.way is Way.SCAN for p in read.plans):
        return 3
    return 1 if read.by_key else 2


def _found(program: Program, site: Site, step: Access | Call, hit: Rounds, effect: Effect, *, writes: bool = False) -> Found:
    """The finding; a helper that also writes keeps its order, so a point look-up in it is only a hint."""
    read = effect.access
    table = f"`{read.table}`" if read.table else "a table"
    over = f"item of `{hit.loop.over_text}`" if hit.loop.over is not None else "round of the loop"
    what = "scanned" if _weight(read) == 3 else "read" if read.by_key else "queried"
    through = f" through `{step.text}`" if isinstance(step, Call) else ""
    size = "n" if hit.loop.limit is None else str(hit.loop.limit)
    cost = Cost(f"{size} waits, one after the other", "1 wait" if read.by_key else f"{size} queries at once, or 1 range for all items")
    points = (Point(hit.loop.span, f"once per {over}"), Point(step.span, describe(step)), *own_trail(program, effect, site.function))
    return Found(
        step.span,
        f"{table} is {what}{through} once for every {over}, each waiting for the one before",
        shortest(reaching(program, site.function)) + points,
        Gather(loop=hit.loop.span)
        if read.by_key
        else Batch(hit.loop.span, "start the queries together with Promise.all, or read one range for all items"),
        Severity.ERROR if _weight(read) == 3 and read.bound is Bound.ALL else Severity.INFO if writes and read.bound is Bound.ONE else None,
        Confidence.LIKELY if read.fragile else Confidence.SURE,
        site.function.key,
        read.table,
        cost=cost,
        operation=read.verb,
    )
