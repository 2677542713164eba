"""Operators over constants."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce

from querylint.frontends.modules.values import UNKNOWN, Value, text, truth

_SCALARS = (str, int, float, type(None))
_CHAINED = frozenset("+-*/%")


def apply(sign: str, operands: Sequence[Value]) -> Value:
    """`sign` over its operands, of which a chain such as `a + b + c` has many."""
    if len(operands) == 1:
        return _unary(sign, operands[0])
    return reduce(partial(_binary, sign), operands) if len(operands) == 2 or sign in _CHAINED else UNKNOWN


def _binary(sign: str, left: Value, right: Value) -> Value:
    if sign in ("===", "!==", "==", "!="):
        if not isinstance(left, _SCALARS) or not isinstance(right, _SCALARS):
            return UNKNOWN
        same = left == right and isinstance(left, bool) == isinstance(right, bool)
        return same if sign[0] == "=" else not same
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        before, after = text(left), text(right)
        return UNKNOWN if before is None or after is None else before + after
    one, two = _number(left), _number(right)
    return UNKNOWN if one is None or two is None else _calculate(sign, one, two)


def _unary(sign: str, value: Value) -> Value:
    if sign == "!":
        known = truth(value)
        return UNKNOWN if known is None else not known
    number = _number(value)
    if number is None:
        return UNKNOWN
    return -number if sign == "-" else number if sign == "+" else UNKNOWN


def _number(value: Value) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _calculate(sign: str, left: int | float, right: int | float) -> Value:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right:
            return left // right if isinstance(left, int) and isinstance(right, int) and left % right == 0 else left / right
        case "%" if right and left >= 0 and right > 0:
            return left % right
        case "**" if 0 <= right <= 64 and abs(left) <= 4096:
            return left**right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
    return UNKNOWN
