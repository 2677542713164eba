"""Mutations that read so much that what others write at the same time makes them run again (convex-facts 3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from querylint.advise.audience import left_alone
from querylint.advise.curation import by_staff, curated
from querylint.advise.growth import PEOPLE, small
from querylint.advise.memory import limits
from querylint.advise.places import quiet
from querylint.advise.serving import unranged
from querylint.advise.tenants import enrolled
from querylint.construction import dataclass
from querylint.ir import Access, Bound, Function, Kind, Op, Program
from querylint.ir.program import Effect
from querylint.pattern import Pattern

UPKEEP = Pattern(
    r"clean|backfill|migrat|fill[A-Z]|denormali|archive|purge|prune|seed|reset|wipe|expire|repair|reindex|sync|clear|import|sanitize|compact|"
    r"dedupe|(?:delete|remove)All|normalize|reclassif",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A public mutation that reads a whole table before it writes, and the public mutations that insert into that table."""

    mutation: Function
    read: Effect
    inserts: tuple[tuple[Function, Access], ...]


def conflicts(program: Program) -> Iterator[Conflict]:
    """Every wide read that stands before a write in a public mutation, once for each read."""
    inserts = _inserts(program)
    told: set[object] = set()
    for mutation in program.functions.values():
        if (
            mutation.kind is not Kind.MUTATION
            or not mutation.public
            or quiet(mutation)
            or _upkeep(mutation)
            or left_alone(program, mutation)
        ):
            continue
        effects = program.effects.get(mutation.key, ())
        if not any(effect.access.op is Op.WRITE for effect in effects):
            continue
        for effect in effects:
            read = effect.access
            found = inserts.get((mutation.root, read.table))
            if (
                found
                and not all(by_staff(program, function) for function, _ in found.values())
                and read.span not in told
                and wide(read)
                and not _calm(program, mutation, read.table)
                and not limits(program, program.functions[effect.function], read)
            ):
                told.add(read.span)
                yield Conflict(mutation, effect, tuple(found.values()))


def _calm(program: Program, mutation: Function, table: str | None) -> bool:
    """Whether nobody inserts meanwhile: a table is small, people fill it by hand, or who signs up gets a row of it."""
    root = mutation.root
    return small(program, table) or table in PEOPLE or curated(program, root, table) or enrolled(program, root, table)


def wide(read: Access) -> bool:
    """Whether a read walks a table to its end on every path."""
    to_end = read.bound is Bound.ALL or read.verb == "unique"
    return read.reads and read.table is not None and to_end and bool(read.plans) and all(unranged(plan) for plan in read.plans)


def _upkeep(mutation: Function) -> bool:
    """Whether a name speaks of upkeep, which one person or one cron runs at a time."""
    return UPKEEP.search(mutation.name) is not None or UPKEEP.search(mutation.path.rpartition("/")[2]) is not None


def _inserts(program: Program) -> Mapping[tuple[str, str | None], dict[str, tuple[Function, Access]]]:
    """For every table the public mutations that insert into it, by name."""
    found: dict[tuple[str, str | None], dict[str, tuple[Function, Access]]] = {}
    for function in program.functions.values():
        if function.kind is Kind.MUTATION and function.public and not quiet(function) and not left_alone(program, function):
            for effect in program.effects.get(function.key, ()):
                if effect.access.op is Op.WRITE and effect.access.verb == "insert":
                    found.setdefault((function.root, effect.access.table), {}).setdefault(function.key, (function, effect.access))
    return found
