"""SQLAlchemy: mapped classes and tables, statements and queries, sessions, rows and their relations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import LOADER, NO_STEPS, TEXT, ClassRef, Closure, External, Many, Marker, Query, Record, Val, derived
from querylint.frontends.flow.vocabulary import Consumption
from querylint.frontends.python.answering import answers
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.language.texts import CONSTRUCT
from querylint.frontends.python.stack import Noted, Stack
from querylint.frontends.python.stacks.sqlalchemy import functions, inherited, loaders, queries, rows, schemas, sessions, visitors, words
from querylint.frontends.python.stacks.sqlalchemy.expressions import COLLECTED, SOME, any_column, column, derived_column, method, model_of
from querylint.frontends.python.stacks.sqlalchemy.model import Model
from querylint.frontends.python.stacks.sqlalchemy.models import Models
from querylint.ir import Escape, Facts, Kind, Table
from querylint.result import Note, NoteKind
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject


class SqlAlchemy(Stack):
    """Everything that reaches a database through SQLAlchemy."""

    name: ClassVar[str] = "sqlalchemy"
    words: ClassVar[tuple[bytes, ...]] = (b"sqlalchemy", b"sqlmodel")
    facts: Facts = Facts(bulk_writes=True, bulk_reads=True, parallel=False, planner=True, lazy=True, once=False, identity=True)

    def __init__(self, project: PythonProject) -> None:
        super().__init__(project)
        self.models: Models
        self.facts = replace(self.facts, expires=not sessions.keep_rows(project))
        self._gathered: Noted[list[tuple[frozenset[int], str | None]]] = Noted("gathered rows", list)
        self._worked: Noted[int] = Noted("last work", int)
        self._held: Noted[set[str]] = Noted("held tables", set)

    def tables(self) -> Mapping[str, Table]:
        """The mapped classes and tables of the project."""
        self.models = Models(self.project, sorted(self.project.modules.files))
        return self.models.tables()

    def notes(self) -> list[Note]:
        """A project without mapped classes is said."""
        if not self.models.by_table:
            return [Note(NoteKind.HINT, "no SQLAlchemy model or table was found, so relations and indexes are not checked")]
        return []

    # What a session holds.

    def gather(self, state: State, deps: frozenset[int], table: str | None) -> None:
        """A row waits to be written."""
        self._gathered.of(state).append((deps, table))

    def gathered(self, state: State) -> list[tuple[frozenset[int], str | None]]:
        """The rows that wait to be written."""
        return self._gathered.of(state)

    def flushed(self, state: State) -> None:
        """Nothing waits any more."""
        self._gathered.taken(state)

    def holds(self, state: State, table: str | None) -> bool:
        """Whether a list of a table was loaded before: a row of it that is asked for by its key costs nothing."""
        return table is not None and table in self._held.of(state)

    def worked(self, state: State) -> bool:
        """Whether the present round of a loop has done something outside: then what it writes is kept before the next begins."""
        return bool(state.frames) and self._worked.of(state) >= state.frames[-1].id

    def hold(self, state: State, table: str | None) -> None:
        """A list of a table was loaded."""
        if table is not None:
            self._held.of(state).add(table)

    # Names.

    def external(self, name: str) -> Val | None:
        """Mapped classes of outside code to which the project adds relations."""
        if not hasattr(self, "models"):
            return None
        if name in visitors.OUTSIDE:
            return visitors.user(self.models)
        model = self.models.outside.get(name)
        return Val(shape=Marker("model", (model.table,))) if model is not None else None

    def annotated(self, name: str, args: tuple[Val, ...]) -> Val | None:
        """`Session`, `AsyncSession`, `Query[User]`, `Select[tuple[User]]`, `Mapped[User]`."""
        word = name.rpartition(".")[2]
        if not _ours(name):
            return None
        if word in words.SESSIONS | words.CONNECTIONS:
            return functions.session(asynchronous=".asyncio" in name or word.startswith(("Async", "async")))
        if word == "Mapped" and args:
            return args[0]
        model = self.models.outside.get(name)
        return Val(doc_of=model.table) if model is not None else None

    def own_member(self, state: State, info: ClassInfo, base: Val, node: tree.Member) -> Val | None:
        """`self.current_user`, which a handler has from the framework that it takes after."""
        handler = any(name.endswith("Handler") for name in info.ancestry())
        return visitors.user(self.models) if node.name == "current_user" and handler else None

    def instance(self, info: ClassInfo) -> Val | None:
        """A row of a mapped class."""
        model = self.models.by_class.get((info.path, info.name))
        if model is not None:
            return Val(doc_of=model.table)
        if any(_ours(n) and n.rpartition(".")[2] in words.SESSIONS for n in info.ancestry()):
            return functions.session(asynchronous=any("sync" in n.lower() and "async" in n.lower() for n in info.ancestry()))
        return None

    def made(self, state: State, node: tree.Call, info: ClassInfo) -> Val | None:
        """A new row, not stored yet."""
        model = self.models.by_class.get((info.path, info.name))
        if model is None:
            return None
        args = [state.evaluate(a) for a in node.args]
        fields = {k: state.evaluate(v) for k, v in node.keywords}
        loose = fields.pop("**", None)
        for value in fields.values():
            state.leak(value, Escape.STORED, node.at, node.end)
        deps = derived(*args, *fields.values(), *((loose,) if loose is not None else ())).deps
        return Val(deps=deps, shape=Record(fields, (loose,) if loose is not None else ()), doc_of=model.table)

    def class_member(self, state: State, info: ClassInfo, node: tree.Member) -> Val | None:
        """`User.name`, `User.posts`, `User.query`, `User.__table__`."""
        model = self.models.by_class.get((info.path, info.name))
        return self.entity_member(state, model, node) if model is not None else self._shared_member(state, info, node)

    def _shared_member(self, state: State, info: ClassInfo, node: tree.Member) -> Val | None:
        """`cls.query` and the columns of whichever class takes after a mixin or a base."""
        below = self.models.below(info.path, info.name)
        if not below or info.method(node.name) is not None:
            return None
        if node.name == "query":
            return queries.start(state, self.models, ("@",), node.at, node.end, yields="")
        return any_column(node.name, NO_STEPS) if any(model.has(node.name) for model in below) else None

    def entity_member(self, state: State, model: Model, node: tree.Member) -> Val | None:
        """An attribute of a mapped class or of an alias of it."""
        name = node.name
        if name in model.links or model.has(name):
            return column(model, name)
        if name in model.proxies:
            return Val(shape=Marker("proxy", (model.table, model.proxies[name][0])))
        if name == "query" and (model.info is None or model.info.method(name) is None):
            return queries.start(state, self.models, (f"@{model.table}",), node.at, node.end, yields="")
        if name == "__table__":
            return Val(shape=Marker("table", (model.table,)))
        if model.open:
            return column(model, name)
        return Val(shape=Marker("sql", (model.table, "", ""))) if model.works_out(name) else None

    def any_of(self, classes: tuple[Val, ...]) -> Val | None:
        """A mapped class, whichever it is."""
        some = Val(shape=Marker(SOME))
        return some if all(model_of(self.models, c) is not None or c.shape == some.shape for c in classes) else None

    def any_below(self, info: ClassInfo | None, outside: str) -> Val | None:
        """A mapped class, whichever it is, where mapped classes take after the one that is named: a declarative base, or a mixin."""
        if info is None:
            based = _ours(outside) and outside.rpartition(".")[2] in words.BASES
        else:
            below = any(model.info is not None and info in model.info.mro() for model in self.models.by_table.values())
            based = (below or self.models.declarative(info)) and not self.models.mapped(info)
        return Val(shape=Marker(SOME)) if based else None

    # Members.

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """Columns and relations of rows and tables, named parts of tuples, what an extension hands out."""
        if base.doc_of is not None:
            return rows.member(self, state, base, node)
        if visitors.handed_out(base, node):
            return visitors.user(self.models)
        shape = base.shape
        if isinstance(shape, Marker):
            return self._marked(state, base, shape, node)
        if isinstance(shape, Many) and base.type.startswith(queries.ROW) and shape.items is not None:
            names = base.type.removeprefix(queries.ROW).split(",")
            return shape.items[names.index(node.name)].with_deps(base.deps) if node.name in names else Val(deps=base.deps)
        return None

    def _marked(self, state: State, base: Val, shape: Marker, node: tree.Member) -> Val | None:
        name = node.name
        if shape.kind == "extension":
            return functions.session(asynchronous=False) if name == "session" else self.project.outside(f"sqlalchemy.{name}")
        if shape.kind in ("model", "table"):
            model = self.models.by_table.get(shape.data[0])
            if model is None:
                return None
            if name in ("c", "columns"):
                return Val(shape=Marker("model", (shape.data[0], COLLECTED)))
            by_column = model.columns.get(name, name)
            found = self.entity_member(state, model, replace(node, name=by_column))
            return found.with_deps(base.deps) if found is not None else None
        if shape.kind == SOME:
            if node.name == "query":
                return queries.start(state, self.models, ("@",), node.at, node.end, yields="", deps=base.deps)
            return any_column(node.name, base.deps) if not node.name.startswith("__") else None
        if shape.kind == "page":
            return shape.inner.with_deps(base.deps) if name == "items" and shape.inner is not None else Val(deps=base.deps)
        if shape.kind in ("subquery", "bundle"):
            return base if name in ("c", "columns") else derived_column(base, name)
        if shape.kind == "relation":
            return Val(deps=base.deps, shape=Marker("sql", ("",)))
        if shape.kind == "session":
            return base if name in ("session", "sync_session", "registry") else None
        return None

    # Calls.

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """Functions of SQLAlchemy; methods of sessions, queries, statements and expressions."""
        shape = func.shape
        if isinstance(shape, External):
            if shape.source.startswith(words.EFFECTS):
                self._worked.put(state, state.counter)
            if _ours(shape.source):
                made = functions.outside(self, state, node, shape.source)
                if made is not None:
                    return made
            if (made := schemas.marshalled(self, state, node, shape)) is not None:
                return made
            if base is None:
                made_of = text_of(node.args[0]) if node.args else ""
                known = hasattr(self, "models") and made_of in self.models.made  # the tables themselves may ask for what they are made of
                return Val(shape=Marker("model", (made_of,))) if known else None
        if base is None or not isinstance(node.func, tree.Member):
            return self._called(state, node, shape) if isinstance(shape, Marker) else None
        if isinstance(shape, Closure) and shape.name:
            return None
        return self._method(state, node, node.func, base)

    def _called(self, state: State, node: tree.Call, shape: Marker) -> Val | None:
        """`SessionLocal()`, `aliased` kept in a variable."""
        if shape.kind == "maker":
            return functions.session(asynchronous="async" in shape.data)
        if shape.kind == "session":
            return Val(shape=shape)
        if shape.kind == "model":
            fields = {k: state.evaluate(v) for k, v in node.keywords}
            return Val(deps=derived(*fields.values()).deps, shape=Record(fields), doc_of=shape.data[0])
        return None

    def _method(self, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
        name = func.name
        receiver = base.shape
        if isinstance(receiver, Query):
            if receiver.flavor == sessions.STATEMENT:
                return sessions.continued(self, state, node, name, base, receiver)
            if receiver.flavor in queries.FLAVORS:
                return self._noted(state, queries.method(state, self.models, node, name, base, receiver), receiver)
            return None
        if isinstance(receiver, Marker):
            made = self._marked_call(state, node, name, base, receiver)
            if made is not None:
                return made
        elif base.doc_of is not None:
            if name == visitors.ITSELF:
                return base
            if base.doc_of in self.models.by_table:
                state.leak(base, Escape.PASSED, node.at, node.end)  # a method of outside code may read anything of the row
            return None
        elif isinstance(receiver, Many) and name in words.GROWING and receiver.item.doc_of in self.models.by_table:
            with state.recording():
                values = [state.evaluate(a) for a in node.args]
            for value in values:
                state.leak(value, Escape.STORED, node.at, node.end)
            return None
        elif isinstance(receiver, ClassRef):
            made = schemas.asked(self, state, node, name, base)
            if made is not None or not receiver.instance:
                return made or inherited.called(state, self.models, node, name, base)
        return self._session_call(state, node, func, base)

    def _noted(self, state: State, made: Val | None, query: Query) -> Val | None:
        """Lists of a table stay in the session."""
        if made is not None and isinstance(made.shape, Many) and not query.cut:
            self._hold_rows(state, made, query)
        return made

    def _hold_rows(self, state: State, made: Val, query: Query) -> None:
        entities = [c[1:] for c in query.columns if c.startswith("@")]
        for table in entities or (() if query.columns else (query.table,)):
            self.hold(state, table)

    def _session_call(self, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
        name = func.name
        if name == "query":
            return sessions.query(self, state, node, func, base)
        if name in words.EXECUTORS and node.args:
            return sessions.execute(self, state, node, name, base)
        if name in ("get", "get_or_404"):
            return sessions.get(self, state, node, base)
        if name in words.ROW_WRITES:
            return sessions.rows(self, state, node, func, base)
        return None

    def _marked_call(self, state: State, node: tree.Call, name: str, base: Val, shape: Marker) -> Val | None:
        if shape.kind in ("column", "relation", "sql", "subquery"):
            return method(state, node, name, base)
        if shape.kind == TEXT and base.type == CONSTRUCT and name in words.BOUND:
            return base.with_deps(derived(*(state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords)))).deps)
        if shape.kind == LOADER:
            return loaders.chained(state, self.models, node, name, base)
        if shape.kind == "extension":
            outer = self.project.outside(f"sqlalchemy.{name}")
            return functions.outside(self, state, node, f"sqlalchemy.{name}") if isinstance(outer.shape, External) else None
        if shape.kind == "table":
            if name == "select":
                return queries.start(state, self.models, (f"@{shape.data[0]}",), node.at, node.end, yields=queries.TUPLES)
            if name in functions.WRITING:
                return sessions.statement(name, shape.data[0], node, derived(*(state.evaluate(a) for a in node.args)).deps)
            if name in ("join", "outerjoin", "alias"):
                return replace(base, deps=derived(base, *(state.evaluate(a) for a in node.args)).deps)
        if shape.kind == "maker":
            return (
                functions.session(asynchronous="async" in shape.data)
                if name in ("begin", "session", "__call__")
                else self._maker(state, node, base)
            )
        if shape.kind == "model":
            if COLLECTED in shape.data:
                return any_column("", derived(base, *(state.evaluate(a) for a in node.args)).deps)
            return inherited.called(state, self.models, node, name, base)
        if shape.kind == "session" and name in ("begin", "begin_nested", "connect", "connection", "no_autoflush", "execution_options"):
            return base
        return None

    def _maker(self, state: State, node: tree.Call, base: Val) -> Val | None:
        assert isinstance(node.func, tree.Member)
        assert isinstance(base.shape, Marker)
        session = replace(base, shape=Marker("session", base.shape.data))
        return self._session_call(state, node, node.func, session)

    # Consumption.

    def rows(self, state: State, value: Val, at: int, end: int, *, partial: bool) -> Val | None:
        """A query or a result is iterated."""
        query = value.shape
        if not isinstance(query, Query) or query.flavor not in queries.FLAVORS:
            return None
        found = queries.rows(state, value, at, end, "iteration").settled()
        if not query.cut:
            self._hold_rows(state, found, query)
        return found

    def consumed(self, state: State, value: Val, how: Consumption, node: tree.Expr) -> Val | None:
        """A query is searched, indexed or cut; it has no length and is always true."""
        query = value.shape
        if not isinstance(query, Query) or query.flavor not in queries.FLAVORS:
            return None
        at, end = node.at, node.end
        if how is Consumption.SLICED:
            assert isinstance(node, tree.Index)
            assert isinstance(node.key, tree.Slice)
            stop = state.evaluate(node.key.stop) if node.key.stop is not None else None
            made = replace(query, end=end, cut=stop is not None, limit=stop, refined=True)
            return queries.rows(state, replace(value, shape=made), at, end, "slice")
        if how is Consumption.INDEXED:
            assert isinstance(node, tree.Index)
            state.evaluate(node.key)
            return queries.row(state, value, at, end, "index")
        if how is Consumption.SEARCHED:
            return queries.rows(state, value, at, end, "in").settled()
        return Val(deps=value.deps)

    def assigned(self, state: State, base: Val, target: tree.Member, value: Val) -> None:
        """An attribute of a row is set: the row is written when the session is flushed."""
        model = self.models.by_table.get(base.doc_of or "")
        if model is not None and base.origins:
            self.gather(state, base.deps, model.table)
            state.leak(base, Escape.STORED, target.at, target.end)
            state.leak(value, Escape.STORED, target.at, target.end)
            rows.assigned(state, base, model, target, value)

    def returning(self, state: State, info: ClassInfo | None, fn: tree.Fn, value: Val) -> None:
        """A router reads the attributes that its response model names from the rows that a function gives back."""
        schemas.given_back(self, state, fn, value)

    def kind(self, info: ClassInfo | None, fn: tree.Fn) -> Kind | None:
        """A function that a router answers requests with."""
        for decorator in fn.decorators:
            if isinstance(decorator, tree.Call) and isinstance(decorator.func, tree.Member) and decorator.func.name in words.HTTP:
                return Kind.HTTP
            if callee_name(decorator) == "view_config":
                return Kind.HTTP
        return Kind.HTTP if answers(info, fn) else None


def _ours(source: str) -> bool:
    return source.startswith(words.PACKAGES)
