# long: what one walk knows and writes down is one object
"""The state of one walk through a function: variables, the steps written so far, the loops and choices around the present place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.cases import Decided, handed
from querylint.frontends.flow.handing import asking, needed
from querylint.frontends.flow.leaks import let_go
from querylint.frontends.flow.merging import RETURNS, breaks, exits_round, merge_stores
from querylint.frontends.flow.scope import Frame, Scope, Var, control
from querylint.frontends.flow.values import NO_STEPS, NOTHING, Closure, Condition, Many, Query, Record, Val, alone, both, lowered
from querylint.ir import (
    ITEM,
    Access,
    Asked,
    Bound,
    Branch,
    Call,
    Carried,
    Clock,
    Escape,
    Exit,
    ExitKind,
    Loop,
    LoopKind,
    Mode,
    Op,
    Origin,
    Outflow,
    Predicate,
    Root,
    Step,
    Target,
    Terminal,
    Use,
    Value,
    Wait,
    Work,
)
from querylint.syntax import tree
from querylint.text import LineIndex, Span, Stretches

if TYPE_CHECKING:
    from querylint.frontends.flow.vocabulary import Language, Vocabulary, Walker

TEXT_LENGTH = 60
DATABASE = "database handle"
"""The path segment of a database handle whose presence is tested: where there is none, no transaction is open."""
MOST_STEPS = 6000
SELECTING = frozenset((Work.FILTER, Work.SLICE, Work.FIND, Work.FIRST, Work.LAST, Work.PICK))
Trace = Origin | Outflow | Var
"""A part that was looked at, a value that left, a variable that was asked for: what a walk comes by."""


class State:
    """What the walk knows and has written. Expressions, statements and vocabularies all work on it.

    `declared` are the functions and classes that were met inside the function, with the variables around them, `run_in_place` those of
    them that it has called, each by its identity. `prefix` is what the names of such classes begin with in the whole module, `around` how
    many parameters of functions around this one come before its own.
    """

    def __init__(self, path: str, lines: LineIndex, vocabulary: Vocabulary, language: Language) -> None:
        self.path = path
        self.language = language
        self.lines = lines
        self.vocabulary = vocabulary
        self.store: dict[Var, Val] = {}
        self.entered, self.scope = dict[Var, Val](), Scope()
        self.block: list[Step] = []
        self.frames: list[Frame] = []
        self.left: list[tuple[dict[Var, Val], frozenset[int]]] = []
        self.returns: list[tuple[Val, tuple[Condition, ...], frozenset[int]]] = []
        self.path_conditions: list[tuple[Condition, ...]] = []
        self.guards: frozenset[int] = NO_STEPS
        self.control: list[frozenset[int]] = []
        self.touched: dict[Origin, None] = {}
        self.walked: dict[Origin, int] = {}
        self.selecting, self.clocks, self.alone = set[int](), set[int](), set[Origin]()
        self.keyed: dict[Origin, str] = {}
        self.outflows: dict[tuple[Origin, Escape, tuple[int, ...]], Outflow] = {}
        self.dead = False
        self.depth = 0
        self.calling: list[object] = []
        self.inner = 0
        self.runs: dict[int, tuple[Query, int, int]] = {}
        self.counter = 0
        self.fragile = Stretches()
        self.placed: tuple[int, int, Span] | None = None
        self.bounds: dict[Origin, int] = {}
        self.nested = 0
        self.ways = 1
        self.ways_in_all = 0
        self.caught: list[int] = []
        self.built: list[Access] = []
        self.yields: list[Val] = []
        self.results: dict[int, tuple[Query, Val]] = {}
        self.hung: dict[int, Query] = {}
        self.texts: set[Var] = set()
        self.decided = Decided()
        self.walker: Walker | None = None
        self.declared: dict[int, tuple[tree.FnDef | tree.ClassDef, Scope]] = {}
        self.run_in_place = set[int]()
        self.prefix = ""
        self.around = 0
        self.trace: list[Trace] | None = None
        self.beside: dict[str, object] = {}  # what a vocabulary notes of this walk for itself, by names of its own

    # Walking: supplied by the machine.

    def evaluate(self, node: tree.Expr) -> Val:
        """What an expression yields; its steps are written down."""
        raise NotImplementedError

    def execute(self, statement: tree.Stmt) -> None:
        """Walk through one statement."""
        raise NotImplementedError

    def run(self, body: list[tree.Stmt]) -> None:
        """Walk through statements in a scope of their own."""
        raise NotImplementedError

    def run_flat(self, body: list[tree.Stmt]) -> None:
        """Walk through statements in the present scope."""
        raise NotImplementedError

    def invoke(
        self, closure: Closure, args: tuple[Val, ...], at: int, end: int, *, inline: bool = False, frame: Frame | None = None
    ) -> Val:
        """Run a closure in place; an async one at its own pace unless `inline`. With a `frame` it is the body of a loop over rows."""
        raise NotImplementedError

    def assign(self, target: tree.Pattern | tree.Expr, value: Val, *, how: str = "=") -> None:
        """Give an existing place a new value."""
        raise NotImplementedError

    def replace(self, target: tree.Expr, value: Val) -> None:
        """Note what became of the value in a variable, without an assignment."""
        raise NotImplementedError

    def add_to(self, target: tree.Expr, base: Val, value: Val, *, keyed: bool, how: str, key: Val = NOTHING) -> None:
        """A value joins the collection in a variable."""
        raise NotImplementedError

    def bind(self, pattern: tree.Pattern, value: Val) -> None:
        """Declare the names of a pattern."""
        raise NotImplementedError

    # Writing steps.

    def fresh(self) -> int:
        """The number of a new step."""
        self.counter += 1
        return self.counter

    @property
    def full(self) -> bool:
        """Whether so much has been written that the walk had better stop."""
        return self.counter > MOST_STEPS

    def emit(self, step: Step) -> None:
        """Write a step down, unless this place is never reached."""
        if not self.dead:
            self.block.append(step)

    def span(self, at: int, end: int) -> Span:
        """The span between two byte offsets of this file; of the call, inside of a helper that is walked where it is called (`placed`)."""
        placed = self.placed
        return placed[2] if placed is not None and placed[0] <= at and end <= placed[1] else self.lines.span(at, end)

    def text(self, node: tree.Expr | tree.Pattern) -> str:
        """The source of an expression on one line, shortened."""
        words = " ".join(self.lines.text(node.at, min(node.end, node.at + 4 * TEXT_LENGTH)).split())
        name = f".{node.name}" if isinstance(node, tree.Member) else ""  # what is called tells more than the end of its arguments
        return words if len(words) <= TEXT_LENGTH else words[: TEXT_LENGTH - 1 - len(name)] + "…" + name

    def value(self, val: Val, node: tree.Expr | None = None) -> Value:
        """A value for a step."""
        return lowered(self.unbuilt(val), self.text(node) if node is not None else "")

    def hang(self, values: Iterable[Val]) -> None:
        """Queries get to where others find them too: what they are asked for here may be there already, or be asked for again."""
        for value in values:
            if isinstance(value.shape, Query) and id(value.shape) not in self.results:
                self.hung[id(value.shape)] = value.shape

    def handed_back(self, value: Val, query: Query, *, kept: bool) -> Val:
        """The query that a call gives, with the rows that it keeps where the function has run it; `kept` by whoever is called."""
        shape = replace(query, born=len(self.frames), held=query.held or kept)
        if shape.ran is not None:
            self.results[id(shape)] = (shape, shape.ran)
        return replace(value, shape=shape)

    def ran(self, val: Val) -> Val:
        """The value, or what it holds where it is a query object that has been run and keeps its rows."""
        known = self.results.get(id(val.shape)) if self.results and isinstance(val.shape, Query) else None
        return known[1].with_deps(val.deps) if known is not None else val

    def unbuilt(self, val: Val) -> Val:
        """A value that leaves this function; a query in it that nobody has run is noted, so that whoever finishes it is known."""
        val = self.ran(val)
        shape = val.shape
        if isinstance(shape, Query):
            number = self.fresh()
            span = shape.made or self.span(shape.at, shape.end)
            self.built.append(
                Access(
                    number, Op.READ, "", shape.table, shape.plans, Bound.ALL, Terminal.NOTHING, span, span, shape.deps, self.why(), None,
                    shape.table_from, shape.base, follows=shape.follows, refined=shape.refined,
                )
            )  # fmt: skip
            return Val((Origin(Root.STEP, number),), val.deps)
        if isinstance(shape, Many) and shape.items is not None and any(isinstance(v.shape, Query) for v in shape.items):
            return replace(val, shape=replace(shape, items=tuple(self.unbuilt(v) for v in shape.items)))
        if isinstance(shape, Record) and any(isinstance(v.shape, Query) for v in shape.fields.values()):
            return replace(val, shape=Record({k: self.unbuilt(v) for k, v in shape.fields.items()}, shape.rest))
        return val

    def why(self) -> frozenset[int]:
        """The steps that decide whether the present place is reached."""
        deps = self.guards
        for more in self.control:
            deps = both(deps, more)
        return deps

    def broken(self, at: int, end: int) -> bool:
        """Whether a stretch of source touches code that did not parse."""
        return self.fragile.touch(at, end)

    def wait(self, val: Val, at: int, end: int) -> Val:
        """Stand still until a value is there."""
        if val.pending:
            self.emit(Wait(val.pending, self.span(at, end)))
        return val.settled()

    def clock(self, at: int, end: int, *, plain: bool = False, daily: bool = False) -> Val:
        """Read the time, as a date or as the number that it stands for, which nothing changes afterwards."""
        number = self.fresh()
        self.clocks.add(number)
        self.emit(Clock(number, self.span(at, end), daily))
        return Val((Origin(Root.STEP, number),) if plain else (), alone(number))

    def call(
        self, target: Target, mode: Mode, args: tuple[Val, ...], node: tree.Call | tree.Element | tree.Member, text: str = "", *,
        kept: bool = False, rows: str | None = None, deps: frozenset[int] = NO_STEPS,
    ) -> Val:  # fmt: skip
        """Call something, which steps besides those of the arguments had a hand in; the result is known only by the number of the call."""
        number = self.fresh()
        step = Call(
            number,
            target,
            mode,
            tuple(asking(self.value(a), a) for a in args),
            self.span(node.at, node.end),
            text,
            both(needed(self, args, node), deps),
            self.why(),
            self.broken(node.at, node.end),
            self.detached_from_database(),
            bool(self.frames) and len(self.frames) in self.caught,
            kept,
            handed(self, node, len(args)),
            rows,
        )
        self.emit(step)
        func = node.func if isinstance(node, tree.Call) else None
        if isinstance(func, tree.Name) and self.scope.find(func.id) is None and not any(arg.parts for arg in step.args):
            self.alone.add(Origin(Root.STEP, number))  # a function of a module that is handed nothing of anybody's, and so no database
        me = alone(number)
        return Val((Origin(Root.STEP, number),), both(me, step.deps), me)

    def detached_from_database(self) -> bool:
        """Whether the present place is reached only where there is no database handle."""
        return any(
            c.origin is not None and c.origin.path[-1:] == (DATABASE,) and c.other is not None and c.other.literal is False
            for conditions in self.path_conditions
            for c in conditions
        )

    def use(
        self,
        work: Work,
        val: Val,
        at: int,
        end: int,
        *,
        predicates: tuple[Predicate, ...] = (),
        fields: tuple[str, ...] = (),
        size: Value | None = None,
        start: Value | None = None,
        deps: frozenset[int] = NO_STEPS,
        descending: bool | None = None,
        distinct: bool = False,
        extreme: bool = False,
    ) -> int | None:
        """Write down work on rows; nothing is written for values that came from nowhere."""
        rows = val.rows
        if not rows:
            return None
        number = self.fresh()
        if work in SELECTING:
            self.selecting.add(number)
        self.emit(
            Use(
                number,
                work,
                rows,
                self.span(at, end),
                predicates,
                fields,
                val.done,
                size,
                start,
                bool(self.control),
                both(val.deps, deps),
                descending,
                distinct,
                extreme,
            )
        )
        return number

    def touch(self, val: Val, name: str) -> None:
        """Part of a value is looked at."""
        for origin in val.origins:
            part = origin.at(name)
            self.touched[part] = None
            if self.trace is not None:
                self.trace.append(part)

    def look(self, origin: Origin) -> None:
        """A part of something is looked at."""
        self.touched[origin] = None
        if self.trace is not None:
            self.trace.append(origin)

    def leak(self, val: Val, how: Escape, at: int, end: int) -> None:
        """A value leaves whole."""
        if not self.dead:
            let_go(self, self.ran(val), how, at, end)

    def retrace(self, traces: tuple[Trace, ...]) -> None:
        """Note what a walk through the same code has noted."""
        for trace in traces:
            if isinstance(trace, Origin):
                self.touched[trace] = None
            elif isinstance(trace, Outflow):
                self.outflows.setdefault((trace.origin, trace.how, trace.after), trace)
        if self.trace is not None:
            self.trace.extend(traces)

    def leave(
        self, kind: ExitKind, at: int, end: int, deps: frozenset[int] = NO_STEPS, *, most: int | None = None, answer: bool | None = None
    ) -> None:
        """Leave the block early; what variables hold here, they may hold after the loop."""
        if kind in (ExitKind.BREAK, ExitKind.CONTINUE) and not self.dead:
            around = next((f for f in reversed(self.frames) if f.kind in (LoopKind.EACH, LoopKind.WHILE)), None)
            if around is not None and len(around.exits) < 20:
                around.exits.append((dict(self.store), self.why()))
        self.emit(Exit(kind, self.span(at, end), deps, most, answer))
        self.dead = True

    # Blocks.

    @contextmanager
    def recording(self) -> Iterator[list[Step]]:
        """Write steps into a block of their own."""
        outer, self.block = self.block, []
        try:
            yield self.block
        finally:
            self.block = outer

    @contextmanager
    def loop(
        self,
        kind: LoopKind,
        at: int,
        end: int,
        *,
        over: Val | None = None,
        over_text: str = "",
        constant: bool = False,
        limit: int | None = None,
        counted: bool = False,
        strided: bool = False,
        handed: tuple[int, int] | None = None,
        detached: bool = False,
        carried: dict[Var, int] | None = None,
        keep_empty: bool = False,
        kept: bool = False,
        arriving: bool = False,
    ) -> Iterator[Frame]:
        """A block that runs several times, or at its own pace. Written down only if it holds steps."""
        guards, dead = self.guards, self.dead
        why = self.why()
        if limit is None and over is not None and over.origins and all(o in self.bounds for o in over.origins):
            mixed = isinstance(over.shape, Many) and over.shape.mixed
            limit = None if mixed else max(self.bounds[o] for o in over.origins)
        if limit is None and over is not None and isinstance(over.shape, Many):
            limit = over.shape.most or over.shape.cut
        frame = Frame(self.fresh(), kind, tuple(o.at(ITEM) for o in over.rows) if over is not None else ())
        for origin in over.rows if over is not None else ():
            self.walked[origin] = self.walked.get(origin, 0) + 1
        self.frames.append(frame)
        grown = {var for var in carried or () if isinstance(self.store.get(var, NOTHING).shape, Many)}
        with self.recording() as body:
            yield frame
        self.frames.pop()
        self.dead = dead
        if not frame.leaves:
            self.guards = guards
        if body or keep_empty:
            left = [(number, var, self.store.get(var, NOTHING)) for var, number in (carried or {}).items()]
            handed_on = tuple(Carried(n, var.name, value.deps, value.columns_of if var in grown else ()) for n, var, value in left)
            self.emit(
                Loop(
                    frame.id, frame.kind, tuple(body), self.span(at, end), lowered(over) if over is not None else None, over_text,
                    constant, limit, handed_on, frame.control, counted, strided or frame.strided, handed, detached,
                    guards=why | frame.looked_up, kept=kept, arriving=arriving,
                )
            )  # fmt: skip

    def choose(
        self,
        arms: list[object],
        on: frozenset[int],
        at: int,
        end: int,
        *,
        handler: bool = False,
        missing: bool = False,
        special: bool = False,
        asked: Asked | None = None,
        enough: tuple[Span, ...] = (),
    ) -> None:
        """Walk each arm (a callable) from the present state, then go on with what holds after any of them."""
        before, guards = dict(self.store), self.guards
        blocks: list[tuple[Step, ...]] = []
        after: list[dict[Var, Val]] = []
        grown = guards
        left = False
        dead = self.dead
        for arm in arms:
            self.store, self.dead, self.guards = dict(before), dead, guards
            self.control.append(on)
            outer, self.block = self.block, []
            arm()  # type: ignore[operator]
            block, self.block = self.block, outer
            self.control.pop()
            blocks.append(tuple(block))
            grown |= self.guards
            if self.dead and not dead:
                left = True
            else:
                after.append(self.store)
        self.guards = grown | on if left else grown
        if left and any(exits_round(block) for block in blocks):
            home = any(breaks(block, RETURNS) for block in blocks)
            control(self.frames, on, out=any(breaks(block) for block in blocks), home=home)
        self.dead = dead or not after
        self.store = merge_stores(before, after, on) if after else before
        if (any(blocks) or handler) and not dead:  # its own arms may have ended the block
            self.block.append(Branch(tuple(blocks), on, self.span(at, end), handler, missing, special, asked, enough))
