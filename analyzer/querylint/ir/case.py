"""What the arguments of a call decide in the function that is called."""

from __future__ import annotations

from querylint.construction import dataclass
from querylint.ir.value import NOT_LITERAL, Origin, Path
from querylint.text import Span


@dataclass(frozen=True, slots=True)
class Test:
    """A question that a parameter, or a part of it, alone decides: whether it is `literal`, or whether it is true where there is none.

    `holds` is the answer that is looked for, `default` the constant that stands for what is not given.
    """

    origin: Origin
    literal: object
    holds: bool
    default: object = NOT_LITERAL


@dataclass(frozen=True, slots=True)
class Case:
    """A stretch of a function that runs only in one of some `ways`: each is a list of tests that all come out so."""

    span: Span
    ways: tuple[tuple[Test, ...], ...]


@dataclass(frozen=True, slots=True)
class Handed:
    """What the source says of one argument: which of its parts are `constants`, which are parameters of the caller `passed` on unchanged.

    `fields` are those that an object may have at all, None where it is not written out; `lengths` the number of items of lists that are.
    """

    constants: tuple[tuple[Path, object], ...] = ()
    passed: tuple[tuple[Path, Origin], ...] = ()
    fields: tuple[str, ...] | None = None
    lengths: tuple[tuple[Path, int], ...] = ()
