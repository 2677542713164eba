"""What opens a scope, and what binds names in it: functions, their parameters, patterns, classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.syntax import tree
from querylint.syntax.typescript.literals import number_value, string_value
from querylint.syntax.typescript.lowering import DEEPEST, ERROR, Lowering, ReadExpr, ReadStmt

if TYPE_CHECKING:
    from tree_sitter import Node

NAMES = frozenset(("identifier", "shorthand_property_identifier_pattern", "undefined"))
WRAPPERS = frozenset(("non_null_expression", "parenthesized_expression", "as_expression", "satisfies_expression"))
FIELD_MODIFIERS = frozenset(("accessibility_modifier", "override_modifier", "readonly"))


def _arrow(low: Lowering, node: Node, depth: int) -> tree.Expr:
    depth += 1
    at, end = node.start_byte, node.end_byte
    name = node.child_by_field_name("parameter")
    parameters = node.child_by_field_id(low.fields.parameters)
    body = node.child_by_field_id(low.fields.body)
    first = node.child(0)
    statements: list[tree.Stmt]
    if body is None or body.kind_id == low.grammar.block:
        statements = low.body(body, depth)
    else:
        value = low.expr(body, depth)
        statements = [tree.Return(value, body.start_byte, body.end_byte, True)]
    return tree.Fn(
        "",
        [tree.Param(pattern(low, name, depth))] if name is not None else _params(low, parameters, depth),
        statements,
        at,
        end,
        is_async=first is not None and first.type == "async",
        returns=low.annotation(node.child_by_field_id(low.fields.return_type)),
    )


def _function(low: Lowering, node: Node, depth: int) -> tree.Fn:
    """`function`, with or without a name, async or not, a generator or not."""
    depth += 1
    name = node.child_by_field_id(low.fields.name)
    first = node.child(0)
    return tree.Fn(
        "" if name is None else low.of(name),
        _params(low, node.child_by_field_id(low.fields.parameters), depth),
        low.body(node.child_by_field_id(low.fields.body), depth),
        node.start_byte,
        node.end_byte,
        is_async=first is not None and first.type == "async",
        generator=node.type.startswith("generator"),
        returns=low.annotation(node.child_by_field_id(low.fields.return_type)),
    )


def method(low: Lowering, node: Node, depth: int) -> tree.Fn:
    """A method of a class or of a record."""
    depth += 1
    name = node.child_by_field_id(low.fields.name)
    words: set[str] = set()
    for child in node.children:
        if child == name:
            break
        words.add(child.type)
    title = "" if name is None else key_text(low, name)
    fn = tree.Fn(
        title,
        _params(low, node.child_by_field_id(low.fields.parameters), depth),
        low.body(node.child_by_field_id(low.fields.body), depth),
        node.start_byte,
        node.end_byte,
        is_async="async" in words,
        generator="*" in words,
        returns=low.annotation(node.child_by_field_id(low.fields.return_type)),
        static="static" in words,
    )
    fn.kind = "get" if "get" in words else "set" if "set" in words else ""
    return fn


def key_text(low: Lowering, node: Node) -> str:
    """The name of a property as text; a computed one keeps its brackets."""
    kind = node.type
    if kind == "string":
        return string_value(low, node.start_byte, node.end_byte)
    if kind == "number":
        return str(number_value(low.of(node)))
    if kind == "computed_property_name":
        inner = low.inner(node)
        if inner is not None and inner.type == "string":
            return string_value(low, inner.start_byte, inner.end_byte)
    return low.of(node)


def _params(low: Lowering, node: Node | None, depth: int) -> list[tree.Param]:
    found: list[tree.Param] = []
    if node is None:
        return found
    for child in node.named_children:
        kind = child.type
        if kind not in ("required_parameter", "optional_parameter"):
            continue
        target = child.child_by_field_id(low.fields.pattern)
        if target is None or target.type == "this":
            continue
        rest = target.type == "rest_pattern"
        inner = low.inner(target) if rest else target
        if inner is None:
            continue
        bound = pattern(low, inner, depth)
        type_text = low.annotation(child.child_by_field_id(low.fields.type))
        annotate(bound, type_text)
        value = child.child_by_field_id(low.fields.value)
        default = None if value is None else low.expr(value, depth)
        found.append(tree.Param(bound, type_text, default, rest, kind == "optional_parameter"))
    return found


def pattern(low: Lowering, node: Node, depth: int) -> tree.Pattern:
    """What a value is bound or assigned to."""
    kind = node.type
    while kind in WRAPPERS:
        inner = low.inner(node)
        if inner is None:
            break
        node, kind = inner, inner.type
    at = node.start_byte
    if kind in NAMES:
        return tree.NamePattern(low.of(node), at, node.end_byte)
    if depth > DEEPEST:
        return tree.NamePattern("", at, at)
    if kind == "object_pattern":
        return _record_pattern(low, node, depth)
    if kind == "array_pattern":
        return _array_pattern(low, node, depth)
    target = low.expr(node, depth)
    return target if isinstance(target, tree.Member | tree.Index) else tree.NamePattern("", at, at)


def annotate(target: tree.Pattern, type_text: str) -> None:
    """Give a pattern the type that is written after it."""
    if not isinstance(target, tree.Member | tree.Index):
        target.type = type_text


def _record_pattern(low: Lowering, node: Node, depth: int) -> tree.Pattern:
    found = tree.RecordPattern([], None, node.start_byte, node.end_byte)
    depth += 1
    for child in node.named_children:
        kind = child.type
        if kind == "shorthand_property_identifier_pattern":
            name = low.of(child)
            found.fields.append((name, tree.NamePattern(name, child.start_byte, child.end_byte), None))
        elif kind == "object_assignment_pattern":
            target, default = _with_default(low, child, depth)
            found.fields.append((target.id if isinstance(target, tree.NamePattern) else "", target, default))
        elif kind == "pair_pattern":
            key, value = child.child_by_field_id(low.fields.key), child.child_by_field_id(low.fields.value)
            if key is None or value is None:
                continue
            if value.type == "assignment_pattern":
                target, default = _with_default(low, value, depth)
            else:
                target, default = pattern(low, value, depth), None
            found.fields.append((key_text(low, key), target, default))
        elif kind == "rest_pattern":
            inner = low.inner(child)
            found.rest = None if inner is None else low.of(inner)
    return found


def _with_default(low: Lowering, node: Node, depth: int) -> tuple[tree.Pattern, tree.Expr | None]:
    left, right = node.child_by_field_id(low.fields.left), node.child_by_field_id(low.fields.right)
    target = tree.NamePattern("", node.start_byte, node.start_byte) if left is None else pattern(low, left, depth)
    return target, None if right is None else low.expr(right, depth)


def _array_pattern(low: Lowering, node: Node, depth: int) -> tree.Pattern:
    found = tree.ArrayPattern([], None, node.start_byte, node.end_byte)
    depth += 1
    filled = True
    comments = low.grammar.comments
    for child in node.children[1:]:
        kind = child.type
        if kind == ",":
            if not filled:
                found.items.append(None)
            filled = False
        elif kind == "rest_pattern":
            inner = low.inner(child)
            found.rest = None if inner is None else pattern(low, inner, depth)
        elif kind == "assignment_pattern":
            found.items.append(_with_default(low, child, depth))
            filled = True
        elif child.is_named and child.kind_id != ERROR and child.kind_id not in comments:
            found.items.append((pattern(low, child, depth), None))
            filled = True
    return found


def _class(low: Lowering, node: Node, depth: int) -> tree.ClassDef:
    found = tree.ClassDef("", None, [], [], node.start_byte, node.end_byte)
    depth += 1
    for child in node.named_children:
        kind = child.type
        if kind == "decorator":
            found.decorators.append(low.inside(child, depth))
        elif kind == "class_heritage":
            found.base = _base(low, child, depth)
        elif kind == "class_body":
            _members(low, child, found, depth)
        elif kind in ("type_identifier", "identifier"):
            found.name = low.of(child)
    return found


def _base(low: Lowering, node: Node, depth: int) -> tree.Expr | None:
    for child in node.named_children:
        if child.type == "extends_clause":
            value = child.child_by_field_id(low.fields.value)
            return None if value is None else low.expr(value, depth)
    return None


def _members(low: Lowering, node: Node, found: tree.ClassDef, depth: int) -> None:
    decorators: list[tree.Expr] = []
    for child in node.named_children:
        kind = child.type
        if kind == "decorator":
            decorators.append(low.inside(child, depth))
        elif kind == "method_definition":
            fn = method(low, child, depth)
            if fn.name == "constructor" and not fn.static:
                fn.kind = "constructor"
                found.fields += _parameter_fields(low, child)
            fn.decorators, decorators = decorators, []
            found.methods.append(fn)
        elif kind == "public_field_definition":
            name, value = child.child_by_field_id(low.fields.name), child.child_by_field_id(low.fields.value)
            if name is not None:
                type_text = low.annotation(child.child_by_field_id(low.fields.type))
                found.fields.append((key_text(low, name), type_text, None if value is None else low.expr(value, depth)))
            decorators = []
        elif kind == "class_static_block":
            body = low.body(child.child_by_field_id(low.fields.body), depth)
            found.methods.append(tree.Fn("", [], body, child.start_byte, child.end_byte, static=True))
        elif kind == "ERROR":
            for part in child.named_children:
                if part.type == "method_definition":
                    found.methods.append(method(low, part, depth))


def _parameter_fields(low: Lowering, node: Node) -> list[tuple[str, str, tree.Expr | None]]:
    """`constructor(private ctx: Ctx)` declares a field."""
    parameters = node.child_by_field_id(low.fields.parameters)
    found: list[tuple[str, str, tree.Expr | None]] = []
    for child in parameters.named_children if parameters is not None else []:
        name = child.child_by_field_id(low.fields.pattern)
        if name is not None and any(word.type in FIELD_MODIFIERS for word in child.children):
            found.append((low.of(name), low.annotation(child.child_by_field_id(low.fields.type)), None))
    return found


def _function_statement(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    found.append(tree.FnDef(_function(low, node, depth + 1), node.start_byte, node.end_byte))


def _class_statement(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    found.append(_class(low, node, depth))


EXPRESSIONS: dict[str, ReadExpr] = {
    "arrow_function": _arrow,
    "function_expression": _function,
    "generator_function": _function,
    "class": _class,
}
STATEMENTS: dict[str, ReadStmt] = {
    "function_declaration": _function_statement,
    "generator_function_declaration": _function_statement,
    "class_declaration": _class_statement,
    "abstract_class_declaration": _class_statement,
}
