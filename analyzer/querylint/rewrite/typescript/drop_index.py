"""An index out of the schema: its `.index(...)` goes, and its readers read by the index that covers it."""

from __future__ import annotations

from querylint.ir import Access, Plan, Program
from querylint.patch import Fix, Safety
from querylint.remedy import DropIndex
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript.indexes import declaration, dropped, renamed
from querylint.rewrite.typescript.source import source

GONE = "deploying this deletes the index: code outside this repository may still use it"
OTHER_ORDER = "rows with equal keys come in the order of the other index"


def rewrite(task: Task, remedy: DropIndex) -> Fix | Unfit:
    """Drop the index. Deploying the result deletes it, so a person decides."""
    file = source(task.sources, task.found.span.path)
    link = declaration(file, task.found.span.start, task.found.span.end, remedy.index) if file is not None else None
    if file is None or link is None:
        return Unfit("the index is not declared in a separate call chain")
    edits = dropped(file, [link])
    for plan in _plans(task, remedy):
        moved = renamed(task.sources, plan.span, remedy.index, remedy.covered_by) if remedy.covered_by and plan.span else None
        if moved is None:
            return Unfit("not all that read by it name it where they begin")
        edits.append(moved)
    moves = f", and read by `{remedy.covered_by}`" if len(edits) > 1 else ""
    caveats = (GONE, OTHER_ORDER) if moves else (GONE,)
    return Fix(f"drop index `{remedy.index}` of `{remedy.table}`{moves}", Safety.UNSAFE, tuple(dict.fromkeys(edits)), caveats)


def _plans(task: Task, remedy: DropIndex) -> list[Plan]:
    """All ways in which the program reads by the index, begun queries included."""
    roots = {
        root
        for root, schema in task.program.schemas.items()
        for table in schema.tables.values()
        if any(index.span == task.found.span for index in table.indexes)
    }
    readers = task.program.once("plans by index", lambda: _by_index(task.program)).get(remedy.index, ())
    return [plan for root, table, plan in readers if root in roots and table in (None, remedy.table)]


def _by_index(program: Program) -> dict[str, list[tuple[str, str | None, Plan]]]:
    """All plans that name an index, by that name, each with the root and the table of its read."""
    found: dict[str, list[tuple[str, str | None, Plan]]] = {}
    for function in program.functions.values():
        for read in (*(step for step in function.steps() if isinstance(step, Access)), *function.built):
            for plan in read.plans:
                if plan.index is not None:
                    found.setdefault(plan.index, []).append((function.root, read.table, plan))
    return found
