"""One range that holds the rows of all the items of a loop: the index by which it is read, where there is one."""

from __future__ import annotations

from querylint.advise.growth import left_by_others, one_row
from querylint.advise.indexes import Standing
from querylint.advise.keys import inserts
from querylint.advise.places import quiet
from querylint.advise.planner import plain
from querylint.advise.rounds import rounds
from querylint.advise.serving import orderly
from querylint.advise.trace import fate
from querylint.ir import Access, Bound, Function, IndexKind, Loop, Program, Relation, Table, Terminal
from querylint.ir.program import Site

FEW = 50
"""Items that are a part of a list, not about all of it."""


def drivers_of(program: Program, site: Site, loop: Loop) -> list[Access]:
    """The reads whose rows the loop runs over; none where something else is among them."""
    found: list[Access] = []
    for _, origin in loop.over.parts if loop.over is not None else ():
        place = program.sites(site.function.key).of(origin)
        if place is None or not isinstance(place.step, Access):
            return []
        found.append(place.step)
    return found


def index_for_all(program: Program, site: Site, driver: Access, read: Access) -> str | None:
    """The index by which one range holds the rows of all items: it begins with what binds these, then has what each query fixes."""
    table = program.table(site.function, read.table)
    fixed = [p.fixed() for p in driver.plans]
    most = driver.limit.literal if driver.bound is Bound.LIMIT and driver.limit is not None else None
    if driver.bound is Bound.PAGE or (isinstance(most, int) and most <= FEW):
        return None  # the range holds what belongs to all, the items are a few of these
    if table is None or not fixed or not fixed[0] or read.table == driver.table:
        return None  # of the same table each query asks for what others have: the range of the items is another
    equal = (p for plan in read.plans for p in plan.predicates if p.relation is Relation.EQ)
    given = {p.field for p in equal if p.value is not None and p.value.constant}
    if newest(program, site, read) or _long(program, site, read.table, fixed[0][0]):
        return None
    if left_by_others(program, site.function, read.table, fixed[0][0]):
        return None  # what somebody has written elsewhere is not what others have written at the own things
    if not _always_set(program, site, table, fixed[0][0]) or _read_already(site, program, read, fixed[0][:1]):
        return None
    found = [i for i in orderly(table) if i.fields[:1] == fixed[0][:1] and given <= set(i.fields[1 : 1 + len(given)])]
    return found[0].name if found else None


def _read_already(site: Site, program: Program, read: Access, fixed: tuple[str, ...]) -> bool:
    """Whether the function has read that range besides: the items ask for what it lacks."""
    steps = (s.step for s in program.sites(site.function.key).all if not s.loops)
    lists = (o for o in steps if isinstance(o, Access) and o.table == read.table and o.bound is Bound.ALL)
    return any(plan.fixed() == fixed for one in lists for plan in one.plans)


def newest(program: Program, site: Site, read: Access) -> bool:
    """Whether each item asks for the newest of many rows: a range that holds the rows of all items would hold all the older ones, too."""
    cut = read.bound in (Bound.ONE, Bound.LIMIT) and read.verb != "unique"
    turned = all(p.order is not None and p.order.descending and not one_row(program, site.function, read, p) for p in read.plans)
    return cut and bool(read.plans) and turned and not plain(program, site.function)


def _always_set(program: Program, site: Site, table: Table, name: str) -> bool:
    """Whether every row has a field: else the range of those that have it may leave out rows that the items ask for."""
    declared = table.field(name)
    if declared is None or not declared.optional:
        return True
    made = inserts(program, site.function.root, table.name)
    return bool(made) and all(access.fields is not None and name in access.fields for _, access in made)


def _long(program: Program, site: Site, table: str | None, parent: str) -> bool:
    """Whether the rows of one parent are paged through elsewhere: then its range holds far more than what the items ask for."""
    return (site.function.root, table, (parent,)) in program.once("paged ranges", lambda: _paged(program))


def _paged(program: Program) -> frozenset[tuple[str, str | None, tuple[str, ...]]]:
    return frozenset((s.function.root, a.table, p.fixed()) for s, a in program.reads() if a.bound is Bound.PAGE for p in a.plans)


def sparing(program: Program, standing: Standing) -> Function | None:
    """A function that other advice lets read by an index which nothing reads by: a range for all items, one for each of several values, or
    a search for a text."""
    for site, read in program.reads_of(standing.schema.root, standing.table.name):
        if quiet(site.function) or read.terminal not in (Terminal.ROWS, Terminal.ROW):
            continue
        if _ranges(program, site, read, standing) or _asks(program, site, read, standing):
            return site.function
    return None


def _ranges(program: Program, site: Site, read: Access, standing: Standing) -> bool:
    """Whether a loop asks for rows that one range of an index holds for all its items."""
    hits = rounds(program, site)
    first = next((hit for hit in hits if hit.varies), None)
    if first is None or any(hit.constant or hit.paging or hit.waits for hit in hits[: hits.index(first) + 1]):
        return False
    return any(index_for_all(program, site, driver, read) == standing.index.name for driver in drivers_of(program, site, first.loop))


def _asks(program: Program, site: Site, read: Access, standing: Standing) -> bool:
    """Whether memory asks of all rows of a table what an index has for each of several values, or for a text."""
    if read.bound is not Bound.ALL or read.terminal is not Terminal.ROWS or any(plan.fixed() for plan in read.plans):
        return False
    asked = Relation.IN if standing.index.kind is IndexKind.ORDERED else Relation.SEARCH
    tests = (p for s in fate(program, site.function, read).uses for p in s.use.predicates)
    return any(p.relation is asked and (p.field,) == standing.index.fields[:1] for p in tests)
