"""HTTP actions: by which method and path requests reach them (`http.route`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from querylint.construction import replace
from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.convex.naming import kind_of_callee
from querylint.frontends.convex.registration import registration
from querylint.frontends.lowered import LoweredFile
from querylint.frontends.modules.names import Node
from querylint.ir import Function, Kind
from querylint.syntax import tree

MOST_STEPS = 6
"""So far the name of a handler is followed."""

Endpoint = tuple[str, str, int]
"""What reaches a handler (`POST /hook`), the file of the handler, and where its registration stands there."""


def endpoints(context: ModuleContext, module: tree.Module) -> tuple[Endpoint, ...]:
    """The endpoints that a module gives to routers at its top, as the platform names them: `GET /files/*` for all paths below one."""
    return tuple(_endpoints(context, module))


def _endpoints(context: ModuleContext, module: tree.Module) -> Iterator[Endpoint]:
    for statement in module.body:
        call = statement.value if isinstance(statement, tree.Do) else None
        if not isinstance(call, tree.Call) or not isinstance(call.func, tree.Member) or call.func.name != "route" or len(call.args) != 1:
            continue
        given = call.args[0]
        fields = {key: value for key, value in given.entries if isinstance(key, str)} if isinstance(given, tree.Record) else {}
        method, path, prefix = (_text(context, fields.get(name)) for name in ("method", "path", "pathPrefix"))
        below = path if path is not None else f"{prefix}*" if prefix is not None else None
        handler = _handler(context, context.path, fields.get("handler"), MOST_STEPS)
        if method is not None and below is not None and handler is not None:
            yield f"{method} {below}", *handler


def _text(context: ModuleContext, node: Node | None) -> str | None:
    """The text that an expression is: written down, or a constant."""
    if isinstance(node, tree.Name):
        definition = context.modules.definition(context.path, node.id)
        node = definition.node if definition is not None and not definition.mutable else None
    if isinstance(node, tree.Typed):
        node = node.value
    return node.value if isinstance(node, tree.Literal) and isinstance(node.value, str) else None


def _handler(context: ModuleContext, path: str, node: Node | None, steps: int) -> tuple[str, int] | None:
    """The file and the place of the HTTP action that an expression stands for, be it wrapped by others."""
    while isinstance(node, tree.Typed):
        node = node.value
    if steps == 0:
        return None
    if isinstance(node, tree.Name):
        definition = context.modules.definition(path, node.id)
        return _handler(context, definition.path, definition.node, steps - 1) if definition is not None else None
    if isinstance(node, tree.Member) and isinstance(node.base, tree.Name):
        home = context.modules.definition(path, node.base.id)
        found = context.modules.exported(home.path, node.name) if home is not None and home.namespace else None
        return _handler(context, found.path, found.node, steps - 1) if found is not None else None
    if not isinstance(node, tree.Call):
        return None
    registered = registration(node, lambda e: kind_of_callee(context, path, e))
    if registered is not None:
        return (path, node.at) if registered.kind == "http" else None
    return next((h for arg in node.args if (h := _handler(context, path, arg, steps - 1)) is not None), None)


def place(files: dict[str, LoweredFile], found: Mapping[str, Iterable[Endpoint]]) -> None:
    """Tell the handlers in some files, by path, of the requests that reach them; `found` are the endpoints that files give to routers."""
    reached: dict[str, dict[int, tuple[str, ...]]] = {}
    for path in sorted(found):
        for endpoint, home, at in found[path]:
            places = reached.setdefault(home, {})
            places[at] = (*places.get(at, ()), endpoint)
    for home in reached.keys() & files.keys():
        functions = files[home].functions.value
        files[home] = LoweredFile.of(home, tuple(_told(function, reached[home]) for function in functions))


def _told(function: Function, reached: Mapping[int, tuple[str, ...]]) -> Function:
    endpoints = reached.get(function.span.start) if function.kind is Kind.HTTP else None
    return replace(function, endpoints=endpoints) if endpoints is not None else function
