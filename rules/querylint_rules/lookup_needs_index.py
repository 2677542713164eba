"""
# A row that is looked up by a field without an index

## What it finds
A single row, or whether there is one, asked for by a text field that begins no index, where the database picks its indexes by itself.

## Why it costs
Without an index the database reads the table from its start until it has found the row, or to the end where there is none.

## Instead
Add an index on the field, or make it unique where it is: `db_index=True`, `unique=True`, or an entry of `Meta.indexes`. Where the
question binds further fields, one index on all of them serves best.

## When it stays silent
Questions that bind a field which begins an index, a key or a constraint; fields of a few values; values that the source writes down;
tables that the settings call small; tests, seeds and migrations. Tables that stay small need no index, which the source does not show: it
is a hint.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.growth import small
from querylint.advise.places import quiet, reaching, shortest
from querylint.advise.serving import phrase
from querylint.ir import Access, IndexKind, Plan, Predicate, Program, Relation, Table, Terminal, Way
from querylint.ir.program import Site
from querylint.remedy import AddIndex
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule


@rule(pattern="missing-index", severity=Severity.INFO, cwe=1067)
def lookup_needs_index(program: Program) -> Iterator[Found]:
    """Look-ups by fields that no index begins with: one finding a field."""
    asked: dict[tuple[str, str], list[tuple[Site, Access, tuple[str, ...]]]] = {}
    for site, read in program.reads():
        table = program.table(site.function, read.table)
        if table is None or not program.facts(site.function).planner or quiet(site.function) or small(program, read.table):
            continue
        names = _unserved(table, read)
        if names:
            asked.setdefault((table.name, names[0]), []).append((site, read, names))
    for found in asked.values():
        yield _found(program, found)


def _unserved(table: Table, read: Access) -> tuple[str, ...]:
    """The fields that a look-up binds, where none of them begins an index."""
    if read.terminal not in (Terminal.ROW, Terminal.EXISTS) or len(read.plans) != 1 or read.follows is not None:
        return ()
    plan = read.plans[0]
    if plan.way is not Way.PLANNER or any(p.field is None for p in plan.predicates):
        return ()
    leading = {i.fields[0] for i in table.indexes if i.kind is IndexKind.ORDERED and i.fields}
    if any(p.field in leading or "." in (p.field or "") for p in plan.predicates):
        return ()
    bound = _bound(table, plan)
    return tuple(dict.fromkeys(p.field for p in bound if p.field is not None))


def _bound(table: Table, plan: Plan) -> list[Predicate]:
    """The equalities with a value that varies, the texts among them first; nothing where no text is bound."""
    equal = [p for p in plan.predicates if p.relation is Relation.EQ and p.value is not None and not p.value.constant and not p.conditional]
    texts = [p for p in equal if (f := table.field(p.field or "")) is not None and f.type == "string" and not f.few and not f.large]
    return [*texts, *(p for p in equal if p not in texts)] if texts else []


def _found(program: Program, asked: list[tuple[Site, Access, tuple[str, ...]]]) -> Found:
    site, read, names = asked[0]
    table = program.table(site.function, read.table)
    declared = table.field(names[0]) if table is not None else None
    span = declared.span if declared is not None and declared.span is not None else read.span
    points = tuple(Point(r.span, f"`{s.function.name}` asks by {phrase(n)}") for s, r, n in asked[:4])
    return Found(
        span,
        f"rows of `{read.table}` are looked up by {phrase(names)}, which no index begins with",
        (*shortest(reaching(program, site.function)), *points),
        AddIndex(read.table or "", "_".join(names), names),
        confidence=Confidence.LIKELY,
        function=site.function.key,
        table=read.table,
        fields=names,
        cost=Cost(f"rows({read.table})", "1 row"),
        operation=read.verb,
    )
