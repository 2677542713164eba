"""
# Rows loaded and then sorted in memory

## What it finds
A list that is collected by an index range and sorted by a field of its documents, in particular to take the first few or the greatest.

## Why it costs
All rows are read to rank a few of them. An index whose fields are those of the range followed by the sort field hands them out in
order, and `.order("desc").take(n)` then reads n rows.

## Instead
Extend the index by the sort field and use `.order(...)`, with `.take(n)` or `.first()` where only some are wanted. Rows with equal keys
then follow in the order of their creation; where the sort breaks ties by further fields, they follow in the index.

## When it stays silent
Sorts by something computed (a quotient, a score, a rank from a table or a function, a field for which another stands in where it is
absent), sorts that break ties in another direction, sorts of bounded lists, of search results and of lists that come from elsewhere,
sorts in a different order after the rows were combined with others, tables that the settings call small, tests, seeds and migrations. A
sort with no cut after it is a hint, and one of rows that are added up besides: it spares work, not reads; where only an index that
nothing else needs has its order, nothing is said. It is a hint, too, where a new index would put in order what two keys have picked, one of
them a person.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.advised import advised, going, planned
from querylint.advise.cover import Shape
from querylint.advise.memory import Load, anchor, home, trail
from querylint.advise.reductions import Sorting, sorted_in_memory
from querylint.advise.serving import order_after, phrase
from querylint.ir import Plan, Program
from querylint.remedy import Advice, PushDown, Stage
from querylint.rule import Cost, Found, Severity, rule

ALONE = "bind the filtered fields in an index range, and sort what is left: an order alone is not worth an index"


@rule(pattern="mem-filter", severity=Severity.WARNING, cwe=1094)
def sort_in_memory(program: Program) -> Iterator[Found]:
    """Sorts in memory that an index would give."""
    for one in sorted_in_memory(program):
        found = _found(program, one)
        index = found.remedy.index if isinstance(found.remedy, PushDown) and not found.remedy.create else None
        if one.cut or index is None or not going(program, one.load.function, found.table, index):
            yield found  # an index is not kept for the sake of an order alone


def _found(program: Program, one: Sorting) -> Found:
    load, read, seen, field, fixed = one.load, one.load.access, one.seen, one.fields[0], one.want.equal
    serving = one.serving
    if field == "*":
        remedy: PushDown | Advice = Advice("give each order that is offered its own index, and take the rows from there", Stage.INDEX)
    elif field == "_creationTime":
        remedy = Advice(_by_creation(read.plans[0], load, fixed, descending=seen.use.descending is not False))
    else:
        assert serving is not None
        serving = advised(program, load.function, read.table, Shape(frozenset(fixed), one.want.then), serving)
        remedy = PushDown(read.table or "", serving.index, serving.fields, serving.create, bool(seen.use.descending), order=one.fields)
        chosen = not serving.create or planned(program, load.function, read.table, serving.index)
        if not (one.cut or chosen or program.facts(load.function).planner):
            remedy = Advice(ALONE)
    name = phrase(one.fields) if field != "*" else "a field chosen at run time"
    rest = " and cut" if one.cut else ""
    ready = isinstance(remedy, PushDown) and not remedy.create and not program.facts(load.function).planner
    known = f", though index `{remedy.index}` has that order" if ready and isinstance(remedy, PushDown) else ""
    return Found(
        anchor(load, seen),
        f"rows of `{read.table}` are loaded and sorted by {name}{rest} in memory{known}",
        trail(program, load, seen),
        remedy,
        one.severity,
        function=home(load, seen),
        table=read.table,
        fields=(*fixed, *one.fields) if field != "*" else fixed,
        also=("missing-index",) if serving is not None and serving.create and not program.facts(load.function).planner else (),
        cost=Cost(load.cost, "the rows that are shown" if one.cut else "the same rows, in order"),
        operation="sort",
        because=one.because,
    )


def _by_creation(plan: Plan, load: Load, fixed: tuple[str, ...], *, descending: bool) -> str:
    """Rows come in the order of their creation where all the fields of an index are bound (convex-facts 2.5)."""
    how = 'use .order("desc")' if descending else "drop the sort"
    if order_after(plan, load.table) == ():
        return f"{how}: the index already returns rows by creation time"
    alone = f"an index on {', '.join(fixed)} alone" if fixed else "the table itself"
    return f"{how} and read through {alone}, which returns rows by creation time"
