"""Rows that are loaded to be reduced in memory: which works are done on them, and what the database could do instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from querylint.advise.places import quiet, reaching, shortest
from querylint.advise.serving import accumulates, small, unranged, whole_table
from querylint.advise.trace import Fate, Seen, fate
from querylint.ir import Access, Bound, Function, Loop, Origin, Predicate, Program, Root, Table, Terminal, Way, Work
from querylint.ir.program import Site
from querylint.rule import Point, Severity

COUNTING = frozenset((Work.COUNT, Work.FOLD, Work.GROUP))


@dataclass(frozen=True, slots=True)
class Load:
    """A read that hands a list to memory, and what becomes of the list."""

    site: Site
    access: Access
    fate: Fate
    table: Table | None

    @property
    def function(self) -> Function:
        """The function that loads."""
        return self.site.function

    def works(self, *kinds: Work) -> list[Seen]:
        """The works of these kinds, in the order of the source."""
        return [s for s in self.fate.uses if s.use.work in kinds]

    def counted_filters(self) -> set[int]:
        """The filters whose results are only counted or summed."""
        counted = {n for s in self.works(Work.COUNT, Work.EMPTY, Work.FOLD) for n in s.use.after[-1:]}
        onward = {n for s in self.fate.uses if s.use.work not in (Work.COUNT, Work.EMPTY, Work.FOLD) for n in s.use.after[-1:]}
        return counted - onward


def loads(program: Program) -> Iterator[Load]:
    """Every list that is read whole, by an index range or a search (a whole table is `unbounded-read`'s)."""
    for site, read in program.reads():
        if quiet(site.function) or read.terminal is not Terminal.ROWS or small(program, read.table):
            continue
        if read.bound is not Bound.ALL or whole_table(read) or any(unranged(p) for p in read.plans):
            continue
        if any(p.way in (Way.KEY, Way.VECTOR) for p in read.plans):
            continue
        yield Load(site, read, fate(program, site.function, read), program.table(site.function, read.table))


def weight(program: Program, load: Load) -> Severity:
    """A warning where the range gathers rows for as long as its owner lives; else a hint."""
    return Severity.WARNING if accumulates(program, load.function, load.access) else Severity.INFO


def joins(program: Program, seen: Seen, predicates: tuple[Predicate, ...]) -> bool:
    """Whether a work looks rows up for the items of another loop: a join in memory, which is what a batch is for."""
    site = program.sites(seen.function.key).by_id.get(seen.use.id)
    if site is None:
        return False
    around = {loop.id for loop in site.loops if not _own(loop, seen.use.of)}
    return any(p.value is not None and p.value.deps & around for p in predicates)


def _own(loop: Loop, of: tuple[Origin, ...]) -> bool:
    return loop.over is not None and any(o in loop.over.origins for o in of)


def repeated_use(program: Program, seen: Seen) -> bool:
    """Whether a work stands in a loop over something else."""
    site = program.sites(seen.function.key).by_id.get(seen.use.id)
    return site is not None and any(not _own(loop, seen.use.of) and loop.kind.value in ("each", "gather", "while") for loop in site.loops)


def trail(program: Program, load: Load, seen: Seen) -> tuple[Point, ...]:
    """From the entry to the load, and on to the work."""
    calls = tuple(Point(e.call.span, f"{e.caller.rpartition('::')[2]} hands them to {e.callee.rpartition('::')[2]}") for e in seen.way)
    loaded = Point(load.access.span, f"all rows of {load.access.table or 'a table'} in the range are loaded here")
    return (*shortest(reaching(program, load.function)), loaded, *calls)


def drives(program: Program, load: Load) -> bool:
    """Whether the rows decide what else is read, written or called: then they are needed, whatever is counted besides."""
    for site in program.sites(load.function.key).all:
        step = site.step
        deps = getattr(step, "deps", None)
        if deps and load.access.id in deps and getattr(step, "id", None) != load.access.id and not hasattr(step, "work") and not isinstance(step, Loop):
            key = getattr(step, "key", None)
            if key is not None and any(o.root is Root.STEP and o.ref == load.access.id for o in key.origins):
                return True
            if any(loop.over is not None and any(o.ref == load.access.id for o in loop.over.origins) for loop in site.loops):
                return True
    return False
