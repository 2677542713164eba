"""Reads of one row by a key that only it has, in the words of Django and SQLAlchemy, and what reads the rows of many keys."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from querylint.construction import dataclass
from querylint.ir import Table
from querylint.rewrite.python.concrete import Tree, links, method, name
from querylint.rewrite.python.scopes import snake

MISSING = "a key that no row has ends in KeyError, and no longer in {error}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A read of one row.

    `key` is the expression that says which, `parts` what else the read is made of. `ahead` writes the read of the rows of many keys, `pick`
    that of one of them from these, by their name. `error` is what it raises where there is no such row, empty where it gives None. `result`
    is a name that says what the rows are.
    """

    key: cst.BaseExpression
    parts: tuple[cst.BaseExpression, ...]
    ahead: Callable[[str], str]
    pick: Callable[[str, str, bool], str]
    error: str
    result: str


def django(tree: Tree, node: cst.BaseExpression, table: Table) -> Lookup | None:
    """`manager.get(pk=key)` and `manager.filter(pk=key).first()`."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return None
    call, error = node, f"`{table.name}.DoesNotExist`"
    if method(node) in ("first", "afirst") and not node.args and isinstance(node.func.value, cst.Call):
        call, error = node.func.value, ""
    if method(call) not in ("get", "aget") and not (method(call) == "filter" and not error):
        return None
    if len(call.args) != 1 or call.args[0].keyword is None or not isinstance(call.func, cst.Attribute):
        return None
    field, key = call.args[0].keyword.value, call.args[0].value
    base = call.func.value
    if isinstance(base, cst.Call) and method(base) not in ("all", "using"):
        return None
    held = tree.text(base)
    model = held.removesuffix(".objects") if isinstance(base, cst.Attribute) and base.attr.value == "objects" else f"{held}.model"
    primary = field in ("pk", table.key)
    if not primary and not _unique(table, field):
        return None
    given = "" if primary else f", field_name={tree.quoted(field)}"
    described = f"{model}._meta.pk" if primary else f"{model}._meta.get_field({tree.quoted(field)})"
    fetch = "await " if method(call) == "aget" or method(node) == "afirst" else ""
    many = "ain_bulk" if fetch else "in_bulk"
    column = table.field(table.key) if primary else None
    number = column is not None and column.type == "number"
    result = f"{snake(table.name)}_by_{table.key if primary else field}"

    def ahead(keys: str) -> str:
        return f"{fetch}{held}.{many}({keys}{given})"

    def pick(rows: str, one: str, typed: bool) -> str:
        exact = one if typed and number else f"{described}.to_python({one})"
        return f"{rows}[{exact}]" if error else f"{rows}.get({exact})"

    return Lookup(key, (base,), ahead, pick, error, result)


def sqlalchemy(tree: Tree, node: cst.BaseExpression, table: Table) -> Lookup | None:
    """`session.get(Class, key)`, `session.query(Class).filter(Class.id == key).first()` and their kin of 2.0."""
    waiting = isinstance(node, cst.Await)
    call = node.expression if isinstance(node, cst.Await) else node
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return None
    last = method(call)
    if last == "get" and len(call.args) == 2 and not any(a.keyword or a.star for a in call.args) and name(call.args[0].value):
        entity, column, key, session = name(call.args[0].value), table.key, call.args[1].value, call.func.value
        modern, error = True, ""
    else:
        parsed = _compared(call)
        if parsed is None:
            return None
        entity, column, key, session, modern, error = parsed
        if column != table.key and not _unique(table, column):
            return None
    held = tree.text(session)
    row = snake(entity.rpartition(".")[2])
    result = f"{row}_by_{column}"

    def ahead(keys: str) -> str:
        condition = f"{entity}.{column}.in_({keys})"
        if modern:
            rows = f"{held}.scalars(select({entity}).where({condition}))"
            rows = f"await {rows}" if waiting else rows
        else:
            rows = f"{held}.query({entity}).filter({condition})"
        return f"{{{row}.{column}: {row} for {row} in {rows}}}"

    def pick(rows: str, one: str, typed: bool) -> str:
        return f"{rows}[{one}]" if error else f"{rows}.get({one})"

    return Lookup(key, (session,), ahead, pick, error, result)


_Parsed = tuple[str, str, cst.BaseExpression, cst.BaseExpression, bool, str]
ENDINGS = {
    "first": "", "one_or_none": "", "scalar_one_or_none": "", "scalar": "", "one": "`NoResultFound`", "scalar_one": "`NoResultFound`",
}  # fmt: skip


def _compared(call: cst.Call) -> _Parsed | None:
    """`query(Class).filter(Class.column == key)` with what runs it, and the same of `select`."""
    if method(call) not in ENDINGS:
        return None
    error = ENDINGS[method(call)]
    chain = links(call)
    for link in chain:
        if isinstance(link, cst.Call) and method(link) in ("scalars", "execute", "scalar") and len(link.args) == 1:
            assert isinstance(link.func, cst.Attribute)
            asked = _asked(link.args[0].value, "select")
            return (*asked[:3], link.func.value, True, error) if asked is not None else None
    if not isinstance(call.func, cst.Attribute) or method(call) not in ("first", "one_or_none", "one"):
        return None
    asked = _asked(call.func.value, "query")
    return (*asked[:3], asked[3], False, error) if asked is not None and asked[3] is not None else None


def _asked(query: cst.BaseExpression, begin: str) -> tuple[str, str, cst.BaseExpression, cst.BaseExpression | None] | None:
    if not isinstance(query, cst.Call) or method(query) not in ("filter", "where") or len(query.args) != 1:
        return None
    compared = query.args[0].value
    assert isinstance(query.func, cst.Attribute)
    start = query.func.value
    if not isinstance(start, cst.Call) or len(start.args) != 1:
        return None
    called = method(start) or name(start.func)
    entity = name(start.args[0].value)
    if called != begin or not entity or not isinstance(compared, cst.Comparison) or len(compared.comparisons) != 1:
        return None
    target = compared.comparisons[0]
    column = name(compared.left)
    if not isinstance(target.operator, cst.Equal) or column.rpartition(".")[0] != entity:
        return None
    session = start.func.value if isinstance(start.func, cst.Attribute) else None
    return entity, column.rpartition(".")[2], target.comparator, session


def _unique(table: Table, field: str) -> bool:
    return any(index.unique and index.fields == (field,) and not index.partial for index in table.indexes)
