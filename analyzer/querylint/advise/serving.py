"""Which index would serve a condition: an existing one, or the one to add, for one want alone (convex-facts 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from querylint.construction import dataclass
from querylint.ir import (
    ITEM,
    Access,
    Bound,
    Index,
    IndexKind,
    Plan,
    Predicate,
    Relation,
    Side,
    Table,
    Terminal,
    Way,
)

SCALAR = frozenset(("string", "number", "int64", "boolean", "id", "null", "bytes", "literal", "union", "any"))
BUILT_IN = {"_id": "by_id", "_creationTime": "by_creation_time"}


@dataclass(frozen=True, slots=True)
class Want:
    """What a query would bind if it could: equalities, then one range or a sort."""

    equal: tuple[str, ...]
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Serving:
    """The index that serves a want: its name, its fields, whether it must be added, and how many more fields it binds than today."""

    index: str
    fields: tuple[str, ...]
    create: bool


def sargable(p: Predicate, table: Table | None) -> bool:
    """Whether an index range can express a predicate. Arrays and objects are compared whole, which nobody wants."""
    if p.field is None or p.defaulted or not (p.relation is Relation.EQ or p.relation.ranged):
        return False
    if p.field == "_id" and (p.side is Side.MEMORY or p.relation is not Relation.EQ):
        return False
    if p.value is not None and p.value.literal is False and p.side is Side.MEMORY and _gaps(p.field, table):
        return False
    if p.value is not None and p.value.literal is True and p.side is Side.MEMORY and not _boolean(p.field, table):
        return False
    if p.value is not None and p.value.literal is False and p.side is Side.MEMORY and not _boolean(p.field, table):
        return False
    return known_field(p.field, table)


def known_field(name: str, table: Table | None) -> bool:
    """Whether a field can be indexed as far as the schema says."""
    if name.startswith("_") or ITEM in name:
        return name in BUILT_IN  # others of the database's own, or one that the code names as it runs
    if table is None or table.fields is None:
        return True
    declared = table.field(name)
    return declared is not None and declared.type in SCALAR


def _gaps(name: str, table: Table | None) -> bool:
    """Whether "not true" is more than one value: false, null, or no value at all."""
    declared = table.field(name) if table is not None else None
    return declared is None or declared.optional or declared.nullable or declared.type != "boolean"


def _boolean(name: str, table: Table | None) -> bool:
    declared = table.field(name) if table is not None else None
    return declared is not None and declared.type in ("boolean", "union", "any", "literal")


def wanted(fixed: Sequence[str], predicates: Iterable[Predicate], table: Table | None, *, taken: str | None = None) -> Want | None:
    """The equalities and the one range that these predicates add to what is fixed already. `taken` is the field whose range is in use."""
    equal = list(dict.fromkeys(fixed))
    ranges: list[str] = []
    for p in predicates:
        if not sargable(p, table) or p.field is None:
            continue
        if p.relation is Relation.EQ:
            if p.field not in equal:
                equal.append(p.field)
        elif p.field not in ranges:
            ranges.append(p.field)
    ranges = [r for r in ranges if r not in equal]
    if len(equal) == len(set(fixed)) and (taken is not None or not ranges):
        return None
    then = ranges[:1] if taken is None else [taken] if taken and taken not in equal else []
    return Want(tuple(equal), tuple(then))


def range_taken(plan: Plan) -> str | None:
    """The field whose range the index in use binds; empty where it cannot be named."""
    return next((p.field or "" for p in plan.predicates if p.relation.ranged and p.side is Side.INDEX), None)


def serve(table: Table | None, want: Want, *, beyond: Sequence[str] = ()) -> Serving | None:
    """The existing index that binds most of a want, if it binds more than `beyond` already does."""
    if table is None and not beyond and want == Want((), ("_creationTime",)):
        return Serving("by_creation_time", ("_creationTime",), False)  # which every table has
    if table is None:
        return None
    if "_id" in want.equal:
        return Serving("by_id", ("_id",), False)
    if not [f for f in want.equal if f not in beyond] and want.then == ("_creationTime",):
        index = next((i for i in orderly(table) if tuple(i.fields) == tuple(beyond)), None)
        if index is not None or not beyond:
            return Serving(index.name if index else "by_creation_time", (*beyond, "_creationTime"), False)
    best: Serving | None = None
    most = len(set(beyond))
    for index in orderly(table):
        depth = bound_by(index, want)
        if depth > most and set(beyond) <= set(index.fields[:depth]):
            most = depth
            best = Serving(index.name, index.fields[:depth], False)
    return best


def order_seen(read: Access, plan: Plan) -> bool:
    """Whether a caller can see the order of the rows: it takes the first of them, a page, or asked for an order."""
    if read.verb == "unique" or read.terminal is Terminal.COUNT:
        return False
    return plan.order is not None or read.bound in (Bound.LIMIT, Bound.PAGE) or (read.bound is Bound.ONE and not read.by_key)


def order_after(plan: Plan, table: Table | None) -> tuple[str, ...] | None:
    """The fields that rows are ordered by beyond what the range fixes; empty for creation order, None where it cannot be told."""
    if plan.way is Way.SCAN or plan.index == "by_creation_time":
        return ()
    index = table.index(plan.index) if table is not None and plan.index is not None else None
    if index is None:
        return None
    fixed = set(plan.fixed())
    return tuple(f for f in index.fields if f not in fixed)


def serve_in_order(table: Table | None, want: Want, after: tuple[str, ...]) -> Serving | None:
    """The existing index that binds most of a want and hands rows out in the same order."""
    if table is None:
        return None
    best: Serving | None = None
    for index in orderly(table):
        depth = next((n for n, name in enumerate(index.fields) if name not in want.equal), len(index.fields))
        bound = index.fields[:depth]
        rest = tuple(f for f in after if f not in bound)
        whole = depth == len(want.equal)
        if index.fields[depth:] != rest or (want.then and (want.then != rest[:1] or not whole)) or not (depth or want.then):
            continue
        if best is None or len(bound + want.then) > len(best.fields):
            best = Serving(index.name, bound + want.then, False)
    return best


def full(serving: Serving | None, want: Want) -> bool:
    """Whether an index serves all of a want."""
    return serving is not None and len(serving.fields) >= len(want.equal) + len(want.then)


def bound_by(index: Index, want: Want) -> int:
    """How many leading fields of an index a want can bind."""
    depth = 0
    open_fields = set(want.equal)
    for name in index.fields:
        if name in open_fields:
            open_fields.discard(name)
            depth += 1
            continue
        if want.then and name == want.then[0] and not (open_fields and depth < len(want.equal) and name not in want.then):
            depth += 1
        break
    return depth


def orderly(table: Table) -> list[Index]:
    """The indexes that ranges can use today."""
    return [i for i in table.indexes if i.kind is IndexKind.ORDERED and not i.staged]


def proposal(want: Want) -> Serving:
    """An index to add for one want alone, without a name. The platform's own fields cannot be declared (convex-facts 2.6)."""
    return Serving("", tuple(f for f in (*want.equal, *want.then) if not f.startswith("_")), True)


def before_creation(fields: Sequence[str]) -> tuple[str, ...]:
    """The fields of an order that an index has to hold: the time of creation follows by itself, and nothing behind it counts."""
    return tuple(takewhile(lambda name: not name.startswith("_"), fields))


def keeps_order(plan: Plan, table: Table | None, serving: Serving, want: Want) -> bool:
    """Whether rows come in the same order from the new range: what no equality binds is the same tail in both (convex-facts 2.4)."""
    before = order_after(plan, table)
    declared = table.index(serving.index) if table is not None and not serving.create else None
    fields = declared.fields if declared is not None else serving.fields
    after = tuple(f for f in fields if f not in want.equal and f != "_creationTime")
    return before is not None and after == tuple(f for f in before if f not in want.equal)


def floor(table: Table | None, predicates: Iterable[Predicate], bound: Sequence[str]) -> str:
    """The field of a range from below which rows without a value would come along; empty where there is none.

    A filter of the database lets such rows pass as well: only what memory tests leaves them out (convex-facts 8.1).
    """
    ends = [p for p in predicates if p.relation.ranged and p.side is Side.MEMORY and p.field is not None and p.field in bound]
    declared = table.field(ends[0].field or "") if table is not None and ends else None
    begun = any(p.relation in (Relation.GT, Relation.GTE) for p in ends)
    if declared is None or not declared.optional or begun:
        return ""
    return declared.name


def unranged(plan: Plan) -> bool:
    """Whether a plan walks a whole table or a whole index."""
    if plan.way is Way.SCAN:
        return True
    known = plan.named or plan.index is None  # without a range, whichever index it is
    return plan.way is Way.INDEX and not any(p.side is Side.INDEX for p in plan.predicates) and known and not plan.ranged


def whole_table(read: Access) -> bool:
    """Whether a read hands out everything that a table holds, with no condition."""
    return read.bound is Bound.ALL and read.terminal is Terminal.ROWS and any(unranged(p) and not p.residual() for p in read.plans)


def some(names: Sequence[str], most: int, every: int) -> str:
    """The first names in a sentence, and how many more there are of `every` one."""
    shown = names[:most]
    return f"{phrase(shown)}{f' and {every - len(shown)} more' if every > len(shown) else ''}"


def phrase(fields: Sequence[str]) -> str:
    """Field names in a sentence."""
    quoted = [f"`{f}`" for f in fields]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
