"""Where values come from: the thread that ties a row in memory to the read that brought it."""

from __future__ import annotations

from enum import Enum

from querylint.construction import dataclass

ITEM = "[]"
"""The path segment for an element of a collection."""

Path = tuple[str, ...]


class Root(Enum):
    """What an origin starts from: the result of a step, a parameter, something outside the function, or nobody knows."""

    STEP = "step"
    PARAM = "param"
    OUTER = "outer"


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that a value was taken from: a root, and the path of fields from it. `ref` is a step's number or a name."""

    root: Root
    ref: int | str
    path: Path = ()

    def at(self, *names: str) -> Origin:
        """The origin of a part of this."""
        return Origin(self.root, self.ref, (*self.path, *names))


class NotLiteral(Enum):
    """The absence of a literal, since None is one."""

    NOT_LITERAL = "not literal"


NOT_LITERAL = NotLiteral.NOT_LITERAL


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of one value.

    `parts` says which path inside the value holds something taken from where; the empty path is the value itself. `deps` are
    all the steps that had a hand in it. `text` is the source expression, shortened, for messages. `most` is the number of members of a
    collection that the code itself writes down; `mixed` says that a collection holds more than what came from its origins.
    """

    parts: tuple[tuple[Path, Origin], ...] = ()
    deps: frozenset[int] = frozenset()
    literal: object = NOT_LITERAL
    text: str = ""
    most: int | None = None
    mixed: bool = False

    @property
    def origins(self) -> tuple[Origin, ...]:
        """What the value itself may be."""
        parts = self.parts
        return tuple([o for path, o in parts if not path]) if parts else ()

    @property
    def constant(self) -> bool:
        """Whether the source writes the value down."""
        return self.literal is not NOT_LITERAL


UNKNOWN = Value()
