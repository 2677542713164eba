"""Expressions of Python in the plain tree."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from querylint.syntax import tree
from querylint.syntax.python.places import Places

OPERATORS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**", ast.LShift: "<<",
    ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&", ast.MatMult: "@", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<",
    ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "==", ast.IsNot: "!=", ast.In: "in", ast.NotIn: "in", ast.Not: "!",
    ast.USub: "-", ast.UAdd: "+", ast.Invert: "~",
}  # fmt: skip


def expression(p: Places, node: ast.expr) -> tree.Expr:
    """One expression."""
    lower = EXPRESSIONS.get(type(node))
    at, end = p.of(node)
    if lower is None:
        return tree.Opaque([], at, end)
    return lower(p, node, at, end)


def maybe(p: Places, node: ast.expr | None) -> tree.Expr | None:
    """An expression that may be missing."""
    return expression(p, node) if node is not None else None


def _all(p: Places, nodes: list[ast.expr]) -> list[tree.Expr]:
    return [expression(p, node) for node in nodes]


def _name(p: Places, node: ast.Name, at: int, end: int) -> tree.Expr:
    return tree.Name(node.id, at, end)


def _constant(p: Places, node: ast.Constant, at: int, end: int) -> tree.Expr:
    value = node.value
    if value is None or isinstance(value, str | int | float):
        return tree.Literal(value, at, end)
    return tree.Opaque([], at, end)


def _attribute(p: Places, node: ast.Attribute, at: int, end: int) -> tree.Expr:
    return tree.Member(expression(p, node.value), node.attr, at, end, end - len(node.attr.encode()))


def _call(p: Places, node: ast.Call, at: int, end: int) -> tree.Expr:
    keywords = [(k.arg or "**", expression(p, k.value)) for k in node.keywords]
    return tree.Call(expression(p, node.func), _all(p, node.args), at, end, keywords=keywords)


def _subscript(p: Places, node: ast.Subscript, at: int, end: int) -> tree.Expr:
    return tree.Index(expression(p, node.value), expression(p, node.slice), at, end)


def _slice(p: Places, node: ast.Slice, at: int, end: int) -> tree.Expr:
    return tree.Slice(maybe(p, node.lower), maybe(p, node.upper), maybe(p, node.step), at, end)


def _starred(p: Places, node: ast.Starred, at: int, end: int) -> tree.Expr:
    return tree.Spread(expression(p, node.value), at, end)


def _items(p: Places, node: ast.List | ast.Tuple | ast.Set, at: int, end: int) -> tree.Expr:
    return tree.Array(_all(p, node.elts), at, end)


def _dict(p: Places, node: ast.Dict, at: int, end: int) -> tree.Expr:
    entries: list[tuple[str | tree.Expr | None, tree.Expr]] = []
    for key, value in zip(node.keys, node.values, strict=True):
        made = expression(p, value)
        if key is None:
            entries.append((None, made))
        elif isinstance(key, ast.Constant) and isinstance(key.value, str):
            entries.append((key.value, made))
        else:
            entries.append((expression(p, key), made))
    return tree.Record(entries, at, end)


def _boolean(p: Places, node: ast.BoolOp, at: int, end: int) -> tree.Expr:
    sign = "&&" if isinstance(node.op, ast.And) else "||"
    made = expression(p, node.values[0])
    for value in node.values[1:]:
        made = tree.Logic(sign, made, expression(p, value), at, p.of(value)[1])
    return made


def _binary(p: Places, node: ast.BinOp, at: int, end: int) -> tree.Expr:
    return tree.Op(OPERATORS[type(node.op)], [expression(p, node.left), expression(p, node.right)], at, end)


def _unary(p: Places, node: ast.UnaryOp, at: int, end: int) -> tree.Expr:
    return tree.Op(OPERATORS[type(node.op)], [expression(p, node.operand)], at, end)


def _compare(p: Places, node: ast.Compare, at: int, end: int) -> tree.Expr:
    left, made = expression(p, node.left), None
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = expression(p, comparator)
        one: tree.Expr = tree.Op(OPERATORS[type(op)], [left, right], left.at, right.end)
        if isinstance(op, ast.NotIn):
            one = tree.Op("!", [one], left.at, right.end)
        made = one if made is None else tree.Logic("&&", made, one, at, right.end)
        # What stands in the middle runs once; the second comparison knows it only if it is a plain name or constant.
        left = right if _calm(right) else tree.Opaque([], right.at, right.end)
    assert made is not None
    return made


def _calm(node: tree.Expr) -> bool:
    """Whether evaluating an expression again does nothing."""
    while isinstance(node, tree.Member):
        node = node.base
    return isinstance(node, tree.Name | tree.Literal)


def _ternary(p: Places, node: ast.IfExp, at: int, end: int) -> tree.Expr:
    return tree.Ternary(expression(p, node.test), expression(p, node.body), expression(p, node.orelse), at, end)


def _await(p: Places, node: ast.Await, at: int, end: int) -> tree.Expr:
    return tree.Await(expression(p, node.value), at, end)


def _yield(p: Places, node: ast.Yield | ast.YieldFrom, at: int, end: int) -> tree.Expr:
    value = maybe(p, node.value)
    p.names.yields = True
    if isinstance(node, ast.YieldFrom) and value is not None:
        value = tree.Spread(value, value.at, value.end)
    return tree.Yield(value, at, end)


def _walrus(p: Places, node: ast.NamedExpr, at: int, end: int) -> tree.Expr:
    return tree.Assign(pattern(p, node.target), expression(p, node.value), "=", at, end)


def _lambda(p: Places, node: ast.Lambda, at: int, end: int) -> tree.Expr:
    body = expression(p, node.body)
    return tree.Fn("", parameters(p, node.args), [tree.Return(body, body.at, body.end, True)], at, end)


def _text(p: Places, node: ast.JoinedStr, at: int, end: int) -> tree.Expr:
    parts = [expression(p, v.value) if isinstance(v, ast.FormattedValue) else expression(p, v) for v in node.values]
    return tree.Template(parts, at, end)


def _comprehension(kind: str) -> Callable[[Places, Any, int, int], tree.Expr]:
    def lower(p: Places, node: Any, at: int, end: int) -> tree.Expr:
        clauses = [
            (_own(p, g.target), expression(p, g.iter), [expression(p, test) for test in g.ifs], bool(g.is_async)) for g in node.generators
        ]
        if kind == "dict":
            return tree.Comprehension(kind, expression(p, node.value), expression(p, node.key), clauses, at, end)
        return tree.Comprehension(kind, expression(p, node.elt), None, clauses, at, end)

    return lower


EXPRESSIONS: dict[type, Callable[[Places, Any, int, int], tree.Expr]] = {
    ast.Name: _name, ast.Constant: _constant, ast.Attribute: _attribute, ast.Call: _call, ast.Subscript: _subscript, ast.Slice: _slice,
    ast.Starred: _starred, ast.List: _items, ast.Tuple: _items, ast.Set: _items, ast.Dict: _dict, ast.BoolOp: _boolean,
    ast.BinOp: _binary, ast.UnaryOp: _unary, ast.Compare: _compare, ast.IfExp: _ternary, ast.Await: _await, ast.Yield: _yield,
    ast.YieldFrom: _yield, ast.NamedExpr: _walrus, ast.Lambda: _lambda, ast.JoinedStr: _text, ast.ListComp: _comprehension("list"),
    ast.SetComp: _comprehension("set"), ast.DictComp: _comprehension("dict"), ast.GeneratorExp: _comprehension("generator"),
}  # fmt: skip


# Patterns and parameters.


def _own(p: Places, node: ast.expr) -> tree.Pattern:
    """The target of a comprehension, which is no name of the function around it."""
    bound = set(p.names.bound)
    made = pattern(p, node)
    p.names.bound = bound
    return made


def pattern(p: Places, node: ast.expr) -> tree.Pattern:
    """What a value is bound to: a name, several names, an attribute, an element."""
    at, end = p.of(node)
    if isinstance(node, ast.Name):
        p.names.bound.add(node.id)
        return tree.NamePattern(node.id, at, end)
    if isinstance(node, ast.Tuple | ast.List):
        return _unpacked(p, node, at, end)
    if isinstance(node, ast.Starred):
        return pattern(p, node.value)
    made = expression(p, node)
    assert isinstance(made, tree.Member | tree.Index)
    return made


def _unpacked(p: Places, node: ast.Tuple | ast.List, at: int, end: int) -> tree.Pattern:
    items: list[tuple[tree.Pattern, tree.Expr | None] | None] = []
    rest: tree.Pattern | None = None
    for element in node.elts:
        if isinstance(element, ast.Starred):
            rest = pattern(p, element.value)
        elif rest is None:
            items.append((pattern(p, element), None))
        else:  # after a star the position is unknown: the name gets an element of the rest
            items.append((pattern(p, element), None))
    return tree.ArrayPattern(items, rest, at, end)


def parameters(p: Places, args: ast.arguments) -> list[tree.Param]:
    """The parameters of a function in their order."""
    plain = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults)) + list(args.defaults)
    made = [_parameter(p, arg, default) for arg, default in zip(plain, defaults, strict=True)]
    if args.vararg is not None:
        made.append(_parameter(p, args.vararg, None, stars=1))
    made += [_parameter(p, arg, default, named=True) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    if args.kwarg is not None:
        made.append(_parameter(p, args.kwarg, None, stars=2))
    return made


def _parameter(p: Places, arg: ast.arg, default: ast.expr | None, *, stars: int = 0, named: bool = False) -> tree.Param:
    at, _ = p.of(arg)
    return tree.Param(
        tree.NamePattern(arg.arg, at, at + len(arg.arg.encode())), p.source(arg.annotation), maybe(p, default), stars=stars, named=named
    )
