"""Functions that only tests use: nobody waits for them, whatever they cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from querylint.ir import Role
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

WORD = re.compile(rb"[A-Za-z_]\w*")
DECLARATIVE = (".toml", ".cfg", ".ini", ".yaml", ".yml")  # where entry points are named
MOST_BYTES = 400_000


def only_tried(project: PythonProject) -> frozenset[str]:
    """The functions at the top of modules, by module and name, that tests call by name and that nothing else names.

    What a decorator registers is used by it, and what tests name in a text may be asked for by that text elsewhere.
    """
    code = [path for path in project.files if path.endswith(".py") and project.role(path) is not Role.TEST]
    tests = [
        source for path in project.files if path.endswith(".py") and project.role(path) is Role.TEST and (source := _read(project, path))
    ]
    if not tests:
        return frozenset()
    places: dict[bytes, list[str]] = {}
    for path in code:
        module = project.modules.module(path) if project.role(path) is Role.CODE else None
        for statement in module.body if module is not None else ():
            if isinstance(statement, tree.FnDef) and not statement.fn.decorators and not statement.fn.name.startswith("__"):
                places.setdefault(statement.fn.name.encode(), []).append(f"{path}::{statement.fn.name}")
    named: Counter[bytes] = Counter()
    for path in (*code, *(p for p in project.files if p.endswith(DECLARATIVE))):
        named.update(word for word in WORD.findall(_read(project, path)) if word in places)
    rest = [name for name, keys in places.items() if named[name] <= len(keys)]
    return frozenset(key for name in rest if _called(name, tests) for key in places[name])


def _called(name: bytes, tests: Iterable[bytes]) -> bool:
    texts = (b'"' + name + b'"', b"'" + name + b"'")
    holding = [source for source in tests if name in source]
    return any(name + b"(" in source for source in holding) and not any(text in source for source in holding for text in texts)


def _read(project: PythonProject, path: str) -> bytes:
    source = project.modules.source(path) or b""
    return source if len(source) <= MOST_BYTES else b""
