"""One index of the advice put into a model or taken out of it, with its migration: the fix of a finding that asks for that index alone."""

from __future__ import annotations

import ast
from dataclasses import replace
from importlib import import_module
from typing import cast

from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict, advice
from querylint.patch import Fix, NewFile, Safety, TextEdit
from querylint.remedy import AddIndex, DropIndex
from querylint.rewrite import Task, Unfit
from querylint.rewrite.indexes import REVISION, STACKS, Changes, Desk, Order, Rewriter, statement
from querylint.rewrite.python.source import python_source

NEW = "every write to the table pays for the index, and writes wait while it is built, unless the migration builds it CONCURRENTLY"
GONE = "queries outside the project may use the index"
LIKE = "on PostgreSQL, the LIKE index that Django creates next to that of a text column is dropped as well"
UNRECORDED = "the project has no readable migrations: existing databases do not get the change by themselves"
UNPLANNED = "the index advice for the whole table has no such index"


def rewrite(task: Task, remedy: AddIndex | DropIndex) -> Fix | Unfit:
    """Carry out that part of the advice for the table."""
    found = _planned(task, remedy)
    if found is None:
        return Unfit(UNPLANNED)
    table, index = found
    module = STACKS.get(table.schema.stack)
    if module is None:
        return Unfit(f"put `{statement(table, index)}` into the schema, or into a migration")
    adds = index.verdict is Verdict.ADD
    made = Changes()
    alone = replace(table, indexes=(index,))
    desk = Desk(task.sources, task.sources.files)
    cast("Rewriter", import_module(module)).rewrite(desk, [alone], Order(add=adds, drop=not adds), made)
    apart = [held for held in made.held if held.index != REVISION]
    if made.held and (apart or not made.edits):
        return Unfit((apart or made.held)[0].reason)
    created = tuple(NewFile(path, data.decode(), path.rpartition("/")[0]) for path, data in sorted(made.created.items()))
    unwritten = [f"the revision is still to be made: {held.reason}" for held in made.held] or ([] if created else [UNRECORDED])
    option = any(b"AlterField" in data for data in made.created.values())
    text = option and all((field := table.table.field(name)) is not None and field.type == "string" for name in index.fields)
    caveats = (NEW if adds else GONE, *([LIKE] if text and not adds else []), *unwritten)
    recorded = ", with its migration" if created else ""
    title = f"{'add' if adds else 'drop'} index `{index.name}` {'to' if adds else 'of'} `{table.table.name}`{recorded}"
    given = dict.fromkeys(made.edits)
    edits = tuple(replace(edit, shared=True) for edit in (given if adds else _apart(task, list(given))))
    return Fix(title, Safety.UNSAFE, edits, caveats, created)


def _apart(task: Task, edits: list[TextEdit]) -> list[TextEdit]:
    """Edits inside a tuple or a list as one that writes all of it: of two fixes for it the second sees what the first has left."""
    file = python_source(task.sources, edits[0].span.path)
    start, end = min(edit.span.start for edit in edits), max(edit.span.end for edit in edits)
    if file is None or len({edit.span.path for edit in edits}) > 1:
        return edits
    lists = [n for n in ast.walk(file.tree) if isinstance(n, ast.Tuple | ast.List) and file.start(n) <= start and end <= file.end(n)]
    if not lists:
        return edits
    held = min(lists, key=lambda n: file.end(n) - file.start(n))
    first, last = file.start(held), file.end(held)
    text = file.data[first:last]
    for edit in sorted(edits, key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start - first] + edit.text.encode() + text[edit.span.end - first :]
    return [file.edit(first, last, text.decode())]


def _planned(task: Task, remedy: AddIndex | DropIndex) -> tuple[TableAdvice, IndexAdvice] | None:
    """The index as the advice has it, be it only where that serves also what alone is not worth an index."""
    verdict = Verdict.ADD if isinstance(remedy, AddIndex) else Verdict.DROP
    for every in (False, True):
        tables = [t for t in advice(task.program, every=every).values() if t.table.name == remedy.table and t.schema.facts.planner]
        found = [(t, i) for t in tables for i in t.indexes if i.verdict is verdict and _meant(i, remedy)]
        if len(found) == 1:
            return found[0]
    return None


def _meant(index: IndexAdvice, remedy: AddIndex | DropIndex) -> bool:
    if isinstance(remedy, DropIndex) and remedy.fields:
        return index.fields == remedy.fields
    return index.name == remedy.index
