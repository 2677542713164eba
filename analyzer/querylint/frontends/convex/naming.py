"""Names of a module as values: constants, and what a name registers."""

from __future__ import annotations

from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.convex.registration import of_package
from querylint.frontends.flow.values import (
    NOTHING,
    Record,
    Val,
    literal,
    many,
)
from querylint.syntax import tree


def from_constant(value: object) -> Val | None:
    """A constant of the module as a value."""
    if isinstance(value, str | int | float | bool) or value is None or value is tree.UNDEFINED:
        return literal(value)
    if isinstance(value, list | tuple):
        return many(tuple(from_constant(v) or NOTHING for v in value))
    if isinstance(value, dict):
        return Val(shape=Record({str(k): from_constant(v) or NOTHING for k, v in value.items()}))
    return None


def kind_of_callee(context: ModuleContext, path: str, node: tree.Expr) -> tuple[str, bool, str | None] | None:
    """What a registering function registers: kind, whether clients may call it, the wrapper that runs before it."""
    if isinstance(node, tree.Name):
        return context.kind_of(path, node.id)
    if isinstance(node, tree.Member) and isinstance(node.base, tree.Name):
        definition = context.modules.definition(path, node.base.id)
        if definition is not None:
            return context.kind_of(definition.path, node.name) if definition.namespace else of_package(definition, node.name)
    return None
