"""Managers and querysets of Django: which class a model's manager is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Query
from querylint.frontends.python.classes import ClassInfo
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject


LOADS = ("select_related", "prefetch_related")


def keeps_for_later(fn: tree.Fn) -> bool:
    """Whether a method of a queryset notes what is to come along, for the queryset to load it when it runs.

    So do querysets whose rows are of several classes: each class has relations of its own.
    """
    if not fn.name.endswith(LOADS):
        return False
    noted = (node.target for node in tree.walk(fn.body) if isinstance(node, tree.Assign))
    return any(isinstance(target, tree.Member) and target.name.endswith(LOADS) for target in noted)


def own_table(state: State) -> str | None:
    """The table of the manager or queryset whose method is walked."""
    var = state.scope.find("self")
    shape = state.store.get(var, NOTHING).shape if var is not None else None
    return shape.table if isinstance(shape, Query) else None


def manager_class(project: PythonProject, owner: ClassInfo, value: tree.Call) -> ClassInfo | None:
    """The class of the manager that a class body makes; None for what is no manager."""
    func = value.func
    if isinstance(func, tree.Member) and func.name == "as_manager":
        found = project.modules.reference(owner.path, func.base)
        info = project.classes.get(found.path, found.name) if found is not None and found.node is not None else None
        return info if info is not None and is_queryset(info) else None
    if isinstance(func, tree.Call):
        return _combined(project, owner.path, func)
    found = project.modules.reference(owner.path, func)
    if found is None:
        return None
    if isinstance(found.node, tree.ClassDef):
        info = project.classes.get(found.path, found.name)
        return info if info is not None and is_manager(info) else None
    return _combined(project, found.path, found.node) if isinstance(found.node, tree.Call) else None


def _combined(project: PythonProject, path: str, node: tree.Call) -> ClassInfo | None:
    info = project.classes.combined(path, node)
    return info if info is not None and is_manager(info) else None


def is_manager(info: ClassInfo) -> bool:
    """Whether a class is a manager or a queryset."""
    return any(n.rpartition(".")[2].endswith(("Manager", "QuerySet", "Queryset")) or n.endswith(".from_queryset") for n in info.ancestry())


def is_queryset(info: ClassInfo) -> bool:
    """Whether a class is a queryset."""
    return any(n.rpartition(".")[2].endswith(("QuerySet", "Queryset")) for n in info.ancestry())
