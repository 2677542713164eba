"""Finds costly database access, proves the cost along the call path, and says what to do about it."""

from __future__ import annotations

__version__ = "0.1.0"
