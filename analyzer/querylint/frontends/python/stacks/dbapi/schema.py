"""The tables of a project that speaks SQL: from its `.sql` files, and from the definitions in the texts of its programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.frontends.python.project import PythonProject
from querylint.ir import Role, Table
from querylint.syntax import tree
from querylint.syntax.sql import Definitions, definitions, script_order
from querylint.syntax.tree import HOLE

_DEFINES = re.compile(rb"CREATE\s+(?:TEMP\w*\s+)?(?:UNIQUE\s+)?(?:TABLE|INDEX)|ALTER\s+TABLE|DROP\s+(?:TABLE|INDEX)", re.IGNORECASE)
_STATEMENT = re.compile(r"\s*(?:--[^\n]*\n\s*)*(?:CREATE|ALTER|DROP|BEGIN|PRAGMA)\b", re.IGNORECASE)


def read_tables(project: PythonProject) -> dict[str, Table]:
    """Every table that is defined, by its name in lower case."""
    defined = Definitions()
    for path in script_order(p for p in project.files if project.role(p) not in (Role.TEST, Role.SEED)):
        source = project.modules.source(path)
        if source is not None:
            defined.script(path, source)
    for path in sorted(p for p in project.modules.files if project.role(p) is not Role.TEST):
        source = project.modules.source(path)
        if source is not None and _DEFINES.search(source):
            _from_texts(project, path, defined)
    return {t.name.lower(): t for t in defined.schema("", "sql").tables.values()}


def _from_texts(project: PythonProject, path: str, defined: Definitions) -> None:
    module = project.modules.module(path)
    if module is None:
        return
    lines = project.modules.lines(path)
    for node, text in sorted(_texts(module.body), key=lambda pair: pair[0].at):
        if _STATEMENT.match(text) and _DEFINES.search(text.encode("utf-8", "replace")):
            span = lines.span(node.at, node.end)
            for start, end in definitions(text):
                defined.statement(text[start:end], span)


def _texts(body: list[tree.Stmt]) -> Iterator[tuple[tree.Literal | tree.Template, str]]:
    inside: set[int] = set()
    for node in tree.walk(body):
        if isinstance(node, tree.Template):
            inside.update(id(part) for part in node.parts)
            yield node, "".join(str(p.value) if isinstance(p, tree.Literal) else HOLE for p in node.parts)
        elif isinstance(node, tree.Literal) and isinstance(node.value, str) and id(node) not in inside:
            yield node, node.value
