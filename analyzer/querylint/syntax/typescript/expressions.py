"""Expressions that nest: records, arrays, operators, casts, JSX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.syntax import tree
from querylint.syntax.typescript.functions import key_text, method, pattern
from querylint.syntax.typescript.lowering import ERROR, Lowering, ReadExpr, opaque, scraps

if TYPE_CHECKING:
    from tree_sitter import Node

VANISHING = frozenset(("any", "const", "unknown"))


def _await(low: Lowering, node: Node, depth: int) -> tree.Expr:
    return tree.Await(low.inside(node, depth + 1), node.start_byte, node.end_byte)


def _yield(low: Lowering, node: Node, depth: int) -> tree.Expr:
    child = low.inner(node)
    return tree.Yield(None if child is None else low.expr(child, depth + 1), node.start_byte, node.end_byte)


def _spread(low: Lowering, node: Node, depth: int) -> tree.Expr:
    return tree.Spread(low.inside(node, depth + 1), node.start_byte, node.end_byte)


def _sequence(low: Lowering, node: Node, depth: int) -> tree.Expr:
    return tree.Op(",", low.exprs(node.named_children, depth + 1), node.start_byte, node.end_byte)


def _ternary(low: Lowering, node: Node, depth: int) -> tree.Expr:
    parts = [node.child_by_field_name(field) for field in ("condition", "consequence", "alternative")]
    found = [low.expr(part, depth + 1) for part in parts if part is not None]
    if len(found) != 3:
        return tree.Opaque(found, node.start_byte, node.end_byte, True)
    return tree.Ternary(found[0], found[1], found[2], node.start_byte, node.end_byte)


def _unary(low: Lowering, node: Node, depth: int) -> tree.Expr:
    at, end = node.start_byte, node.end_byte
    sign = low.of(node.children[0])
    argument = node.child_by_field_name("argument")
    if argument is None:
        return opaque(low, node, depth)
    value = low.expr(argument, depth + 1)
    if sign == "-" and isinstance(value, tree.Literal) and isinstance(value.value, (int, float)):
        return tree.Literal(-value.value, at, end)
    return tree.Op(sign, [value], at, end)


def _assignment(low: Lowering, node: Node, depth: int) -> tree.Expr:
    left, right = node.child_by_field_id(low.fields.left), node.child_by_field_id(low.fields.right)
    if left is None or right is None:
        return opaque(low, node, depth)
    operator = node.child_by_field_id(low.fields.operator)
    sign = "=" if operator is None else low.of(operator)
    return tree.Assign(pattern(low, left, depth + 1), low.expr(right, depth + 1), sign, node.start_byte, node.end_byte)


def _update(low: Lowering, node: Node, depth: int) -> tree.Expr:
    argument, operator = node.child_by_field_name("argument"), node.child_by_field_id(low.fields.operator)
    if argument is None or operator is None:
        return opaque(low, node, depth)
    at, end = operator.start_byte, operator.end_byte
    sign = "+=" if low.source[at : at + 1] == b"+" else "-="
    return tree.Assign(pattern(low, argument, depth + 1), tree.Literal(1, at, end), sign, node.start_byte, node.end_byte)


def _as(low: Lowering, node: Node, depth: int) -> tree.Expr:
    """`value as T` and `value satisfies T`: the type is whatever follows the keyword."""
    value, *others = node.children
    keyword = next((child for child in others if not child.is_named), value)
    return _cast(low, node, value, low.line(keyword.end_byte, node.end_byte), depth)


def _assertion(low: Lowering, node: Node, depth: int) -> tree.Expr:
    types, value = node.children[0], node.children[-1]
    return _cast(low, node, value, low.line(types.start_byte + 1, types.end_byte - 1), depth)


def _cast(low: Lowering, node: Node, value: Node, type_text: str, depth: int) -> tree.Expr:
    if type_text in VANISHING:
        return low.expr(value, depth + 1)
    return tree.Typed(low.expr(value, depth + 1), type_text, node.start_byte, node.end_byte)


def _instantiation(low: Lowering, node: Node, depth: int) -> tree.Expr:
    inner = low.expr(node.children[0], depth + 1)
    if isinstance(inner, tree.Typed) and inner.end == node.children[0].end_byte:
        # The grammar takes the arguments of the type in `row.key as import("./types").Id<"rows">` for those of the value.
        return tree.Typed(inner.value, inner.type + low.line(inner.end, node.end_byte), node.start_byte, node.end_byte)
    return inner


def _array(low: Lowering, node: Node, depth: int) -> tree.Expr:
    items: list[tree.Expr] = []
    filled = True
    comments = low.grammar.comments
    for child in node.children[1:]:
        if child.is_named:
            kind = child.kind_id
            if kind == ERROR:
                items += scraps(low, child, depth + 1)
            elif kind not in comments:
                items.append(low.expr(child, depth + 1))
                filled = True
        elif child.type == ",":
            if not filled:
                items.append(tree.Literal(tree.UNDEFINED, child.start_byte, child.start_byte))
            filled = False
    return tree.Array(items, node.start_byte, node.end_byte)


def _object(low: Lowering, node: Node, depth: int) -> tree.Expr:
    entries: list[tuple[str | tree.Expr | None, tree.Expr]] = []
    depth += 1
    fields = low.fields
    for child in node.named_children:
        kind = child.type
        if kind == "pair":
            key, value = child.child_by_field_id(fields.key), child.child_by_field_id(fields.value)
            if key is not None and value is not None:
                entries.append((property_key(low, key, depth), low.expr(value, depth)))
        elif kind == "shorthand_property_identifier":
            name = tree.Name(low.of(child), child.start_byte, child.end_byte)
            entries.append((name.id, name))
        elif kind == "spread_element":
            entries.append((None, low.inside(child, depth)))
        elif kind == "method_definition":
            key = child.child_by_field_id(low.fields.name)
            entries.append(("" if key is None else property_key(low, key, depth), method(low, child, depth)))
        elif kind == "ERROR":
            entries.append((None, opaque(low, child, depth)))
    return tree.Record(entries, node.start_byte, node.end_byte)


def property_key(low: Lowering, node: Node, depth: int) -> str | tree.Expr:
    """The name of a property: text, or an expression where it is computed."""
    if node.type == "computed_property_name":
        inner = low.inner(node)
        if inner is not None and inner.type != "string":
            return low.expr(inner, depth)
    return key_text(low, node)


def _element(low: Lowering, node: Node, depth: int) -> tree.Expr:
    opening = node.child_by_field_name("open_tag")
    element = tree.Element(None, [], [], node.start_byte, node.end_byte)
    if opening is not None:
        _open(low, opening, element, depth + 1)
    for child in node.named_children:
        kind = child.type
        if kind == "jsx_expression":
            inner = low.inner(child)
            if inner is not None:
                element.children.append(low.expr(inner, depth + 1))
        elif kind in ("jsx_element", "jsx_self_closing_element"):
            element.children.append(low.expr(child, depth + 1))
        elif kind == "ERROR":
            element.children += scraps(low, child, depth + 1)
    return element


def _empty_element(low: Lowering, node: Node, depth: int) -> tree.Expr:
    element = tree.Element(None, [], [], node.start_byte, node.end_byte)
    _open(low, node, element, depth + 1)
    return element


def _open(low: Lowering, node: Node, element: tree.Element, depth: int) -> None:
    """The tag and the attributes of an element."""
    tag = node.child_by_field_id(low.fields.name)
    if tag is not None:
        element.tag = low.expr(tag, depth)
    for child in node.named_children:
        kind = child.type
        if kind == "jsx_attribute":
            name, value = child.children[0], child.children[-1]
            element.attributes.append((low.of(name), _attribute(low, value, depth)))
        elif kind == "jsx_expression":
            inner = low.inner(child)
            if inner is not None:
                element.attributes.append((None, low.inside(inner, depth) if inner.type == "spread_element" else low.expr(inner, depth)))


def _attribute(low: Lowering, value: Node, depth: int) -> tree.Expr:
    kind = value.type
    if kind in ("property_identifier", "jsx_namespace_name"):
        return tree.Literal(True, value.start_byte, value.end_byte)
    if kind == "string":
        # Backslashes mean nothing here.
        return tree.Literal(low.text(value.start_byte + 1, value.end_byte - 1), value.start_byte, value.end_byte)
    return low.inside(value, depth) if kind == "jsx_expression" else low.expr(value, depth)


READERS: dict[str, ReadExpr] = {
    "await_expression": _await,
    "yield_expression": _yield,
    "spread_element": _spread,
    "sequence_expression": _sequence,
    "ternary_expression": _ternary,
    "unary_expression": _unary,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _assignment,
    "update_expression": _update,
    "as_expression": _as,
    "satisfies_expression": _as,
    "type_assertion": _assertion,
    "instantiation_expression": _instantiation,
    "array": _array,
    "object": _object,
    "jsx_element": _element,
    "jsx_self_closing_element": _empty_element,
}
