"""What answers about the modules of a project were taken from: files, and the files that imports were found to mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import TypeVar

from querylint.construction import dataclass

T = TypeVar("T")
Import = tuple[str, str]
"""The folder of an importer, and what it names."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The files that an answer was taken from, and the imports that were followed for it."""

    files: frozenset[str]
    imports: frozenset[Import]


@dataclass(slots=True)
class Trace:
    """Notes down what is looked at while an answer is made.

    An answer about a module that is kept in memory is not taken from its files a second time. What all answers about one module were ever
    taken from therefore counts for each of them: a little more than need be, never less.
    """

    _frames: list[set[str | Import]] = field(default_factory=lambda: [set()])
    _about: dict[str, set[str | Import]] = field(default_factory=dict)

    def saw(self, what: str | Import) -> None:
        """A file is looked at, or an import followed."""
        self._frames[-1].add(what)

    @contextmanager
    def about(self, path: str) -> Iterator[None]:
        """What is seen meanwhile belongs to answers about this module."""
        self._frames[-1].add(path)
        self._frames.append(self._about.setdefault(path, set()))
        try:
            yield
        finally:
            self._frames.pop()

    def during(self, make: Callable[[], T]) -> tuple[T, Taken]:
        """What `make` gives, and what it was taken from."""
        frame: set[str | Import] = set()
        self._frames.append(frame)
        try:
            made = make()
        finally:
            self._frames.pop()
        waiting, seen = list(frame), set(frame)
        while waiting:
            what = waiting.pop()
            more = self._about.get(what, set()) - seen if isinstance(what, str) else set()
            seen |= more
            waiting += more
        return made, Taken(frozenset(w for w in seen if isinstance(w, str)), frozenset(w for w in seen if not isinstance(w, str)))
