"""Relations of a project's own class, which says by itself what they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.frontends.python.classes import ClassInfo
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, keyword

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

TARGET = "to"


def fixed_target(project: PythonProject, owner: ClassInfo, node: tree.Call) -> tuple[tree.Expr | None, str]:
    """What the `__init__` of a relation's class hands to Django as its target, and the file in which that is written."""
    found = project.modules.reference(owner.path, node.func)
    info = project.classes.get(found.path, found.name) if found is not None and isinstance(found.node, tree.ClassDef) else None
    made = info.method("__init__") if info is not None else None
    if made is None:
        return None, owner.path
    return next((given for given in _given(made[1]) if not _handed_on(made[1], given)), None), made[0].path


def _given(fn: tree.Fn) -> Iterator[tree.Expr]:
    """`kwargs["to"] = User`, `kwargs.setdefault("to", User)`, `super().__init__(User, ...)`, `super().__init__(to=User)`."""
    for one in tree.find(fn.body, tree.Assign, tree.Call):
        if isinstance(one, tree.Assign):
            if isinstance(one.target, tree.Index) and _says_target(one.target.key):
                yield one.value
        elif isinstance(one, tree.Call) and isinstance(one.func, tree.Member):
            if one.func.name == "setdefault" and len(one.args) == 2 and _says_target(one.args[0]):
                yield one.args[1]
            elif one.func.name == "__init__":
                first = one.args[0] if one.args and not isinstance(one.args[0], tree.Spread) else None
                given = keyword(one, TARGET) or first
                if given is not None:
                    yield given


def _says_target(node: tree.Expr) -> bool:
    return isinstance(node, tree.Literal) and node.value == TARGET


def _handed_on(fn: tree.Fn, given: tree.Expr) -> bool:
    """Whether it is what the caller says, not the class, or what somebody works out."""
    if isinstance(given, tree.Call):
        return callee_name(given) != "get_user_model"
    names = {p.pattern.id for p in fn.params if isinstance(p.pattern, tree.NamePattern)}
    return isinstance(given, tree.Name) and given.id in names
