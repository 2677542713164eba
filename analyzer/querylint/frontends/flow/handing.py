"""What a call hands over, in the shared language."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.values import Query, Val
from querylint.ir import Value


def asking(found: Value, value: Val) -> Value:
    """An argument; a query that asks for a relation of a row as it is goes by that relation, which may have been loaded with the row."""
    query = value.shape
    if isinstance(query, Query) and query.follows is not None and not query.refined:
        return replace(found, parts=(*found.parts, ((), query.follows)))
    return found
