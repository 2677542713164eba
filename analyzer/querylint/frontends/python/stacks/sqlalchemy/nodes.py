"""Small questions to the tree of code."""

from __future__ import annotations

from querylint.syntax import tree
from querylint.syntax.questions import callee_name, text_of


def texts(node: tree.Expr | None) -> tuple[str, ...]:
    """The texts of a list or tuple."""
    return tuple(t for item in node.items if (t := text_of(item))) if isinstance(node, tree.Array) else ()


def true(node: tree.Expr | None) -> bool:
    """Whether an expression is the constant True."""
    return isinstance(node, tree.Literal) and node.value is True


def returned(fn: tree.Fn) -> tree.Expr | None:
    """What a function of one statement gives back."""
    found = [s for s in fn.body if not isinstance(s, tree.Let)]
    end = found[-1] if found else None
    return end.value if isinstance(end, tree.Return) else None


def called_after(node: tree.Expr | None, name: str) -> str:
    """What an expression makes of the name of a class (`cls.__name__.lower() + "s"`); empty where that cannot be read."""
    if isinstance(node, tree.Literal):
        return text_of(node)
    if isinstance(node, tree.Member) and node.name == "__name__":
        return name
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name in ("lower", "upper") and not node.args:
        inner = called_after(node.func.base, name)
        return inner.lower() if node.func.name == "lower" else inner.upper()
    parts = node.parts if isinstance(node, tree.Template) else node.operands if isinstance(node, tree.Op) and node.sign == "+" else []
    made = [called_after(part, name) for part in parts]
    return "".join(made) if all(made) else ""


def columns_in(node: tree.Expr) -> list[str]:
    """The column that a part of an index names: by text, as an attribute, with an order. An empty name is an expression."""
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name in ("desc", "asc", "nullslast", "nullsfirst"):
        return columns_in(node.func.base)
    if isinstance(node, tree.Call) and callee_name(node.func) in ("desc", "asc") and len(node.args) == 1:
        return columns_in(node.args[0])
    if isinstance(node, tree.Literal):
        return [text_of(node)]
    if isinstance(node, tree.Member):
        return [node.name]
    return [node.id] if isinstance(node, tree.Name) else [""]
