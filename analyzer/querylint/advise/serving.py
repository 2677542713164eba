"""Which index would serve a condition: an existing one, or the one to add, named in the project's own style (convex-facts 2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from querylint.ir import (
    ITEM,
    Access,
    Bound,
    Function,
    Index,
    IndexKind,
    Loop,
    Plan,
    Predicate,
    Program,
    Relation,
    Root,
    Side,
    Table,
    Terminal,
    Way,
)
from querylint.ir.program import Site

PER_ACCOUNT = re.compile(
    r"^(?:user|owner|author|creator|member|org|organization|organisation|team|workspace|tenant|account|company|customer|project|channel|"
    r"createdBy|userId|clerk|token|subject|persona|site|store|shop|guild|room|conversation|thread|community)", re.IGNORECASE
)  # fmt: skip
SCALAR = frozenset(("string", "number", "int64", "boolean", "id", "null", "bytes", "literal", "union", "any"))
PASSING = frozenset(
    "pending queued running processing in_progress inprogress in-progress waiting scheduled retrying claimed leased uploading "
    "transcribing generating building executing locked started".split()
)
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
    if p.field is None or not (p.relation is Relation.EQ or p.relation.ranged):
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
    if name.startswith("_"):
        return name in BUILT_IN
    if table is None or table.fields is None:
        return True
    declared = table.field(name)
    if declared is None:
        return False
    return "." in name or declared.type in SCALAR


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
    """An existing index that serves a want and hands rows out in the same order."""
    rest = tuple(f for f in after if f not in want.equal)
    if table is None:
        return None
    for index in orderly(table):
        depth = len(want.equal)
        if set(index.fields[:depth]) == set(want.equal) and index.fields[depth:] == rest and (not want.then or want.then == rest[:1]):
            return Serving(index.name, index.fields[:depth] + want.then, False)
    return None


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


def proposal(program: Program, function: Function, table: Table | None, want: Want) -> Serving:
    """The index to add. The platform's own fields cannot be declared (convex-facts 2.6)."""
    fields = tuple(f for f in (*want.equal, *want.then) if not f.startswith("_"))
    return Serving(index_name(program, function, fields), fields, True)


def index_name(program: Program, function: Function, fields: Sequence[str]) -> str:
    """A name for an index in the style of the schema: `by_user_and_status`, `by_userId_status`, `byUserIdAndStatus`."""
    schema = program.schema(function)
    names = [i.name for t in schema.tables.values() for i in t.indexes if not i.implicit] if schema is not None else []
    snake = sum("_" in n for n in names)
    camel = sum(bool(re.match(r"by[A-Z]", n)) for n in names)
    if camel > snake:
        return "by" + "And".join(_camel(f) for f in fields)
    joint = "_and_" if any("_and_" in n for n in names) or not any(n.count("_") > 1 for n in names) else "_"
    return "by_" + joint.join(f.replace(".", "_") for f in fields)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[._]", name) if part)


def keeps_order(plan: Plan, table: Table | None, serving: Serving, want: Want) -> bool:
    """Whether rows come in the same order from the new range: what no equality binds is the same tail in both (convex-facts 2.4)."""
    before = order_after(plan, table)
    declared = table.index(serving.index) if table is not None and not serving.create else None
    fields = declared.fields if declared is not None else serving.fields
    after = tuple(f for f in fields if f not in want.equal and f != "_creationTime")
    return before is not None and after == tuple(f for f in before if f not in want.equal)


# Sizes.


def small(program: Program, name: str | None) -> bool:
    """Whether the user said that a table stays small."""
    return name is not None and name in program.rows and program.rows[name] <= 1000


def grows(program: Program, function: Function, name: str | None) -> bool:
    """Whether a table grows with use: somebody inserts into it outside of seeds and migrations, or nobody does that we can see."""
    known = program.memo.get(("grows", function.root, name))
    if known is None:
        known = program.memo["grows", function.root, name] = _grows(program, function, name)
    return known is True


def _grows(program: Program, function: Function, name: str | None) -> bool:
    if small(program, name):
        return False
    if name is not None and name.startswith("_"):
        return True
    inserted = False
    for site, access in program.writes():
        if access.table == name and access.verb == "insert" and site.function.root == function.root:
            inserted = True
            if site.function.role.value == "code":
                return True
    return not inserted


def accumulates(program: Program, function: Function, read: Access) -> bool:
    """Whether the range of a read grows with time: the whole table, or what one account, place or owner has gathered."""
    if not grows(program, function, read.table):
        return False
    table = program.table(function, read.table)
    for plan in read.plans:
        if plan.way in (Way.SCAN, Way.OPAQUE) or (plan.way is Way.INDEX and not plan.ranged):
            return True
        fixed = plan.fixed()
        if not fixed:
            return True
        if len(fixed) > 2 or _passing(plan):
            continue
        if len(fixed) > 1 and not all(_broad(f, table) for f in fixed):
            continue
        if _broad(fixed[0], table):
            return True
    return False


def _passing(plan: Plan) -> bool:
    """Whether the range holds a state that rows only pass through: what waits or runs is soon gone."""
    return any(
        p.side is Side.INDEX
        and p.relation is Relation.EQ
        and p.value is not None
        and isinstance(p.value.literal, str)
        and p.value.literal.lower() in PASSING
        for p in plan.predicates
    )


def _keyed(plan: Plan) -> int:
    """How many fields of a key a range binds; flags and absent fields choose nobody."""
    bound = [p for p in plan.predicates if p.side is Side.INDEX and p.relation is Relation.EQ]
    return sum(1 for p in bound if p.value is None or not p.value.constant or isinstance(p.value.literal, str))


def few(program: Program, site: Site, loop: Loop) -> bool:
    """Whether a loop runs over a handful of rows: single documents, small takes, ranges that bind a whole compound key."""
    origins = [o for _, o in loop.over.parts] if loop.over is not None else []
    for origin in origins:
        found = program.sites(site.function.key).by_id.get(origin.ref) if isinstance(origin.ref, int) and origin.root is Root.STEP else None
        if found is None or not isinstance(found.step, Access):
            return False
        read = found.step
        if read.terminal is Terminal.ROW and ITEM not in origin.path:
            continue
        if read.bound is Bound.LIMIT and read.limit is not None and isinstance(read.limit.literal, int) and read.limit.literal <= 10:
            continue
        if read.terminal is Terminal.ROWS and all(_keyed(p) > 1 for p in read.plans) and not accumulates(program, site.function, read):
            continue
        return False
    return bool(origins)


def _broad(name: str, table: Table | None) -> bool:
    declared = table.field(name) if table is not None else None
    if declared is not None and declared.type in ("boolean", "literal", "union"):
        return True
    if declared is not None and declared.target in ("users", "organizations", "teams", "workspaces", "orgs", "members"):
        return True
    return PER_ACCOUNT.match(name.rpartition(".")[2]) is not None or name in ("status", "type", "kind", "state", "category")


def unranged(plan: Plan) -> bool:
    """Whether a plan walks a whole table or a whole index."""
    if plan.way is Way.SCAN:
        return True
    if plan.way is Way.PLANNER:
        return not plan.predicates
    return plan.way is Way.INDEX and not any(p.side is Side.INDEX for p in plan.predicates) and plan.named and not plan.ranged


def whole_table(read: Access) -> bool:
    """Whether a read hands out everything that a table holds, with no condition."""
    return read.bound is Bound.ALL and read.terminal is Terminal.ROWS and any(unranged(p) and not p.residual() for p in read.plans)


def phrase(fields: Sequence[str]) -> str:
    """Field names in a sentence."""
    quoted = [f"`{f}`" for f in fields]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
