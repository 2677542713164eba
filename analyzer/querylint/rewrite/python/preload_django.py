"""`select_related` and `prefetch_related` put into a queryset, or `list_select_related` into a class of the admin."""

from __future__ import annotations

import libcst as cst

from querylint.ir import Access, Function
from querylint.patch import TextEdit
from querylint.remedy import Preload
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.calls import call_after, calls_on, more_arguments
from querylint.rewrite.python.concrete import Tree, around, links, method

ENDINGS = frozenset(
    ("get", "first", "last", "earliest", "latest", "count", "exists", "aggregate", "iterator", "in_bulk", "contains", "create",
     "aget", "afirst", "alast", "aearliest", "alatest", "acount", "aexists", "aiterator", "ain_bulk")
)  # fmt: skip
HINDERING = {
    "select_for_update": "the query locks its rows, and a join would lock others with them",
    "union": "the query is united with another one, which must have the same columns",
    "intersection": "the query is united with another one, which must have the same columns",
    "difference": "the query is united with another one, which must have the same columns",
    "only": "the query loads only some columns of its rows",
    "defer": "the query loads only some columns of its rows",
    "raw": "the query is written in SQL",
}


def write(task: Task, tree: Tree, function: Function, read: Access, remedy: Preload) -> tuple[TextEdit, ...] | Unfit:
    """The edits, or why there are none."""
    at = remedy.at
    assert at is not None
    if at.start == at.end:
        return _listed(tree, at.start, remedy)
    place = tree.expression(at.start, at.end)
    if place is None:
        return Unfit("the query is not written as one expression")
    node, way = place
    if isinstance(node, cst.Tuple | cst.List):
        return _more_listed(tree, node, remedy)
    if reason := _hindered(tree, way, node, batched=bool(remedy.batched)):
        return Unfit(reason)
    return _asked(tree, node, remedy)


def _hindered(tree: Tree, way: list[cst.CSTNode], node: cst.BaseExpression, *, batched: bool) -> str:
    """What is done with the query that speaks against loading more."""
    for call in calls_on(tree, way, node):
        name = method(call)
        if name in ("iterator", "aiterator") and batched and not call.args:
            return "rows that are read by iterator() bring nothing along unless it has a chunk_size"
        if name in HINDERING:
            return HINDERING[name]
    return ""


def _asked(tree: Tree, node: cst.BaseExpression, remedy: Preload) -> tuple[TextEdit, ...] | Unfit:
    chain = links(node)
    while isinstance(chain[0], cst.Await | cst.Subscript) or method(chain[0]) in ENDINGS:
        chain = chain[2:] if isinstance(chain[0], cst.Call) else chain[1:]
        if not chain:
            break
    if not chain or not isinstance(chain[0], cst.Call | cst.Attribute) or (isinstance(chain[0], cst.Call) and not method(chain[0])):
        return Unfit("the rows are not read by a queryset that is written here")
    edits: list[TextEdit] = []
    for name, paths in (("select_related", remedy.joined), ("prefetch_related", remedy.batched)):
        if not paths:
            continue
        given = [tree.quoted("__".join(path)) for path in paths]
        calls = [link for link in chain if isinstance(link, cst.Call) and method(link) == name]
        if any(not call.args or any(not _plain(a, name) for a in call.args) for call in calls):
            return Unfit(f"its {name}() says what to load in a way that is not plain")
        edits.append(more_arguments(tree, calls[0], given) if calls else call_after(tree, chain[0], name, given))
    return _together(tree, edits)


def _together(tree: Tree, edits: list[TextEdit]) -> tuple[TextEdit, ...]:
    """Two insertions at the same place are one."""
    if len(edits) == 2 and edits[0].span == edits[1].span:
        return (tree.edit(edits[0].span.start, edits[0].span.end, edits[0].text + edits[1].text),)
    return tuple(edits)


def _plain(argument: cst.Arg, name: str) -> bool:
    if argument.star or argument.keyword is not None:
        return False
    value = argument.value
    return isinstance(value, cst.SimpleString) or (name == "prefetch_related" and isinstance(value, cst.Call))


def _more_listed(tree: Tree, node: cst.Tuple | cst.List, remedy: Preload) -> tuple[TextEdit, ...] | Unfit:
    if remedy.batched:
        return Unfit("`list_select_related` joins; what has many rows is loaded by a get_queryset() of the class")
    given = [tree.quoted("__".join(path)) for path in remedy.joined]
    if not node.elements:
        return Unfit("`list_select_related` is empty")
    last = node.elements[-1]
    end = tree.outer(last.value)[1]
    return (tree.edit(end, end, "".join(f", {one}" for one in given)),)


def _listed(tree: Tree, start: int, remedy: Preload) -> tuple[TextEdit, ...] | Unfit:
    """A class whose list the framework makes by itself: a class of the admin says which relations to join."""
    way = tree.way(start, start + 1)
    held = around(way, cst.ClassDef)
    if not isinstance(held, cst.ClassDef) or not isinstance(held.body, cst.IndentedBlock):
        return Unfit("the framework makes the query by itself")
    names = {target.target.value: s for s in held.body.body for target in _targets(s) if isinstance(target.target, cst.Name)}
    shown = names.get("list_display")
    if remedy.batched or shown is None or "list_select_related" in names:
        return Unfit("the framework makes the query by itself")
    given = ", ".join(tree.quoted("__".join(path)) for path in remedy.joined)
    end = tree.next_line(tree.end(shown))
    return (
        tree.edit(end, end, f"{tree.indent(tree.start(shown))}list_select_related = ({given}{',' if len(remedy.joined) == 1 else ''})\n"),
    )


def _targets(statement: cst.CSTNode) -> list[cst.AssignTarget]:
    if not isinstance(statement, cst.SimpleStatementLine):
        return []
    return [target for part in statement.body if isinstance(part, cst.Assign) for target in part.targets]
