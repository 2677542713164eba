"""What is tried, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Freedom:
    """What a change may do differently, since it says so.

    `order`: rows may come in another one. `errors`: another error may be thrown where there was one. `numbers`: NaN and -0 may be compared
    in another way. `reads`: documents may be scanned where none were. `pages`: it may be known earlier that a page is the last.
    """

    order: bool = False
    errors: bool = False
    numbers: bool = False
    reads: bool = False
    pages: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """A change of some files, by path from the root of the project, and the functions that are to stay the same, by their routes.

    `modules` are the files that hold the functions of the backend, `schema` the one that declares its tables. `tables` are those that get
    rows, None for all; `words` are texts that the code compares with. `marks` are the lines of the marks in what is changed (`marked`).
    """

    functions: tuple[str, ...]
    changed: Mapping[str, bytes]
    modules: tuple[str, ...]
    schema: str | None
    freedom: Freedom = Freedom()
    words: tuple[str, ...] = ()
    tables: tuple[str, ...] | None = None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One case in which a change makes a difference, with as few documents as still show it. `seed` gives it again."""

    seed: int
    what: str
    documents: list[tuple[str, list[Any]]]
    args: Any
    caller: Any
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one function: the cases that were compared, those of them that ended in an error, and the documents that were scanned.

    `difference` is a case that shows one; `reason` says why there is nothing to compare, or what some cases could not be run for. `reached`
    are the lines of the change that cases ran which succeed.
    """

    function: str
    cases: int = 0
    errors: int = 0
    before: int = 0
    after: int = 0
    difference: Case | None = None
    reason: str = ""
    reached: frozenset[str] = frozenset()

    @property
    def verified(self) -> bool:
        """Whether cases that succeed were compared, and none differs."""
        return self.difference is None and self.cases > self.errors


@dataclass(slots=True)
class Tally:
    """The cases of one function so far, and why others could not be run, by how often."""

    cases: int = 0
    errors: int = 0
    before: int = 0
    after: int = 0
    troubles: dict[str, int] = field(default_factory=dict)
    reached: set[int] = field(default_factory=set)

    def trouble(self, reason: str) -> None:
        """Count a case that tells nothing."""
        self.troubles[reason] = self.troubles.get(reason, 0) + 1

    @property
    def worst(self) -> str:
        """The commonest reason, empty if there is none."""
        return max(self.troubles, key=lambda reason: self.troubles[reason]) if self.troubles else ""
