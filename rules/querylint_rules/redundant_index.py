"""
# An index that is a prefix of another

## What it finds
An index whose fields are the first fields of another index of the table, where every query that reads by it could read by the longer
one.

```ts
// convex/schema.ts
export default defineSchema({
  members: defineTable({ team: v.id("teams"), user: v.id("users") })
    .index("by_team", ["team"]) // expect: redundant-index "by_team_and_user"
    .index("by_team_and_user", ["team", "user"]),
});
```

```ts
// convex/members.ts
export const count = query({
  args: { team: v.id("teams") },
  handler: async (ctx, { team }) => {
    const rows = await ctx.db.query("members").withIndex("by_team", (q) => q.eq("team", team)).collect();
    return rows.length;
  },
});

export const find = query({
  args: { team: v.id("teams"), user: v.id("users") },
  handler: (ctx, { team, user }) =>
    ctx.db.query("members").withIndex("by_team_and_user", (q) => q.eq("team", team).eq("user", user)).unique(),
});
```

## Why it costs
Every insert, delete and changing update of a row rewrites its entry in every index of the table: the key bytes are billed each time, and
stored once more.

## Instead
Read by the longer index with the same range, then drop the shorter one. Rows with equal keys then come in the order of the longer index's
next field, no longer in the order of their creation.

## When it stays silent
Where a reader needs the order of creation, which only the shorter index has: it asks for an order, takes the first rows or a page, or
bounds `_creationTime`. Where a list is only handed on as it comes, the finding is an `info` that says so. It is silent, too, about an
index that may be chosen by a name that is put together while the code runs, about staged indexes, and about tables of libraries.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.advised import dropped
from querylint.advise.indexes import Need, Standing, covering, standings
from querylint.advise.planned import Shadowed, shadowed
from querylint.advise.serving import phrase
from querylint.ir import Index, Program
from querylint.remedy import DropIndex
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule


@rule(pattern="index-redundant", severity=Severity.WARNING, cwe=1089)
def redundant_index(program: Program) -> Iterator[Found]:
    """Indexes that a longer one makes needless."""
    for standing in standings(program).values():
        if standing.dead or standing.indirect or standing.need is Need.DECIDES or not standing.covers:
            continue
        cover = covering(program, standing)
        shown = standing.need is Need.SHOWN
        if cover is None or standing.index.span is None or not (shown or dropped(program, standing)):
            continue
        index, table = standing.index, standing.table.name
        yield Found(
            standing.index.span,
            _message(standing, cover),
            _trail(standing, cover),
            DropIndex(table, index.name, cover.index.name),
            Severity.INFO if shown else None,
            Confidence.LIKELY if shown else Confidence.SURE,
            table=table,
            fields=index.fields,
            cost=Cost("one more entry written with every row", ""),
            help=_help(standing),
            because="rows with equal keys would come in a different order, which callers can see" if shown else "",
        )
    for found in shadowed(program):
        yield _planned(found)


def _planned(found: Shadowed) -> Found:
    index, cover, table = found.index, found.cover, found.table.name
    same = "has the same fields as" if index.fields == cover.fields else "is a prefix of"
    points = (Point(cover.span, f"{_spoken(cover)} begins with the same fields"),) if cover.span is not None else ()
    mine = f"`{index.name}` of `{table}` ({phrase(index.fields)})" if index.named else f"on {phrase(index.fields)} of `{table}`"
    assert index.span is not None
    return Found(
        index.span,
        f"index {mine} {same} {_spoken(cover)}{f' ({phrase(cover.fields)})' if cover.named else ''}",
        points,
        DropIndex(
            table,
            index.name,
            cover.name if cover.named else _spoken(cover),
            index.option,
            index.fields if index.option or not index.named else (),
        ),
        table=table,
        fields=index.fields,
        cost=Cost("one more entry written with every row", ""),
    )


def _spoken(index: Index) -> str:
    """An index by its name, or by its fields where nobody gave it one."""
    return f"`{index.name}`" if index.named else f"the {'unique constraint' if index.unique else 'index'} on {phrase(index.fields)}"


def _message(standing: Standing, cover: Standing) -> str:
    index, fields = standing.index, phrase(standing.index.fields)
    if index.fields == cover.index.fields:
        return f"index `{index.name}` of `{standing.table.name}` has the same fields as `{cover.index.name}`"
    count = len({user.access.span for user in standing.users})
    readers = "its only reader" if count == 1 else f"its {count} readers"
    whole = f"index `{index.name}` of `{standing.table.name}` ({fields})"
    return f"{whole} is a prefix of `{cover.index.name}`, which serves {readers} as well"


def _help(standing: Standing) -> str:
    names = sorted({user.function.name for user in standing.users if user.need is Need.SHOWN})
    if not names:
        return ""
    look = f"check whether {phrase(names)} may return them that way"
    return f"rows with equal keys then come in a different order, which is why `querylint indexes` keeps it: {look}"


def _trail(standing: Standing, cover: Standing) -> tuple[Point, ...]:
    points = [Point(cover.index.span, f"`{cover.index.name}` begins with the same fields")] if cover.index.span is not None else []
    places = {user.access.span: user.function.name for user in standing.users}
    return (*points, *(Point(span, f"`{name}` reads by `{standing.index.name}`") for span, name in sorted(places.items())))
