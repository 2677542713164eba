"""What stands at the top of a file: imports, exports, enums, namespaces, types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.syntax import tree
from querylint.syntax.typescript.expressions import property_key
from querylint.syntax.typescript.literals import string_value
from querylint.syntax.typescript.lowering import DEEPEST, Lowering, ReadStmt

if TYPE_CHECKING:
    from tree_sitter import Node


def _program(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    lowered: list[tree.Stmt] = []
    for child in node.named_children:
        low.stmt(child, 0, lowered)
    for statement in lowered:
        if not (isinstance(statement, tree.Let) and _required(low, statement)) and not _common_export(low, statement, found):
            found.append(statement)


def _import(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    clause = source = None
    type_only = False
    for child in node.children:
        kind = child.type
        if kind == "import_clause":
            clause = child
        elif kind == "string":
            source = child
        elif kind == "type":
            type_only = True
        elif kind == "import_require_clause":
            name, target = child.children[0], child.child_by_field_name("source")
            if target is not None:
                low.imports.append(tree.Import(low.of(name), _text(low, target), "*", name.start_byte, type_only))
    if clause is None or source is None:
        return
    path = _text(low, source)
    for child in clause.named_children:
        kind = child.type
        if kind == "identifier":
            low.imports.append(tree.Import(low.of(child), path, "default", child.start_byte, type_only))
        elif kind == "namespace_import":
            name = child.children[-1]
            low.imports.append(tree.Import(low.of(name), path, "*", name.start_byte, type_only))
        elif kind == "named_imports":
            for specifier in child.named_children:
                if specifier.type == "import_specifier":
                    title, local = _specified(low, specifier)
                    only = type_only or specifier.children[0].type in ("type", "typeof")
                    low.imports.append(tree.Import(local, path, title, specifier.start_byte, only))


def _text(low: Lowering, node: Node) -> str:
    return string_value(low, node.start_byte, node.end_byte)


def _specified(low: Lowering, node: Node) -> tuple[str, str]:
    """`a as b`: both names, or the one name twice."""
    name, alias = node.child_by_field_id(low.fields.name), node.child_by_field_name("alias")
    first = _title(low, name)
    return first, first if alias is None else _title(low, alias)


def _title(low: Lowering, node: Node | None) -> str:
    if node is None:
        return ""
    return _text(low, node) if node.type == "string" else low.of(node)


def _import_alias(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    """`import A = B.C`."""
    name, target = node.named_children[0], node.named_children[-1]
    local = tree.NamePattern(low.of(name), name.start_byte, name.end_byte)
    found.append(tree.Let(local, low.expr(target, depth + 1), node.start_byte, node.end_byte))


def _export(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    at = node.start_byte
    source = node.child_by_field_name("source")
    path = None if source is None else _text(low, source)
    declaration, value = node.child_by_field_name("declaration"), node.child_by_field_id(low.fields.value)
    default = equals = None
    decorators: list[tree.Expr] = []
    for child in node.children:
        kind = child.type
        if kind == "default":
            default = child
        elif kind == "=":
            equals = child
        elif kind == "*" and path is not None:
            low.exports.append(tree.Export("*", "*", path, at))
        elif kind == "namespace_export":
            low.exports.append(tree.Export(low.of(child.children[-1]), "*", path, at))
        elif kind == "export_clause":
            for specifier in child.named_children:
                if specifier.type == "export_specifier":
                    local, title = _specified(low, specifier)
                    low.exports.append(tree.Export(title, local, path, specifier.start_byte))
        elif kind == "decorator":
            decorators.append(low.inside(child, depth + 1))
        elif equals is not None and value is None and child.is_named:
            value, default = child, equals
    if declaration is not None:
        _export_declaration(low, declaration, default is not None, decorators, depth, found)
    elif value is not None and default is not None:
        target = tree.NamePattern("default", default.start_byte, default.end_byte)
        found.append(tree.Let(target, low.expr(value, depth + 1), at, node.end_byte))
        low.exports.append(tree.Export("default", "default", None, at))


def _export_declaration(low: Lowering, node: Node, default: bool, decorators: list[tree.Expr], depth: int, found: list[tree.Stmt]) -> None:
    begin = len(found)
    low.stmt(node, depth, found)
    names = [name for statement in found[begin:] for name in _bound(statement)]
    if node.type in ("interface_declaration", "type_alias_declaration"):
        title = node.child_by_field_id(low.fields.name)
        names += [] if title is None else [low.of(title)]
    if decorators and len(found) > begin and isinstance(found[-1], tree.ClassDef):
        found[-1].decorators[:0] = decorators
    for name in names:
        low.exports.append(tree.Export("default" if default else name, name, None, node.start_byte))


def _bound(statement: tree.Stmt) -> list[str]:
    """The names that a declaration binds."""
    if isinstance(statement, tree.FnDef):
        return [statement.fn.name]
    if isinstance(statement, tree.ClassDef):
        return [statement.name]
    return _names(statement.pattern) if isinstance(statement, tree.Let) else []


def _names(target: tree.Pattern | None) -> list[str]:
    if isinstance(target, tree.NamePattern):
        return [target.id]
    if isinstance(target, tree.RecordPattern):
        rest = [] if target.rest is None else [target.rest]
        return [name for _, part, _ in target.fields for name in _names(part)] + rest
    if isinstance(target, tree.ArrayPattern):
        return [name for item in target.items if item is not None for name in _names(item[0])] + _names(target.rest)
    return []


def _required(low: Lowering, statement: tree.Let) -> bool:
    """`const x = require("y")` is an import, and so are its parts where it is taken apart at once."""
    target, value = statement.pattern, statement.value
    name = "*"
    if isinstance(value, tree.Member):
        name, value = value.name, value.base
    source = _required_path(value)
    if source is None:
        return False
    if isinstance(target, tree.NamePattern):
        low.imports.append(tree.Import(target.id, source, name, target.at))
        return True
    if not isinstance(target, tree.RecordPattern) or name != "*" or target.rest is not None:
        return False
    parts = [(field, part) for field, part, default in target.fields if isinstance(part, tree.NamePattern) and default is None]
    if len(parts) < len(target.fields):
        return False
    low.imports += [tree.Import(part.id, source, field, part.at) for field, part in parts]
    return True


def _required_path(value: tree.Expr | None) -> str | None:
    if isinstance(value, tree.Call) and isinstance(value.func, tree.Name) and value.func.id == "require" and len(value.args) == 1:
        path = value.args[0]
        if isinstance(path, tree.Literal) and isinstance(path.value, str):
            return path.value
    return None


def _common_export(low: Lowering, statement: tree.Stmt, found: list[tree.Stmt]) -> bool:
    """`module.exports = ..` and `exports.x = ..` as exports; what is no name yet gets one, `exports.x`."""
    if not isinstance(statement, tree.Do) or not isinstance(statement.value, tree.Assign) or statement.value.sign != "=":
        return False
    target, value = statement.value.target, statement.value.value
    if not isinstance(target, tree.Member):
        return False
    if _is_exports(target.base):
        _bind(low, target.name, value, target.name_at, found)
        return True
    if not _is_exports(target):
        return False
    if not isinstance(value, tree.Record):
        _bind(low, "default", value, target.name_at, found)
        return True
    for key, part in value.entries:
        if isinstance(key, str):
            _bind(low, key, part, part.at, found)
        elif key is None and (source := _required_path(part)) is not None:
            low.exports.append(tree.Export("*", "*", source, part.at))
        else:
            found.append(tree.Do(part, part.at, part.end))
    return True


def _is_exports(value: tree.Expr | tree.Pattern) -> bool:
    if isinstance(value, tree.Member):
        return value.name == "exports" and isinstance(value.base, tree.Name) and value.base.id == "module"
    return isinstance(value, tree.Name) and value.id == "exports"


def _bind(low: Lowering, name: str, value: tree.Expr, at: int, found: list[tree.Stmt]) -> None:
    if isinstance(value, tree.Name) and name != "default":
        low.exports.append(tree.Export(name, value.id, None, at))
        return
    local = "default" if name == "default" else f"exports.{name}"
    low.exports.append(tree.Export(name, local, None, at))
    found.append(tree.Let(tree.NamePattern(local, at, at), value, value.at, value.end))


def _enum(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    """An enum is a record of its values; a member without one counts on from the member before."""
    name, body = node.child_by_field_id(low.fields.name), node.child_by_field_id(low.fields.body)
    if name is None or body is None:
        return
    record = tree.Record([], body.start_byte, body.end_byte)
    following: int | float | None = 0
    for child in body.named_children:
        value: tree.Expr
        key: Node | None = child
        if child.type == "enum_assignment":
            key, written = child.child_by_field_id(low.fields.name), child.child_by_field_id(low.fields.value)
            value = tree.Opaque([], child.start_byte, child.end_byte) if written is None else low.expr(written, depth + 1)
            number = value.value if isinstance(value, tree.Literal) else None
            following = number + 1 if isinstance(number, int | float) else None
        elif child.type in ("property_identifier", "string"):
            at, end = child.start_byte, child.end_byte
            value = tree.Opaque([], at, end) if following is None else tree.Literal(following, at, end)
            following = None if following is None else following + 1
        else:
            continue
        if key is not None:
            record.entries.append((property_key(low, key, depth + 1), value))
    found.append(tree.Let(tree.NamePattern(low.of(name), name.start_byte, name.end_byte), record, node.start_byte, node.end_byte))


def _namespace(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    """A namespace is a record of what it exports."""
    name, body = node.child_by_field_id(low.fields.name), node.child_by_field_id(low.fields.body)
    if name is None or body is None or name.type == "string":
        return
    imports, exports = low.imports, low.exports
    low.imports, low.exports = [], []
    statements = low.body(body, depth + 1)
    exported = {export.local: export.name for export in low.exports if export.source is None}
    low.imports, low.exports = imports, exports
    record = tree.Record([], body.start_byte, body.end_byte)
    for statement in statements:
        for local in _bound(statement):
            value = _bound_value(statement)
            if local in exported and value is not None:
                record.entries.append((exported[local], value))
    first, *inner = low.of(name).split(".")
    for part in reversed(inner[:DEEPEST]):
        record = tree.Record([(part, record)], body.start_byte, body.end_byte)
    at = name.start_byte
    found.append(tree.Let(tree.NamePattern(first, at, at + len(first.encode())), record, node.start_byte, node.end_byte))


def _bound_value(statement: tree.Stmt) -> tree.Expr | None:
    if isinstance(statement, tree.FnDef):
        return statement.fn
    if isinstance(statement, tree.ClassDef):
        return statement
    return statement.value if isinstance(statement, tree.Let) and isinstance(statement.pattern, tree.NamePattern) else None


def _type(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    """An alias is its right-hand side; an interface that extends others is an intersection with them."""
    name = node.child_by_field_id(low.fields.name)
    value = node.child_by_field_id(low.fields.value) or node.child_by_field_id(low.fields.body)
    if name is None or value is None:
        return
    parts = [value]
    for child in node.named_children:
        if child.type == "extends_type_clause":
            parts = [*(base for base in child.children_by_field_name("type")), value]
    text = " & ".join(low.line(part.start_byte, part.end_byte) for part in parts)
    if depth == 0:
        low.types[low.of(name)] = text
    else:
        low.types.setdefault(low.of(name), text)


def _ambient(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    """`declare` says what exists elsewhere: of that, only types are kept."""
    for child in node.named_children:
        if child.type in ("interface_declaration", "type_alias_declaration"):
            _type(low, child, depth, found)


READERS: dict[str, ReadStmt] = {
    "program": _program,
    "import_statement": _import,
    "import_alias": _import_alias,
    "export_statement": _export,
    "enum_declaration": _enum,
    "internal_module": _namespace,
    "module": _namespace,
    "interface_declaration": _type,
    "type_alias_declaration": _type,
    "ambient_declaration": _ambient,
}
