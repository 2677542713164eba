"""SQL text to a syntax tree. The parser library is loaded at the first text that needs it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from querylint.syntax.sql.masking import Masked, mask

DIALECTS = ("", "postgres", "sqlite", "mysql")
MOST_TEXT = 60_000
MOST_PARSED = 4_000
MOST_METHODS = 50
"""Functions called by a name with a dot: sqlglot copies what comes before each, and SQL has few of them."""
_METHOD = re.compile(r"\.\s*\w+\s*\(")
_QUOTED = re.compile(r"'[^']*'")
_REPLACE = re.compile(r"\A\s*replace\s+into\b", re.IGNORECASE)


@lru_cache(maxsize=MOST_PARSED)
def parsed(text: str, dialect: str = "") -> tuple[Any, Masked] | None:
    """The tree of one statement (the first of several) and the masked text; None where no dialect can read it."""
    if len(text) > MOST_TEXT or len(_METHOD.findall(_QUOTED.sub("", text))) > MOST_METHODS:
        return None
    masked = mask(text)
    words = _REPLACE.sub("INSERT INTO", masked.text)
    for attempt in dict.fromkeys((dialect, *DIALECTS)):
        tree = _tree(words, attempt)
        if tree is not None:
            return tree, masked
    return None


def _tree(text: str, dialect: str) -> Any:
    """The first statement of a text in one dialect."""
    import logging

    import sqlglot
    from sqlglot import exp

    logging.getLogger("sqlglot").disabled = True  # it speaks on standard error of what it cannot read
    try:
        found = [t for t in sqlglot.parse(text, read=dialect or None, error_level=sqlglot.ErrorLevel.RAISE) if t is not None]
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        return None
    if len(found) != 1 or isinstance(found[0], exp.Command):
        return None
    return found[0]
