"""
# A row that every call changes

## What it finds
A mutation that adds to a number, or to a list, in a row which is the same for all its callers: the only row of a table, or the one that the
code asks for by a name that it writes down.

```ts
// convex/schema.ts
export default defineSchema({
  counters: defineTable({ name: v.string(), value: v.number() }).index("by_name", ["name"]),
  orders: defineTable({ item: v.string() }),
});
```

```ts
// convex/orders.ts
export const place = mutation({
  args: { item: v.string() },
  handler: async (ctx, { item }) => {
    await ctx.db.insert("orders", { item });
    const counter = await ctx.db.query("counters").withIndex("by_name", (q) => q.eq("name", "orders")).unique();
    if (counter) await ctx.db.patch(counter._id, { value: counter.value + 1 }); // expect: hot-row "`value` of one row of `counters`"
  },
});
```

## Why it costs
A mutation is only committed if nothing that it read has changed meanwhile. Two calls at the same time have both read this row, so one of
them runs again: after 100 ms at first, up to four times, and then it fails. Every query that shows the row runs again after each call, too.

## Instead
Let each call insert a row of its own and add them up when they are read, or in a scheduled function; keep the number in several rows, of
which each call picks one at random (the sharded counter component); or count by the aggregate component, which spreads its writes.

## When it stays silent
Rows that are picked by an argument or by the caller, so that few change the same one; settings, which are set to what was given; mutations
that only staff, crons or upkeep run; tests and seeds. It is always a hint, as the code does not show how many calls come at the same time:
[`querylint profile`](../profile.md) says how many runs met a conflict.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.contended import Contended, contended
from querylint.advise.places import own_trail
from querylint.advise.serving import some
from querylint.ir import Program
from querylint.remedy import Advice, Stage
from querylint.rule import Confidence, Cost, Found, Severity, rule

MOST_NAMES = 3
SPREAD = Advice(
    "insert a row for each call and add them up elsewhere, or spread the number over several rows (the sharded counter component)",
    Stage.DATA,
)


@rule(pattern="contention", severity=Severity.INFO, cwe=362)
def hot_row(program: Program) -> Iterator[Found]:
    """Rows that all callers add to."""
    for row in contended(program):
        write = row.effect.access
        yield Found(
            write.span,
            _message(row),
            own_trail(program, row.effect, row.mutations[0]),
            SPREAD,
            None,
            Confidence.LIKELY if write.fragile else Confidence.SURE,
            row.effect.function,
            row.table.name,
            cost=Cost("a retry for each of two calls that come at the same time", "a row for each call, without conflicts"),
            operation=write.verb,
            because="the code does not show how many calls come at the same time",
        )


def _message(row: Contended) -> str:
    names = list(dict.fromkeys(mutation.name for mutation in row.mutations))
    who = some(names, MOST_NAMES, len(names))
    return f"each call of {who} changes `{row.field}` of one row of `{row.table.name}`, so calls at the same time conflict"
