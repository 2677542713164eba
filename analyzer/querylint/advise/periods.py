"""Ranges that hold one period: a month, of which a template writes the first day and the last."""

from __future__ import annotations

import re

from querylint.ir import Plan, Predicate, Relation, Side
from querylint.pattern import Pattern

HOLE = Pattern(r"^`\$\{([\w.]+)\}[^$`]*`$|^([\w.]+) ?\+ ?(?:\"[^\"]*\"|'[^']*')$")
EDGE = Pattern(r"^(?:\w+\.)*(start|end)(?:_?of)?_?\w*\(([\w.]+)\)$", re.IGNORECASE)
LOWER = frozenset((Relation.GT, Relation.GTE))


def period(plan: Plan) -> str | None:
    """The field by which a range begins and ends with one and the same period; None where its ends have nothing in common."""
    bounds = [p for p in plan.predicates if p.side is Side.INDEX and p.relation.ranged]
    for low in bounds:
        for high in bounds:
            if low.field == high.field and low.relation in LOWER and high.relation not in LOWER and _of_one(low, high):
                return low.field
    return None


def _of_one(low: Predicate, high: Predicate) -> bool:
    """Whether both ends are made of the same value: `${month}-01` and `${month}-31`, startOfMonth(day) and endOfMonth(day)."""
    texts = [p.value.text if p.value is not None else "" for p in (low, high)]
    holes = [match.group(1) or match.group(2) if (match := HOLE.match(text)) else None for text in texts]
    if holes[0] is not None and holes[0] == holes[1]:
        return True
    first, last = (EDGE.match(text) for text in texts)
    if first is None or last is None:
        return False
    return first.group(1).lower() == "start" and last.group(1).lower() == "end" and first.group(2) == last.group(2)
