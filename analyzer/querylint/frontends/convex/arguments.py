"""Argument validators as types of values: `v.id("posts")` says which table an argument's id is of."""

from __future__ import annotations

from querylint.frontends.flow.values import Many, Record, Val
from querylint.frontends.modules import Modules
from querylint.ir import ITEM
from querylint.syntax import tree

DEPTH = 6


def argument_types(modules: Modules, path: str, args: tree.Expr, value: Val) -> Val:
    """The arguments of a registered function with what their validators say."""
    return _typed(modules, path, args, value, 0)


def _typed(modules: Modules, path: str, node: tree.Expr, value: Val, depth: int) -> Val:
    if depth > DEPTH:
        return value
    while isinstance(node, tree.Typed):
        node = node.value
    if isinstance(node, tree.Name):
        definition = modules.definition(path, node.id)
        if definition is None or definition.node is None or isinstance(definition.node, tree.FnDef | tree.ClassDef):
            return value
        return _typed(modules, definition.path, definition.node, value, depth + 1)
    if isinstance(node, tree.Record):
        return _object(modules, path, node, value, depth)
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Member):
        return _validator(modules, path, node, node.func, value, depth)
    return value


def _object(modules: Modules, path: str, node: tree.Record, value: Val, depth: int) -> Val:
    fields: dict[str, Val] = {}
    for key, inner in node.entries:
        if key is None:
            spread = _typed(modules, path, inner.value if isinstance(inner, tree.Spread) else inner, value, depth + 1)
            if isinstance(spread.shape, Record):
                fields.update(spread.shape.fields)
        elif isinstance(key, str):
            part = Val(tuple(o.at(key) for o in value.origins), value.deps)
            made = _typed(modules, path, inner, part, depth + 1)
            if made is not part:
                fields[key] = made
    if not fields:
        return value
    size = len(node.entries) if all(isinstance(key, str) for key, _ in node.entries) else None
    return Val(value.origins, value.deps, shape=Record(fields, (Val(value.origins, value.deps),), size))


def _validator(modules: Modules, path: str, node: tree.Call, func: tree.Member, value: Val, depth: int) -> Val:
    name = func.name
    if name == "id" and node.args:
        table = node.args[0]
        if isinstance(table, tree.Literal) and isinstance(table.value, str):
            return Val(value.origins, value.deps, id_of=table.value)
    elif name == "optional" and not node.args:
        return _typed(modules, path, func.base, value, depth + 1)
    elif name in ("optional", "nullable") and node.args:
        return _typed(modules, path, node.args[0], value, depth + 1)
    elif name == "array" and node.args:
        item = Val(tuple(o.at(ITEM) for o in value.origins), value.deps)
        return Val(value.origins, value.deps, shape=Many(_typed(modules, path, node.args[0], item, depth + 1)))
    elif name == "object" and node.args:
        return _typed(modules, path, node.args[0], value, depth + 1)
    elif name == "union":
        for arg in node.args:
            made = _typed(modules, path, arg, value, depth + 1)
            if made is not value:
                return made
    return value
