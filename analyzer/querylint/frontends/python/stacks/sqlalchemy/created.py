"""Which tables a project creates by itself: those of a base that it never creates are made elsewhere, and may have other indexes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.frontends.python.classes import ClassInfo
from querylint.ir import Role
from querylint.syntax import tree
from querylint.syntax.questions import callee_name

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

CREATING = b"create_all"
MAKERS = frozenset(("declarative_base", "automap_base"))
METADATA = 2  # as many arguments by place hand over a metadata
SHARED = frozenset(("metadata", "registry", "**"))
"""What a base may have in common with others, or with tables and classes that take after none."""
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
    """The base whose metadata an expression is: `Base.metadata`. `db.metadata` and that of a registry are those of classes that do not
    take after what the name stands for; a metadata that is handed to a base may be that of another one as well.
    """
    if not isinstance(node, tree.Member) or node.name != "metadata":
        return None
    found = project.modules.reference(path, node.base)
    if found is None:
        return None
    if isinstance(found.node, tree.ClassDef):
        info = project.classes.get(found.path, found.name)
        own = info is not None and not any(_shared(name, value) for owner in info.mro() for name, _, value in owner.node.fields)
    else:
        made = found.node if isinstance(found.node, tree.Call) else None
        own = made is not None and callee_name(made) in MAKERS and len(made.args) < METADATA
        own = own and made is not None and not any(_shared(name, value) for name, value in made.keywords)
    return (found.path, found.name) if own else None


def _shared(name: str, value: tree.Expr | None) -> bool:
    """Whether a part of a base is another's, too: not a metadata that is made right there."""
    return name in SHARED and not (name == "metadata" and isinstance(value, tree.Call))


def bases_of(project: PythonProject, info: ClassInfo) -> Iterator[Base]:
    """All that a class takes after, by file and name."""
    for owner in info.mro():
        yield owner.path, owner.name
        for expr in (*((owner.node.base,) if owner.node.base is not None else ()), *owner.node.more):
            found = project.modules.reference(owner.path, expr)
            if found is not None:
                yield found.path, found.name
