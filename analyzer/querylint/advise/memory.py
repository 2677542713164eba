"""Rows that are loaded to be reduced in memory: which works are done on them, and what the database could do instead."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import ALONE, UNWAITED, left_alone, unhurried, waited_for
from querylint.advise.eager import missing, sources
from querylint.advise.growth import Reach, narrow, reach, settled, small
from querylint.advise.places import quiet, reaching, shortest, undeclared
from querylint.advise.planner import bare
from querylint.advise.trace import Fate, Mark, Seen, fate
from querylint.advise.volume import busy
from querylint.construction import dataclass
from querylint.ir import (
    ITEM,
    Access,
    Block,
    Bound,
    Branch,
    Call,
    Exit,
    ExitKind,
    Function,
    Loop,
    Mode,
    Origin,
    Predicate,
    Program,
    Root,
    Table,
    TargetKind,
    Terminal,
    Value,
    Way,
    Work,
)
from querylint.ir.program import Edge, Site
from querylint.rule import Point, Severity, Weight, hint
from querylint.text import Span

VAST = 1000
GROUPING = frozenset((Work.GROUP, Work.DISTINCT))
COUNTING = frozenset((Work.COUNT, Work.FOLD)) | GROUPING


@dataclass(frozen=True, slots=True)
class Load:
    """A read that hands a list to memory, and what becomes of the list."""

    site: Site
    access: Access
    fate: Fate
    table: Table | None
    reported: bool

    @property
    def function(self) -> Function:
        """The function that loads."""
        return self.site.function

    @property
    def cost(self) -> str:
        """What is read today."""
        index = self.access.plans[0].index
        return f"rows({self.access.table or 'table'})" if self.reported or index is None else f"all rows in the range of `{index}`"

    def works(self, *kinds: Work) -> list[Seen]:
        """The works of these kinds, in the order of the source."""
        return [s for s in self.fate.uses if s.use.work in kinds]

    def counted_filters(self, program: Program) -> set[Mark]:
        """The filters whose results are only counted, where the rows serve nothing else."""
        return set() if drives(program, self) else self.only_counted()

    def only_counted(self) -> set[Mark]:
        """The filters after which nothing is done but to count what they leave."""
        counted = {(s.function.key, n) for s in self.works(Work.COUNT) for n in s.use.after[-1:]}
        onward = {(s.function.key, n) for s in self.fate.uses if s.use.work is not Work.COUNT for n in s.use.after[-1:]}
        return counted - onward


def loads(program: Program, *, capped: bool = False) -> Iterator[Load]:
    """Every list that is read whole. `reported` are those that a rule on scans speaks of already: what memory does then is a hint.

    `capped` asks also for those that end at a number so high that it is no page, and that the rows reach only once there are too many.
    """
    for site, read in program.reads():
        if quiet(site.function) or read.terminal is not Terminal.ROWS or small(program, read.table):
            continue
        if undeclared(program, site.function, read.table):
            continue
        if (
            read.bound is not Bound.ALL
            and not read.until
            and not (capped and vast(read))
            and not any(p.way is Way.SEARCH for p in read.plans)
        ):
            continue
        if any(p.way in (Way.KEY, Way.VECTOR) for p in read.plans):
            continue
        if read.related and not _alone(program, site, read):
            continue
        reported = any(
            bare(program, site.function, p) and (read.bound is not Bound.LIMIT or read.until or p.residual()) for p in read.plans
        )
        yield Load(site, read, fate(program, site.function, read), program.table(site.function, read.table), reported)


def vast(read: Access) -> bool:
    """Whether a read ends at a number that is written down to keep it from failing, not to show so many rows."""
    most = read.limit.literal if read.bound is Bound.LIMIT and read.limit is not None else None
    return isinstance(most, int) and most >= VAST


def _alone(program: Program, site: Site, read: Access) -> bool:
    """Whether a relation is read for a single row that has not loaded it ahead: else the rows may be there already, or serve others too."""
    if site.loops or read.follows is None:
        return False
    found = sources(program, site.function, read.follows)
    return bool(found) and all(s.read is not None and not s.listed and missing(program, s.outer, s.read, s.path) for s in found)


def weight(program: Program, load: Load) -> Weight:
    """A warning where the range gathers rows for as long as its owner lives, in code that somebody runs; else a hint.

    What one person has gathered is worth it where somebody waits.
    """
    if load.reported:
        return hint("the read of all rows is reported separately")
    if left_alone(program, load.function):
        return hint(ALONE)
    if unhurried(program, load.function):
        return hint(UNWAITED)
    follows = load.access.follows
    of_one = follows is not None and follows.root is Root.PARAM  # what belongs to one row, which somebody else may need as well
    kept = load.access.related and program.facts(load.function).identity  # with the row, for whoever asks again
    if kept or (of_one and program.facts(load.function).planner):
        return hint("the rows belong to one row, and may be loaded for others all the same")
    far = reach(program, load.function, load.access)
    if far is Reach.PERSON:
        return hint("" if waited_for(program, load.function) else UNWAITED, Severity.WARNING)
    if far <= Reach.PERSON:
        return hint(narrow(program, load.function, load.access))
    # Where a statement takes any condition, the edit is a line of it, however many rows there are.
    plain_edit = program.facts(load.function).planner and not settled(load.access.table)
    seen = plain_edit or busy(program, load.function.root, load.access.table)
    return hint("" if seen else "nothing in the project shows that the table holds many rows", Severity.WARNING)


def visited(load: Load) -> bool:
    """Whether each of the rows is looked at besides."""
    if load.fate.listed and not load.site.loops:
        return True
    return bool(loops_over(load))


def loops_over(load: Load) -> list[Loop]:
    """The loops of its function that go through the rows."""
    return [step for step in load.function.steps() if isinstance(step, Loop) and runs_over(step, load.access.id)]


def runs_over(loop: Loop, number: int) -> bool:
    """Whether a loop goes through what a step of its function gives."""
    return loop.over is not None and any(o.root is Root.STEP and o.ref == number for o in loop.over.origins)


def gone_through(load: Load) -> bool:
    """Whether a loop hands out all of the rows one by one, whatever it does with them."""
    item = Origin(Root.STEP, load.access.id, (ITEM,))
    return item in load.function.touched


def joins(program: Program, seen: Seen, predicates: tuple[Predicate, ...]) -> bool:
    """Whether a work looks rows up for the items of another loop: a join in memory, which is what a batch is for."""
    site = program.sites(seen.function.key).by_id.get(seen.use.id)
    if site is None:
        return False
    around = {loop.id for loop in site.loops if not _own(loop, seen.use.of)}
    return any(p.value is not None and p.value.deps & around for p in predicates) or _joins_for_caller(program, seen, predicates)


def _joins_for_caller(program: Program, seen: Seen, predicates: tuple[Predicate, ...]) -> bool:
    """Whether a helper looks up what each round of its caller's loop hands it, in rows that are the same for all of them."""
    edge = seen.way[-1] if seen.way and seen.way[-1].callee == seen.function.key else None
    site = program.sites(edge.caller).by_id.get(edge.call.id) if edge is not None else None
    if edge is None or site is None or edge.call.mode is not Mode.DIRECT:
        return False
    around = {loop.id for loop in site.loops}
    rows = [value for origin in seen.use.of if (value := _argument(edge, origin)) is not None]
    asked = [
        value for p in predicates if p.value is not None for _, origin in p.value.parts if (value := _argument(edge, origin)) is not None
    ]
    return bool(rows) and not any(value.deps & around for value in rows) and any(value.deps & around for value in asked)


def _argument(edge: Edge, origin: Origin) -> Value | None:
    """What a call hands in for a parameter that something was taken from."""
    number = origin.ref if origin.root is Root.PARAM else None
    return edge.call.args[number] if isinstance(number, int) and number < len(edge.call.args) else None


def _own(loop: Loop, of: tuple[Origin, ...]) -> bool:
    return loop.over is not None and any(o in loop.over.origins for o in of)


def repeated_use(program: Program, seen: Seen) -> bool:
    """Whether a work stands in a loop over something else."""
    site = program.sites(seen.function.key).by_id.get(seen.use.id)
    return site is not None and any(not _own(loop, seen.use.of) and loop.kind.value in ("each", "gather", "while") for loop in site.loops)


def matching(program: Program, load: Load) -> str:
    """What is loaded, for messages: all rows, unless a statement of any condition names those that it wants."""
    table = _table(load)
    if program.facts(load.function).planner:
        asked = load.access.follows is not None or any(plan.predicates for plan in load.access.plans)
        return f"all {'groups of ' if grouped(load.access) else ''}rows of {table}{' that match' if asked else ''}"
    index = next((plan.index for plan in load.access.plans if plan.ranged and plan.index), None)
    return f"all rows of {table}{f' in the range of `{index}`' if index is not None and not load.reported else ''}"


def _table(load: Load) -> str:
    return f"`{load.access.table}`" if load.access.table is not None else "a table"


def grouped(read: Access) -> bool:
    """Whether what is loaded are groups of rows: fewer, as a rule, than the database goes through."""
    return bool(read.plans) and all(plan.grouped for plan in read.plans)


def trail(program: Program, load: Load, seen: Seen) -> tuple[Point, ...]:
    """From the entry to the load, and on to the work."""
    calls = tuple(Point(e.call.span, _handing(load, e)) for e in seen.way)
    rows = f"rows of {_table(load)}" if load.access.bound is Bound.LIMIT else matching(program, load)
    loaded = Point(load.access.span, f"{rows} are loaded here")
    done = (Point(seen.use.span, f"{seen.use.work.value} in memory"),) if calls else ()
    return (*shortest(reaching(program, load.function)), loaded, *calls, *done)


def _handing(load: Load, edge: Edge) -> str:
    caller, callee = edge.caller.rpartition("::")[2], edge.callee.rpartition("::")[2]
    return f"{caller} hands them to {callee}" if edge.caller == load.function.key else f"{caller} gets them from {callee}"


def anchor(load: Load, seen: Seen) -> Span:
    """Where to point: the work itself, or the call that hands the rows to a helper which does it."""
    if seen.function.key == load.function.key:
        return seen.use.span
    return next((e.call.span for e in seen.way if e.caller == load.function.key), seen.use.span)


def home(load: Load, seen: Seen) -> str:
    """The function that the place of `anchor` lies in."""
    return load.function.key if any(e.caller == load.function.key for e in seen.way) else seen.function.key


def handed_on(load: Load) -> bool:
    """Whether the rows themselves are given to something else, which finds them loaded: a call, a write that takes them, or another query
    that asks by them."""
    mine = load.access.id
    asking = [*(s for s in load.function.own_steps() if isinstance(s, Access) and s.reads), *load.function.built]
    if any(_is_list(p.value, mine) for access in asking for plan in access.plans for p in plan.predicates if p.value is not None):
        return True
    for step in load.function.own_steps():
        if isinstance(step, Call) and any(o.root is Root.STEP and o.ref == mine and not o.path for v in step.args for _, o in v.parts):
            return True
        if isinstance(step, Access) and not step.reads and mine in step.deps:
            return True
    return False


def _is_list(value: Value, read: int) -> bool:
    """Whether a value is the list of what a read has found, each as it is or by one of its columns."""
    mine = (o for path, o in value.parts if not path and o.root is Root.STEP and o.ref == read)
    return any(len(o.path) <= 2 and o.path[:1] in ((), (ITEM,)) for o in mine)


def keyed(function: Function, read: Access) -> str | None:
    """The field of a map that all the rows of a read are put into, and which is all that becomes of them in the function."""
    return next((name for origin, name in function.keyed if origin == Origin(Root.STEP, read.id)), None)


def drains(program: Program, load: Load) -> bool:
    """Whether the function moves the rows out of the range that it has read: then the range stays short."""
    fixed = {f for p in load.access.plans for f in p.fixed()}
    for site in program.sites(load.function.key).all:
        step = site.step
        if isinstance(step, Access) and step.table == load.access.table and step.fields is not None and fixed & set(step.fields):
            return step.verb != "insert"
    return False


def drives(program: Program, load: Load) -> bool:
    """Whether the rows of a load decide what else is done."""
    return acted_on(program, load.function, load.access)


def acted_on(program: Program, function: Function, read: Access) -> bool:
    """Whether rows decide what else is read, written or called: then they are needed, whatever is counted besides."""
    mine = read.id
    for site in program.sites(function.key).all:
        step = site.step
        if isinstance(step, Access):
            key = step.key
            if key is not None and any(o.root is Root.STEP and o.ref == mine for o in key.origins):
                return True
        elif isinstance(step, Call):
            if not _acts(program, site, step) or mine not in step.deps:
                continue
        else:
            continue
        if step.id != mine and any(runs_over(loop, mine) for loop in site.loops):
            return True
    return False


def choices(function: Function, read: Access) -> list[Branch]:
    """The choices of a function that what is read decides."""
    return [step for step in function.own_steps() if isinstance(step, Branch) and read.id in step.on]


def fails(block: Block) -> bool:
    """Whether a block ends in an error."""
    return bool(block) and isinstance(block[-1], Exit) and block[-1].kind is ExitKind.THROW


def judging(program: Program, function: Function, read: Access, seen: Fate) -> list[Call]:
    """The calls whose answers decide which rows are counted: `rows.filter((row) => passes(row, criteria)).length`."""
    by_id = program.sites(function.key).by_id
    asked = {number for s in seen.uses if s.use.work in COUNTING and s.function.key == function.key for number in s.use.deps}
    calls = [step for number in sorted(asked) if number in by_id and isinstance(step := by_id[number].step, Call)]
    return [call for call in calls if any(_of_row(o, read) for value in call.args for _, o in value.parts)]


def judged_by_more(calls: list[Call], read: Access) -> bool:
    """Whether such calls are given anything besides the row that the code does not write down: criteria that differ from call to call."""
    others = [v for call in calls for v in call.args if not any(_of_row(o, read) for _, o in v.parts)]
    return any(not v.constant and bool(v.parts or v.deps) for v in others)


def _of_row(origin: Origin, read: Access) -> bool:
    return origin.root is Root.STEP and origin.ref == read.id and ITEM in origin.path


def limits(program: Program, function: Function, read: Access) -> bool:
    """Whether rows are only counted to see whether the table may take one more: then it never holds many."""
    seen = fate(program, function, read)
    kinds = {s.use.work for s in seen.uses}
    if seen.whole or Work.COUNT not in kinds or not kinds <= {Work.COUNT, Work.FILTER}:
        return False
    steps = [s for s in function.own_steps() if isinstance(s, Access) and s.verb == "insert" and s.table == read.table]
    return bool(steps) and all(read.id in s.guards and read.id not in s.deps for s in steps)


def _acts(program: Program, site: Site, call: Call) -> bool:
    """Whether a call touches the database or something else that is waited for."""
    if call.mode is not Mode.DIRECT or program.effects_of(site.function, call):
        return True
    return call.target.kind is TargetKind.EXTERNAL and call.id in program.sites(site.function.key).waits
