"""
# A query for every item, in parallel

## What it finds
A query, not a `get` by id, that is started for every item of a list and awaited together: `Promise.all(users.map((u) =>
ctx.db.query("posts")...))`, also through a helper, also where the promises are kept in a variable and awaited later.

## Why it costs
The wait is short, but the work is not: every query walks a range of its own and adds to the 4,096 ranges that a transaction may read. A
scan per item reads the whole table as often as there are items.

## Instead
Read one range that holds the rows of all items and group it in memory, keep the wanted field on the item itself, or keep a count.

## When it stays silent
Parallel gets by id (the ordinary join), lists of constants, lookups by natural key for arguments of a mutation (an upsert), tests, seeds
and migrations. One row for each key that a caller sent, or for each row of a bounded list, is a hint, and so is what no client asks where
clients are in the project that call most functions. So is the newest of many rows for each item of a part of a table: one range for all
would read the older ones, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.asking import asks_again
from querylint.advise.audience import UNASKED, left_alone, unasked
from querylint.advise.bulk import KEPT, in_one, of_each_table, small_matter
from querylint.advise.curation import curated
from querylint.advise.growth import MEMBERSHIP, Reach, few, reach
from querylint.advise.one_range import drivers_of, index_for_all, newest
from querylint.advise.places import asked_for, describe, local_effects, own_trail, quiet, reaching, round_of, shortest, writes_too
from querylint.advise.planner import bare, plain
from querylint.advise.rounds import Rounds, rounds
from querylint.advise.sequence import exclusive
from querylint.advise.serving import orderly, sargable, unranged
from querylint.advise.trace import fate
from querylint.advise.volume import busy
from querylint.advise.writes import labors
from querylint.ir import Access, Bound, Call, Kind, Loop, LoopKind, Mode, Op, Program, Root, Terminal, Way, Work
from querylint.ir.program import Effect, Site
from querylint.remedy import Advice, Batch, Stage
from querylint.rule import Confidence, Cost, Found, Point, Severity, Weight, hint, rule

LATEST_FEW = 50
HAND = Advice("read them once before the loop, and pass them to the helper", Stage.CODE)
MATCHED = "bind an index range for each item, or read the table once before the loop and match its rows in memory"


@rule(pattern="map-read", severity=Severity.WARNING, cwe=1073)
def query_per_item(program: Program) -> Iterator[Found]:
    """Queries that run once per item without waiting for one another."""
    best: dict[tuple[str, int], tuple[Site, Rounds, Effect]] = {}
    for site, effect in _candidates(program):
        hit = _parallel(program, site)
        if (
            hit is None
            or site.function.kind is Kind.CLIENT
            or not _query(effect.access, program, site)
            or of_each_table(effect.access, hit.loop)
            or _upsert(program, site, hit, effect.access)
        ):
            continue
        key = (site.function.key, hit.loop.id)
        if key not in best or _weight(effect.access) > _weight(best[key][2].access):
            best[key] = (site, hit, effect)
    for site, hit, effect in best.values():
        yield _found(program, site, hit, effect)


def _candidates(program: Program) -> Iterator[tuple[Site, Effect]]:
    for site, read in program.reads():
        if site.loops and not quiet(site.function):
            yield site, Effect(site.function.key, read)
    for site, call in program.calls():
        if site.loops and not quiet(site.function) and call.mode is Mode.DIRECT:
            effects = local_effects(program, site.function, call)
            written = {e.access.table for e in effects if e.access.op is Op.WRITE}
            reads = [e for e in effects if e.access.op is Op.READ and _query(e.access, program, site) and not _looked_up(e.access, written)]
            if reads:
                yield site, max(reads, key=lambda e: (e.certain, _weight(e.access), -len(e.trail)))


def _looked_up(read: Access, written: set[str | None]) -> bool:
    """A row that a helper looks up in order to write it."""
    return read.bound is Bound.ONE and read.table in written and not any(unranged(p) for p in read.plans)


def _parallel(program: Program, site: Site) -> Rounds | None:
    for hit in rounds(program, site):
        if hit.constant or hit.paging or hit.waits:
            return None
        if hit.varies:
            return hit
    return None


def _query(read: Access, program: Program, site: Site) -> bool:
    if read.by_key:
        return plain(program, site.function)  # one statement by many keys is always to be had
    return bool(read.plans) and not any(p.way in (Way.OPAQUE, Way.VECTOR) for p in read.plans)


def _weight(read: Access) -> int:
    return 3 if any(unranged(p) for p in read.plans) else 2 if read.bound is Bound.ALL else 1


def _upsert(program: Program, site: Site, hit: Rounds, read: Access) -> bool:
    """A point look-up by natural key for what a caller sent: Convex has no read of many keys."""
    if read.terminal is not Terminal.ROW or not writes_too(program, site.function) or hit.loop.over is None:
        return False
    return not any(o.root is Root.STEP and _is_read(program, site, o.ref) for o in hit.loop.over.origins)


def _given(program: Program, site: Site, hit: Rounds, read: Access) -> bool:
    """Whether the items are what a caller asked for by key: then one point range each is what Convex has to offer."""
    over = hit.loop.over
    if over is None:
        return False
    worked_out = read.terminal is Terminal.ROW and bool(over.deps) and not any(_is_read(program, site, number) for number in over.deps)
    return worked_out or (bool(over.parts) and all(asked_for(program, site.function, o) for _, o in over.parts))


def _joined(program: Program, site: Site, hit: Rounds, read: Access) -> bool:
    """One row for each row of a bounded list, side by side: the ordinary join, which costs what a `get` of each would."""
    if left_alone(program, site.function) or labors(program, site, hit.loop):
        return True
    over = hit.loop.over
    most = read.limit.literal if read.bound is Bound.LIMIT and read.limit is not None else None
    one = read.bound is Bound.ONE or most == 1
    if isinstance(most, int) and most <= LATEST_FEW:
        return not any(index_for_all(program, site, d, read) for d in drivers_of(program, site, hit.loop))
    if over is None or not over.parts:
        return False
    drivers = drivers_of(program, site, hit.loop)
    if one:
        return not any(d.bound is Bound.ALL for d in drivers)
    return bool(drivers) and all(_short_list(program, site, d, read) for d in drivers)


def _dear(program: Program, site: Site, hit: Rounds, read: Access) -> bool:
    """Whether one range could do for all items, or the items are all rows of a long list: else each range is read once, as a join does."""
    if plain(program, site.function):
        return True
    drivers = drivers_of(program, site, hit.loop)
    root = site.function.root
    return any(
        (index_for_all(program, site, d, read) and not curated(program, root, d.table))
        or (d.bound is Bound.ALL and reach(program, site.function, d) > Reach.PERSON and busy(program, root, d.table))
        for d in drivers
    )


def _chosen_over(program: Program, site: Site, hit: Rounds, read: Access) -> bool:
    """Whether the other arm of a choice reads the range that holds the rows of all items: a few items were to be spared that."""
    fixed = {p.fixed() for d in drivers_of(program, site, hit.loop) for p in d.plans}
    return any(
        isinstance(other.step, Access)
        and other.step.table == read.table
        and other.step.bound is Bound.ALL
        and exclusive(program, site, other)
        and {p.fixed() for p in other.step.plans} & fixed
        for other in program.sites(site.function.key).all
    )


def _short_list(program: Program, site: Site, driver: Access, read: Access) -> bool:
    """Whether a few rows of one owner drive queries that no single range could replace.

    Nobody pages or cuts the rows of that table elsewhere, and the rows that are queried do not say whose they are.
    """
    far = reach(program, site.function, driver)
    if (
        driver.bound is not Bound.ALL
        or (far > Reach.PERSON and not MEMBERSHIP.search(read.table or ""))
        or index_for_all(program, site, driver, read)
    ):
        return False
    if far < Reach.PERSON or MEMBERSHIP.search(read.table or ""):
        return True
    return not any(a.bound in (Bound.LIMIT, Bound.PAGE) or _searches(a) for _, a in program.reads_of(site.function.root, driver.table))


def _searches(read: Access) -> bool:
    return any(p.way is Way.SEARCH for p in read.plans)


def _cut_in_memory(program: Program, site: Site, read: Access) -> bool:
    """Whether the rows of each query are cut down in memory by what an index could bind next: that is then what to mend."""
    table = program.table(site.function, read.table)
    fixed = {plan.fixed() for plan in read.plans}
    if table is None or len(fixed) != 1:
        return False
    known = fixed.pop()
    uses = fate(program, site.function, read).uses
    tests = {p.field for s in uses if s.use.work is Work.FILTER for p in s.use.predicates if sargable(p, table) and not p.conditional}
    depth = len(known)
    return depth > 0 and any(set(i.fields[:depth]) == set(known) and set(i.fields[depth : depth + 1]) & tests for i in orderly(table))


def _is_read(program: Program, site: Site, ref: int | str) -> bool:
    found = program.sites(site.function.key).by_id.get(ref) if isinstance(ref, int) else None
    return found is not None and isinstance(found.step, Access | Loop)


def _how(program: Program, site: Site, hit: Rounds, read: Access, *, scan: bool) -> str:
    if plain(program, site.function):
        return in_one(site, read, None, hit.loop)
    if scan and any(p.residual() for p in read.plans):
        return MATCHED
    if newest(program, site, read):
        return "keep what is needed of the newest row on the item itself, or ask once for each distinct key"
    named = [index for driver in drivers_of(program, site, hit.loop) if (index := index_for_all(program, site, driver, read))]
    if named:
        return f"read the range of `{named[0]}` that holds the rows of all items once, and group it in memory"
    return "keep what is needed on the item itself, or, where the items share a parent, read its range once and group it in memory"


def _found(program: Program, site: Site, hit: Rounds, effect: Effect) -> Found:
    read, step = effect.access, site.step
    assert isinstance(step, Access | Call)
    table = f"`{read.table}`" if read.table else "a table"
    same = not plain(program, site.function) and asks_again(program, site, effect, hit.loop)
    limited = read.bound is Bound.LIMIT and not any(p.residual() for p in read.plans)
    scan = any(bare(program, site.function, p) for p in read.plans) and not limited
    over = round_of(program, site, hit.loop)
    through = f" through `{step.text}`" if isinstance(step, Call) else ""
    floating = " with nobody waiting for it" if hit.loop.detached and hit.loop.kind is LoopKind.GATHER else ""
    points = (Point(hit.loop.span, f"once for every {over}"), Point(step.span, describe(step)), *own_trail(program, effect, site.function))
    weight = _circumstances(program, site, hit, effect, scan=scan, same=same)
    done = "scanned" if scan else "queried"
    said = f"{table} {'is' if effect.certain else 'may be'} {done}{through} for every {over}{floating}"
    return Found(
        step.span,
        f"the same rows of {table} are read{through} for every {over}{floating}" if same else said,
        shortest(reaching(program, site.function)) + points,
        HAND if same else Batch(hit.loop.span, _how(program, site, hit, read, scan=scan)),
        weight.severity,
        Confidence.LIKELY if read.fragile else Confidence.SURE,
        site.function.key,
        read.table,
        cost=Cost(f"n × rows({read.table})" if scan else "n queries", "1 query" if same else "1 range"),
        operation=read.verb,
        because=weight.because,
    )


def _circumstances(program: Program, site: Site, hit: Rounds, effect: Effect, *, scan: bool, same: bool) -> Weight:
    if hit.loop.kept:
        return hint(KEPT)
    if little := small_matter(program, site, effect):
        return hint(little)
    if scan:
        return Weight(Severity.ERROR)
    read = effect.access
    if not plain(program, site.function) and unasked(program, site.function):
        return hint(UNASKED)
    if _chosen_over(program, site, hit, read):
        return hint("the other branch reads the range of all items, which this one avoids for a few")
    if isinstance(site.step, Access) and _cut_in_memory(program, site, read):
        return hint("the in-memory filter of each query is what to fix first")
    drivers = drivers_of(program, site, hit.loop)
    if newest(program, site, read) and drivers and all(reach(program, site.function, d) < Reach.TABLE for d in drivers):
        return hint("each item needs the newest of many rows; one range over all items would read them all")
    if same and read.bound is not Bound.ONE and not few(program, site, hit.loop):
        return Weight(Severity.WARNING)
    if not _dear(program, site, hit, read):
        return hint("the queries run in parallel, and each reads little")
    if few(program, site, hit.loop):
        return hint("the loop runs over a handful of rows")
    if _joined(program, site, hit, read):
        return hint("one row for each item of a bounded list, in parallel, is how tables are joined")
    if _given(program, site, hit, read):
        return hint("the caller asks for these items by key, which takes a range each")
    return hint("" if effect.certain else "the helper reads only on some calls")
