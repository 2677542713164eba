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

from querylint.advise.advised import added
from querylint.advise.planner import Unserved, unserved
from querylint.advise.serving import Serving, phrase
from querylint.ir import Program
from querylint.remedy import AddIndex
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule


@rule(pattern="missing-index", severity=Severity.WARNING, cwe=1067)
def missing_index(program: Program) -> Iterator[Found]:
    """Statements that nothing but a scan can answer: one finding for each index to add."""
    groups: dict[tuple[str, str, str], list[Unserved]] = {}
    for one in unserved(program):
        root = one.site.function.root
        index = added(program, root, one.table.name, one.shape, (*one.equal, *one.then))
        groups.setdefault((root, one.table.name, index.index), []).append(one)
    for (root, table, _), found in sorted(groups.items()):
        first = found[0]
        index = added(program, root, table, first.shape, (*first.equal, *first.then))
        yield _found(sorted(found, key=lambda one: one.access.span), index)


def _found(users: list[Unserved], index: Serving) -> Found:
    first, *others = users
    grows = any(one.grows for one in users)
    table, it = first.table.name, "it" if len(index.fields) == 1 else "them"
    verb = "searched" if first.equal or first.access.plans[0].predicates else "ordered"
    points = tuple(Point(one.access.span, f"`{one.site.function.name}` asks for the same columns") for one in others[:5])
    more = f", and in {len(others)} other place{'s' if len(others) > 1 else ''}" if others else ""
    return Found(
        first.access.span,
        f"`{table}` is {verb} by {phrase(index.fields)} without an index that begins with {it}{more}",
        points,
        AddIndex(table, index.index, index.fields),
        None if grows else Severity.INFO,
        Confidence.LIKELY,
        first.site.function.key,
        table,
        index.fields,
        cost=Cost(f"rows({table}) for each query", "the rows that match"),
        operation=first.access.verb,
        because="" if grows else "nothing in the project shows that the table grows with use",
    )
