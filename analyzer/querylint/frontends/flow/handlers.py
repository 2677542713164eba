"""What the elements of a screen hold for later: functions that run when somebody clicks, at their own pace."""

from __future__ import annotations

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure, Val
from querylint.ir import LoopKind

WALKED = "handlers"


def walk(m: State, value: Val) -> None:
    """Walk a handler of an event, once, if it asks the server for something: most only change what the screen shows."""
    shape = value.shape
    if not isinstance(shape, Closure) or shape.path != m.path or shape.name:
        return
    fn = shape.fn
    source = m.lines.source[fn.at : fn.end]
    walked = m.beside.setdefault(WALKED, set())
    if not m.vocabulary.asks(source) or not isinstance(walked, set) or fn.at in walked:
        return
    walked.add(fn.at)
    with m.loop(LoopKind.CALLBACK, fn.at, fn.end, detached=True):
        m.wait(m.unbuilt(m.invoke(shape, (NOTHING,) * len(fn.params), fn.at, fn.end)), fn.at, fn.end)
