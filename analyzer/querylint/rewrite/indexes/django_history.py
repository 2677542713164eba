"""What the migrations of an app say of a model by now: how a field is written, and what an index without a name is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from querylint.construction import dataclass
from querylint.rewrite.python.source import PythonSource, assigned, text_of, word_of

OPERATIONS = frozenset(("AddField", "AlterField", "CreateModel", "RenameField", "RenameModel", "RemoveField", "AddIndex", "RenameIndex"))

FIELD = " " * 12
"""What a keyword of an operation is indented by in a migration."""


@dataclass(frozen=True, slots=True)
class Written:
    """A field as a migration writes it, with the imports that it needs beside `models`."""

    text: str
    imports: tuple[str, ...]


def newest_first(last: str, parents: Mapping[str, Sequence[str]]) -> list[str]:
    """The migrations that one follows, each before those that it depends on; of two that do not the one with the higher number."""
    order: list[str] = []
    waiting = [last]
    while waiting:
        name = max(waiting)
        waiting.remove(name)
        order.append(name)
        left = [n for n in parents if n not in order]
        for parent in parents[name]:
            held = any(parent in parents[n] for n in left)
            if parent in left and parent not in waiting and not held:
                waiting.append(parent)
    return order


def unindexed(history: Sequence[PythonSource], model: str, field: str) -> Written | None:
    """A field without its index; None where the migrations do not plainly say what it is."""
    for source, call in _operations(history):
        word, given = word_of(call), {k.arg: k.value for k in call.keywords}
        own = (text_of(given.get("model_name")) or "").lower() == model.lower()
        if word in ("AddField", "AlterField") and own and text_of(given.get("name")) == field:
            return _without_index(source, given.get("field"))
        if word == "CreateModel" and (text_of(given.get("name")) or "").lower() == model.lower():
            return _without_index(source, _listed(given.get("fields"), field))
        if word in ("RenameField", "RemoveField") and own and field in (text_of(v) for v in given.values()):
            return None
        if word == "RenameModel" and (text_of(given.get("new_name")) or "").lower() == model.lower():
            return None
    return None


def index_name(history: Sequence[PythonSource], model: str, fields: Sequence[str]) -> str | None:
    """The name that Django has given an index; None where the migrations do not plainly say it."""
    for _, call in _operations(history):
        word, given = word_of(call), {k.arg: k.value for k in call.keywords}
        own = (text_of(given.get("model_name")) or "").lower() == model.lower()
        if word == "AddIndex" and own and _fields(given.get("index")) == tuple(fields):
            index = given["index"]
            assert isinstance(index, ast.Call)
            return text_of(next((k.value for k in index.keywords if k.arg == "name"), None))
        if (word == "RenameIndex" and own) or (word == "RenameModel" and (text_of(given.get("new_name")) or "").lower() == model.lower()):
            return None
        if word == "CreateModel" and (text_of(given.get("name")) or "").lower() == model.lower():
            return next((n for n in _in_options(given.get("options"), fields)), None)
    return None


def _in_options(options: ast.expr | None, fields: Sequence[str]) -> Iterator[str]:
    """The name of an index among the options that a model is made with."""
    pairs = zip(options.keys, options.values, strict=True) if isinstance(options, ast.Dict) else ()
    for key, value in pairs:
        for index in value.elts if text_of(key) == "indexes" and isinstance(value, ast.List | ast.Tuple) else ():
            if _fields(index) == tuple(fields) and isinstance(index, ast.Call):
                name = text_of(next((k.value for k in index.keywords if k.arg == "name"), None))
                if name is not None:
                    yield name


def _fields(index: ast.expr | None) -> tuple[str, ...] | None:
    """The fields of a plain index."""
    if not isinstance(index, ast.Call) or {k.arg for k in index.keywords} - {"fields", "name"} or index.args:
        return None
    listed = next((k.value for k in index.keywords if k.arg == "fields"), None)
    found = [text_of(item) for item in listed.elts] if isinstance(listed, ast.List | ast.Tuple) else [None]
    return tuple(name for name in found if name is not None) if None not in found else None


def _operations(history: Sequence[PythonSource]) -> Iterator[tuple[PythonSource, ast.Call]]:
    """The operations of migrations on the state of models, the last one first."""
    for source in history:
        body = next((n.body for n in source.tree.body if isinstance(n, ast.ClassDef) and n.name == "Migration"), [])
        listed = assigned(body, "operations")
        for call in reversed(list(_flat(listed))):
            yield source, call


def _flat(listed: ast.expr | None) -> Iterator[ast.Call]:
    for item in listed.elts if isinstance(listed, ast.List | ast.Tuple) else ():
        if not isinstance(item, ast.Call):
            continue
        if word_of(item) == "SeparateDatabaseAndState":
            yield from _flat(next((k.value for k in item.keywords if k.arg == "state_operations"), None))
        elif word_of(item) in OPERATIONS:
            yield item


def _listed(fields: ast.expr | None, wanted: str) -> ast.expr | None:
    """A field among those that a model is made with."""
    for item in fields.elts if isinstance(fields, ast.List | ast.Tuple) else ():
        if isinstance(item, ast.Tuple) and len(item.elts) == 2 and text_of(item.elts[0]) == wanted:
            return item.elts[1]
    return None


def _without_index(source: PythonSource, made: ast.expr | None) -> Written | None:
    flag = next((k for k in made.keywords if k.arg == "db_index"), None) if isinstance(made, ast.Call) else None
    if flag is None or not isinstance(made, ast.Call) or not isinstance(flag.value, ast.Constant) or flag.value.value is not True:
        return None
    edit = source.without_keyword(made, flag)
    start, end = source.start(made), source.end(made)
    text = source.data[start : edit.span.start] + edit.text.encode() + source.data[edit.span.end : end]
    roots = {n.id for part in (made.func, *made.args, *(k.value for k in made.keywords)) for n in ast.walk(part) if isinstance(n, ast.Name)}
    dotted = {ast.unparse(n) for n in ast.walk(made) if isinstance(n, ast.Attribute)}
    imports: list[str] = []
    for root in sorted(roots - {"models"}):
        lines = [text for node in source.tree.body for text in _import(node, root, dotted)]
        if not lines:
            return None
        imports += lines
    return Written(_shifted(text.decode(), len(source.indent(start))), tuple(imports))


def _shifted(text: str, indent: int) -> str:
    """The lines of a field moved below `field=`; those of a text that spans several stay where they are."""
    if '"""' in text or "'''" in text:
        return text
    first, *more = text.split("\n")
    return "\n".join((first, *(f"{FIELD}{line[min(indent, len(line) - len(line.lstrip())) :]}" if line.strip() else line for line in more)))


def _import(node: ast.stmt, root: str, dotted: set[str]) -> Iterator[str]:
    """The import that brings a name into a migration."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            known = alias.asname or alias.name
            if known == root or (known.partition(".")[0] == root and any(d.startswith(f"{known}.") for d in dotted)):
                yield f"import {alias.name}{f' as {alias.asname}' if alias.asname else ''}"
    elif isinstance(node, ast.ImportFrom) and not node.level:
        for alias in node.names:
            if (alias.asname or alias.name) == root:
                yield f"from {node.module} import {alias.name}{f' as {alias.asname}' if alias.asname else ''}"
