"""What every front end hands on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import field
from typing import Protocol

from querylint.construction import dataclass
from querylint.frontends.kept import Kept
from querylint.ir import Function, Role, Schema
from querylint.result import Note


@dataclass(frozen=True, slots=True)
class Lowered:
    """What a front end hands on: functions, schemas by root, notes, roots, the files that it read closely, and names used indirectly.

    `mentioned` are the routes of functions that code outside of tests names, called or not, and the keys of helpers whose names are handed
    on; `manual` the routes that a comment tells people to run by hand. `aliases` are further routes, by root, of functions that other
    files pass on.
    """

    functions: tuple[Function, ...] = ()
    schemas: dict[str, Schema] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    roots: tuple[str, ...] = ()
    analysed: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    manual: frozenset[str] = frozenset()
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)


class FrontEnd(Protocol):
    """Reads one kind of code in a project."""

    def lower(self) -> Lowered:
        """Everything that the project says in this kind of code."""


Make = Callable[[Collection[str], Collection[str], Callable[[str], bytes | None], Callable[[str], Role], Kept | None], FrontEnd]


def together(parts: Collection[Lowered]) -> Lowered:
    """What several front ends say of one project."""
    schemas: dict[str, Schema] = {}
    aliases: dict[tuple[str, str], str] = {}
    for part in parts:
        schemas |= part.schemas
        aliases |= part.aliases
    return Lowered(
        tuple(f for part in parts for f in part.functions),
        schemas,
        tuple(n for part in parts for n in part.notes),
        tuple(r for part in parts for r in part.roots),
        tuple(sorted({path for part in parts for path in part.analysed})),
        frozenset().union(*(part.words for part in parts)),
        frozenset().union(*(part.mentioned for part in parts)),
        frozenset().union(*(part.manual for part in parts)),
        aliases,
    )
