"""
# Paging in memory

## What it finds
Offset paging (`take(limit + offset)` and then `slice(offset)`), and a collected list of which a slice is kept, or a page beside the number
of all.

## Why it costs
Page k reads all pages before it once more, so reading on to the end costs a number of reads that grows with the square of the list. A
collected list that is cut to its first n rows reads all of them, and so does one that is counted to say how many pages there are.

## Instead
`.paginate({ numItems, cursor })`, which starts where the page before ended and also works on search indexes; `.take(n)` for the first n. A
total is kept in a counter, where it has to be shown.

## When it stays silent
A page of n + 1 rows cut to n to see whether there are more, a search that is asked for more than is shown, a limited list of which both
halves are cut or, in a loop, batch after batch, slices of lists that are needed whole besides, slices that leave out no more than the
head (`[1:]`), slices of lists that were sorted or filtered in memory first and of whole tables (other rules speak of those), tables that
the settings call small, tests, seeds and migrations. In a table that people keep by hand, or in a register of machines, it is a hint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from querylint.advise.audience import ALONE, left_alone
from querylint.advise.curation import curated
from querylint.advise.growth import small
from querylint.advise.memory import Load, anchor, home, loads, loops_over, matching, trail
from querylint.advise.places import quiet, reaching, shortest
from querylint.advise.trace import Fate, Seen, fate
from querylint.ir import Access, Bound, Call, Function, Program, Root, Terminal, Use, Work
from querylint.remedy import Advice, Limit
from querylint.rule import Cost, Found, Point, Severity, Weight, hint, rule

ONE_FOR_ALL = "read all the columns that are needed by one query, and only the rows that are kept"


@rule(pattern="mem-filter", severity=Severity.WARNING, cwe=1094)
def page_in_memory(program: Program) -> Iterator[Found]:
    """Slices of lists that were read for more than the slice."""
    alike: dict[tuple[str, str | None, str], list[tuple[Load, Seen]]] = {}
    for load in loads(program):
        slices = [s for s in load.works(Work.SLICE) if not s.use.after]
        if _both_parts(slices):
            continue
        cuts = [s for s in slices if _always(program, load, s) and not _in_batches(program, s) and not _keeps_the_rest(s.use)]
        cuts = [s for s in cuts if not _worked_on(load, s)]
        planner = program.facts(load.function).planner  # it counts and pages by itself
        besides = {Work.EMPTY} | ({Work.COUNT} if planner or (cuts and _offset(cuts[0].use)) else set())
        if (
            cuts
            and (planner or not load.reported)
            and (load.access.table is not None or not planner)
            and load.access.bound is Bound.ALL
            and not load.fate.leaves_unselected()
            and {s.use.work for s in load.fate.uses} <= {Work.SLICE, *besides}
        ):
            size = cuts[0].use.size
            alike.setdefault((load.function.key, load.access.table, size.text if size is not None else ""), []).append((load, cuts[0]))
    for together in alike.values():
        yield _cut(program, *together[0], [load.access for load, _ in together[1:]])
    for site, read in program.reads():
        if quiet(site.function) or small(program, read.table) or read.terminal is not Terminal.ROWS or read.bound is not Bound.LIMIT:
            continue
        found = fate(program, site.function, read)
        uses = found.uses
        for seen in uses:
            paged = seen.use.work is Work.SLICE and _offset(seen.use) and not seen.use.after
            if (
                paged
                and not _in_batches(program, seen)
                and not _taken_apart(program, seen, uses)
                and not _needed_whole(program, seen, found)
            ):
                weight = _weight(program, site.function, read)
                yield Found(
                    seen.use.span,
                    f"a page of {_name(read.table)} is cut out after reading all rows before it",
                    (*shortest(reaching(program, site.function)), Point(read.span, "rows from the first on are read here")),
                    Limit(paginate=True),
                    weight.severity,
                    because=weight.because,
                    function=seen.function.key,
                    table=read.table,
                    cost=Cost("offset + limit rows a page", "limit rows a page"),
                    operation="slice",
                )
                break


def _always(program: Program, load: Load, seen: Seen) -> bool:
    """Whether the rows are cut wherever they are loaded."""
    if not seen.use.conditional:
        return True
    site = program.sites(seen.function.key).by_id.get(seen.use.id)
    return site is not None and seen.function.key == load.function.key and site.arms == load.site.arms


def _worked_on(load: Load, seen: Seen) -> bool:
    """Whether a loop before the cut goes through all of the rows and does more with them than a query could: it wants them all."""
    cut = seen.use.span
    before = [loop for loop in loops_over(load) if loop.span.path == cut.path and loop.span.start < cut.start and not loop.span.covers(cut)]
    return any(isinstance(step, Access | Call) for loop in before for step in loop.steps())


def _both_parts(slices: list[Seen]) -> bool:
    """Whether a list is parted in two, and both are used: `rows[:n]` and `rows[n:]`."""
    heads = {s.use.size.text for s in slices if s.use.start is None and s.use.size is not None}
    return any(s.use.start is not None and s.use.size is None and s.use.start.text in heads for s in slices)


def _in_batches(program: Program, seen: Seen) -> bool:
    """Whether a list is cut up batch by batch, where a query per batch would be no better."""
    site = program.sites(seen.function.key).by_id.get(seen.use.id)
    return program.facts(seen.function).planner and site is not None and bool(site.loops)


def _taken_apart(program: Program, seen: Seen, uses: Sequence[Seen]) -> bool:
    """Whether a list is cut in parts where its own length says, or once for every batch of it: then all of it was wanted."""
    use, sites = seen.use, program.sites(seen.function.key).by_id
    brought = {o.ref for o in use.of if o.root is Root.STEP and isinstance(o.ref, int)}
    site, bringing = sites.get(use.id), [sites[ref] for ref in brought if ref in sites]
    if use.start is None or site is None:
        return False
    anew = {loop.id for around in bringing for loop in around.loops}  # the list is read again in each of their rounds
    turning = {number for loop in site.loops if loop.id not in anew for number in (loop.id, *(c.id for c in loop.carried))}
    parts = sum(other.use.work is Work.SLICE and other.use.of == use.of for other in uses)  # one alone leaves the rest out
    return bool(use.start.deps & (turning | (brought if parts > 1 else set())))


def _needed_whole(program: Program, seen: Seen, found: Fate) -> bool:
    """Whether all of the rows leave as well, from where they are cut or from who is given them there."""
    here = {seen.function.key, *(edge.caller for edge in program.callers.get(seen.function.key, ()))}
    return any(not left.selected and left.function.key in here for left in found.whole)


def _name(table: str | None) -> str:
    return f"`{table}`" if table is not None else "a table"


def _weight(program: Program, function: Function, read: Access) -> Weight:
    kept = "the table is maintained by hand, so it holds few rows" if curated(program, function.root, read.table) else ""
    return hint(ALONE if left_alone(program, function) else kept)


def _offset(use: Use) -> bool:
    """Whether a slice starts at a place that is no constant."""
    return use.start is not None and not use.start.constant and not use.start.text.startswith("-")


def _keeps_the_rest(use: Use) -> bool:
    """Whether a slice leaves out a few rows at the head, and keeps however many follow: `rows[1:]`, `rows[:]`."""
    start = use.start.literal if use.start is not None else 0
    return use.size is None and isinstance(start, int) and start >= 0


def _cut(program: Program, load: Load, seen: Seen, others: list[Access]) -> Found:
    """The first of the loads of a function that are cut alike; one query may well read for all of them."""
    count = seen.use.size.literal if seen.use.size is not None and isinstance(seen.use.size.literal, int) else None
    weight = _weight(program, load.function, load.access)
    return Found(
        anchor(load, seen),
        f"{matching(program, load)} are loaded and cut in memory{f', {len(others) + 1} times' if others else ''}",
        (*trail(program, load, seen), *(Point(other.span, "and here once more") for other in others)),
        Advice(ONE_FOR_ALL) if others and program.facts(load.function).planner else _remedy(seen.use, count),
        weight.severity,
        because=weight.because,
        function=home(load, seen),
        table=load.access.table,
        also=("overfetch",),
        cost=Cost(load.cost, "the rows that are kept"),
        operation="slice",
    )


def _remedy(use: Use, count: int | None) -> Limit | Advice:
    if use.start is not None and use.start.text.startswith("-"):
        return Advice('reverse the order and read them with .order("desc").take(n)')
    return Limit(paginate=True) if _offset(use) else Limit(count if count != 1 else None)
