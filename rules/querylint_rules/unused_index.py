"""
# An index that no query reads by

## What it finds
An ordered, search or vector index of the schema that no query in the project uses.

```ts
// convex/schema.ts
export default defineSchema({
  posts: defineTable({ author: v.id("users"), slug: v.string() })
    .index("by_author", ["author"])
    .index("by_slug", ["slug"]), // expect: unused-index "no query"
});
```

```ts
// convex/posts.ts
export const mine = query({
  args: { author: v.id("users") },
  handler: (ctx, { author }) => ctx.db.query("posts").withIndex("by_author", (q) => q.eq("author", author)).take(20),
});
```

## Why it costs
Every insert, delete and changing update of a row rewrites its entry in every index of the table: the key bytes are billed each time, and
stored once more. Search and vector indexes cost more still.

## Instead
Drop it; an index that is needed later is built then. Where a query filters by its first fields without it, the finding says so: use the
index there.

## When it stays silent
Where the name of the index is a word that the code holds elsewhere, or a query of the table chooses its index while it runs; staged
indexes, those that nobody wrote down (edges of convex-ents), tables of libraries, and schemas whose functions are not in the project.
Where code gives the schema itself to a package, which may read by any index that it finds there. Where the database picks its indexes by
itself, no reader names one: nothing is said. In a table that people keep by hand and nothing else changes, or that holds one row, or one
for each of a few values, an index costs next to nothing: that is a hint. So is one of a table that only such functions write as no client
asks for, where clients are in the project that call most.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.advised import choosing, dropped, extending, waiting
from querylint.advise.audience import unasked
from querylint.advise.curation import seldom_written
from querylint.advise.growth import small
from querylint.advise.indexes import Standing, covering, leaning, standings, written
from querylint.advise.keys import bounded
from querylint.advise.neglect import Neglect, neglecting
from querylint.advise.one_range import sparing as spared
from querylint.advise.serving import Serving, phrase
from querylint.ir import Function, IndexKind, Program
from querylint.remedy import Advice, DropIndex, PushDown, Stage
from querylint.rule import Cost, Found, Point, Severity, rule

KINDS = {IndexKind.ORDERED: "index", IndexKind.SEARCH: "search index", IndexKind.VECTOR: "vector index"}


@rule(pattern="index-unused", severity=Severity.WARNING, cwe=1089)
def unused_index(program: Program) -> Iterator[Found]:
    """Indexes without readers."""
    for standing in standings(program).values():
        if not standing.dead or standing.index.span is None or standing.schema.facts.planner:
            continue
        index, table = standing.index, standing.table.name
        stays = not dropped(program, standing)
        found = neglecting(program, standing) if stays else None
        reader = found if found is not None and not found.split else waiting(program, standing) if stays else None
        could = choosing(program, standing) if reader is None else None
        longer = extending(program, standing) if reader is None and could is None else None
        passing = reader or could or (longer[0] if longer is not None else None)
        pair = leaning(program, standing) if passing is None else None
        sparing = spared(program, standing) if passing is None else None
        use = _use(table, index.name, reader) if reader is not None else None
        frozen = reader is None and not written(program, standing)
        served = passing if passing is None or not passing.split else None  # who divides the rows up needs all of them
        because = (
            "nothing in the project writes to the table, so the index costs only storage"
            if frozen
            else "the table holds few rows, or is seldom written to"
            if _small(program, standing, passing or found)
            else ""
        )
        yield Found(
            standing.index.span,
            _message(standing, pair, served, frozen=frozen),
            _trail(pair, served),
            use or DropIndex(table, index.name),
            Severity.INFO if because else None,
            table=table,
            fields=index.fields,
            also=("index-redundant",) if pair is not None or standing.covers else (),
            cost=Cost("one more entry stored with every row" if frozen else "one more entry written and stored with every row", ""),
            help=_help(program, standing, reader, could, longer if served is not None else None, sparing),
            because=because,
        )


def _use(table: str, index: str, reader: Neglect) -> PushDown | Advice:
    if _alternatives(reader):
        return Advice(f"read by index `{index}` once for each alternative that `{reader.function.name}` asks for, and merge", Stage.CODE)
    return PushDown(table, index, reader.fields, False, keeps_order=reader.keeps_order, order=reader.order, at=reader.access.chain)


def _alternatives(reader: Neglect) -> bool:
    """Whether a query asks for the fields of an index only in the alternatives of an `or`: no one range holds what it wants."""
    tests = [p for plan in reader.access.plans for p in plan.residual()]
    inside = any(a.field in reader.fields for p in tests for arm in p.arms for a in arm)
    return inside and not any(p.field in reader.fields for p in tests)


def _small(program: Program, standing: Standing, passing: Neglect | None) -> bool:
    """Whether a table holds few rows, or people fill it by hand and nobody waits for a query that the index would serve as it is."""
    root, table = standing.schema.root, standing.table.name
    if small(program, table) or bounded(program, root, table):
        return True
    served = passing is not None and not unasked(program, passing.function) and not _alternatives(passing)
    return not served and seldom_written(program, root, table)


def _help(
    program: Program,
    standing: Standing,
    reader: Neglect | None,
    could: Neglect | None,
    longer: tuple[Neglect, Serving] | None,
    sparing: Function | None,
) -> str:
    if reader is not None:
        return "if that query stays as it is, drop the index"
    if could is not None:
        return f"or keep it, and let `{could.function.name}` read by it, so that it reads fewer rows"
    if longer is not None:
        more = phrase(longer[1].fields[len(standing.index.fields) :])
        name = longer[0].function.name
        return f"`{longer[1].index}`, which `{name}` needs, takes its place: add {more} to it, and let that query read by it"
    if sparing is not None:
        how = (
            "read by it: one range for all its items, or one for each value" if standing.index.kind is IndexKind.ORDERED else "search by it"
        )
        return f"or keep it, and let `{sparing.name}` {how}"
    cover = covering(program, standing)
    return f"`{cover.index.name}` begins with the same fields, and would serve any later reader" if cover is not None else ""


def _message(standing: Standing, pair: Standing | None, reader: Neglect | None, *, frozen: bool) -> str:
    index = standing.index
    said = f"no query reads by {KINDS[index.kind]} `{index.name}` of `{standing.table.name}` ({phrase(index.fields)})"
    if frozen:
        return f"{said}, and no write of the table is seen in code that is in use"
    if pair is not None:
        return f"{said}; the fields that it shares with `{pair.index.name}` are served by that one"
    if reader is not None:
        doing = "sorts" if reader.order else "filters"
        return f"{said}, though `{reader.function.name}` {doing} by {phrase(reader.order or reader.fields)} without it"
    return said


def _trail(pair: Standing | None, reader: Neglect | None) -> tuple[Point, ...]:
    if pair is not None and pair.index.span is not None:
        return (Point(pair.index.span, f"`{pair.index.name}` is the one in use"),)
    return (Point(reader.access.span, f"`{reader.function.name}` would be served by it"),) if reader is not None else ()
