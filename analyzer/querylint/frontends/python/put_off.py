"""Functions of the project that are handed over to run some time later, or beside whoever hands them over: nobody waits for them there."""

from __future__ import annotations

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Closure, External, Val, derived
from querylint.frontends.python.language.arguments import placed
from querylint.ir import Mode, Target, TargetKind
from querylint.syntax import tree

QUEUEING = frozenset(("add_task", "enqueue", "async_task", "enqueue_call"))
POOLED = frozenset(("submit", "start_soon"))  # workers run it; a method of that name may take something else
LATER = frozenset(("delay", "apply_async", "delay_on_commit", "apply_async_on_commit", "s", "si", "signature", "kiq", "send", "defer"))
STARTING = {"threading.Thread": "target", "threading.Timer": "function", "multiprocessing.Process": "target"}


def put_off(state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
    """`report.delay(pk)`, `tasks.add_task(report, pk)`, `pool.submit(report, pk)`, `Thread(target=report, args=(pk,))`."""
    shape, given = func.shape, node
    if isinstance(shape, External) and shape.source in STARTING:
        return _started(state, node, STARTING[shape.source])
    if base is None or not isinstance(node.func, tree.Member):
        return None
    name = node.func.name
    if (name in QUEUEING or (name in POOLED and len(node.args) > 1)) and node.args and not isinstance(node.args[0], tree.Spread):
        with state.recording():
            shape = state.evaluate(node.args[0]).shape
        given = tree.Call(node.args[0], node.args[1:], node.at, node.end, keywords=node.keywords)
    elif name in LATER:
        shape = base.shape
    else:
        return None
    return _later(state, node, given, shape) if isinstance(shape, Closure) and shape.name else None


def _started(state: State, node: tree.Call, role: str) -> Val | None:
    """A thread of its own, or a process."""
    named = dict(node.keywords)
    target = named.get(role) or (node.args[1] if len(node.args) > 1 else None)
    if target is None or isinstance(target, tree.Spread):
        return None
    with state.recording():
        shape = state.evaluate(target).shape
    if not isinstance(shape, Closure) or not shape.name:
        return None
    args, kwargs = named.get("args"), named.get("kwargs")
    handed = args.items if isinstance(args, tree.Array) else [tree.Spread(args, args.at, args.end)] if args is not None else []
    spread = [("**", kwargs)] if kwargs is not None else []
    return _later(state, node, tree.Call(target, list(handed), node.at, node.end, keywords=spread), shape)


def _later(state: State, node: tree.Call, given: tree.Call, closure: Closure) -> Val:
    args = placed(state, given, closure.fn, (closure.this,) if closure.this is not None else ())
    state.call(Target(TargetKind.FUNCTION, closure.path, closure.name), Mode.SCHEDULE, args, node, state.text(node.func))
    return derived(*args)
