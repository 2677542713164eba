"""
# A sign of life in rows that other queries read

## What it finds
A mutation that only notes when somebody was last seen, in rows which also hold a name, a role and the like, while public queries read these
rows for the rest.

```ts
// convex/schema.ts
export default defineSchema({
  players: defineTable({ name: v.string(), team: v.string(), color: v.string(), level: v.number(), lastSeen: v.number() })
    .index("by_team", ["team"]),
});
```

```ts
// convex/players.ts
export const heartbeat = mutation({
  args: { player: v.id("players") },
  handler: async (ctx, { player }) => {
    await ctx.db.patch(player, { lastSeen: Date.now() }); // expect: hot-field "`lastSeen` of `players`"
  },
});
export const names = query({
  args: { team: v.string() },
  handler: async (ctx, { team }) => {
    const players = await ctx.db.query("players").withIndex("by_team", (q) => q.eq("team", team)).take(20);
    return players.map((player) => player.name);
  },
});
export const levels = query({
  args: { team: v.string() },
  handler: async (ctx, { team }) => {
    const players = await ctx.db.query("players").withIndex("by_team", (q) => q.eq("team", team)).take(20);
    return players.map((player) => player.level);
  },
});
```

## Why it costs
Convex runs a subscribed query again when any part of a document that it has read changes, used or not. With a beat every ten seconds, each
person who is there makes the queries of all who have read that row run again six times a minute, to the same result.

## Instead
Keep the time in a small table of its own, one row for each person (the presence component does so), or write it only where the last one is
some minutes old.

## When it stays silent
Tables that hold little else; rows that only queries read which use the time or hand out whole rows; times that are written along with a
change of something else; writes that look first how old the time is. It is always a hint, as the code does not show how often it beats.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.beating import beats
from querylint.advise.serving import phrase, some
from querylint.ir import Program
from querylint.remedy import Advice, Stage
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule

LEAST_READERS = 2
MOST_NAMES = 3


@rule(pattern="rerun", severity=Severity.INFO)
def hot_field(program: Program) -> Iterator[Found]:
    """Beats that run other queries again."""
    for beat in beats(program):
        if len(beat.readers) < LEAST_READERS:
            continue
        names = list(dict.fromkeys(reader.name for reader in beat.readers))
        who = some(names, MOST_NAMES, len(beat.readers))
        yield Found(
            beat.access.span,
            f"`{beat.field}` of `{beat.table.name}` changes with every call of {phrase([m.name for m in beat.mutations[:MOST_NAMES]])}, "
            f"which runs {who} again, though they do not look at it",
            tuple(Point(reader.span, f"`{reader.name}` reads `{beat.table.name}`") for reader in beat.readers[:MOST_NAMES]),
            Advice(f"keep `{beat.field}` in a table of its own, or write it only where it is some minutes old", Stage.DATA),
            None,
            Confidence.LIKELY,
            beat.function.key,
            beat.table.name,
            (beat.field,),
            cost=Cost("a run of every subscription that has read the row, for each beat", "none of them"),
            operation=beat.access.verb,
            because="the code does not show how often it is called",
        )
