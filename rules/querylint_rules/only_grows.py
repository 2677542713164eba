"""
# A table of events from which nothing is ever deleted

## What it finds
A table of logs, events, metrics or the like, into which users or crons insert rows that no function of the project ever changes or deletes.

```ts
// convex/schema.ts
export default defineSchema({
  errorLogs: defineTable({ message: v.string() }), // expect: only-grows "`errorLogs`"
});
```

```ts
// convex/errors.ts
export const report = mutation({
  args: { message: v.string() },
  handler: (ctx, { message }) => ctx.db.insert("errorLogs", { message }),
});
```

## Why it costs
Storage is paid for each row and again for each of its indexes, every month. Whatever reads the table without a range gets slower, and fails
when it has grown past the limits of a transaction.

## Instead
Decide how long a row is worth keeping, and delete older ones in batches from a cron: `.withIndex("by_creation_time", (q) =>
q.lt("_creationTime", cutoff)).take(500)`, delete them, and schedule the next batch while there are any. Every table has that index. In
Django, a command or a task on a schedule deletes by the column of their time, which then wants an index.

## When it stays silent
Tables whose rows are changed or deleted somewhere; records that have to be kept (audits, payments, moderation); inserts that first look
for the row; rows that `save()` writes, which may be old ones; tables that only seeds and migrations fill, or that the settings call small;
projects that delete by ids whose table cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.retention import growing
from querylint.advise.serving import phrase
from querylint.ir import Program
from querylint.remedy import Advice, Stage
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule

CRON = Advice("delete rows past their use in batches from a cron, by a range of `by_creation_time`", Stage.DATA)
JOB = Advice("delete rows past their use in batches from a scheduled job, by the column of their time, with an index on it", Stage.DATA)


@rule(pattern="retention", severity=Severity.INFO, cwe=770)
def only_grows(program: Program) -> Iterator[Found]:
    """Tables of events without an end."""
    for found in growing(program):
        if found.table.span is None:
            continue
        planner = found.schema.facts.planner
        names = list(dict.fromkeys(function.name for function, _ in found.inserts))
        verb = "inserts" if len(names) == 1 else "insert"
        yield Found(
            found.table.span,
            f"`{found.table.name}` only grows: {phrase(names[:3])} {verb} into it, and nothing deletes its rows",
            tuple(Point(access.span, f"`{function.name}` inserts") for function, access in found.inserts[:3]),
            JOB if planner else CRON,
            None,
            Confidence.LIKELY,
            table=found.table.name,
            cost=Cost("every row and its index entries, for good", "the rows of the time that is kept"),
            because="the code does not show how long the rows are needed",
        )
