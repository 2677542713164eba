"""What an index range may say, and what a range says that fails when it runs (convex-facts 2.1, 2.2, 1.1)."""

from __future__ import annotations

from collections.abc import Sequence

from querylint.construction import replace
from querylint.ir import Index, IndexKind, Plan, Predicate, Relation, Side, Table, Way

BUILT_IN = frozenset(("by_id", "by_creation_time"))
KIND_OF_WAY = {Way.INDEX: IndexKind.ORDERED, Way.SEARCH: IndexKind.SEARCH, Way.VECTOR: IndexKind.VECTOR}
LOWER = frozenset((Relation.GT, Relation.GTE))


def mistake(plan: Plan, index: Index, tail: Sequence[str]) -> str | None:
    """What is wrong with the range of a plan; None where it is right, or where only some paths set a bound."""
    bounds = [p for p in plan.predicates if p.side is Side.INDEX]
    if any(p.conditional or p.field is None for p in bounds):
        return None
    if index.kind is IndexKind.ORDERED:
        return _ordered(bounds, (*index.fields, *tail, "_id"))
    return _search(bounds, index) if index.kind is IndexKind.SEARCH else None


def _ordered(bounds: Sequence[Predicate], key: Sequence[str]) -> str | None:
    fixed = [p.field for p in bounds if p.relation is Relation.EQ and p.field]
    ranges = [p for p in bounds if p.relation.ranged and p.field]
    strange = next((p.field for p in bounds if p.field not in key), None)
    if strange is not None:
        return f"has no field `{strange}`"
    twice = next((name for name in fixed if fixed.count(name) > 1), None)
    if twice is not None:
        return f"gets two equalities on `{twice}`"
    gap = next((name for name in key[: len(fixed)] if name not in fixed), None)
    if gap is not None:
        later = next(f for f in key[key.index(gap) :] if f in fixed)
        return f"is bound on `{later}` though `{gap}`, which comes before it, is not fixed"
    fields = list(dict.fromkeys(p.field for p in ranges))
    if len(fields) > 1:
        return f"gets ranges on `{fields[0]}` and `{fields[1]}`, and a range has room for one"
    lower = sum(p.relation in LOWER for p in ranges)
    if lower > 1 or len(ranges) - lower > 1:
        return f"gets the same bound of `{fields[0]}` twice"
    if fields and fields[0] in fixed:
        return f"gets an equality and a range on `{fields[0]}`"
    if fields and fields[0] != key[len(fixed)]:
        return f"gets a range on `{fields[0]}` though `{key[len(fixed)]}`, which comes before it, is not fixed"
    return None


def _search(bounds: Sequence[Predicate], index: Index) -> str | None:
    for p in bounds:
        if p.relation is Relation.SEARCH and p.field not in index.fields:
            return f"searches `{index.fields[0]}`, not `{p.field}`" if index.fields else None
        if p.relation is Relation.EQ and p.field not in index.filter_fields:
            return f"has no filter field `{p.field}`"
    return None


def meant(plan: Plan, table: Table, tail: Sequence[str]) -> Index | None:
    """The index that a read means by a name which its table has not: the one whose name is nearest, where the range fits it."""
    kind = KIND_OF_WAY.get(plan.way)
    if kind is None or plan.index is None or plan.index in BUILT_IN or not plan.ranged or table.index(plan.index) is not None:
        return None
    near = table.index(nearest(plan.index, [i.name for i in table.indexes if i.kind is kind]) or "")
    return near if near is not None and mistake(replace(plan, index=near.name), near, tail) is None else None


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name that somebody may have meant."""
    from difflib import get_close_matches  # for mistakes only

    plain = {other.replace("_", "").lower(): other for other in known}
    hits = get_close_matches(name.replace("_", "").lower(), list(plain), 1, 0.75)
    return plain[hits[0]] if hits else None
