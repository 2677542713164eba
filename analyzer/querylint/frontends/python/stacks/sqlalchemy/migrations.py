"""What revisions of Alembic say of the tables that they create, where a mapped class claims more than the database has."""

from __future__ import annotations

import re
from collections.abc import Collection

from querylint.pattern import Pattern

CREATED = Pattern(rb"""\bcreate_table\(\s*["'](\w+)["']""")
KEYED = Pattern(rb"primary_?key", re.IGNORECASE)
ADDED = Pattern(rb"create_primary_key|PRIMARY\s+KEY|PrimaryKeyConstraint", re.IGNORECASE)
SPREAD = Pattern(rb"[,(]\s*\*")

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

    def keyless(self, table: str) -> bool:
        """Whether the table is created without a primary key, and none is added later as far as can be seen."""
        created = self._created.get(table, [])
        if not created or any(KEYED.search(text) or SPREAD.search(text) for text in created):
            return False
        name = re.compile(rb"\b" + table.encode() + rb"\b")
        return not any(name.search(text) for text in self._adding)


def _call(source: bytes, at: int) -> bytes:
    """The text of a call, up to the parenthesis that closes it."""
    depth = 0
    for end in range(source.index(b"(", at), len(source)):
        depth += {0x28: 1, 0x29: -1}.get(source[end], 0)
        if depth == 0:
            return source[at : end + 1]
    return source[at:]
