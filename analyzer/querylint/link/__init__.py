"""Lowered files joined into one program, island by island."""

from __future__ import annotations

from querylint.link.islands import Island, islands
from querylint.link.program import link, merged
from querylint.link.routes import Routes

__all__ = ["Island", "Routes", "islands", "link", "merged"]
