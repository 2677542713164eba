"""SQL as text, through the DB-API and its kin."""

from __future__ import annotations

from querylint.frontends.python.stacks.dbapi.stack import DbApi

__all__ = ["DbApi"]
