"""Python, parsed by the standard `ast` into the plain tree."""

from __future__ import annotations

from querylint.syntax.python.module import UnreadableError, lower_module

__all__ = ["UnreadableError", "lower_module"]
