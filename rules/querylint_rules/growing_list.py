"""
# A list in a row that only gets longer

## What it finds
A mutation that puts one more member into a list of a document, where nothing in the project ever makes that list shorter: messages, a
history, views, votes, by its name a list of what happens or of who has come by.

```ts
// convex/schema.ts
export default defineSchema({
  rooms: defineTable({ name: v.string(), messages: v.array(v.object({ text: v.string(), at: v.number() })) }),
});
```

```ts
// convex/rooms.ts
export const say = mutation({
  args: { room: v.id("rooms"), text: v.string() },
  handler: async (ctx, { room, text }) => {
    const found = await ctx.db.get(room);
    if (found === null) throw new Error("no such room");
    await ctx.db.patch(room, { messages: [...found.messages, { text, at: Date.now() }] }); // expect: growing-list "`messages` of `rooms`"
  },
});
```

## Why it costs
Each call writes the whole list again, and each query that reads the row for anything else reads all of it. Two calls at the same time
conflict, as both change the same document. At 8,192 members, or when the document reaches 1 MiB, the mutation fails for good.

## Instead
A table of its own for the members, with an index by the document that they belong to: a call then inserts one row, a query reads a page of
them, and nobody conflicts. Or keep only the newest: `[...found.messages, message].slice(-50)`.

## When it stays silent
Lists that some write cuts, filters, empties or sets anew; lists of what is on offer, or of what somebody owns or has reached; functions
that look at the length of the list; mutations that only staff, crons or upkeep run; tests and seeds. It is always a hint, as the code does
not show how many members a list will have.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.lengthening import lengthened
from querylint.advise.places import reaching, shortest
from querylint.advise.serving import phrase
from querylint.ir import Program
from querylint.remedy import Advice, Stage
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule

MOST_NAMES = 3


@rule(pattern="growth", severity=Severity.INFO, cwe=770)
def growing_list(program: Program) -> Iterator[Found]:
    """Lists in rows without an end."""
    for longer in lengthened(program):
        table = longer.table.name
        (function, write), *others = longer.writes
        names = list(dict.fromkeys(caller.name for caller in longer.callers))[:MOST_NAMES]
        points = tuple(Point(other.span, f"and here, in `{where.name}`") for where, other in others[:MOST_NAMES])
        yield Found(
            write.span,
            f"`{longer.field}` of `{table}` gets longer with every call of {phrase(names)}, and nothing makes it shorter",
            (*shortest(reaching(program, function)), *points),
            Advice(f"keep the members in a table of their own, with an index by the row of `{table}`, or only the newest here", Stage.DATA),
            None,
            Confidence.LIKELY,
            function.key,
            table,
            (longer.field,),
            cost=Cost("the whole list, read and written again for each member, up to 8,192", "one row for each member"),
            operation=write.verb,
            because="the code does not show how many members there will be",
        )
