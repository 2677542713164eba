"""How a function becomes a query, a mutation or an action (convex-facts 1.4, 1.5)."""

from __future__ import annotations

import re
from collections.abc import Callable

from querylint.construction import dataclass
from querylint.frontends.modules import Definition, Modules
from querylint.pattern import Pattern
from querylint.syntax import tree

REGISTRARS = {
    "query": ("query", True), "mutation": ("mutation", True), "action": ("action", True),
    "internalQuery": ("query", False), "internalMutation": ("mutation", False), "internalAction": ("action", False),
    "queryGeneric": ("query", True), "mutationGeneric": ("mutation", True), "actionGeneric": ("action", True),
    "internalQueryGeneric": ("query", False), "internalMutationGeneric": ("mutation", False), "internalActionGeneric": ("action", False),
    "httpAction": ("http", True), "httpActionGeneric": ("http", True),
}  # fmt: skip
CUSTOM = Pattern(r"custom(?:Query|Mutation|Action)$|^(?:zCustom|zod|effect)\w*|(?:Builder|Wrapper)$", re.IGNORECASE)
BY_NAME = Pattern(
    r"(?:^|[a-z])(Query|Mutation|Action)(?:Builder|WithUser|WithAuth|WithRLS|WithOrg|Zod)?$|^(query|mutation|action)$|(query|mutation|action)$"
)

Kind = tuple[str, bool, str | None]


@dataclass(frozen=True, slots=True)
class Registration:
    """One registered function: its handler (a function, or an expression that leads to one), its argument validators."""

    kind: str
    public: bool
    wrapper: str | None
    fn: tree.Fn | None
    handler: tree.Expr
    args: tree.Expr | None
    node: tree.Call


def registration(node: tree.Expr, kind_of: Callable[[tree.Expr], Kind | None]) -> Registration | None:
    """The registration that a call expresses, if it is one."""
    if not isinstance(node, tree.Call):
        return None
    config = node.args[0] if node.args else None
    callee: tree.Expr = node.func
    while isinstance(callee, tree.Call):
        callee = callee.func
    kind = kind_of(callee)
    if kind is None or config is None:
        return _chained(node)
    if isinstance(config, tree.Typed):
        config = config.value
    if isinstance(config, tree.Record):
        fields = {key: value for key, value in config.entries if isinstance(key, str)}
        handler = fields.get("handler")
        if handler is None:
            return None
        return Registration(*kind, handler if isinstance(handler, tree.Fn) else None, handler, fields.get("args"), node)
    if isinstance(config, tree.Fn):
        return Registration(*kind, config, config, None, node)
    if isinstance(config, tree.Name) and kind[0] in ("query", "mutation", "action", "http") and len(node.args) == 1:
        return Registration(*kind, None, config, None, node)
    return None


def _chained(node: tree.Call) -> Registration | None:
    """fluent builders: `convex.query().input(..).handler(fn).public()`."""
    public = True
    kind: str | None = None
    handler: tree.Expr | None = None
    args: tree.Expr | None = None
    here: tree.Expr = node
    last = node
    while isinstance(here, tree.Call) and isinstance(here.func, tree.Member):
        name = here.func.name
        if name == "internal":
            public = False
        elif name == "handler" and here.args:
            handler = here.args[0]
        elif name in ("input", "args") and here.args:
            args = here.args[0]
        elif name in ("query", "mutation", "action") and kind is None and handler is not None:
            kind = name
            if here.args and handler is None:
                handler = here.args[0]
        last = here
        here = here.func.base
    if kind is None or handler is None:
        return None
    del last
    return Registration(kind, public, None, handler if isinstance(handler, tree.Fn) else None, handler, args, node)


def _registering(source: str) -> bool:
    """Whether a module that the project does not hold is one of those that register functions."""
    return source.endswith("_generated/server") or source == "convex/server"


def of_package(module: Definition, name: str) -> Kind | None:
    """What a name registers of a whole module that the project does not hold."""
    source, imported = module.external or ("", "")
    known = REGISTRARS.get(name) if imported == "*" and _registering(source) else None
    return (*known, None) if known is not None else None


class Registrars:
    """Which names register functions, project-wide."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self._known: dict[tuple[str, str], Kind | None] = {}

    def kind_of(self, path: str, name: str) -> Kind | None:
        """What a name of a module registers; None when it is no registering function."""
        key = (path, name)
        self.modules.trace.saw(path)
        if key not in self._known:
            self._known[key] = None
            with self.modules.trace.about(path):
                self._known[key] = self._find(path, name)
        return self._known[key]

    def _find(self, path: str, name: str) -> Kind | None:
        definition = self.modules.definition(path, name)
        if definition is None:
            return None
        if definition.external is not None:
            source, imported = definition.external
            if _registering(source):
                found = REGISTRARS.get(imported)
                return (*found, None) if found is not None else None
            return None
        node = definition.node
        while isinstance(node, tree.Typed):
            node = node.value
        if isinstance(node, tree.Call):
            return self._built(definition.path, definition.name, node)
        if isinstance(node, tree.Name):
            return self.kind_of(definition.path, node.id)
        if isinstance(node, tree.Member) and isinstance(node.base, tree.Name):
            return self.of_module(definition.path, node) or self._member(definition.path, node)
        if isinstance(node, tree.FnDef | tree.Fn):
            return self._wrapping(definition.path, definition.name, node.fn if isinstance(node, tree.FnDef) else node)
        return None

    def _built(self, path: str, name: str, node: tree.Call) -> Kind | None:
        """`customQuery(query, {...})` and its like: the first argument that registers says what."""
        callee = node.func
        text = callee.id if isinstance(callee, tree.Name) else callee.name if isinstance(callee, tree.Member) else ""
        looks = CUSTOM.search(text) is not None
        for arg in node.args:
            if isinstance(arg, tree.Name | tree.Member):
                base = self.kind_of(path, arg.id) if isinstance(arg, tree.Name) else self.of_module(path, arg)
                if base is not None and (looks or self._is_builder(path, callee, node)):
                    return base[0], base[1], f"{path}::{name}" if len(node.args) > 1 else base[2]
        return None

    def of_module(self, path: str, node: tree.Member) -> Kind | None:
        """What a member of a whole module registers: `server.query` after `import * as server from "./_generated/server"`."""
        definition = self.modules.definition(path, node.base.id) if isinstance(node.base, tree.Name) else None
        if definition is None:
            return None
        return self.kind_of(definition.path, node.name) if definition.namespace else of_package(definition, node.name)

    def _is_builder(self, path: str, callee: tree.Expr, node: tree.Call) -> bool:
        """A call that takes a registering function and no handler gives a registering function back."""
        return not any(isinstance(a, tree.Record) and any(k == "handler" for k, _ in a.entries) for a in node.args)

    def _member(self, path: str, node: tree.Member) -> Kind | None:
        found = BY_NAME.search(node.name)
        if found is None:
            return None
        word = next(g for g in found.groups() if g)
        return word.lower(), True, None

    def _wrapping(self, path: str, name: str, fn: tree.Fn) -> Kind | None:
        """A function that passes its argument on to a registering function registers too."""
        if not fn.params or not BY_NAME.search(name):
            return None
        for statement in fn.body:
            value = statement.value if isinstance(statement, tree.Return) else None
            if isinstance(value, tree.Call) and isinstance(value.func, tree.Name):
                inner = self.kind_of(path, value.func.id)
                if inner is not None:
                    return inner
        return None
