"""Rows that are loaded for the first of them: the query asks for one."""

from __future__ import annotations

import libcst as cst

from querylint.patch import Fix, Safety, TextEdit
from querylint.remedy import Limit
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.asking import tested
from querylint.rewrite.python.concrete import SPLIT, UNPARSED, Tree, around, links, method, name, tree_of, walk
from querylint.rewrite.python.scopes import bound, names, variables

UNORDERED = "no order is given, so a different row may come first"
CUT = frozenset(("limit", "offset", "slice", "fetch", "union", "union_all", "yield_per", "from_statement", "unique"))
"""What a query may have gone through that speaks against cutting it."""
KEPT = frozenset(
    ("filter", "filter_by", "where", "order_by", "options", "join", "outerjoin", "query", "select", "all", "exclude", "distinct")
)


def rewrite(task: Task, remedy: Limit) -> Fix | Unfit:
    """Read one row."""
    tree = tree_of(task.sources, task.found.span.path)
    if tree is None:
        return Unfit(UNPARSED)
    place = tree.exactly(task.found.span)
    if place is None or remedy.count != 1:
        return Unfit(SPLIT)
    node, way = place
    listing = way[-2] if len(way) > 1 and isinstance(way[-1], cst.Arg) else None
    if isinstance(listing, cst.Call) and name(listing.func) == "list":
        node, way = listing, way[:-2]
    elif isinstance(way[-1], cst.Await):
        way = way[:-1]
    if reason := _held(tree, way):
        return Unfit(reason)
    found = _sqlalchemy(tree, node) if task.found.stack == "sqlalchemy" else _django(tree, node)
    if isinstance(found, Unfit):
        return found
    edit, ordered = found
    return Fix("read one row", Safety.SAFE if ordered else Safety.UNSAFE, (edit,), () if ordered else (UNORDERED,))


def _held(tree: Tree, way: list[cst.CSTNode]) -> str:
    """Why more than the first row may be needed: a list that a variable holds is asked for more than that."""
    made, scope = way[-1], around(way, cst.FunctionDef)
    if not isinstance(made, cst.Assign) or len(made.targets) != 1 or not isinstance(made.targets[0].target, cst.Name) or scope is None:
        return "the rows are not held by a variable of the function"
    own = made.targets[0].target
    given = [n for n in walk(scope) if isinstance(n, cst.Assign | cst.AnnAssign | cst.AugAssign | cst.NamedExpr | cst.AsName | cst.For)]
    if any(n is not made and own.value in _bound(n) for n in given):
        return "the variable that holds the rows is also given another value"
    for use in variables(scope):
        if use is own or use.value != own.value:
            continue
        above = tree.way(tree.start(use), tree.end(use))
        above = above[: above.index(use)] if use in above else above
        if not (_first(above[-1]) or tested(use, above)):
            return "the rows are also used in another way"
    return ""


def _bound(node: cst.CSTNode) -> frozenset[str]:
    return names(node.target) if isinstance(node, cst.For) else bound(node)


def _first(up: cst.CSTNode) -> bool:
    """Whether only the first of several is taken."""
    index = up.slice[0].slice if isinstance(up, cst.Subscript) and len(up.slice) == 1 else None
    return isinstance(index, cst.Index) and isinstance(index.value, cst.Integer) and index.value.value == "0"


def _plain(calls: list[cst.Call]) -> bool:
    return all((method(call) or name(call.func).rpartition(".")[2]) in KEPT for call in calls)


def _sqlalchemy(tree: Tree, node: cst.BaseExpression) -> tuple[TextEdit, bool] | Unfit:
    if not isinstance(node, cst.Call) or method(node) != "all" or node.args or not isinstance(node.func, cst.Attribute):
        return Unfit("the rows are not read by .all() of a query")
    query: cst.BaseExpression = node.func.value
    run = query.expression if isinstance(query, cst.Await) else query
    if method(run) in ("scalars", "execute") and isinstance(run, cst.Call) and len(run.args) == 1:
        query = run.args[0].value
    calls = [link for link in links(query) if isinstance(link, cst.Call)]
    if not calls or not _plain(calls) or any(method(call) in CUT for call in calls):
        return Unfit("the query does more than filter and order its rows")
    if not any((method(call) or name(call.func)) in ("query", "select") for call in calls):
        return Unfit("the query begins elsewhere")
    end = tree.outer(query)[1]
    return tree.edit(end, end, ".limit(1)"), any(method(call) == "order_by" for call in calls)


def _django(tree: Tree, node: cst.BaseExpression) -> tuple[TextEdit, bool] | Unfit:
    query = node.args[0].value if isinstance(node, cst.Call) and name(node.func) == "list" and len(node.args) == 1 else None
    calls = [link for link in links(query) if isinstance(link, cst.Call)] if query is not None else []
    if query is None or not calls or not method(calls[0]) or not _plain(calls):
        return Unfit("the rows are not those of a query that only filters and orders them")
    end = tree.outer(query)[1]
    return tree.edit(end, end, "[:1]"), any(method(call) == "order_by" for call in calls)
