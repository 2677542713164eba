"""Convex schemas: `.index(...)` put in and taken out, and queries that read by a dropped index moved to the one that covers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict
from querylint.advise.demands import Demand, Doing
from querylint.patch import TextEdit
from querylint.rewrite.indexes import Changes, Desk, Order, wanted
from querylint.rewrite.typescript import chains, schema
from querylint.rewrite.typescript.drop_index import declaration
from querylint.rewrite.typescript.source import located, source

if TYPE_CHECKING:
    from querylint.rewrite import Sources


def rewrite(desk: Desk, tables: Sequence[TableAdvice], order: Order, changes: Changes) -> None:
    """Carry out the advice for the tables of one schema."""
    for table in tables:
        edits: list[TextEdit] = []
        asked = wanted(table, order)
        added = [i for i in asked if i.verdict is Verdict.ADD]
        staged = table.table.name in order.large
        put = schema.with_indexes(desk.sources, table.table, [(i.name, i.fields) for i in added], staged=staged) if added else None
        if put is None:
            for index in added:
                changes.hold(table, index, schema.NOT_ONE)
        ready = {i.name for i in table.indexes if i.verdict is Verdict.KEEP} | ({i.name for i in added} if put and not staged else set())
        for index in (i for i in asked if i.verdict is Verdict.DROP):
            edits += _dropped(desk.sources, table, index, ready, changes)
        changes.edits += _joined(edits, put)


def _dropped(sources: Sources, table: TableAdvice, index: IndexAdvice, ready: set[str], changes: Changes) -> list[TextEdit]:
    """The edits that take an index out and move its readers; none of them where one of them cannot be made."""
    span = index.index.span if index.index is not None else None
    file = source(sources, span.path) if span is not None else None
    link = declaration(file, span.start, span.end, index.name) if file is not None and span is not None else None
    if file is None or link is None:
        changes.hold(table, index, "it is not declared in a chain of its own")
        return []
    edits = [chains.without(file, link)]
    for home in table.indexes:
        for demand in home.serves:
            if demand.doing is not Doing.READS or demand.index != index.name:
                continue
            moved = _moved(sources, demand, index.name, home.name)
            if home.name not in ready or moved is None:
                place = f"{demand.span.path}:{demand.span.line}"
                waits = f"`{home.name}` has to be built before the query at {place} can read by it"
                changes.hold(
                    table, index, waits if home.name not in ready else f"the query at {place} names it in a way that is not edited"
                )
                return []
            edits.append(moved)
    return edits


def _moved(sources: Sources, demand: Demand, old: str, new: str) -> TextEdit | None:
    """The name of the other index in the place of the old one."""
    place = located(sources, demand.span)
    if place is None:
        return None
    file, node = place
    link = next((one for one in reversed(chains.links(file, node)) if one.name == "withIndex"), None)
    if link is None or not link.arguments or link.arguments[0].type != "string":
        return None
    name = link.arguments[0]
    if file.text(name)[1:-1] != old:
        return None
    return file.edit(name.start_byte + 1, name.end_byte - 1, new, shared=True)


def _joined(edits: list[TextEdit], put: TextEdit | None) -> list[TextEdit]:
    """The edits of one table; an index that comes where one goes takes its place."""
    if put is None:
        return edits
    at = put.span.start
    for number, edit in enumerate(edits):
        if edit.span.path == put.span.path and edit.span.start <= at <= edit.span.end and not edit.text:
            return [*edits[:number], TextEdit(edit.span, put.text), *edits[number + 1 :]]
    return [*edits, put]
