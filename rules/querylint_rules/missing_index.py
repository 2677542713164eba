"""
# A query by columns that no index begins with

## What it finds
A statement whose `WHERE` binds columns of a table (or whose `ORDER BY ... LIMIT` walks them) where the schema in the project has no index
that begins with one of them.

## Why it costs
The database reads the whole table for every run of the statement, and more of it every day that the table grows.

## Instead
Create an index: the columns that are compared for equality first, then the one of a range or an order. The finding names the fewest
indexes that serve all statements on the table.

## When it stays silent
Where the project does not hold the schema, or creates indexes by a program that cannot be read; tables that nothing in the project
inserts into, or that the settings call small; conditions that an index cannot narrow (`LIKE '%x%'`, functions of a column), and flags or
states alone, of which a table holds only a few; joins; statements of which only a part is known; tests, seeds and migrations.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.planner import Missing, missing
from querylint.advise.serving import phrase
from querylint.ir import Program
from querylint.remedy import AddIndex
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule


@rule(pattern="missing-index", severity=Severity.WARNING, cwe=1067)
def missing_index(program: Program) -> Iterator[Found]:
    """Statements that nothing but a scan can answer: one finding for each index to add."""
    for found in missing(program):
        yield _found(program, found)


def _found(program: Program, found: Missing) -> Found:
    first, *others = found.users
    table, it = found.table.name, "it" if len(found.fields) == 1 else "them"
    verb = "ordered" if not found.equal else "searched"
    points = tuple(Point(site.step.span, f"`{site.function.name}` asks for the same columns") for site, _ in others[:5])
    more = f", and in {len(others)} other place{'s' if len(others) > 1 else ''}" if others else ""
    return Found(
        first[1].span,
        f"`{table}` is {verb} by {phrase(found.fields)} without an index that begins with {it}{more}",
        points,
        AddIndex(table, f"{table}_{'_'.join(found.fields)}_idx", found.fields),
        None if found.grows else Severity.INFO,
        Confidence.LIKELY,
        first[0].function.key,
        table,
        found.fields,
        cost=Cost(f"rows({table}) for each query", "the rows that match"),
        operation=first[1].verb,
    )
