"""Lines that have become too long for their file, broken as Python's formatters break them."""

from __future__ import annotations

import re

import libcst as cst

from querylint.patch import TextEdit
from querylint.rewrite.python.concrete import Tree, links
from querylint.rewrite.python.expressions import code

WIDTHS = (79, 88, 100, 120)
"""What formatters are told to keep to."""

FEW_LINES, SOME_LINES = 40, 200
"""Fewer lines than the first say nothing of how long their author lets a line become, fewer than the second do not tell 79 from 88."""

_TEXT = re.compile(rb"([\"'])(?:(?!\1).){20,}\1")
_MANY = 2


def width(tree: Tree) -> int:
    """How many columns the lines of a file keep to, long texts and comments aside; 0 where they keep to nothing."""
    lines = [line.rstrip(b"\r") for line in tree.data.split(b"\n")]
    told = [len(_TEXT.sub(b"", line)) for line in lines if b"#" not in line and b'"""' not in line and len(line) > WIDTHS[0]]
    if len(lines) < FEW_LINES:
        return WIDTHS[-1]
    known = WIDTHS if len(lines) >= SOME_LINES else WIDTHS[1:]
    return next((most for most in known if all(length <= most for length in told)), 0)


def fitted(tree: Tree, edits: tuple[TextEdit, ...]) -> tuple[TextEdit, ...]:
    """The edits of a chain of calls that a statement of one line is about, with its line broken where they would make it too long."""
    way = tree.way(edits[0].span.start - 1, edits[0].span.start)
    number = next((n for n in reversed(range(len(way) - 1)) if isinstance(way[n], cst.Assign | cst.Return | cst.For)), None)
    held, node = (way[number], way[number + 1]) if number is not None else (None, None)
    if not isinstance(node, cst.BaseExpression) or node.lpar or (isinstance(held, cst.For) and held.iter is not node):
        return edits
    start, end = tree.bounds(node)
    begin, stop = tree.line_start(start), tree.next_line(end - 1)
    if any(not start <= e.span.start <= e.span.end <= end or "\n" in e.text for e in edits):
        return edits
    text, at = "", start
    for edit in sorted(edits, key=lambda e: e.span.start):
        text += tree.between(at, edit.span.start) + edit.text
        at = edit.span.end
    text += tree.between(at, end)
    before, behind, most = tree.between(begin, start), tree.between(end, stop).rstrip(), width(tree)
    if "\n" in text or not most or len(before) + len(text) + len(behind) <= most:
        return edits
    indent, unit = tree.indent(start), tree.module.default_indent
    broken = _broken(cst.parse_expression(text), (indent, unit), most - len(before), lines=not isinstance(held, cst.For))
    return (tree.edit(start, end, broken),) if broken else edits


def _broken(chain: cst.BaseExpression, layout: tuple[str, str], room: int, *, lines: bool) -> str:
    """A chain over several lines, empty where it has no place to break: call by call, or within the brackets of one of its last calls."""
    indent, unit = layout
    calls = [link for link in reversed(links(chain)) if isinstance(link, cst.Call) and isinstance(link.func, cst.Attribute)]
    after = [call for call in calls if isinstance(call.func, cst.Attribute) and not isinstance(call.func.value, cst.Name | cst.Attribute)]
    whole = code(chain)
    if lines and len(after) >= _MANY:
        parts: list[str] = []
        rest = whole
        for call in reversed(after):
            assert isinstance(call.func, cst.Attribute)
            held = code(call.func.value)
            parts.insert(0, rest[len(held) :])
            rest = held
        return f"(\n{indent}{unit}" + f"\n{indent}{unit}".join([rest, *parts]) + f"\n{indent})"
    for call in [call for call in reversed(calls) if call.args]:
        head = f"{code(call.func)}("
        given = code(call)[len(head) : -1]
        if len(head) <= room:
            return f"{head}\n{indent}{unit}{given}\n{indent}){whole[len(code(call)) :]}"
    return ""
