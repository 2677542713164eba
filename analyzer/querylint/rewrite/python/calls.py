"""Calls added to a chain, and arguments to a call, in the layout that is there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

import libcst as cst

from querylint.patch import TextEdit
from querylint.rewrite.python.concrete import Tree, around, links, method, walk
from querylint.rewrite.python.wrapping import in_lines, width

COMMA = re.compile(rb"[ \t]*,")
_COMMENT = re.compile(rb"[ \t]*#[^\r\n]*")


def without_endings(chain: list[cst.BaseExpression], endings: Collection[str]) -> list[cst.BaseExpression]:
    """The chain of a query, the longest first, without the methods that run it, the `await` and what is taken of its rows."""
    while chain and (isinstance(chain[0], cst.Await | cst.Subscript) or method(chain[0]) in endings):
        chain = chain[2:] if isinstance(chain[0], cst.Call) else chain[1:]
    return chain


def call_after(tree: Tree, link: cst.BaseExpression, name: str, arguments: Sequence[str]) -> TextEdit:
    """A call of a method put behind a link of a chain: on a line of its own where the calls before it stand so."""
    end = tree.end(link)
    given = f".{name}({', '.join(arguments)})"
    indent, unit, most = _own_line(tree, link), tree.module.default_indent, width(tree)
    if indent is None:
        line = tree.data[tree.line_start(end) : end].decode()
        if "\n" in tree.between(tree.start(link), end) and line.strip() and not line.strip(" )]}"):
            given = in_lines(given, (tree.indent(end), unit), most - len(line.strip()))
        return tree.edit(end, end, given)
    given = in_lines(given, (indent, unit), most)
    comment = _COMMENT.match(tree.data, end)
    end = comment.end() if comment is not None else end
    return tree.edit(end, end, f"\n{indent}{given}")


def _own_line(tree: Tree, link: cst.BaseExpression) -> str | None:
    """The indentation of the method calls of a chain where each has a line of its own."""
    for here in links(link):
        if here.lpar and here is not link:
            return None
        if isinstance(here, cst.Attribute):
            dot = tree.start(here.dot)
            return tree.indent(dot) if not tree.data[tree.line_start(dot) : dot].strip() else None
    return None


def more_arguments(tree: Tree, call: cst.Call, arguments: Sequence[str]) -> TextEdit:
    """Arguments put behind those that a call has, each on a line of its own where those are."""
    if not call.args:
        close = tree.end(call) - 1
        return tree.edit(close, close, ", ".join(arguments))
    last = call.args[-1]
    return behind(tree, (tree.start(last), tree.outer(last.value)[1]), tree.end(call) - 1, arguments)


def behind(tree: Tree, last: tuple[int, int], close: int, more: Sequence[str], *, shared: bool = False) -> TextEdit:
    """More members put behind the `last` one of a list that ends before `close`, each on a line of its own where that has one."""
    start, end = last
    if tree.data[tree.line_start(start) : start].strip():
        return tree.edit(end, end, "".join(f", {one}" for one in more), shared=shared)
    indent = tree.indent(start)
    comma = COMMA.match(tree.data, end)
    if comma is None:
        return tree.edit(end, end, "".join(f",\n{indent}{one}" for one in more), shared=shared)
    line = tree.next_line(comma.end())
    if line > close:
        return tree.edit(comma.end(), comma.end(), "".join(f"\n{indent}{one}," for one in more), shared=shared)
    return tree.edit(line, line, "".join(f"{indent}{one},\n" for one in more), shared=shared)


def calls_on(tree: Tree, way: list[cst.CSTNode], query: cst.BaseExpression) -> Iterator[cst.Call]:
    """The calls of methods that a query goes through: in its own chain, and on or with the variable that holds it."""
    holders = [parent for parent in way if isinstance(parent, cst.BaseExpression | cst.Assign)]
    names = {
        target.target.value
        for parent in holders
        if isinstance(parent, cst.Assign)
        for target in parent.targets
        if isinstance(target.target, cst.Name)
    }
    scope = around(way, cst.FunctionDef, cst.ClassDef) or tree.module
    for node in walk(scope):
        if isinstance(node, cst.Call):
            chain = links(node)
            base = chain[-1]
            given = [argument.value for argument in node.args]
            if query in chain or query in given or any(isinstance(one, cst.Name) and one.value in names for one in (base, *given)):
                yield node
    yield from (link for link in links(query) if isinstance(link, cst.Call))


def branches(way: list[cst.CSTNode], node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """What a variable is given in the branches of an `if`, one of which gives it a node: code behind them goes on with any of these."""
    made = way[-1]
    if not isinstance(made, cst.Assign) or len(made.targets) != 1 or not isinstance(made.targets[0].target, cst.Name):
        return [node]
    held = [up for up in way if isinstance(up, cst.If | cst.Else | cst.IndentedBlock | cst.SimpleStatementLine | cst.FunctionDef | cst.For)]
    top = len(held) - 2
    while top > 0 and isinstance(held[top], cst.IndentedBlock | cst.Else | cst.If) and _chosen(held[top - 1], held[top]):
        top -= 1
    here: cst.CSTNode | None = held[top] if top >= 0 else None
    found: list[cst.BaseExpression] = []
    while isinstance(here, cst.If | cst.Else):
        found += _given(here.body, made.targets[0].target.value)
        here = here.orelse if isinstance(here, cst.If) else None
    return found if node in found else [node]


def _chosen(outer: cst.CSTNode, inner: cst.CSTNode) -> bool:
    """Whether a node is a branch of another one, or the block of it."""
    return (isinstance(outer, cst.If) and inner in (outer.body, outer.orelse)) or (isinstance(outer, cst.Else) and inner is outer.body)


def _given(body: cst.BaseSuite, name: str) -> list[cst.BaseExpression]:
    """What the last statement of a block that assigns a variable gives to it; nothing where the block leaves what is behind it."""
    parts = [part for s in body.body if isinstance(s, cst.SimpleStatementLine) for part in s.body]
    if parts and isinstance(parts[-1], cst.Return | cst.Raise | cst.Continue | cst.Break):
        return []
    made = [
        p for p in parts if isinstance(p, cst.Assign) and any(isinstance(t.target, cst.Name) and t.target.value == name for t in p.targets)
    ]
    return [made[-1].value] if made else []
