"""
# Whole documents read for a field or two

## What it finds
A list of documents of which only one field is looked at (the id, mostly), or a document with a heavy field (a vector, bytes) that is
only tested for existence. For lists that a query returns, it follows the rows into the client components that show them.

## Why it costs
Convex reads and bills whole documents; there is no projection. What travels to a subscriber is sent again whenever one of the documents
changes, shown or not.

## Instead
Keep the wanted fields in a small table of their own or on the row at hand, return only the fields that are shown, and keep heavy
content apart from what lists read.

## When it stays silent
Rows that leave whole, rows that are written back, tables with few fields, tables that the settings call small, lists that are counted or
filtered (other rules speak of those), lists that are bounded by `.take(n)`, lists that a framework makes by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.growth import accumulates, small
from querylint.advise.places import quiet, reaching, shortest
from querylint.advise.planner import entire
from querylint.advise.serving import phrase
from querylint.advise.trace import Fate, fate
from querylint.ir import Access, Bound, Function, Op, Program, Relation, Root, Table, Terminal, Use, Way, Work
from querylint.ir.program import Site
from querylint.remedy import Narrow
from querylint.rule import Confidence, Cost, Found, Severity, rule

FEW = 2
MANY_FIELDS = 6
REDUCING = frozenset(
    (Work.FILTER, Work.FIND, Work.COUNT, Work.FOLD, Work.GROUP, Work.DISTINCT, Work.SORT, Work.SLICE, Work.FIRST, Work.LAST, Work.EMPTY)
)


@rule(pattern="overfetch", severity=Severity.INFO, cwe=1060)
def whole_rows(program: Program) -> Iterator[Found]:
    """Reads of documents of which little is used."""
    for site, read in program.reads():
        function = site.function
        table = program.table(function, read.table)
        if quiet(function) or table is None or table.fields is None or small(program, read.table):
            continue
        if any(p.way in (Way.VECTOR, Way.SEARCH, Way.OPAQUE) for p in read.plans) or entire(program, site.function, read):
            continue
        planner = program.facts(function).planner
        if planner and (read.terminal is not Terminal.ROWS or read.related or any(p.columns is not None for p in read.plans)):
            continue
        seen = fate(program, function, read)
        if seen.whole or seen.truncated:
            continue
        found = _list(program, site, read, table, seen) if read.terminal is Terminal.ROWS else _row(program, site, read, table, seen)
        if found is not None:
            yield found


def _list(program: Program, site: Site, read: Access, table: Table, seen: Fate) -> Found | None:
    fields = tuple(f for f in seen.fields if table.field(f) is not None or f in ("_id", "_creationTime"))
    if site.function.span.start == site.function.span.end:
        return None  # a list that the framework makes: it needs more of each row than it is told to show
    if program.facts(site.function).lazy and any(table.link(f) is not None for f in seen.fields):
        return None  # the rows of a relation are followed: what they bring is more than a column
    clients = len(seen.subscribers) if seen.sent else 0
    if read.bound is Bound.LIMIT and not clients:
        return None
    limit = 1 if not clients else max(FEW, len(table.fields or ()) // 3)
    if not fields or len(fields) > limit or len(table.fields or ()) < MANY_FIELDS:
        return None
    kinds = {s.use.work for s in seen.uses if not _asks_for(table, s.use, fields)}
    if program.facts(site.function).planner:
        kinds.discard(Work.EMPTY)  # a list that is tested before it is gone through is read all the same
    if kinds & REDUCING or _written_back(program, site.function, read):
        return None
    noun = "rows" if program.facts(site.function).planner else "documents"
    where = f" by the {clients} components that show them" if clients > 1 else " by the component that shows them" if clients else ""
    dear = _costly(program, site, read, fields, clients)
    begun = read.chain if _own(site.function, read) else read.span  # what is begun for other reads as well must bring what these need
    return Found(
        begun,
        f"whole {noun} of `{read.table}` are read, and only {phrase(fields)} used{where}",
        shortest(reaching(program, site.function)),
        Narrow(read.table or "", fields),
        Severity.WARNING if dear else None,
        Confidence.LIKELY,
        site.function.key,
        read.table,
        fields,
        cost=Cost(f"{len(table.fields or ())} fields a row", f"{len(fields)} field{'s' if len(fields) > 1 else ''} a row"),
        operation=read.verb,
        because="" if dear else "the rows are small, or few of them are sent",
    )


def _own(function: Function, read: Access) -> bool:
    """Whether a query is begun for the rows of one read alone: neither by a helper, which may serve others, nor as a statement that runs
    again."""
    rows = (step for step in function.own_steps() if isinstance(step, Access) and step.terminal in (Terminal.ROWS, Terminal.PAGE))
    begun = (step.chain for step in rows if step.id != read.id)
    own = read.chain
    return function.span.covers(own) and not any(chain.path == own.path and chain.start == own.start for chain in begun)


def _asks_for(table: Table, use: Use, fields: tuple[str, ...]) -> bool:
    """Whether a filter only passes over the rows that lack what is used of them."""
    flags = {f.name for f in table.fields or () if f.type == "boolean"}
    return use.work is Work.FILTER and all(
        p.field in fields and p.field not in flags and p.relation is Relation.EQ and p.value is not None and p.value.literal is True
        for p in use.predicates
    )


def _costly(program: Program, site: Site, read: Access, fields: tuple[str, ...], clients: int) -> bool:
    """Whether a range that grows is sent for next to nothing. There is no reading of some fields alone: light rows cost what they cost."""
    if read.bound is not Bound.ALL or not clients or not accumulates(program, site.function, read):
        return False
    table = program.table(site.function, read.table)
    return len(fields) <= FEW and any(f.large for f in (table.fields or () if table is not None else ()))


def _row(program: Program, site: Site, read: Access, table: Table, seen: Fate) -> Found | None:
    heavy = [f.name for f in table.fields or () if f.large]
    if not heavy or seen.fields.keys() & set(heavy) or len(seen.fields) > FEW or _written_back(program, site.function, read):
        return None
    what = phrase(tuple(seen.fields)) if seen.fields else "whether it exists"
    return Found(
        read.chain,
        f"a document of `{read.table}` is read with its {phrase(heavy)} for {what}",
        shortest(reaching(program, site.function)),
        Narrow(read.table or "", ()),
        function=site.function.key,
        table=read.table,
        fields=tuple(seen.fields),
        cost=Cost(f"the whole document with {phrase(heavy)}", "a small document"),
        operation=read.verb,
        because="it is one document",
    )


def _written_back(program: Program, function: Function, read: Access) -> bool:
    """Whether rows are patched or deleted by their id: Convex has no write by range, so they must be read."""
    for site in program.sites(function.key).all:
        step = site.step
        if isinstance(step, Access) and step.op is Op.WRITE and step.follows is not None and step.follows.ref == read.id:
            return True  # a relation of the row is filled
        if isinstance(step, Access) and step.op is Op.WRITE and step.key is not None:
            if any(o.root is Root.STEP and o.ref == read.id for o in step.key.origins):
                return True
        elif isinstance(step, Use):
            continue
    return False
