"""Conditions on the parameters of a function, which the constants that a caller hands over may decide."""

from __future__ import annotations

from querylint.frontends.flow.state import State
from querylint.ir import Ask, Asked, Root
from querylint.syntax import tree

OPEN = Asked(Ask.UNKNOWN)


def asked(m: State, node: tree.Expr) -> Asked | None:
    """What a condition asks of the parameters; None where it asks nothing of them that can be read."""
    found = _asked(m, node)
    return found if found.ask is not Ask.UNKNOWN else None


def _asked(m: State, node: tree.Expr) -> Asked:
    if isinstance(node, tree.Logic) and node.sign in ("&&", "||"):
        both = (_asked(m, node.left), _asked(m, node.right))
        return Asked(Ask.ALL if node.sign == "&&" else Ask.ANY, of=both) if both != (OPEN, OPEN) else OPEN
    if isinstance(node, tree.Op) and node.sign == "!" and len(node.operands) == 1:
        inner = _asked(m, node.operands[0])
        return Asked(Ask.NOT, of=(inner,)) if inner is not OPEN else OPEN
    if isinstance(node, tree.Op) and len(node.operands) == 2:
        return _compared(m, node.sign, node.operands[0], node.operands[1])
    number = _parameter(m, node)
    return Asked(Ask.TRUE, number) if number is not None else OPEN


def _compared(m: State, sign: str, left: tree.Expr, right: tree.Expr) -> Asked:
    if sign in ("==", "!="):
        left, right = (right, left) if isinstance(left, tree.Literal) else (left, right)
    number, constants = _parameter(m, left), _constants(right)
    if sign == "in" and number is None:
        number, constants = _parameter(m, right), _constants(left)
        return Asked(Ask.HOLDS, number, constants) if number is not None and isinstance(left, tree.Literal) else OPEN
    if number is None or not constants:
        return OPEN
    if sign == "in":
        return Asked(Ask.AMONG, number, constants) if not isinstance(right, tree.Literal) else OPEN
    if sign not in ("==", "!=") or not isinstance(right, tree.Literal):
        return OPEN
    equal = Asked(Ask.EQUAL, number, constants)
    return equal if sign == "==" else Asked(Ask.NOT, of=(equal,))


def _constants(node: tree.Expr) -> tuple[object, ...]:
    if isinstance(node, tree.Literal):
        return (node.value,)
    items = node.items if isinstance(node, tree.Array) else []
    return tuple(item.value for item in items if isinstance(item, tree.Literal)) if all(isinstance(i, tree.Literal) for i in items) else ()


def _parameter(m: State, node: tree.Expr) -> int | None:
    """The position of a parameter that still holds what it came in with."""
    var = m.scope.find(node.id) if isinstance(node, tree.Name) else None
    value = m.entered.get(var) if var is not None else None
    if var is None or value is None or m.store.get(var) is not value or len(value.origins) != 1:
        return None
    origin = value.origins[0]
    return origin.ref if origin.root is Root.PARAM and isinstance(origin.ref, int) and not origin.path else None
