"""What callers hand to a function, and which of its steps that closes: an arm behind a flag that nobody sets, a list of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial

from querylint.advise.audience import unhurried
from querylint.ir import (
    Access,
    Ask,
    Asked,
    Block,
    Branch,
    Call,
    Exit,
    Function,
    Kind,
    Loop,
    Mode,
    Origin,
    Path,
    Program,
    Role,
    Root,
    Step,
    TargetKind,
    Terminal,
    Value,
)
from querylint.ir.program import Edge, Effect, Site
from querylint.pattern import Pattern

SETTING = Pattern(r"(?:^|[._])(?:config|settings|conf|environ)\.get$", re.IGNORECASE)
MOST_DEEP = 3
MOST_WAYS = 24

Given = tuple[tuple[int, Value], ...]
"""What is known of the arguments of one call: by position, the constants and the lists written down."""


def closed(program: Program, site: Site) -> bool:
    """Whether no caller whom anybody waits for, as far as they can be seen, lets a step run."""
    return not any(reaches(program, site.function, known, site.step) for known in given_by_callers(program, site.function))


def handed_at_most(program: Program, site: Site, loop: Loop, most: int) -> bool:
    """Whether every caller that lets a loop run writes down the few items that it runs over."""
    origins = loop.over.origins if loop.over is not None else ()
    if origins and all(_written_out(program, site.function, o, most) for o in origins):
        return True
    refs = [o.ref for o in origins if o.root is Root.PARAM and isinstance(o.ref, int) and not o.path]
    ways = given_by_callers(program, site.function) if refs and len(refs) == len(origins) else []
    counted = [dict(known) for known in ways if reaches(program, site.function, known, site.step)]
    if not counted:
        return False
    return all(ref in known and (size := known[ref].most) is not None and size <= most for known in counted for ref in refs)


def _written_out(program: Program, function: Function, origin: Origin, most: int) -> bool:
    """Whether every caller writes down the list in a field of what it hands over, or leaves that field out: `f({ kinds: ["a", "b"] })`."""
    edges = program.callers.get(function.key, ())
    if origin.root is not Root.PARAM or not isinstance(origin.ref, int) or len(origin.path) != 1 or not edges or function.public:
        return False
    for edge in edges:
        if edge.call.handed is None or edge.call.mode not in (Mode.DIRECT, Mode.QUERY, Mode.MUTATION, Mode.ACTION):
            return False
        given = edge.call.handed[origin.ref] if origin.ref < len(edge.call.handed) else None
        left_out = given is None or (given.fields is not None and origin.path[0] not in given.fields)
        if not left_out and dict(given.lengths if given is not None else ()).get(origin.path, most + 1) > most:
            return False
    return True


def configured(program: Program, function: Function, value: Value, most: int, depth: int = 0) -> bool:
    """Whether a value is a setting, which somebody wrote down, be it handed over by every caller: `config.get("INTERVALS")`."""
    sites = program.sites(function.key).by_id
    behind = [sites[number].step for number in value.deps if number in sites]
    read = all(isinstance(step, Call) and step.target.kind is TargetKind.EXTERNAL and SETTING.search(step.text) for step in behind)
    given = value.origins
    if not read or not (given or behind) or len(behind) < len(value.deps) or len(given) < len(value.parts):
        return False
    return all(o.root is Root.PARAM and not o.path and _given_settings(program, function, o, most, depth) for o in given)


def _given_settings(program: Program, function: Function, origin: Origin, most: int, depth: int) -> bool:
    edges = program.callers.get(function.key, ()) if depth <= MOST_DEEP and function.route is None else ()
    for edge in edges:
        value = edge.call.args[origin.ref] if isinstance(origin.ref, int) and origin.ref < len(edge.call.args) else None
        written = value is not None and (value.literal is None or (value.most is not None and value.most <= most))
        if value is None or not (written or configured(program, program.functions[edge.caller], value, most, depth + 1)):
            return False
    return bool(edges)


def given_by_callers(program: Program, function: Function) -> list[Given]:
    """What is known of the arguments in each way to call a function; of one that outside code calls, nothing is.

    No way at all where all calls that can be seen stand in places that are closed themselves.
    """
    return _ways(program, function, 0)


def _ways(program: Program, function: Function, depth: int) -> list[Given]:
    return program.once(("given by callers", function.key, depth), lambda: _given(program, function, depth))


def _given(program: Program, function: Function, depth: int) -> list[Given]:
    edges = [e for e in program.callers.get(function.key, ()) if e.caller != function.key and program.functions[e.caller].role is Role.CODE]
    hurried = [e for e in edges if not unhurried(program, program.functions[e.caller])]
    if function.route is not None or function.kind not in (Kind.PLAIN, Kind.JOB) or depth > MOST_DEEP or not 0 < len(edges) <= MOST_WAYS:
        return [()]
    found: dict[Given, None] = {}
    for edge in hurried or edges:
        if edge.call.mode is not Mode.DIRECT:
            return [()]
        caller = program.functions[edge.caller]
        for known in _ways(program, caller, depth + 1):
            if reaches(program, caller, known, edge.call):
                found[handed(edge.call, known)] = None
        if len(found) > MOST_WAYS:
            return [()]
    return list(found)


def handed(call: Call, known: Given) -> Given:
    """What a call hands over, where its own function knows of its arguments what is given."""
    found: list[tuple[int, Value]] = []
    above = dict(known)
    for number, value in enumerate(call.args):
        if value.constant or value.most is not None:
            found.append((number, value))
        elif len(value.origins) == 1 and len(value.parts) == 1 and value.origins[0].root is Root.PARAM and not value.origins[0].path:
            passed = above.get(value.origins[0].ref) if isinstance(value.origins[0].ref, int) else None
            if passed is not None:
                found.append((number, passed))
    return tuple(found)


def brings_about(program: Program, function: Function, call: Call, effect: Effect) -> bool:
    """Whether a call, with what it hands over, may lead to an access of the function that it reaches, or of one beyond."""
    callee = program.callee(function, call)
    if callee is None:
        return True
    ways = [known for known in given_by_callers(program, function) if reaches(program, function, known, call)] or [()]
    return any(passable(program, callee, handed(call, known), effect.trail, effect.access) for known in ways)


def passable(program: Program, function: Function, known: Given, trail: Iterable[Edge], last: Step) -> bool:
    """Whether calls, one in the function that the other reaches, lead on to a step with what each hands over."""
    here = function
    for edge in trail:
        if not reaches(program, here, known, edge.call):
            return False
        known = handed(edge.call, known)
        here = program.functions[edge.callee]
    return reaches(program, here, known, last)


def reaches(program: Program, function: Function, known: Given, step: Step) -> bool:
    """Whether a step of a function may run where this is known of its arguments."""
    if not known or not program.once(("asks", function.key), lambda: _asks(function)):
        return True
    open_steps = program.once(("open", function.key, known), lambda: _open(function, dict(known)))
    return id(step) in open_steps


def _asks(function: Function) -> bool:
    return any(isinstance(step, Branch) and step.asked is not None for step in function.steps())


def _open(function: Function, known: dict[int, Value]) -> frozenset[int]:
    found: set[int] = set()
    _walk(function.body, known, found)
    return frozenset(found)


def _walk(block: Block, known: dict[int, Value], found: set[int]) -> bool:
    """Whether what follows the block may run."""
    for step in block:
        found.add(id(step))
        if isinstance(step, Exit):
            return False
        if isinstance(step, Loop):
            _walk(step.body, known, found)
        elif isinstance(step, Branch):
            taken = arm_taken(step, known)
            goes_on = [_walk(arm, known, found) for arm in (step.arms if taken is None else (taken,))]
            if taken is not None and not goes_on[0]:
                return False
    return True


def arm_taken(branch: Branch, known: dict[int, Value]) -> Block | None:
    """The arm of a choice that is always taken, where the arguments tell; None where they do not."""
    answer = _decided(branch.asked, known) if branch.asked is not None and len(branch.arms) == 2 else None
    return None if answer is None else branch.arms[0 if answer else 1]


def _decided(asked: Asked, known: dict[int, Value]) -> bool | None:
    """Whether a condition holds, where that is known of the arguments; None where it cannot be told."""
    if asked.ask in (Ask.ALL, Ask.ANY, Ask.NOT):
        answers = [_decided(inner, known) for inner in asked.of]
        if asked.ask is Ask.NOT:
            return None if answers[0] is None else not answers[0]
        telling = asked.ask is Ask.ANY
        return telling if telling in answers else None if None in answers else not telling
    value = known.get(asked.param)
    if value is None:
        return None
    if not value.constant:
        return bool(value.most) if asked.ask is Ask.TRUE else None
    literal = value.literal
    if asked.ask is Ask.TRUE:
        return bool(literal)
    if asked.ask is Ask.EQUAL:
        return literal == asked.constants[0]
    if asked.ask is Ask.AMONG:
        return literal in asked.constants
    held = asked.constants[0]
    return held in literal if asked.ask is Ask.HOLDS and isinstance(literal, str) and isinstance(held, str) else None


def loaded_by_calls(program: Program, function: Function, number: int) -> tuple[Path, ...]:
    """The relations that functions load for the rows of a read which they are handed: `attach_authors(posts)`."""
    if not program.once("any loads ahead", lambda: any(f.ahead for f in program.functions.values())):
        return ()
    return program.once(("loaded by calls", function.key), lambda: _loaded_by_calls(program, function)).get(number, ())


def _loaded_by_calls(program: Program, function: Function) -> dict[int, tuple[Path, ...]]:
    found: dict[int, tuple[Path, ...]] = {}
    for origin, path in _loads(program, function, MOST_DEEP):
        if origin.root is Root.STEP and isinstance(origin.ref, int):
            found[origin.ref] = (*found.get(origin.ref, ()), path)
    return found


def _loads(program: Program, function: Function, depth: int) -> list[tuple[Origin, Path]]:
    """The rows for which the calls of a function load relations."""
    found: list[tuple[Origin, Path]] = []
    for step in function.steps():
        callee = program.callee(function, step) if isinstance(step, Call) and step.mode is Mode.DIRECT and step.args else None
        if callee is None or not isinstance(step, Call):
            continue
        for number, path in program.once(("loads ahead", callee.key, depth), partial(_ahead_of, program, callee, depth)):
            for held, origin in step.args[number].parts if number < len(step.args) else ():
                if not held and not origin.path:  # the rows together: row by row it would be a query for each
                    found.append((origin, path))
    return found


def _ahead_of(program: Program, function: Function, depth: int) -> tuple[tuple[int, Path], ...]:
    """The relations that a function, or one that it calls, loads for rows of its parameters."""
    inner = _loads(program, function, depth - 1) if depth else []
    return (*function.ahead, *((o.ref, path) for o, path in inner if o.root is Root.PARAM and isinstance(o.ref, int)))


def given(origin: Origin, call: Call) -> Iterator[Origin]:
    """What a call hands over for a part of a parameter."""
    if origin.root is Root.PARAM and isinstance(origin.ref, int) and origin.ref < len(call.args):
        for path, held in call.args[origin.ref].parts:
            if origin.path[: len(path)] == path:
                yield held.at(*origin.path[len(path) :])


def handed_over(program: Program, function: Function, read: Access, depth: int = MOST_DEEP) -> Iterator[tuple[tuple[Edge, ...], Access]]:
    """The queries for relations of rows that callers hand to a function which runs them (`names(post.comments.all())`), with the calls on
    their way, the last first."""
    if read.refined or read.base is None or read.base.root is not Root.PARAM or not depth:
        return
    for edge in program.callers.get(function.key, ()):
        caller = program.functions[edge.caller]
        begun = {access.id: access for access in caller.built}
        for held in given(read.base, edge.call) if edge.call.mode is Mode.DIRECT and edge.caller != function.key else ():
            one = begun.get(held.ref) if held.root is Root.STEP and isinstance(held.ref, int) and not held.path else None
            if one is None or one.refined:
                continue
            if one.follows is not None:
                yield (edge,), one
            else:
                yield from (((edge, *more), first) for more, first in handed_over(program, caller, one, depth - 1))


def of_handed_rows(program: Program, effect: Effect) -> bool:
    """Whether what a call brings about is to go through a relation of a row, whose query was handed on to the function that does so."""
    if effect.access.base is None or effect.access.terminal not in (Terminal.ROWS, Terminal.PAGE):
        return False
    calls = {id(edge.call) for edge in effect.trail}
    ways = handed_over(program, program.functions[effect.function], effect.access)
    return any(all(id(edge.call) in calls for edge in way) for way, _ in ways)
