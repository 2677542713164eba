"""Which tables a project creates by itself: those of a base that it never creates are made elsewhere, and may have other indexes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.frontends.python.classes import ClassInfo
from querylint.ir import Role
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

CREATING = b"create_all"
Base = tuple[str, str]


def created_bases(project: PythonProject, files: list[str]) -> frozenset[Base]:
    """The bases of which a project creates all tables, by file and name; none where it is not known which they are."""
    found: set[Base] = set()
    for path in files:
        if project.role(path) is not Role.CODE or CREATING not in (project.modules.source(path) or b""):
            continue
        module = project.modules.module(path)
        for call in tree.find(module.body if module is not None else [], tree.Call):
            if isinstance(call.func, tree.Member) and call.func.name == CREATING.decode():
                base = _base(project, path, call.func.base)
                if base is None:
                    return frozenset()
                found.add(base)
    return frozenset(found)


def _base(project: PythonProject, path: str, node: tree.Expr) -> Base | None:
    """The base whose metadata an expression is: `Base.metadata`."""
    if not isinstance(node, tree.Member) or node.name != "metadata":
        return None
    found = project.modules.reference(path, node.base)
    return (found.path, found.name) if found is not None and found.node is not None else None


def bases_of(project: PythonProject, info: ClassInfo) -> Iterator[Base]:
    """All that a class takes after, by file and name."""
    for owner in info.mro():
        yield owner.path, owner.name
        for expr in (*((owner.node.base,) if owner.node.base is not None else ()), *owner.node.more):
            found = project.modules.reference(owner.path, expr)
            if found is not None:
                yield found.path, found.name
