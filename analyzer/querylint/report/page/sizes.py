"""Formulas of the cost model with the sizes of tables that the settings state; what they do not state stays a formula."""

from __future__ import annotations

import re
from collections.abc import Mapping

ROWS = re.compile(r"rows\(([^()]+)\)")


def sized(formula: str, rows: Mapping[str, int]) -> str:
    """The formula with each stated size in its place; empty where none of its sizes is stated."""
    if not any(name in rows for name in ROWS.findall(formula)):
        return ""
    return ROWS.sub(lambda found: number(rows[found[1]]) if found[1] in rows else found[0], formula)


def number(value: int) -> str:
    """`120 000`, with spaces that do not break."""
    return f"{value:,}".replace(",", "\u202f")
