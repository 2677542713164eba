"""What a call decides by its arguments: which parts of the called function it cannot reach, and how long a list it gets back at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from querylint.construction import dataclass, replace
from querylint.ir import NOT_LITERAL, Block, Branch, Call, Exit, ExitKind, Function, Loop, Mode, Path, Root, Step, Test
from querylint.ir.program import Edge, Effect
from querylint.syntax.tree import UNDEFINED
from querylint.text import Span

FALSY = (None, UNDEFINED, False, 0, "")
Part = tuple[int | str, Path]
"""A parameter, or a part of one."""


@dataclass(slots=True)
class Facts:
    """What is known of the parameters of one call.

    Parts that are some constant, parts that are not, objects that have these fields only, and how many are given at all.
    """

    constants: dict[Part, object] = field(default_factory=dict)
    others: dict[Part, list[object]] = field(default_factory=dict)
    fields: dict[Part, tuple[str, ...]] = field(default_factory=dict)
    number: int | None = None

    def constant(self, part: Part) -> object:
        """The constant that a part is, NOT_LITERAL where that is not known."""
        if part in self.constants:
            return self.constants[part]
        ref, path = part
        if self.number is not None and isinstance(ref, int) and ref >= self.number:
            return UNDEFINED
        for n in range(len(path)):
            above = (ref, path[:n])
            if path[n] not in self.fields.get(above, (path[n],)) or self.constants.get(above, NOT_LITERAL) in (None, UNDEFINED):
                return UNDEFINED
        return NOT_LITERAL

    def refutes(self, test: Test) -> bool:
        """Whether a test cannot come out as it should."""
        part: Part = (test.origin.ref, test.origin.path)
        value = self.constant(part)
        if value is UNDEFINED and test.default is not NOT_LITERAL:
            value = test.default
        if value is not NOT_LITERAL:
            return (_true(value) if test.literal is NOT_LITERAL else _same(value, test.literal)) is not test.holds
        others = self.others.get(part, ())
        if not test.holds or not others or test.default is not NOT_LITERAL:
            return False
        return test.literal is not NOT_LITERAL and any(_same(other, test.literal) for other in others)

    def learn(self, test: Test) -> None:
        """A test has come out as it should."""
        part: Part = (test.origin.ref, test.origin.path)
        if test.default is not NOT_LITERAL:
            return
        if test.literal is NOT_LITERAL:
            self.others.setdefault(part, []).extend(FALSY if test.holds else ())
        elif test.holds:
            self.constants[part] = test.literal
        else:
            self.others.setdefault(part, []).append(test.literal)


def _true(value: object) -> bool:
    return not any(_same(value, other) for other in FALSY)


def _same(a: object, b: object) -> bool:
    return a == b and isinstance(a, bool) is isinstance(b, bool)


@dataclass(slots=True)
class Arrival:
    """A function as a chain of calls arrives at it: what is known of its parameters, what that closes, and how its own calls go on."""

    key: str
    facts: Facts | None
    closed: list[Span]
    further: dict[int, Arrival] = field(default_factory=dict)


class Cases:
    """The parts of functions that are closed to some call, or to all."""

    def __init__(self, functions: Mapping[str, Function], callees: Mapping[tuple[str, int], str]) -> None:
        self.functions = functions
        self.callees = callees
        self.divided = {key for key, function in functions.items() if function.cases and function.wrapper is None}
        self.narrowed: dict[tuple[str, int], tuple[Effect, ...]] = {}
        self._arrivals: dict[tuple[str, int], Arrival] = {}

    def handed(self, function: Function, call: Call, outer: Facts | None = None) -> Facts | None:
        """What is known of the parameters of the called function; None where it cannot be told which argument is which."""
        if call.handed is None:
            return None
        mine = _here(function, call, outer)
        found = Facts(number=len(call.handed))
        for position, given in enumerate(call.handed):
            for path, value in given.constants:
                found.constants[position, path] = value
            for path, origin in given.passed:
                _pass_on(mine, (origin.ref, origin.path), found, (position, path))
            if given.fields is not None:
                found.fields[position, ()] = given.fields
        return found

    def closed(self, function: Function, facts: Facts) -> list[Span]:
        """What a call with these arguments cannot reach."""
        return [c.span for c in function.cases if all(any(facts.refutes(t) for t in way) for way in c.ways)]

    def arrival(self, function: Function, call: Call, outer: Facts | None = None) -> Arrival:
        """What a call in a function, of whose own parameters `outer` is known, decides in the function that it reaches."""
        if outer is None:
            place = (function.key, call.id)
            if place not in self._arrivals:
                self._arrivals[place] = self._arrival(function, call, None)
            return self._arrivals[place]
        return self._arrival(function, call, outer)

    def _arrival(self, function: Function, call: Call, outer: Facts | None) -> Arrival:
        facts = self.handed(function, call, outer)
        key = self.callees.get((function.key, call.id), "")
        return Arrival(key, facts, self.closed(self.functions[key], facts) if facts is not None and key in self.divided else [])

    def reaches(self, here: Arrival, effect: Effect) -> bool:
        """Whether a call that arrives so can bring about what it leads to."""
        for edge in effect.trail:
            if _within(edge.call.span, here.closed):
                return False
            if edge.call.id not in here.further:
                here.further[edge.call.id] = self.arrival(self.functions[here.key], edge.call, here.facts)
            here = here.further[edge.call.id]
        return not _within(effect.access.span, here.closed)

    def narrow(self, key: str, call: Call, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
        """Of what the called function does, that which this call can bring about; where that is less, it is noted."""
        callee = self.callees.get((key, call.id), "")
        if call.handed is None or not any(callee in self.divided or any(edge.callee in self.divided for edge in e.trail) for e in effects):
            return effects
        here = self.arrival(self.functions[key], call)
        kept = tuple(e for e in effects if self.reaches(here, e))
        if len(kept) < len(effects):
            self.narrowed[key, call.id] = kept
        return kept

    def unasked(self, callers: Mapping[str, tuple[Edge, ...]]) -> dict[str, tuple[Span, ...]]:
        """The parts of functions, by file, that no call of theirs reaches, where calls are known and each can be read."""
        found: dict[str, list[Span]] = {}
        for key in sorted(self.divided):
            function = self.functions[key]
            edges = callers.get(key, ())
            if not edges:
                continue
            left: list[Span] | None = None
            for edge in edges:
                closed = self.arrival(self.functions[edge.caller], edge.call).closed
                left = closed if left is None else [span for span in left if span in closed]
            if left:
                found.setdefault(function.path, []).extend(left)
        return {path: tuple(spans) for path, spans in found.items()}

    def sized(self, function: Function) -> Function:
        """The function, its loops over what helpers give back with the number of rounds that these allow."""
        calls = {s.id: s for s in function.steps() if isinstance(s, Call)}
        if not calls or not any(self._rounds(function, s, calls) is not None for s in function.steps() if isinstance(s, Loop)):
            return function
        return replace(function, body=tuple(self._sized(function, step, calls) for step in function.body))

    def _sized(self, function: Function, step: Step, calls: Mapping[int, Call]) -> Step:
        if isinstance(step, Branch):
            return replace(step, arms=tuple(tuple(self._sized(function, inner, calls) for inner in arm) for arm in step.arms))
        if isinstance(step, Loop):
            body = tuple(self._sized(function, inner, calls) for inner in step.body)
            most = self._rounds(function, step, calls)
            return replace(step, body=body, limit=step.limit if most is None else most)
        return step

    def _rounds(self, function: Function, loop: Loop, calls: Mapping[int, Call]) -> int | None:
        """How many rounds a loop has at most, where it runs over what one call gives back."""
        origins = loop.over.origins if loop.over is not None and loop.limit is None else ()
        call = calls.get(origins[0].ref) if len(origins) == 1 and isinstance(origins[0].ref, int) and origins[0].root is Root.STEP else None
        callee = self.functions.get(self.callees.get((function.key, call.id), "")) if call is not None and not origins[0].path else None
        if call is None or callee is None or call.mode is Mode.SUBSCRIBE or loop.over is None or loop.over.mixed:
            return None
        if not loop.over.deps <= {call.id} | call.deps | call.guards | loop.guards:
            return None  # something else had a hand in it
        facts = self.handed(function, call) or Facts()
        closed = self.closed(callee, facts)
        ends = [e.most for e in exits(callee.body) if e.kind is ExitKind.RETURN and not _within(e.span, closed)]
        known = [most for most in ends if most is not None]
        return max(known) or 1 if ends and len(known) == len(ends) else None


def exits(block: Block) -> Iterable[Exit]:
    """Where a function is left, those of closures aside: these end a round only."""
    for step in block:
        if isinstance(step, Exit):
            yield step
        for inner in step.arms if isinstance(step, Branch) else (step.body,) if isinstance(step, Loop) else ():
            yield from exits(inner)


def _here(function: Function, call: Call, outer: Facts | None) -> Facts:
    """What is known of the parameters of the calling function, where the call stands."""
    found = Facts()
    if outer is not None:
        others = {part: list(values) for part, values in outer.others.items()}
        found = Facts(dict(outer.constants), others, dict(outer.fields), outer.number)
    for case in function.cases:
        if len(case.ways) == 1 and case.span.covers(call.span):
            for test in case.ways[0]:
                found.learn(test)
    return found


def _pass_on(mine: Facts, part: Part, found: Facts, to: Part) -> None:
    """What is known of a part of a parameter is known of the argument that it is handed over as."""
    value = mine.constant(part)
    if value is not NOT_LITERAL:
        found.constants[to] = value

    def moved(at: Part) -> Part | None:
        ref, path = at
        return (to[0], (*to[1], *path[len(part[1]) :])) if ref == part[0] and path[: len(part[1])] == part[1] else None

    for at, constant in mine.constants.items():
        if (there := moved(at)) is not None:
            found.constants[there] = constant
    for at, others in mine.others.items():
        if (there := moved(at)) is not None:
            found.others[there] = others
    for at, names in mine.fields.items():
        if (there := moved(at)) is not None:
            found.fields[there] = names


def _within(span: Span, closed: list[Span]) -> bool:
    return any(one.covers(span) for one in closed)
