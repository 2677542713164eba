"""Helpers of a project that render a template whose name they are told: each call of one renders where it stands."""

from __future__ import annotations

from collections.abc import Callable

from querylint.frontends.flow.scope import Scope
from querylint.frontends.flow.state import State
from querylint.frontends.flow.statements import bind_params
from querylint.frontends.flow.values import NOTHING, Closure
from querylint.frontends.python.language.arguments import placed
from querylint.frontends.python.stacks.templates import calls
from querylint.frontends.templates.folders import Templates
from querylint.syntax import tree
from querylint.syntax.questions import callee_name

MOST = 4
SIGNS = (b"render", b"emplate")


class Helpers:
    """The functions that render by a name which their callers give, each looked at once."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self.read = read
        self._known: dict[int, tuple[tree.Fn, list[tree.Call]]] = {}

    def rendered(self, state: State, templates: Templates, node: tree.Call, closure: Closure) -> list[calls.Rendered]:
        """What a call of such a helper renders; nothing for any other function, nor where the name is not written down."""
        fn = closure.fn
        renderings = self._of(fn, closure.path)
        if not renderings:
            return []
        found: list[calls.Rendered] = []
        outer = state.scope
        with state.recording():
            args = placed(state, node, fn, (closure.this or NOTHING,) if closure.this is not None else ())
            state.scope = Scope(None)
            bind_params(state, fn, args)
            told = {name for name, var in state.scope.names.items() if isinstance(state.store.get(var, NOTHING).literal, str)}
            for call in renderings:
                if _named(call, fn) <= told:
                    made = calls.rendered(state, templates, call)
                    found += [made] if made is not None else []
        state.scope = outer
        return found

    def _of(self, fn: tree.Fn, path: str) -> list[tree.Call]:
        known = self._known.get(id(fn))
        if known is None:
            text = (self.read(path) or b"")[fn.at : fn.end]
            nodes = tree.walk(fn.body) if any(sign in text for sign in SIGNS) else ()
            made = [n for n in nodes if isinstance(n, tree.Call) and callee_name(n) in calls.RENDERING and _named(n, fn)]
            known = self._known[id(fn)] = (fn, made[-MOST:])
        return known[1]


def _named(call: tree.Call, fn: tree.Fn) -> set[str]:
    """The parameters of a helper that decide which template a call renders."""
    params = {p.pattern.id for p in fn.params if isinstance(p.pattern, tree.NamePattern) and not p.stars} - {"self", "cls", "request"}
    named = next((value for key, value in call.keywords if key in calls.NAMES), None)
    if named is not None:
        return _used(named, params)
    for arg in call.args[:2]:
        if not (isinstance(arg, tree.Name) and arg.id in ("request", "self")):
            return _used(arg, params)
    return set()


def _used(node: tree.Expr, params: set[str]) -> set[str]:
    return {n.id for n in tree.walk(node) if isinstance(n, tree.Name)} & params
