"""What expressions come to when they are evaluated without running them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import Enum
from typing import Union

from querylint.construction import dataclass
from querylint.syntax import tree
from querylint.syntax.tree import UNDEFINED, Missing


class Unknown(Enum):
    """The absence of knowledge, which is a value here."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown.UNKNOWN
MOST_PARTS = 50_000
"""How many parts of a constant are written out."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a call is written. `name` is the word before its parenthesis, which starts at `name_at`; `method` says that it is a member."""

    path: str
    at: int
    end: int
    name: str = ""
    name_at: int = 0
    method: bool = False


class Thing:
    """A value that a front end understands: the base of its own."""

    __slots__ = ()

    def member(self, name: str) -> Value:
        """What `thing.name` is."""
        return UNKNOWN

    def call(self, args: Sequence[Value], site: Site) -> Value:
        """What `thing(...args)` is."""
        return UNKNOWN

    def blurred(self) -> Value:
        """The same after code that is not understood may have changed it."""
        return UNKNOWN


@dataclass(frozen=True, slots=True)
class Method(Thing):
    """A function of ours that code may call."""

    run: Callable[[Sequence[Value], Site], Value]

    def call(self, args: Sequence[Value], site: Site) -> Value:
        """What it gives."""
        return self.run(args, site)


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of a record: its value and where it is written. Its key lies between `low` and `at`."""

    value: Value
    path: str = ""
    low: int = 0
    at: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a record or an array that could not be read: there may be more members than are listed."""

    path: str
    at: int
    end: int
    value: Value


@dataclass(frozen=True, slots=True)
class RecordValue:
    """An object with the members that are known."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class ArrayValue:
    """An array; not `complete` where there may be more items, anywhere."""

    items: tuple[Value, ...]
    complete: bool = True


class Scope:
    """The variables of a function call, or (without an outer one) of a module."""

    __slots__ = ("names", "outer", "path")

    def __init__(self, path: str, names: dict[str, Value] | None = None, outer: Scope | None = None) -> None:
        self.path = path
        self.names = names if names is not None else {}
        self.outer = outer

    def home(self, name: str) -> Scope | None:
        """The scope that binds a name, None for the module's own names."""
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.outer
        return scope


@dataclass(frozen=True, slots=True)
class Closure:
    """A function of the project and the variables that it sees."""

    fn: tree.Fn
    scope: Scope


@dataclass(frozen=True, slots=True)
class Namespace:
    """A module of the project as a value."""

    path: str


@dataclass(frozen=True, slots=True)
class External:
    """Something that a package exports; members of it are written with dots."""

    specifier: str
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values; which, only a run can tell."""

    options: tuple[Value, ...]


Value = Union[str, int, float, bool, None, Missing, Unknown, RecordValue, ArrayValue, Closure, Namespace, External, Choice, Thing]


def options(value: Value) -> tuple[Value, ...]:
    """The values that a value may be."""
    return value.options if isinstance(value, Choice) else (value,)


def choice(*values: Value) -> Value:
    """One of these values, said as simply as can be."""
    found: list[Value] = []
    for value in values:
        for option in options(value):
            if not any(option is other or (type(option) is type(other) and option == other) for other in found):
                found.append(option)
    return found[0] if len(found) == 1 else Choice(tuple(found)) if found else UNKNOWN


def truth(value: Value) -> bool | None:
    """Whether a condition holds; None where it may or may not."""
    match value:
        case Choice():
            answers = {truth(option) for option in value.options}
            return answers.pop() if len(answers) == 1 else None
        case Unknown() | External() | Thing():
            return None
        case None | Missing():
            return False
        case str() | int() | float():
            return bool(value)
    return True


def text(value: Value) -> str | None:
    """What a template string shows of a value; None where that is not known."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
        case None:
            return "null"
        case Missing():
            return "undefined"
    return None


def constant(value: Value) -> object:
    """A value as Python has it: text, numbers, lists, dicts; UNKNOWN, whole or in parts, for the rest."""
    return _constant(value, [MOST_PARTS])


def _constant(value: Value, left: list[int]) -> object:
    """The same, as long as there is room: objects that hold one another several times are written out each time."""
    left[0] -= 1
    if left[0] < 0:
        return UNKNOWN
    match value:
        case RecordValue():
            return UNKNOWN if value.gaps else {key: _constant(one.value, left) for key, one in value.entries.items()}
        case ArrayValue():
            return [_constant(item, left) for item in value.items] if value.complete else UNKNOWN
        case str() | int() | float() | None | Missing():
            return value
    return UNKNOWN


def blurred(value: Value) -> Value:
    """A value after code that is not understood may have changed it."""
    match value:
        case RecordValue():
            return RecordValue(value.entries, (*value.gaps, Gap("", 0, 0, UNKNOWN)))
        case ArrayValue():
            return ArrayValue(value.items, complete=False)
        case Choice():
            return choice(*map(blurred, value.options))
        case Thing():
            return value.blurred()
        case Closure() | Namespace() | External():
            return value
    return UNKNOWN


__all__ = [
    "UNDEFINED", "UNKNOWN", "ArrayValue", "Choice", "Closure", "Entry", "External", "Gap", "Method", "Missing", "Namespace",
    "RecordValue", "Scope", "Site", "Thing", "Unknown", "Value", "blurred", "choice", "constant", "options", "text", "truth",
]  # fmt: skip
