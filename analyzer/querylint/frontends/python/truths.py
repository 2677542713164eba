"""Names that hold one truth value wherever the project sets them: what a test of another one comes to is not known."""

from __future__ import annotations

import re

from querylint.frontends.flow.values import Val, either_way
from querylint.frontends.python.modules import PythonModules

GIVEN = (
    rb"\bas\s+[\w.]*\b%(name)s\b"
    rb"|\b%(name)s\b(?:[\"']|\s+in\b|\s*,[^=\n]{0,200}=(?!=)"
    rb"|\s*(?::[^=\n]{0,80})?[-+*/|&^%%]?=(?!=)[ \t]*(?:(True|False)(?=[ \t]*(?:[#,;)\]}\r\n]|$)))?)"
)
"""Where a name is given something: by `as`, in quotes, by a loop, among several names, or alone, which may be a truth value and no more."""


class Truths:
    """What the whole project says of names that some class, method or module gives a truth value.

    Somebody else may set an attribute of that name on an object, a subclass may declare another value, and a function may say `global`.
    Whatever gives anything of that name another value counts, also by its name in quotes.
    """

    def __init__(self, modules: PythonModules) -> None:
        self._modules = modules
        self._known: dict[str, bool | None] = {}

    def steady(self, value: Val, name: str) -> Val:
        """A value of that name, without its truth value where another part of the project may give it another."""
        if not isinstance(value.literal, bool) or self._always(name) is value.literal:
            return value
        return either_way(value)

    def _always(self, name: str) -> bool | None:
        if name not in self._known:
            self._known[name] = self._found(name.encode())
        return self._known[name]

    def _found(self, name: bytes) -> bool | None:
        pattern = re.compile(GIVEN % {b"name": re.escape(name)})
        given: set[bytes | None] = set()
        for path in self._modules.files:
            source = self._modules.source(path)
            if source is not None and name in source:
                given.update(found[1] for found in pattern.finditer(source))
        only = next(iter(given)) if len(given) == 1 else None
        return only == b"True" if only is not None else None
