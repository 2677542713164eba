"""What a defining statement defines: tables with their columns, keys and indexes, and what is altered or dropped.

Read token by token rather than by the parser library: definitions are plain in structure, full of words that differ between databases,
and a schema file holds thousands of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from querylint.construction import dataclass
from querylint.syntax.sql.cursor import Cursor, Token, items, tokens, words

_KEYS = frozenset(("KEY", "INDEX"))
_CONSTRAINTS = frozenset(("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE", "LIKE", "PERIOD", "FULLTEXT", "SPATIAL"))
_ENDING = frozenset(
    "NOT NULL DEFAULT PRIMARY UNIQUE REFERENCES CHECK CONSTRAINT COLLATE GENERATED AS AUTO_INCREMENT AUTOINCREMENT COMMENT ON STORED "
    "VIRTUAL CHARACTER CHARSET IDENTITY".split()
)
_ADJECTIVES = frozenset(
    "OR REPLACE TEMP TEMPORARY GLOBAL LOCAL UNLOGGED UNIQUE VIRTUAL FULLTEXT SPATIAL CLUSTERED NONCLUSTERED FOREIGN COLUMN".split()
)
_ORDERED = frozenset(("", "btree", "brin"))
ORDERED_OTHERWISE = "otherwise"
"""An index whose order is not that of its columns: by a collation or an operator class of its own."""
_VECTOR = frozenset(("hnsw", "ivfflat", "diskann"))


@dataclass(frozen=True, slots=True)
class KeyDef:
    """A key or an index. `kind` is primary, unique, index or foreign; `target` the table that a foreign key refers to.

    `fields` are its columns, an expression as its own text in parentheses. `where` is the condition of a partial index, `method` the way
    it is built where that is said (btree, gin, hash, fulltext, or `otherwise` for an order of its own).
    """

    kind: str
    name: str
    fields: tuple[str, ...]
    descending: tuple[str, ...] = ()
    where: str = ""
    method: str = ""
    target: str | None = None

    @property
    def searched(self) -> str:
        """`ordered`, `vector`, or `search` for whatever no order can be read from."""
        method = self.method.lower()
        return "ordered" if method in _ORDERED else "vector" if method in _VECTOR else "search"


@dataclass(frozen=True, slots=True)
class ColumnDef:
    """A column: its name, its type as written, whether it may be null, the table it refers to."""

    name: str
    type: str
    nullable: bool = True
    target: str | None = None


@dataclass(slots=True)
class Create:
    """CREATE TABLE. `columns` is None where they come from a query or another table; `open` that not all of its keys are here."""

    table: str
    columns: list[ColumnDef] | None
    keys: list[KeyDef] = field(default_factory=list)
    open: bool = False
    temporary: bool = False


@dataclass(slots=True)
class AddColumns:
    """ALTER TABLE ... ADD."""

    table: str
    columns: list[ColumnDef] = field(default_factory=list)
    keys: list[KeyDef] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Forget:
    """Something is dropped: a table, an index or constraint (`table` may be unknown), a column."""

    what: str
    name: str
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Rename:
    """Something gets another name: a table, an index, a column."""

    what: str
    name: str
    to: str
    table: str | None = None


Change = Create | AddColumns | Forget | Rename


def changes(text: str) -> list[Change]:
    """What a statement changes in a schema; nothing where it is of another kind or cannot be read."""
    found = tokens(text)
    if len(found) < 3:
        return []
    first = found[0].upper
    try:
        if first == "CREATE":
            return list(_create(Cursor(found, text)))
        if first == "ALTER":
            return list(_alter(Cursor(found, text)))
        if first == "DROP":
            return list(_drop(Cursor(found, text)))
    except IndexError:  # the text ends in the middle
        return []
    return []


def _create(c: Cursor) -> Iterator[Change]:
    c.at = 1
    temporary = unique = False
    method = ""
    while c.here in _ADJECTIVES:
        temporary = temporary or c.here.startswith("TEMP")
        unique = unique or c.here == "UNIQUE"
        method = c.here.lower() if c.here in ("FULLTEXT", "SPATIAL", "VIRTUAL") else method
        c.at += 1
    if c.skip("TABLE"):
        c.skip("IF", "NOT", "EXISTS")
        yield _table(c, temporary, method)
    elif c.skip("INDEX"):
        c.skip("CONCURRENTLY")
        c.skip("IF", "NOT", "EXISTS")
        name = c.name() if c.here != "ON" else ""
        if not c.skip("ON"):
            return
        c.skip("ONLY")
        table = c.table()
        if c.skip("USING"):
            method = c.name()
        if c.here != "(" or not table:
            return
        entries = c.group()
        fields, descending = _fields(entries, c.text)
        if not method and any(t.upper == "COLLATE" or t.text.lower().endswith("_ops") for t in entries):
            method = ORDERED_OTHERWISE
        where = ""
        while not c.done and c.here != "WHERE":
            c.at += 1
        if c.skip("WHERE"):
            where = words(c.tokens[c.at :], c.text) or "?"
        yield AddColumns(table, keys=[KeyDef("unique" if unique else "index", name, fields, descending, where, method)])


def _table(c: Cursor, temporary: bool, method: str) -> Create:
    made = Create(c.table(), None, temporary=temporary)
    if c.here != "(" or method == "virtual" or c.ahead() == "SELECT":
        made.open = True
        return made
    made.columns = []
    body = c.group()
    for item in items(body, c.text):
        if item.here == "LIKE":
            made.columns, made.open = None, True
            return made
        _define(item, made.columns, made.keys)
    made.open = any(t.upper in ("INHERITS", "LIKE", "SELECT") for t in c.tokens[c.at :])
    return made


def _define(item: Cursor, columns: list[ColumnDef], keys: list[KeyDef]) -> None:
    """One entry between the parentheses of a table, or after ADD."""
    key = _key(item)
    if key is not None:
        keys.append(key)
    elif item.here not in _CONSTRAINTS:
        columns.append(_column(item, keys))


def _key(c: Cursor) -> KeyDef | None:
    """A key that an entry declares, if it does."""
    name = ""
    if c.here == "CONSTRAINT":
        c.at += 1
        if c.here not in _CONSTRAINTS:
            name = c.name()
    if c.skip("PRIMARY", "KEY"):
        while not c.done and c.here != "(":
            c.at += 1
        return None if c.done else KeyDef("primary", name, *_fields(c.group(), c.text))
    if c.skip("FOREIGN", "KEY"):
        if c.here != "(":
            c.at += 1
        fields, _ = _fields(c.group(), c.text)
        return KeyDef("foreign", name, fields, target=c.table() if c.skip("REFERENCES") else None)
    kind, method, start = "index", "", c.at
    if c.here == "UNIQUE":
        kind = "unique"
        c.at += 1
    elif c.here in ("FULLTEXT", "SPATIAL"):
        method = c.here.lower()
        c.at += 1
    worded = c.here in _KEYS
    if not worded and start == c.at:
        return None
    if worded:
        c.at += 1
    if c.skip("NULLS"):
        c.skip("NOT")
        c.skip("DISTINCT")
    if not c.done and c.here not in ("(", "USING"):
        name = c.name() or name
    if c.skip("USING"):
        method = method or c.name()
    if c.here != "(" or (worded and start == c.at - 2 and _typed(c)):
        c.at = start
        return None
    fields, descending = _fields(c.group(), c.text)
    return KeyDef(kind, name, fields, descending, method=method)


def _typed(c: Cursor) -> bool:
    """Whether the parenthesis here holds the size of a type, so that KEY or INDEX was the name of a column."""
    return c.ahead()[:1].isdigit()


def _column(c: Cursor, keys: list[KeyDef]) -> ColumnDef:
    name = c.name()
    words: list[str] = []
    while not c.done and c.here not in _ENDING:
        if c.here == "(":
            c.group()
        else:
            words.append(c.tokens[c.at].text)
            c.at += 1
    nullable, target = True, None
    while not c.done:
        if c.skip("NOT", "NULL"):
            nullable = False
        elif c.skip("PRIMARY", "KEY"):
            nullable = False
            keys.append(KeyDef("primary", "", (name,)))
        elif c.here == "UNIQUE":
            c.at += 1
            keys.append(KeyDef("unique", "", (name,)))
        elif c.skip("REFERENCES"):
            target = c.table()
            keys.append(KeyDef("foreign", "", (name,), target=target))
        elif c.here == "(":
            c.group()
        else:
            c.at += 1
    return ColumnDef(name, " ".join(words).lower(), nullable, target)


def _fields(held: list[Token], text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of a key, and those that run downward."""
    fields: list[str] = []
    descending: list[str] = []
    for item in items(held, text):
        first, then = item.tokens[0], item.tokens[1] if len(item.tokens) > 1 else None
        plain = first.quoted or first.upper[:1].isalpha() or first.upper[:1] == "_" or not first.text.isascii()
        if plain and then is not None and then.text == "(" and not item.tokens[2].text.isdigit():
            plain = False
        if plain and then is not None and not then.quoted and then.text in (".", "-", "+", "|", ":", "/"):
            plain = False
        name = first.text if plain else f"({words(_undirected(item.tokens), text)})"
        fields.append(name)
        if any(t.upper == "DESC" for t in item.tokens[1:]):
            descending.append(name)
    return tuple(fields), tuple(descending)


def _undirected(held: list[Token]) -> list[Token]:
    end = len(held)
    while end > 1 and held[end - 1].upper in ("ASC", "DESC", "FIRST", "LAST", "NULLS"):
        end -= 1
    return held[:end]


def _alter(c: Cursor) -> Iterator[Change]:
    c.at = 1
    if c.skip("INDEX"):
        c.skip("IF", "EXISTS")
        name = c.name()
        if c.skip("RENAME", "TO"):
            yield Rename("index", name, c.name())
        return
    if not c.skip("TABLE"):
        return
    c.skip("IF", "EXISTS")
    c.skip("ONLY")
    table = c.table()
    c.skip("*")
    added = AddColumns(table)
    rest: list[Change] = []
    for item in items(c.tokens[c.at :], c.text):
        if item.skip("ADD"):
            item.skip("COLUMN")
            item.skip("IF", "NOT", "EXISTS")
            for part in items(item.group(), c.text) if item.here == "(" else (item,):
                _define(part, added.columns, added.keys)
        elif item.skip("DROP"):
            what = "primary" if item.skip("PRIMARY", "KEY") else "column"
            if item.here in ("CONSTRAINT", "INDEX", "KEY", "FOREIGN", "COLUMN"):
                what = "column" if item.here == "COLUMN" else "index"
                item.at += 1
                item.skip("KEY")
            item.skip("IF", "EXISTS")
            rest.append(Forget(what, item.name() if not item.done else "", table))
        elif item.skip("RENAME"):
            if item.skip("TO") or item.skip("AS"):
                rest.append(Rename("table", table, item.name()))
            else:
                what = "index" if item.here in ("INDEX", "KEY", "CONSTRAINT") else "column"
                if item.here in ("COLUMN", "INDEX", "KEY", "CONSTRAINT"):
                    item.at += 1
                name = item.name()
                if item.skip("TO"):
                    rest.append(Rename(what, name, item.name(), table))
    if added.columns or added.keys:
        yield added
    yield from rest


def _drop(c: Cursor) -> Iterator[Change]:
    c.at = 1
    what = "table" if c.here == "TABLE" else "index" if c.here == "INDEX" else ""
    if not what:
        return
    c.at += 1
    c.skip("CONCURRENTLY")
    c.skip("IF", "EXISTS")
    for item in items(c.tokens[c.at :], c.text):
        name = item.table() if what == "table" else item.name()
        yield Forget(what, name, item.table() if item.skip("ON") else None)
