"""Loops whose rounds put one value each into a list."""

from __future__ import annotations

import libcst as cst

from querylint.rewrite.python.concrete import Tree, method, walk


def appended(statement: cst.CSTNode, value: cst.BaseExpression) -> str:
    """The list that a statement puts a value into, where it does nothing else."""
    part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    call = part.value if isinstance(part, cst.Expr) else None
    if not isinstance(call, cst.Call) or method(call) != "append" or len(call.args) != 1 or not isinstance(call.func, cst.Attribute):
        return ""
    given = call.args[0].value
    same = given is value or (isinstance(given, cst.Name) and isinstance(value, cst.Name) and given.value == value.value)
    return call.func.value.value if same and isinstance(call.func.value, cst.Name) else ""


def begun(tree: Tree, scope: cst.CSTNode, loop: cst.For, into: str) -> tuple[cst.CSTNode, str] | None:
    """The statement right before the loop that makes the list, and how what it makes begins."""
    around = next((n for n in walk(scope) if isinstance(n, cst.IndentedBlock) and loop in n.body), None)
    if around is None:
        return None
    number = list(around.body).index(loop)
    before = around.body[number - 1] if number else None
    part = before.body[0] if isinstance(before, cst.SimpleStatementLine) and len(before.body) == 1 else None
    target = part.targets[0].target if isinstance(part, cst.Assign) and len(part.targets) == 1 else None
    if isinstance(part, cst.AnnAssign):
        target = part.target
    value = part.value if isinstance(part, cst.Assign | cst.AnnAssign) else None
    empty = isinstance(value, cst.List) and not value.elements
    if before is None or value is None or not empty or not isinstance(target, cst.Name) or target.value != into:
        return None
    if tree.data[tree.end(before) : tree.next_line(tree.end(before))].strip():
        return None  # a comment stands behind it
    return before, tree.between(tree.start(before), tree.start(value))
