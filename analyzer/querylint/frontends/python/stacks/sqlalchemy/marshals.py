"""Fields by which Flask-RESTful and Flask-RESTX marshal what a resource gives back: what they name is asked of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import External, Many, Record, Val, derived
from querylint.frontends.python.shown import answers, each, last_return, made_by, member
from querylint.syntax import tree
from querylint.syntax.questions import keyword, last_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy import SqlAlchemy

DECORATORS = frozenset(("marshal_with", "marshal_list_with"))
PACKAGES = ("flask_restful", "flask_restx", "flask_restplus")
DEEPEST = 4


def answered(stack: SqlAlchemy, state: State, fn: tree.Fn) -> None:
    """What the fields of `@marshal_with(fields)` ask of what a function gives back, by itself or before a status and headers."""
    made = next((d for d in fn.decorators if isinstance(d, tree.Call) and last_name(d.func) in DECORATORS), None)
    given = (made.args[0] if made.args else keyword(made, "fields")) if made is not None else None
    last = last_return(fn) if given is not None else None
    if given is None or last is None:
        return
    node = tree.Call(last, [last], last.at, last.end)
    for value in answers(state):
        _inside(stack, state, node, (state.path, given), value, 0)


def marshalled(stack: SqlAlchemy, state: State, node: tree.Call, func: External) -> Val | None:
    """`marshal(posts, fields)`."""
    if not func.source.startswith(PACKAGES) or not func.source.endswith(".marshal") or not node.args:
        return None
    given = node.args[1] if len(node.args) > 1 else keyword(node, "fields")
    if given is None:
        return None
    value = state.evaluate(node.args[0])
    _inside(stack, state, node, (state.path, given), value, 0)
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
            made_by(state, stack.project.modules, path, attribute, row, node)
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
