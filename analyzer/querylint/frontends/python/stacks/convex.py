"""The Python client of Convex: every query, mutation or action is a call to the deployment."""

from __future__ import annotations

from typing import ClassVar

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, External, Marker, Val
from querylint.frontends.python.language.arguments import placed
from querylint.frontends.python.stack import Stack
from querylint.ir import Facts, Mode, Target, TargetKind
from querylint.pattern import Pattern
from querylint.syntax import tree

CLIENT = "convex client"
CLIENTS = frozenset(("ConvexClient", "ConvexHttpClient"))
MODES = {
    "query": Mode.QUERY, "mutation": Mode.MUTATION, "action": Mode.ACTION, "subscribe": Mode.SUBSCRIBE,
}  # fmt: skip
ROUTE = Pattern(r"[A-Za-z_][\w./-]*(?::\w+)?")


class ConvexClient(Stack):
    """Programs that call the functions of a Convex deployment by name."""

    name: ClassVar[str] = "convex client"
    words: ClassVar[tuple[bytes, ...]] = (b"ConvexClient", b"ConvexHttpClient")
    facts: Facts = Facts(parallel=False)

    def annotated(self, name: str, args: tuple[Val, ...]) -> Val | None:
        """A parameter or field that is declared to be a client."""
        return Val(shape=Marker(CLIENT)) if _client(name) else None

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """A client is made, or one of its methods runs a function of the deployment."""
        shape = func.shape
        if isinstance(shape, External) and _client(shape.source):
            return Val(deps=_deps(state, node), shape=Marker(CLIENT))
        if base is None or not isinstance(node.func, tree.Member) or node.func.name not in MODES or not node.args:
            return None
        known = isinstance(base.shape, Marker) and base.shape.kind == CLIENT
        if not known and (base.shape is not None or not _named(node.args[0])):
            return None
        return self._remote(state, node, MODES[node.func.name])

    def _remote(self, state: State, node: tree.Call, mode: Mode) -> Val | None:
        first, *rest = [state.evaluate(a) for a in node.args]
        rest += [state.evaluate(value) for _, value in node.keywords]
        if isinstance(first.literal, str) and ROUTE.fullmatch(first.literal):
            name = first.literal.replace(".js:", ":")
            target = Target(TargetKind.ROUTE, "", name if ":" in name else f"{name}:default")
            text = first.literal
        else:
            target, text = Target(TargetKind.EXTERNAL, "", state.text(node.args[0])), state.text(node.args[0])
        made = state.call(target, mode, (NOTHING, *rest), node, text).with_deps(first.deps)
        fn = state.calling[-1] if state.calling else None
        return made if isinstance(fn, tree.Fn) and fn.is_async else state.wait(made, node.at, node.end)


def _deps(state: State, node: tree.Call) -> frozenset[int]:
    return frozenset[int]().union(*(value.deps for value in placed(state, node, None)))


def _client(name: str) -> bool:
    return name.startswith("convex.") and name.rpartition(".")[2] in CLIENTS


def _named(node: tree.Expr) -> bool:
    """Whether an argument is the name of a function: `"posts:list"`."""
    return isinstance(node, tree.Literal) and isinstance(node.value, str) and ":" in node.value and ROUTE.fullmatch(node.value) is not None
