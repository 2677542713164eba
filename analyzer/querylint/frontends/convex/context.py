"""What the Convex front end knows of one module while it walks through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from querylint.construction import dataclass
from querylint.frontends.convex.roots import ConvexRoot
from querylint.frontends.flow.values import NO_STEPS, NOTHING, Many, Marker, Parts, Query, Record, Val
from querylint.frontends.modules import Modules
from querylint.ir import Field, Origin, Table
from querylint.syntax import tree


@dataclass(slots=True)
class Registered:
    """A function found inside another function's body (a factory), to be walked on its own.

    `around` are the parameters of the functions around, which come before its own, where those have made it (`makers`), `this` the object
    that it is a part of.
    """

    name: str
    fn: tree.Fn
    kind: str
    public: bool
    args: Val
    node: tree.Call | None
    scope: object = None
    store: dict[object, Val] = field(default_factory=dict)
    around: tuple[str, ...] | None = None
    this: Val | None = None


class Asking(Mapping[str, Table]):
    """The tables of a schema; `asked` fills with those that somebody asks for, each with the root of the schema."""

    def __init__(self, root: str, tables: Mapping[str, Table], asked: set[tuple[str, str]]) -> None:
        self._root = root
        self._tables = tables
        self._asked = asked

    def __getitem__(self, name: str) -> Table:
        self._asked.add((self._root, name))
        return self._tables[name]

    def __len__(self) -> int:
        return len(self._tables)

    def __iter__(self) -> Iterator[str]:
        self._asked.update((self._root, name) for name in self._tables)
        return iter(self._tables)


@dataclass(slots=True)
class ModuleContext:
    """One module: its place in the project, the tables of its schema, and the definitions that its names lead to."""

    path: str
    modules: Modules
    root: ConvexRoot | None
    tables: Mapping[str, Table]
    api_root: str
    kind_of: Callable[[str, str], tuple[str, bool, str | None] | None]
    inner: list[Registered] = field(default_factory=list)
    owner: str = ""
    named: dict[int, str] = field(default_factory=dict)
    awaited: dict[int, Query] = field(default_factory=dict)
    run_later: set[int] = field(default_factory=set)
    makes: dict[int, tuple[tree.Fn, Parts | None]] = field(default_factory=dict)

    def table(self, name: str | None) -> Table | None:
        """A table of the schema."""
        return self.tables.get(name) if name is not None else None


def field_value(origins: tuple[Origin, ...], deps: frozenset[int], declared: Field | None, name: str) -> Val:
    """A field of a document, with the table that its ids refer to."""
    here = tuple(o.at(name) for o in origins)
    if declared is None:
        return Val(here, deps)
    if declared.type == "array":
        item = Val(tuple(o.at("[]") for o in here), deps, id_of=declared.target)
        return Val(here, deps, shape=Many(item))
    if declared.type == "object" and declared.parts:
        return Val(here, deps, shape=Record({}, (Val(here, deps),), len(declared.parts)))
    return Val(here, deps, id_of=declared.target if declared.type == "id" else None)


def document(origins: tuple[Origin, ...], deps: frozenset[int], table: str | None, pending: frozenset[int] = NO_STEPS) -> Val:
    """A document of a table."""
    return Val(origins, deps, pending, doc_of=table)


CTX = Marker("ctx")
DB = Marker("db")


def context_value(val: Val) -> Val:
    """A value known to be a function context."""
    return Val(val.origins, val.deps, shape=CTX)


def database_value(val: Val, *, system: bool = False) -> Val:
    """A value known to be a database handle."""
    return Val(val.origins, val.deps, shape=Marker("db", ("system",)) if system else DB)


__all__ = ["CTX", "DB", "NOTHING", "ModuleContext", "Registered", "context_value", "database_value", "document", "field_value"]
