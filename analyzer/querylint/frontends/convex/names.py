"""What a name that is defined at the top of a module stands for: a function, a class, a wrapper, a reference, a constant."""

from __future__ import annotations

from querylint.frontends.convex import makers
from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.convex.naming import from_constant, kind_of_callee
from querylint.frontends.convex.registration import registration
from querylint.frontends.flow.values import ClassRef, Closure, External, Marker, Space, Val
from querylint.frontends.modules import UNKNOWN, Definition
from querylint.syntax import tree


def defined(context: ModuleContext, definition: Definition) -> Val | None:
    """The value of a definition."""
    if definition.external is not None:
        source, imported = definition.external
        if source.endswith("_generated/api") and imported in ("api", "internal", "components"):
            return Val(shape=Marker("ref", (imported,)))
        return Val(shape=External(source, imported))
    if definition.namespace:
        return Val(shape=Space(definition.path))
    node = definition.node
    where = (definition.path, definition.name)
    if isinstance(node, tree.FnDef):
        return Val(shape=Closure(node.fn, None, definition.path, definition.name))
    if isinstance(node, tree.Fn):
        return Val(shape=Closure(node, None, definition.path, definition.name))
    if isinstance(node, tree.ClassDef):
        return Val(shape=ClassRef(*where))
    while isinstance(node, tree.Typed):
        node = node.value
    if isinstance(node, tree.Call):
        if isinstance(node.func, tree.Name) and node.new:
            made = context.modules.definition(definition.path, node.func.id)
            if made is not None and isinstance(made.node, tree.ClassDef):
                return Val(shape=ClassRef(made.path, made.name, instance=True))
        named = _reference(node)
        if named is not None:
            return named
        if context.kind_of(*where) is not None:
            return Val(shape=Marker("registrar", where))
        inner = registration(node, lambda e: kind_of_callee(context, definition.path, e))
        if inner is not None:
            return Val(shape=Marker("function", where))
        return makers.of_constant(context, definition, node) or Val(shape=Marker("made", where))
    if isinstance(node, tree.Record) and any(isinstance(v, tree.Fn) for _, v in node.entries):
        return Val(shape=Marker("object", where))
    if node is None or isinstance(node, tree.FnDef):
        return None
    if isinstance(node, tree.Name | tree.Member):
        reference = _alias(context, definition.path, node)
        if reference is not None:
            return reference
    constant = context.modules.constant(definition.path, node)
    if constant is UNKNOWN or (definition.mutable and isinstance(constant, bool)):
        return None
    return from_constant(constant)


def _reference(node: tree.Call) -> Val | None:
    """`makeFunctionReference("folder/module:name")`."""
    if not isinstance(node.func, tree.Name) or node.func.id != "makeFunctionReference" or not node.args:
        return None
    first = node.args[0]
    text = first.value if isinstance(first, tree.Literal) else None
    if not isinstance(text, str) or ":" not in text:
        return None
    module, _, name = text.partition(":")
    return Val(shape=Marker("ref", ("internal", *module.removesuffix(".js").split("/"), name)))


def _alias(context: ModuleContext, path: str, node: tree.Name | tree.Member) -> Val | None:
    """`const workflow = components.workflow`, `const refs = internal as any`: another name for a reference."""
    parts: list[str] = []
    base: tree.Expr = node
    while isinstance(base, tree.Member):
        parts.append(base.name)
        base = base.base
    if not isinstance(base, tree.Name):
        return None
    root = context.modules.definition(path, base.id)
    if root is None or root.external is None or not root.external[0].endswith("_generated/api"):
        return None
    return Val(shape=Marker("ref", (root.external[1], *reversed(parts))))
