"""Registers of machines: one row for each agent, host or device that somebody sets up, which its heartbeats keep up to date."""

from __future__ import annotations

import re

from querylint.advise.keys import inserts, keys
from querylint.advise.stored import stamps
from querylint.ir import Bound, Field, IndexKind, Program, Table
from querylint.pattern import Pattern

BEAT = Pattern(
    r"^last_?(?:heart_?beat|seen|ping(?:ed)?|pong|contact(?:ed)?|check_?in|polled|reported)(?:_?at)?$|^heart_?beat(?:_?at)?$", re.I
)
UP = frozenset(("online", "up", "healthy", "connected", "alive", "reachable"))
DOWN = frozenset(("offline", "down", "unhealthy", "disconnected", "dead", "unreachable"))
NAMED = Pattern(r"^(?:name|slug|key|code|(?:agent|host|device|machine|node|service|instance|server|worker|runner)_?(?:name|id|key))$", re.I)
HUMAN = Pattern(
    r"^(?:user|owner|author|creator|member|customer|profile|account|player|guest|visitor|student|patient|person)(?:s|_?(?:id|name))?$|"
    r"e_?mail|phone|avatar|picture|^image|first_?name|last_?name|^bio$|birth|password|clerk|subject|identity|tokenIdentifier|friend",
    re.IGNORECASE,
)
PEOPLE = Pattern(
    r"(?:user|member|profile|account|customer|player|participant|visitor|guest|person|people|student|patient|friend|contact|driver|employee|"
    r"session|presence|connection|client|room)s?$",
    re.IGNORECASE,
)


def registered(program: Program, root: str, name: str | None) -> bool:
    """Whether a table is a register of machines: it has a row for each that somebody sets up, and use adds none.

    Every insert looks for the one name first; the time of the last sign of life is patched; a state says whether it is up; no part of a row
    speaks of a person, and nothing pages through the rows or searches them, as it would through a fleet.
    """
    return program.once(("registered", root, name), lambda: _registered(program, root, name))


def _registered(program: Program, root: str, name: str | None) -> bool:
    schema = program.schemas.get(root)
    table = schema.tables.get(name) if schema is not None and name is not None else None
    if table is None or table.fields is None or PEOPLE.search(table.name) or any(HUMAN.search(field.name) for field in table.fields):
        return False
    if not any(_state(field) for field in table.fields) or not inserts(program, root, name) or _paged(program, root, table):
        return False
    named = any(len(key) == 1 and all(map(NAMED.match, key)) for key in keys(program, root, name))
    beats = {field.name for field in table.fields if field.type in ("number", "int64") and BEAT.match(field.name)}
    return named and bool(beats & stamps(program, root, table.name))


def _state(field: Field) -> bool:
    """Whether a field says whether something is up or down."""
    values = frozenset(field.values or ())
    return bool(values & UP) and bool(values & DOWN)


def _paged(program: Program, root: str, table: Table) -> bool:
    if any(index.kind is not IndexKind.ORDERED for index in table.indexes):
        return True
    return any(a.bound is Bound.PAGE for _, a in program.reads_of(root, table.name))
