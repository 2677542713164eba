"""The tables of a project that speaks SQL: from its `.sql` files, and from the definitions in the texts of its programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.construction import replace
from querylint.frontends.python.project import PythonProject
from querylint.ir import Role, Table
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.sql import Definitions, definitions, script_order
from querylint.syntax.tree import HOLE

_DEFINES = Pattern(rb"CREATE\s+(?:TEMP\w*\s+)?(?:UNIQUE\s+)?(?:TABLE|INDEX)|ALTER\s+TABLE|DROP\s+(?:TABLE|INDEX)", re.IGNORECASE)
_DYNAMIC = Pattern(rb"(?<!def )\b(?:create|add)_index\(|_index_update\(|CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:%|\{)", re.IGNORECASE)
_INDEX = Pattern(r"CREATE\s+(?:UNIQUE\s+)?INDEX\b", re.IGNORECASE)
_STATEMENT = Pattern(r"\s*(?:--[^\n]*\n\s*)*(?:CREATE|ALTER|DROP|BEGIN|PRAGMA)\b", re.IGNORECASE)


def read_tables(project: PythonProject) -> dict[str, Table]:
    """Every table that is defined, by its name in lower case."""
    defined = Definitions()
    for path in script_order(p for p in project.files if project.role(p) not in (Role.TEST, Role.SEED)):
        source = project.modules.source(path)
        if source is not None:
            defined.script(path, source)
    known = True
    for path in sorted(p for p in project.modules.files if project.role(p) is not Role.TEST):
        source = project.modules.source(path)
        if source is None:
            continue
        words = source.lower()  # the words are looked for first: the patterns take far longer
        index = b"index" in words
        known = known and not (index and _DYNAMIC.search(source))
        if (index or b"table" in words) and _DEFINES.search(source):
            known = _from_texts(project, path, defined) and known
    tables = defined.schema("", "sql").tables.values()
    return {t.name.lower(): t if known else replace(t, indexes_known=False) for t in tables}


def _from_texts(project: PythonProject, path: str, defined: Definitions) -> bool:
    """Apply the definitions in the texts of a module; whether the indexes that it creates are all written down."""
    module = project.modules.module(path)
    if module is None:
        return True
    known = True
    lines = project.modules.lines(path)
    for node, text in sorted(_texts(module.body), key=lambda pair: pair[0].at):
        if _STATEMENT.match(text) and _DEFINES.search(text.encode("utf-8", "replace")):
            span = lines.span(node.at, node.end)
            for start, end in definitions(text):
                known = known and not (HOLE in text[start:end] and _INDEX.match(text, start, end))
                defined.statement(text[start:end], span)
    return known


def _texts(body: list[tree.Stmt]) -> Iterator[tuple[tree.Literal | tree.Template, str]]:
    inside: set[int] = set()
    for node in tree.walk(body):
        if isinstance(node, tree.Template):
            inside.update(id(part) for part in node.parts)
            yield node, "".join(str(p.value) if isinstance(p, tree.Literal) else HOLE for p in node.parts)
        elif isinstance(node, tree.Literal) and isinstance(node.value, str) and id(node) not in inside:
            yield node, node.value
