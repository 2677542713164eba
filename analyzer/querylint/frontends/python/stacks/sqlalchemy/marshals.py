"""Fields by which Flask-RESTful and Flask-RESTX marshal what a resource gives back: what they name is asked of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import External, Many, Query, Record, Val, derived
from querylint.frontends.python.shown import each, member
from querylint.syntax import tree
from querylint.syntax.questions import keyword, last_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy import SqlAlchemy

DECORATORS = frozenset(("marshal_with", "marshal_list_with"))
PACKAGES = ("flask_restful", "flask_restx", "flask_restplus")
DEEPEST = 4


def answered(stack: SqlAlchemy, state: State, fn: tree.Fn, value: Val) -> None:
    """What the fields of `@marshal_with(fields)` ask of what a function gives back, by itself or before a status and headers."""
    given = next((d.args[0] for d in fn.decorators if isinstance(d, tree.Call) and last_name(d.func) in DECORATORS and d.args), None)
    last = next((n for n in tree.walk(fn.body) if isinstance(n, tree.Return) and n.value is not None), None)
    if given is None or last is None or last.value is None:
        return
    node = tree.Call(last.value, [last.value], last.value.at, last.value.end)
    items = value.shape.items if isinstance(value.shape, Many) else None
    if items and len(items) > 1 and isinstance(items[1].literal, int):
        value = items[0]
    _inside(stack, state, node, (state.path, given), value, 0)


def marshalled(stack: SqlAlchemy, state: State, node: tree.Call, func: External) -> Val | None:
    """`marshal(posts, fields)`."""
    if not func.source.startswith(PACKAGES) or not func.source.endswith(".marshal") or len(node.args) < 2:
        return None
    value = state.evaluate(node.args[0])
    if isinstance(value.shape, Query):
        value = stack.rows(state, value, node.args[0].at, node.args[0].end, partial=False) or value
    _inside(stack, state, node, (state.path, node.args[1]), value, 0)
    return derived(value)


def _inside(stack: SqlAlchemy, state: State, node: tree.Call, given: tuple[str, tree.Expr], made: Val, depth: int) -> None:
    if isinstance(made.shape, Many) and made.shape.keyed:
        _asked(stack, state, node, given, made, depth)
        return
    each(state, made, node, node.args[0], lambda row: _asked(stack, state, node, given, row, depth))


def _asked(stack: SqlAlchemy, state: State, node: tree.Call, given: tuple[str, tree.Expr], row: Val, depth: int) -> None:
    if depth > DEEPEST:
        return
    for name, (value, path) in _fields(stack, *given, 0).items():
        attribute = keyword(value, "attribute") if isinstance(value, tree.Call) else None
        if attribute is not None and not text_of(attribute):
            continue
        made: Val | None = row
        for part in (text_of(attribute) or name).split("."):
            made = _member(state, node, made, part) if made is not None else None
        inner = _nested(value)
        if made is not None and inner is not None:
            _inside(stack, state, node, (path, inner), made, depth + 1)


def _member(state: State, node: tree.Call, base: Val, name: str) -> Val | None:
    if isinstance(base.shape, Record) and base.doc_of is None:
        return base.shape.fields.get(name)
    return member(state, base, name, node)


def _fields(stack: SqlAlchemy, path: str, node: tree.Expr, depth: int) -> dict[str, tuple[tree.Expr, str]]:
    """The fields that a dictionary or a model of them holds, each with the module that declares it; of two of a name the latter counts."""
    found: dict[str, tuple[tree.Expr, str]] = {}
    if depth > DEEPEST:
        return found
    if isinstance(node, tree.Name | tree.Member):
        named = stack.project.modules.reference(path, node)
        if named is not None and isinstance(named.node, tree.Call | tree.Record | tree.Name):
            found |= _fields(stack, named.path, named.node, depth + 1)
    elif isinstance(node, tree.Call) and last_name(node.func) in ("model", "inherit", "clone", "Model"):
        for arg in node.args[1:]:  # behind the name: those that it takes after, then its own
            found |= _fields(stack, path, arg, depth + 1)
    elif isinstance(node, tree.Record):
        for key, value in node.entries:
            if key is None:
                found |= _fields(stack, path, value, depth + 1)
            elif isinstance(key, str):
                found[key] = (value, path)
    return found


def _nested(value: tree.Expr) -> tree.Expr | None:
    """What `fields.Nested(fields)` holds, also in a list of them."""
    if not isinstance(value, tree.Call) or not value.args:
        return None
    word = last_name(value.func)
    return _nested(value.args[0]) if word == "List" else value.args[0] if word == "Nested" else None
