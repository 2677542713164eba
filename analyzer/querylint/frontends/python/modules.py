"""The Python modules of one project: where imports lead, and what a name at the top of a module stands for."""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable, Collection
from dataclasses import field

from querylint.construction import dataclass
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.python import UnreadableError, lower_module
from querylint.text import LineIndex

DEEPEST = 12
INIT = "__init__.py"
DEFINED = Pattern(rb"^(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)
GLOBAL = Pattern(rb"^[ \t]+global[ \t]+([^\n#;]+)", re.MULTILINE)
WORD = Pattern(rb"\w+")


@dataclass(frozen=True, slots=True)
class Definition:
    """What a name stands for: a function, class or value of the project (`node`), a module (`module`), or outside code by dotted name."""

    path: str = ""
    name: str = ""
    node: tree.FnDef | tree.ClassDef | tree.Expr | None = None
    module: bool = False
    external: str = ""

    @property
    def function(self) -> str:
        """The key of the function that it is; empty for anything else."""
        return f"{self.path}::{self.name}" if isinstance(self.node, tree.FnDef) else ""


@dataclass(slots=True)
class Names:
    """The names of one module: what it defines, what it imports, and the modules that it takes everything from."""

    own: dict[str, tree.FnDef | tree.ClassDef | tree.Expr] = field(default_factory=dict)
    imported: dict[str, tree.Import] = field(default_factory=dict)
    stars: list[tree.Import] = field(default_factory=list)


class PythonModules:
    """The Python files of one project, parsed when first asked for.

    A folder counts as a place that absolute imports start from where it holds the first segment and is no package itself: the folder of
    `manage.py` or `pyproject.toml`, `src`, a folder of applications. The one nearest to the importer wins. A package counts as well where
    its own files import from it so: something puts it on the path, or the program is started in it.
    """

    def __init__(
        self, files: Collection[str], read: Callable[[str], bytes | None], parse: Callable[[str, bytes], tree.Module] = lower_module
    ) -> None:
        self._parse = parse
        self.files = frozenset(f for f in files if f.endswith(".py"))
        self._read = read
        self._folders: set[str] = set()
        self._tops: dict[str, list[str]] = {}
        self._inner: dict[str, list[str]] = {}
        self._on_path: dict[tuple[str, str], bool] = {}
        self._modules: dict[str, tree.Module | None] = {}
        self._names: dict[str, Names] = {}
        self._found: dict[tuple[str, str], Definition | None] = {}
        self._resolved: dict[tuple[str, str], str | None] = {}
        self._lines: dict[str, LineIndex] = {}
        self._rebound: dict[str, frozenset[str]] = {}
        self.unreadable: dict[str, UnreadableError] = {}
        self._survey()

    def _survey(self) -> None:
        packages = {posixpath.dirname(f) for f in self.files if posixpath.basename(f) == INIT}
        for path in self.files:
            folder = posixpath.dirname(path)
            while folder and folder not in self._folders:
                self._folders.add(folder)
                folder = posixpath.dirname(folder)
        for thing in (*self._folders, *self.files):
            parent, name = posixpath.split(thing)
            if parent not in packages:
                self._tops.setdefault(name.removesuffix(".py"), []).append(parent)
            elif thing in self._folders:
                self._inner.setdefault(name, []).append(parent)

    def source(self, path: str) -> bytes | None:
        """The bytes of a file; None where it cannot be read."""
        return self._read(path)

    def lines(self, path: str) -> LineIndex:
        """The lines of a file."""
        if path not in self._lines:
            self._lines[path] = LineIndex(path, self._read(path) or b"")
        return self._lines[path]

    def module(self, path: str) -> tree.Module | None:
        """The tree of a file; None where it cannot be read."""
        if path not in self._modules:
            source = self._read(path) if path in self.files else None
            self._modules[path] = None
            if source is not None:
                try:
                    self._modules[path] = self._parse(path, source)
                except UnreadableError as problem:
                    self.unreadable[path] = problem
        return self._modules[path]

    def names(self, path: str) -> Names:
        """The names of a module."""
        if path not in self._names:
            self._names[path] = _names(self.module(path))
        return self._names[path]

    def rebound(self, path: str) -> frozenset[str]:
        """The names of a module to which functions of it give other values: `global ready`."""
        if path not in self._rebound:
            declared = GLOBAL.findall(self._read(path) or b"")
            self._rebound[path] = frozenset(name.decode() for names in declared for name in WORD.findall(names))
        return self._rebound[path]

    # Imports.

    def resolve(self, importer: str, source: str) -> str | None:
        """The project path of a module by its dotted name; a folder for a package without a file. None for outside code."""
        key = (posixpath.dirname(importer), source)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(importer, source)
        return self._resolved[key]

    def _resolve(self, importer: str, source: str) -> str | None:
        if source.startswith("."):
            folder = posixpath.dirname(importer)
            rest = source.lstrip(".")
            for _ in range(len(source) - len(rest) - 1):
                folder = posixpath.dirname(folder)
            return self._at(folder, rest)
        head = source.partition(".")[0]
        here = posixpath.dirname(importer)
        places = self._tops.get(head, ())
        for folder in sorted(places, key=lambda f: (not _within(here, f), -len(f) if _within(here, f) else len(f), f)):
            found = self._at(folder, source)
            if found is not None:
                return found
        if head not in sys.stdlib_module_names and (found := self._beside(here, source)) is not None:
            return found
        while here:
            here = posixpath.dirname(here)
            found = self._at(here, source) if f"{here}/{head}".lstrip("/") in self._folders else None
            if found is not None:
                return found
        if "." not in source:
            return None
        beside = posixpath.dirname(importer)  # the folder of a script, which is a package besides
        if f"{beside}/{head}" in self._folders:
            return self._at(beside, source)
        inner = [found for folder in self._inner.get(head, ()) if (found := self._at(folder, source)) and self._rooted(folder, head)]
        return inner[0] if len(inner) == 1 else None

    def _beside(self, folder: str, source: str) -> str | None:
        """A module in the folder of the importer or above it, where files there take from it by its bare name what it defines."""
        head = source.partition(".")[0]
        while folder:
            if f"{folder}/{head}.py" in self.files and self._taken_from(folder, head):
                return self._at(folder, source)
            folder = posixpath.dirname(folder)
        return None

    def _taken_from(self, folder: str, head: str) -> bool:
        """Whether a file of a package takes something from a module of it by the bare name that this module does define.

        The name alone tells little: `celery.py` of a package is another thing than the `celery` that it imports.
        """
        key = folder, f"{head}.py"
        if key not in self._on_path:
            defined = {one or other for one, other in DEFINED.findall(self._read(f"{folder}/{head}.py") or b"")}
            asked = re.compile(rb"^[ \t]*from[ \t]+%s[ \t]+import[ \t]+(\([^)]{0,4000}\)|[^\n#]*)" % re.escape(head.encode()), re.MULTILINE)
            others = (f for f in self.files if f.startswith(f"{folder}/") and f != f"{folder}/{head}.py")
            texts = (source for f in others if (source := self._read(f)) is not None and head.encode() in source)
            self._on_path[key] = any(not defined.isdisjoint(WORD.findall(names)) for source in texts for names in asked.findall(source))
        return self._on_path[key]

    def _rooted(self, folder: str, head: str) -> bool:
        """Whether files of a package import one of its own packages by its bare name."""
        key = folder, head
        if key not in self._on_path:
            words = (f"from {head}.".encode(), f"import {head}.".encode())
            others = (f for f in self.files if f.startswith(f"{folder}/") and not f.startswith(f"{folder}/{head}/"))
            self._on_path[key] = any(any(word in source for word in words) for f in others if (source := self._read(f)) is not None)
        return self._on_path[key]

    def _at(self, folder: str, dotted: str) -> str | None:
        base = posixpath.join(folder, *dotted.split(".")) if dotted else folder
        for path in (f"{base}/{INIT}", f"{base}.py"):
            if path in self.files:
                return path
        return base if base in self._folders else None

    # Names.

    def definition(self, path: str, name: str, depth: int = 0) -> Definition | None:
        """What a top-level name of a module stands for, through imports and re-exports; None for built-ins and what is not found."""
        key = (path, name)
        if key not in self._found:
            if depth > DEEPEST:
                return None
            self._found[key] = None
            self._found[key] = self._define(path, name, depth)
        return self._found[key]

    def _define(self, path: str, name: str, depth: int) -> Definition | None:
        names = self.names(path)
        node = names.own.get(name)
        if node is not None and not isinstance(node, tree.Name | tree.Member):
            return Definition(path, name, node)
        if node is not None:
            return self.reference(path, node, depth + 1) or Definition(path, name, node)
        item = names.imported.get(name)
        if item is not None:
            return self.imported(path, item, depth + 1)
        for star in names.stars:
            source = self.resolve(path, star.source)
            found = self.member(source, name, depth + 1) if source is not None else None
            if found is not None and not (found.external and name.startswith("_")):
                return found
        return None

    def imported(self, path: str, item: tree.Import, depth: int = 0) -> Definition | None:
        """What an import binds."""
        source = self.resolve(path, item.source)
        if source is None:
            dotted = item.source.lstrip(".")
            return Definition(external=dotted if item.name == "*" else f"{dotted}.{item.name}")
        if item.name == "*":
            return Definition(source, module=True)
        return self.member(source, item.name, depth)

    def member(self, path: str, name: str, depth: int = 0) -> Definition | None:
        """What `module.name` is: a name of the module, or a module inside the package."""
        if path.endswith(".py"):
            found = self.definition(path, name, depth)
            if found is not None:
                return found
        folder = posixpath.dirname(path) if path.endswith(INIT) else path
        inner = self._at(folder, name) if not path.endswith(".py") or path.endswith(INIT) else None
        return Definition(inner, module=True) if inner is not None else None

    def reference(self, path: str, node: tree.Expr, depth: int = 0) -> Definition | None:
        """What a dotted expression at the top of a module stands for."""
        if depth > DEEPEST:
            return None
        if isinstance(node, tree.Name):
            return self.definition(path, node.id, depth)
        if isinstance(node, tree.Index):
            return self.reference(path, node.base, depth)
        if isinstance(node, tree.Member):
            base = self.reference(path, node.base, depth)
            if base is None:
                return None
            if base.external:
                return Definition(external=f"{base.external}.{node.name}")
            if base.module:
                return self.member(base.path, node.name, depth)
            if isinstance(base.node, tree.ClassDef):
                inner = next((c for c in base.node.inner if c.name == node.name), None)
                return Definition(base.path, f"{base.name}.{node.name}", inner) if inner is not None else None
        return None


def _within(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _names(module: tree.Module | None) -> Names:
    names = Names()
    if module is None:
        return names
    for item in module.imports:
        if item.local == "*":
            names.stars.append(item)
        else:
            names.imported.setdefault(item.local, item)
    for statement in module.body:
        if isinstance(statement, tree.FnDef):
            names.own[statement.fn.name] = statement
        elif isinstance(statement, tree.ClassDef):
            names.own[statement.name] = statement
        elif isinstance(statement, tree.Do):
            value = statement.value
            while isinstance(value, tree.Assign) and value.sign == "=":
                if isinstance(value.target, tree.NamePattern):
                    names.own.setdefault(value.target.id, _value_of(value))
                value = value.value
    return names


def _value_of(node: tree.Assign) -> tree.Expr:
    value: tree.Expr = node
    while isinstance(value, tree.Assign):
        value = value.value
    return value
