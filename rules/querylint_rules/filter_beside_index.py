"""
# A filter that an existing index would serve

## What it finds
A database-side `.filter` on fields that an index of the schema begins with, or continues with after the range in use: the index is
ignored, used without its range, or used by its first field only.

## Why it costs
Convex bills every row that enters the query, before `.filter` looks at it. The rows that the filter throws away were read, count toward
the limits of the transaction, and make subscribers run again when they change.

## Instead
Bind the fields in the index range: `.withIndex("by_user_and_status", (q) => q.eq("userId", userId).eq("status", status))`. No change of
the schema is needed. A filter on `_id` is `ctx.db.get(id)`; one on `_creationTime` belongs in the built-in index `by_creation_time`.

## When it stays silent
Conditions that no range can express (`neq`, `or` beside a selective range, arithmetic), a second range when the first is used up,
indexes that are still being built, pages and first rows whose visible order the index would change, the tables of Convex itself and of
packages whose schema is not in the project, tables that the settings call small, tests, seeds and migrations.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.advised import proposed
from querylint.advise.filters import Loss, losses, way_of, why_hint
from querylint.advise.places import reaching, shortest
from querylint.advise.serving import Serving, floor, keeps_order, phrase
from querylint.ir import Program, Relation
from querylint.remedy import Advice, PushDown
from querylint.rule import Confidence, Cost, Found, Severity, rule


@rule(pattern="scan-filter", severity=Severity.WARNING, cwe=1067)
def filter_beside_index(program: Program) -> Iterator[Found]:
    """Filters whose fields an index has."""
    for loss in losses(program):
        serving = loss.serving
        if serving is None or serving.create:
            continue
        read = loss.access
        fields = tuple(f for f in serving.fields if f not in loss.plan.fixed())
        because = why_hint(program, loss)
        yield Found(
            read.chain,
            _message(loss, fields, proposed(program, loss) or serving),
            (*shortest(reaching(program, loss.site.function)), *way_of(loss)),
            _remedy(program, loss),
            Severity.INFO if because else loss.severity,
            Confidence.LIKELY if read.fragile else Confidence.SURE,
            loss.site.function.key,
            read.table,
            serving.fields,
            ("missing-index",) if loss.unranged else (),
            Cost(loss.cost, "the rows that match"),
            read.verb,
            because=because,
        )


def _message(loss: Loss, fields: tuple[str, ...], chosen: Serving) -> str:
    """What happens; `chosen` is the index that is to be read by, where the advice takes away the one that stands."""
    assert loss.serving is not None
    table = loss.access.table
    index = loss.serving.index
    tested = f"{phrase(fields)}{_chosen(loss, fields)}" if fields else ""
    if index == "by_id":
        return f"every row of `{table}` is read to find {'some by their' if _several(loss) else 'one by its'} `_id`"
    if loss.plan.index == index and not loss.plan.fixed():
        return f"index `{index}` of `{table}` is walked from end to end while the filter tests {tested}, which the index begins with"
    if loss.plan.index == index:
        return f"the filter on {tested} runs over all rows that `{index}` finds, though that field comes next in the index"
    scanned = "the whole table is" if loss.unranged else f"all rows that `{loss.plan.index}` finds are"
    known = index if chosen.create else chosen.index
    return f"{scanned} read from `{table}` and filtered by {tested}, though index `{known}` has it"


def _chosen(loss: Loss, fields: tuple[str, ...]) -> str:
    """What of it only some calls ask for."""
    asked = [p for p in loss.plan.residual() if p.field in fields]
    names = tuple(f for f in fields if any(p.field == f for p in asked) and all(p.conditional for p in asked if p.field == f))
    if names == fields:
        return " (when it is given)" if len(names) == 1 else " (when they are given)"
    return f" ({phrase(names)} when it is given)" if names else ""


def _remedy(program: Program, loss: Loss) -> PushDown | Advice:
    assert loss.serving is not None
    if loss.serving.index == "by_id":
        how = (
            "read each document with ctx.db.get(id), all in one Promise.all" if _several(loss) else "read the document with ctx.db.get(id)"
        )
        more = any(p.field != "_id" for p in loss.plan.residual())
        return Advice(f"{how}, and test there what else the filter asks" if more else how)
    serving = proposed(program, loss) or loss.serving
    table = program.table(loss.site.function, loss.access.table)
    kept = keeps_order(loss.plan, table, serving, loss.want)
    low = floor(table, loss.plan.residual(), serving.fields)
    stands = loss.serving.index if serving.create else ""
    return PushDown(loss.access.table or "", serving.index, serving.fields, serving.create, keeps_order=kept, floor=low, instead_of=stands)


def _several(loss: Loss) -> bool:
    """Whether the filter names several ids."""
    return any(p.field == "_id" and p.relation is Relation.IN for p in loss.plan.residual())
