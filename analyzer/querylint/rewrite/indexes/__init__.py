"""Index advice turned into edits of schemas, of the queries that read by a dropped index, and into migrations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from importlib import import_module
from typing import Protocol, cast

from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict
from querylint.construction import dataclass
from querylint.patch import TextEdit
from querylint.rewrite import Sources

STACKS = {
    "convex": "querylint.rewrite.indexes.convex",
    "django": "querylint.rewrite.indexes.django",
    "sqlalchemy": "querylint.rewrite.indexes.sqlalchemy",
}
"""The module that edits the schemas of a stack."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which parts of the advice are wanted. `large` are the tables whose indexes are to be built before queries may read by them."""

    add: bool = True
    drop: bool = True
    large: frozenset[str] = frozenset()


REVISION = "revision"
"""What is held in the place of an index, where the models are edited and only the revision is to be made by hand."""


@dataclass(frozen=True, slots=True)
class Held:
    """An index that is not edited, and why."""

    table: str
    index: str
    reason: str


@dataclass(slots=True)
class Changes:
    """Edits that are made together. `created` are files that are not there yet, by path; `held` is what must be done by hand."""

    edits: list[TextEdit] = field(default_factory=list)
    created: dict[str, bytes] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)

    def hold(self, table: TableAdvice, index: IndexAdvice, reason: str) -> None:
        """Leave an index to the user."""
        self.held.append(Held(table.table.name, index.name, reason))


@dataclass(frozen=True, slots=True)
class Desk:
    """What rewriters of schemas may look at: the files as they were analyzed, and which there are."""

    sources: Sources
    files: Sequence[str]


class Rewriter(Protocol):
    """What the module of a stack offers."""

    def rewrite(self, desk: Desk, tables: Sequence[TableAdvice], order: Order, changes: Changes) -> None:
        """Carry out the advice for the tables of one schema."""
        ...


def changes(read: Callable[[str], bytes | None], files: Sequence[str], tables: Sequence[TableAdvice], order: Order) -> Changes:
    """The edits that carry out the advice."""
    made = Changes()
    desk = Desk(Sources(read), files)
    by_schema: Mapping[tuple[str, str], list[TableAdvice]] = _grouped(tables)
    for (stack, _), mine in sorted(by_schema.items()):
        module = STACKS.get(stack)
        if module is None:
            for table in mine:
                for index in wanted(table, order):
                    made.hold(table, index, f"put `{statement(table, index)}` into the schema")
        else:
            cast("Rewriter", import_module(module)).rewrite(desk, mine, order, made)
    return made


def statement(table: TableAdvice, index: IndexAdvice) -> str:
    """What a database is told."""
    if index.verdict is Verdict.DROP:
        return f"DROP INDEX {index.name};"
    return f"CREATE INDEX {index.name} ON {table.table.name} ({', '.join(index.fields)});"


def _grouped(tables: Sequence[TableAdvice]) -> dict[tuple[str, str], list[TableAdvice]]:
    found: dict[tuple[str, str], list[TableAdvice]] = {}
    for table in tables:
        if table.changes:
            found.setdefault((table.schema.stack, table.schema.root), []).append(table)
    return found


def wanted(table: TableAdvice, order: Order) -> list[IndexAdvice]:
    """The indexes of a table that are to be added or dropped."""
    return [i for i in table.indexes if (i.verdict is Verdict.ADD and order.add) or (i.verdict is Verdict.DROP and order.drop)]
