"""Loops that write what they read, and jobs that work in batches: where the order of the rounds is part of their meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.advise.places import local_effects
from querylint.ir import ITEM, Access, Bound, Call, Function, Loop, Mode, Op, Program, Target, TargetKind, Terminal
from querylint.ir.program import Site
from querylint.pattern import Pattern

SENDING = Pattern(
    r"(?:^|\.)(?:send|send_(?:e?mail|message|multi_alternatives)|sendmail|(?:chat|views|conversations)_\w+|urlopen|commit)$|^requests\.|\.post$"
)
STORING = Pattern(r"(?:^|\.)storage\.(?:delete|store)$")
SAVING = Pattern(r"\w\.a?save$")
"""Whatever is saved by a method of that name (a row, a form, an image): it is stored somewhere."""
MAILING = Pattern(r"(?:^|[._])(?:send_\w*(?:mail|message|notification)s?|mail_(?:user|recipient)s?)$")
SIGNALING = Pattern(r"(?:signal|saved?|deleted?|created|updated|changed|added|removed|done|init|started|finished)\.send$", re.IGNORECASE)
CHANGES = frozenset(("patch", "replace"))
"""The verbs that set fields of a row that is there."""
MOST_HELPERS = 2


def order_matters(program: Program, site: Site, loop: Loop, read: Access) -> bool:
    """Whether a round may read what the one before it wrote.

    An insert into the table that is read, or a change of a row that several items may share: then the rounds must not run together. Rows
    that are read by the item's own id, or deleted out of the item's own range, belong to one round alone.
    """
    for write, direct in _writes(program, site, loop):
        if write.table is not None and read.table is not None and write.table != read.table:
            continue
        if write.verb in ("insert", "upsert") and write.table == read.table:
            return True
        changes = write.verb in ("patch", "replace", "update") and read.bound is Bound.ONE and (write.table == read.table or not direct)
        if changes and not _own_row(read, loop):
            return True
    return False


def _writes(program: Program, site: Site, loop: Loop) -> list[tuple[Access, bool]]:
    """The writes that each round makes, and whether it makes them itself."""
    return program.once(("writes inside", id(loop)), lambda: list(_written(program, site, loop)))


def _written(program: Program, site: Site, loop: Loop) -> Iterator[tuple[Access, bool]]:
    for other in program.sites(site.function.key).all:
        if loop not in other.loops:
            continue
        step = other.step
        if isinstance(step, Access) and step.op is Op.WRITE:
            yield step, True
        elif isinstance(step, Call) and step.mode is Mode.DIRECT:
            for effect in local_effects(program, site.function, step):
                if effect.access.op is Op.WRITE:
                    yield effect.access, False


def labors(program: Program, site: Site, loop: Loop) -> bool:
    """Whether each round also writes, or waits for a mutation or an action: then its reads are not what the loop waits for most."""
    if _writes(program, site, loop):
        return True
    for other in program.sites(site.function.key).all:
        step = other.step
        if loop in other.loops and isinstance(step, Call):
            key = program.callees.get((site.function.key, step.id), "")
            behind = program.remotes.get(key, ()) if step.mode is Mode.DIRECT else ()
            if any(mode in (Mode.MUTATION, Mode.ACTION) for mode in (step.mode, *(r.call.mode for r in behind))):
                return True
            if step is not site.step and _outside(program, site, step):
                return True
            if _stores(program, site, step) or (step is not site.step and _saves(program, site, step)):
                return True
    return False


def _saves(program: Program, site: Site, call: Call) -> bool:
    """Whether a call saves something whose kind is not known; of a method of the project it is known what it writes."""
    unknown = (site.function.key, call.id) not in program.callees
    return unknown and program.facts(site.function).bulk_writes and SAVING.search(call.text) is not None


def stores(program: Program, site: Site, loop: Loop) -> bool:
    """Whether each round stores or deletes a file, by itself or in a helper."""
    inside = [other.step for other in program.sites(site.function.key).all if loop in other.loops and isinstance(other.step, Call)]
    return any(_stores(program, site, step) for step in inside)


def _stores(program: Program, site: Site, call: Call) -> bool:
    return any(STORING.search(inner.text) for inner in (call, *_helper(program, site.function, call)))


def _helper(program: Program, function: Function, call: Call) -> list[Call]:
    """The calls of the helper that a call reaches in place."""
    callee = program.callee(function, call) if call.mode is Mode.DIRECT else None
    return [step for step in callee.own_steps() if isinstance(step, Call)] if callee is not None else []


def component_too(program: Program, site: Site) -> bool:
    """Whether the helper that a round calls waits for a component besides: such calls wait for one another wherever they start."""
    step = site.step
    if not isinstance(step, Call) or step.mode is not Mode.DIRECT:
        return False
    behind = program.remotes.get(program.callees.get((site.function.key, step.id), ""), ())
    return any(remote.call.target.name.startswith("components.") for remote in behind)


def sends(program: Program, site: Site, loop: Loop) -> bool:
    """Whether each round sends a message into the world, or ends a transaction of its own, by itself or in a helper.

    That takes longer than any read.
    """
    inside = [other.step for other in program.sites(site.function.key).all if loop in other.loops and isinstance(other.step, Call)]
    return program.facts(site.function).planner and any(_sends(program, site.function, step, 0) for step in inside)


def _sends(program: Program, function: Function, call: Call, depth: int) -> bool:
    if call.mode is not Mode.DIRECT:
        return False
    if MAILING.search(call.text):
        return True
    if call.target.kind in (TargetKind.EXTERNAL, TargetKind.PARAM):
        return SENDING.search(call.text) is not None and not SIGNALING.search(call.text)
    callee = program.callee(function, call)
    steps = callee.own_steps() if callee is not None and depth < MOST_HELPERS else ()
    return any(isinstance(step, Call) and callee is not None and _sends(program, callee, step, depth + 1) for step in steps)


def _outside(program: Program, site: Site, call: Call) -> bool:
    """Whether a call is waited for that neither travels with reads nor is a read itself: outside code, a component.

    Where several reads of one function never run at once, every call is waited for, and says nothing.
    """
    if program.facts(site.function).planner:
        return False
    if call.mode is Mode.QUERY:
        return call.target.name.startswith("components.")
    key = program.callees.get((site.function.key, call.id))
    if key is not None:
        return key in program.outside
    return call.target.kind is TargetKind.EXTERNAL and call.mode is Mode.DIRECT and call.id in program.sites(site.function.key).waits


def _own_row(read: Access, loop: Loop) -> bool:
    """Whether a read fetches the very item that the loop is at, by its id."""
    if read.key is None or loop.over is None:
        return False
    items = {o.at(ITEM) for o in loop.over.origins}
    return any(o in items or (o.path[-1:] == ("_id",) and o.__class__(o.root, o.ref, o.path[:-1]) in items) for o in read.key.origins)


def batch_job(program: Program, site: Site, loop: Loop) -> bool:
    """Whether a loop works through a bounded batch of a job that nobody waits for: it pages or takes, in an internal function."""
    function = site.function
    entries = program.entries(function.key)
    if function.public or any(e.public or e.kind.value == "http" for e in entries):
        return False
    for origin in loop.over.origins if loop.over is not None else ():
        found = program.sites(function.key).of(origin)
        if (
            found is not None
            and isinstance(found.step, Access)
            and (found.step.terminal is Terminal.PAGE or found.step.bound is Bound.LIMIT)
        ):
            return found.step.terminal is Terminal.PAGE or _reschedules(program, function.key)
    return False


def _reschedules(program: Program, key: str) -> bool:
    """Whether a function schedules itself for the rest."""
    function = program.functions[key]
    mine = {Target(TargetKind.ROUTE, e.root, e.route) for e in (function, *program.entries(key)) if e.route is not None}
    return any(isinstance(s, Call) and s.mode is Mode.SCHEDULE and s.target in mine for s in function.steps())
