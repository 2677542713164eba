"""Columns in the units that programs count: ours are 1-based and count characters (code points)."""

from __future__ import annotations


def utf16_column(line: str, column: int) -> int:
    """A 1-based column in characters turned into one in UTF-16 units."""
    before = line[: column - 1]
    return column if before.isascii() else column + sum(char > "\uffff" for char in before)


def utf8_column(line: str, column: int) -> int:
    """A 1-based column in characters turned into one in UTF-8 bytes."""
    before = line[: column - 1]
    return column if before.isascii() else column - len(before) + len(before.encode("utf-8", "replace"))
