"""The Convex front end: which files matter, in which order they are lowered, and what they say together."""

from __future__ import annotations

import marshal
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TypeVar

from querylint.cache.digest import digest
from querylint.construction import replace
from querylint.frontends import helpers
from querylint.frontends.convex import crons
from querylint.frontends.convex.context import Asking, ModuleContext
from querylint.frontends.convex.endpoints import Endpoint, endpoints, place
from querylint.frontends.convex.lower import ModuleLowering
from querylint.frontends.convex.naming import kind_of_callee
from querylint.frontends.convex.registration import Registrars, registration
from querylint.frontends.convex.roots import ConvexRoot, api_root, find_roots, is_function_module, root_of, route_of, with_first
from querylint.frontends.convex.schema import read_schema, unplaced
from querylint.frontends.convex.texts import Text
from querylint.frontends.convex.waves import first_wave
from querylint.frontends.kept import Answer, KeptParts, Look, Question
from querylint.frontends.lowered import Lowered, LoweredFile
from querylint.frontends.modules import Modules
from querylint.frontends.modules.names import Definition
from querylint.frontends.packed import packed, signature, stands_for_itself, unpacked
from querylint.ir import Kind, Role, Schema, Table
from querylint.pattern import Pattern
from querylint.result import Note, NoteKind
from querylint.syntax import tree
from querylint.syntax.typescript import parse_module

T = TypeVar("T")
SCHEMA = tuple[Schema, tuple[Note, ...]]
Lowering = tuple[LoweredFile, tuple[Note, ...], tuple[str, ...], tuple[tuple[str, str, str], ...], tuple[Endpoint, ...]]
stands_for_itself("undefined", tree.UNDEFINED)
SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
HEAD = Pattern(rb"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
RUN_ONCE = Pattern(
    rb"\b(?:migration|one-?time|one-?off|clean-?up) script\b|\b(?:only in|for) (?:development|testing)(?: only\b|[!.\n])", re.I
)
READ_BY_NAME = (".", "convex/", "convex-helpers", "convex-ents", "convex-test")  # take a schema, and read by the indexes that code names
MOST_WAVES = 5
# What is run by hand or no longer used: nobody waits for what it names.
SCRIPTS = frozenset(("scripts", "script", "deprecated"))
TOOLS = frozenset(("bin", "tools"))  # among deployed functions, the tools of an agent
CHORE = Pattern(r"(?:check|clear|create|debug|delete|fix|import|inspect|list|migrate|populate|reset|run|scan|test|update|verify)[-_.]")


class ConvexFrontEnd:
    """Lowers the Convex code of one project. `release` is told of files whose bytes nobody is likely to ask for again."""

    def __init__(
        self,
        files: Collection[str],
        generated: Collection[str],
        read: Callable[[str], bytes | None],
        role: Callable[[str], Role],
        kept: KeptParts | None = None,
        release: Callable[[str], None] | None = None,
    ) -> None:
        self.files = [f for f in files if f.endswith(SUFFIXES)]
        self._release = release
        self.modules = Modules(files, read, partial(kept.tree, parse=parse_module) if kept is not None and kept.trees is not None else None)
        self.read = self.modules.source
        self.role = role
        self.roots = find_roots(files, generated, self.modules)
        self.registrars = Registrars(self.modules)
        self.schemas: dict[str, Schema] = {}
        self.notes: list[Note] = []
        self.done: dict[str, LoweredFile] = {}
        self._followed: set[str] = set()
        self._texts: dict[str, Text] = {}
        self._home: dict[str, ConvexRoot | None] = {}
        self._by_hand: dict[str, bool] = {}
        self._given: dict[str, bytes] = {}
        self._keys: dict[str, bytes] = {}
        self._handing: dict[str, tuple[str, ...]] = {}
        self._passing: dict[str, tuple[tuple[str, str, str], ...]] = {}
        self._endpoints: dict[str, tuple[Endpoint, ...]] = {}
        self._tables: dict[str, dict[str, Table]] = {}
        self._layout = digest("\0".join((*sorted(files), "", *sorted(generated))).encode("utf-8", "surrogateescape"))
        self._rooted = digest(repr(self.roots).encode("utf-8", "surrogateescape"))
        self._look = Look(kept, "convex", self.read, self._answer) if kept is not None else None

    def lower(self) -> Lowered:
        """Everything that the project says about Convex."""
        if not self.roots:
            return Lowered()
        if self._look is not None:
            self._look.begin()
        for root in self.roots:
            schema, notes = self._part(f"schema {root.folder}", SCHEMA, self._rooted, partial(read_schema, self.modules, root))
            self.schemas[root.folder] = schema
            self._tables[root.folder] = {name: unplaced(table) for name, table in schema.tables.items()}
            self.notes.extend(notes)
        self._lower_all(first_wave(self.files, self._root, self.role, self.read, self._text, self._let_go))
        for home in sorted({home for found in self._passing.values() for _, home, _ in found}):
            self._lower(home)
        for _ in range(MOST_WAVES):
            if not self._next_wave():
                break
        aliases = self._aliases()
        handed = self._handed_over()
        place(self.done, self._endpoints)
        self.schemas |= {r.folder: replace(self.schemas[r.folder], handed=True) for r in self.roots if r.schema in handed}
        files = tuple(self.done[path] for path in sorted(self.done))
        routes = {key: route for file in files for _, route, key in file.outline.routes}
        lowered = Lowered(
            files,
            self.schemas,
            tuple(self.notes),
            tuple(r.folder for r in self.roots),
            tuple(sorted(self.done)),
            self._words(),
            with_first(self._mentioned(), aliases, routes),
            with_first(self._manual(), aliases, routes),
            aliases,
        )
        if self._look is not None:
            self._look.end([("layout",), *(("file", path) for path in self.modules.manifests())])
        self.modules.afresh()
        return lowered

    # What is kept.

    def _answer(self, question: Question) -> Answer:
        match question:
            case ("import", folder, specifier):
                return self.modules.resolve(f"{folder}/" if folder else "", specifier)
            case ("table", root, name):
                table = self._tables.get(root, {}).get(name)
                return None if table is None else digest(signature(Table, table))
        return self._layout

    def _part(self, name: str, form: object, key: bytes, make: Callable[[], T], tables: Collection[tuple[str, str]] = ()) -> T:
        """What `make` gives, from what was kept where that holds. `tables` fills with the tables that are asked for meanwhile."""
        return make() if self._look is None else self._look.part(name, form, key, lambda: self._traced(make, tables))

    def _traced(self, make: Callable[[], T], tables: Collection[tuple[str, str]] = ()) -> tuple[T, list[Question]]:
        """What `make` gives, and the questions that it was taken from."""
        value, taken = self.modules.trace.during(make)
        questions: list[Question] = [("file", path) for path in taken.files]
        questions += [("import", *one) for one in taken.imports]
        return value, [*questions, *(("table", *one) for one in tables)]

    def _text(self, path: str) -> Text:
        """The bare text of a file."""
        if path not in self._texts:
            name = f"text {path}"
            known = self._part(name, dict, b"", partial(self._told, path))
            told = partial(self._look.changed, name) if self._look is not None else None
            self._texts[path] = Text(self.read, path, known, told)
        return self._texts[path]

    def _told(self, path: str) -> dict[str, object]:
        self.read(path)  # so that it is seen
        return {}

    def _let_go(self, path: str) -> None:
        """Ask of a file what is asked of every one, and let its bytes go: a large repository has many that are not about Convex."""
        text = self._text(path) if self.role(path) is not Role.TEST else None
        if text is not None:
            if text.registers_crons():
                return
            text.ask(script=self._script(path))
        if self._release is not None:
            self.modules.forget(path)
            self._release(path)

    def _next_wave(self) -> bool:
        """Modules that a lowered function calls into and that have not been read closely yet."""
        wanted: dict[str, None] = {}
        for path in [path for path in self.done if path not in self._followed]:
            self._followed.add(path)
            wanted |= dict.fromkeys(module for module in self.done[path].outline.modules if module not in self.done)
        for path in wanted:
            self._lower(path)
        return bool(wanted)

    def _lower_all(self, paths: list[str]) -> None:
        """Lower files, with the help of other processes where there is much to do."""
        new = [path for path in paths if self._look is None or not self._look.has(f"module {path}", self._task(path)[0])]
        own, *others = helpers.shares([len(self.read(path) or b"") for path in new])
        started = [helper for share in others if (helper := helpers.start([new[n] for n in share], self._lowered_apart)) is not None]
        for n in own:
            self._lower(new[n])
        for helper in started:
            self._given |= helpers.finish(helper)
        for path in paths:
            self._lower(path)

    def _lowered_apart(self, path: str) -> bytes:
        _, make, tables = self._task(path)
        value, questions = self._traced(make, tables)
        return marshal.dumps((packed(Lowering, value), questions))

    def _lower(self, path: str) -> None:
        if path in self.done:
            return
        self.done[path] = LoweredFile.of(path, ())
        key, make, tables = self._task(path)
        given = self._given.pop(path, None)
        if given is not None:
            data, questions = marshal.loads(given)
            value = unpacked(Lowering, data)
            if self._look is not None:
                self._look.part(f"module {path}", Lowering, key, lambda: (value, questions))
        else:
            value = self._part(f"module {path}", Lowering, key, make, tables)
        self.done[path], notes, self._handing[path], self._passing[path], self._endpoints[path] = value
        self.notes.extend(notes)

    def _task(self, path: str) -> tuple[bytes, Callable[[], Lowering], set[tuple[str, str]]]:
        """How a file is lowered: what that hangs on besides what is read, the work, and where the tables gather that it asks for."""
        root = self._root(path)
        route = route_of(path, root) if root is not None and is_function_module(path, root) else None
        home = self._api_root(path, root)
        key = self._keys.get(path)
        if key is None:
            about = (self._rooted, self.role(path), self._script(path), root, route, home)
            key = self._keys[path] = repr(about).encode("utf-8", "surrogateescape")
        tables: set[tuple[str, str]] = set()
        make = partial(self._module, path, root, route, home, Asking(home, self._tables.get(home, {}), tables))
        return key, make, tables

    def _module(self, path: str, root: ConvexRoot | None, route: str | None, home: str, tables: Mapping[str, Table]) -> Lowering:
        """One file lowered: its functions, what is to be said of it, the schemas that it hands to packages, and what it passes on."""
        self.modules.afresh()
        module = self.modules.module(path)
        lines = self.modules.lines(path)
        if module is None or lines is None:
            return LoweredFile.of(path, ()), (), (), (), ()
        notes: list[Note] = []
        if module.unread is not None:
            line = lines.position(module.unread)[0]
            notes.append(Note(NoteKind.LIMIT, "the file takes too long to parse; what follows this line is not analyzed", path, line))
        if module.broken:
            line = lines.position(module.broken[0][0])[0]
            notes.append(Note(NoteKind.PARSE, "syntax error; the rest of the file is analyzed as far as possible", path, line))
        context = ModuleContext(path, self.modules, root, tables, home, self.registrars.kind_of)
        lowering = ModuleLowering(context, module, lines, self._role(path, root), route)
        functions = tuple(lowering.run())
        passing = self._passes_on(path) if route is not None else ()
        reached = endpoints(context, module) if root is not None and b".route(" in (self.read(path) or b"") else ()
        return LoweredFile.of(path, functions), (*notes, *lowering.notes), tuple(sorted(self._hands_over(path, module))), passing, reached

    def _passes_on(self, path: str) -> tuple[tuple[str, str, str], ...]:
        """The names that a module exports for functions which another file, or another name of its own, defines: name, file, name there."""
        names = sorted(self.modules.exports(path).items())
        return tuple((name, d.path, d.name) for name, d in names if (d.path, d.name) != (path, name) and self._registers(d))

    def _registers(self, definition: Definition) -> bool:
        """Whether a name stands for a function that is registered where it is defined."""
        path, node = definition.path, definition.node
        if not isinstance(node, tree.Call):
            return False
        root = self._root(path)
        context = ModuleContext(path, self.modules, root, {}, self._api_root(path, root), self.registrars.kind_of)
        return registration(node, lambda e: kind_of_callee(context, path, e)) is not None

    def _aliases(self) -> dict[tuple[str, str], str]:
        """By root and route: the registered functions that clients reach by a name which another module gives them.

        One that has no route where it is defined gets the first of these.
        """
        keys = {(path, name): key for path, file in self.done.items() for name, key in file.outline.registered}
        routed = {key for file in self.done.values() for _, _, key in file.outline.routes}
        aliases: dict[tuple[str, str], str] = {}
        for path in sorted(self._passing):
            root = self._root(path)
            for name, home, inner in self._passing[path]:
                key = keys.get((home, inner))
                if key is None or root is None:
                    continue
                route = f"{route_of(path, root)}:{name}"
                aliases[root.folder, route] = key
                if key not in routed:
                    routed.add(key)
                    found = self.done[home].functions.value
                    last = max(n for n, f in enumerate(found) if (f.name, f.key) == (inner, key) and f.kind is not Kind.PLAIN)
                    known = replace(found[last], route=route, root=root.folder)
                    self.done[home] = LoweredFile.of(home, (*found[:last], known, *found[last + 1 :]))
        return aliases

    def _role(self, path: str, root: ConvexRoot | None) -> Role:
        """The role of a file, by its path, by what the comment at its head says of it, or as a script outside of all roots."""
        role = self.role(path)
        if role is not Role.CODE:
            return role
        head = HEAD.match(self.read(path) or b"")
        if head is not None and RUN_ONCE.search(head[0]):
            return Role.MIGRATION
        return Role.SCRIPT if root is None and self._script(path) else role

    def _root(self, path: str) -> ConvexRoot | None:
        """The nearest root around a file."""
        if path not in self._home:
            self._home[path] = root_of(path, self.roots)
        return self._home[path]

    def _script(self, path: str) -> bool:
        """Whether a file is run by hand, or no longer used: by its folder, or by its name at the top of the project."""
        if path not in self._by_hand:
            self._by_hand[path] = self._is_script(path)
        return self._by_hand[path]

    def _is_script(self, path: str) -> bool:
        folders = path.split("/")[:-1]
        if not SCRIPTS.isdisjoint(folders):
            return True
        return self._root(path) is None and (not TOOLS.isdisjoint(folders) or (not folders and CHORE.match(path) is not None))

    def _api_root(self, path: str, root: ConvexRoot | None) -> str:
        """The folder that `api` and `internal` refer to in a file: its own root, or the application that it is a client of."""
        return root.folder if root is not None else api_root(path, self.read, self.roots)

    def _mentioned(self) -> frozenset[str]:
        """Routes that the code names, in files that call no function too: in references, but for crons that never run, or in quotes."""
        found: set[str] = set()
        for path in self.files:
            if self.role(path) is Role.TEST or self._script(path):
                continue
            text = self._text(path)
            starts = not text.registers_crons() or crons.run(path, self.files, self._root(path), self.modules)
            found.update(text.references() if starts else text.unscheduled())
            if path in self.done:
                found.update(text.routes())
        return frozenset(found | self._handed_on())

    def _handed_on(self) -> set[str]:
        """The keys of helpers that no lowered call leads to, though their names stand elsewhere: somebody may call them as values."""
        outlines = [file.outline for file in self.done.values()]
        called = {name for outline in outlines for name in outline.called}
        idle = [(name.encode(), key) for outline in outlines for name, key in outline.plain if name not in called]
        if not idle:
            return set()
        declared = Counter(name for name, _ in idle)
        seen: Counter[bytes] = Counter()
        for path in self.done:
            words = self._text(path).words()
            seen.update({word: words[word] for word in declared.keys() & words.keys()})
        return {key for name, key in idle if seen[name] > declared[name]}

    def _manual(self) -> frozenset[str]:
        """Routes that the code tells people to run by hand (`npx convex run repairs:all`), or that only scripts name."""
        found: set[str] = set()
        for path in self.files:
            if self._script(path) and self.role(path) is not Role.TEST:
                text = self._text(path)
                found.update(text.routes())
                found.update(text.references())
        for path in self.done:
            found.update(self._text(path).run_by_hand())
        return frozenset(found)

    def _words(self) -> frozenset[str]:
        """Names of indexes that stand in quotes where no index is declared or chosen: someone may choose by them indirectly.

        A name that is chosen in a query that the walk did not come by counts too.
        """
        names = {i.name.encode() for s in self.schemas.values() for t in s.tables.values() for i in t.indexes}
        sign = digest(b"\0".join(sorted(names)))
        schemas = {r.schema for r in self.roots}
        met = self._met()
        found: set[bytes] = set()
        for path in self.files:
            if path in schemas or self.role(path) is Role.TEST or (path not in self.done and self._root(path) is None):
                continue
            plain, chosen = self._text(path).quoted(names, sign)
            found.update(plain)
            found.update(name for name in chosen if name not in met)
        return frozenset(name.decode() for name in found)

    def _handed_over(self) -> set[str | None]:
        """The schemas that some file gives, as a value, to a package that may read by what stands in them."""
        return {schema for path in self.done if self.role(path) is not Role.TEST for schema in self._handing.get(path, ())}

    def _hands_over(self, path: str, module: tree.Module) -> set[str]:
        """The schemas that a file gives to packages."""
        if b"schema" not in (self.read(path) or b""):
            return set()
        schemas = {root.schema for root in self.roots if root.schema is not None}
        known = [i for i in module.imports if not i.type_only]
        names = {i.local: home for i in known if i.name == "default" and (home := self.modules.resolve(path, i.source)) in schemas}
        if not names:
            return set()
        opaque = {i.local for i in known if not i.source.startswith(READ_BY_NAME) and self.modules.resolve(path, i.source) is None}
        given = (call.args for call in tree.find(module.body, tree.Call) if isinstance(call.func, tree.Name) and call.func.id in opaque)
        return {names[arg.id] for args in given for arg in args if isinstance(arg, tree.Name) and arg.id in names}

    def _met(self) -> frozenset[bytes]:
        """Names of indexes by which a lowered query reads."""
        return frozenset(name.encode() for file in self.done.values() for name in file.outline.indexes)
