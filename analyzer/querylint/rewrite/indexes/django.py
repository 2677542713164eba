"""Django models: indexes in `Meta`, and the migrations for them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict
from querylint.patch import TextEdit
from querylint.rewrite.indexes import Changes, Desk, Order, wanted
from querylint.rewrite.indexes.django_migrations import Migrations, Step
from querylint.rewrite.python.source import PythonSource, assigned, python_source, text_of

UNREAD = "the class of the model is not found"


def rewrite(desk: Desk, tables: Sequence[TableAdvice], order: Order, changes: Changes) -> None:
    """Carry out the advice for the models of one project."""
    migrations = Migrations(desk)
    for table in tables:
        span = table.table.span
        file = python_source(desk.sources, span.path) if span is not None else None
        model = file.class_at(span) if file is not None and span is not None else None
        asked = wanted(table, order)
        if file is None or model is None:
            for index in asked:
                changes.hold(table, index, UNREAD)
            continue
        listed: list[ast.expr] = []
        for index in (i for i in asked if i.verdict is Verdict.DROP):
            _drop(file, model, table, index, changes, migrations, listed)
        changes.edits += _taken_out(file, model, listed)
        if added := [i for i in asked if i.verdict is Verdict.ADD]:
            _add(file, model, table, added, changes, migrations)
    migrations.write(changes)


# Adding.


def _add(
    file: PythonSource, model: ast.ClassDef, table: TableAdvice, added: list[IndexAdvice], changes: Changes, migrations: Migrations
) -> None:
    maker = _maker(file)
    edit = _put(file, model, [_declared(file, i, maker) for i in added]) if maker else "the module does not import Django's models"
    if isinstance(edit, str):
        for index in added:
            changes.hold(table, index, edit)
        return
    changes.edits.append(edit)
    for index in added:
        migrations.step(file.path, Step(model.name, index.name, index.fields))


def _maker(file: PythonSource) -> str:
    """How the module writes `Index`."""
    for node in file.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in ("django.db", "django.contrib.gis.db"):
            name = next((a.asname or a.name for a in node.names if a.name == "models"), "")
            if name:
                return f"{name}.Index"
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django.db.models"):
            name = next((a.asname or a.name for a in node.names if a.name == "Index"), "")
            if name:
                return name
    return ""


def _declared(file: PythonSource, index: IndexAdvice, maker: str) -> str:
    mark = file.quote()
    listed = ", ".join(f"{mark}{name}{mark}" for name in index.fields)
    return f"{maker}(fields=[{listed}], name={mark}{index.name}{mark})"


def _put(file: PythonSource, model: ast.ClassDef, calls: list[str]) -> TextEdit | str:
    """The indexes put into `Meta`, or why they are not."""
    meta = _meta(model)
    unit = file.unit()
    if meta is None:
        if any(not (isinstance(b, ast.Attribute) and b.attr == "Model") for b in model.bases):
            return "the model has no Meta itself, and may inherit one"
        after = _last_field(model)
        inner = file.indent(file.start(model.body[0]))
        at = file.end(after)
        text = _listed(calls, inner + unit, unit)
        return file.edit(at, at, f"\n\n{inner}class Meta:\n{inner}{unit}{text}")
    there = assigned(meta.body, "indexes")
    if isinstance(there, ast.List):
        return file.appended(there, f",{_gap(file, there)}".join(calls))
    if there is not None:
        return "the indexes of its Meta are not a list that is written down"
    if meta.bases:
        return "its Meta has bases, which may have indexes"
    last = meta.body[-1]
    inner = file.indent(file.start(last))
    return file.edit(file.end(last), file.end(last), f"\n{inner}{_listed(calls, inner, unit)}")


def _gap(file: PythonSource, there: ast.List) -> str:
    """What separates the members of a list."""
    broken = there.elts and there.elts[0].lineno != there.lineno
    return f"\n{file.indent(file.start(there.elts[0]))}" if broken else " "


def _listed(calls: list[str], indent: str, unit: str) -> str:
    lines = "".join(f"{indent}{unit}{call},\n" for call in calls)
    return f"indexes = [\n{lines}{indent}]"


def _meta(model: ast.ClassDef) -> ast.ClassDef | None:
    return next((node for node in model.body if isinstance(node, ast.ClassDef) and node.name == "Meta"), None)


def _last_field(model: ast.ClassDef) -> ast.stmt:
    """The last statement before the first method or inner class."""
    last = model.body[0]
    for node in model.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            break
        last = node
    return last


# Dropping.


def _drop(
    file: PythonSource,
    model: ast.ClassDef,
    table: TableAdvice,
    index: IndexAdvice,
    changes: Changes,
    migrations: Migrations,
    listed: list[ast.expr],
) -> None:
    """Take out an index; what stands in the list of `Meta` is only noted down in `listed`."""
    span = index.index.span if index.index is not None else None
    there = _indexes(model)
    call = file.call_at(span) if span is not None and span.path == file.path else None
    if call is None:
        changes.hold(table, index, "it is declared in another module")
        return
    if there is not None and call in there.elts:
        listed.append(call)
        name = text_of(next((k.value for k in call.keywords if k.arg == "name"), None))
        migrations.step(file.path, Step(model.name, name, index.fields, drops=True))
        return
    flag = next((k for k in call.keywords if k.arg == "db_index"), None)
    if flag is None:
        changes.hold(table, index, "it is declared in a form that is not edited")
        return
    changes.edits.append(file.without_keyword(call, flag))
    migrations.step(file.path, Step(model.name, None, index.fields, drops=True, option=True))


def _indexes(model: ast.ClassDef) -> ast.List | ast.Tuple | None:
    """The indexes that `Meta` lists."""
    meta = _meta(model)
    there = assigned(meta.body, "indexes") if meta is not None else None
    return there if isinstance(there, ast.List | ast.Tuple) else None


def _taken_out(file: PythonSource, model: ast.ClassDef, gone: list[ast.expr]) -> list[TextEdit]:
    """The indexes that go, all of them with the statement that lists them, as `Meta` may need another one."""
    there = _indexes(model)
    if there is None or not gone:
        return []
    start, end = file.start(there), file.end(there)
    if len(gone) == len(there.elts) and (isinstance(there, ast.Tuple) or b"#" not in file.data[start:end]):
        return [file.edit(start, end, "()" if isinstance(there, ast.Tuple) else "[]")]
    left = [item for item in there.elts if item not in gone]
    edits = file.without_all(there.elts, gone, file.end(there) - 1)
    bare = isinstance(there, ast.Tuple) and len(left) == 1 and left[0] is there.elts[-1]
    if bare and b"," not in file.data[file.end(left[0]) : file.end(there)]:
        edits.append(file.edit(file.end(left[0]), file.end(left[0]), ","))
    return edits
