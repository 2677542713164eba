"""The Convex front end: which files matter, in which order they are lowered, and what they say together."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial

from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.convex.kept import KeptModules
from querylint.frontends.convex.lower import ModuleLowering
from querylint.frontends.convex.naming import kind_of_callee
from querylint.frontends.convex.registration import Registrars, registration
from querylint.frontends.convex.roots import ConvexRoot, find_roots, is_function_module, root_of, route_of
from querylint.frontends.convex.schema import read_schema
from querylint.frontends.lowered import Lowered, Memory
from querylint.frontends.modules import Modules
from querylint.frontends.modules.names import Definition
from querylint.ir import Access, Call, Function, Kind, Role, Schema, TargetKind
from querylint.result import Note, NoteKind
from querylint.syntax import tree
from querylint.syntax.typescript import parse_module

SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
CLIENT_WORDS = (
    b"useQuery",
    b"useConvexQuery",
    b"usePaginatedQuery",
    b"fetchQuery",
    b"preloadQuery",
    b"convexQuery",
    b"ConvexHttpClient",
    b"ConvexClient",
    b"fetchMutation",
)
SERVER_WORDS = (b".db", b"{ db", b"runQuery", b"runMutation", b"runAction")
QUOTED = re.compile(rb"""(["'`])([A-Za-z_]\w*)\1""")
LAST_WORD = re.compile(rb"\w*\Z")
NAME = re.compile(rb"[\w$\x80-\xff]+")
VECTOR_SEARCH = re.compile(rb"""vectorSearch\(\s*(["'`])\w+\1\s*,\s*(["'`])(\w+)\2""")
REFERENCE = re.compile(
    rb"""\b(?:\w*(?:[aA]pi|[iI]nternal)\w*|components\s*\??\.\s*\w+)(?:\s+as\s+[\w.<>\s]+\))?((?:\s*[?!]?\.\s*[A-Za-z_$][\w$]*){2,})"""
)
ROUTE = re.compile(rb"""["'`]([\w/-]+):([A-Za-z_$][\w$]*)["'`]""")
RUN_BY_HAND = re.compile(rb"convex run (?:--\S+ )*[\"'`]?([\w/-]+):([A-Za-z_$][\w$]*)")
PASSED_THROUGH = re.compile(rb"^[ \t]*(?:import|export)\b[^;(){}=]*\{[^}]*\}(?:\s*from)?", re.MULTILINE)
CHOOSING = frozenset((b"withIndex", b"withSearchIndex"))
NAMING = CHOOSING | {b"index", b"searchIndex", b"vectorIndex"}
HEAD = re.compile(rb"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
RUN_ONCE = re.compile(
    rb"\b(?:migration|one-?time|one-?off|clean-?up) script\b|\b(?:only in|for) (?:development|testing)(?: only\b|[!.\n])", re.I
)
LONGEST = 400  # bytes before a quotation in which the word that calls with it is looked for
READ_BY_NAME = (".", "convex/", "convex-helpers", "convex-ents", "convex-test")  # take a schema, and read by the indexes that code names
MOST_WAVES = 5
# What is run by hand or no longer used: nobody waits for what it names.
SCRIPTS = frozenset(("scripts", "script", "deprecated"))
TOOLS = frozenset(("bin", "tools"))  # among deployed functions, the tools of an agent
CHORE = re.compile(r"(?:check|clear|create|debug|delete|fix|import|inspect|list|migrate|populate|reset|run|scan|test|update|verify)[-_.]")


class ConvexFrontEnd:
    """Lowers the Convex code of one project."""

    def __init__(
        self,
        files: Collection[str],
        generated: Collection[str],
        read: Callable[[str], bytes | None],
        role: Callable[[str], Role],
        memory: Memory,
    ) -> None:
        self.files = [f for f in files if f.endswith(SUFFIXES)]
        self.modules = Modules(files, read, partial(memory.tree, parse=parse_module))
        self.kept = KeptModules(memory.of(files).parts, self.modules)
        self.read = self.modules.source
        self.role = role
        self.roots = find_roots(files, generated, self.modules)
        self.registrars = Registrars(self.modules)
        self.schemas: dict[str, Schema] = {}
        self.notes: list[Note] = []
        self.done: dict[str, list[Function]] = {}
        self._followed: set[str] = set()

    def lower(self) -> Lowered:
        """Everything that the project says about Convex."""
        if not self.roots:
            return Lowered()
        for root in self.roots:
            schema, notes = read_schema(self.modules, root)
            self.schemas[root.folder] = schema
            self.notes.extend(notes)
        for path in self.files:
            if self._relevant(path):
                self._lower(path)
        for path in {d.path for found in self._passed_on().values() for d in found.values()}:
            self._lower(path)
        for _ in range(MOST_WAVES):
            if not self._next_wave():
                break
        aliases = self._aliases()
        handed = self._handed_over()
        for root in self.roots:
            if root.schema in handed:
                self.schemas[root.folder] = replace(self.schemas[root.folder], handed=True)
        functions = tuple(f for path in sorted(self.done) for f in self.done[path])
        routes = {f.key: f.route for f in functions if f.route is not None}
        return Lowered(
            functions,
            self.schemas,
            tuple(self.notes),
            tuple(r.folder for r in self.roots),
            tuple(sorted(self.done)),
            self._words(),
            _with_first(self._mentioned(), aliases, routes),
            _with_first(self._manual(), aliases, routes),
            aliases,
        )

    def _passed_on(self) -> dict[tuple[str, str], dict[str, Definition]]:
        """By root and route of a module: the names that it exports for what another file, or another name of its own, defines."""
        found: dict[tuple[str, str], dict[str, Definition]] = {}
        for path in self.done:
            root = root_of(path, self.roots)
            if root is None or not is_function_module(path, root):
                continue
            names = self.modules.exports(path)
            others = {n: d for n, d in names.items() if (d.path, d.name) != (path, n) and self._registers(d)}
            if others:
                found[root.folder, route_of(path, root)] = others
        return found

    def _registers(self, definition: Definition) -> bool:
        """Whether a name stands for a function that is registered where it is defined."""
        node = definition.node
        if not isinstance(node, tree.Call):
            return False
        context = self._context(definition.path)
        return registration(node, lambda e: kind_of_callee(context, definition.path, e)) is not None

    def _aliases(self) -> dict[tuple[str, str], str]:
        """By root and route: the registered functions that clients reach by a name which another module gives them.

        One that has no route where it is defined gets the first of these.
        """
        functions = {(f.path, f.name): f for found in self.done.values() for f in found if f.kind is not Kind.PLAIN}
        aliases: dict[tuple[str, str], str] = {}
        for (root, module), names in sorted(self._passed_on().items()):
            for name, definition in sorted(names.items()):
                function = functions.get((definition.path, definition.name))
                if function is None:
                    continue
                route = f"{module}:{name}"
                aliases[root, route] = function.key
                if function.route is None:
                    routed = functions[function.path, function.name] = replace(function, route=route, root=root)
                    self.done[function.path] = [routed if f is function else f for f in self.done[function.path]]
        return aliases

    def _relevant(self, path: str) -> bool:
        if self.role(path) is Role.TEST:
            return False
        root = root_of(path, self.roots)
        if root is not None:
            return path != root.schema and (is_function_module(path, root) or self._taken_in(path))
        source = self.read(path)
        if source is None or b"onvex" not in source:
            return False
        return any(word in source for word in (*CLIENT_WORDS, *SERVER_WORDS))

    def _taken_in(self, path: str) -> bool:
        """Whether some file names one that Convex itself passes over (`posts.old.ts`), to import it or to export what it holds."""
        stem = posixpath.splitext(posixpath.basename(path))[0].encode()
        return any(other != path and stem in (self.read(other) or b"") for other in self.files)

    def _next_wave(self) -> bool:
        """Modules that a lowered function calls into and that have not been read closely yet."""
        wanted: dict[str, None] = {}
        for path in [path for path in self.done if path not in self._followed]:
            self._followed.add(path)
            for function in self.done[path]:
                for step in function.steps():
                    if isinstance(step, Call) and step.target.kind is TargetKind.FUNCTION and step.target.module not in self.done:
                        wanted[step.target.module] = None
        for path in wanted:
            self._lower(path)
        return bool(wanted)

    def _lower(self, path: str) -> None:
        if path in self.done:
            return
        self.done[path] = []
        module = self.modules.module(path)
        lines = self.modules.lines(path)
        if module is None or lines is None:
            return
        if module.broken:
            line = lines.position(module.broken[0][0])[0]
            self.notes.append(Note(NoteKind.PARSE, "does not parse here; what can be read of the rest is analysed", path, line))
        root = root_of(path, self.roots)
        context = self._context(path)
        route = route_of(path, root) if root is not None and is_function_module(path, root) else None
        role = self._role(path, root)
        self.done[path] = self.kept.functions(
            context, (tuple(self.roots), role, route), lambda: ModuleLowering(context, module, lines, role, route).run()
        )

    def _context(self, path: str) -> ModuleContext:
        root = root_of(path, self.roots)
        return ModuleContext(path, self.modules, root, self._schema(root), self._api_root(root), self.registrars.kind_of)

    def _role(self, path: str, root: ConvexRoot | None) -> Role:
        """The role of a file, by its path, by what the comment at its head says of it, or as a script outside of all roots."""
        role = self.role(path)
        if role is not Role.CODE:
            return role
        head = HEAD.match(self.read(path) or b"")
        if head is not None and RUN_ONCE.search(head[0]):
            return Role.MIGRATION
        return Role.SCRIPT if root is None and self._script(path) else role

    def _script(self, path: str) -> bool:
        """Whether a file is run by hand, or no longer used: by its folder, or by its name at the top of the project."""
        folders = path.split("/")[:-1]
        if not SCRIPTS.isdisjoint(folders):
            return True
        return root_of(path, self.roots) is None and (not TOOLS.isdisjoint(folders) or (not folders and CHORE.match(path) is not None))

    def _schema(self, root: ConvexRoot | None) -> Schema | None:
        return self.schemas.get(root.folder if root is not None else self._api_root(None))

    def _api_root(self, root: ConvexRoot | None) -> str:
        """The folder that `api` and `internal` refer to: the file's own root, or the only application there is."""
        if root is not None:
            return root.folder
        applications = [r for r in self.roots if not r.component]
        return applications[0].folder if len(applications) == 1 else ""

    def _mentioned(self) -> frozenset[str]:
        """Routes that stand in the code as references (`internal.a.b.c`) or in quotes, in files that call no function too."""
        found: set[str] = set()
        for path in self.files:
            if self.role(path) is Role.TEST or self._script(path):
                continue
            source = self.read(path) or b""
            if any(word in source for word in (b"api", b"Api", b"internal", b"Internal", b"components")):
                found.update(_references(source))
            if b":" in source and path in self.done:
                found.update(f"{route[1].decode()}:{route[2].decode()}" for route in ROUTE.finditer(source))
        return frozenset(found | self._handed_on())

    def _handed_on(self) -> set[str]:
        """The keys of helpers that no lowered call leads to, though their names stand elsewhere: somebody may call them as values."""
        functions = [f for found in self.done.values() for f in found]
        called = {s.target.name for f in functions for s in f.steps() if isinstance(s, Call)}
        idle = [f for f in functions if f.kind is Kind.PLAIN and f.name not in called and f.name.isidentifier()]
        if not idle:
            return set()
        declared = Counter(f.name.encode() for f in idle)
        words = (NAME.findall(PASSED_THROUGH.sub(b"", self.read(path) or b"")) for path in self.done)
        seen = Counter(word for found in words for word in found if word in declared)
        return {f.key for f in idle if seen[f.name.encode()] > declared[f.name.encode()]}

    def _manual(self) -> frozenset[str]:
        """Routes that the code tells people to run by hand (`npx convex run repairs:all`), or that only scripts name."""
        found: set[str] = set()
        for path in self.files:
            if self._script(path) and self.role(path) is not Role.TEST:
                source = self.read(path) or b""
                found.update(f"{route[1].decode()}:{route[2].decode()}" for route in ROUTE.finditer(source))
                found.update(_references(source))
        for path in self.done:
            source = self.read(path) or b""
            if b"convex run " in source:
                found.update(f"{route[1].decode()}:{route[2].decode()}" for route in RUN_BY_HAND.finditer(source))
        return frozenset(found)

    def _words(self) -> frozenset[str]:
        """Names of indexes that stand in quotes where no index is declared or chosen: someone may choose by them indirectly.

        A name that is chosen in a query that the walk did not come by counts too.
        """
        names = {i.name.encode() for s in self.schemas.values() for t in s.tables.values() for i in t.indexes}
        schemas = {r.schema for r in self.roots}
        met = self._met()
        found: set[str] = set()
        for path in self.files:
            if path in schemas or self.role(path) is Role.TEST or (path not in self.done and root_of(path, self.roots) is None):
                continue
            source = VECTOR_SEARCH.sub(rb'withSearchIndex("\3"', self.read(path) or b"")
            last = 0
            for quoted in QUOTED.finditer(source):
                if (name := quoted[2]) in names:
                    before = _called(source[max(last, quoted.start() - LONGEST) : quoted.start()])
                    if before not in NAMING or (before in CHOOSING and name not in met):
                        found.add(name.decode())
                last = quoted.end()
        return frozenset(found)

    def _handed_over(self) -> set[str | None]:
        """The schemas that some file gives, as a value, to a package that may read by what stands in them."""
        schemas = {root.schema for root in self.roots if root.schema is not None}
        found: set[str | None] = set()
        for path in self.done:
            if b"schema" not in (self.read(path) or b"") or self.role(path) is Role.TEST:
                continue
            module = self.modules.module(path)
            known = [i for i in module.imports if not i.type_only] if module is not None else []
            names = {i.local: home for i in known if i.name == "default" and (home := self.modules.resolve(path, i.source)) in schemas}
            if module is None or not names:
                continue
            opaque = {i.local for i in known if not i.source.startswith(READ_BY_NAME) and self.modules.resolve(path, i.source) is None}
            calls = (n for n in tree.walk(module.body) if isinstance(n, tree.Call))
            given = (call.args for call in calls if isinstance(call.func, tree.Name) and call.func.id in opaque)
            found.update(names[arg.id] for args in given for arg in args if isinstance(arg, tree.Name) and arg.id in names)
        return found

    def _met(self) -> frozenset[bytes]:
        """Names of indexes by which a lowered query reads."""
        functions = [f for found in self.done.values() for f in found]
        queries = [*(s for f in functions for s in f.steps() if isinstance(s, Access)), *(a for f in functions for a in f.built)]
        return frozenset(p.index.encode() for a in queries for p in a.plans if p.index is not None)


def _with_first(routes: frozenset[str], aliases: Mapping[tuple[str, str], str], first: Mapping[str, str]) -> frozenset[str]:
    """Routes, and with each that is one of several of a function the one by which that function goes first."""
    return routes | {first[key] for (_, route), key in aliases.items() if route in routes}


def _called(before: bytes) -> bytes:
    """The word right before a quotation, that calls with it where one opens a parenthesis."""
    match = LAST_WORD.search(before.rstrip().removesuffix(b"("))
    return match[0] if match is not None else b""


def _references(source: bytes) -> Iterator[str]:
    """The routes that references in a file may stand for."""
    for reference in REFERENCE.finditer(source):
        parts = [part.strip(b" \t\r\n?!").decode() for part in reference[1].split(b".")[1:]]
        yield from (f"{'/'.join(parts[:n])}:{parts[n]}" for n in range(1, len(parts)))
