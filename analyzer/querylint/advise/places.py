"""Words about places: how a function is reached, what stands on the way to an access, and which code users never wait for."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.handed import brings_about
from querylint.construction import replace
from querylint.ir import ITEM, Access, Bound, Branch, Call, Function, Kind, Loop, Mode, Origin, Path, Program, Role, Root
from querylint.ir.program import Edge, Effect, Site
from querylint.rule import Point

MOST_HOPS = 8
MANY_ARMS = 8


def quiet(function: Function) -> bool:
    """Whether little is said about a function: tests, seeds and migrations run when nobody waits."""
    return function.role is not Role.CODE


def undeclared(program: Program, function: Function, name: str | None) -> bool:
    """Whether a schema that can be read in full has no table of that name: there is nothing to add an index to, and no row to read."""
    schema = program.schema(function)
    if schema is None or name is None or name.startswith("_") or not schema.complete or not schema.tables:
        return False
    if schema.facts.planner:
        return False  # views, and tables of other applications
    return name not in schema.tables and (not schema.root or function.path.startswith(f"{schema.root}/"))


def describe(step: Access | Call) -> str:
    """What a step does, in a few words."""
    if isinstance(step, Call):
        return f"calls {step.text}" if step.text else "calls"
    table = step.table or "a table"
    return f"{step.verb or 'read'} on {table}"


def own_trail(program: Program, effect: Effect, here: Function) -> tuple[Point, ...]:
    """The calls that lead to an access which lies elsewhere, and the access itself at the end."""
    if effect.function == here.key and not effect.trail:
        return ()
    points = [Point(e.call.span, f"{program.functions[e.caller].name} calls {program.functions[e.callee].name}") for e in effect.trail]
    return (*points[:MOST_HOPS], Point(effect.access.span, describe(effect.access)))


def reaching(program: Program, function: Function) -> list[Edge]:
    """The shortest chain of calls from a registered function to this one, outermost first; empty where it is registered itself.

    A chain from something that people wait for goes before one from a job.
    """
    if function.kind not in (Kind.PLAIN, Kind.MODULE):
        return []
    before: dict[str, Edge] = {}
    queue = [function.key]
    seen = {function.key}
    job, loose = "", ""
    while queue:
        here = queue.pop(0)
        for edge in program.callers.get(here, ()):
            if edge.caller in seen:
                continue
            seen.add(edge.caller)
            before[edge.caller] = edge
            kind = program.functions[edge.caller].kind
            if kind not in (Kind.PLAIN, Kind.MODULE, Kind.JOB):
                return _chain(before, edge.caller, function.key)
            if kind is Kind.JOB:
                job = job or edge.caller
                continue
            if not program.callers.get(edge.caller):
                loose = loose or edge.caller  # something that a framework calls: a receiver of a signal
            queue.append(edge.caller)
    start = (loose or job) if job else ""
    return _chain(before, start, function.key) if start else []


def _chain(before: dict[str, Edge], start: str, end: str) -> list[Edge]:
    chain: list[Edge] = []
    here = start
    while here != end:
        edge = before[here]
        chain.append(edge)
        here = edge.callee
    return chain


def between(program: Program, caller: Function, callee: Function) -> list[Edge]:
    """The shortest chain of calls from one function to another, outermost first; empty where none leads there."""
    before: dict[str, Edge] = {}
    queue = [callee.key]
    while queue:
        here = queue.pop(0)
        if here == caller.key:
            return _chain(before, here, callee.key)
        for edge in program.callers.get(here, ()):
            if edge.caller not in before and edge.caller != callee.key:
                before[edge.caller] = edge
                queue.append(edge.caller)
    return []


def shortest(edges: list[Edge]) -> tuple[Point, ...]:
    """The way in, as points."""
    return tuple(Point(e.call.span, f"{_caller(e)} {_verb(e.call)} {e.callee.rpartition('::')[2]}") for e in edges[:MOST_HOPS])


def _caller(edge: Edge) -> str:
    return edge.caller.rpartition("::")[2]


def _verb(call: Call) -> str:
    return {Mode.SCHEDULE: "schedules", Mode.SUBSCRIBE: "subscribes to"}.get(call.mode, "calls")


def transactional(program: Program, function: Function) -> bool:
    """Whether a function runs inside a transaction wherever it is reached from."""
    if function.kind is not Kind.PLAIN:
        return function.kind.transactional
    entries = program.entries(function.key)
    if entries:
        return all(e.kind.transactional for e in entries)
    return any(isinstance(step, Access) for step in function.steps())


def one_of_many(program: Program, site: Site) -> int | None:
    """The choice among many arms (`switch (tableName)`) that a step stands in, by its rank: what is said of one arm is said of all."""
    sites = program.sites(site.function.key).all
    for rank, _ in site.arms:
        step = sites[rank].step
        if isinstance(step, Branch) and len(step.arms) >= MANY_ARMS:
            return rank
    return None


def writes_too(program: Program, function: Function) -> bool:
    """Whether a function is, or is reached from, a mutation."""
    return function.kind is Kind.MUTATION or any(e.kind is Kind.MUTATION for e in program.entries(function.key))


def local_effects(program: Program, function: Function, call: Call) -> list[Effect]:
    """What a call does to the database in the transaction, or at the place, that it stands in."""
    return program.once(("local effects", function.key, call.id), lambda: _local_effects(program, function, call))


def _local_effects(program: Program, function: Function, call: Call) -> list[Effect]:
    direct = (e for e in program.effects_of(function, call) if all(edge.call.mode is Mode.DIRECT for edge in e.trail))
    return [_told(e, call) for e in direct if not _listed(program, function, call, e) and brings_about(program, function, call, e)]


def calls_to(call: Call, effect: Effect) -> Iterator[Call]:
    """The calls by which a call leads to an access, from the one in whose callee it stands out to the call itself."""
    yield from (edge.call for edge in reversed(effect.trail))
    yield call


def _listed(program: Program, function: Function, call: Call, effect: Effect) -> bool:
    """Whether a call hands over a list that is there already for what other callers hand over as a query to be run."""
    origin = effect.access.base
    for here, step in reversed(((function, call), *((program.functions[e.caller], e.call) for e in effect.trail))):
        if origin is None or origin.root is not Root.PARAM or not isinstance(origin.ref, int) or origin.ref >= len(step.args):
            return False
        value, path = step.args[origin.ref], origin.path
        given = [o for at, o in value.parts if at == path]
        if not given:
            return bool(value.parts) or not value.deps
        sites = program.sites(here.key).by_id
        given = [o for o in given if o.root is not Root.STEP or o.ref in sites] or given  # a query that nobody has run is no step
        if any(o.root is Root.STEP and o.ref in sites and isinstance(sites[o.ref].step, Access) for o in given):
            return True
        origin = given[0] if len(given) == 1 else None
    return origin is not None and _of_a_row(program, function, origin)


def _of_a_row(program: Program, function: Function, origin: Origin) -> bool:
    """Whether something goes by the name of a relation to many rows, and belongs to a row that callers hand over."""
    schema = program.schema(function)
    links = (table.link(origin.path[-1]) for table in schema.tables.values()) if schema is not None and origin.path else ()
    return any(link is not None and link.many for link in links)


def _told(effect: Effect, call: Call) -> Effect:
    """The effect with the name of its table, where the calls that lead there carry it as an argument."""
    access = effect.access
    origin = access.table_from if access.table is None else None
    for here in calls_to(call, effect):
        if origin is None or origin.root is not Root.PARAM or not isinstance(origin.ref, int) or origin.ref >= len(here.args):
            break
        value = here.args[origin.ref]
        if isinstance(value.literal, str) and not origin.path:
            return replace(effect, access=replace(access, table=value.literal))
        origin = next((o for path, o in value.parts if not path and not origin.path), None)
    return effect


def round_of(program: Program, site: Site, loop: Loop) -> str:
    """What a round of a loop is for, in a few words: an item of a list, a row of a table."""
    for origin in loop.over.origins if loop.over is not None else ():
        found = program.sites(site.function.key).of(origin)
        if (
            found is not None
            and isinstance(found.step, Access)
            and found.step.table is not None
            and ("(" in loop.over_text or not loop.over_text)
        ):
            table = _led_to(program, site.function, found.step, origin.path)
            if table is not None:
                return f"row of `{table}`"
    if loop.over is not None and loop.over_text:
        return f"item of `{loop.over_text}`"
    return "iteration of the loop"


def _led_to(program: Program, function: Function, access: Access, path: Path) -> str | None:
    """The table that the relations of a path lead to from what a read gives; None where the way goes on into a value of a row."""
    table = access.table
    row = access.bound is Bound.ONE
    for name in path:
        declared = program.table(function, table)
        link = declared.link(name) if declared is not None and name != ITEM else None
        if link is not None and link.target is not None:
            table, row = link.target, not link.many
        elif name == ITEM and not row:
            row = True
        elif row:
            return None
    return table


def asked_for(program: Program, function: Function, origin: Origin, depth: int = 0) -> bool:
    """Whether a value came in with the arguments of a registered function, perhaps through helpers."""
    if origin.root is not Root.PARAM:
        return False
    if function.kind is not Kind.PLAIN:
        return True
    edges = program.callers.get(function.key, ())
    if depth > 2 or not edges or not isinstance(origin.ref, int):
        return False
    for edge in edges:
        given = [o for path, o in edge.call.args[origin.ref].parts] if origin.ref < len(edge.call.args) else []
        if edge.call.mode is Mode.DIRECT and not (
            given and all(asked_for(program, program.functions[edge.caller], o, depth + 1) for o in given)
        ):
            return False
    return True
