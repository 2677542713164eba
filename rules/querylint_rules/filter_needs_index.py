"""
# A filter that no index serves

## What it finds
A database-side `.filter` by equality or range on fields for which the table has no index, over the whole table or over the rows that an
index range finds.

## Why it costs
Convex bills every row that enters the query, before `.filter` looks at it: a lookup of one row costs as much as the table is long, and
any write to the table makes subscribers of the query run again. `.first()` and `.unique()` read on until they meet a match, and to
the end when there is none.

## Instead
Add an index with the equalities first and the one range or sort last, and bind them in `withIndex`. An `or` becomes one query per
alternative, each by its own index, started together and merged.

## When it stays silent
Conditions that no range can express (`neq`, arithmetic, a second range), conditions on fields that the schema does not know or that hold
arrays, the tables of Convex itself, tables that the settings call small, tests, seeds and migrations. A leftover equality on a short range
is only a hint, and so is one on any range of a function that no client asks, where clients are in the project that call most functions. So
are filters of a table that people keep by hand, the published rows of one that no code fills, and conditions on an argument that nobody
gives. In a function that no client asks it is a hint, too, where another one tells the same, or nobody reads the table from end to end; and
so is the lookup of a function that puts in the samples which the code lists. A table that the schema does not have can be given no index.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.advised import arm_serving, proposed
from querylint.advise.filters import Loss, losses, way_of, why_hint
from querylint.advise.places import reaching, shortest
from querylint.advise.serving import Serving, floor, keeps_order, orderly, phrase, range_taken
from querylint.ir import Program
from querylint.remedy import Advice, PushDown, Stage
from querylint.rule import Confidence, Cost, Found, Severity, rule


@rule(pattern="scan-filter", severity=Severity.WARNING, cwe=1067)
def filter_needs_index(program: Program) -> Iterator[Found]:
    """Filters whose fields no index has."""
    for loss in losses(program):
        if loss.serving is not None and not loss.serving.create:
            continue
        serving = proposed(program, loss)
        read = loss.access
        names = loss.names
        because = why_hint(program, loss)
        yield Found(
            read.chain,
            _message(loss, names),
            (*shortest(reaching(program, loss.site.function)), *way_of(loss)),
            _remedy(program, loss, serving),
            Severity.INFO if because else loss.severity,
            Confidence.LIKELY if read.fragile else Confidence.SURE,
            loss.site.function.key,
            read.table,
            serving.fields if serving is not None else names,
            _also(program, loss),
            Cost(loss.cost, "the rows that match"),
            read.verb,
            because=because,
        )


def _message(loss: Loss, names: tuple[str, ...]) -> str:
    table = f"`{loss.access.table}`" if loss.access.table else "a table"
    by = f" by {phrase(names)}" if names else ""
    if loss.unranged:
        reads = "is scanned from end to end" if loss.to_end else "is read until enough rows match"
        served = "no index serves" if loss.serving is not None else "no single index range serves"
        return f"{table} {reads} and filtered{by}, which {served}"
    if not loss.to_end:
        return f"rows of {table} that `{loss.plan.index}` finds are read until enough match, and filtered{by}, which no index serves"
    return f"all rows of {table} that `{loss.plan.index}` finds are read and filtered{by}, which no index serves"


def _remedy(program: Program, loss: Loss, serving: Serving | None) -> PushDown | Advice:
    if serving is None:
        return _split(program, loss)
    table = program.table(loss.site.function, loss.access.table)
    staged = next((i for i in table.indexes if i.staged and i.fields == serving.fields), None) if table is not None else None
    if staged is not None:
        return Advice(f"remove `staged` from index `{staged.name}` once it is built, and bind its fields in a range", Stage.INDEX)
    order = tuple(f for f in loss.want.then if f not in loss.names and f != range_taken(loss.plan))
    low = floor(table, loss.plan.residual(), serving.fields)
    kept = keeps_order(loss.plan, table, serving, loss.want)
    return PushDown(loss.access.table or "", serving.index, serving.fields, True, keeps_order=kept, order=order, floor=low)


def _split(program: Program, loss: Loss) -> Advice:
    """One query for each alternative, by the index that serves it; the fields of those that are still to be added are named."""
    found = [arm_serving(program, loss, arm) for arm in loss.arms]
    named = dict.fromkeys(f"`{s.index}`" + (f" (to add: {', '.join(s.fields)})" if s.create else "") for s in found)
    by = f" by {' and '.join(named)}" if named else ""
    stage = Stage.INDEX if any(s.create for s in found) else Stage.CODE
    return Advice(f"run one query per alternative{by} with Promise.all and merge the results", stage)


def _also(program: Program, loss: Loss) -> tuple[str, ...]:
    """Alternatives may each have their index already."""
    table = program.table(loss.site.function, loss.access.table)
    if loss.serving is None and table is not None and set(loss.names) <= {i.fields[0] for i in orderly(table)}:
        return ()
    return ("missing-index",)
