"""The schema that scripts add up to, statement after statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from querylint.construction import replace
from querylint.ir import Field, Index, IndexKind, Schema, Table
from querylint.syntax.sql.ddl import ORDERED_OTHERWISE, AddColumns, ColumnDef, Create, Forget, KeyDef, Rename, changes
from querylint.syntax.sql.script import definitions
from querylint.text import LineIndex, Span

_TYPES = (
    (re.compile(r"bool|bit\b|tinyint"), "boolean"),
    (re.compile(r"bigint|int8|bigserial"), "int64"),
    (re.compile(r"int|serial|numeric|decimal|real|double|float|money|number|timestamp|date|time|year"), "number"),
    (re.compile(r"json|hstore|xml"), "object"),
    (re.compile(r"blob|bytea|binary|vector|image"), "bytes"),
    (re.compile(r"char|text|uuid|clob|enum|citext|string|inet|name"), "string"),
)
_DOWN_FILE = re.compile(r"(?:^|[._-])(?:down|rollback|undo|revert)\.sql$|^U\d[\w.]*__.*\.sql$", re.IGNORECASE)
_DOWN_FOLDERS = frozenset(("down", "rollback", "rollbacks", "undo", "downgrade"))
_MIGRATION = re.compile(r"^(?:V?\d+|R__)|migrat|delta|\d{6,}", re.IGNORECASE)
_SCRIPT = re.compile(r"\.sql(?:\.\w+)?$", re.IGNORECASE)
_DIGITS = re.compile(r"(\d+)")
PRIMARY = "primary key"
KINDS = {"ordered": IndexKind.ORDERED, "search": IndexKind.SEARCH, "vector": IndexKind.VECTOR}


class Definitions:
    """Tables as they stand after the statements applied so far. Names are compared without regard to case.

    Files are not always read in the order in which they are run: what is added to a table that is not there yet waits for it.
    """

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self._early: dict[str, list[tuple[AddColumns, Span | None]]] = {}

    def script(self, path: str, source: bytes) -> None:
        """Apply a file's defining statements."""
        text = source.decode("latin-1")  # one character a byte: offsets in the text are offsets in the file
        lines: LineIndex | None = None
        for start, end in definitions(text):
            lines = lines or LineIndex(path, source)
            self.statement(source[start:end].decode("utf-8", "replace"), lines.span(start, end))

    def statement(self, text: str, span: Span | None = None) -> None:
        """Apply one statement; one that defines nothing changes nothing."""
        for change in changes(text):
            if isinstance(change, Create):
                self._create(change, span)
            elif isinstance(change, AddColumns):
                self._add(change, span)
            elif isinstance(change, Forget):
                self._forget(change)
            else:
                self._rename(change)

    def schema(self, root: str, stack: str) -> Schema:
        """What all that adds up to."""
        return Schema(root, stack, {t.name: t for t in self._tables.values()}, validated=True)

    def __bool__(self) -> bool:
        return bool(self._tables)

    def _create(self, made: Create, span: Span | None) -> None:
        if not made.table or made.temporary:
            return
        fields = tuple(_field(c) for c in made.columns) if made.columns is not None else None
        known = self._tables.get(made.table.lower())
        if known is None:
            known = Table(made.table, fields, (), not made.open, span=span)
        elif fields is not None:
            mine = known.fields or ()
            names = {f.name.lower() for f in mine}
            known = replace(known, fields=(*mine, *(f for f in fields if f.name.lower() not in names)))
        self._tables[made.table.lower()] = _with_keys(known, made.keys, span)
        for added, place in self._early.pop(made.table.lower(), ()):
            self._add(added, place)

    def _add(self, added: AddColumns, span: Span | None) -> None:
        table = self._tables.get(added.table.lower())
        if table is None:
            self._early.setdefault(added.table.lower(), []).append((added, span))
            return
        if table.fields is not None:
            names = {f.name.lower() for f in table.fields}
            table = replace(table, fields=(*table.fields, *(_field(c) for c in added.columns if c.name.lower() not in names)))
        self._tables[added.table.lower()] = _with_keys(table, added.keys, span)

    def _forget(self, gone: Forget) -> None:
        name = gone.name.lower()
        if gone.what == "table":
            self._tables.pop(name, None)
            self._early.pop(name, None)
            return
        if gone.what == "index":
            for table_name, early in self._early.items():
                self._early[table_name] = [(a, at) for a, at in early if not any(k.name.lower() == name for k in a.keys)]
        for key, table in list(self._tables.items()):
            if gone.table is not None and key != gone.table.lower():
                continue
            if gone.what == "column":
                fields = tuple(f for f in table.fields if f.name.lower() != name) if table.fields is not None else None
                indexes = tuple(i for i in table.indexes if name not in {f.lower() for f in i.fields})
                self._tables[key] = replace(table, fields=fields, indexes=indexes)
            elif gone.what == "primary":
                self._tables[key] = replace(table, indexes=tuple(i for i in table.indexes if i.name != PRIMARY))
            else:
                own = f"{table.name.lower()}_pkey"
                kept = tuple(i for i in table.indexes if i.name.lower() != name and not (i.name == PRIMARY and name == own))
                self._tables[key] = replace(table, indexes=kept)

    def _rename(self, renamed: Rename) -> None:
        name = renamed.name.lower()
        if renamed.what == "table":
            table = self._tables.pop(name, None)
            if table is not None and renamed.to:
                space = table.name.rpartition(".")[0]
                to = f"{space}.{renamed.to}" if space and "." not in renamed.to else renamed.to
                self._tables[to.lower()] = replace(table, name=to)
            return
        for key, table in list(self._tables.items()):
            if renamed.table is not None and key != renamed.table.lower():
                continue
            if renamed.what == "index":
                indexes = tuple(replace(i, name=renamed.to) if i.name.lower() == name else i for i in table.indexes)
                self._tables[key] = replace(table, indexes=indexes)
            else:
                fields = tuple(replace(f, name=renamed.to) if f.name.lower() == name else f for f in table.fields or ())
                indexes = tuple(replace(i, fields=tuple(renamed.to if f.lower() == name else f for f in i.fields)) for i in table.indexes)
                self._tables[key] = replace(table, fields=fields if table.fields is not None else None, indexes=indexes)


def _with_keys(table: Table, keys: Iterable[KeyDef], span: Span | None) -> Table:
    indexes = list(table.indexes)
    for key in keys:
        if key.kind == "foreign":
            if len(key.fields) == 1 and key.target and table.fields is not None:
                name = key.fields[0].lower()
                fields = tuple(replace(f, target=key.target) if f.name.lower() == name else f for f in table.fields)
                table = replace(table, fields=fields)
            continue
        made = _index(key, span, table)
        if key.kind == "primary" and any(i.name == PRIMARY for i in indexes):
            continue
        same = [i for i in indexes if i.name.lower() == made.name.lower()]
        indexes = [i for i in indexes if i not in same]
        indexes.append(made)
    return replace(table, indexes=tuple(indexes))


def _index(key: KeyDef, span: Span | None, table: Table) -> Index:
    """An index as the database will hold it; one that a constraint brings is implicit."""
    kind = KINDS[key.searched]
    constraint = key.kind == "primary" or (key.kind == "unique" and not key.name)
    name = PRIMARY if key.kind == "primary" else key.name or "_".join((table.name, *key.fields, "key" if constraint else "idx"))
    bound = key.fields if key.method.lower() in ("hash", ORDERED_OTHERWISE) else ()
    unique = key.kind in ("primary", "unique")
    return Index(name, key.fields, kind, bound, unique, constraint, span=span, descending=key.descending, partial=key.where)


def _field(column: ColumnDef) -> Field:
    kind = next((known for pattern, known in _TYPES if pattern.search(column.type)), "any")
    if "[]" in column.type.replace(" ", "") or column.type.startswith("array"):
        kind = "array"
    return Field(column.name, kind, nullable=column.nullable, target=column.target, large=kind == "bytes")


def script_order(paths: Iterable[str]) -> list[str]:
    """SQL files in the order in which they apply: whole schemas first, then migrations by number; those that undo are left out."""
    return sorted((p for p in paths if _SCRIPT.search(p) and not undoes(p)), key=_rank)


def undoes(path: str) -> bool:
    """Whether a file takes a migration back."""
    *folders, name = path.split("/")
    return _DOWN_FILE.search(name) is not None or any(f.lower() in _DOWN_FOLDERS for f in folders)


def _rank(path: str) -> tuple[bool, str, list[tuple[int, int, str]]]:
    folder, _, name = path.rpartition("/")
    migration = _MIGRATION.search(name) is not None or _MIGRATION.search(folder) is not None
    parts = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in _DIGITS.split(f"{folder}/{name}" if migration else name) if p]
    return migration, "" if migration else folder, parts


def read_schema(paths: Iterable[str], read: Callable[[str], bytes | None], root: str, stack: str) -> Schema:
    """The schema of these SQL files; `read` gives None for a file that cannot be read."""
    defined = Definitions()
    for path in script_order(paths):
        source = read(path)
        if source is not None:
            defined.script(path, source)
    return defined.schema(root, stack)
