"""SQLAlchemy models and tables: `Index(...)` in `__table_args__` or `Table(...)`, and an Alembic revision where the project has some."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict
from querylint.patch import TextEdit
from querylint.rewrite.indexes import Changes, Desk, Order, wanted
from querylint.rewrite.indexes.alembic import Revision, Step
from querylint.rewrite.python.source import PythonSource, assigned, python_source, text_of, word_of

WRITERS = frozenset(("Column", "mapped_column", "Index", "ForeignKey"))
COLUMNS = frozenset(("Column", "mapped_column", "Field"))
"""What declares a column, and takes `index=True`: the last of them is that of SQLModel."""
MODULES = frozenset(("sa", "sqlalchemy", "db"))


def rewrite(desk: Desk, tables: Sequence[TableAdvice], order: Order, changes: Changes) -> None:
    """Carry out the advice for the tables of one project."""
    revision = Revision(desk)
    imported: set[str] = set()
    for table in tables:
        span = table.table.span
        file = python_source(desk.sources, span.path) if span is not None else None
        model = file.class_at(span) if file is not None and span is not None else None
        call = file.call_at(span) if file is not None and span is not None and model is None else None
        asked = wanted(table, order)
        if file is None or (model is None and call is None):
            for index in asked:
                changes.hold(table, index, "the class or the Table(...) that declares the table is not found")
            continue
        stored = _stored(model, call)
        dropped = [i for i in asked if i.verdict is Verdict.DROP]
        listed: dict[ast.expr, list[ast.expr]] = {}
        for index in dropped:
            if _drop(file, model, table, index, changes, listed):
                revision.step(Step(stored, index.name, _columns(model, index), drops=True))
        changes.edits += [
            edit for holder, gone in listed.items() for edit in file.without_all(_members(holder), gone, file.end(holder) - 1)
        ]
        added: list[IndexAdvice] = []
        for index in (i for i in asked if i.verdict is Verdict.ADD):
            flag = _flag(file, model, stored, index)
            if flag is None:
                added.append(index)
                continue
            changes.edits.append(flag)
            revision.step(Step(stored, index.name, _columns(model, index)))
        maker = _maker(file)
        if not added:
            changes.edits += _comma(file, model, dropped)
            continue
        calls = [_declared(file, index, _columns(model, index), maker or "Index") for index in added]
        put = _put(desk, file, model, call, calls)
        bring = None if maker else _import(file)
        if isinstance(put, str) or (not maker and bring is None):
            changes.edits += _comma(file, model, dropped)
            for index in added:
                changes.hold(
                    table, index, put if isinstance(put, str) else "the module imports nothing of SQLAlchemy that could give Index"
                )
            continue
        changes.edits += put
        if bring is not None and file.path not in imported:
            imported.add(file.path)
            changes.edits.append(bring)
        for index in added:
            revision.step(Step(stored, index.name, _columns(model, index)))
    revision.write(changes)


def _stored(model: ast.ClassDef | None, call: ast.Call | None) -> str | None:
    """The name of the table in the database, where it is written down."""
    if call is not None:
        return text_of(call.args[0]) if call.args else None
    return text_of(assigned(model.body, "__tablename__")) if model is not None else None


def _columns(model: ast.ClassDef | None, index: IndexAdvice) -> tuple[str, ...]:
    """The columns of an index; an attribute may stand for a column of another name."""
    return tuple(_column(model, name) for name in index.fields)


def _column(model: ast.ClassDef | None, name: str) -> str:
    value = assigned(model.body, name) if model is not None else None
    return (text_of(value.args[0]) if isinstance(value, ast.Call) and value.args else None) or name


def _maker(file: PythonSource) -> str:
    """How the module can write `Index`; empty where it must import it first."""
    for node in file.tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sqlalchemy":
            name = next((a.asname or a.name for a in node.names if a.name == "Index"), "")
            if name:
                return name
    for inner in ast.walk(file.tree):
        if isinstance(inner, ast.Attribute) and inner.attr in WRITERS and isinstance(inner.value, ast.Name) and inner.value.id in MODULES:
            return f"{inner.value.id}.Index"
    return ""


def _import(file: PythonSource) -> TextEdit | None:
    """`Index` imported beside what the module takes from SQLAlchemy."""
    for node in file.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy" and node.level == 0:
            later = next((a for a in node.names if a.name.lower() > "index" or a.name == "*"), None)
            beside = later or node.names[-1]
            at = file.start(beside)
            gap = f",\n{file.indent(at)}" if not file.data[file.data.rfind(b"\n", 0, at) + 1 : at].strip() else ", "
            if later is None:
                return file.edit(file.end(beside), file.end(beside), f"{gap}Index", shared=True)
            return file.edit(at, at, f"Index{gap}", shared=True)
    first = next((n for n in file.tree.body if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("sqlalchemy.")), None)
    return file.edit(file.start(first), file.start(first), "from sqlalchemy import Index\n", shared=True) if first is not None else None


def _declared(file: PythonSource, index: IndexAdvice, columns: Sequence[str], maker: str) -> str:
    mark = file.quote()
    return f"{maker}({', '.join(f'{mark}{text}{mark}' for text in (index.name, *columns))})"


def _flag(file: PythonSource, model: ast.ClassDef | None, stored: str | None, index: IndexAdvice) -> TextEdit | None:
    """`index=True` for the one column of an index, where the module writes its indexes so and that gives the index the same name."""
    value = assigned(model.body, index.fields[0]) if model is not None and len(index.fields) == 1 else None
    if not isinstance(value, ast.Call) or word_of(value) not in COLUMNS or not (value.args or value.keywords):
        return None  # what is made by other code, or wrapped, may not take the word
    if index.name != f"ix_{stored}_{_column(model, index.fields[0])}":
        return None
    if any(k.arg in ("index", "unique", "sa_column", None) for k in value.keywords) or any(isinstance(a, ast.Starred) for a in value.args):
        return None
    flags = [k for n in ast.walk(file.tree) if isinstance(n, ast.Call) for k in n.keywords if k.arg == "index"]
    if not any(isinstance(k.value, ast.Constant) and k.value.value is True for k in flags):
        return None
    last = max((*value.args, *(k.value for k in value.keywords)), key=file.end)
    own_line = not file.data[file.data.rfind(b"\n", 0, file.start(last)) + 1 : file.start(last)].strip()
    gap = f",\n{file.indent(file.start(last))}" if own_line and last.lineno != value.lineno else ", "
    return file.edit(file.end(last), file.end(last), f"{gap}index=True")


def _put(desk: Desk, file: PythonSource, model: ast.ClassDef | None, call: ast.Call | None, calls: list[str]) -> list[TextEdit] | str:
    """The indexes put where the table is declared, or why they are not."""
    if model is None:
        assert call is not None
        last = call.args[-1]
        gap = f",\n{file.indent(file.start(last))}" if last.lineno != call.lineno else ", "
        return [file.edit(file.end(last), file.end(last), "".join(gap + text for text in calls))]
    there = assigned(model.body, "__table_args__")
    if isinstance(there, ast.Tuple):
        options = there.elts[-1] if there.elts and isinstance(there.elts[-1], ast.Dict) else None
        return [file.appended(there, ", ".join(calls), before=options)]
    if isinstance(there, ast.Dict):
        start, end = file.start(there), file.end(there)
        return [file.edit(start, start, f"({', '.join(calls)}, "), file.edit(end, end, ")")]
    if there is not None or any(getattr(node, "name", "") in ("__table_args__", "__table__") for node in model.body):
        return "its __table_args__ are made by code"
    if assigned(model.body, "__table__") is not None:
        return "its table is made by other code"
    if (base := _arguments_above(desk, model)) is not None:
        return f"its base `{base}` has its own __table_args__"
    inner, unit = file.indent(file.start(model.body[0])), file.unit()
    body = f"({calls[0]},)" if len(calls) == 1 else "(\n" + "".join(f"{inner}{unit}{text},\n" for text in calls) + f"{inner})"
    return [_begun(file, model, f"\n{inner}__table_args__ = {body}")]


def _begun(file: PythonSource, model: ast.ClassDef, text: str) -> TextEdit:
    """A line put after the name of the table, else after the docstring, else at the beginning of the class."""
    named = next((n for n in model.body if isinstance(n, ast.Assign | ast.AnnAssign) and _gives(n, "__tablename__")), None)
    if named is not None:
        at = _past_comment(file, named)
        return file.edit(at, at, text)
    first = model.body[0]
    if isinstance(first, ast.Expr) and text_of(first.value) is not None:
        at = _past_comment(file, first)
        return file.edit(at, at, f"\n{text}")
    head = max([file.start(model), *(file.end(base) for base in (*model.bases, *(k.value for k in model.keywords)))])
    colon = file.data.index(b":", head)
    line_end = file.data.index(b"\n", colon)
    at = line_end - 1 if file.data[line_end - 1 : line_end] == b"\r" else line_end
    return file.edit(at, at, f"{text}\n")


def _past_comment(file: PythonSource, node: ast.stmt) -> int:
    """The end of a statement, or of the comment that stands after it on its line."""
    end = file.end(node)
    rest = file.data[end:].partition(b"\n")[0].rstrip()
    return end + len(rest) if rest.lstrip().startswith(b"#") else end


def _gives(node: ast.Assign | ast.AnnAssign, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _arguments_above(desk: Desk, model: ast.ClassDef) -> str | None:
    """A base or mixin, perhaps of another module, that has arguments of the table: those of the model would hide them."""
    bases = {base.id for base in model.bases if isinstance(base, ast.Name)}
    for path in desk.files:
        data = desk.sources.read(path) if path.endswith(".py") and bases else None
        if data is None or b"__table_args__" not in data or not any(f"class {base}".encode() in data for base in bases):
            continue
        file = python_source(desk.sources, path)
        for node in ast.walk(file.tree) if file is not None else ():
            if isinstance(node, ast.ClassDef) and node.name in bases:
                named = {getattr(inner, "name", "") for inner in node.body}
                if assigned(node.body, "__table_args__") is not None or "__table_args__" in named:
                    return node.name
    return None


def _comma(file: PythonSource, model: ast.ClassDef | None, dropped: Sequence[IndexAdvice]) -> list[TextEdit]:
    """The comma that the last argument of a table needs once those before it are gone, so that it stays a tuple."""
    there = assigned(model.body, "__table_args__") if model is not None and dropped else None
    if not isinstance(there, ast.Tuple):
        return []
    gone = [file.call_at(i.index.span) for i in dropped if i.index is not None and i.index.span is not None]
    left = [item for item in there.elts if item not in gone]
    if len(left) != 1 or len(left) == len(there.elts):
        return []
    end = file.end(left[0])
    bare = left[0] is there.elts[-1] and b"," not in file.data[end : file.end(there)]
    return [file.edit(end, end, ",")] if bare else []


def _members(holder: ast.expr) -> list[ast.expr]:
    """What a tuple or a call holds."""
    if isinstance(holder, ast.Call):
        return [*holder.args, *(k.value for k in holder.keywords)]
    return list(holder.elts) if isinstance(holder, ast.Tuple) else []


def _drop(
    file: PythonSource,
    model: ast.ClassDef | None,
    table: TableAdvice,
    index: IndexAdvice,
    changes: Changes,
    listed: dict[ast.expr, list[ast.expr]],
) -> bool:
    """Whether an index can go; what stands in a list of several is only noted down in `listed`."""
    span = index.index.span if index.index is not None else None
    call = file.call_at(span) if span is not None and span.path == file.path else None
    if call is None:
        changes.hold(table, index, "it is declared in another module, or by a column that is not written as a call")
        return False
    there = assigned(model.body, "__table_args__") if model is not None else None
    if isinstance(there, ast.Tuple) and call in there.elts:
        listed.setdefault(there, []).append(call)
        return True
    flag = next((k for k in call.keywords if k.arg == "index"), None)
    if flag is not None:
        changes.edits.append(file.without_keyword(call, flag))
        return True
    holder = next((n for n in ast.walk(file.tree) if isinstance(n, ast.Call) and call in n.args), None)
    if holder is not None:
        listed.setdefault(holder, []).append(call)
        return True
    changes.hold(table, index, "it is declared in a form that is not edited")
    return False
