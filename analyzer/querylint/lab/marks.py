"""Marks in the code that a change has written: whether a case ran it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from querylint.syntax.typescript.grammar import grammar_for

if TYPE_CHECKING:
    from tree_sitter import Node


def marked(changed: Mapping[str, bytes], places: Mapping[str, Iterable[tuple[int, int, int]]]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The changed files with a call of `reached` before each statement that holds something new, and the place of each mark (`file:line`).

    `places` are ranges of bytes in the changed files, each with the line of what it stands for in the file as it is. What stands in no
    block of a function gets no mark: an import, an index of the schema, an arrow function at the top of a module that is one expression.
    """
    marks: list[str] = []
    files = dict(changed)
    for path in sorted(places):
        data = changed[path]
        root = grammar_for(path).parser.parse(data).root_node
        found: dict[int, int] = {}
        for start, end, line in places[path]:
            if (at := _statement(root, start, end)) is not None:
                found.setdefault(at, line)
        for at in sorted(found, reverse=True):
            data = data[:at] + b";reached(%d);" % len(marks) + data[at:]
            marks.append(f"{path}:{found[at]}")
        files[path] = data
    return files, tuple(marks)


def _statement(root: Node, start: int, end: int) -> int | None:
    """Where the statement begins that holds a stretch of text: that of the innermost block around it."""
    node = root.descendant_for_byte_range(start, end)
    while node is not None and node.type != "statement_block":
        node = node.parent
    if node is None:
        return None
    holding = [child for child in node.named_children if child.type != "comment" and child.end_byte > start and child.start_byte <= end]
    return holding[0].start_byte if holding else start
