"""The DB-API and its kin: SQL as text, handed to cursors, connections and pools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from querylint.construction import replace
from querylint.frontends.flow.calls import outside
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, TEXT, Closure, External, Marker, Val, derived
from querylint.frontends.python.answering import answers
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.language import texts
from querylint.frontends.python.language.arguments import placed
from querylint.frontends.python.project import PythonProject
from querylint.frontends.python.stack import Noted, Stack
from querylint.frontends.python.stacks.dbapi import vocabulary as words
from querylint.frontends.python.stacks.dbapi.fetching import FETCHES, PLAIN_FETCHES, RESHAPED, Fetch, Reading, Taken, path_of, read
from querylint.frontends.python.stacks.dbapi.running import CURSOR, Lookup, Run, concerns, fetched, first_columns, lookup_in, lookup_of, run
from querylint.frontends.python.stacks.dbapi.schema import read_tables
from querylint.frontends.python.stacks.dbapi.wrappers import Wrapper, Wrappers
from querylint.ir import Facts, Kind, Table
from querylint.syntax import sql, tree

PREPARED = "prepared statement"

_IMPORT = rb"^\s*(?:import|from)\s+(?:[\w.]+\s*,\s*)*(?:twisted\.enterprise\s+import\s+)?"
_IMPORTS = {word: re.compile(_IMPORT + re.escape(word) + rb"\b", re.MULTILINE) for word in words.DRIVERS}


class DbApi(Stack):
    """Programs that write SQL themselves."""

    name: ClassVar[str] = "dbapi"
    words: ClassVar[tuple[bytes, ...]] = (
        b".execute",
        b".fetch",
        b"runQuery",
        b"runInteraction",
        b"execute_values",
        b"execute_batch",
        b"sqlite3",
        b"psycopg",
        b".get_cursor(",
        b"db.one(",
        b"db.all(",
        b"db.run(",
    )
    facts: Facts = Facts(bulk_writes=True, bulk_reads=True, parallel=False, planner=True, once=False)

    def __init__(self, project: PythonProject) -> None:
        super().__init__(project)
        self.wrappers = Wrappers(project)
        self._tables: dict[str, Table] | None = None
        self._read: dict[int, Reading] = {}
        self._latest: Noted[dict[str, Val]] = Noted("latest statements", dict)
        self.dialect = self._dialect()
        if self.dialect == "sqlite":
            self.facts = replace(self.facts, embedded=True)

    def _dialect(self) -> str:
        """The dialect, where all the drivers that the project imports speak the same."""
        found = set()
        for path in self.project.modules.files:
            source = self.project.modules.source(path) or b""
            found |= {dialect for word, dialect in words.DRIVERS.items() if word in source and _IMPORTS[word].search(source)}
        return found.pop() if len(found) == 1 else ""

    def tables(self) -> Mapping[str, Table]:
        """The tables that scripts and texts define."""
        return {table.name: table for table in self._schema().values()}

    def _schema(self) -> dict[str, Table]:
        if self._tables is None:
            self._tables = read_tables(self.project)
        return self._tables

    def kind(self, info: ClassInfo | None, fn: tree.Fn) -> Kind | None:
        """A function that a web framework calls for a path: `@app.route("/")`, `@router.get("/posts")`, or a method by its class."""
        return Kind.HTTP if any(_routed(d) for d in fn.decorators) or answers(info, fn) else None

    # Calls.

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """A call that runs SQL, takes rows, or opens something to run it with."""
        name = node.func.name if isinstance(node.func, tree.Member) else node.func.id if isinstance(node.func, tree.Name) else ""
        if base is not None:
            if isinstance(base.shape, Marker) and base.shape.kind == PREPARED:
                return self._prepared(state, node, name, base)
            text = texts.method(state, node, name, base)
            if text is not None:
                return text
            if name in RESHAPED and isinstance(base.shape, Marker) and base.shape.kind == CURSOR:
                return replace(base, shape=first_columns(base.shape)) if name == "scalars" else base
            if name in FETCHES:
                taken = self._fetched(state, node, name, base)
                if taken is not None:
                    return taken
        shape = func.shape
        if base is not None and name in words.RUNNERS:
            return self._interaction(state, node)
        if isinstance(shape, Closure):
            wrapper = self.wrappers.of(shape) if shape.name else None
            return self._wrapped(state, node, shape, wrapper) if wrapper is not None else None
        if name == "Identifier" and isinstance(shape, External) and shape.source.startswith("psycopg"):
            return _quoted(state, node)
        if name in words.SAME_TEXT and len(node.args) == 1 and not isinstance(shape, Closure):
            return self._same_text(state, node, base)
        if base is None:
            return self._function(state, node, name) if name in words.BATCHES else None
        if isinstance(base.shape, Marker) and base.shape.kind == CURSOR and name in words.QUIET:
            return derived(*placed(state, node, None))
        if name in words.OPENING and not node.args and not isinstance(shape, External):
            for _, value in node.keywords:
                state.evaluate(value)
            return Val(deps=base.deps, shape=Marker(CURSOR))
        if name in words.CURSORS or name in words.BATCHES or name in words.READS:
            return self._run(state, node, name, base)
        if name == "prepare" and node.args and _may_be_text(node.args[0]):
            args = placed(state, node, None)
            if not self._statements(args[0]):
                return outside(state, node, args, state.text(node.func), base)
            return Val(deps=base.deps | args[0].deps, shape=Marker(PREPARED, (), args[0]))
        return None

    def _same_text(self, state: State, node: tree.Call, base: Val | None) -> Val | None:
        """`dedent(text)`, `text(sql)`, `sql.SQL(...)`: the text itself."""
        if not isinstance(node.args[0], tree.Literal | tree.Template | tree.Name | tree.Op | tree.Call):
            return None
        with state.recording() as steps:
            value = state.evaluate(node.args[0])
        if texts.variants(value) is None or steps or not isinstance(value.shape, Marker):
            return None
        return value

    def _function(self, state: State, node: tree.Call, name: str) -> Val | None:
        """`execute_values(cursor, text, rows)`."""
        position = 1 if name in words.FIRST_IS_CURSOR else 0
        if len(node.args) <= position:
            return None
        args = placed(state, node, None)
        found = self._statements(args[position])
        if not found:
            return outside(state, node, args, state.text(node.func), None)
        deps = derived(*args).deps
        runs = [Run(s, holes, lookup_of(()), deps, Taken(Fetch.NOTHING), True) for s, holes in found]
        return run(state, runs, self._schema(), node, pending=False)

    def _run(self, state: State, node: tree.Call, name: str, base: Val) -> Val | None:
        """A method that runs a text. What is no SQL is outside code with its arguments looked at already."""
        if not node.args and not any(key in words.TEXTS for key, _ in node.keywords):
            return None
        if isinstance(base.shape, External) and not base.shape.source.startswith(("pandas", "asyncpg", "sqlite3", "psycopg")):
            return None
        text_node = node.args[0] if node.args else next(v for k, v in node.keywords if k in words.TEXTS)
        if not _may_be_text(text_node):
            return None
        values = [state.evaluate(a) for a in node.args]
        named = {key: state.evaluate(value) for key, value in node.keywords}
        text = values[0] if values else next(named[k] for k in named if k in words.TEXTS)
        everything = (*values, *named.values())
        found = self._statements(text)
        if not found:
            self._remember(state, node, base, Val(shape=Marker(CURSOR)))
            made = outside(state, node, everything, state.text(node.func), base)
            return made if name not in words.CURSORS else replace(made, shape=Marker(CURSOR))
        return self._ran(state, node, base, (text, found), self._arguments(node, values[1:], named), derived(*everything).deps)

    def _ran(
        self, state: State, node: tree.Call, base: Val, said: tuple[Val, list[tuple[sql.Statement, tuple[Val, ...]]]], lookup: Lookup,
        deps: frozenset[int],
    ) -> Val:  # fmt: skip
        """What a method runs, by its text and what that says."""
        text, found = said
        name = node.func.name if isinstance(node.func, tree.Member) else ""
        many = name in words.BATCHES
        taken = self._taken(state, node, words.READS.get(name))
        if taken.fetch is Fetch.NOTHING and name in words.CURSORS and found[0][0].operation is sql.Operation.READ:
            return Val(deps=deps, shape=Marker(CURSOR))  # a probe for a table or a column: nobody looks at its rows
        runs = [Run(s, holes, lookup, deps, taken, many) for s, holes in found]
        cursor = run(state, runs, self._schema(), node, pending=self._pending(state, taken, name))
        fetch = words.READS.get(name)
        if fetch is None or fetch is Fetch.BATCHES:
            if text.type != texts.CONSTRUCT:
                self._remember(state, node, base, cursor)
            return cursor
        assert isinstance(cursor.shape, Marker)
        return fetched(cursor.shape, fetch, cursor.deps, cursor.pending)

    def _prepared(self, state: State, node: tree.Call, name: str, base: Val) -> Val:
        """A method of a statement that was prepared, which takes the values alone."""
        values = [state.evaluate(a) for a in node.args]
        named = [state.evaluate(value) for _, value in node.keywords]
        deps = derived(base, *values, *named).deps
        text = base.shape.inner if isinstance(base.shape, Marker) else None
        if text is None or (name not in words.READS and name not in words.BATCHES):
            return Val(deps=deps)
        return self._ran(state, node, base, (text, self._statements(text)), lookup_of(tuple(values)), deps)

    def _arguments(self, node: tree.Call, values: list[Val], named: dict[str, Val]) -> Lookup:
        given = next((named[k] for k in words.VALUES if k in named), None)
        if given is not None:
            return lookup_in(given)
        if len(values) == 1 and not isinstance(node.args[1], tree.Spread):
            shape = values[0].shape
            single = shape is None and isinstance(node.args[1], tree.Member | tree.Index | tree.Literal)
            return lookup_of(tuple(values)) if single else lookup_in(values[0])
        if len(values) == 1:
            return lookup_in(values[0])
        return lookup_of(tuple(values))

    def _statements(self, text: Val) -> list[tuple[sql.Statement, tuple[Val, ...]]]:
        """What the texts that a value may be say, where all of them concern rows."""
        if not isinstance(text.shape, Marker) or text.shape.kind != TEXT:
            return []
        found = [(sql.read(t, self.dialect), holes) for t, holes in texts.variants(text) or () if texts.STARTS.match(t)]
        kept = [(s, holes) for s, holes in found if concerns(s)]
        return kept if len(kept) == len(found) else []

    # Wrappers and callbacks.

    def _wrapped(self, state: State, node: tree.Call, closure: Closure, wrapper: Wrapper) -> Val | None:
        first = (closure.this,) if closure.this is not None else ()
        args = placed(state, node, closure.fn, first)
        text = args[wrapper.text] if wrapper.text < len(args) else NOTHING
        found = self._statements(text)
        reached = state.vocabulary.reached  # type: ignore[attr-defined]
        if not found:
            return reached(state, node, closure, args)  # type: ignore[no-any-return]
        rest = args[wrapper.text + 1 :]
        names = [p.pattern.id if isinstance(p.pattern, tree.NamePattern) else "" for p in closure.fn.params][wrapper.text + 1 :]
        given = next((v for n, v in zip(names, rest, strict=False) if n in words.VALUES), rest[0] if rest else NOTHING)
        fetch = wrapper.fetch
        if fetch is Fetch.ROWS and any(_single(k, v) for k, v in node.keywords):
            fetch = Fetch.ROW
        around = self._taken(state, node, None)
        taken = Taken(around.fetch if fetch is Fetch.ELSEWHERE else fetch, around.awaited, around.handed)
        deps = derived(*args[len(first) :]).deps
        runs = [Run(s, holes, lookup_in(given), deps, taken, wrapper.many) for s, holes in found]
        cursor = run(state, runs, self._schema(), node, pending=closure.fn.is_async)
        if fetch is Fetch.ELSEWHERE or cursor.shape is None:
            if isinstance(node.func, tree.Member):
                self._remember(state, node, NOTHING, cursor)
            return cursor
        assert isinstance(cursor.shape, Marker)
        return fetched(cursor.shape, fetch, cursor.deps, cursor.pending)

    def _interaction(self, state: State, node: tree.Call) -> Val | None:
        """`pool.runInteraction(function, *args)` calls the function with a cursor and these arguments."""
        for number, arg in enumerate(node.args[:3]):
            if isinstance(arg, tree.Name | tree.Member | tree.Fn):
                with state.recording():
                    value = state.evaluate(arg)
                if isinstance(value.shape, Closure):
                    cursor = tree.Opaque([], node.at, node.at)
                    fake = tree.Call(arg, [cursor, *node.args[number + 1 :]], node.at, node.end)
                    fake.keywords = [(k, v) for k, v in node.keywords if k in _params(value.shape.fn)]
                    return state.evaluate(fake)
        return None

    # Cursors.

    def _fetched(self, state: State, node: tree.Call, name: str, base: Val) -> Val | None:
        cursor = base
        if not isinstance(base.shape, Marker) or base.shape.kind != CURSOR:
            if name not in PLAIN_FETCHES:
                return None
            assert isinstance(node.func, tree.Member)
            known = self._latest.of(state).get(path_of(node.func.base))
            if known is None:
                return None
            cursor = known
        if node.args and _may_be_text(node.args[0]) and name != "fetchmany":
            return None
        if any(word in words.TEXTS for word, _ in node.keywords):
            return None  # a statement of its own
        for arg in (*node.args, *(v for _, v in node.keywords)):
            state.evaluate(arg)
        assert isinstance(cursor.shape, Marker)
        return fetched(cursor.shape, FETCHES[name], cursor.deps, cursor.pending)

    def _remember(self, state: State, node: tree.Call, base: Val, cursor: Val) -> None:
        """The receiver now holds the rows of this statement."""
        assert isinstance(node.func, tree.Member)
        receiver = node.func.base
        path = path_of(receiver)
        settled = cursor.settled()
        if path:
            self._latest.of(state)[path] = settled
        plain = base.shape is None or isinstance(base.shape, Marker)
        if plain and isinstance(receiver, tree.Name) and receiver.id not in ("self", "cls"):
            state.replace(receiver, settled)

    def _taken(self, state: State, node: tree.Call, fetch: Fetch | None) -> Taken:
        fn = state.calling[-1] if state.calling else None
        if not isinstance(fn, tree.Fn):
            return Taken(fetch or Fetch.ELSEWHERE)
        reading = self._read.get(id(fn))
        if reading is None:
            reading = self._read[id(fn)] = read(fn)
        taken = reading.of(node)
        return taken if fetch is None else Taken(fetch, taken.awaited, taken.handed)

    def _pending(self, state: State, taken: Taken, name: str) -> bool:
        """Whether the call only starts: a coroutine that is awaited, gathered or handed on."""
        fn = state.calling[-1] if state.calling else None
        return taken.awaited or (taken.handed and isinstance(fn, tree.Fn) and fn.is_async)

    def rows(self, state: State, value: Val, at: int, end: int, *, partial: bool) -> Val | None:
        """`for row in cursor`."""
        shape = value.shape
        if not isinstance(shape, Marker) or shape.kind != CURSOR:
            return None
        waited = state.wait(value, at, end)
        return fetched(shape, Fetch.ROWS, waited.deps, frozenset())


def _quoted(state: State, node: tree.Call) -> Val:
    """`sql.Identifier("schema", "name")`: a name in the text, where it is written down."""
    parts = placed(state, node, None)
    made = derived(*parts)
    return replace(made, literal=".".join(f'"{p.literal}"' for p in parts)) if all(isinstance(p.literal, str) for p in parts) else made


def _may_be_text(node: tree.Expr) -> bool:
    return not isinstance(node, tree.Fn | tree.Record | tree.Array | tree.Comprehension) and not (
        isinstance(node, tree.Literal) and not isinstance(node.value, str)
    )


def _routed(node: tree.Expr) -> bool:
    if not isinstance(node, tree.Call) or not isinstance(node.func, tree.Member) or node.func.name not in words.ROUTES or not node.args:
        return False
    first = node.args[0]
    return isinstance(first, tree.Literal) and isinstance(first.value, str) and (first.value.startswith("/") or first.value == "")


def _single(name: str, value: tree.Expr) -> bool:
    return name in ("one", "single", "first", "fetchone", "fetch_one") and isinstance(value, tree.Literal) and value.value is True


def _params(fn: tree.Fn) -> set[str]:
    return {p.pattern.id for p in fn.params if isinstance(p.pattern, tree.NamePattern)}
