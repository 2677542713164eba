"""What the queries of a program ask of the indexes of each table: reads by an index, and filters and sorts that could be."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from querylint.advise.audience import waited_for
from querylint.advise.cover import Shape
from querylint.advise.curation import curated
from querylint.advise.filters import Loss, losses, suffices
from querylint.advise.grammar import nearest
from querylint.advise.growth import grows
from querylint.advise.indexes import Need, User, standings, ties
from querylint.advise.memory import Load
from querylint.advise.reductions import Reduction, Sorting, filtered, sorted_in_memory
from querylint.advise.serving import BUILT_IN, Serving, Want, full, order_after, order_seen, proposal
from querylint.construction import dataclass, replace
from querylint.ir import Access, Function, Index, IndexKind, Plan, Program, Relation, Role, Side, Table, Way
from querylint.rule import Severity
from querylint.text import Span

CREATION = "_creationTime"


class Doing(Enum):
    """How a query gets by today: it reads by an index, or rows pass it that one would spare; MISSES names one that is not there."""

    READS = "reads"
    FILTERS = "filters"
    SORTS = "sorts"
    LOOKS_UP = "looks up"
    MISSES = "misses"


@dataclass(frozen=True, slots=True)
class Demand:
    """What one query asks of an index. `fields` are those of the shape as the code writes them.

    `index` is the one that it names today, `bound` how many fields it binds by equality in the order of that. `worth` says that the query
    alone is worth an index, `always` that it asks on every call, whatever its arguments. `shown` says that the order of rows with equal
    keys only shows in how a list is handed on.
    """

    function: Function
    access: Access
    span: Span
    shape: Shape
    doing: Doing
    fields: tuple[str, ...]
    index: str | None = None
    worth: bool = True
    always: bool = True
    shown: bool = False
    bound: int = 0

    @property
    def loose(self) -> Shape:
        """The shape if the code that reads by an index could bind its equalities in another order."""
        return Shape(self.shape.equal | set(self.shape.then[: self.bound]), self.shape.then[self.bound :])


Place = tuple[str, str]
"""Root and table."""


def named(program: Program) -> dict[Place, list[Demand]]:
    """The demands on tables whose queries name their indexes, by table."""
    return program.once("demands", lambda: _named(program))


def _named(program: Program) -> dict[Place, list[Demand]]:
    found: dict[Place, list[Demand]] = {}
    for (root, table, _), standing in standings(program).items():
        for user in standing.users if standing.index.kind is IndexKind.ORDERED else ():
            shape = reader_shape(user, standing.table, standing.index)
            if shape is not None:
                found.setdefault((root, table), []).append(_read(user, shape, standing.index))
    for loss in losses(program):
        for demand in _of_loss(program, loss):
            _add(program, found, loss.site.function, loss.access, demand)
    carried: set[int] = set()
    for load, _, reductions in filtered(program):
        for one in reductions:
            demand, sorting = _of_reduction(program, one), joint(program, one)
            _add(program, found, load.function, load.access, demand if sorting is None else None)
            if sorting is not None and demand is not None and demand.worth:
                carried.add(id(sorting))
    for sorting in sorted_in_memory(program):
        sorts = _of_sorting(program, sorting)
        worth = sorts is not None and (sorts.worth or id(sorting) in carried)
        _add(program, found, sorting.load.function, sorting.load.access, replace(sorts, worth=worth) if sorts is not None else None)
    for function, access, plan in missing_names(program):
        _add(program, found, function, access, _of_missing(access, function, plan))
    return found


def _add(program: Program, found: dict[Place, list[Demand]], function: Function, access: Access, demand: Demand | None) -> None:
    schema = program.schema(function)
    if demand is not None and access.table is not None and schema is not None and not schema.facts.planner:
        found.setdefault((schema.root, access.table), []).append(demand)


# Reads by an index.


def reader_shape(user: User, table: Table, index: Index) -> Shape | None:
    """What a read by an index needs of it; None where that cannot be told, so that the index must stay as it is.

    Its equalities stand in the order of the index, and another index that serves it has them in the same: its code stays as it is.
    """
    plan = user.plan
    bounds = [p for p in plan.predicates if p.side is Side.INDEX]
    if not plan.named or user.access.table is None or any(p.field is None for p in bounds):
        return None
    equal = [p.field for p in bounds if p.relation is Relation.EQ and not p.conditional and p.field is not None]
    loose = [name for name in (*index.fields, CREATION) if name not in equal]
    now_and_then = {p.field for p in bounds if p.conditional or p.relation is not Relation.EQ}
    depth = len([name for name in loose if name in now_and_then])
    if set(index.fields[: len(equal)]) != set(equal) or set(loose[:depth]) != now_and_then:
        return None
    if user.order is not Need.NONE:
        depth = len(loose) if ties(plan, table, index) else max(depth, len(loose) - 1)
    elif not equal and not depth:
        depth = 1
    return Shape(frozenset(), (*index.fields[: len(equal)], *loose[:depth]))


def _read(user: User, shape: Shape, index: Index) -> Demand:
    span = user.plan.span or user.access.span
    bound = sum(p.relation is Relation.EQ and not p.conditional and p.side is Side.INDEX for p in user.plan.predicates)
    shown = user.need is Need.SHOWN
    return Demand(user.function, user.access, span, shape, Doing.READS, shape.then, index.name, shown=shown, bound=bound)


def missing_names(program: Program) -> Iterator[tuple[Function, Access, Plan]]:
    """Reads by an index that their table has not, and whose name is not that of another one with a letter wrong."""
    for site, access in program.reads():
        table = program.table(site.function, access.table)
        schema = program.schema(site.function)
        if table is None or schema is None or not schema.complete or not table.indexes_known or table.library is not None:
            continue
        names = [i.name for i in table.indexes]
        for plan in access.plans if site.function.role is not Role.TEST else ():
            known = plan.index is None or plan.index in names or plan.index in BUILT_IN.values()
            if plan.way is Way.INDEX and plan.named and not known and nearest(plan.index or "", names) is None:
                yield site.function, access, plan


def _of_missing(access: Access, function: Function, plan: Plan) -> Demand | None:
    bounds = [p for p in plan.predicates if p.side is Side.INDEX]
    equal = tuple(dict.fromkeys(p.field for p in bounds if p.relation is Relation.EQ and p.field is not None))
    ranged = tuple(dict.fromkeys(p.field for p in bounds if p.relation is not Relation.EQ and p.field is not None))
    if any(p.field is None for p in bounds) or len(ranged) > 1 or not (equal or ranged):
        return None
    after = (CREATION,) if order_seen(access, plan) and not ranged else ()
    shape = Shape(frozenset(equal), (*ranged, *after))
    return Demand(function, access, plan.span or access.span, shape, Doing.MISSES, (*equal, *shape.then), plan.index)


# Filters and sorts.


def want_shape(want: Want, serving: Serving, table: Table | None, after: tuple[str, ...] | None) -> Shape:
    """What a want asks of an index: all of it where one is to be added, else the part that the standing one gives."""
    equal = tuple(f for f in want.equal if serving.create or f in serving.fields)
    then = tuple(f for f in want.then if serving.create or f in serving.fields)
    if after is not None:
        rest = tuple(f for f in after if f not in equal)
        if then == rest[: len(then)]:
            then = (*rest, CREATION) if not rest or not _numeric(rest[-1], table) else rest
    return Shape(frozenset(equal), tuple(dict.fromkeys(then)))


def _numeric(name: str, table: Table | None) -> bool:
    """Whether two rows seldom have the same value."""
    declared = table.field(name) if table is not None else None
    return declared is not None and "." not in name and declared.type in ("number", "int64")


def loss_shape(program: Program, loss: Loss, serving: Serving) -> Shape:
    """What a filter of the database asks of an index: all of it, unless a standing index that has a part of it does well enough."""
    table = program.table(loss.site.function, loss.access.table)
    if not serving.create and not full(serving, loss.want) and not suffices(program, loss, serving):
        serving = proposal(loss.want)
    return want_shape(loss.want, serving, table, loss.after)


def joint(program: Program, one: Reduction) -> Sorting | None:
    """The sort of the same rows whose index binds all that a filter in memory asks for on every call, and gives the order as well."""
    return next((o for o in _sorts_of(program, one) if one.want.then in ((), o.want.then[:1])), None)


def outranked(program: Program, one: Reduction) -> bool:
    """Whether the rows that a filter in memory looks for in a range are put in another order: an index gives one of the two."""
    return joint(program, one) is None and any(_sorts_of(program, one))


def _sorts_of(program: Program, one: Reduction) -> list[Sorting]:
    """The sorts of the rows of a filter that always runs, whose index would bind what the filter compares for equality."""
    if not one.always or not one.want.equal:
        return []
    mine = [o for o in sorted_in_memory(program) if o.load.function is one.load.function and o.load.access is one.load.access]
    return [o for o in mine if o.serving is not None and set(one.want.equal) <= set(o.want.equal)]


def reduction_shape(program: Program, one: Reduction) -> Shape:
    """What a filter in memory asks of an index: alone, or together with the sort after it."""
    plan, access = one.load.access.plans[0], one.load.access
    sorting = joint(program, one)
    if sorting is not None:
        return Shape(frozenset(sorting.want.equal), sorting.want.then)
    return want_shape(one.want, one.serving, one.load.table, order_after(plan, one.load.table) if order_seen(access, plan) else None)


def _of_loss(program: Program, loss: Loss) -> Iterator[Demand | None]:
    """One for a filter, or one for each of its alternatives."""
    serving, worth = loss.serving, loss.severity is not Severity.INFO
    always = not all(p.conditional for p in loss.plan.residual())
    given = (loss.site.function, loss.access, loss.access.chain)
    if serving is not None and serving.index not in BUILT_IN.values():
        asked = loss_shape(program, loss, serving)
        yield _demand(*given, asked, Doing.FILTERS, loss.want, loss.plan.index, worth, always)
        table = program.table(loss.site.function, loss.access.table)
        whole = want_shape(loss.want, proposal(loss.want), table, loss.after)
        if whole != asked:  # the rest is soon read, but it might have an index as well
            yield _demand(*given, whole, Doing.FILTERS, loss.want, loss.plan.index, False, always)
        for want in loss.choices:
            shape = want_shape(want, proposal(want), table, loss.after)
            yield _demand(*given, shape, Doing.FILTERS, want, loss.plan.index, False, False)
    for arm in loss.arms if serving is None else ():
        yield _demand(*given, Shape(frozenset(arm.equal), arm.then), Doing.FILTERS, arm, loss.plan.index, worth)


def _of_reduction(program: Program, one: Reduction) -> Demand | None:
    plan, access = one.load.access.plans[0], one.load.access
    if one.serving.index in BUILT_IN.values():
        return None
    shape = reduction_shape(program, one)
    worth = (one.severity is not Severity.INFO or (one.always and _scans(program, one.load))) and not outranked(program, one)
    return _demand(one.load.function, access, one.seen.use.span, shape, Doing.FILTERS, one.want, plan.index, worth, one.always)


def _of_sorting(program: Program, one: Sorting) -> Demand | None:
    if one.serving is None or one.serving.index in BUILT_IN.values() or one.fields[0] in ("*", CREATION):
        return None
    shape = Shape(frozenset(one.want.equal), one.want.then)
    plan = one.load.access.plans[0]
    narrowed = len(one.want.equal) > len(plan.fixed())
    spares = one.cut or narrowed  # else the same rows are read, in whatever order
    worth = one.severity is not Severity.INFO or (spares and _scans(program, one.load))
    return _demand(one.load.function, one.load.access, one.seen.use.span, shape, Doing.SORTS, one.want, plan.index, worth, spares)


def _scans(program: Program, load: Load) -> bool:
    """Whether a list is read off a whole table that grows, while somebody waits."""
    function, table = load.function, load.access.table
    if not load.reported or not waited_for(program, function) or not grows(program, function, table):
        return False
    return not curated(program, function.root, table)


def _demand(
    function: Function,
    access: Access,
    span: Span,
    shape: Shape,
    doing: Doing,
    want: Want,
    index: str | None,
    worth: bool,
    always: bool = True,
) -> Demand | None:
    fields = tuple(f for f in (*want.equal, *shape.then) if f in shape.equal or f in shape.then)
    return Demand(function, access, span, shape, doing, fields, index, worth, always) if fields and "_id" not in fields else None


def each(demands: list[Demand]) -> Iterator[Demand]:
    """The demands by place, each place and shape once: a query that ends in two ways is one query."""
    seen: dict[tuple[str, int, int, Shape, Doing], Demand] = {}
    for demand in sorted(demands, key=lambda d: (d.span, d.doing.value, not d.worth)):
        at = demand.span
        seen.setdefault((at.path, at.line, at.column, demand.shape, demand.doing), demand)
    yield from seen.values()
