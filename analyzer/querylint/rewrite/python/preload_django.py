"""`select_related` and `prefetch_related` put into a queryset, or `list_select_related` into a class of the admin."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from querylint.ir import Access, Function
from querylint.patch import TextEdit
from querylint.remedy import Preload
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.calls import COMMA, branches, call_after, calls_on, more_arguments, without_endings
from querylint.rewrite.python.classes import default_manager
from querylint.rewrite.python.concrete import Tree, around, links, method, name, walk
from querylint.rewrite.python.wrapping import fitted

ENDINGS = frozenset(
    ("get", "first", "last", "earliest", "latest", "count", "exists", "aggregate", "iterator", "in_bulk", "contains", "create",
     "aget", "afirst", "alast", "aearliest", "alatest", "acount", "aexists", "aiterator", "ain_bulk")
)  # fmt: skip
ROWLESS = frozenset(
    ("values", "values_list", "dates", "datetimes", "count", "acount", "exists", "aexists", "aggregate", "aaggregate", "update", "aupdate",
     "delete", "adelete")
)  # fmt: skip
"""What gives no rows of a model, to which nothing could be loaded: Django refuses it behind `values()`."""
SHORTCUTS = frozenset(("get_object_or_404", "aget_object_or_404", "get_list_or_404", "aget_list_or_404"))
HINDERING = {
    "union": "the query is in a union with another one, which must have the same columns",
    "intersection": "the query is in a union with another one, which must have the same columns",
    "difference": "the query is in a union with another one, which must have the same columns",
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
    if remedy.joined and any(_locks(call) for call in calls_on(tree, way, node)):
        remedy = replace(remedy, joined=(), batched=(*remedy.joined, *remedy.batched))  # a join would lock the rows of others, too
    if reason := _hindered(tree, way, node, batched=bool(remedy.batched)):
        return Unfit(reason)
    if _shortcut(node, way):
        calls = [
            f".{loader}({', '.join(tree.quoted('__'.join(path)) for path in paths)})"
            for loader, paths in (("select_related", remedy.joined), ("prefetch_related", remedy.batched))
            if paths
        ]
        end = tree.end(node)
        return (tree.edit(end, end, f".{default_manager(task, task.program.table(function, read.table))}{''.join(calls)}"),)
    chosen = way[-1]
    if isinstance(chosen, cst.IfExp) and node in (chosen.body, chosen.orelse):
        other = chosen.orelse if node is chosen.body else chosen.body
        if _empty(other) or _alike(other, node):
            node, way = chosen, way[:-1]
    given = [one for one in branches(way, node) if one is node or (_alike(one, node) and not _empty(one))]
    hindering = next((HINDERING[method(link)] for one in given for link in links(one) if method(link) in HINDERING), "")
    if hindering:
        return Unfit(hindering)
    both = [*given, *(one for one in _answers(way, node) if one is not node)]
    ways = [arm for one in both for arm in ((one.body, one.orelse) if isinstance(one, cst.IfExp) else (one,))]
    begun = not read.chain.start <= at.start < read.chain.end  # by the function that is called here
    found = [_asked(tree, one, remedy, begun=begun) for one in ways if not _empty(one)] or [
        Unfit("the query finds no rows, and the one that does is not visible")
    ]
    unfit = next((one for one in found if isinstance(one, Unfit)), None)
    if unfit is not None:
        return unfit
    return tuple(edit for one in found if not isinstance(one, Unfit) for edit in fitted(tree, one))


def _answers(way: list[cst.CSTNode], node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """All queries that a function answers with, where one of its answers is to be changed: callers go on with any of them."""
    scope = around(way, cst.FunctionDef)
    if not isinstance(way[-1], cst.Return) or scope is None:
        return [node]
    inner = {n for own in walk(scope) if isinstance(own, cst.FunctionDef | cst.Lambda) and own is not scope for n in walk(own)}
    answers = [n.value for n in walk(scope) if isinstance(n, cst.Return) and n not in inner and n.value is not None]
    return [one for one in answers if one is node or (_alike(one, node) and not _empty(one))]


def _alike(one: cst.BaseExpression, other: cst.BaseExpression) -> bool:
    """Whether a query gives rows as another one does, and begins with the same manager, or with another one of its class."""
    mine, its = _manager(one), _manager(other)
    model = mine.rpartition(".")[0]
    rows = not any(method(link) in ROWLESS for link in links(one))
    return rows and (mine == its != "" or (model == its.rpartition(".")[0] and model.rpartition(".")[2][:1].isupper()))


def _manager(query: cst.BaseExpression) -> str:
    """What a chain of calls begins with, empty for anything else."""
    first = next((link for link in reversed(links(query)) if isinstance(link, cst.Call)), None)
    return name(first.func.value) if first is not None and isinstance(first.func, cst.Attribute) else ""


def _locks(call: cst.Call) -> bool:
    """Whether a call locks all rows that a query joins."""
    return method(call) == "select_for_update" and not any(a.keyword is not None and a.keyword.value == "of" for a in call.args)


def _empty(node: cst.BaseExpression) -> bool:
    """Whether an arm of a choice stands for no rows."""
    if isinstance(node, cst.Call):
        return method(node) == "none"
    return (isinstance(node, cst.List | cst.Tuple) and not node.elements) or (isinstance(node, cst.Name) and node.value == "None")


def _hindered(tree: Tree, way: list[cst.CSTNode], node: cst.BaseExpression, *, batched: bool) -> str:
    """What is done with the query that speaks against loading more."""
    for call in calls_on(tree, way, node):
        called = method(call)
        if called in ("iterator", "aiterator") and batched and not call.args:
            return "iterator() prefetches nothing unless it has a chunk_size"
        if called in HINDERING:
            return HINDERING[called]
    return ""


def _shortcut(node: cst.BaseExpression, way: list[cst.CSTNode]) -> bool:
    """Whether a class is handed to a function of Django that makes its query by itself."""
    call = way[-2] if len(way) > 1 and isinstance(way[-1], cst.Arg) else None
    short = isinstance(call, cst.Call) and name(call.func).rpartition(".")[2] in SHORTCUTS
    return short and isinstance(call, cst.Call) and call.args[0].value is node and name(node) != ""


def _asked(tree: Tree, node: cst.BaseExpression, remedy: Preload, *, begun: bool) -> tuple[TextEdit, ...] | Unfit:
    chain = without_endings(links(node), ENDINGS)
    if (
        not chain
        or not isinstance(chain[0], cst.Call | cst.Attribute)
        or (isinstance(chain[0], cst.Call) and not method(chain[0]) and not begun)
    ):
        return Unfit("the rows are not read by a queryset that is written here")
    edits: list[TextEdit] = []
    for loader, paths in (("select_related", remedy.joined), ("prefetch_related", remedy.batched)):
        if not paths:
            continue
        given = [tree.quoted("__".join(path)) for path in paths]
        calls = [link for link in chain if isinstance(link, cst.Call) and method(link) == loader]
        if any(not call.args or any(not _plain(a, loader) for a in call.args) for call in calls):
            return Unfit(f"its {loader}() says what to load in a way that is not clear")
        edits.append(more_arguments(tree, calls[0], given) if calls else call_after(tree, chain[0], loader, given))
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


def _listed(tree: Tree, start: int, remedy: Preload) -> tuple[TextEdit, ...] | Unfit:
    """A class of the admin, whose list the framework makes by itself, says which relations to join, and prefetches in its queryset."""
    held = around(tree.way(start, start + 1), cst.ClassDef)
    if not isinstance(held, cst.ClassDef) or not isinstance(held.body, cst.IndentedBlock):
        return Unfit("the framework makes the query by itself")
    fields = {target.target.value: target for s in held.body.body for target in _targets(s) if isinstance(target.target, cst.Name)}
    methods = {node.name.value for node in held.body.body if isinstance(node, cst.FunctionDef)}
    shown = next((s for s in held.body.body for target in _targets(s) if target is fields.get("list_display")), None)
    if shown is None or (remedy.batched and "get_queryset" in methods):
        return Unfit("the framework makes the query by itself, of what the class says in a way that is not clear")
    edits: list[TextEdit] = []
    if remedy.joined and "get_list_select_related" in methods:
        return Unfit("a method of the class says what to join")
    if remedy.joined:
        said = next((_value(s) for s in held.body.body for t in _targets(s) if t is fields.get("list_select_related")), None)
        edit = _joined(tree, shown, said, [tree.quoted("__".join(path)) for path in remedy.joined])
        if edit is None:
            return Unfit("`list_select_related` does not name relations")
        edits.append(edit)
    if remedy.batched:
        indent = tree.indent(tree.start(shown))
        given = ", ".join(tree.quoted("__".join(path)) for path in remedy.batched)
        unit = tree.module.default_indent
        end = tree.next_line(tree.end(held) - 1)
        lines = ("", "def get_queryset(self, request):", f"{unit}return super().get_queryset(request).prefetch_related({given})")
        edits.append(tree.edit(end, end, "".join(f"{indent}{line}\n" if line else "\n" for line in lines)))
    return tuple(edits)


def _joined(tree: Tree, shown: cst.CSTNode, said: cst.BaseExpression | None, given: list[str]) -> TextEdit | None:
    if isinstance(said, cst.Tuple | cst.List) and said.elements:
        end = tree.outer(said.elements[-1].value)[1]
        comma = COMMA.match(tree.data, end) if len(said.elements) == 1 else None  # a single one has to have it
        return tree.edit(end, comma.end() if comma is not None else end, "".join(f", {one}" for one in given))
    if said is not None:
        return None
    end = tree.next_line(tree.end(shown) - 1)
    listed = f"{given[0]}," if len(given) == 1 else ", ".join(given)
    return tree.edit(end, end, f"{tree.indent(tree.start(shown))}list_select_related = ({listed})\n")


def _value(statement: cst.CSTNode) -> cst.BaseExpression | None:
    parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else []
    return next((part.value for part in parts if isinstance(part, cst.Assign)), None)


def _targets(statement: cst.CSTNode) -> list[cst.AssignTarget]:
    if not isinstance(statement, cst.SimpleStatementLine):
        return []
    return [target for part in statement.body if isinstance(part, cst.Assign) for target in part.targets]
