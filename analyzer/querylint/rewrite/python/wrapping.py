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
_PART = 50
"""One line in so many may be longer."""


def width(tree: Tree) -> int:
    """How many columns the lines of a file keep to, long texts and comments aside; 0 where they keep to nothing."""
    lines = [line.rstrip(b"\r") for line in tree.data.split(b"\n")]
    if len(lines) < FEW_LINES:
        return WIDTHS[-1]
    told = [len(_TEXT.sub(b"", line)) for line in lines if b"#" not in line and b'"""' not in line and len(line) > WIDTHS[0]]
    known = WIDTHS if len(lines) >= SOME_LINES else WIDTHS[1:]
    return next((most for most in known if sum(length > most for length in told) * _PART <= len(lines)), 0)


def fitted(tree: Tree, edits: tuple[TextEdit, ...]) -> tuple[TextEdit, ...]:
    """The edits of a chain of calls that a statement of one line is about, with its line broken where they would make it too long."""
    way = tree.way(edits[0].span.start - 1, edits[0].span.start)
    kinds = cst.Assign | cst.AnnAssign | cst.Return | cst.For | cst.Arg
    number = next((n for n in reversed(range(len(way) - 1)) if isinstance(way[n], kinds)), None)
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
    within = isinstance(held, cst.Arg)
    if "#" in behind or (within and (before.strip() or behind.strip(", "))):
        return edits
    if "\n" in text or not most or len(before) + len(text) + len(behind) <= most:
        return edits
    indent, unit = tree.indent(start), tree.module.default_indent
    chain = cst.parse_expression(text)
    inner = indent if within else indent + unit
    parts = [in_lines(part, (inner, unit), most) for part in _parts(chain)]
    if within and parts:
        broken = f"\n{inner}".join(parts)
    elif parts:
        broken = f"(\n{inner}" + f"\n{inner}".join(parts) + f"\n{indent})"
    else:
        broken = _within_brackets(chain, (indent, unit), most - len(before))
    return (tree.edit(start, end, broken),) if broken else edits


def in_lines(link: str, layout: tuple[str, str], most: int) -> str:
    """A link of a chain, `.options(one, two)`, with each of its arguments on a line of its own where it is too long for one."""
    indent, unit = layout
    if not link.startswith(".") or not most or len(indent) + len(link) <= most:
        return link
    call = cst.parse_expression(f"_{link}")
    if not isinstance(call, cst.Call) or not call.args:
        return link
    head = link[: link.index("(") + 1]
    given = [code(a.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for a in call.args]
    lines = "".join(f"{indent}{unit}{one},\n" for one in given)
    return f"{head}\n{lines}{indent})"


def _calls(chain: cst.BaseExpression) -> list[cst.Call]:
    """The calls of methods in a chain, the first first."""
    return [link for link in reversed(links(chain)) if isinstance(link, cst.Call) and isinstance(link.func, cst.Attribute)]


def _parts(chain: cst.BaseExpression) -> list[str]:
    """A chain call by call, empty where it has too few of them to be broken so."""
    after = [
        c.func.value for c in _calls(chain) if isinstance(c.func, cst.Attribute) and not isinstance(c.func.value, cst.Name | cst.Attribute)
    ]
    parts: list[str] = []
    rest = code(chain)
    for value in reversed(after):
        held = code(value)
        parts.insert(0, rest[len(held) :])
        rest = held
    return [rest, *parts] if len(after) >= _MANY else []


def _within_brackets(chain: cst.BaseExpression, layout: tuple[str, str], room: int) -> str:
    """A chain broken within the brackets of the last of its calls whose beginning fits, empty where none does."""
    indent, unit = layout
    whole = code(chain)
    for call in [call for call in reversed(_calls(chain)) if call.args]:
        text = code(call)
        opened = text.index("(", len(code(call.func))) + 1
        if opened <= room:
            return f"{text[:opened]}\n{indent}{unit}{text[opened:-1]}\n{indent}){whole[len(text) :]}"
    return ""
