"""Modules that are not lowered again while all that they were lowered from stays: themselves, what they import, and the tables they ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.modules import Modules
from querylint.ir import Field, Function, Table

IMPORTED = re.compile(rb"""\b(?:from|import|require)\b\s*\(?\s*(["'`])([^"'`\n]+)\1""")


@dataclass(frozen=True, slots=True)
class _Part:
    """The functions of one module, with what they were made from: sources by path, its place, and the tables that it asked by name."""

    around: Mapping[str, bytes | None]
    place: object
    tables: Mapping[str | None, Table | None]
    functions: list[Function]


class KeptModules:
    """What was made of modules in one state of a project, for the next state; `parts` is where it stays meanwhile."""

    def __init__(self, parts: dict[str, object], modules: Modules) -> None:
        self._parts = parts
        self._modules = modules
        self._imports: dict[str, tuple[str, ...]] = {}

    def functions(self, context: ModuleContext, place: object, lower: Callable[[], list[Function]]) -> list[Function]:
        """The functions of a module, from the state before where nothing has changed for it, else by `lower`."""
        known = self._parts.get(context.path)
        if isinstance(known, _Part) and known.place == place and self._same(known, context):
            return list(known.functions)
        made = lower()
        around = {path: self._modules.source(path) for path in self._around(context.path)}
        tables = {name: _plain(context.table(name)) for name in sorted(context.asked, key=str)}
        self._parts[context.path] = _Part(around, place, tables, list(made))
        return made

    def _same(self, known: _Part, context: ModuleContext) -> bool:
        if any(self._modules.source(path) != source for path, source in known.around.items()):
            return False
        return all(_plain(context.table(name)) == table for name, table in known.tables.items())

    def _around(self, path: str) -> list[str]:
        """The module and all that it imports, directly or not."""
        found = [path]
        seen = {path}
        for here in found:
            for other in self._imported(here):
                if other not in seen:
                    seen.add(other)
                    found.append(other)
        return found

    def _imported(self, path: str) -> tuple[str, ...]:
        if path not in self._imports:
            words = {match[2].decode("utf-8", "replace") for match in IMPORTED.finditer(self._modules.source(path) or b"")}
            homes = (self._modules.resolve(path, word) for word in sorted(words))
            self._imports[path] = tuple(home for home in homes if home is not None)
        return self._imports[path]


def _plain(table: Table | None) -> Table | None:
    """A table without the places where it and its parts are declared, which move when the file is edited."""
    if table is None:
        return None
    indexes = tuple(replace(index, span=None) for index in table.indexes)
    fields = tuple(_bare(field) for field in table.fields) if table.fields is not None else None
    return replace(table, span=None, indexes=indexes, fields=fields)


def _bare(field: Field) -> Field:
    return replace(field, span=None)
