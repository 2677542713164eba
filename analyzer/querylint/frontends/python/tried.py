"""Functions that only tests use, and methods that nothing names: nobody waits for them, whatever they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from querylint.ir import Role
from querylint.pattern import Pattern
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

WORD = Pattern(rb"[A-Za-z_]\w*")
DECLARATIVE = (".toml", ".cfg", ".ini", ".yaml", ".yml")  # where entry points are named
PLAIN = ("django.db.models.", "typing.")
HOOKS = Pattern(
    r"__|a?save$|a?delete$|(?:full_)?clean|validate_|get_absolute_url$|natural_key$|a?refresh_from_db$|from_db$|get_next_|get_previous_|"
    r"get_deferred_fields$|serializable_value$|get_constraints$|check$|date_error_message$|unique_error_message$|prepare_database_save$|"
    r"_(?:do|perform|get|set|prepare|check|save)_"
)
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


def unnamed(project: PythonProject) -> frozenset[str]:
    """The methods of stored classes, by module and name, of which no code, test, template or setting says the name a second time.

    A framework may call by its own word what overrides a method of its classes, so those of classes with other bases than a plain model
    are left out, as is what a decorator registers.
    """
    places: dict[bytes, list[str]] = {}
    for info in project.rows.values():
        if all(name == "object" or name.startswith(PLAIN) for name in info.ancestry()):
            for fn in info.node.methods:
                if not fn.decorators and not HOOKS.match(fn.name):
                    places.setdefault(fn.name.encode(), []).append(f"{info.path}::{info.name}.{fn.name}")
    named: Counter[bytes] = Counter()
    for path in project.files if places else ():
        named.update(word for word in WORD.findall(_read(project, path)) if word in places)
    return frozenset(key for name, keys in places.items() if named[name] <= 1 for key in keys)


def _called(name: bytes, tests: Iterable[bytes]) -> bool:
    texts = (b'"' + name + b'"', b"'" + name + b"'")
    holding = [source for source in tests if name in source]
    return any(name + b"(" in source for source in holding) and not any(text in source for source in holding for text in texts)


def _read(project: PythonProject, path: str) -> bytes:
    source = project.modules.source(path) or b""
    return source if len(source) <= MOST_BYTES else b""
