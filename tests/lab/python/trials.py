"""Runs Python code before and after its fixes on the real Django and SQLAlchemy, with SQLite, on random rows; prints what came of it.

`python trials.py trials.json`: a list of trials, each with a stack, the folders before and after, and the files whose functions are called.
Every side runs in a process of its own, since settings, models and modules are those of one process.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import random
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import values
from missing import MissingRowError


class Stack(Protocol):
    """A database with the models of one folder."""

    def fill(self, chance: random.Random) -> None: ...

    def given(self, kind: object, name: str, chance: random.Random) -> object: ...

    def run(self, function: Any, arguments: dict[str, object]) -> tuple[object, int]: ...

    loaded: int
    """How many values the last run has fetched."""

    together: int
    """How many connections the last run has had at most at one time."""

    def stored(self) -> object: ...


def side(stack: str, folder: Path, files: list[str], seeds: int) -> list[dict[str, object]]:
    """Each function of the files on each set of rows: its result or error, what is stored then, and how many statements it took."""
    sys.path.insert(0, str(folder))
    database: Stack = importlib.import_module(f"{stack}_side").Side(folder)
    found: list[dict[str, object]] = []
    for module_name, name, function in _functions(files):
        for seed in range(seeds):
            chance = random.Random(f"{module_name}.{name}/{seed}")
            database.fill(chance)
            try:
                arguments = _arguments(database, function, chance)
            except MissingRowError:
                continue
            try:
                result, statements = database.run(function, arguments)
                error = None
            except Exception as failure:
                result, statements, error = None, -1, f"{type(failure).__name__}: {failure}"
            loaded = database.loaded
            found.append(
                {"function": f"{module_name}.{name}", "seed": seed, "result": values.plain(result), "error": error,
                 "stored": values.plain(database.stored()), "statements": statements, "loaded": loaded,
                 "together": database.together}
            )  # fmt: skip
    return found


def _functions(files: list[str]) -> Iterator[tuple[str, str, Any]]:
    for path in files:
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        for name, held in sorted(vars(module).items()):
            if getattr(held, "__module__", None) != module.__name__ or name.startswith("_"):
                continue
            if inspect.isfunction(held) or (inspect.isclass(held) and _is_view(held)):
                yield module.__name__, name, held


def _is_view(held: type) -> bool:
    return any(base.__name__ in ("GenericViewSet", "ModelAdmin") for base in held.__mro__[1:])


def _arguments(database: Stack, function: Any, chance: random.Random) -> dict[str, object]:
    if inspect.isclass(function):
        return {}
    hints = typing.get_type_hints(function)
    return {name: database.given(hints[name], name, chance) for name in inspect.signature(function).parameters}


def _apart(trial: dict[str, Any], which: str) -> list[dict[str, object]]:
    """One side in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            answer: object = side(trial["stack"], Path(trial[which]), trial["files"], trial["seeds"])
        except BaseException as failure:  # whatever it is, the parent has to hear of it
            answer = f"{type(failure).__name__}: {failure}"
        with os.fdopen(writing, "w") as out:
            json.dump(answer, out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as source:
        answer = json.load(source)
    os.waitpid(child, 0)
    if isinstance(answer, str):
        raise SystemExit(f"{trial['name']} {which}: {answer}")
    return answer


READY = ("django.db.models.sql.compiler", "django.db.backends.sqlite3.base", "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.sqlite")
"""Modules that are loaded once for all sides, since they keep nothing of a project."""


def main(path: str) -> None:
    """Run all trials."""
    for module in READY:
        importlib.import_module(module)
    found = [
        {"name": trial["name"], "before": _apart(trial, "before"), "after": _apart(trial, "after")}
        for trial in json.loads(Path(path).read_text())
    ]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
