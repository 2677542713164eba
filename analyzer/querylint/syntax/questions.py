"""Small questions to the tree of code, the same for every stack."""

from __future__ import annotations

from querylint.syntax import tree


def last_name(node: tree.Expr | None) -> str:
    """The last name of a dotted expression; empty for anything else."""
    return node.name if isinstance(node, tree.Member) else node.id if isinstance(node, tree.Name) else ""


def callee_name(node: tree.Expr) -> str:
    """The last name of a dotted expression, of what is called where it is a call: `register` for a decorator with or without arguments."""
    return last_name(node.func if isinstance(node, tree.Call) else node)


def names_of(decorator: tree.Expr) -> list[str]:
    """The last names of a decorator and of what it is given: `@method_decorator(atomic)`."""
    return [callee_name(one) for one in (decorator, *(decorator.args if isinstance(decorator, tree.Call) else ()))]


def keyword(node: tree.Call, name: str) -> tree.Expr | None:
    """The value of a keyword of a call."""
    return next((value for key, value in node.keywords if key == name), None)


def text_of(node: tree.Expr | None) -> str:
    """The text that an expression writes down; empty for anything else."""
    return node.value if isinstance(node, tree.Literal) and isinstance(node.value, str) else ""
