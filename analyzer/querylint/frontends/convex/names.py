"""What a name that is defined at the top of a module stands for: a function, a class, a wrapper, a reference, a constant."""

from __future__ import annotations

from querylint.construction import dataclass
from querylint.frontends.convex import makers
from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.convex.naming import from_constant, kind_of_callee
from querylint.frontends.convex.registration import registration
from querylint.frontends.flow.values import NOTHING, ClassRef, Closure, External, Many, Marker, Record, Space, Val, join_all, many
from querylint.frontends.modules import UNKNOWN, Definition
from querylint.frontends.modules.names import entry
from querylint.syntax import tree

DEEPEST = 4
"""How deep a function may lie in an object at the top of a module."""
MOST_ENTRIES = 2_000
"""How many entries of objects that hold one another are looked at for functions."""


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
        named = named_reference(node)
        if named is not None:
            return named
        if context.kind_of(*where) is not None:
            return Val(shape=Marker("registrar", where))
        inner = registration(node, lambda e: kind_of_callee(context, definition.path, e))
        if inner is not None:
            return Val(shape=Marker("function", where))
        return makers.of_constant(context, definition, node) or Val(shape=Marker("made", where))
    held = _holding(context, definition.path, definition.name, node, _Room()) if isinstance(node, tree.Record | tree.Array) else None
    if held is not None:
        return held
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


@dataclass(slots=True)
class _Room:
    """How much more of objects that hold one another is looked at."""

    left: int = MOST_ENTRIES


def _holding(context: ModuleContext, path: str, name: str, node: tree.Record | tree.Array, room: _Room, depth: int = 0) -> Val | None:
    """An object or a list that holds functions, classes, or references to functions; None for one that holds none."""
    entries: list[tuple[str | tree.Expr | None, tree.Expr]] = (
        node.entries if isinstance(node, tree.Record) else [(None if isinstance(item, tree.Spread) else item, item) for item in node.items]
    )
    room.left -= len(entries)
    if room.left < 0:
        return None
    written = [inner.value if isinstance(inner, tree.Spread) else inner for _, inner in entries]
    named = [f"{name}.{key}" if name and isinstance(key, str) else "" for key, _ in entries]
    held = [_held(context, path, own, inner, room, depth) for own, inner in zip(named, written, strict=True)]
    if not any(held):
        return None
    fields: dict[str, Val] = {}
    rest: list[Val] = []
    exact = True
    for (key, _), inner, known in zip(entries, written, held, strict=True):
        value = known or _constant(context, path, inner) or NOTHING
        if isinstance(key, str):
            fields[key] = value
        elif isinstance(node, tree.Array) and key is None and isinstance(value.shape, Many):
            exact = exact and value.shape.items is not None
            rest.extend(value.shape.items or (value.shape.item,))
        elif key is None and isinstance(value.shape, Record):
            fields.update(value.shape.fields)
            rest.extend(value.shape.rest)
        else:
            exact = exact and key is not None
            rest.append(value if isinstance(node, tree.Array) else Val(shape=Many(value, None, True)))
    if isinstance(node, tree.Array):
        return many(tuple(rest)) if exact else Val(shape=Many(join_all(rest)))
    return Val(shape=Record(fields, tuple(rest)))


def _held(context: ModuleContext, path: str, name: str, node: tree.Expr, room: _Room, depth: int) -> Val | None:
    """A function or a class, or an object of some, in an object at the top of a module; what is written there goes by the object's name."""
    while isinstance(node, tree.Typed):
        node = node.value
    if isinstance(node, tree.Fn) or (isinstance(node, tree.Call) and _wraps(context, path, node)):
        return Val(shape=Marker("function", (path, name))) if name else None
    if isinstance(node, tree.Record | tree.Array):
        return _holding(context, path, name, node, room, depth + 1) if depth < DEEPEST else None
    if not isinstance(node, tree.Name | tree.Member):
        return None
    reference = _alias(context, path, node)
    if reference is not None:
        return reference
    found = context.modules.refers(path, node)
    if found is None or depth >= DEEPEST or not isinstance(found.node, tree.FnDef | tree.Fn | tree.ClassDef | tree.Record | tree.Array):
        return None
    home, inside, written = _in_objects(context, path, node)
    if isinstance(written, tree.Fn | tree.Record | tree.Array):  # it goes by the name of what it stands in
        return _held(context, home, inside, written, room, depth + 1)
    if isinstance(found.node, tree.Record | tree.Array):
        return _holding(context, found.path, found.name, found.node, room, depth + 1)
    return defined(context, found)


def _in_objects(context: ModuleContext, path: str, node: tree.Name | tree.Member) -> tuple[str, str, object]:
    """What stands under `outer.inner.name` in an object at the top of a module: that module, the name there, and the expression."""
    names: list[str] = []
    base: tree.Expr = node
    while isinstance(base, tree.Member):
        names.insert(0, base.name)
        base = base.base
    holder = context.modules.definition(path, base.id) if names and isinstance(base, tree.Name) else None
    if holder is None:
        return path, "", None
    written: object = holder.node
    for name in names:
        while isinstance(written, tree.Typed):
            written = written.value
        written = entry(written, name) if isinstance(written, tree.Record) else None
    return holder.path, ".".join((holder.name, *names)), written


def _wraps(context: ModuleContext, path: str, node: tree.Call) -> bool:
    """Whether a call stands for the function that it is handed: it wraps it, or registers it."""
    wrapped = any(isinstance(arg, tree.Fn) for arg in node.args)
    return wrapped or registration(node, lambda e: kind_of_callee(context, path, e)) is not None


def _constant(context: ModuleContext, path: str, node: tree.Expr) -> Val | None:
    constant = context.modules.constant(path, node)
    return None if constant is UNKNOWN else from_constant(constant)


def named_reference(node: tree.Call) -> Val | None:
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
