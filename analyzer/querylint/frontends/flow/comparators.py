"""Comparators of sorts: whether they compare fields as they are stored, which is all that an index can do."""

from __future__ import annotations

from querylint.syntax import tree

SCALING = frozenset(("*", "/", "%", "**", "+"))
LOOKING_UP = frozenset(("get", "indexOf", "findIndex"))


def computed(fn: tree.Fn) -> bool:
    """Whether a comparator ranks rows by something that it works out: a quotient, a look-up in a table of ranks, a score."""
    names = {p.pattern.id for p in fn.params if isinstance(p.pattern, tree.NamePattern)}
    return any(_computes(node, names) for node in tree.walk(fn.body))


def _computes(node: object, names: set[str]) -> bool:
    if isinstance(node, tree.Op) and len(node.operands) == 2:
        if node.sign == "-" and any(isinstance(o, tree.Op) and o.sign == "-" and len(o.operands) == 2 for o in node.operands):
            return True
        return node.sign in SCALING
    if isinstance(node, tree.Index):
        return not (isinstance(node.base, tree.Name) and node.base.id in names) and _mentions(node.key, names)
    if isinstance(node, tree.Call):
        if isinstance(node.func, tree.Member) and node.func.name in LOOKING_UP:
            return any(_mentions(a, names) for a in node.args)
        return len([a for a in node.args if isinstance(a, tree.Name) and a.id in names]) == 1
    return False


def _mentions(node: object, names: set[str]) -> bool:
    return any(isinstance(n, tree.Name) and n.id in names for n in tree.walk(node))
