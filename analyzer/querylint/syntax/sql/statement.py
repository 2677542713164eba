"""One SQL statement in frozen values: what it does, to which tables, under which conditions, and what it hands out."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from querylint.construction import dataclass
from querylint.ir import Relation


class Operation(Enum):
    """What a statement does. OTHER is a transaction, a setting, a pragma; UNKNOWN a text that could not be read."""

    READ = "read"
    WRITE = "write"
    DDL = "ddl"
    OTHER = "other"
    UNKNOWN = "unknown"


class OperandKind(Enum):
    """What a column is compared with or set to.

    PLACEHOLDER is bound when the statement runs, HOLE was pasted into the text by the program, OTHER is an expression of the database's.
    """

    PLACEHOLDER = "placeholder"
    LITERAL = "literal"
    HOLE = "hole"
    COLUMN = "column"
    LIST = "list"
    SUBQUERY = "subquery"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """A column as written: its name and the table or alias before the dot, if any. `name` is None where a hole stands for it."""

    name: str | None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Operand:
    """The other side of a comparison.

    `key` is the number of a positional placeholder (from 0, in the order of the text) or of a hole, or the name of a named one.
    `literal` is the constant of a LITERAL, `column` that of a COLUMN, `items` the members of a LIST.
    """

    kind: OperandKind
    key: int | str | None = None
    literal: object = None
    column: Column | None = None
    items: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a conjunction.

    `column` is None where no single plain column is compared. For Relation.ANY `arms` holds the alternatives, each a conjunction.
    A null test is EQ or NE with the literal None.
    """

    column: Column | None
    relation: Relation
    operand: Operand | None = None
    arms: tuple[tuple[Condition, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class TableUse:
    """A table that a statement names; `derived` marks a subquery, a CTE or a function.

    `name` is None where the text leaves it open; `hole` is then the number of the hole that holds the whole name, `pasted` that of the
    first one in it. `space` is the schema or database in front of the name; one that the text leaves open makes the name so.
    """

    name: str | None
    alias: str | None = None
    derived: bool = False
    hole: int | None = None
    space: str | None = None
    pasted: int | None = None

    @property
    def label(self) -> str | None:
        """What columns are qualified with."""
        return self.alias or self.name


@dataclass(frozen=True, slots=True)
class Join:
    """A joined table, and the conditions under which its rows are joined. `kind` is inner, left, right, full or cross."""

    table: TableUse
    kind: str
    on: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One term of ORDER BY; `column` is None for an expression or a hole."""

    column: Column | None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """One thing that is handed out: its label, the plain column behind it, the aggregate that made it (`count`, `sum`, `exists`...)."""

    label: str | None
    column: Column | None = None
    aggregate: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A column that a write sets, and to what."""

    column: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class Statement:
    """What a text says.

    `verb` is its own word (select, insert, upsert, update, delete, truncate, create, ...). `tables` are those of its own level, the first
    of FROM (or the written one) in front. `outputs` is None for `*` (`star`) or where holes hide them. `conditions` is the conjunction
    of WHERE. `assignments` is None where the columns of a write are not named. `partial` says that a hole may add conditions, tables,
    an order or a limit. `grouped` are the terms of GROUP BY. `subqueries` are all the selects inside, each by itself. `rows` is how many
    rows an INSERT writes out, None where it does not.
    """

    operation: Operation
    verb: str = ""
    tables: tuple[TableUse, ...] = ()
    joins: tuple[Join, ...] = ()
    conditions: tuple[Condition, ...] = ()
    outputs: tuple[Output, ...] | None = None
    star: bool = False
    distinct: bool = False
    grouped: tuple[Column | None, ...] = ()
    order: tuple[OrderTerm, ...] = ()
    limit: Operand | None = None
    offset: Operand | None = None
    assignments: tuple[Assignment, ...] | None = None
    returning: tuple[Output, ...] | None = None
    subqueries: tuple[Statement, ...] = ()
    locking: bool = False
    partial: bool = False
    combined: bool = False
    rows: int | None = None

    @property
    def table(self) -> TableUse | None:
        """The table in front."""
        return self.tables[0] if self.tables else None

    @property
    def single(self) -> bool:
        """Whether it concerns one stored table and nothing else."""
        return len(self.tables) == 1 and not self.tables[0].derived and not self.joins and not self.subqueries and not self.combined

    @property
    def counts(self) -> bool:
        """Whether it hands out one number of rows."""
        return self._only("count")

    @property
    def probes(self) -> bool:
        """Whether it only asks if a row exists."""
        return self._only("exists")

    @property
    def aggregates(self) -> tuple[Output, ...]:
        """The outputs that the database works out over many rows."""
        return tuple(o for o in self.outputs or () if o.aggregate is not None)

    def _only(self, aggregate: str) -> bool:
        return self.outputs is not None and len(self.outputs) == 1 and self.outputs[0].aggregate == aggregate and not self.grouped

    def on(self, table: TableUse) -> Iterator[Condition]:
        """The conditions of WHERE that name a column of one of its tables; a bare name belongs to the only table."""
        for condition in self.conditions:
            if condition.column is not None and self.belongs(condition.column, table):
                yield condition

    def belongs(self, column: Column, table: TableUse) -> bool:
        """Whether a column is certainly one of a table's."""
        if column.of is None:
            return len(self.tables) == 1
        names = {n.lower() for n in (table.alias, table.name if table.alias is None else None) if n is not None}
        return column.of.lower() in names


NOT_READ = Statement(Operation.UNKNOWN, partial=True)
