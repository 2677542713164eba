"""Indexes of databases that pick them by themselves: what one can do that another can do as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from querylint.ir import Index, IndexKind, Program, Table


@dataclass(frozen=True, slots=True)
class Shadowed:
    """An index that another one serves for: it begins with the same fields, in the same order."""

    table: Table
    index: Index
    cover: Index


def shadowed(program: Program) -> Iterator[Shadowed]:
    """Indexes that somebody wrote down and that a longer one, or a unique one, makes needless."""
    for _, schema in sorted(program.schemas.items()):
        if not schema.facts.planner:
            continue
        for table in schema.tables.values():
            for index in table.indexes:
                if index.implicit or index.unique or index.span is None or index.kind is not IndexKind.ORDERED or not index.fields:
                    continue
                cover = next((other for other in _longer_first(table) if _covers(table, other, index)), None)
                if cover is not None:
                    yield Shadowed(table, index, cover)


def _longer_first(table: Table) -> list[Index]:
    return sorted(table.indexes, key=lambda i: (not i.unique, len(i.fields)))


def _covers(table: Table, other: Index, index: Index) -> bool:
    depth = len(index.fields)
    if (
        other is index
        or other.kind is not IndexKind.ORDERED
        or other.partial != index.partial
        or _keys(other, depth) != _keys(index, depth)
    ):
        return False
    if len(other.fields) > len(index.fields) or other.unique or other.implicit:
        return True
    return table.indexes.index(other) < table.indexes.index(index)  # of two equal ones the first stays


def _keys(index: Index, depth: int) -> list[tuple[str, bool]]:
    """The first fields of an index, each with its direction; names are compared without regard to case, as SQL does."""
    down = {name.lower() for name in index.descending}
    return [(name.lower(), name.lower() in down) for name in index.fields[:depth]]
