"""Statements that run once for every item where one could do for all: what it would ask for, and what such a loop really costs."""

from __future__ import annotations

from querylint.advise.audience import UNWAITED, unhurried
from querylint.advise.places import calls_to, local_effects
from querylint.advise.planner import plain
from querylint.advise.rounds import called_sometimes
from querylint.advise.sequence import blocks
from querylint.ir import ITEM, Access, Block, Branch, Call, Function, Loop, Mode, Op, Program, Relation, Root, Step, Value, Way
from querylint.ir.program import Effect, Site
from querylint.pattern import Pattern

MATCHES = Pattern(r"(?:^|\.)(?:finditer|findall|matchAll)$")
UPLOADS = Pattern(r"(?:^|\.)(?:FILES\.(?:getlist|getall|values|items)|files\.(?:getlist|getall))(?:$|\()")
FILLING = frozenset(("add", "set"))
LIGHT = 8
NEAR = 2
BUSY = 3
BULK = frozenset(("bulk_create", "bulk_update", "abulk_create", "abulk_update"))


def looked_up(read: Access, loop: Loop) -> str | None:
    """The column by which a read asks for the item of a loop."""
    for plan in read.plans:
        for p in plan.predicates:
            if p.field is not None and p.relation is Relation.EQ and p.value is not None and loop.id in p.value.deps:
                return p.field
    return None


def in_one(site: Site, read: Access, effect: Effect | None, loop: Loop) -> str:
    """How the rows of all items are read by one statement. `effect` is the read as a call of the round leads to it."""
    own = read is site.step
    column = looked_up(read, loop)
    if own and column is None and _of_one(read, loop):
        return "read what all iterations need of these rows with one statement before the loop"
    if column is None and isinstance(site.step, Call) and effect is not None:
        column = _handed(site.step, effect, loop)
    asked = f"`{column} IN (...)`" if column is not None else "one query"
    return f"read the rows of all items with {asked} before the loop, and look them up in a dictionary"


def _handed(step: Call, effect: Effect, loop: Loop) -> str | None:
    """The column that is compared with what a round hands to a helper."""
    for plan in effect.access.plans:
        for p in plan.predicates:
            value = p.value if p.field is not None and p.relation is Relation.EQ else None
            for call in calls_to(step, effect):
                origins = value.origins if value is not None else ()
                ref = origins[0].ref if len(origins) == 1 and origins[0].root is Root.PARAM else None
                value = call.args[ref] if isinstance(ref, int) and ref < len(call.args) else None
            if value is not None and loop.id in value.deps:
                return p.field
    return None


def _of_one(read: Access, loop: Loop) -> bool:
    """Whether every round asks for the same rows, and only what it takes of them is its own."""
    conditions = [p for plan in read.plans for p in plan.predicates]
    settled = all(p.field is not None and p.value is not None and loop.id not in p.value.deps for p in conditions)
    return bool(conditions) and settled and read.limit is None and loop.id in read.deps


def by_table(site: Site, effect: Effect, loop: Loop) -> bool:
    """Whether each round may ask another table: no statement reads or writes them all.

    A table that a parameter of the function names is the same in all of its rounds, and one that an outer loop names in those of an inner.
    """
    access, origin = effect.access, effect.access.table_from
    if access.table is not None or origin is None or not all(p.way is Way.PLANNER for p in access.plans):
        return False
    step = site.step
    if not isinstance(step, Call):
        loops = {loop.id}.union(inner.id for inner in loop.steps() if isinstance(inner, Loop))
        return origin.root is not Root.PARAM and origin.ref in loops
    for call in calls_to(step, effect):
        if origin is None or origin.root is not Root.PARAM or not isinstance(origin.ref, int) or origin.ref >= len(call.args):
            return True
        value = call.args[origin.ref]
        if call is step:
            return loop.id in value.deps
        if value.constant:
            return False
        origin = next((o for path, o in value.parts if not path), None)
    return True


def of_each_table(read: Access, loop: Loop) -> bool:
    """Whether the item of each round is the name of a table, all of whose rows are read: no query reads of several."""
    unnamed = read.table is None and read.base is None and read.follows is None and not read.by_key
    return unnamed and loop.id in read.deps and not any(plan.predicates for plan in read.plans)


def of_each_column(read: Access, loop: Loop) -> bool:
    """Whether each round names another column to look rows up by: no list of values stands for all rounds."""
    named = (p.named for plan in read.plans for p in plan.predicates)
    return any(value is not None and loop.id in value.deps for value in named)


KEPT = "what is read is kept, and not read again"


def small_matter(program: Program, site: Site, effect: Effect) -> str:
    """Why a read per item is true, and little: the database is in the process, nobody waits, or a helper does far more; else empty."""
    if site.handled and program.facts(site.function).bulk_reads:
        return "something must fail first"
    if unhurried(program, site.function):
        return UNWAITED
    if effect.access.memoized or (isinstance(site.step, Call) and site.step.kept) or remembered(effect):
        scanned = not program.facts(site.function).bulk_reads and any(plan.way is Way.SCAN for plan in effect.access.plans)
        if not scanned:  # a scan is dear for each key that differs
            return KEPT
    place = program.sites(effect.function).by_id.get(effect.access.id)
    if place is not None and called_sometimes(program, place):
        return "the helper reads only on some calls"
    if place is not None and any(of_matches(place.function, loop) for loop in (*place.loops, *site.loops)):
        return "a text holds few of what a pattern finds in it"
    if not plain(program, site.function):
        return ""
    if program.facts(site.function).embedded:
        return "the database runs in the process, so there is no round trip"
    if effect.access.kept:
        return KEPT
    heavy = isinstance(site.step, Call) and laborious(program, site, site.step, effect)
    return "the helper does much more for each item than this" if heavy else ""


def of_matches(function: Function, loop: Loop) -> bool:
    """Whether a loop runs over what a pattern finds in a text: `re.finditer(...)`."""
    return loop.over is not None and not loop.over.parts and _come_of(function, loop, MATCHES)


def of_uploads(function: Function, loop: Loop) -> bool:
    """Whether a loop runs over the files that somebody sends with a request: `request.FILES.getlist("images")`."""
    if UPLOADS.search(loop.over_text) is None and not _come_of(function, loop, UPLOADS):
        return False
    over = loop.over
    behind = over.deps | {o.ref for o in over.origins if o.root is Root.STEP} if over is not None else frozenset[object]()
    return not any(isinstance(step, Access) and step.id in behind for step in function.steps())  # else rows, asked for by files


def _come_of(function: Function, loop: Loop, calls: Pattern[str]) -> bool:
    """Whether what a loop runs over comes of a call of some name."""
    deps = loop.over.deps if loop.over is not None else frozenset()
    return any(isinstance(step, Call) and step.id in deps and calls.search(step.text) for step in function.steps())


def remembered(effect: Effect) -> bool:
    """Whether a helper on the way keeps what it has read."""
    return any(edge.call.kept for edge in effect.trail)


def laborious(program: Program, site: Site, call: Call, effect: Effect) -> bool:
    """Whether a helper has so much to do for an item that one query more is not what it costs."""
    return len(effect.trail) > NEAR or len(local_effects(program, site.function, call)) > LIGHT


def one_by_one(program: Program, site: Site, loop: Loop, write: Access) -> bool:
    """Whether writes have a reason of their own to run one by one: the round needs what each gives back, or is in the process."""
    if program.facts(site.function).embedded or loop.id in getattr(site.step, "guards", ()):
        return True
    return _same_row(site, loop, write) or _used(program, site, loop)


def fails_alone(site: Site, loop: Loop) -> bool:
    """Whether the failure of one write is handled by itself, or all of them at once have failed before."""
    return site.handled or any(_caught(block, site.step) for block in blocks(loop.body))


def _same_row(site: Site, loop: Loop, write: Access) -> bool:
    """Whether every round changes the same row: a counter, a progress that others look at."""
    keys = [p.value for plan in write.plans for p in plan.predicates if p.relation is Relation.EQ and p.value is not None]
    if write.verb != "update" or not keys:
        return False
    inside = {loop.id, *(c.id for c in loop.carried), *(getattr(step, "id", -1) for step in loop.steps())}
    return not any(_behind(site.step, value) & inside for value in keys)


def filled_after(program: Program, site: Site, loop: Loop) -> bool:
    """Whether the round goes on to write for the row that it created, or to fill a relation of it: a statement for each row remains."""
    number = getattr(site.step, "id", None)
    for step in loop.steps():
        if isinstance(step, Access) and step.verb in FILLING and step.follows is not None and step.follows.ref == number:
            return True
        handed = isinstance(step, Call) and any(o.ref == number and not o.path for value in step.args for o in value.origins)
        if isinstance(step, Call) and handed and _writes(program, site, step):
            return True
    return False


def _writes(program: Program, site: Site, call: Call) -> bool:
    """Whether a call writes, or, where it cannot be told what it reaches, methods of the project of its name do."""
    if (site.function.key, call.id) in program.callees:
        return any(effect.access.op is Op.WRITE for effect in local_effects(program, site.function, call))
    owner, _, name = call.text.rpartition(".")
    return bool(owner) and name in program.once("writing methods", lambda: _writing_methods(program))


def _writing_methods(program: Program) -> frozenset[str]:
    """The names of methods that write."""
    methods = ((key.rpartition("::")[2], effects) for key, effects in program.effects.items())
    written = ((name, effects) for name, effects in methods if "." in name)
    return frozenset(name.rpartition(".")[2] for name, effects in written if any(e.access.op is Op.WRITE for e in effects))


def beside_bulk(program: Program, site: Site, loop: Loop, write: Access) -> bool:
    """Whether the rows go one by one where the other way of a choice writes them all at once: so it is on purpose."""
    sites = program.sites(site.function.key).all
    taken = dict(next((s.arms for s in sites if s.step is loop), ()))
    otherwise = (s.step for s in sites if any(rank in taken and taken[rank] != arm for rank, arm in s.arms))
    return any(isinstance(s, Access) and s.verb in BULK and s.table in (None, write.table) for s in otherwise)


def keeps_one_row(loop: Loop, write: Access) -> bool:
    """Whether every round stores one and the same row, which none of the items is: its progress, say, for others to look at."""
    inside = {loop.id, *(getattr(step, "id", -1) for step in loop.steps())}
    origins = write.key.origins if write.verb == "save" and write.key is not None else ()
    return bool(origins) and all(ITEM not in o.path and o.ref not in inside for o in origins)


def _behind(step: Step, value: Value) -> frozenset[int]:
    """The steps behind a value, in terms of the function that the step stands in."""
    if not isinstance(step, Call):
        return value.deps
    given = [step.args[o.ref].deps for o in value.origins if o.root is Root.PARAM and isinstance(o.ref, int) and o.ref < len(step.args)]
    return frozenset[int]().union(*given) if given else step.deps


def laboring(program: Program, site: Site, loop: Loop) -> bool:
    """Whether a round does so much else, or waits for the world outside, that a write is not what it costs."""
    busy = 0
    for other in program.sites(site.function.key).all:
        step = other.step
        if loop not in other.loops or step is site.step:
            continue
        if isinstance(step, Call) and step.mode is not Mode.SCHEDULE:
            callee = program.callees.get((site.function.key, step.id))
            if callee in program.outside:
                return True
            busy += bool(program.effects_of(site.function, step))
        elif isinstance(step, Access):
            busy += 1
    return busy >= BUSY


def _used(program: Program, site: Site, loop: Loop) -> bool:
    """Whether the rest of the round needs what the write gives back: the key of the new row, the number of rows."""
    number = getattr(site.step, "id", None)
    return any(
        loop in other.loops and other.step is not site.step and number in _needs(other.step)
        for other in program.sites(site.function.key).all
    )


def _needs(step: Step) -> frozenset[int]:
    if isinstance(step, Access | Call):
        return step.deps | step.guards
    return step.on if isinstance(step, Branch) else frozenset()


def _caught(block: Block, step: Step) -> bool:
    """Whether an error handler of its own follows a step in a block."""
    at = next((n for n, here in enumerate(block) if here is step), None)
    return at is not None and any(isinstance(later, Branch) and later.handler for later in block[at + 1 :])
