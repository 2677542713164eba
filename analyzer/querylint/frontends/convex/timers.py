"""The clocks of a server: what a timer or a cron of Node starts, nobody waits for."""

from __future__ import annotations

from querylint.frontends.convex.context import ModuleContext, Registered
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure, External, Marker, Val, derived
from querylint.pattern import Pattern
from querylint.syntax import tree

PACKAGES = frozenset(("node-cron", "cron", "croner", "node-schedule"))
STARTING = frozenset(("schedule", "scheduleJob"))
SCREEN = Pattern(r"^(?:[A-Z]|use[A-Z])")


def starts(node: tree.Call, func: Val, base: Val | None) -> bool:
    """Whether a call hands a function to a clock: `setInterval(f, 1000)`, `cron.schedule("0 * * * *", f)`, `new Cron(..., f)`."""
    if base is not None:
        shape = base.shape
        return (
            isinstance(node.func, tree.Member) and node.func.name in STARTING and isinstance(shape, External) and shape.source in PACKAGES
        )
    if isinstance(func.shape, External):
        return func.shape.source in PACKAGES and (node.new or func.shape.name in STARTING)
    return isinstance(node.func, tree.Name) and node.func.id == "setInterval" and not func.interesting


def started(context: ModuleContext, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
    """A call of a clock of a server: the functions that it is handed run later, each on its own; None for any other call.

    A timer of a screen runs for somebody who looks at it, and one within the functions folder is none of the platform's.
    """
    if context.root is not None or SCREEN.match(context.owner.rpartition(".")[2]) or not starts(node, func, base):
        return None
    values = []
    for arg in node.args:
        value = state.evaluate(arg)
        _set_apart(context, state, arg, value)
        values.append(value)
    return derived(*values)


def _set_apart(context: ModuleContext, state: State, node: tree.Expr, value: Val) -> None:
    """What a clock starts becomes a function of its own, which nothing calls."""
    shape = value.shape
    if isinstance(shape, Closure) and shape.path == context.path and not shape.name:
        fn, scope = shape.fn, shape.scope
    elif isinstance(shape, Closure) or (isinstance(shape, Marker) and shape.kind == "function"):
        call = tree.Call(node, [], node.at, node.end)
        fn, scope = tree.Fn("", [], [tree.Return(call, node.at, node.end, True)], node.at, node.end), state.scope
    else:
        return
    if fn.at not in context.named:
        name = context.named[fn.at] = f"{context.owner}.line{state.span(fn.at, fn.at).line}"
        context.inner.append(Registered(name, fn, "job", False, NOTHING, None, scope, dict(state.store)))  # type: ignore[arg-type]
