"""Django Ninja: what the response schema of an operation asks of each row that the operation lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import ClassRef, Closure, Many, Query, Val
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.shown import answers, each, last_return, member
from querylint.frontends.python.stacks.django import querysets, words
from querylint.frontends.python.vocabulary import PythonVocabulary
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import keyword, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django
    from querylint.frontends.python.stacks.django.model import Model

NAMES = Pattern(r"[A-Za-z_]\w*")
LISTS = Pattern(r"(?i)(?:list|pag(?:e|inat))\w*\s*\[")
DEEPEST = 2


def answered(django: Django, state: State, fn: tree.Fn) -> None:
    """The rows that an operation gives back go through the schema that it declares."""
    given = next((v for d in fn.decorators if isinstance(d, tree.Call) and (v := keyword(d, "response")) is not None), None)
    last = last_return(fn) if given is not None else None
    if given is None or last is None or b"ninja" not in (django.project.modules.source(state.path) or b""):
        return
    by_status = [value for _, value in given.entries] if isinstance(given, tree.Record) else [given]  # `{200: list[BookOut], 404: Error}`
    text = next((text for value in by_status if LISTS.search(text := state.lines.text(value.at, value.end))), "")
    schema = _schema(django, state.path, text)
    if schema is None:
        return  # one row, whose relations are read once each
    for value in answers(state):
        _each(django, state, last, schema, value, 0)


def _schema(django: Django, path: str, text: str) -> ClassInfo | None:
    for name in NAMES.findall(text):
        found = django.project.modules.definition(path, name)
        info = django.project.classes.get(found.path, found.name) if found is not None and isinstance(found.node, tree.ClassDef) else None
        if info is not None and any(n.rpartition(".")[2].endswith(("Schema", "BaseModel")) for n in info.ancestry()):
            return info
    return None


def _each(django: Django, state: State, node: tree.Expr, schema: ClassInfo, rows: Val, depth: int) -> None:
    if isinstance(rows.shape, Query):
        rows = querysets.rows(state, rows, node.at, node.end, "iteration").settled()
    if not isinstance(rows.shape, Many) or rows.item().doc_of is None:
        return
    each(state, rows, node, node, lambda row: _row(django, state, node, schema, row, depth))


def _row(django: Django, state: State, node: tree.Expr, schema: ClassInfo, row: Val, depth: int) -> None:
    """What a schema reads of one row: by its resolvers, by its aliases, by the schemas inside of it."""
    model = django.models.by_table.get(row.doc_of or "")
    if model is None or depth > DEEPEST or not isinstance(state.vocabulary, PythonVocabulary):
        return
    seen: set[str] = set()
    for owner in schema.mro():
        for name, text, value in owner.node.fields:
            if not text or name in seen or name.startswith("_"):
                continue
            seen.add(name)
            found = schema.method(f"resolve_{name}")
            if found is not None:
                whose, fn = found
                func = tree.Member(node, fn.name, node.at, node.at, node.at)
                this = Val(shape=ClassRef(schema.path, schema.name, instance=True)) if fn.kind != "static" else None
                closure = Closure(fn, None, whose.path, f"{whose.name}.{fn.name}", this=this)
                state.vocabulary.reached(state, tree.Call(func, [], node.at, node.end), closure, (row,) if this is None else (this, row))
                continue
            alias = text_of(keyword(value, "alias")) if isinstance(value, tree.Call) else ""
            _shown(django, state, node, _schema(django, owner.path, text), member(state, row, alias or name, node), depth)
    for name in _listed(schema, model):
        link = model.links.get(name)
        if name not in seen and link is not None and link.many:
            made = member(state, row, name, node)
            if made is not None and isinstance(made.shape, Query):
                querysets.rows(state, made, node.at, node.end, "iteration")  # the keys of the rows


def _shown(django: Django, state: State, node: tree.Expr, schema: ClassInfo | None, value: Val | None, depth: int) -> None:
    if schema is None or value is None:
        return
    if isinstance(value.shape, Query | Many):
        _each(django, state, node, schema, value, depth + 1)
    else:
        _row(django, state, node, schema, value, depth + 1)


def _listed(schema: ClassInfo, model: Model) -> list[str]:
    """The fields that a schema of a model takes over as they are: those of a relation to many are the keys of its rows."""
    meta = schema.inner("Meta") or schema.inner("Config")
    options = {key: value for key, _, value in meta[1].fields} if meta is not None else {}
    fields, but = (options.get(key, options.get(f"model_{key}")) for key in ("fields", "exclude"))
    if isinstance(fields, tree.Array):
        return [text for item in fields.items if (text := text_of(item))]
    if text_of(fields) != "__all__" and not isinstance(but, tree.Array):
        return []
    left = [text_of(item) for item in but.items] if isinstance(but, tree.Array) else []
    own = [made.name for one in (model, *model.parents) for made in one.made if made.kind in words.MANY]
    return [name for name in own if name not in left]
