"""What the Convex front end knows of one module while it walks through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from querylint.frontends.convex.roots import ConvexRoot
from querylint.frontends.flow.values import NO_STEPS, NOTHING, Many, Marker, Query, Val
from querylint.frontends.modules import Modules
from querylint.ir import Field, Origin, Schema, Table
from querylint.syntax import tree


@dataclass(slots=True)
class Registered:
    """A function found inside another function's body (a factory), to be walked on its own."""

    name: str
    fn: tree.Fn
    kind: str
    public: bool
    args: Val
    node: tree.Call | None
    scope: object = None
    store: dict[object, Val] = field(default_factory=dict)


@dataclass(slots=True)
class ModuleContext:
    """One module: its place in the project, the schema that governs it, and the definitions that its names lead to."""

    path: str
    modules: Modules
    root: ConvexRoot | None
    schema: Schema | None
    api_root: str
    kind_of: Callable[[str, str], tuple[str, bool, str | None] | None]
    inner: list[Registered] = field(default_factory=list)
    owner: str = ""
    named: dict[int, str] = field(default_factory=dict)
    awaited: dict[int, Query] = field(default_factory=dict)
    run_later: set[int] = field(default_factory=set)
    asked: set[str | None] = field(default_factory=set)

    def table(self, name: str | None) -> Table | None:
        """A table of the schema; `asked` keeps the name."""
        self.asked.add(name)
        return self.schema.tables.get(name) if self.schema is not None and name is not None else None


def field_value(origins: tuple[Origin, ...], deps: frozenset[int], declared: Field | None, name: str) -> Val:
    """A field of a document, with the table that its ids refer to."""
    here = tuple(o.at(name) for o in origins)
    if declared is None:
        return Val(here, deps)
    if declared.type == "array":
        item = Val(tuple(o.at("[]") for o in here), deps, id_of=declared.target)
        return Val(here, deps, shape=Many(item))
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
