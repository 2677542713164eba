"""Convex schemas: `.index(...)` put in and taken out, and queries that read by a dropped index moved to the one that covers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict
from querylint.advise.demands import Doing
from querylint.patch import TextEdit
from querylint.rewrite.indexes import Changes, Desk, Order, wanted
from querylint.rewrite.typescript import chains, schema
from querylint.rewrite.typescript.indexes import declaration, dropped, renamed
from querylint.rewrite.typescript.source import Source, source

if TYPE_CHECKING:
    from querylint.rewrite import Sources


def rewrite(desk: Desk, tables: Sequence[TableAdvice], order: Order, changes: Changes) -> None:
    """Carry out the advice for the tables of one schema."""
    for table in tables:
        asked = wanted(table, order)
        added = [i for i in asked if i.verdict is Verdict.ADD]
        staged = table.table.name in order.large
        put = schema.with_indexes(desk.sources, table.table, [(i.name, i.fields) for i in added], staged=staged) if added else None
        if put is None:
            for index in added:
                changes.hold(table, index, schema.NOT_ONE)
        ready = {i.name for i in table.indexes if i.verdict is Verdict.KEEP} | ({i.name for i in added} if put and not staged else set())
        gone: dict[str, list[chains.Link]] = {}
        for index in (i for i in asked if i.verdict is Verdict.DROP):
            place = _declared(desk.sources, index)
            moves = _moves(desk.sources, table, index, ready, changes) if place is not None else None
            if place is None:
                changes.hold(table, index, "it is not declared in a separate call chain")
            elif moves is not None:
                gone.setdefault(place[0].path, []).append(place[1])
                changes.edits += moves
        for path, links in gone.items():
            file = source(desk.sources, path)
            here = put if put is not None and put.span.path == path else None
            changes.edits += dropped(file, links, here) if file is not None else ()
        if put is not None and put.span.path not in gone:
            changes.edits.append(put)


def _declared(sources: Sources, index: IndexAdvice) -> tuple[Source, chains.Link] | None:
    span = index.index.span if index.index is not None else None
    file = source(sources, span.path) if span is not None else None
    link = declaration(file, span.start, span.end, index.name) if file is not None and span is not None else None
    return (file, link) if file is not None and link is not None else None


def _moves(sources: Sources, table: TableAdvice, index: IndexAdvice, ready: set[str], changes: Changes) -> list[TextEdit] | None:
    """The edits that move the readers of an index that goes; None where one of them cannot be made."""
    edits: list[TextEdit] = []
    for home in table.indexes:
        for demand in home.serves:
            if demand.doing is not Doing.READS or demand.index != index.name:
                continue
            moved = renamed(sources, demand.span, index.name, home.name, shared=True)
            if home.name not in ready or moved is None:
                place = f"{demand.span.path}:{demand.span.line}"
                waits = f"`{home.name}` has to be built before the query at {place} can read by it"
                changes.hold(
                    table, index, waits if home.name not in ready else f"the query at {place} names it in a way that is not edited"
                )
                return None
            edits.append(moved)
    return edits
