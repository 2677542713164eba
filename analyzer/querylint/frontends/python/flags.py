"""Names that hold one truth value wherever the project sets them: what a test of another one comes to is not known."""

from __future__ import annotations

import re

from querylint.construction import replace
from querylint.frontends.flow.values import Many, Record, Shape, Val, either_way
from querylint.frontends.python.modules import PythonModules
from querylint.ir import NOT_LITERAL

GIVEN = rb"\b%s\b(?:[\"']|\s*(?::[^=\n]{0,80})?[-+*/|&^%%]?=(?!=)\s*(?:(True|False)\b)?)"


class Flags:
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
        return replace(value, literal=NOT_LITERAL)

    def loose(self, value: Val, name: str) -> Val:
        """A value of that name as whoever asks later finds it."""
        return self.entries(self.steady(value, name))

    def entries(self, value: Val) -> Val:
        """A dictionary or list that others can get at, without the truth values in it: anybody may put others there."""
        shape = value.shape
        if isinstance(shape, Record) and value.doc_of is None:
            made: Shape = replace(shape, fields={name: self.entries(either_way(inner)) for name, inner in shape.fields.items()})
        elif isinstance(shape, Many) and shape.items is not None:
            made = replace(shape, items=tuple(self.entries(either_way(inner)) for inner in shape.items))
        else:
            return value
        return replace(value, shape=made)

    def _always(self, name: str) -> bool | None:
        if name not in self._known:
            self._known[name] = self._found(name.encode())
        return self._known[name]

    def _found(self, name: bytes) -> bool | None:
        pattern = re.compile(GIVEN % re.escape(name))
        given: set[bytes | None] = set()
        for path in self._modules.files:
            source = self._modules.source(path)
            if source is not None and name in source:
                given.update(found[1] for found in pattern.finditer(source))
        only = next(iter(given)) if len(given) == 1 else None
        return only == b"True" if only is not None else None
