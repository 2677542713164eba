"""Reads of one row for each item, and what reads the rows of all the items: what the stacks have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import libcst as cst

from querylint.construction import dataclass
from querylint.ir import Table

MISSING = "a missing row raises KeyError, no longer {error}"
SEVERAL = "several rows may have one key: the first of them is taken, without an error"
ALL_OF_KEY = "all rows of a key are loaded, and the first of them is taken"
WITHOUT = "a key that is None finds no row, even where the column holds none"
TWO_KEYS = "every iteration looks up by more than one value"
DEPENDS_NOT = "how the lookups depend on the item is not clear"
NO_PLACE = "the read begins with `{name}`, which is different in every iteration"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A read of one row.

    `key` is the expression that says which, `parts` what else the read is made of, but for what it begins with. `ahead` writes the read of
    the rows of many keys, `pick` that of one of them from these, by their name and whether the keys surely have the type of the column.
    `error` is what it raises where there is no such row, empty where it raises nothing. `result` is a name that says what the rows are.
    `needs` are names that have to be there, each with its module. `found` says that only whether there is a row is asked, `counted` that
    only how many there are, `number` that the column holds integers if the keys do. `failing` is an error that is raised where nothing is
    found, `none` that only None is nothing.
    """

    key: cst.BaseExpression
    parts: tuple[cst.BaseExpression, ...]
    ahead: Callable[[str], str]
    pick: Callable[[str, str, bool], str]
    error: str
    result: str
    caveats: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    found: bool = False
    number: bool = True
    failing: cst.BaseExpression | None = None
    none: bool = False
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """The round that a read is in: `own` are the names that every round has of its own, `rows` those of them that stand for rows, `records`
    those that stand for some columns of one.

    `quote` is the mark that the file prefers; `select` and `count` are what it calls the functions of the stack that select and count.
    `whole` says that the read hands out rows as they are, not some columns of theirs.
    """

    own: frozenset[str]
    rows: frozenset[str]
    records: frozenset[str]
    quote: str
    select: str = "select"
    count: str = "Count"
    whole: bool = False


def one_row(table: Table, bound: Iterable[str]) -> bool:
    """Whether no two rows of a table have the same values in these columns."""
    columns = {column(table, name) for name in bound}
    if table.key in columns or "pk" in columns:
        return True
    return any(index.unique and not index.partial and set(index.fields) <= columns for index in table.indexes)


def column(table: Table, name: str) -> str:
    """The column that goes by a name: that of a foreign key by the relation."""
    if table.field(name) is None and table.field(name.removesuffix("_id")) is not None:
        return name.removesuffix("_id")
    return name


def empty(table: Table, name: str) -> bool:
    """Whether a column may hold no value."""
    if name in ("pk", table.key):
        return False
    field = table.field(column(table, name))
    return field is None or field.nullable or field.optional


def without_argument(call: cst.Call, argument: cst.Arg) -> tuple[cst.Arg, ...]:
    """The arguments of a call but for one."""
    left = [given for given in call.args if given is not argument]
    return tuple([*left[:-1], left[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)] if left else left)


def refined(query: cst.BaseExpression, conditions: cst.Call, arguments: tuple[cst.Arg, ...], to: dict[str, str]) -> cst.BaseExpression:
    """A query with other arguments for one of its calls, and with other names for some of its methods; a call of these without arguments
    is left out."""
    if isinstance(query, cst.Call) and isinstance(query.func, cst.Attribute):
        given = arguments if query is conditions else query.args
        called = query.func.attr.value
        value = refined(query.func.value, conditions, arguments, to)
        if not given and (query is conditions or called in to):
            return value
        return query.with_changes(func=query.func.with_changes(value=value, attr=cst.Name(to.get(called, called))), args=given)
    if isinstance(query, cst.Attribute):
        return query.with_changes(value=refined(query.value, conditions, arguments, to))
    return query
