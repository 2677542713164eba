"""Which files belong to the project, and what is in them: the only room that walks the disk."""

from __future__ import annotations

from querylint.discover.reading import LIMIT, read
from querylint.discover.roles import role
from querylint.discover.scope import MARKERS, Scope, lead, locate, within
from querylint.discover.walk import Discovery, counting, discover, readable, source

__all__ = [
    "LIMIT", "MARKERS", "Discovery", "Scope", "counting", "discover", "lead", "locate", "read", "readable", "role", "source", "within",
]  # fmt: skip
