"""What a stack must tell the walk: the meaning of its names, members and calls."""

from __future__ import annotations

from typing import Protocol

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Closure, Val
from querylint.ir import Target
from querylint.syntax import tree


class Vocabulary(Protocol):
    """The words of one stack. Every method returns None for what it does not know."""

    def name(self, state: State, name: str) -> Val | None:
        """A name that no variable of the function bears: something of the module, an import, a global."""

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """A member with a meaning of its own, such as `ctx.db`."""

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """A call with a meaning of its own; it evaluates the arguments itself. `base` is the receiver of a method call."""

    def recursive(self, state: State, closure: Closure) -> Target | None:
        """A local function that calls itself: it is walked on its own, under the name that this gives."""

    def element(self, state: State, node: tree.Element) -> Val | None:
        """A JSX element that stands for a function of the project."""

    def awaited(self, state: State, value: Val, at: int, end: int) -> Val | None:
        """Waiting for something that runs only when waited for."""

    def rows(self, state: State, value: Val, at: int, end: int, *, partial: bool) -> Val | None:
        """Iterating a query; `partial` says that the loop may stop before the last row."""

    def typed(self, state: State, value: Val, type_text: str) -> Val:
        """A value whose type is written down."""

    def called_back(self, state: State, node: tree.Call, func: Val, args: tuple[Val, ...]) -> Val | None:
        """A function of the project that is handed to a method as its callback."""
