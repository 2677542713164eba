"""Models of pydantic that are read from the attributes of rows: what they name is asked of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import ClassRef, Many, Val
from querylint.frontends.python import shown
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.sqlalchemy import dumps, marshals
from querylint.frontends.python.stacks.sqlalchemy.columns import names_in
from querylint.frontends.python.stacks.sqlalchemy.marshals import marshalled
from querylint.ir import Kind
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy import SqlAlchemy

READERS = frozenset(("model_validate", "from_orm", "validate"))
DEEPEST = 1


def is_schema(info: ClassInfo) -> bool:
    """Whether a class is a model of pydantic that is no table."""
    return any(name.rpartition(".")[2] in ("BaseModel", "SQLModel", "CamelModel", "RootModel") for name in info.ancestry())


def asked(stack: SqlAlchemy, state: State, node: tree.Call, name: str, base: Val) -> Val | None:
    """A method of a class that reads rows by their attributes, or of an object of such a class."""
    instance = isinstance(base.shape, ClassRef) and base.shape.instance
    return dumps.dumped(stack, state, node, name, base) if instance else read(stack, state, node, name, base)


def given_back(stack: SqlAlchemy, state: State, fn: tree.Fn, value: Val) -> None:
    """What is asked of the rows that a function gives back by who answers with them."""
    if stack.kind(None, fn) is Kind.HTTP:
        answered(stack, state, fn, value)
    marshals.answered(stack, state, fn)
    dumps.answered(stack, state, fn)


def read(stack: SqlAlchemy, state: State, node: tree.Call, name: str, base: Val) -> Val | None:
    """`PostOut.model_validate(post)`."""
    shape = base.shape
    if name not in READERS or not isinstance(shape, ClassRef) or len(node.args) != 1:
        return None
    info = stack.project.info(shape)
    if info is None or not is_schema(info) or info.method(name) is not None:
        return None
    row = state.evaluate(node.args[0])
    _asked(stack, state, node, info, row, 0)
    return Val(deps=row.deps, shape=ClassRef(shape.path, shape.name, instance=True))


def answered(stack: SqlAlchemy, state: State, fn: tree.Fn, value: Val) -> None:
    """What the response model of a route, or its declared result, asks of the rows that the route gives back."""
    given = next((v for d in fn.decorators if isinstance(d, tree.Call) for k, v in d.keywords if k == "response_model"), None)
    text = state.lines.text(given.at, given.end) if given is not None else fn.returns
    info = _schema(stack, state.path, text) if text else None
    last = next((n for n in tree.walk(fn.body) if isinstance(n, tree.Return) and n.value is not None), None)
    if info is None or last is None or last.value is None:
        return
    node = tree.Call(last.value, [last.value], last.value.at, last.value.end)
    if not isinstance(value.shape, Many):
        return  # one row, whose relations are read once each
    _inside(stack, state, node, info, value, -1)


def _asked(stack: SqlAlchemy, state: State, node: tree.Call, info: ClassInfo, row: Val, depth: int) -> None:
    model = stack.models.by_table.get(row.doc_of or "")
    if model is None or depth > DEEPEST:
        return
    seen: set[str] = set()
    for owner in info.mro():
        for name, type_text, _ in owner.node.fields:
            if not type_text or name in seen or name.startswith("_"):
                continue
            seen.add(name)
            made = shown.member(state, row, name, node)
            inner = _schema(stack, owner.path, type_text)
            if made is not None and inner is not None and inner is not info:
                _inside(stack, state, node, inner, made, depth)


def _inside(stack: SqlAlchemy, state: State, node: tree.Call, info: ClassInfo, made: Val, depth: int) -> None:
    shown.each(state, made, node, node.args[0], lambda row: _asked(stack, state, node, info, row, depth + 1))


def _schema(stack: SqlAlchemy, path: str, type_text: str) -> ClassInfo | None:
    for name in names_in(type_text):
        found = stack.project.modules.definition(path, name)
        if found is not None and isinstance(found.node, tree.ClassDef):
            info = stack.project.classes.get(found.path, found.name)
            if info is not None and is_schema(info):
                return info
    return None


__all__ = ["answered", "asked", "given_back", "is_schema", "marshalled", "read"]
