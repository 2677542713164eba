"""Queries that pass an index by: they filter or sort by its first fields, and do not read by it."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import unasked
from querylint.advise.indexes import Standing
from querylint.advise.places import quiet
from querylint.advise.serving import Serving, bound_by, keeps_order, range_taken, wanted
from querylint.construction import dataclass, replace
from querylint.ir import Access, Function, IndexKind, LoopKind, Plan, Predicate, Program, Root, Use, Way, Work
from querylint.ir.program import Site


@dataclass(frozen=True, slots=True)
class Neglect:
    """A read that filters by the first fields of an index without using it, or sorts by the last of them (`order`).

    `split` says that memory divides the rows up by several filters, so that it needs all of them.
    """

    function: Function
    access: Access
    fields: tuple[str, ...]
    keeps_order: bool
    order: tuple[str, ...] = ()
    split: bool = False


def neglecting(program: Program, standing: Standing, *, rare: bool = False) -> Neglect | None:
    """The read that an unused index would help most: one that scans the table, else one that reads by fewer of the fields.

    `rare` looks at filters too that only some calls apply, that are one of several alternatives, or that run once for each of a few keys
    that are written down: to read by the index there is a choice, not a duty.
    """
    if standing.index.kind is not IndexKind.ORDERED:
        return None
    mine = program.once(("reads by table",), lambda: _by_table(program)).get(standing.table.name, ())
    found = [n for site, read in mine if (n := _neglect(program, site.function, read, standing, rare=rare)) is not None]
    return max(found, key=lambda n: (not unasked(program, n.function), len(n.fields), n.function.public), default=None)


def _by_table(program: Program) -> dict[str | None, list[tuple[Site, Access]]]:
    found: dict[str | None, list[tuple[Site, Access]]] = {}
    for site, read in program.reads():
        found.setdefault(read.table, []).append((site, read))
    return found


def _neglect(program: Program, function: Function, read: Access, standing: Standing, *, rare: bool) -> Neglect | None:
    if read.table != standing.table.name or function.root != standing.schema.root or quiet(function):
        return None
    filters = _filters(program, function, read, rare=rare)
    for plan in read.plans:
        if plan.way not in (Way.SCAN, Way.INDEX) or not plan.named:
            continue
        tests = (*plan.residual(), *(p for p in filters if rare or not p.conditional))
        for mine in _alternatives(tests) if rare else (tests,):
            found = _passes_by(function, read, plan, mine, standing)
            if found is not None:
                return replace(found, split=_divided(function, read))
    return None


def _divided(function: Function, read: Access) -> bool:
    """Whether one filter in memory takes what another leaves."""
    mine = [u for u in function.steps() if isinstance(u, Use) and any(o.root is Root.STEP and o.ref == read.id for o in u.of)]
    filters = [u for u in mine if u.work is Work.FILTER]
    return any(filters[0].id not in u.after for u in filters[1:])


def _passes_by(function: Function, read: Access, plan: Plan, tests: tuple[Predicate, ...], standing: Standing) -> Neglect | None:
    ranged = range_taken(plan) is not None
    want = wanted(plan.fixed(), tests, standing.table, taken=range_taken(plan))
    if want is None:
        return None
    depth = bound_by(standing.index, want)
    if depth <= len(plan.fixed()) + ranged or not set(plan.fixed()) <= set(standing.index.fields[:depth]):
        return None
    fields = standing.index.fields[:depth]
    return Neglect(function, read, fields, keeps_order(plan, standing.table, Serving(standing.index.name, fields, False), want))


def _alternatives(tests: tuple[Predicate, ...]) -> Iterator[tuple[Predicate, ...]]:
    """What the tests ask in each of the alternatives that they hold."""
    whole = tuple(p for p in tests if not p.arms)
    yield whole
    for p in tests:
        for arm in p.arms:
            yield (*whole, *(replace(a, conditional=True) for a in arm))


def _filters(program: Program, function: Function, read: Access, *, rare: bool) -> tuple[Predicate, ...]:
    """What memory asks of all the rows of a read: always, unless `rare`, and with no other use of the rest."""
    sites = program.sites(function.key)
    mine = [u for u in function.steps() if isinstance(u, Use) and any(o.root is Root.STEP and o.ref == read.id for o in u.of)]
    found = [u for u in mine if u.work is Work.FILTER]
    tested = {u.id for u in found}
    if any(u.work is not Work.FILTER and not tested & set(u.after) for u in mine):
        return ()
    own = [u for u in found if (rare or not u.conditional) and not _varies(sites.by_id[u.id], sites.by_id[read.id], rare=rare)]
    return tuple(p for u in own for p in u.predicates)


def _varies(work: Site, read: Site, *, rare: bool) -> bool:
    """Whether a work is done once for every item of some other list than the rows; for `rare` ones a list that is written down is none."""
    number = getattr(read.step, "id", None)
    others = (loop for loop in work.loops if loop not in read.loops and loop.kind is not LoopKind.ONCE and not (rare and loop.constant))
    return any(loop.over is None or not any(o.root is Root.STEP and o.ref == number for o in loop.over.origins) for loop in others)
