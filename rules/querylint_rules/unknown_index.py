"""
# A query names an index, a range or a table that the schema does not have

## What it finds
An index name that the table does not declare, an index that is still staged, an index of another kind (a search index in `withIndex`), a
range that the index cannot serve (a field left out, two fields with ranges, a bound given twice, a search filter that is not declared), and
a table that the schema does not define.

```ts
// convex/schema.ts
export default defineSchema({
  posts: defineTable({ author: v.id("users"), slug: v.string() }).index("by_author_slug", ["author", "slug"]),
});
```

```ts
// convex/posts.ts
export const bySlug = query({
  args: { slug: v.string() },
  handler: (ctx, { slug }) =>
    ctx.db.query("posts").withIndex("by_author_slug", (q: any) => q.eq("slug", slug)).unique(), // expect: unknown-index "`author`"
});
```

## Why it costs
The query throws as soon as it runs; the type checker would say so, but not where the context, the query or the table is typed `any`. A
table that no schema defines reads as empty, unless older code has filled it.

## Instead
Name an index of the table, bind its fields from the first one on (equalities, then at most one range on the next field), or declare the
index that the query needs.

## When it stays silent
Schemas and tables that cannot be read to the end, tables of libraries, system tables, names and bounds that are chosen while the code runs,
and tests. A table that is missing is reported once a file, where it matters most; it is a hint in seeds, migrations and what nobody calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import ALONE, left_alone
from querylint.advise.grammar import BUILT_IN, KIND_OF_WAY, meant, mistake, nearest
from querylint.ir import Access, Function, Op, Plan, Program, Role, Schema, Side, Table, Way
from querylint.remedy import Rename
from querylint.rule import Found, Point, Severity, rule

MOST_NAMED = 3
CALLS = {"ordered": "withIndex", "search": "withSearchIndex", "vector": "vectorSearch"}


@rule(pattern="unknown-index", severity=Severity.ERROR)
def unknown_index(program: Program) -> Iterator[Found]:
    """Names and ranges that no index answers to."""
    strange: dict[tuple[str, str], Found] = {}
    for function in program.functions.values():
        schema = program.schema(function)
        if schema is None or not schema.complete or not schema.tables or function.role is Role.TEST:
            continue
        for access in (*(s for s in function.steps() if isinstance(s, Access)), *function.built):
            name = access.table
            if name is None or name.startswith("_"):
                continue
            table = schema.tables.get(name)
            if table is None:
                for found in _strange_table(program, function, schema, access, name):
                    first = strange.setdefault((function.path, name), found)
                    if first.because and not found.because:  # where it matters more than where it was met first
                        strange[function.path, name] = found
            elif table.indexes_known and table.library is None:
                for plan in access.plans:
                    yield from _plan(function, schema, table, access, plan)
    yield from strange.values()


def _strange_table(program: Program, function: Function, schema: Schema, access: Access, name: str) -> Iterator[Found]:
    inside = function.path.startswith(f"{schema.root}/") if schema.root else True
    if access.by_key or access.key is not None or not inside or (access.op is Op.WRITE and access.verb != "insert"):
        return
    near = nearest(name, tuple(schema.tables))
    hint = f"; did you mean `{near}`?" if near else ""
    old = "seeds and migrations may be about tables of another time" if function.role in (Role.SEED, Role.MIGRATION) else ""
    because = old or (ALONE if left_alone(program, function) else "")
    effect = ", so it reads as empty, unless older code has filled it" if access.reads else ""
    yield Found(
        access.chain,
        f"table `{name}` is not in the schema{effect}{hint}",
        (Point(schema.span, "the schema"),) if schema.span is not None else (),
        severity=Severity.INFO if because else Severity.WARNING,
        because=because,
        function=function.key,
        table=name,
        operation=access.verb,
    )


def _plan(function: Function, schema: Schema, table: Table, access: Access, plan: Plan) -> Iterator[Found]:
    kind = KIND_OF_WAY.get(plan.way)
    if kind is None or plan.index is None or plan.index in BUILT_IN:
        return
    index = table.index(plan.index)
    place = table.span
    remedy: Rename | None = None
    help = ""
    if index is None:
        near = nearest(plan.index, [i.name for i in table.indexes if i.kind is kind])
        fitting = meant(plan, table, schema.tail)
        if fitting is not None:
            remedy = Rename(table.name, plan.index, fitting.name)
        said = f"`{table.name}` has no index `{plan.index}`, so the query throws" + (f"; did you mean `{near}`?" if near else "")
        if fitting is None:
            help = _declare(table, plan)
    elif index.staged:
        said, place = f"index `{plan.index}` of `{table.name}` is staged: no query can read by it yet", index.span
    elif index.kind is not kind:
        said, place = f"`{plan.index}` of `{table.name}` is read with {CALLS[index.kind.value]}, not {CALLS[kind.value]}", index.span
    else:
        wrong = mistake(plan, index, schema.tail) if plan.named else None
        if wrong is None:
            return
        said, place = f"index `{plan.index}` of `{table.name}` {wrong}", index.span
    trail = (Point(place, f"`{table.name}`" if index is None else f"`{index.name}`"),) if place is not None else ()
    yield Found(plan.span or access.chain, said, trail, remedy, function=function.key, table=table.name, operation=access.verb, help=help)


def _declare(table: Table, plan: Plan) -> str:
    """What to do about an index that no name of the table comes near to."""
    bound = tuple(dict.fromkeys(p.field for p in plan.predicates if p.side is Side.INDEX and p.field)) if plan.way is Way.INDEX else ()
    others = [f"`{index.name}`" for index in table.indexes if index.kind is KIND_OF_WAY[plan.way]][:MOST_NAMED]
    declare = "declare it in the schema" + (f" ({', '.join(bound)})" if bound else "")
    return f"{declare}, or use one that exists ({', '.join(others)})" if others else declare
