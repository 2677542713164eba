"""An index out of the schema: its `.index(...)` goes, with the remark at the end of its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from querylint.patch import Fix, Safety
from querylint.remedy import DropIndex
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript.source import Source, around, code, source

if TYPE_CHECKING:
    from tree_sitter import Node

METHODS = frozenset(("index", "searchIndex", "vectorIndex"))
_REMARK = re.compile(rb"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/)(?=[ \t]*\r?(?:\n|$))")
_SPACE = b" \t\r\n"


def rewrite(task: Task, remedy: DropIndex) -> Fix | Unfit:
    """Drop the index. Deploying the result deletes it, so a person decides."""
    file = source(task.sources, task.found.span.path)
    call = _declaration(file, task.found.span.start, task.found.span.end, remedy.index) if file is not None else None
    if file is None or call is None:
        return Unfit("the index is not declared in a chain of its own")
    start, end = _stretch(file, call)
    caveats = ("deploying this deletes the index: code that is not in this repository may still read by it",)
    return Fix(f"drop index `{remedy.index}` of `{remedy.table}`", Safety.UNSAFE, (file.edit(start, end, ""),), caveats)


def _declaration(file: Source, start: int, end: int, name: str) -> Node | None:
    """The call that declares the index, in a chain on what declares the table."""
    node = file.at(start, end)
    while node is not None and node.type not in ("call_expression", "program"):
        node = node.parent
    while node is not None and node.type == "call_expression":
        method = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        if method is None or arguments is None or method.type != "member_expression":
            return None
        label = method.child_by_field_name("property")
        given = code(arguments)
        if label is not None and file.text(label) in METHODS and given and file.text(given[0])[1:-1] == name:
            return node
        node = around(node, "call_expression", "statement_block", "program")
    return None


def _stretch(file: Source, call: Node) -> tuple[int, int]:
    """From the end of what comes before in the chain to the end of the call; comments above it stay where they are."""
    method = call.child_by_field_name("function")
    assert method is not None
    dot = next(child for child in method.children if child.type in (".", "?."))
    start = len(file.data[: dot.start_byte].rstrip(_SPACE))
    end = call.end_byte
    remark = _REMARK.match(file.data, end)
    if remark is not None and file.line_start(dot.start_byte) != dot.start_byte:
        end = remark.end()
    before = next((child for child in method.children if child.type == "comment" and child.end_byte == start), None)
    if before is not None and file.text(before).startswith("//") and file.data[end:].lstrip(b" \t")[:1] not in (b"\r", b"\n"):
        start = dot.start_byte  # what follows on the line must not end up behind the comment
    return start, end
