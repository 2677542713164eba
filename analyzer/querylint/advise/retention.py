"""Tables of events that only ever grow: every row is written once, and none is ever changed or deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field

from querylint.advise.growth import small
from querylint.advise.places import quiet
from querylint.construction import dataclass
from querylint.ir import Access, Function, Kind, Op, Program, Schema, Side, Table
from querylint.ir.program import Site
from querylint.pattern import Pattern

EVENTS = Pattern(
    r"(?:^|[a-z_])(?:logs?|events?|metrics?|vitals|views?|visits?|hits?|clicks?|impressions?|pings?|heartbeats?|traces?|telemetry|errors?|"
    r"crashes|activity|activities|generations?|requests?|analytics|samples?|measurements?|readings?)$",
    re.IGNORECASE,
)
KEPT = Pattern(r"audit|ledger|payment|invoice|billing|transaction|consent|legal|moderation|abuse", re.IGNORECASE)
ADDING = frozenset(("insert", "create", "acreate", "bulk_create", "abulk_create", "add", "add_all"))


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
        if not EVENTS.search(name) or KEPT.search(name) or small(program, name) or _of_things(table):
            continue
        live = [(site, access) for site, access in found.inserts if not quiet(site.function) and _driven(program, site.function)]
        if live and not any(_once(program, site, access) for site, access in found.inserts):
            yield Growing(schema, table, tuple((site.function, access) for site, access in live))


def _of_things(table: Table) -> bool:
    """Whether a row is more than one event among many: an index comes by itself where each row is of another thing, or belongs to one."""
    return any(index.implicit and index.fields != (table.key,) for index in table.indexes)


def _writes(program: Program) -> tuple[dict[tuple[str, str], _Writes], set[str]]:
    """The writes of every table, and the roots in which something is deleted that cannot be named."""
    found: dict[tuple[str, str], _Writes] = {}
    blind: set[str] = set()
    for site, access in program.accesses(Op.WRITE):
        root = site.function.root
        name = access.table
        if name is None:
            if access.verb == "delete" and not quiet(site.function):
                blind.add(root)
            continue
        entry = found.setdefault((root, name), _Writes())
        if access.verb in ADDING:
            entry.inserts.append((site, access))
        else:
            entry.others = True
    return found, blind


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
