"""The functions of SQLAlchemy: statements, loader options, expressions, and what makes sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import TEXT, Condition, Marker, Val, derived
from querylint.frontends.python.language.texts import CONSTRUCT
from querylint.frontends.python.stacks.sqlalchemy import loaders, queries, sessions, words
from querylint.frontends.python.stacks.sqlalchemy.expressions import conditions, deps_of, model_of, sql, unread
from querylint.ir import Relation
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy import SqlAlchemy

LOGIC = frozenset("and_ or_ not_".split())
WRITING = frozenset("insert update delete".split())
EXPRESSIONS = frozenset(
    "text literal bindparam literal_column case cast try_cast type_coerce distinct extract collate tuple_ any_ all_ within_group".split()
)


def session(*, asynchronous: bool) -> Val:
    """A session or connection."""
    return Val(shape=Marker("session", ("async",) if asynchronous else ()))


def outside(stack: SqlAlchemy, state: State, node: tree.Call, source: str) -> Val | None:
    """A call of a function or class of SQLAlchemy; None for those that mean nothing here."""
    word = source.rpartition(".")[2]
    if word == "select":
        nodes = node
        if len(node.args) == 1 and isinstance(node.args[0], tree.Array):
            nodes = replace(node, args=list(node.args[0].items))
        return queries.selection(state, stack.models, nodes, legacy=False)
    if word in words.LOADERS:
        return loaders.option(state, stack.models, node, word)
    if word in words.MAKERS:
        later = "async" in word or any(k == "class_" and callee_name(v).startswith("Async") for k, v in node.keywords)
        return Val(shape=Marker("maker", ("async",) if later else ()))
    if word in words.SESSIONS:
        for arg in node.args:
            state.evaluate(arg)
        return session(asynchronous="sync" in word.lower() and "async" in word.lower())
    if word in ("create_engine", "create_async_engine", "engine_from_config"):
        return session(asynchronous="async" in word)
    if word in words.EXTENSIONS:
        return Val(shape=Marker("extension"))
    if word == "Table" and node.args:
        model = stack.models.by_table.get(text_of(node.args[0]))
        return Val(shape=Marker("table", (model.table,))) if model is not None else None
    if word in ("aliased", "with_polymorphic") and node.args:
        args = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
        model = model_of(stack.models, args[0])
        deps = derived(*args).deps
        return Val(deps=deps, shape=Marker("model", (model.table,)) if model is not None else None)
    if word in WRITING and node.args:
        model = model_of(stack.models, state.evaluate(node.args[0]))
        return sessions.statement(word, model.table if model is not None else None, node, frozenset())
    if word in LOGIC:
        return _logic(state, node, word)
    if word in ("desc", "asc", "nullslast", "nullsfirst", "nulls_last", "nulls_first") and len(node.args) == 1:
        return _turned(state, node, word)
    if word == "exists":
        args = [state.evaluate(a) for a in node.args]
        return Val(deps=derived(*args).deps, shape=Marker("sql", ("", "exists")))
    if word == "text" and len(node.args) == 1:
        value = state.evaluate(node.args[0])
        if isinstance(value.shape, Marker) and value.shape.kind == TEXT:
            return replace(value, type=CONSTRUCT)
        return sql(value, name=word)
    if ".func." in source or word in EXPRESSIONS:
        args = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
        return sql(*args, name=_total(word, args))
    return None


def _turned(state: State, node: tree.Call, word: str) -> Val:
    value = state.evaluate(node.args[0])
    shape = value.shape
    if isinstance(shape, Marker) and shape.kind == "column" and word == "desc":
        return replace(value, shape=Marker("column", (*shape.data[:2], "", "desc")))
    return value


def _total(word: str, args: list[Val]) -> str:
    """The function that makes one value of all rows in a call of `word`; the word itself where none does."""
    if word in words.TOTALS and not (word in ("min", "max") and len(args) > 1):  # the least of several values of one row
        return word
    over = [a.shape.data[2] for a in args if isinstance(a.shape, Marker) and a.shape.kind == "sql" and len(a.shape.data) > 2]
    return "" if word in words.TOTALS or words.UNFOLDING.search(word) else next((n for n in over if n in words.TOTALS), word)


def _logic(state: State, node: tree.Call, word: str) -> Val:
    parts = tuple(conditions(state, a) for a in node.args)
    deps = frozenset(n for part in parts for n in deps_of(part))
    if word == "and_":
        found = tuple(c for part in parts for c in part)
    elif word == "or_" and len(parts) > 1:
        found = (Condition(None, Relation.ANY, None, arms=parts, at=node.at, end=node.end),)
    else:
        many = word == "or_" and any(isinstance(arg, tree.Spread) for arg in node.args)  # one of a list of conditions: many keys at once
        found = tuple(replace(c, relation=Relation.IN) if many else c for c in unread(Val(deps=deps)))
    read = (Relation.ANY, Relation.IN)
    found = tuple(c if c.origin is not None or c.relation in read else replace(c, relation=Relation.ANY) for c in found)
    return Val(deps=deps, shape=Marker("sql", ("",)), conditions=found)
