"""Functions of the project that are handed over to run some time later, or beside whoever hands them over: nobody waits for them there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Closure, External, Val, derived
from querylint.frontends.python.language.arguments import placed
from querylint.ir import Mode, Target, TargetKind
from querylint.syntax import tree

QUEUEING = frozenset(("add_task", "enqueue", "async_task", "enqueue_call"))
POOLED = frozenset(("submit", "start_soon"))  # workers run it; a method of that name may take something else
LATER = frozenset(("delay", "apply_async", "delay_on_commit", "apply_async_on_commit", "s", "si", "signature", "kiq", "send", "defer"))
WAITING = frozenset(("result", "get"))
WAITED = re.compile(r"(?:\s|#[^\n]*\n)*\.\s*(?:result|get)\s*\(")
AT_ONCE = frozenset(("run_in_threadpool", "to_thread", "on_commit"))
TASKS = frozenset(("task", "db_task", "on_commit_task"))  # of huey
DECORATED = 2
REACH = 400  # bytes behind a call in which its `.result(` begins, even on a line of its own after a comment
STARTING = {"threading.Thread": "target", "threading.Timer": "function", "multiprocessing.Process": "target"}


if TYPE_CHECKING:
    from querylint.frontends.python.modules import PythonModules


class Vocabulary(Protocol):
    """A vocabulary that can call functions of the project beside what it walks through."""

    def reached(self, state: State, node: tree.Call | tree.Member, closure: Closure, args: tuple[Val, ...], *, beside: bool) -> Val:
        """Call a function with these arguments."""


def put_off(words: Vocabulary, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
    """`report.delay(pk)`, `tasks.add_task(report, pk)`; `pool.submit(report, row)`, `Thread(target=report, args=(row,))`.

    Workers of a queue are told what to do, as a rule by a key; threads and pools are handed the very objects. `pool.submit(report,
    row).result()` is waited for at once, so that it is a call like any other.
    """
    shape, given = func.shape, node
    if isinstance(shape, External) and shape.source in STARTING:
        return _started(words, state, node, STARTING[shape.source])
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
    if not isinstance(shape, Closure) or not shape.name:
        return None
    if name not in POOLED:
        return _later(state, node, given, shape)
    return _beside(words, state, node, given, shape, waited=WAITED.match(state.lines.text(node.end, node.end + REACH)) is not None)


def handed_on(words: Vocabulary, state: State, node: tree.Call) -> Val | None:
    """`loop.run_in_threadpool(function, *arguments)`: a function of the project that someone else calls for us, as a rule at once."""
    func = node.func
    if not isinstance(func, tree.Member) or func.name not in AT_ONCE or len(node.args) < 2 or isinstance(node.args[0], tree.Spread):
        return None
    with state.recording():
        shape = state.evaluate(node.args[0]).shape
    if not isinstance(shape, Closure) or not shape.name:
        return None
    given = tree.Call(node.args[0], node.args[1:], node.at, node.end, keywords=node.keywords)
    return _beside(words, state, node, given, shape, waited=True)


def enqueued(modules: PythonModules, state: State, node: tree.Call, closure: Closure) -> Val | None:
    """A call of a task of huey, which only puts it into the queue: its decorator has taken the place of the function."""
    queued = any(_of_huey(modules, closure.path, decorator, DECORATED) for decorator in closure.fn.decorators)
    return _later(state, node, node, closure) if queued else None


def _of_huey(modules: PythonModules, path: str, decorator: tree.Expr, depth: int) -> bool:
    """`@db_task()`, `@queue.task(retries=2)`, or a decorator of the project's own that hands the function to one of these."""
    func = decorator.func if isinstance(decorator, tree.Call) else decorator
    if isinstance(func, tree.Member) and func.name in TASKS and _is_queue(modules, path, func.base):
        return True
    known = modules.reference(path, func) if isinstance(func, tree.Name | tree.Member) else None
    if known is None or not depth:
        return False
    if known.external:
        return known.external.startswith("huey.") and known.external.rpartition(".")[2] in TASKS
    calls = tree.find(known.node.fn.body, tree.Call) if isinstance(known.node, tree.FnDef) else []
    return any(_of_huey(modules, known.path, call, depth - 1) for call in calls if isinstance(call.func, tree.Member))


def _is_queue(modules: PythonModules, path: str, node: tree.Expr) -> bool:
    known = modules.reference(path, node) if isinstance(node, tree.Name | tree.Member) else None
    if known is None or known.external:
        return known is not None and known.external.startswith("huey.")
    made = modules.reference(known.path, known.node.func) if isinstance(known.node, tree.Call) else None
    return made is not None and made.external.startswith("huey.")


def waited_for(state: State, node: tree.Call, base: Val) -> Val | None:
    """What `pool.submit(report, row).result()` hands out: the result of a function of the project, which the inner call has given."""
    if not isinstance(node.func, tree.Member) or node.func.name not in WAITING or not isinstance(node.func.base, tree.Call):
        return None
    inner = node.func.base
    pooled = isinstance(inner.func, tree.Member) and inner.func.name in POOLED and len(inner.args) > 1
    if not pooled or isinstance(inner.args[0], tree.Spread):
        return None
    with state.recording():
        shape = state.evaluate(inner.args[0]).shape
    return base if isinstance(shape, Closure) and shape.name else None


def _started(words: Vocabulary, state: State, node: tree.Call, role: str) -> Val | None:
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
    return _beside(words, state, node, tree.Call(target, list(handed), node.at, node.end, keywords=spread), shape)


def _beside(words: Vocabulary, state: State, node: tree.Call, given: tree.Call, closure: Closure, *, waited: bool = False) -> Val:
    args = placed(state, given, closure.fn, (closure.this,) if closure.this is not None else ())
    value = words.reached(state, given if waited else node, closure, args, beside=not waited)
    return value if waited else derived(*args)


def _later(state: State, node: tree.Call, given: tree.Call, closure: Closure) -> Val:
    args = placed(state, given, closure.fn, (closure.this,) if closure.this is not None else ())
    state.call(Target(TargetKind.FUNCTION, closure.path, closure.name), Mode.SCHEDULE, args, node, state.text(node.func))
    return derived(*args)
