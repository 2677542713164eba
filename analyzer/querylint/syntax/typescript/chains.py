"""Expressions that lean to the left and may grow long: `a.b(c)[d].e()` and `a + b + c`, read in loops and not by recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.syntax.tree import Call, Expr, Index, Logic, Member, Op, Opaque
from querylint.syntax.typescript.literals import string_value, template_parts
from querylint.syntax.typescript.lowering import DEEPEST, Lowering, ReadExpr, opaque

if TYPE_CHECKING:
    from tree_sitter import Node

LOGIC = frozenset(("&&", "||", "??"))
JOINED = frozenset(("+", "-", "*", "/", "%", "&", "|", "^"))
LEANING = 16


def _chain(low: Lowering, node: Node, depth: int) -> Expr:
    """From the tip of the chain down to its root, then built from the root up."""
    grammar = low.grammar
    member, call = grammar.member, grammar.call
    links: list[tuple[int, Node]] = []
    while True:
        kind = node.kind_id
        child: Node | None
        if kind in (member, call, grammar.subscript):
            links.append((kind, node))
            child = node.child(0)
        elif kind == grammar.non_null:
            child = node.child(0)
        elif kind == grammar.parenthesized:
            child = low.inner(node)
        else:
            break
        if child is None:
            return opaque(low, node, depth)
        node = child
    level = depth + len(links)
    if level <= DEEPEST:
        base = low.expr(node, level)
    else:
        base, level = _crowd(low, links, node, depth)
    while links:
        kind, node = links.pop()
        if kind == call:
            base = _called(low, base, node, level)
        elif kind == member:
            name = node.child_by_field_id(low.fields.property)
            at, end = node.start_byte, node.end_byte
            name_at = name.start_byte if name is not None else end
            base = Member(base, low.text(name_at, end), at, end, name_at, low.source.find(b"?.", base.end, name_at) >= 0)
        else:
            base = _indexed(low, base, node, level)
        level -= 1
    return base


def _crowd(low: Lowering, links: list[tuple[int, Node]], root: Node, depth: int) -> tuple[Expr, int]:
    """The near end of a chain that is too long, as one heap of its parts; those links are taken off the list."""
    level = depth + (DEEPEST - depth) // 2
    parts = [low.expr(root, level + 1)]
    end = root.end_byte
    while depth + len(links) > level:
        _, node = links.pop()
        arguments = node.child_by_field_id(low.fields.arguments)
        if arguments is not None:
            parts += low.arguments(arguments, level + 1)
        end = node.end_byte
    return Opaque(parts, root.start_byte, end), level


def _called(low: Lowering, func: Expr, node: Node, depth: int) -> Call:
    arguments = node.child_by_field_id(low.fields.arguments)
    call = Call(func, [], node.start_byte, node.end_byte)
    if arguments is None:
        return call
    call.args = template_parts(low, arguments, depth) if arguments.type == "template_string" else low.arguments(arguments, depth)
    if node.child_count > 2:
        call.optional = low.source.find(b"?.", func.end, arguments.start_byte) >= 0
        types = node.child_by_field_name("type_arguments")
        call.types = "" if types is None else low.line(types.start_byte + 1, types.end_byte - 1)
    return call


def _indexed(low: Lowering, base: Expr, node: Node, depth: int) -> Expr:
    key = node.child_by_field_id(low.fields.index)
    at, end = node.start_byte, node.end_byte
    if key is None:
        return Opaque([base], at, end, True)
    if key.kind_id == low.grammar.string:
        begin = key.start_byte
        optional = low.source.find(b"?.", base.end, begin) >= 0
        return Member(base, string_value(low, begin, key.end_byte), at, end, begin, optional)
    return Index(base, low.expr(key, depth), at, end)


def _new(low: Lowering, node: Node, depth: int) -> Expr:
    constructor = node.child_by_field_name("constructor")
    arguments = node.child_by_field_id(low.fields.arguments)
    types = node.child_by_field_name("type_arguments")
    return Call(
        opaque(low, node, depth) if constructor is None else low.expr(constructor, depth + 1),
        [] if arguments is None else low.arguments(arguments, depth + 1),
        node.start_byte,
        node.end_byte,
        new=True,
        types="" if types is None else low.line(types.start_byte + 1, types.end_byte - 1),
    )


def _binary(low: Lowering, node: Node, depth: int) -> Expr:
    """`a + b + c` leans left, and becomes one operator over three."""
    grammar = low.grammar
    at = node.start_byte
    steps: list[tuple[str, Node]] = []
    left: Node | None = node
    while left is not None and left.kind_id == grammar.binary:
        node = left
        operator, right = node.child_by_field_id(low.fields.operator), node.child_by_field_id(low.fields.right)
        if operator is not None and right is not None:
            steps.append((low.of(operator), right))
        left = node.child(0)
    if left is None:
        return opaque(low, node, depth)
    runs: list[tuple[str, list[Node]]] = []
    for sign, right in reversed(steps):
        if runs and runs[-1][0] == sign and (sign in LOGIC or sign in JOINED):
            runs[-1][1].append(right)
        else:
            runs.append((sign, [right]))
    if depth + len(runs) + LEANING > DEEPEST and len(runs) > 1:
        return Opaque([low.expr(part, depth + 1) for part in (left, *(right for _, right in reversed(steps)))], at, steps[0][1].end_byte)
    level = depth + len(runs)
    result = low.expr(left, level)
    for sign, rights in runs:
        operands = [result, *(low.expr(right, level) for right in rights)]
        if sign in LOGIC:
            # Where each operand stands with its parentheses, which the operands themselves have lost.
            places = [(at, result.end), *((right.start_byte, right.end_byte) for right in rights)]
            result = _logic(sign, operands, places)
        else:
            result = Op(sign, operands, at, rights[-1].end_byte)
        level -= 1
    return result


def _logic(sign: str, operands: list[Expr], places: list[tuple[int, int]]) -> Expr:
    """Leaning left as written, unless there are so many that only a balanced tree stays flat; both mean the same."""
    at = places[0][0]
    if len(operands) > LEANING:
        middle = len(operands) // 2
        left, right = _logic(sign, operands[:middle], places[:middle]), _logic(sign, operands[middle:], places[middle:])
        return Logic(sign, left, right, at, places[-1][1])
    result = operands[0]
    for right, (_, end) in zip(operands[1:], places[1:], strict=True):
        result = Logic(sign, result, right, at, end)
    return result


READERS: dict[str, ReadExpr] = {
    "member_expression": _chain,
    "call_expression": _chain,
    "subscript_expression": _chain,
    "non_null_expression": _chain,
    "parenthesized_expression": _chain,
    "new_expression": _new,
    "binary_expression": _binary,
}
