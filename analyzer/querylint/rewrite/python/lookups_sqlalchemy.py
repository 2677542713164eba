"""Reads of one row in the words of SQLAlchemy: `session.get(...)`, and `first()` and its kin of a query or a select of one class."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from querylint.ir import Table
from querylint.rewrite import Unfit
from querylint.rewrite.python import counts_sqlalchemy
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
    empty,
    one_row,
    refined,
    without_argument,
)
from querylint.rewrite.python.scopes import names, snake

ENDINGS = {
    "first": "", "one_or_none": "", "scalar_one_or_none": "", "scalar": "", "one": "`NoResultFound`", "scalar_one": "`NoResultFound`",
}  # fmt: skip
SINGLE = frozenset(("one_or_none", "scalar_one_or_none", "one", "scalar_one"))
"""What raises an error where there are several rows."""
LEGACY = frozenset(("first", "one_or_none", "one", "get"))
RUNS = frozenset(("scalars", "execute", "scalar"))
KEPT = frozenset(("filter", "where", "filter_by", "options", "order_by", "join", "outerjoin"))
"""What a query may go through besides, with the same arguments in every round."""
UNSEEN_KEY = "`{key}` must be the primary key: it is declared where it cannot be seen"
BEGUN = "`{entity}.select()` must only filter rows and say what to load with them"
NO_LOOKUP = "the read is not written as get(), first(), one() or the like on a query of one class"


@dataclass(frozen=True, slots=True)
class _Read:
    """A read that is taken apart: its query of an entity, and the argument of a call that compares a column with the key.

    `session` runs a select, None for a query that runs itself. `made` says that the select is new to the file,
    `begun` that a method of the class begins it, `unseen` that the key is declared where it cannot be seen.
    """

    query: cst.BaseExpression
    entity: str
    column: str
    key: cst.BaseExpression
    session: cst.BaseExpression | None
    conditions: cst.Call | None
    given: cst.Arg | None
    made: bool = False
    begun: bool = False
    unseen: bool = False

    def within(self, keys: str) -> str:
        """The query of the rows of many keys."""
        condition = f"{self.entity}.{self.column}.in_({keys})"
        put = "where" if self.session is not None else "filter"
        if self.conditions is None or self.given is None:
            return f"{code(self.query)}.{put}({condition})"
        if self.given.keyword is not None:
            left = refined(self.query, self.conditions, without_argument(self.conditions, self.given), {})
            return f"{code(left)}.{put}({condition})"
        among = self.given.with_changes(value=cst.parse_expression(condition))
        given = tuple(among if one is self.given else one for one in self.conditions.args)
        given = (*given[:-1], given[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT))
        return code(refined(self.query, self.conditions, given, {}))


def lookup(node: cst.BaseExpression, table: Table, asking: Asking) -> Lookup | Unfit:
    """The read that an expression is."""
    call = node.expression if isinstance(node, cst.Await) else node
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or not one_line(call):
        return Unfit(NO_LOOKUP)
    if method(call) == "get" and len(call.args) == 2 and not any(a.keyword or a.star for a in call.args) and name(call.args[0].value):
        return _by_session(call, table, asking, waiting=isinstance(node, cst.Await))
    if (counted := counts_sqlalchemy.lookup(node, table, asking)) is not None:
        return counted
    run = next((x for x in links(call) if isinstance(x, cst.Call) and method(x) in RUNS and len(x.args) == 1), None)
    if method(call) not in (ENDINGS if run is not None else LEGACY) or (call.args and run is not call and method(call) != "get"):
        return Unfit(NO_LOOKUP)
    session = None
    query: cst.BaseExpression = call.func.value
    if run is not None and isinstance(run.func, cst.Attribute):
        query, session = run.args[0].value, run.func.value
    chain = links(query)
    calls = [link for link in chain if isinstance(link, cst.Call) and method(link) in KEPT]
    others = [link for link in chain if isinstance(link, cst.Call) and link not in calls]
    entity = _entity(chain, others, modern=session is not None, whole=asking.whole)
    if not entity:
        return Unfit(NO_LOOKUP)
    base = chain[-1]
    begun = names(session) if session is not None else {base.value} if isinstance(base, cst.Name) else frozenset()
    if begun & asking.own:
        return Unfit(NO_PLACE.format(name=min(begun & asking.own)))
    if method(call) == "get" and session is None:
        if len(call.args) != 1 or any(names(a.value) & asking.own for one in calls for a in one.args):
            return Unfit(NO_LOOKUP)
        key = call.args[0].value
        if isinstance(key, cst.Name) and key.value in asking.rows | asking.records:
            return Unfit(f"`{key.value}` is the result of a query, not a key")
        read = _Read(query, entity, table.key, key, None, None, None)
        return _written(read, table, call, tuple(a.value for one in calls for a in one.args), waiting=False, unique=True)
    asked = [(one, argument) for one in calls for argument in one.args if names(argument.value) & asking.own]
    if len(asked) != 1:
        return Unfit(TWO_KEYS if asked else DEPENDS_NOT)
    conditions, given = asked[0]
    joined = any(method(one) in ("join", "outerjoin") for one in calls)
    compared = _equal(conditions, given, entity, joined=joined)
    if compared is None:
        return Unfit("the key of the item is not directly compared with a column")
    field, key = compared
    if isinstance(key, cst.Name) and key.value in asking.rows | asking.records:
        return Unfit(f"`{key.value}` is the result of a query, not a key")
    unseen = table.field(field) is None and field == table.key and table.link(field) is None
    if table.field(field) is None and not unseen and (table.link(field) is not None or not field.endswith("_id")):
        return Unfit(f"`{field}` is not a known column of `{table.name}`")
    bound = {pair[0] for one in calls for argument in one.args if (pair := _equal(one, argument, entity, joined=joined)) is not None}
    mine = any(isinstance(one.func, cst.Attribute) and name(one.func.value) == entity for one in others)
    read = _Read(query, entity, field, key, session, conditions, given, begun=mine, unseen=unseen)
    parts = tuple(a.value for one in calls for a in one.args if a is not given)
    return _written(read, table, call, parts, waiting=isinstance(node, cst.Await), unique=one_row(table, bound))


def _by_session(call: cst.Call, table: Table, asking: Asking, *, waiting: bool) -> Lookup | Unfit:
    assert isinstance(call.func, cst.Attribute)
    if begun := (names(call.func.value) | names(call.args[0].value)) & asking.own:
        return Unfit(NO_PLACE.format(name=min(begun)))
    entity = call.args[0].value
    query = cst.Call(cst.parse_expression(asking.select), [cst.Arg(entity)])
    read = _Read(query, code(entity), table.key, call.args[1].value, call.func.value, None, None, made=True)
    return _written(read, table, call, (), waiting=waiting, unique=True)


def _written(read: _Read, table: Table, call: cst.Call, parts: tuple[cst.BaseExpression, ...], *, waiting: bool, unique: bool) -> Lookup:
    row = snake(read.entity.rpartition(".")[2])
    field = table.field(read.column)
    as_text = field is not None and field.uuid  # requests bring such keys as texts
    error = ENDINGS.get(method(call), "")

    def ahead(keys: str) -> str:
        rows = read.within(keys)
        if read.session is not None:
            rows = f"{'await ' if waiting else ''}{code(read.session)}.scalars({rows})"
        if not unique:
            rows = f"reversed(({rows}).all())" if waiting else f"reversed({rows}.all())"
        held = f"{row}.{read.column}"
        return f"{{{f'str({held})' if as_text else held}: {row} for {row} in {rows}}}"

    def pick(rows: str, key: str, typed: bool) -> str:
        key = f"str({key})" if as_text else key
        return f"{rows}[{key}]" if error else f"{rows}.get({key})"

    caveats: tuple[str, ...] = () if unique else (SEVERAL,) if method(call) in SINGLE else (ALL_OF_KEY,)
    caveats += (UNSEEN_KEY.format(key=f"{read.entity}.{read.column}"),) if read.unseen else ()
    caveats += (BEGUN.format(entity=read.entity),) if read.begun else ()
    caveats += (WITHOUT,) if read.column != table.key and empty(table, read.column) else ()
    needs = (("sqlalchemy", "select"),) if read.made else ()
    return Lookup(read.key, parts, ahead, pick, error, f"{row}_by_{read.column}", caveats, needs)


def _entity(chain: list[cst.BaseExpression], others: list[cst.Call], *, modern: bool, whole: bool) -> str:
    """The class whose rows a query hands out, by `select(Class)`, `session.query(Class)` or `Class.query`; empty where there is none."""
    begun = [one for one in others if (method(one) or name(one.func)) == ("select" if modern else "query")]
    if modern and whole and len(begun) == 1 and others == begun and isinstance(begun[0].func, cst.Attribute):
        given = name(begun[0].func.value)  # `Class.select(user)`: the project's own way to begin a query of the class
        if given.rpartition(".")[2][:1].isupper():
            return given
    if begun:
        rest = [one for one in others if one is not begun[0] and one not in links(begun[0])]
        single = len(begun[0].args) == 1 and not begun[0].args[0].star and not rest
        given = name(begun[0].args[0].value) if single else ""
        return given if given.rpartition(".")[2][:1].isupper() else ""
    held = next((link for link in chain if isinstance(link, cst.Attribute) and link.attr.value == "query"), None)
    before = name(held.value) if held is not None and not modern and not others else ""
    return before if before.rpartition(".")[2][:1].isupper() else ""


def _equal(conditions: cst.Call, given: cst.Arg, entity: str, *, joined: bool) -> tuple[str, cst.BaseExpression] | None:
    """The column of the class that a condition compares with something, and with what; `filter_by` means the class that was joined last."""
    if method(conditions) == "filter_by" and given.keyword is not None and not joined:
        return given.keyword.value, given.value
    compared = given.value
    if method(conditions) not in ("filter", "where") or not isinstance(compared, cst.Comparison) or len(compared.comparisons) != 1:
        return None
    target = compared.comparisons[0]
    before, _, column = name(compared.left).rpartition(".")
    return (column, target.comparator) if isinstance(target.operator, cst.Equal) and before == entity else None
