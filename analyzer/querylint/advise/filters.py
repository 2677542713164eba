"""Reads that lose rows to a filter: what is read for nothing, and which index would spare it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from querylint.advise.audience import ALONE, UNASKED, UNWAITED, left_alone, loads_samples, unasked, waited_for
from querylint.advise.clock import STAMP, clocks
from querylint.advise.curation import curated
from querylint.advise.growth import Reach, catalogued, narrow, reach, small
from querylint.advise.indexes import Need, order_need
from querylint.advise.places import quiet, undeclared
from querylint.advise.rounds import SEQUENTIAL
from querylint.advise.serving import (
    Serving,
    Want,
    full,
    known_field,
    order_after,
    order_seen,
    proposal,
    range_taken,
    sargable,
    serve,
    serve_in_order,
    unranged,
    wanted,
)
from querylint.advise.stored import alongside, always, lets_pass
from querylint.advise.trace import fate
from querylint.construction import dataclass, replace
from querylint.ir import Access, Bound, LoopKind, Op, Plan, Predicate, Program, Relation, Side, Table, Terminal, Way, Work
from querylint.ir.program import Site
from querylint.pattern import Pattern
from querylint.rule import Point, Severity, Weight, hint

EARLIER = frozenset((Relation.LT, Relation.LTE))
PUBLISHED = Pattern(r"^(?:is_?)?(?:published|public|active|enabled|visible|available|listed|live)$", re.IGNORECASE)


PASSED = "nearly every row passes the filter"


@dataclass(frozen=True, slots=True)
class Loss:
    """A read whose filter an index could replace. `serving` is None where only a split into several queries helps (`or`).

    `after` is the order beyond the fixed fields that its caller can see, None where nobody sees one; `arms` is what each alternative asks.
    `choices` is what the caller may ask besides, in place of the first condition that only some calls apply. `because` says why it is a
    hint, where it is.
    """

    site: Site
    access: Access
    plan: Plan
    want: Want
    serving: Serving | None
    severity: Severity
    unranged: bool
    to_end: bool
    names: tuple[str, ...]
    after: tuple[str, ...] | None = None
    arms: tuple[Want, ...] = ()
    choices: tuple[Want, ...] = ()
    because: str = ""

    @property
    def cost(self) -> str:
        """What is read today."""
        rows = f"rows({self.access.table})" if self.access.table else "all rows"
        if not self.unranged:
            return f"all rows in the range of `{self.plan.index}`"
        return rows if self.to_end else f"up to {rows}"


def losses(program: Program) -> list[Loss]:
    """Every read that filters what it has already paid for."""
    return program.once("losses", lambda: _of_those_asked(program, list(_losses(program))))


def why_hint(program: Program, loss: Loss) -> str:
    """Why a loss is only a hint, empty where it is more: for its own reason, or since no call in sight asks for the condition."""
    applied = program.applied(p for p in loss.plan.residual() if p.field in loss.names)
    return loss.because or ("" if applied else "no call in the project uses this condition")


def way_of(loss: Loss) -> tuple[Point, ...]:
    """The place where a query takes the way that is spoken of, where it is built in several."""
    if len(loss.access.plans) < 2 or loss.plan.span is None:
        return ()
    return (Point(loss.plan.span, f"where it goes by `{loss.plan.index}`" if loss.plan.index else "where it goes this way"),)


def _of_those_asked(program: Program, found: list[Loss]) -> list[Loss]:
    """The losses, those of functions that nobody in sight asks as hints where others tell the same, or nobody reads the whole table."""
    live = [loss for loss in found if loss.severity is not Severity.INFO and not unasked(program, loss.site.function)]
    told = {(loss.site.function.root, loss.access.table, field) for loss in live for field in loss.want.equal[:1]}
    scanned = {(loss.site.function.root, loss.access.table) for loss in live if loss.unranged} | _read_whole(program)
    return [loss if _worth(program, loss, told, scanned) else replace(loss, severity=Severity.INFO, because=UNASKED) for loss in found]


def _read_whole(program: Program) -> set[tuple[str, str | None]]:
    """The tables, by root, that somebody reads from end to end in a function that is asked for."""
    return {
        (site.function.root, read.table)
        for site, read in program.reads()
        if any(unranged(plan) for plan in read.plans) and read.bound is Bound.ALL and not unasked(program, site.function)
    }


def _worth(program: Program, loss: Loss, told: set[tuple[str, str | None, str]], scanned: set[tuple[str, str | None]]) -> bool:
    """Whether a loss is worth its weight: it is asked for, or would serve a table of which others read every row for want of it."""
    root, table = loss.site.function.root, loss.access.table
    if loss.serving is not None and not loss.serving.create:
        return True  # the index stands ready
    if loss.severity is Severity.INFO or not loss.unranged or not unasked(program, loss.site.function):
        return True
    return (root, table) in scanned and not any((root, table, field) in told for field in loss.want.equal[:1])


def _losses(program: Program) -> Iterator[Loss]:
    for site, read in program.reads():
        if quiet(site.function) or small(program, read.table) or undeclared(program, site.function, read.table):
            continue
        table = program.table(site.function, read.table)
        if table is not None and not table.indexes_known and table.library is None:
            continue
        found = [loss for plan in read.plans if (loss := _loss(program, site, read, plan, table)) is not None]
        if found and (table is None or table.indexes_known or all(x.serving is not None and not x.serving.create for x in found)):
            yield max(found, key=lambda x: (x.severity.rank, x.unranged))


def _bound_alone(read: Access) -> set[str]:
    """The fields by which alone another way of a read takes a range: where one of them is asked for, the table is not gone through."""
    return {fixed[0] for plan in read.plans if len(fixed := plan.fixed()) == 1}


def _loss(program: Program, site: Site, read: Access, plan: Plan, table: Table | None) -> Loss | None:
    bare = unranged(plan)
    residual = tuple(p for p in plan.residual() if not (bare and p.conditional and p.field in _bound_alone(read)))
    if not residual or plan.way not in (Way.SCAN, Way.INDEX) or not plan.named:
        return None
    to_end = _to_end(read)
    fixed = plan.fixed()
    if read.table is not None and read.table.startswith("_"):
        return None
    always = [p for p in residual if not p.conditional]
    chosen = [p for p in residual if p.conditional and sargable(p, table)]
    taken = range_taken(plan)
    sure = wanted(fixed, always, table, taken=taken)
    served = sure is not None and full(serve(table, sure, beyond=fixed), sure)
    stands = (one := wanted(fixed, chosen[:1], table, taken=taken)) is not None and full(serve(table, one, beyond=fixed), one)
    kept = sure is not None and bool(sure.equal) and not stands and _in_order(program, site, read, plan, sure)
    # What is asked on every call comes first, where an index has it, or the rows keep their order: else those that do not ask lose it.
    first = 0 if served or kept else 1
    want = wanted(fixed, [*always, *chosen[:first]], table, taken=taken)
    if want is None:
        return _disjunction(program, site, read, plan, table, residual, bare, to_end)
    ordered = _in_order(program, site, read, plan, want)
    after = order_after(plan, table) if ordered and "_id" not in want.equal and want.then != ("_creationTime",) else None
    if after is None:
        serving = serve(table, want, beyond=fixed)
    else:
        serving = serve_in_order(table, want, after)
        rest = tuple(f for f in after if f not in want.equal)
        if rest and want.then in ((), rest[:1]):
            want = Want(want.equal, rest)
        elif want.then not in ((), rest[:1]) and serving is None:
            whole_of_it = serve(table, want, beyond=fixed)  # a range on another field gives another order, whichever index has it
            serving = whole_of_it if full(whole_of_it, want) else None
    names = tuple(dict.fromkeys(p.field for p in residual if p.field and sargable(p, table)))
    swapped = taken is not None and serving is not None and not full(serving, want)
    if serving is None or swapped or (not full(serving, want) and not bare and not _better(serving, fixed)):
        serving = proposal(want)
    weight = _weight(program, site, read, plan, bare, residual, free=not serving.create)
    severity = weight.severity or Severity.WARNING
    others = (wanted(fixed, [*always, p], table, taken=taken) for p in chosen[first:])
    choices = tuple(dict.fromkeys(w for w in others if w is not None))
    found = Loss(site, read, plan, want, serving, severity, bare, to_end, names, after, (), choices, weight.because)
    arms = _arms(always, table, want.equal) if after is None and to_end and not want.then else ()
    if arms and severity is not Severity.INFO and not suffices(program, found, serving):
        more = tuple(f for arm in arms for f in arm.equal + arm.then if f not in fixed)
        return replace(found, serving=None, names=tuple(dict.fromkeys((*names, *more))), arms=arms)
    return found


def _in_order(program: Program, site: Site, read: Access, plan: Plan, want: Want) -> bool:
    """Whether the rows are wanted in the order that a read gets them in."""
    noticed = order_seen(read, plan) or (bool(want.equal) and _walks_in_order(plan))
    return noticed and order_need(program, site.function, read, plan) is not Need.NONE


def _to_end(read: Access) -> bool:
    """Whether a read goes on to the last row that it could find."""
    return read.bound is Bound.ALL or read.verb == "unique"


def _arms(residual: Sequence[Predicate], table: Table | None, equal: tuple[str, ...] = ()) -> tuple[Want, ...]:
    """What each alternative of an `or` asks, together with the equalities beside it; nothing where one of them asks nothing of an index."""
    for p in residual:
        wants = [wanted(equal, arm, table) for arm in p.arms] if p.relation is Relation.ANY else []
        if wants and all(wants):
            return tuple(dict.fromkeys(w for w in wants if w is not None))
    return ()


def _walks_in_order(plan: Plan) -> bool:
    """Whether a read names an index only for the order of its rows."""
    return plan.way is Way.INDEX and not any(p.side is Side.INDEX for p in plan.predicates)


def suffices(program: Program, loss: Loss, serving: Serving) -> bool:
    """Whether a filter that binds what a standing index has of it leaves so little over that nobody would give it a longer one."""
    bound = set(serving.fields)
    kept = tuple(replace(p, side=Side.INDEX) if p.field in bound else p for p in loss.plan.predicates)
    plan = replace(loss.plan, way=Way.INDEX, index=serving.index, predicates=kept, ranged=True)
    read = replace(loss.access, plans=(plan,))
    return bool(_weight(program, loss.site, read, plan, False, plan.residual(), free=False).because)


def _better(serving: Serving, fixed: tuple[str, ...]) -> bool:
    return len(serving.fields) > len(fixed)


def _disjunction(
    program: Program, site: Site, read: Access, plan: Plan, table: Table | None, residual: tuple[Predicate, ...], bare: bool, to_end: bool
) -> Loss | None:
    """An `or` of equalities over a whole table: every alternative could have its own range."""
    if not bare:
        return None
    arms = _arms(residual, table)
    weight = _weight(program, site, read, plan, bare, residual, free=False)
    severity = weight.severity or Severity.WARNING
    loss = Loss(site, read, plan, Want(()), None, severity, bare, to_end, (), because=weight.because)
    for p in residual:
        if p.field == "_id" and p.relation is Relation.IN:
            return replace(loss, want=Want(("_id",)), serving=Serving("by_id", ("_id",), False), names=("_id",))
        if p.relation is Relation.ANY and arms:
            names = tuple(dict.fromkeys(a.field for arm in p.arms for a in arm if a.field))
            return replace(loss, want=Want(names), names=names, arms=arms)
        if p.relation is Relation.IN and p.field is not None and known_field(p.field, table):
            want = Want((p.field,))
            return replace(loss, want=want, names=(p.field,), arms=(want,))
    return None


def _published(program: Program, site: Site, read: Access, residual: tuple[Predicate, ...]) -> bool:
    """Whether a filter leaves out the drafts of a table that no code fills: what somebody keeps by the dashboard is short."""
    switches = [p for p in residual if p.field is not None and PUBLISHED.match(p.field) and p.relation is Relation.EQ]
    on = all(p.value is not None and p.value.literal is True for p in switches)
    filled = any(program.writes_of(site.function.root, table) for table in (read.table, None))
    return len(switches) == len(residual) and on and not filled


def aged(program: Program, site: Site, read: Access, residual: tuple[Predicate, ...]) -> bool:
    """Whether all that a filter asks is that rows were written some time ago: in a range that nobody empties, but the newest were."""
    numbers = clocks(program, site.function)
    old = all(
        p.field is not None and STAMP.search(p.field) and p.relation in EARLIER and p.value is not None and p.value.deps & numbers
        for p in residual
    )
    fields = {p.field for p in residual}
    effects = [e.access for e in program.effects.get(site.function.key, ()) if e.access.op is Op.WRITE]
    changed = [a for a in effects if a.verb == "delete" or fields & set(a.fields or ())]
    emptied = any(a.verb != "insert" and a.table in (read.table, None) for a in changed)
    return old and not emptied


def whole(program: Program, site: Site, read: Access) -> bool:
    """Whether a read hands out all that a table holds but for the odd row: its filter asks for what nearly every row has."""
    if read.bound is not Bound.ALL or read.terminal is not Terminal.ROWS or program.facts(site.function).planner:
        return False
    root = site.function.root
    return any(unranged(p) and p.residual() and lets_pass(program, root, read.table, p.residual()) for p in read.plans)


def unserved(program: Program, site: Site, read: Access) -> bool:
    """Whether a read goes through all of a table for a filter that no index can serve: "is not", a comparison of lists, a sum."""
    if read.bound is not Bound.ALL or read.terminal is not Terminal.ROWS or program.facts(site.function).planner:
        return False
    told = program.once("losses by read", lambda: {(loss.site.function.key, loss.access.id) for loss in losses(program)})
    table = program.table(site.function, read.table)
    known = table is None or table.indexes_known
    return known and (site.function.key, read.id) not in told and any(unranged(p) and bool(p.residual()) for p in read.plans)


def _worth_an_index(program: Program, site: Site, read: Access, plan: Plan) -> bool:
    """Whether a new index pays where all that one person has is read: somebody waits, and the read neither stops early nor only asks
    whether there is a row, nor has the range a second key already."""
    stops = read.bound is Bound.LIMIT and not any(p.relation.ranged for p in plan.residual())  # a stretch of time may lie far back
    if not waited_for(program, site.function) or stops or len(plan.fixed()) > 1:
        return False
    uses = fate(program, site.function, read).uses
    return not uses or any(s.use.work is not Work.EMPTY for s in uses)


def _weight(program: Program, site: Site, read: Access, plan: Plan, bare: bool, residual: tuple[Predicate, ...], *, free: bool) -> Weight:
    root = site.function.root
    if read.table is None:
        return hint("which table it is about is not to be seen")
    if left_alone(program, site.function):
        return hint(ALONE)
    if loads_samples(program, site.function):
        return hint("it inserts samples that the code lists, which happens once")
    if curated(program, root, read.table):
        return hint("the table is maintained by hand, so it holds few rows")
    latest = read.bound is Bound.ONE and plan.order is not None and plan.order.descending
    if (latest or all(p.conditional for p in residual)) and not waited_for(program, site.function):
        return hint(UNWAITED)
    if bare and _published(program, site, read, residual):
        return hint("no code fills the table, and what is published is most of it")
    if bare and all(always(program, root, read.table, p) for p in residual):
        return hint(PASSED)
    if lets_pass(program, root, read.table, residual):
        # Where it stops before the end, the first rows that are met are what was asked for.
        return hint(PASSED if not bare or not _to_end(read) or whole(program, site, read) else "", Severity.WARNING)
    if bare:
        return Weight(Severity.WARNING)
    served = [p for p in residual if sargable(p, program.table(site.function, read.table))]
    if served and all(alongside(program, root, read.table, plan, p) for p in served):
        return hint(PASSED)
    if unasked(program, site.function):
        return hint(UNASKED)
    if aged(program, site, read, residual):
        return hint("all rows but the newest pass the filter")
    if read.terminal is Terminal.ROW and read.verb in ("first", "unique") and len(plan.fixed()) > 1:
        return hint("the range binds two keys already, and few rows have both")
    far = reach(program, site.function, read)
    if far is Reach.PERSON and read.bound is Bound.LIMIT and all(p.conditional for p in residual):
        return hint("what a user may choose to see of their own rows is soon found")
    repeated = any(loop.kind in SEQUENTIAL or loop.kind is LoopKind.GATHER for loop in site.loops)
    if not free and catalogued(program, site.function, read):
        return hint("the range holds one row for each of a few names")
    if far is Reach.PERSON and not free and not repeated and not _worth_an_index(program, site, read, plan):
        return hint("the range holds the rows of one person, hardly enough to pay for a new index")
    return hint("" if far >= Reach.PERSON else narrow(program, site.function, read), Severity.WARNING)
