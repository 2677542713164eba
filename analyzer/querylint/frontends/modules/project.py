"""The modules of one project, parsed when first asked for, and what their names stand for."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping

from querylint.frontends.modules import values
from querylint.frontends.modules.evaluate import Evaluator, Host
from querylint.frontends.modules.names import Definition, Names, entry
from querylint.frontends.modules.resolve import SUFFIXES, Resolver, generated_name
from querylint.frontends.modules.trace import Trace
from querylint.syntax import tree
from querylint.syntax.typescript import parse_module
from querylint.text import LineIndex

DEEPEST = 50
MOST_STEPS = 10_000
MOST_TREES = 256
LATELY = 64


class Modules:
    """One project's JavaScript and TypeScript.

    `files` are all its paths, manifests included, relative to its root and with forward slashes; `read` gives the bytes of one. `trace`
    notes down what answers are taken from.
    """

    def __init__(
        self, files: Collection[str], read: Callable[[str], bytes | None], parse: Callable[[str, bytes], tree.Module] | None = None
    ) -> None:
        self.files = frozenset(files)
        self._read = read
        self._parse = parse
        self._resolver = Resolver(self.files, read)
        self._sources: dict[str, bytes | None] = {}
        self._lines: dict[str, LineIndex] = {}
        self._modules: dict[str, tree.Module | None] = {}
        self._names: dict[str, Names | None] = {}
        self._definitions: dict[tuple[str, str], Definition | None] = {}
        self._exported: dict[tuple[str, str], Definition | None] = {}
        self._busy: set[tuple[str, str, str]] = set()
        self._constants: Evaluator | None = None
        self.trace = Trace()
        self._asked: dict[str, int] = {}
        self._turn = 0

    def source(self, path: str) -> bytes | None:
        """The bytes of a file; None where it cannot be read."""
        self.trace.saw(path)
        if path not in self._sources:
            self._sources[path] = self._read(path)
        return self._sources[path]

    def forget(self, path: str) -> None:
        """Let go of the bytes of a file, which are read again if anybody asks."""
        self._sources.pop(path, None)

    def lines(self, path: str) -> LineIndex | None:
        """The lines of a file; None where it cannot be read."""
        self.trace.saw(path)
        if path not in self._lines:
            source = self.source(path)
            if source is None:
                return None
            self._lines[path] = LineIndex(path, source)
        return self._lines[path]

    def module(self, path: str) -> tree.Module | None:
        """The tree of a file; None for what is no code of the project, or cannot be read."""
        self.trace.saw(path)
        self._asked[path] = self._turn
        if path not in self._modules:
            source = self.source(path) if path in self.files and path.endswith(SUFFIXES) else None
            self._modules[path] = None if source is None else (self._parse or parse_module)(path, source)
        return self._modules[path]

    def resolve(self, importer: str, specifier: str) -> str | None:
        """The project path of an import; None for packages, for Convex's generated code, and for what is not found."""
        self.trace.saw((posixpath.dirname(importer), specifier))
        return self._resolver.resolve(importer, specifier)

    def generated_folder(self, importer: str, specifier: str) -> str | None:
        """The functions folder whose generated code a specifier such as `../convex/_generated/api` names; None where none is found."""
        return self._resolver.generated_folder(importer, specifier)

    def manifests(self) -> Collection[str]:
        """The manifests that were asked for so far."""
        return self._resolver.manifests.asked()

    def record(self, path: str) -> Mapping[str, object]:
        """A JSON file of the project, comments allowed; empty where it is missing or holds no object."""
        return self._resolver.manifests.record(path)

    def definition(self, path: str, name: str) -> Definition | None:
        """What a top-level name of a module stands for, through imports, re-exports and aliases; None for globals."""
        return self._once(self._definitions, path, name, self._define)

    def exported(self, path: str, name: str) -> Definition | None:
        """What a module exports under a name."""
        return self._once(self._exported, path, name, self._export)

    def exports(self, path: str) -> Mapping[str, Definition]:
        """All that a module exports and that can be found, by exported name."""
        found: dict[str, Definition] = {}
        for file in self._star_files(path):
            names = self._table(file)
            for name in names.exports if names is not None else ():
                if name not in found and (file == path or name != "default"):
                    definition = self.exported(file, name)
                    if definition is not None:
                        found[name] = definition
        return found

    def refers(self, path: str, expr: tree.Expr) -> Definition | None:
        """What an expression of names and members stands for at the top level of a module: `ns.helper`, `tables.users`."""
        return self._refers(path, expr, 0)

    def constant(self, path: str, expr: tree.Expr) -> object:
        """The value of an expression at the top level of a module: text, numbers, lists, dicts; `UNKNOWN` for anything else.

        A list or a dict is only given where all its members are listed; those may be UNKNOWN in turn.
        """
        if self._constants is None:
            self._constants = Evaluator(self, Host(), MOST_STEPS)
        return values.constant(self._constants.top(path, expr))

    def afresh(self) -> None:
        """Turn to another file, or to none: nothing that leads back here is left then, so that all of this goes with the last who uses it.

        Constants are worked out anew, so that what they are taken from is seen. Trees that nobody has asked for lately are dropped, with
        all that holds parts of them: they take far more room than what is made of them. Who asks for one again has it parsed again.
        """
        self._constants = None
        self._turn += 1
        if self._turn % LATELY == 0 and len(self._modules) > MOST_TREES:
            old = {path for path in self._modules if self._asked.get(path, 0) < self._turn - LATELY}
            for kept in (self._modules, self._names, self._lines):
                for path in old:
                    kept.pop(path, None)
            for known in (self._definitions, self._exported):
                for key in [key for key, found in known.items() if key[0] in old or (found is not None and found.path in old)]:
                    del known[key]

    def _once(
        self,
        known: dict[tuple[str, str], Definition | None],
        path: str,
        name: str,
        find: Callable[[str, str], Definition | None],
    ) -> Definition | None:
        """An answer kept; a question that comes up while it is being answered has none."""
        key = (path, name)
        self.trace.saw(path)
        if key in known:
            kept = known[key]
            self._asked[path] = self._turn
            if kept is not None:
                self._asked[kept.path] = self._turn
            return kept
        active = (find.__name__, *key)
        if active in self._busy:
            return None
        self._busy.add(active)
        try:
            with self.trace.about(path):
                found = find(path, name)
        finally:
            self._busy.discard(active)
        known[key] = found
        return found

    def _table(self, path: str) -> Names | None:
        self.trace.saw(path)
        self._asked[path] = self._turn
        if path not in self._names:
            module = self.module(path)
            self._names[path] = None if module is None else Names(module, self.source(path) or b"")
        return self._names[path]

    def _define(self, path: str, name: str) -> Definition | None:
        names = self._table(path)
        if names is None:
            return None
        node = names.values.get(name)
        if node is not None:
            return Definition(path, name, node, mutable=True) if name in names.mutable else self._aliased(path, name, node)
        imported = names.imports.get(name)
        if imported is not None:
            return self._from(path, imported.source, imported.name, name)
        return Definition(path, name, None) if name in names.types else None

    def _aliased(self, path: str, name: str, node: tree.Expr | tree.FnDef) -> Definition:
        """What a variable is another word for, or the variable itself."""
        plain = node
        while isinstance(plain, tree.Typed):
            plain = plain.value
        if isinstance(plain, tree.Name | tree.Member):
            found = self._refers(path, plain, 0)
            if found is not None:
                return found
        return Definition(path, name, node)

    def _refers(self, path: str, expr: tree.Expr, depth: int) -> Definition | None:
        match expr:
            case tree.Typed(value=inner):
                return self._refers(path, inner, depth)
            case tree.Name(id=name):
                return self.definition(path, name)
            case tree.Member(base=inner, name=name) if depth < DEEPEST:
                base = self._refers(path, inner, depth + 1)
                if base is None:
                    return self._member(path, inner, name, depth)
                if base.namespace:
                    return self.exported(base.path, name)
                if base.external is not None:
                    specifier, outer = base.external
                    return Definition(base.path, name, None, external=(specifier, name)) if outer == "*" else None
                return None if base.node is None or isinstance(base.node, tree.FnDef) else self._member(base.path, base.node, name, depth)
        return None

    def _member(self, path: str, base: tree.Expr, name: str, depth: int) -> Definition | None:
        while isinstance(base, tree.Typed):
            base = base.value
        if not isinstance(base, tree.Record):
            return None
        found = entry(base, name)
        if found is None:
            return None
        inner = self._refers(path, found, depth + 1)
        return Definition(path, name, found) if inner is None else inner

    def _from(self, path: str, specifier: str, name: str, local: str) -> Definition | None:
        """A name that comes from another module."""
        target = self.resolve(path, specifier)
        if target is None:
            return Definition(path, local, None, external=(generated_name(specifier) or specifier, name))
        return Definition(target, "*", None, namespace=True) if name == "*" else self.exported(target, name)

    def _export(self, path: str, name: str) -> Definition | None:
        outside: str | None = None
        for file in self._star_files(path) if name != "default" else [path]:
            names = self._table(file)
            if names is None:
                continue
            export = names.exports.get(name)
            if export is not None:
                if export.source is not None:
                    return self._from(file, export.source, export.local, name)
                return self.definition(file, export.local)
            for specifier in names.stars:
                if outside is None and self.resolve(file, specifier) is None:
                    outside = specifier
        if outside is None or name == "default":
            return None
        return Definition(path, name, None, external=(generated_name(outside) or outside, name))

    def _star_files(self, path: str) -> Iterator[str]:
        """A module and those that it re-exports whole, the nearest first."""
        seen = {path}
        waiting = [path]
        for file in waiting:
            yield file
            names = self._table(file)
            for specifier in names.stars if names is not None else ():
                target = self.resolve(file, specifier)
                if target is not None and target not in seen:
                    seen.add(target)
                    waiting.append(target)
