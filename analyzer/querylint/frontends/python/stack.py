"""What a stack of Python adds to the walk: the meaning of its names, and the schema that the project declares with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Val
from querylint.frontends.flow.vocabulary import Consumption
from querylint.frontends.python.classes import ClassInfo
from querylint.ir import Facts, Kind, Path, Table
from querylint.result import Note
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject


T = TypeVar("T")


class Noted(Generic[T]):
    """What a stack notes of each walk: it is gone with the walk. `empty` makes what stands for nothing noted yet."""

    def __init__(self, name: str, empty: Callable[[], T]) -> None:
        self.name = name
        self.empty = empty

    def of(self, state: State) -> T:
        """What is noted of a walk, to be added to."""
        if self.name not in state.beside:
            state.beside[self.name] = self.empty()
        return cast("T", state.beside[self.name])

    def put(self, state: State, value: T) -> None:
        """Note something in the place of what was noted."""
        state.beside[self.name] = value

    def taken(self, state: State) -> T:
        """What was noted of a walk, of which nothing is noted any more."""
        found = self.of(state)
        del state.beside[self.name]
        return found


class Stack:
    """A library, or a family of them, that reaches a database. A stack overrides what it has a word for.

    Every method returns None for what is not its own: the next stack is asked, then Python itself. `words` are bytes of which a project
    that uses the stack has one in some file. A stack that stands `aside` reaches no database of its own: it only helps others.
    """

    name: ClassVar[str] = ""
    words: ClassVar[tuple[bytes, ...]] = ()
    aside: ClassVar[bool] = False
    facts: Facts = Facts()

    def __init__(self, project: PythonProject) -> None:
        self.project = project

    def tables(self) -> Mapping[str, Table]:
        """The tables that the project declares. Called once, before any function is walked."""
        return {}

    def notes(self) -> list[Note]:
        """What a reader should know."""
        return []

    def closely(self) -> list[str]:
        """Files besides Python's that were read closely."""
        return []

    # Values.

    def external(self, name: str) -> Val | None:
        """Something of outside code by its dotted name, such as `django.db.models.Q`."""

    def annotated(self, name: str, args: tuple[Val, ...]) -> Val | None:
        """A value that is annotated with outside code: `QuerySet[Post]` is `annotated("django.db.models.QuerySet", (row of Post,))`."""

    def instance(self, info: ClassInfo) -> Val | None:
        """An object of a class of the project, where that is more than an object: a row of a table."""

    def made(self, state: State, node: tree.Call, info: ClassInfo) -> Val | None:
        """A class of the project is called."""

    def class_member(self, state: State, info: ClassInfo, node: tree.Member) -> Val | None:
        """`Class.name`, before the class itself is asked."""

    def own_member(self, state: State, info: ClassInfo, base: Val, node: tree.Member) -> Val | None:
        """`self.name`, for what a base of outside code gives an object; asked after the class itself."""

    def own_call(self, state: State, info: ClassInfo, base: Val, node: tree.Call) -> Val | None:
        """`self.name(...)` or `super().name(...)`, for the methods that a base of outside code has; asked after the class itself."""

    # The walk.

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """A member of a value that is the stack's: a column or relation of a row, a manager."""

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """A call of something that is the stack's; it evaluates the arguments itself. `base` is the receiver of a method call."""

    def rows(self, state: State, value: Val, at: int, end: int, *, partial: bool) -> Val | None:
        """A query is iterated; `partial` says that the loop may stop early."""

    def consumed(self, state: State, value: Val, how: Consumption, node: tree.Expr) -> Val | None:
        """A query is run by the language itself: by `len`, by a truth test, by an index or a slice. SHOWN is asked of any value."""

    def assigned(self, state: State, base: Val, target: tree.Member, value: Val) -> None:
        """A member of a value is set."""

    def awaited(self, state: State, value: Val, at: int, end: int) -> Val | None:
        """Waiting for something that runs only when waited for."""

    # Functions.

    def answers(self, info: ClassInfo) -> tree.Fn | None:
        """What a class does when it is asked for a page, where no method of its own says it; it is walked like a method."""

    def returning(self, state: State, info: ClassInfo | None, fn: tree.Fn, value: Val) -> None:
        """A function gives back a value, and something more is done with it; not asked in quiet walks."""

    def loaded(self, state: State) -> tuple[tuple[int, Path], ...]:
        """The relations that a function has loaded for rows of its parameters; asked once, after the walk."""
        return ()

    def parameter(self, info: ClassInfo | None, fn: tree.Fn, number: int, name: str) -> Val | None:
        """A parameter that the library gives: the request of a view."""

    def any_of(self, classes: tuple[Val, ...]) -> Val | None:
        """A class that callers hand over, each another one of these: what is true of all of them."""

    def any_below(self, info: ClassInfo | None, outside: str) -> Val | None:
        """Some class that takes after one, of the project or of outside code by its name: what a type variable stands for."""

    def kind(self, info: ClassInfo | None, fn: tree.Fn) -> Kind | None:
        """What a function is to the platform, where it is more than a function: a view, a task."""
