"""What revisions of Alembic say of the tables that they create, where a mapped class claims more than the database has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from querylint.ir import Index
from querylint.pattern import Pattern

CREATED = Pattern(rb"""\bcreate_table\(\s*["'](\w+)["']""")
KEYED = Pattern(rb"primary_?key", re.IGNORECASE)
ADDED = Pattern(rb"create_primary_key|PRIMARY\s+KEY|PrimaryKeyConstraint", re.IGNORECASE)
SPREAD = Pattern(rb"[,(]\s*\*")

_TEXT = rb"""["']([\w.$]+)["']"""
UPGRADE = Pattern(rb"^def upgrade\b.*?(?=^def |\Z)", re.MULTILINE | re.DOTALL)
INDEXED = Pattern(rb"create_index\(\s*(?:\w+\.f\(\s*)?" + _TEXT + rb"\s*\)?\s*,\s*(?:" + _TEXT + rb"\s*,\s*)?\[([^\]]*)\]([^)]*)")
IN_SQL = Pattern(
    rb"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w+)\"?\s+ON\s+\"?(\w+)\"?\s*\(([\w\s,\"]+)\)(\s*WHERE\b)?",
    re.IGNORECASE,
)
BATCH = Pattern(rb"batch_alter_table\(\s*" + _TEXT)
DROPPED = Pattern(rb"drop_index\(\s*(?:\w+\.f\(\s*)?" + _TEXT)
ONLY_SOME = Pattern(rb"_where\s*=")
COLUMN = Pattern(rb"^\s*[\"']?(\w+)[\"']?\s*$")

NEAR = 200
"""How many bytes from the words for a primary key its table may be named."""


class Migrations:
    """The sources of the revisions of a project."""

    def __init__(self, sources: Collection[bytes]) -> None:
        self._created: dict[str, list[bytes]] = {}
        self._adding = [source[max(0, m.start() - NEAR) : m.end() + NEAR] for source in sources for m in ADDED.finditer(source)]
        for source in sources:
            for match in CREATED.finditer(source):
                self._created.setdefault(match[1].decode(), []).append(_call(source, match.start()))
        self._indexes: dict[str, list[Index]] = {}
        upgrades = [found[0] for source in sources if b"index" in source.lower() for found in UPGRADE.finditer(source)]
        dropped = {match[1] for text in upgrades for match in DROPPED.finditer(text)}
        for text in upgrades:
            for table, index in _indexes(text, dropped):
                self._indexes.setdefault(table, []).append(index)

    def indexes(self, table: str) -> list[Index]:
        """The indexes of a table that revisions make and none drops, by the names of columns in the database."""
        return self._indexes.get(table, [])

    def keyless(self, table: str) -> bool:
        """Whether the table is created without a primary key, and none is added later as far as can be seen."""
        created = self._created.get(table, [])
        if not created or any(KEYED.search(text) or SPREAD.search(text) for text in created):
            return False
        name = re.compile(rb"\b" + table.encode() + rb"\b")
        return not any(name.search(text) for text in self._adding)


def _indexes(text: bytes, dropped: Collection[bytes]) -> Iterator[tuple[str, Index]]:
    """The tables and whole indexes that the text of an upgrade makes; those of expressions, or of some rows only, are left out."""
    for match in (*INDEXED.finditer(text), *IN_SQL.finditer(text)):
        name, table, listed, rest = match.groups()
        if table is None:
            batches = [batch[1] for batch in BATCH.finditer(text, 0, match.start())]
            table = batches[-1] if batches else None
        columns = [COLUMN.match(part) for part in listed.split(b",") if part.strip()]
        if table is None or name in dropped or (rest and (ONLY_SOME.search(rest) or rest.strip().upper() == b"WHERE")):
            continue
        fields = tuple(column[1].decode() for column in columns if column is not None)
        if fields and len(fields) == len(columns):
            yield table.decode(), Index(name.decode(), fields, implicit=True)


def _call(source: bytes, at: int) -> bytes:
    """The text of a call, up to the parenthesis that closes it."""
    depth = 0
    for end in range(source.index(b"(", at), len(source)):
        depth += {0x28: 1, 0x29: -1}.get(source[end], 0)
        if depth == 0:
            return source[at : end + 1]
    return source[at:]
