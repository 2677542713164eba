"""What a stack must tell the walk: the meaning of its names, members and calls; and what a language must: that of its own words."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Closure, Val
from querylint.ir import Target, Value, Work
from querylint.syntax import tree


class Consumption(Enum):
    """What is done to a query that has not run yet: the number of its rows is asked for, whether there are any, one of them."""

    MEASURED = "measured"
    TESTED = "tested"
    SEARCHED = "searched"
    INDEXED = "indexed"
    SLICED = "sliced"
    SHOWN = "shown"


class Walker(Protocol):
    """Who walks through the statements of a page, in the place of the walk itself."""

    def walk(self, state: State, statement: tree.Stmt) -> None:
        """Walk through one statement."""


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

    def consumed(self, state: State, value: Val, how: Consumption, node: tree.Expr) -> Val | None:
        """A query that the language itself runs since its length, its truth or an element is asked for; the value is what it holds then."""

    def imported(self, state: State, item: tree.Import) -> Val | None:
        """A name that an import inside a function binds."""

    def assigned(self, state: State, base: Val, target: tree.Member, value: Val) -> None:
        """A member of a value is set."""

    def typed(self, state: State, value: Val, type_text: str) -> Val:
        """A value whose type is written down."""

    def called_back(self, state: State, node: tree.Call, func: Val, args: tuple[Val, ...]) -> Val | None:
        """A function of the project that is handed to a method as its callback."""

    def asks(self, source: bytes) -> bool:
        """Whether a handler of an event, by its source, may ask the server for something, so that it is worth a walk."""


class Language(Protocol):
    """The words of a language. Every method returns None for what it does not know.

    `function_scoped` says that names belong to the whole function, so that an assignment makes a variable a new one in each round;
    `loose_equality` that `== null` holds for what is missing too.
    """

    function_scoped: bool
    loose_equality: bool

    def composed(self, state: State, node: tree.Expr, values: list[Val]) -> Val | None:
        """Text put together by a constant, a template, or an operator from these values."""

    def sized(self, node: tree.Expr) -> tree.Expr | None:
        """The expression whose size this one asks for: `xs` in `xs.length`, in `len(xs)`."""

    def measured(self, state: State, node: tree.Expr, work: Work, sized: tree.Expr, most: Value | None = None) -> Val:
        """Ask for the size of `sized` by `node`, whether it is more than `most` or as many; returns the collection."""

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """A member that every value of some kind has."""

    def method(self, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
        """A method of a collection, a text, a promise."""

    def owned(self, state: State, node: tree.Call, owner: str, name: str) -> Val | None:
        """A method of a global object."""

    def function(self, state: State, node: tree.Call, name: tree.Expr, func: Val) -> Val | None:
        """A global function or constructor."""

    def index(self, state: State, base: Val, node: tree.Index) -> Val | None:
        """An element or a slice, where the language has more to say than its place."""

    def contains(self, state: State, node: tree.Op) -> Val | None:
        """`item in collection`."""

    def arguments(self, state: State, node: tree.Call, fn: tree.Fn | None) -> tuple[Val, ...]:
        """The values of a call's arguments, in the order of the parameters of `fn` where that is known."""
