"""Schedules that are written down as data: the beat of Celery names its tasks by their dotted names, or is handed their signatures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import keyword, last_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.modules import PythonModules

TABLE = Pattern(r"^(?:celery_?)?beat_?schedule$", re.IGNORECASE)
RELEVANT = (b"beat_schedule", b"beatschedule", b"add_periodic_task")
DECLARED = Pattern(rb"\bname\s*=\s*[\"']")
SIGNED = frozenset(("s", "si", "signature"))


def beaten(modules: PythonModules, paths: Iterable[str]) -> frozenset[str]:
    """The functions that a beat starts, by module and name."""
    files = list(paths)
    found: set[str] = set()
    unknown: set[str] = set()
    for path in files:
        source = (modules.source(path) or b"").lower()
        if not any(word in source for word in RELEVANT):
            continue
        module = modules.module(path)
        for node in tree.walk(module.body if module is not None else []):
            for task in (name for table in _tables(node) for name in _tasks(table)):
                key = by_name(modules, path, task)
                (found if key else unknown).add(key or task)
            if isinstance(node, tree.Call) and last_name(node.func) == "add_periodic_task":
                found |= {key for arg in node.args if (key := _signed(modules, path, arg))}
    return frozenset(found | _declared(modules, files, unknown)) if unknown else frozenset(found)


def sets_up(modules: PythonModules, path: str, fn: tree.Fn) -> bool:
    """Whether a function plans what a beat starts: it runs when a worker does."""
    if b"add_periodic_task" not in (modules.source(path) or b""):
        return False
    return any(isinstance(node, tree.Call) and last_name(node.func) == "add_periodic_task" for node in tree.walk(fn.body))


def _tables(node: object) -> Iterator[tree.Expr]:
    """What is assigned to a schedule, item by item too, or handed over by its name."""
    if isinstance(node, tree.Assign):
        target = node.target
        value = node.value.value if isinstance(node.value, tree.Typed) else node.value
        if isinstance(target, tree.NamePattern):
            name = target.id
        elif isinstance(target, tree.Index):
            name, value = last_name(target.base), tree.Record([("", value)], value.at, value.end)
        else:
            name = last_name(target) if isinstance(target, tree.Member) else ""
        if TABLE.match(name):
            yield value
    elif isinstance(node, tree.Call):
        yield from (value for name, value in node.keywords if TABLE.match(name))


def _tasks(table: tree.Expr) -> Iterator[str]:
    for entry in table.entries if isinstance(table, tree.Record) else ():
        fields = {key: value for key, value in entry[1].entries if isinstance(key, str)} if isinstance(entry[1], tree.Record) else {}
        if task := text_of(fields.get("task")):
            yield task


def _signed(modules: PythonModules, path: str, arg: tree.Expr) -> str:
    """The function of `report.s(...)`."""
    if not isinstance(arg, tree.Call) or not isinstance(arg.func, tree.Member) or arg.func.name not in SIGNED:
        return ""
    given = modules.reference(path, arg.func.base)
    return given.function if given is not None else ""


def by_name(modules: PythonModules, path: str, dotted: str) -> str:
    """The function that a text names by its module, or the method of an object that stands there; empty where there is none."""
    source, _, name = dotted.rpartition(".")
    home = modules.resolve(path, source) if source else None
    found = modules.definition(home, name) if home is not None else None
    if found is not None:
        return found.function
    folder, _, holder = source.rpartition(".")
    home = modules.resolve(path, folder) if folder else None
    owner = modules.definition(home, holder) if home is not None else None
    if owner is not None and isinstance(owner.node, tree.Call):
        owner = modules.reference(owner.path, owner.node.func)
    if owner is None or not isinstance(owner.node, tree.ClassDef) or all(fn.name != name for fn in owner.node.methods):
        return ""
    return f"{owner.path}::{owner.name}.{name}"


def _declared(modules: PythonModules, paths: Iterable[str], wanted: set[str]) -> set[str]:
    """Tasks whose decorator gives them a name of their own."""
    found: set[str] = set()
    for path in paths:
        source = modules.source(path) or b""
        if not DECLARED.search(source) or not any(name.encode() in source for name in wanted):
            continue
        module = modules.module(path)
        for statement in module.body if module is not None else ():
            if isinstance(statement, tree.FnDef) and any(_name_of(d) in wanted for d in statement.fn.decorators):
                found.add(f"{path}::{statement.fn.name}")
    return found


def _name_of(decorator: tree.Expr) -> str:
    return text_of(keyword(decorator, "name")) if isinstance(decorator, tree.Call) else ""
