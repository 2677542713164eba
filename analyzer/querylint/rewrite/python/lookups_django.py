"""Reads of one row in the words of Django: `get(...)`, `filter(...)` with `first()`, `exists()` or `count()`."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from querylint.ir import Table
from querylint.rewrite import Unfit
from querylint.rewrite.python.concrete import links, method, name
from querylint.rewrite.python.expressions import code, one_line
from querylint.rewrite.python.lookups import (
    ALL_OF_KEY,
    DEPENDS_NOT,
    NO_PLACE,
    SEVERAL,
    TWO_KEYS,
    WITHOUT,
    Asking,
    Lookup,
    column,
    empty,
    one_row,
    refined,
    without_argument,
)
from querylint.rewrite.python.scopes import names, snake

ENDINGS = {
    "get": "get",
    "aget": "get",
    "first": "first",
    "afirst": "first",
    "exists": "exists",
    "aexists": "exists",
    "count": "count",
    "acount": "count",
}
KEPT = frozenset(("filter", "exclude", "all", "using", "select_related", "prefetch_related", "order_by"))
"""What a queryset may go through besides, with the same arguments in every round."""
FILTERS = {"get": "filter", "aget": "filter"}
NO_LOOKUP = "the read is not written as get(), first(), exists() or count() of a queryset"


@dataclass(frozen=True, slots=True)
class _Read:
    """A read that is taken apart: its query, the call that compares a column with the key, and how it ends."""

    table: Table
    query: cst.BaseExpression
    conditions: cst.Call
    given: cst.Arg
    key: cst.BaseExpression
    ending: str
    waiting: bool
    quote: str

    @property
    def field(self) -> str:
        """The column that is compared, as it is written."""
        assert self.given.keyword is not None
        return self.given.keyword.value

    @property
    def attribute(self) -> str:
        """The attribute of a row that holds the key."""
        held = column(self.table, self.field)
        return self.field if self.table.link(held) is None or self.field == "pk" else f"{held}_id"

    @property
    def result(self) -> str:
        """A name for the rows by their keys."""
        return f"{snake(self.table.name)}_by_{self.table.key if self.field == 'pk' else self.attribute}"

    @property
    def manager(self) -> cst.BaseExpression:
        """What the query begins with."""
        first = next(link for link in reversed(links(self.query)) if isinstance(link, cst.Call))
        assert isinstance(first.func, cst.Attribute)
        return first.func.value

    @property
    def number(self) -> bool:
        """Whether the column holds numbers."""
        held = column(self.table, self.table.key if self.field == "pk" else self.field)
        field = self.table.field(held)
        return field is not None and field.type == "number" and self.table.link(held) is None

    def converted(self, key: str) -> str:
        """A key in the type of the column."""
        start = self.manager
        objects = isinstance(start, cst.Attribute) and start.attr.value == "objects"
        model = code(start.value) if isinstance(start, cst.Attribute) and objects else f"{code(start)}.model"
        primary = self.field in ("pk", self.table.key)
        described = "pk" if primary else f"get_field({self.quote}{column(self.table, self.field)}{self.quote})"
        return f"{model}._meta.{described}.to_python({key})"

    def without(self) -> str:
        """The query without the key."""
        return code(refined(self.query, self.conditions, without_argument(self.conditions, self.given), FILTERS))

    def within(self, keys: str) -> str:
        """The query of the rows of many keys."""
        held = cst.Arg(cst.Name(keys) if keys.isidentifier() else cst.parse_expression(keys), cst.Name(f"{self.field}__in"))
        held = held.with_changes(equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")))
        given = tuple(held if one is self.given else one for one in self.conditions.args)
        *others, last = given
        given = (*others, last.with_changes(comma=cst.MaybeSentinel.DEFAULT))
        return code(refined(self.query, self.conditions, given, FILTERS))


def lookup(node: cst.BaseExpression, table: Table, asking: Asking) -> Lookup | Unfit:
    """The read that an expression is."""
    call = node.expression if isinstance(node, cst.Await) else node
    ending = ENDINGS.get(method(call), "")
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or not ending or (ending != "get" and call.args):
        return Unfit(NO_LOOKUP)
    chain = links(call)
    calls = [link for link in chain if isinstance(link, cst.Call) and (link is not call or ending == "get")]
    base = chain[-1]
    if not all(method(one) in KEPT or one is call for one in calls) or not isinstance(base, cst.Name) or not one_line(call):
        return Unfit(NO_LOOKUP)
    if base.value in asking.own:
        return Unfit(NO_PLACE.format(name=base.value))
    asked = [(one, argument) for one in calls for argument in one.args if names(argument.value) & asking.own]
    if len(asked) != 1:
        return Unfit(TWO_KEYS if asked else DEPENDS_NOT)
    conditions, given = asked[0]
    if given.keyword is None or method(conditions) not in ("filter", *FILTERS):
        return Unfit("the key of the item is not directly compared with a column")
    field = given.keyword.value
    if field not in ("pk", table.key) and table.field(column(table, field)) is None:
        return Unfit(f"`{field}` is not a known column of `{table.name}`")
    key = _key(given, table, asking)
    if isinstance(key, Unfit):
        return key
    query = call if ending == "get" else call.func.value
    read = _Read(table, query, conditions, given, key, ending, isinstance(node, cst.Await), asking.quote)
    parts = (*(a.value for one in calls for a in one.args if a is not given),)
    if ending == "exists":
        return _exists(read, parts)
    if ending == "count":
        return _count(read, parts, asking.count)
    if one_row(table, [field]) and table.link(column(table, field)) is None:
        return _in_bulk(read, parts)
    said = {a.keyword.value for one in calls if method(one) in ("filter", *FILTERS) for a in one.args if a.keyword is not None}
    return _grouped(read, parts, unique=one_row(table, said))


def first_of(call: cst.Call, manager: str) -> cst.Call | None:
    """`get_object_or_404(Post, pk=key)` as the query that it makes, with `first()`; `manager` is the one that the class has by itself."""
    if not call.args or call.args[0].keyword is not None or call.args[0].star or any(a.star for a in call.args):
        return None
    source = call.args[0].value
    last = name(source).rpartition(".")[2]
    if last[:1].isupper():
        source = cst.Attribute(source, cst.Name(manager))
    elif last != "objects" and not isinstance(source, cst.Call):
        return None
    return cst.Call(cst.Attribute(cst.Call(cst.Attribute(source, cst.Name("filter")), call.args[1:]), cst.Name("first")))


def _key(given: cst.Arg, table: Table, asking: Asking) -> cst.BaseExpression | Unfit:
    """The expression of the key, where a condition may name a row in its place."""
    assert given.keyword is not None
    value = given.value
    if table.link(given.keyword.value) is None:
        return value
    if isinstance(value, cst.Name) and value.value in asking.rows:
        return cst.Attribute(value, cst.Name("pk"))
    last = name(value).rpartition(".")[2]
    if last in ("id", "pk") or last.endswith(("_id", "_pk")) or (isinstance(value, cst.Call) and name(value.func) == "int"):
        return value
    return Unfit(f"whether `{code(value)}` is a row or the key of one is not known")


def _in_bulk(read: _Read, parts: tuple[cst.BaseExpression, ...]) -> Lookup:
    """Rows by a column that only one row has."""
    primary = read.field in ("pk", read.table.key)
    named = "" if primary else f", field_name={read.quote}{read.field}{read.quote}"
    many = "ain_bulk" if read.waiting else "in_bulk"

    def ahead(keys: str) -> str:
        return f"{'await ' if read.waiting else ''}{read.without()}.{many}({keys}{named})"

    def pick(rows: str, key: str, typed: bool) -> str:
        exact = key if typed else read.converted(key)
        return f"{rows}[{exact}]" if read.ending == "get" else f"{rows}.get({exact})"

    error = f"`{read.table.name}.DoesNotExist`" if read.ending == "get" else ""
    caveats = (WITHOUT,) if not primary and empty(read.table, read.field) else ()
    return Lookup(read.key, parts, ahead, pick, error, read.result, caveats, number=read.number)


def _grouped(read: _Read, parts: tuple[cst.BaseExpression, ...], *, unique: bool) -> Lookup:
    """Rows by a column that several rows may have: of these the first one, as before."""
    ordered = bool(read.table.order) or any(method(link) == "order_by" for link in links(read.query))
    row = snake(read.table.name)

    def ahead(keys: str) -> str:
        rows = read.within(keys)
        if read.waiting:
            listed = f"[{row} async for {row} in {rows}]" if unique or ordered else f'[{row} async for {row} in {rows}.order_by("-pk")]'
            rows = f"reversed({listed})" if ordered and not unique else listed
        elif not unique:
            rows = f"reversed({rows})" if ordered else f"{rows}.order_by({read.quote}-pk{read.quote})"
        return f"{{{row}.{read.attribute}: {row} for {row} in {rows}}}"

    def pick(rows: str, key: str, typed: bool) -> str:
        exact = key if typed else read.converted(key)
        return f"{rows}[{exact}]" if read.ending == "get" else f"{rows}.get({exact})"

    error = f"`{read.table.name}.DoesNotExist`" if read.ending == "get" else ""
    caveats: tuple[str, ...] = () if unique else (SEVERAL,) if read.ending == "get" else (ALL_OF_KEY,)
    caveats += (WITHOUT,) if empty(read.table, read.field) else ()
    return Lookup(read.key, parts, ahead, pick, error, read.result, caveats, number=read.number)


def _exists(read: _Read, parts: tuple[cst.BaseExpression, ...]) -> Lookup:
    """Which of the keys have a row."""
    row = snake(read.table.name)

    def ahead(keys: str) -> str:
        rows = f"{read.within(keys)}.values_list({read.quote}{read.attribute}{read.quote}, flat=True)"
        return f"{{key async for key in {rows}}}" if read.waiting else f"set({rows})"

    def pick(rows: str, key: str, typed: bool) -> str:
        return f"{key if typed else read.converted(key)} in {rows}"

    caveats = (WITHOUT,) if empty(read.table, read.field) else ()
    return Lookup(read.key, parts, ahead, pick, "", f"{read.attribute}s_of_{row}", caveats, found=True, number=read.number)


def _count(read: _Read, parts: tuple[cst.BaseExpression, ...], count: str) -> Lookup:
    """How many rows each of the keys has."""
    mark = read.quote

    def ahead(keys: str) -> str:
        pairs = f"{read.within(keys)}.order_by().values_list({mark}{read.attribute}{mark}).annotate({count}({mark}pk{mark}))"
        return f"{{key: number async for key, number in {pairs}}}" if read.waiting else f"dict({pairs})"

    def pick(rows: str, key: str, typed: bool) -> str:
        return f"{rows}.get({key if typed else read.converted(key)}, 0)"

    caveats = (WITHOUT,) if empty(read.table, read.field) else ()
    result = f"{snake(read.table.name)}_count_by_{read.attribute}"
    needs = (("django.db.models", "Count"),)
    return Lookup(read.key, parts, ahead, pick, "", result, caveats, needs, counted=True, number=read.number)
