"""
# Rows loaded and then sorted in memory

## What it finds
A list that is collected by an index range and sorted by a field of its documents, in particular to take the first few or the greatest.

## Why it costs
All rows are read to rank a few of them. An index whose fields are those of the range followed by the sort field hands them out in
order, and `.order("desc").take(n)` then reads n rows.

## Instead
Extend the index by the sort field and use `.order(...)`, with `.take(n)` or `.first()` where only some are wanted. Rows with equal keys
then follow in the order of their creation.

## When it stays silent
Sorts by something computed (a quotient, a score, a rank from a table), sorts of bounded lists, of search results and of lists that come
from elsewhere, sorts in a different order after the rows were combined with others, tables that the settings call small, tests, seeds
and migrations. A sort with no cut after it is a hint: it spares work, not reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.memory import Load, anchor, home, loads, trail, weight
from querylint.advise.serving import Want, full, known_field, order_after, phrase, proposal, sargable, serve
from querylint.advise.trace import Seen
from querylint.ir import Plan, Program, Relation, Way, Work
from querylint.remedy import Advice, PushDown
from querylint.rule import Cost, Found, Severity, rule

WHOLE = (Work.FOLD, Work.GROUP, Work.COUNT)
CUTS = (Work.SLICE, Work.FIRST, Work.LAST, Work.PICK)


@rule(pattern="mem-filter", severity=Severity.WARNING, cwe=1094)
def sort_in_memory(program: Program) -> Iterator[Found]:
    """Sorts in memory that an index would give."""
    for load in loads(program):
        if any(p.way is Way.SEARCH for p in load.access.plans) or load.fate.truncated:
            continue
        for seen in load.works(Work.SORT)[:1]:
            if seen.use.fields and all(f == "*" or known_field(f, load.table) for f in seen.use.fields):
                yield _found(program, load, seen)


def _found(program: Program, load: Load, seen: Seen) -> Found:
    read, field = load.access, seen.use.fields[0]
    plan = read.plans[0]
    cut = any(seen.use.id in s.use.after for s in load.works(*CUTS))
    ranged = any(p.relation is not Relation.EQ and p.field in (None, field) for p in plan.predicates)
    fixed = tuple(f for f in plan.fixed() if f != field)
    want = Want(fixed, (field,))
    serving = serve(load.table, want, beyond=fixed)
    if field == "*":
        remedy: PushDown | Advice = Advice("give each order that is offered its own index, and take the rows from there")
        serving = None
    elif field == "_creationTime":
        remedy = Advice(_by_creation(plan, load, fixed, descending=seen.use.descending is not False))
    else:
        if serving is None or not full(serving, want):
            serving = proposal(program, load.function, load.table, want)
        remedy = PushDown(read.table or "", serving.index, serving.fields, serving.create, bool(seen.use.descending), order=(field,))
    cuts = {s.use.id for s in load.works(*CUTS)}
    others = any(s.use.work in WHOLE and not cuts & set(s.use.after) and s.function.key == seen.function.key for s in load.fate.uses)
    picked = any(s.use.id in seen.use.after and not all(sargable(p, load.table) for p in s.use.predicates) for s in load.works(Work.FILTER))
    severity = weight(program, load) if cut and not ranged and not others and not picked else Severity.INFO
    name = phrase((field,)) if field != "*" else "a field chosen at run time"
    rest = " and cut" if cut else ""
    return Found(
        anchor(load, seen),
        f"rows of `{read.table}` are loaded and sorted by {name}{rest} in memory",
        trail(program, load, seen),
        remedy,
        severity,
        function=home(load, seen),
        table=read.table,
        fields=(*fixed, field) if field != "*" else fixed,
        also=("missing-index",) if serving is not None and serving.create and not program.facts(load.function).planner else (),
        cost=Cost(load.cost, "the rows that are shown" if cut else "the same rows, in order"),
        operation="sort",
    )


def _by_creation(plan: Plan, load: Load, fixed: tuple[str, ...], *, descending: bool) -> str:
    """Rows come in the order of their creation where all the fields of an index are bound (convex-facts 2.5)."""
    how = 'use .order("desc")' if descending else "drop the sort"
    if order_after(plan, load.table) == ():
        return f"{how}: the index hands rows out by creation time already"
    alone = f"an index on {', '.join(fixed)} alone" if fixed else "the table itself"
    return f"{how} and read through {alone}, which hands rows out by creation time"
