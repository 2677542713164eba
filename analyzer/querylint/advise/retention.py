"""Tables of events that only ever grow: every row is written once, and none is ever changed or deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field

from querylint.advise.growth import small
from querylint.advise.places import quiet
from querylint.construction import dataclass
from querylint.ir import Access, Call, Function, Kind, Op, Origin, Program, Root, Schema, Side, Table
from querylint.ir.program import Site
from querylint.pattern import Pattern

EVENTS = Pattern(
    r"(?:^|[a-z_])(?:logs?|events?|metrics?|vitals|views?|visits?|hits?|clicks?|impressions?|pings?|heartbeats?|traces?|telemetry|errors?|"
    r"crashes|activity|activities|generations?|requests?|analytics|samples?|measurements?|readings?)$",
    re.IGNORECASE,
)
KEPT = Pattern(r"audit|ledger|payment|invoice|billing|transaction|consent|legal|moderation|abuse", re.IGNORECASE)
DEPTH = 3


@dataclass(slots=True)
class _Writes:
    inserts: list[tuple[Site, Access]] = field(default_factory=list)
    others: bool = False


@dataclass(frozen=True, slots=True)
class Growing:
    """A table that only grows, and the inserts that make it grow."""

    schema: Schema
    table: Table
    inserts: tuple[tuple[Function, Access], ...]


def growing(program: Program) -> Iterator[Growing]:
    """The tables of events from which nobody deletes."""
    writes, blind = _writes(program)
    for (root, name), found in sorted(writes.items()):
        schema = program.schemas.get(root)
        table = schema.tables.get(name) if schema is not None else None
        if schema is None or table is None or table.library is not None or root in blind or found.others:
            continue
        if not EVENTS.search(name) or KEPT.search(name) or small(program, name) or any(index.implicit for index in table.indexes):
            continue
        live = [(site, access) for site, access in found.inserts if not quiet(site.function) and _driven(program, site.function)]
        if live and not any(_once(program, site, access) for site, access in found.inserts):
            yield Growing(schema, table, tuple((site.function, access) for site, access in live))


def _writes(program: Program) -> tuple[dict[tuple[str, str], _Writes], set[str]]:
    """The writes of every table, and the roots in which something is deleted that cannot be named."""
    found: dict[tuple[str, str], _Writes] = {}
    blind: set[str] = set()
    for site, access in program.accesses(Op.WRITE):
        root = site.function.root
        name = access.table or _owner(program, site.function, access)
        if name is None:
            if access.verb == "delete" and not quiet(site.function):
                blind.add(root)
            continue
        entry = found.setdefault((root, name), _Writes())
        if access.verb == "insert":
            entry.inserts.append((site, access))
        else:
            entry.others = True
    return found, blind


def _owner(program: Program, function: Function, access: Access) -> str | None:
    """The table of the row whose id a write names, where the row was read in the same function or in a helper of it."""
    origins = access.key.origins if access.key is not None else ()
    names = {_table_of(program, function, origin, 0) for origin in origins if origin.path[-1:] == ("_id",)}
    return names.pop() if len(names) == 1 and len(origins) > 0 else None


def _table_of(program: Program, function: Function, origin: Origin, depth: int) -> str | None:
    """The table of the document that an id was taken from."""
    if depth > DEPTH or origin.root is not Root.STEP or not isinstance(origin.ref, int):
        return None
    site = program.sites(function.key).by_id.get(origin.ref)
    if site is None:
        return None
    if isinstance(site.step, Access):
        return site.step.table
    callee = program.callee(function, site.step) if isinstance(site.step, Call) else None
    if callee is None:
        return None
    inner = [o.at(*origin.path[len(path) :]) for path, o in callee.returns.parts if origin.path[: len(path)] == path]
    names = {_table_of(program, callee, o, depth + 1) for o in inner}
    return names.pop() if len(names) == 1 else None


def _driven(program: Program, function: Function) -> bool:
    """Whether users, the outside or crons bring the insert about."""
    entries = program.entries(function.key)
    return any(entry.public or entry.kind is Kind.HTTP or program.callers.get(entry.key) for entry in entries)


def _once(program: Program, site: Site, access: Access) -> bool:
    """Whether the insert first looks for the row, of any age: then there is one for each entity, not for each event."""
    sites = program.sites(site.function.key).by_id
    steps = (sites[number].step for number in access.guards if number in sites)
    reads = [step for step in steps if isinstance(step, Access) and step.reads and step.table == access.table]
    return any(not any(p.relation.ranged and p.side is Side.INDEX for plan in read.plans for p in plan.predicates) for read in reads)
