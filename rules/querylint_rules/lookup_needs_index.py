"""
# A row looked up by a field without an index

## What it finds
A single row, or whether there is one, asked for by a text field that begins no index, where the database picks its indexes by itself.

## Why it costs
Without an index the database reads the table from its start until it has found the row, or to the end where there is none.

## Instead
Add an index on the field, or make it unique where it is: `db_index=True`, `unique=True`, or an entry of `Meta.indexes`. Where the
question binds further fields, one index on all of them serves best.

## When it stays silent
Questions that bind a field which begins an index, a key or a constraint; models that a library brings along; fields of a few values;
values that the source writes down; tables that the settings call small; tests, seeds and migrations. Tables that stay small need no
index, which the source does not show: it is a hint.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.advised import added
from querylint.advise.cover import Shape
from querylint.advise.places import reaching, shortest
from querylint.advise.planned import Lookup, lookups
from querylint.advise.serving import phrase
from querylint.ir import Program
from querylint.remedy import AddIndex
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule


@rule(pattern="missing-index", severity=Severity.INFO, cwe=1067)
def lookup_needs_index(program: Program) -> Iterator[Found]:
    """Look-ups by fields that no index begins with: one finding a field."""
    asked: dict[tuple[str, str], list[Lookup]] = {}
    for one in lookups(program):
        asked.setdefault((one.table.name, one.names[0]), []).append(one)
    for found in asked.values():
        yield _found(program, found)


def _found(program: Program, asked: list[Lookup]) -> Found:
    first = asked[0]
    site, read, names, table = first.site, first.access, first.names, first.table
    declared = table.field(names[0])
    index = added(program, site.function.root, table.name, Shape(frozenset(names)), names)
    span = declared.span if declared is not None and declared.span is not None else read.span
    points = tuple(Point(o.access.span, f"`{o.site.function.name}` asks by {phrase(o.names)}") for o in asked[:4])
    return Found(
        span,
        f"rows of `{read.table}` are looked up by {phrase(names)}, which no index begins with",
        (*shortest(reaching(program, site.function)), *points),
        AddIndex(read.table or "", index.index, index.fields),
        confidence=Confidence.LIKELY,
        function=site.function.key,
        table=read.table,
        fields=names,
        cost=Cost(f"rows({read.table})", "1 row"),
        because="the field may hold few different values, or the table few rows",
        operation=read.verb,
    )
