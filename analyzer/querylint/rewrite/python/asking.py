"""Rows that are loaded to be counted, or to see whether there are any: the database is asked instead."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from querylint.patch import Fix, Safety
from querylint.remedy import Counter, Probe
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.concrete import SPLIT, UNPARSED, Tree, around, links, method, name, tree_of, walk
from querylint.rewrite.python.scopes import variables

NOT_PLAIN = "the rows are also used in another way"
NO_QUERY = "the rows do not come from a query in this function"
QUERY = frozenset(("query", "filter", "filter_by", "where", "order_by", "limit", "offset"))
"""What leaves each row of a table at most once in a query of SQLAlchemy."""
JOINS = frozenset(("join", "outerjoin", "select_from", "joinedload"))
NOTHING = {("==", 0): True, ("<", 1): True, (">", 0): False, ("!=", 0): False, (">=", 1): False}
"""Comparisons of a number of rows that only ask whether there are any; whether they hold where there are none."""


def rewrite(task: Task, remedy: Probe | Counter) -> Fix | Unfit:
    """Ask for the number, or whether there is a row, where nothing else is done with the rows."""
    if isinstance(remedy, Probe) and remedy.given:
        return Unfit("whether a query that finds nothing counts as one is for you to say")
    tree = tree_of(task.sources, task.found.span.path)
    if tree is None:
        return Unfit(UNPARSED)
    place = tree.exactly(task.found.span)
    if place is None:
        return Unfit(SPLIT)
    node, way = place
    sized = node.args[0].value if isinstance(node, cst.Call) and name(node.func) == "len" and len(node.args) == 1 else None
    rows = sized if sized is not None else node
    if isinstance(remedy, Counter) and sized is None:
        return Unfit("more is computed from the rows than their number")
    if reason := _held(tree, rows, way):
        return Unfit(reason)
    if task.found.stack == "django":
        return _django(tree, node, way, sized)
    if task.found.stack == "sqlalchemy":
        return _sqlalchemy(tree, node, way, sized)
    return Unfit("there is no way to say this in this library")


def _held(tree: Tree, rows: cst.BaseExpression, way: list[cst.CSTNode]) -> str:
    """Why the rows may be needed besides; empty where they are not."""
    if not isinstance(rows, cst.Name):
        return "" if isinstance(rows, cst.Call) and method(rows) else NO_QUERY
    scope = around(way, cst.FunctionDef)
    if not isinstance(scope, cst.FunctionDef):
        return NO_QUERY
    made = [value for target, value in _assignments(scope.body) if name(target) == rows.value]
    bound = [n for n in walk(scope.body) if isinstance(n, cst.NamedExpr | cst.For | cst.CompFor | cst.With) and _binds(n, rows.value)]
    given = any(parameter.name.value == rows.value for parameter in walk(scope.params) if isinstance(parameter, cst.Param))
    if given or bound or not made or not all(isinstance(v, cst.Call) and method(v) for v in made):
        return NO_QUERY
    loops = [n for n in way if isinstance(n, cst.For | cst.While | cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp)]
    if loops and not set(made) <= set(walk(loops[-1])):
        return "the rows are loaded once for all iterations"
    further = {n.value for n in walk(scope.body) if isinstance(n, cst.Attribute) and isinstance(n.value, cst.Name)}
    targets = {id(target) for target, _ in _assignments(scope.body)}
    for use in variables(scope.body):
        if use.value == rows.value and use is not rows and use not in further and id(use) not in targets:
            return NOT_PLAIN
    return ""


def _assignments(body: cst.CSTNode) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    for node in walk(body):
        if isinstance(node, cst.Assign):
            yield from ((target.target, node.value) for target in node.targets)
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            yield node.target, node.value


def _binds(node: cst.CSTNode, wanted: str) -> bool:
    held = node.items if isinstance(node, cst.With) else [node.target] if isinstance(node, cst.NamedExpr | cst.For | cst.CompFor) else []
    return any(isinstance(n, cst.Name) and n.value == wanted for one in held for n in walk(one))


def _django(tree: Tree, node: cst.BaseExpression, way: list[cst.CSTNode], sized: cst.BaseExpression | None) -> Fix | Unfit:
    if sized is None:
        if not tested(node, way):
            return Unfit("more is needed than whether there is a row")
        return Fix("ask with exists()", Safety.SAFE, (tree.edit(tree.end(node), tree.end(node), ".exists()"),))
    compared = _compared(node, way)
    if compared is not None:
        whole, none = compared
        return Fix("ask with exists()", Safety.SAFE, (tree.replaced(whole, f"{'not ' if none else ''}{tree.text(sized)}.exists()"),))
    return Fix("count with count()", Safety.SAFE, (tree.replaced(node, f"{tree.text(sized)}.count()"),))


def _made_of(way: list[cst.CSTNode], base: cst.BaseExpression) -> set[str]:
    """The methods that a query has gone through which a variable of the function holds."""
    scope = around(way, cst.FunctionDef)
    if not isinstance(base, cst.Name) or scope is None or base.value in {p.name.value for p in walk(scope) if isinstance(p, cst.Param)}:
        return set()
    made = [value for target, value in _assignments(scope) if name(target) == base.value]
    return {method(link) for value in made for link in links(value) if isinstance(link, cst.Call)}


def _sqlalchemy(tree: Tree, node: cst.BaseExpression, way: list[cst.CSTNode], sized: cst.BaseExpression | None) -> Fix | Unfit:
    chain = links(sized) if sized is not None else []
    rows = chain[0] if chain else None
    if not isinstance(rows, cst.Call) or method(rows) != "all" or not isinstance(rows.func, cst.Attribute):
        return Unfit("the rows are not read by .all() of a query")
    calls = {method(link) for link in chain[1:] if isinstance(link, cst.Call)} | _made_of(way, chain[-1])
    if calls & JOINS:
        return Unfit("rows that are joined may come several times, and are counted otherwise by the database")
    if calls & {"scalars", "execute", "scalar"}:
        return Unfit("a separate statement would have to count what a select() finds")
    if "query" not in calls or calls - QUERY - {""}:
        return Unfit(NO_QUERY if "query" not in calls else "the query does more than filter its rows")
    query = tree.between(tree.start(rows), tree.start(rows.func.dot))
    return Fix("count with count()", Safety.SAFE, (tree.replaced(node, f"{query}.count()"),))


def _compared(node: cst.BaseExpression, way: list[cst.CSTNode]) -> tuple[cst.Comparison, bool] | None:
    """The comparison that asks of a number of rows only whether there are any, and whether it holds where there are none."""
    up = next((n for n in reversed(way) if not isinstance(n, cst.Arg)), None)
    if not isinstance(up, cst.Comparison) or up.left is not node or len(up.comparisons) != 1:
        return None
    target = up.comparisons[0]
    signs = {cst.Equal: "==", cst.LessThan: "<", cst.GreaterThan: ">", cst.NotEqual: "!=", cst.GreaterThanEqual: ">="}
    sign = signs.get(type(target.operator), "")
    number = int(target.comparator.value) if isinstance(target.comparator, cst.Integer) and target.comparator.value.isdecimal() else -1
    none = NOTHING.get((sign, number))
    return (up, none) if none is not None else None


def tested(node: cst.BaseExpression, way: list[cst.CSTNode]) -> bool:
    """Whether only the truth of a value counts."""
    here: cst.CSTNode = node
    for up in reversed(way):
        if isinstance(up, cst.UnaryOperation):
            return isinstance(up.operator, cst.Not)
        if isinstance(up, cst.If | cst.While | cst.IfExp | cst.Assert):
            return up.test is here
        if isinstance(up, cst.CompIf):
            return True
        if isinstance(up, cst.Call):
            return name(up.func) == "bool"
        if not isinstance(up, cst.BooleanOperation | cst.Arg):
            return False
        here = up
    return False
