"""Signs in a program that a table holds many rows: how its own code treats the table, and who fills it."""

from __future__ import annotations

import re

from querylint.advise.audience import Audience, audience
from querylint.ir import Access, Bound, IndexKind, Op, Program, Role
from querylint.ir.program import Site
from querylint.pattern import Pattern

LONG = 50
MANY = 1000
LEFT_BY_MANY = "messages? readings metrics visits views clicks stars likes votes followers follows"
HAPPENINGS = "events? logs? entries activity activities history chunks"
MADE_WITH_USE = (
    "measurements analytics posts? comments? notifications? transactions? payments? expenses generations? tasks? tickets? sessions? "
    "scores attempts results answers responses submissions records reviews bookings appointments reservations files photos images "
    "uploads requests jobs runs executions assets"
)


def _ending(*words: str) -> Pattern[str]:
    return Pattern(rf"(?:{'|'.join(' '.join(words).split())})$", re.IGNORECASE)


CROWD = _ending(LEFT_BY_MANY)
STREAM = _ending(LEFT_BY_MANY, HAPPENINGS)
FILLS_WITH_USE = _ending(LEFT_BY_MANY, HAPPENINGS, MADE_WITH_USE)


def busy(program: Program, root: str, name: str | None) -> bool:
    """Whether the program shows that a table holds many rows.

    The user says so. Else it pages through them or caps a long list of them, searches their text, fills the table in a loop or by work
    that no person waits for, or deletes what has grown old; or the name is that of a stream.
    """
    if name is None:
        return False
    if name in program.rows:
        return program.rows[name] >= MANY
    if FILLS_WITH_USE.search(name):
        return True
    return name in program.once(("busy", root), lambda: _busy(program, root))


def streams(program: Program, root: str, name: str | None) -> bool:
    """Whether use fills a table: it has the name of a stream, machines insert into it, or its rows are paged through.

    That is less than `busy`: a cap on a list, a loop, a search are also had where people keep a catalogue.
    """
    if name is None or name in program.rows or FILLS_WITH_USE.search(name):
        return busy(program, root, name)
    return name in program.once(("streams", root), lambda: _streams(program, root))


def _streams(program: Program, root: str) -> set[str | None]:
    return {
        access.table
        for site, access in (*program.reads(root), *program.writes(root))
        if site.function.role is Role.CODE
        and (access.bound is Bound.PAGE if access.op is Op.READ else access.verb == "insert" and _machine(program, site))
    }


def _machine(program: Program, site: Site) -> bool:
    return audience(program, site.function) is Audience.BACKGROUND


def _busy(program: Program, root: str) -> set[str]:
    found = {
        access.table
        for site, access in (*program.reads(root), *program.writes(root))
        if access.table is not None and site.function.role is Role.CODE and _shows(program, site, access)
    }
    schema = program.schemas.get(root)
    tables = schema.tables.values() if schema is not None else ()
    return found | {t.name for t in tables if any(i.kind is not IndexKind.ORDERED for i in t.indexes)}


def _shows(program: Program, site: Site, access: Access) -> bool:
    if access.op is Op.READ:
        if access.bound is Bound.PAGE:
            return True
        most = access.limit.literal if access.limit is not None else None
        return access.bound is Bound.LIMIT and (not isinstance(most, int) or most >= LONG)
    machine = _machine(program, site)
    if access.verb == "insert":
        return machine or any(not loop.constant for loop in site.loops)
    return access.verb == "delete" and machine
