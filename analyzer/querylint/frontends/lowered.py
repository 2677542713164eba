"""What every front end hands on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import field
from typing import ClassVar, Protocol

from querylint.construction import dataclass
from querylint.frontends.kept import KeptParts
from querylint.frontends.packed import Sealed
from querylint.ir import Function, Role, Schema
from querylint.ir.outline import Outline, outline
from querylint.result import Note


class Functions(Sealed[tuple[Function, ...]]):
    """The functions of one file."""

    __slots__ = ()
    FORM: ClassVar[object] = tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class LoweredFile:
    """One file: its functions, and what these say to the rest of the project."""

    path: str
    functions: Functions
    outline: Outline

    @classmethod
    def of(cls, path: str, functions: tuple[Function, ...]) -> LoweredFile:
        """A file that holds these functions."""
        return cls(path, Functions(functions), outline(functions))


@dataclass(frozen=True, slots=True)
class Lowered:
    """What a front end hands on: files, schemas by root, notes, roots, the files that it read closely, and names used indirectly.

    `mentioned` are the routes of functions that code outside of tests names, called or not, and the keys of helpers whose names are handed
    on; `manual` the routes that a comment tells people to run by hand. `aliases` are further routes, by root, of functions that other
    files pass on.
    """

    files: tuple[LoweredFile, ...] = ()
    schemas: dict[str, Schema] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    roots: tuple[str, ...] = ()
    analysed: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    manual: frozenset[str] = frozenset()
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions of all files."""
        return tuple(function for file in self.files for function in file.functions.value)


class FrontEnd(Protocol):
    """Reads one kind of code in a project."""

    def lower(self) -> Lowered:
        """Everything that the project says in this kind of code."""


Make = Callable[[Collection[str], Collection[str], Callable[[str], bytes | None], Callable[[str], Role], KeptParts | None], FrontEnd]


def together(parts: Collection[Lowered]) -> Lowered:
    """What several front ends say of one project."""
    schemas: dict[str, Schema] = {}
    aliases: dict[tuple[str, str], str] = {}
    for part in parts:
        schemas |= part.schemas
        aliases |= part.aliases
    return Lowered(
        tuple(file for part in parts for file in part.files),
        schemas,
        tuple(n for part in parts for n in part.notes),
        tuple(r for part in parts for r in part.roots),
        tuple(sorted({path for part in parts for path in part.analysed})),
        frozenset().union(*(part.words for part in parts)),
        frozenset().union(*(part.mentioned for part in parts)),
        frozenset().union(*(part.manual for part in parts)),
        aliases,
    )
