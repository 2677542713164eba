"""An index out of the schema: its `.index(...)` goes, with the remark at the end of its line."""

from __future__ import annotations

from querylint.patch import Fix, Safety
from querylint.remedy import DropIndex
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript import chains
from querylint.rewrite.typescript.source import Source, around, source

METHODS = frozenset(("index", "searchIndex", "vectorIndex"))


def rewrite(task: Task, remedy: DropIndex) -> Fix | Unfit:
    """Drop the index. Deploying the result deletes it, so a person decides."""
    file = source(task.sources, task.found.span.path)
    link = _declaration(file, task.found.span.start, task.found.span.end, remedy.index) if file is not None else None
    if file is None or link is None:
        return Unfit("the index is not declared in a chain of its own")
    caveats = ("deploying this deletes the index: code that is not in this repository may still read by it",)
    return Fix(f"drop index `{remedy.index}` of `{remedy.table}`", Safety.UNSAFE, (chains.without(file, link),), caveats)


def _declaration(file: Source, start: int, end: int, name: str) -> chains.Link | None:
    """The call that declares the index, in a chain on what declares the table."""
    node = file.at(start, end)
    while node is not None and node.type != "program":
        link = chains.link(file, node)
        if link is not None and link.name in METHODS and link.arguments and file.text(link.arguments[0])[1:-1] == name:
            return link
        node = around(node, "call_expression", "statement_block", "program")
    return None
