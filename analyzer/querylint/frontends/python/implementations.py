"""Methods that only say what there is to be done, and the classes of the project that do it: ports and their adapters, repositories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.frontends.python.classes import ClassInfo
from querylint.ir import Role
from querylint.syntax import tree
from querylint.syntax.questions import last_name

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

ABSTRACT = frozenset(("abstractmethod", "abstractclassmethod", "abstractstaticmethod"))
Implementation = tuple[ClassInfo, ClassInfo, tree.Fn]
"""The class of an object that has a method, the class that declares it, and the method."""


class Implementations:
    """Which method runs where an abstract one is called: known where a single class does what the database has a part in."""

    def __init__(self, project: PythonProject) -> None:
        self.project = project
        self._known: dict[tuple[str, str, str], Implementation | None] = {}
        self._complete = False

    def of(self, info: ClassInfo, owner: ClassInfo, fn: tree.Fn) -> Implementation | None:
        """The method that is called on an object of which no more is known than that it is of this class; None unless it is sure."""
        if not _abstract(fn):
            return None
        key = (info.path, info.name, fn.name)
        if key not in self._known:
            self._known[key] = self._found(info, fn.name)
        return self._known[key]

    def _found(self, info: ClassInfo, name: str) -> Implementation | None:
        if not self._complete:
            self._complete = True
            for path in self.project.files:
                if path.endswith(".py") and self.project.role(path) is Role.CODE:
                    self.project.classes.of_module(path)  # each class is told of those that take after it when these are read
        found: dict[int, Implementation] = {}
        for below in _below(info):
            method = below.method(name)
            if method is not None and not _abstract(method[1]) and self.project.role(below.path) is Role.CODE:
                known = found.get(id(method[1]))
                found[id(method[1])] = (below if known is None else method[0], *method)  # of several that share it no more is known
        if len(found) > 1:
            found = {key: one for key, one in found.items() if self._by_database(one[1])}
        return next(iter(found.values())) if len(found) == 1 else None

    def _by_database(self, owner: ClassInfo) -> bool:
        """Whether the module of a class has a word of a stack that reaches a database."""
        source = self.project.modules.source(owner.path) or b""
        return any(word in source for stack in self.project.stacks if not stack.aside for word in stack.words)


def _below(info: ClassInfo) -> Iterator[ClassInfo]:
    stack, seen = list(info.subclasses), {id(info)}
    while stack:
        one = stack.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            stack.extend(one.subclasses)


def _abstract(fn: tree.Fn) -> bool:
    """Whether a method is declared abstract, or does no more than to say that it is not there."""
    if any(last_name(decorator) in ABSTRACT for decorator in fn.decorators):
        return True
    body = [statement for statement in fn.body if not isinstance(statement, tree.Let)]
    if len(body) != 1 or not isinstance(body[0], tree.Throw) or body[0].value is None:
        return False
    raised = body[0].value
    return last_name(raised.func if isinstance(raised, tree.Call) else raised) == "NotImplementedError"
