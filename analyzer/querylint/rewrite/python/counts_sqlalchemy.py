"""Numbers of rows for each item in the words of SQLAlchemy: `query(...).count()`, and a select of `func.count()`."""

from __future__ import annotations

import libcst as cst

from querylint.ir import Table
from querylint.rewrite import Unfit
from querylint.rewrite.python.concrete import links, method, name
from querylint.rewrite.python.expressions import code
from querylint.rewrite.python.lookups import DEPENDS_NOT, NO_PLACE, TWO_KEYS, WITHOUT, Asking, Lookup, empty, refined
from querylint.rewrite.python.scopes import names, snake

RUNS = frozenset(("scalar", "execute"))
TAKEN = frozenset(("scalar", "scalar_one"))
KEPT = frozenset(("filter", "where"))
KEY = "the key of the item is not directly compared with a column"


def lookup(node: cst.BaseExpression, table: Table, asking: Asking) -> Lookup | Unfit | None:
    """The count that an expression is; None for another read."""
    waiting = isinstance(node, cst.Await) or any(isinstance(link, cst.Await) for link in links(node))
    call = node.expression if isinstance(node, cst.Await) else node
    if method(call) == "count" and isinstance(call, cst.Call) and not call.args and isinstance(call.func, cst.Attribute):
        return _counted(call.func.value, None, table, asking, waiting=False)
    runs = [x for x in links(call) if isinstance(x, cst.Call) and method(x) in RUNS and len(x.args) == 1]
    if len(runs) != 1 or not isinstance(runs[0].func, cst.Attribute) or not _plain(call, runs[0]):
        return None
    return _counted(runs[0].args[0].value, runs[0].func.value, table, asking, waiting=waiting)


def _plain(call: cst.BaseExpression, run: cst.Call) -> bool:
    """Whether nothing is done with a result but to take its one value."""
    after = [link for link in links(call) if isinstance(link, cst.Call)]
    after = after[: after.index(run)]
    if method(run) == "scalar":
        return not after
    return len(after) == 1 and method(after[0]) in TAKEN


def _counted(
    query: cst.BaseExpression, session: cst.BaseExpression | None, table: Table, asking: Asking, *, waiting: bool
) -> Lookup | Unfit | None:
    chain = links(query)
    calls = [link for link in chain if isinstance(link, cst.Call)]
    begun = calls[-1] if calls else None
    conditions = [one for one in calls if method(one) in KEPT]
    entity = _entity(begun, calls, modern=session is not None)
    if begun is None or not entity or len(conditions) + 1 + (session is not None and _selects_from(calls)) != len(calls):
        return None
    base = names(session) if session is not None else names(chain[-1])
    if base & asking.own:
        return Unfit(NO_PLACE.format(name=min(base & asking.own)))
    asked = [(one, argument) for one in conditions for argument in one.args if names(argument.value) & asking.own]
    if len(asked) != 1:
        return Unfit(TWO_KEYS if asked else DEPENDS_NOT)
    held, given = asked[0]
    compared = given.value.comparisons[0] if isinstance(given.value, cst.Comparison) and len(given.value.comparisons) == 1 else None
    before, _, column = name(given.value.left).rpartition(".") if isinstance(given.value, cst.Comparison) else ("", "", "")
    if compared is None or not isinstance(compared.operator, cst.Equal) or before != entity:
        return Unfit(KEY)
    if table.field(column) is None and (table.link(column) is not None or not column.endswith("_id")):
        return Unfit(f"`{column}` is not a known column of `{table.name}`")
    if isinstance(compared.comparator, cst.Name) and compared.comparator.value in asking.rows | asking.records:
        return Unfit(f"`{compared.comparator.value}` is the result of a query, not a key")
    key = f"{entity}.{column}"

    def ahead(keys: str) -> str:
        among = given.with_changes(value=cst.parse_expression(f"{key}.in_({keys})"))
        arguments = tuple(among if one is given else one for one in held.args)
        grouped = _begun_with(
            refined(query, held, arguments, {}), [key, code(begun.args[0].value) if session is not None else f"{asking.count}.count()"]
        )
        read = f"{code(grouped)}.group_by({key})"
        if session is None:
            return f"dict({read}.all())"
        run = f"{code(session)}.execute({read})"
        return f"dict((await {run}).all())" if waiting else f"dict({run}.all())"

    def pick(rows: str, wanted: str, typed: bool) -> str:
        return f"{rows}.get({wanted}, 0)"

    parts = tuple(argument.value for one in calls if one is not begun for argument in one.args if argument is not given)
    caveats = (WITHOUT,) if empty(table, column) else ()
    result = f"{snake(entity.rpartition('.')[2])}_count_by_{column}"
    needs = (("sqlalchemy", "func"),) if session is None else ()
    return Lookup(compared.comparator, parts, ahead, pick, "", result, caveats, needs, counted=True)


def _selects_from(calls: list[cst.Call]) -> bool:
    return any(method(one) == "select_from" for one in calls)


def _entity(begun: cst.Call | None, calls: list[cst.Call], *, modern: bool) -> str:
    """The class whose rows are counted; empty where it is not clear."""
    if begun is None or len(begun.args) != 1 or begun.args[0].star:
        return ""
    word = method(begun) or name(begun.func)
    given = begun.args[0].value
    if not modern:
        found = name(given) if word == "query" else ""
        return found if found.rpartition(".")[2][:1].isupper() else ""
    if (
        word != "select"
        or not isinstance(given, cst.Call)
        or name(given.func).rpartition(".")[2] != "count"
        or "func" not in name(given.func)
    ):
        return ""
    source = next((one for one in calls if method(one) == "select_from"), None)
    if not given.args:
        found = name(source.args[0].value) if source is not None and len(source.args) == 1 else ""
    else:
        found = name(given.args[0].value).rpartition(".")[0] if len(given.args) == 1 and source is None else ""
    return found if found.rpartition(".")[2][:1].isupper() else ""


def _begun_with(query: cst.BaseExpression, arguments: list[str]) -> cst.BaseExpression:
    """A query that selects other things."""
    if isinstance(query, cst.Call) and not any(isinstance(link, cst.Call) for link in links(query)[1:]):
        return query.with_changes(args=[cst.Arg(cst.parse_expression(argument)) for argument in arguments])
    if isinstance(query, cst.Call):
        return query.with_changes(func=_begun_with(query.func, arguments))
    if isinstance(query, cst.Attribute):
        return query.with_changes(value=_begun_with(query.value, arguments))
    return query
