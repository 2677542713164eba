"""Statements of templates that are walked once, and from then on known wherever they see the same.

Most of what stands around the content of a page (its head, its menus, its footer) is the same for every view that renders it. Walking
through it again for each of them would take most of the time that a project with templates takes.
"""

from __future__ import annotations

from copy import copy
from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass, replace
from querylint.frontends.flow.scope import Var
from querylint.frontends.flow.state import MOST_STEPS, State, Trace
from querylint.frontends.flow.values import NO_STEPS, NOTHING, Closure, Many, Marker, Query, Record, Val
from querylint.frontends.templates.renumbered import Renumbered
from querylint.ir import Root, Step
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.templates.vocabulary import TemplateVocabulary

KINDS = (tree.Do, tree.If, tree.For, tree.Block)
MOST_KNOWN = 6
"""In so many ways one statement is known, at most."""
MOST_VAIN = 3
"""So often in vain one statement is looked at while it is walked; then it is just walked."""
MOST_NESTED = 60
LONG = 200
"""So many bytes a statement has: to look at what a shorter one sees takes longer than to walk through it again."""
DEPTH = 3

Key = tuple[int, tuple[object, ...]]
Around = tuple[bool, bool, bool]


@dataclass(slots=True)
class Replay:
    """What one walk has seen, and what it has left.

    Seen are variables (`visible`), the `names` of the `context` that no variable bore (`whole`: all of it), the `request` and the choices
    `around`; what is `noted` of any value, and where a value came from a step, all that is noted `beside` the walk. Left are `steps` that
    begin behind the number `counter`, as many numbers as were `used`, `traces`, and what it `leaned` on. Its steps hung on `why`, and hang
    elsewhere on what decides there, unless they are `tied` to it.
    """

    visible: dict[str, Val]
    context: Val
    names: frozenset[str]
    whole: bool
    request: Val
    around: Around
    why: frozenset[int]
    tied: bool
    noted: dict[str, object]
    beside: dict[str, object] | None
    counter: int
    used: int
    steps: tuple[Step, ...]
    traces: tuple[Trace, ...]
    leaned: tuple[tuple[str, ...], ...]

    def holds(self, page: TemplateVocabulary, state: State) -> bool:
        """Whether a walk from here would see the same."""
        if state.counter + self.used > MOST_STEPS or (self.steps and self.around != _around(state)) or self.request != page.words.request:
            return False
        if self.tied and self.why != state.why():
            return False
        if self.noted != _of_any(state) or (self.beside is not None and self.beside != _beside(state)):
            return False
        scope, store = state.scope, state.store
        for name, val in self.visible.items():
            var = scope.find(name)
            if var is None or store.get(var, NOTHING) != val:
                return False
        return all(scope.find(name) is None for name in self.names) and self._of_context(page.context)

    def _of_context(self, context: Val) -> bool:
        mine = self.context
        if mine is context or not (self.names or self.whole):
            return True
        if self.whole or not isinstance(mine.shape, Record) or not isinstance(context.shape, Record):
            return mine == context
        if mine.origins != context.origins or mine.deps != context.deps or mine.pending != context.pending:
            return False
        had, has = mine.shape.fields, context.shape.fields
        return mine.shape.rest == context.shape.rest and all(had.get(name) == has.get(name) for name in self.names)

    def again(self, page: TemplateVocabulary, state: State) -> None:
        """Leave the same once more."""
        more, why = state.counter - self.counter, state.why()
        steps, traces = self.steps, self.traces
        if (more or why != self.why) and (steps or traces):
            other = Renumbered(self.counter, more, self.why, why)
            steps, traces = tuple(other.steps(steps)), tuple(other.traces(traces))
        state.counter += self.used
        state.block.extend(steps)
        state.retrace(traces)
        if state.trace is not None:
            state.trace.extend(var for name in self.visible if (var := state.scope.find(name)) is not None)
        page.words.lean(self.leaned)
        page.asked(self.names, whole=self.whole)


@dataclass(slots=True)
class _Known:
    """What is known of one statement at one place of a page. It holds the statement, so that no other gets its number."""

    statement: tree.Stmt
    replays: list[Replay] = field(default_factory=list)
    vain: int = 0


class Replays:
    """The statements that are known, of one project."""

    def __init__(self) -> None:
        self._known: dict[Key, _Known] = {}
        self.wave = 0

    def begin(self, wave: int) -> None:
        """What was known holds no longer than what functions are believed to give back."""
        if wave != self.wave:
            self._known.clear()
            self.wave = wave

    def walk(self, page: TemplateVocabulary, state: State, statement: tree.Stmt) -> None:
        """Walk through a statement, or leave what walking through it would leave."""
        if not _worth(state, statement):
            state.execute(statement)
            return
        key = (id(statement), (*page.where(statement), *map(id, state.calling[1:])))
        known = self._known.get(key)
        if known is None:  # most pages are of one view alone
            self._known[key] = _Known(statement)
            state.execute(statement)
            return
        for replay in known.replays:
            if replay.holds(page, state):
                replay.again(page, state)
                return
        if known.vain >= MOST_VAIN or len(known.replays) >= MOST_KNOWN:
            state.execute(statement)
            return
        made = _watched(page, state, statement)
        if made is not None:
            known.replays.append(made)
        else:
            known.vain += 1


def _watched(page: TemplateVocabulary, state: State, statement: tree.Stmt) -> Replay | None:
    """Walk through a statement; what it saw and left, where that is not of one function alone."""
    context, around, beside = page.context, _around(state), _beside(state)
    of_any = _of_any(state)
    before, counter, held, block, length = _left_by(state), state.counter, _variables(state), state.block, len(state.block)
    log, leaned, outer = len(page.log), page.words.leaned(), state.trace
    page.watching += 1
    state.trace = []
    state.execute(statement)
    traces, state.trace = state.trace, outer
    page.watching -= 1
    if outer is not None:
        outer.extend(traces)
    asked = {name for at, name in page.log[log:] if at is context}
    if not page.watching:
        page.log.clear()
    after = _variables(state)
    same = len(held) == len(after) and all(var is now and val is has for (var, val), (now, has) in zip(held, after, strict=True))
    if not same or state.full or page.context is not context or block is not state.block or before != _left_by(state):
        return None
    looked = {trace for trace in traces if isinstance(trace, Var)}
    visible: dict[str, Val] = {}
    for var, val in held:
        if var in looked and visible.setdefault(var.name, val) is not val:
            return None
    names = frozenset(name for name in asked if name is not None)
    whole = None in asked
    seen = list(visible.values())
    if isinstance(context.shape, Record) and not whole:
        seen += [context.shape.fields[name] for name in names if name in context.shape.fields]
        seen += context.shape.rest if names else ()
    elif asked:
        seen.append(context)
    if not all(_plain(val) for val in (*seen, page.words.request)):
        return None
    if isinstance(context.shape, Record) and not whole:
        fields = {name: context.shape.fields[name] for name in names if name in context.shape.fields}
        context = replace(context, shape=Record(fields, context.shape.rest))
    left = tuple(trace for trace in traces if not isinstance(trace, Var))
    steps = tuple(block[length:])
    request, of_steps = page.words.request, beside if any(_of_step(val) for val in (*seen, page.words.request)) else None
    why = state.why()
    # Where both the values and the place hang on one step, what of the steps hangs on which could not be told apart.
    hung = context.deps if asked else NO_STEPS
    tied = bool(steps and why) and not why.isdisjoint(hung.union(*(_behind(val) for val in (*seen, page.words.request))))
    used, leaning = state.counter - counter, page.words.since(leaned)
    return Replay(visible, context, names, whole, request, around, why, tied, of_any, of_steps, counter, used, steps, left, leaning)


def _worth(state: State, statement: tree.Stmt) -> bool:
    if state.frames or state.nested > MOST_NESTED or type(statement) not in KINDS:
        return False
    return statement.end - statement.at >= LONG


def _variables(state: State) -> list[tuple[Var, Val]]:
    """The variables that a template sees, with what they hold."""
    found: list[tuple[Var, Val]] = []
    scope = state.scope
    while True:
        found += [(var, state.store.get(var, NOTHING)) for var in scope.names.values()]
        if scope.parent is None:
            return found
        scope = scope.parent


def _of_any(state: State) -> dict[str, object]:
    """What is noted of more than single steps: sets, such as that of the tables of which a session holds rows."""
    return {name: copy(noted) for name, noted in state.beside.items() if isinstance(noted, set)}


def _beside(state: State) -> dict[str, object]:
    """What is noted beside a walk, of its steps too."""
    return {name: copy(noted) for name, noted in state.beside.items()} | {"selecting": frozenset(state.selecting)}


def _around(state: State) -> Around:
    """What stands around a place and shows in its steps."""
    return bool(state.control), bool(state.why()), bool(state.entered)


def _left_by(state: State) -> tuple[object, ...]:
    """What a walk leaves behind besides steps, variables and traces; equal where it has left nothing."""
    return (
        state.guards, state.dead, len(state.returns), len(state.left), len(state.yields),
        len(state.built), len(state.results), len(state.runs), len(state.path_conditions), len(state.keyed),
        len(state.selecting), len(state.clocks),
        [(name, id(noted), len(noted) if isinstance(noted, dict | list | set) else 0) for name, noted in state.beside.items()],
    )  # fmt: skip


def _plain(val: Val, depth: int = 0) -> bool:
    """Whether equal values are walked through alike: queries have rows of their own, local functions variables of their own."""
    shape = val.shape
    if shape is None:
        return True
    if depth > DEPTH or isinstance(shape, Query):
        return False
    if isinstance(shape, Closure):
        return bool(shape.name) and (shape.this is None or _plain(shape.this, depth + 1))
    if isinstance(shape, Marker):
        return shape.inner is None or _plain(shape.inner, depth + 1)
    if isinstance(shape, Many):
        return _plain(shape.item, depth + 1) and all(_plain(item, depth + 1) for item in shape.items or ())
    if isinstance(shape, Record):
        return all(_plain(part, depth + 1) for part in (*shape.fields.values(), *shape.rest))
    return True


def _of_step(val: Val) -> bool:
    """Whether a value, or a part of it, came from a step of the walk."""
    shape = val.shape
    if any(origin.root is Root.STEP for origin in val.origins):
        return True
    if isinstance(shape, Many):
        return _of_step(shape.item) or any(_of_step(item) for item in shape.items or ())
    if isinstance(shape, Record):
        return any(_of_step(part) for part in (*shape.fields.values(), *shape.rest))
    inner = shape.this if isinstance(shape, Closure) else shape.inner if isinstance(shape, Marker) else None
    return inner is not None and _of_step(inner)


def _behind(val: Val) -> set[int]:
    """The steps behind a value and its parts."""
    shape = val.shape
    found = {*val.deps, *val.pending, *(origin.ref for origin in val.origins if origin.root is Root.STEP and isinstance(origin.ref, int))}
    parts: list[Val | None] = []
    if isinstance(shape, Many):
        parts = [shape.item, *(shape.items or ())]
    elif isinstance(shape, Record):
        parts = [*shape.fields.values(), *shape.rest]
    elif isinstance(shape, Closure | Marker):
        parts = [shape.this if isinstance(shape, Closure) else shape.inner]
    return found.union(*(_behind(part) for part in parts if part is not None))
