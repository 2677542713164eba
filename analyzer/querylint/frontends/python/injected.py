"""Values that a framework hands to a function by its parameters' defaults: `session=Depends(opened)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, ClassRef, Closure, External, Query, Shape, Val
from querylint.frontends.python.annotations import known
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

INJECTED = frozenset(("fastapi.Depends", "fastapi.params.Depends", "fastapi.Security"))


def injected(project: PythonProject, state: State, node: tree.Call, called: Shape) -> Val | None:
    """What a function gives back or hands out, an object of a class; the framework has asked for it before the function runs."""
    if not isinstance(called, External) or called.source not in INJECTED or not node.args:
        return None
    with state.recording():
        shape = state.evaluate(node.args[0]).shape
    if isinstance(shape, ClassRef) and not shape.instance:
        return project.object(shape.path, shape.name)
    if not isinstance(shape, Closure) or not shape.name:
        return NOTHING
    found = project.result(shape, ())
    found = found.item() if shape.fn.generator else found
    return replace(found, origins=()) if known(found) and not isinstance(found.shape, Query) else NOTHING
