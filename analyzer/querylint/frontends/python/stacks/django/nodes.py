"""Nodes of the tree: small builders for code that Django runs without anyone having written it, and what the attributes of views name."""

from __future__ import annotations

from querylint.frontends.python.classes import ClassInfo
from querylint.syntax import tree

ROW = "instance"
Found = tuple[str, tree.Expr]
"""An expression after the module that it stands in."""


def class_level(info: ClassInfo, name: str) -> list[Found]:
    """What a class or one above gives an attribute; empty where none does."""
    given = info.field(name)
    return [(given[0].path, given[2])] if given is not None and given[2] is not None else []


def on_self(node: tree.Expr) -> bool:
    """Whether something is an attribute of `self`."""
    return isinstance(node, tree.Member) and isinstance(node.base, tree.Name) and node.base.id == "self"


def at_of(node: tree.Call | tree.ClassDef) -> tuple[int, int]:
    """Where a written node stands; a class by its first byte."""
    return (node.at, node.end) if isinstance(node, tree.Call) else (node.at, node.at)


def row_of(node: tree.Call | tree.ClassDef) -> tree.Expr:
    """The row that a serializer is given."""
    return tree.Name(ROW, *at_of(node))


def path_of(row: tree.Expr, text: str, node: tree.Call | tree.ClassDef) -> tree.Expr:
    """`row.a.b`."""
    made = row
    for part in text.split("."):
        made = tree.Member(made, part, *at_of(node), node.at)
    return made


def call_of(base: tree.Expr, name: str, args: list[tree.Expr], at: int | None = None) -> tree.Call:
    """`base.name(*args)`."""
    here = (base.at, base.end) if at is None else (at, at)
    return tree.Call(tree.Member(base, name, *here, here[0]), args, *here)


def do(value: tree.Expr) -> tree.Stmt:
    """An expression as a statement."""
    return tree.Do(value, value.at, value.end)


def each(value: tree.Expr, body: list[tree.Stmt], node: tree.Call | tree.ClassDef) -> tree.Stmt:
    """`for related in value.all(): ...`."""
    at, end = at_of(node)
    over = call_of(value, "all", [])
    pattern = tree.NamePattern("related", at, at)
    return tree.For(tree.LoopForm.OF, body, at, end, end, pattern=pattern, over=over)


def is_true(node: tree.Expr | None) -> bool:
    """Whether a constant is `True`."""
    return isinstance(node, tree.Literal) and node.value is True
