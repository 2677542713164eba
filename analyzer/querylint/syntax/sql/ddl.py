"""What a defining statement defines: tables with their columns, keys and indexes, and what is altered or dropped.

Read token by token rather than by the parser library: definitions are plain in structure, full of words that differ between databases,
and a schema file holds thousands of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
      (?P<skip>\s+|--[^\n]*|/\*.*?\*/)
    | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`|\[[^\]\d][^\]]*\])
    | (?P<string>'(?:[^']|'')*')
    | (?P<word>[^\W\d][\w$]*|\x1a)
    | (?P<number>\d[\w.]*)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
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
_VECTOR = frozenset(("hnsw", "ivfflat", "diskann"))
MOST_TOKENS = 40_000


@dataclass(frozen=True, slots=True)
class Token:
    """A word, name or sign; `quoted` names are never keywords."""

    text: str
    at: int
    quoted: bool = False
    string: bool = False

    @property
    def upper(self) -> str:
        """The keyword that it may be."""
        return "" if self.quoted or self.string else self.text.upper()


@dataclass(frozen=True, slots=True)
class KeyDef:
    """A key or an index. `kind` is primary, unique, index or foreign; `target` the table that a foreign key refers to.

    `fields` are its columns, an expression as its own text in parentheses. `where` is the condition of a partial index, `method` the way
    it is built where that is said (btree, gin, hash, fulltext).
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
    tokens = _tokens(text)
    if len(tokens) < 3:
        return []
    first = tokens[0].upper
    try:
        if first == "CREATE":
            return list(_create(_Cursor(tokens, text)))
        if first == "ALTER":
            return list(_alter(_Cursor(tokens, text)))
        if first == "DROP":
            return list(_drop(_Cursor(tokens, text)))
    except IndexError:  # the text ends in the middle
        return []
    return []


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match.group()
        if kind == "skip":
            continue
        if kind == "quoted":
            found.append(Token(token[1:-1].replace('""', '"'), match.start(), True))
        else:
            found.append(Token(token, match.start(), string=kind == "string"))
        if len(found) > MOST_TOKENS:
            return []
    while found and found[-1].text == ";":
        found.pop()
    return found


class _Cursor:
    """A place in a list of tokens."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.at = 0

    @property
    def here(self) -> str:
        return self.tokens[self.at].upper if self.at < len(self.tokens) else ""

    def ahead(self, by: int = 1) -> str:
        return self.tokens[self.at + by].upper if self.at + by < len(self.tokens) else ""

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def skip(self, *words: str) -> bool:
        """Step over these words in turn if they stand here."""
        for number, word in enumerate(words):
            if self.ahead(number) != word:
                return False
        self.at += len(words)
        return True

    def name(self) -> str:
        """A name, without the schema in front of it."""
        token = self.tokens[self.at]
        self.at += 1
        while not self.done and self.tokens[self.at].text == "." and not self.tokens[self.at].quoted:
            token = self.tokens[self.at + 1]
            self.at += 2
        return "" if "\x1a" in token.text else token.text

    def group(self) -> list[Token]:
        """The tokens between the parenthesis that opens here and its partner."""
        depth, start = 0, self.at + 1
        while not self.done:
            sign = self.tokens[self.at].upper
            depth += (sign == "(") - (sign == ")")
            self.at += 1
            if depth == 0:
                return self.tokens[start : self.at - 1]
        return self.tokens[start:]

    def to_comma(self) -> list[Token]:
        """The tokens up to the next comma of this level."""
        start, depth = self.at, 0
        while not self.done:
            sign = self.tokens[self.at].upper
            if sign == "," and depth == 0:
                break
            depth += (sign == "(") - (sign == ")")
            self.at += 1
        return self.tokens[start : self.at]


def _items(tokens: list[Token], text: str) -> Iterator[_Cursor]:
    cursor = _Cursor(tokens, text)
    while not cursor.done:
        part = cursor.to_comma()
        cursor.at += 1
        if part:
            yield _Cursor(part, text)


def _create(c: _Cursor) -> Iterator[Change]:
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
        table = c.name()
        if c.skip("USING"):
            method = c.name()
        if c.here != "(" or not table:
            return
        fields, descending = _fields(c.group(), c.text)
        where = ""
        while not c.done and c.here != "WHERE":
            c.at += 1
        if c.skip("WHERE"):
            where = _words(c.tokens[c.at :], c.text) or "?"
        yield AddColumns(table, keys=[KeyDef("unique" if unique else "index", name, fields, descending, where, method)])


def _table(c: _Cursor, temporary: bool, method: str) -> Create:
    made = Create(c.name(), None, temporary=temporary)
    if c.here != "(" or method == "virtual" or c.ahead() == "SELECT":
        made.open = True
        return made
    made.columns = []
    body = c.group()
    for item in _items(body, c.text):
        if item.here == "LIKE":
            made.columns, made.open = None, True
            return made
        _define(item, made.columns, made.keys)
    made.open = any(t.upper in ("INHERITS", "LIKE", "SELECT") for t in c.tokens[c.at :])
    return made


def _define(item: _Cursor, columns: list[ColumnDef], keys: list[KeyDef]) -> None:
    """One entry between the parentheses of a table, or after ADD."""
    key = _key(item)
    if key is not None:
        keys.append(key)
    elif item.here not in _CONSTRAINTS:
        columns.append(_column(item, keys))


def _key(c: _Cursor) -> KeyDef | None:
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
        return KeyDef("foreign", name, fields, target=c.name() if c.skip("REFERENCES") else None)
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


def _typed(c: _Cursor) -> bool:
    """Whether the parenthesis here holds the size of a type, so that KEY or INDEX was the name of a column."""
    return c.ahead()[:1].isdigit()


def _column(c: _Cursor, keys: list[KeyDef]) -> ColumnDef:
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
            target = c.name()
            keys.append(KeyDef("foreign", "", (name,), target=target))
        elif c.here == "(":
            c.group()
        else:
            c.at += 1
    return ColumnDef(name, " ".join(words).lower(), nullable, target)


def _fields(tokens: list[Token], text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of a key, and those that run downward."""
    fields: list[str] = []
    descending: list[str] = []
    for item in _items(tokens, text):
        first, then = item.tokens[0], item.tokens[1] if len(item.tokens) > 1 else None
        plain = first.quoted or first.upper[:1].isalpha() or first.upper[:1] == "_" or not first.text.isascii()
        if plain and then is not None and then.text == "(" and not item.tokens[2].text.isdigit():
            plain = False
        if plain and then is not None and not then.quoted and then.text in (".", "-", "+", "|", ":", "/"):
            plain = False
        name = first.text if plain else f"({_words(_undirected(item.tokens), text)})"
        fields.append(name)
        if any(t.upper == "DESC" for t in item.tokens[1:]):
            descending.append(name)
    return tuple(fields), tuple(descending)


def _undirected(tokens: list[Token]) -> list[Token]:
    end = len(tokens)
    while end > 1 and tokens[end - 1].upper in ("ASC", "DESC", "FIRST", "LAST", "NULLS"):
        end -= 1
    return tokens[:end]


def _words(tokens: list[Token], text: str) -> str:
    """The source of some tokens on one line."""
    if not tokens:
        return ""
    end = tokens[-1].at + len(tokens[-1].text) + 2 * tokens[-1].quoted
    return " ".join(text[tokens[0].at : end].split())


def _alter(c: _Cursor) -> Iterator[Change]:
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
    table = c.name()
    c.skip("*")
    added = AddColumns(table)
    rest: list[Change] = []
    for item in _items(c.tokens[c.at :], c.text):
        if item.skip("ADD"):
            item.skip("COLUMN")
            item.skip("IF", "NOT", "EXISTS")
            for part in _items(item.group(), c.text) if item.here == "(" else (item,):
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


def _drop(c: _Cursor) -> Iterator[Change]:
    c.at = 1
    what = "table" if c.here == "TABLE" else "index" if c.here == "INDEX" else ""
    if not what:
        return
    c.at += 1
    c.skip("CONCURRENTLY")
    c.skip("IF", "EXISTS")
    for item in _items(c.tokens[c.at :], c.text):
        name = item.name()
        yield Forget(what, name, item.name() if item.skip("ON") else None)
