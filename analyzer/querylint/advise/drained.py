"""States that work in the background takes rows out of, as it comes: mails that wait to be sent, events that wait to be handled."""

from __future__ import annotations

from querylint.advise.audience import Audience, audience
from querylint.advise.writes import CHANGES
from querylint.ir import Access, Branch, Exit, Op, Plan, Program, Relation, Role, Side, Use, Way, Work
from querylint.ir.program import Site

State = tuple[str, str]
"""A field, and the constant that it is bound to, written out."""

CHOOSING = frozenset((Work.FILTER, Work.FIND, Work.SLICE))


def drained(program: Program, root: str, name: str | None, plan: Plan) -> bool:
    """Whether a range is bound to a state that no row stays in: a job puts every row that it finds there into another."""
    states = program.once(("drained", root, name), lambda: _drained(program, root, name))
    return not states.isdisjoint(_bound(plan))


def _drained(program: Program, root: str, name: str | None) -> frozenset[State]:
    found: set[State] = set()
    for site, write in program.writes_of(root, name) if name is not None else ():
        changes = write.verb in CHANGES and bool(write.fields) and write.key is not None
        if changes and site.function.role is Role.CODE and audience(program, site.function) is Audience.BACKGROUND:
            found |= _emptied(program, site, write)
    return frozenset(found)


def _emptied(program: Program, site: Site, write: Access) -> set[State]:
    """The states by which rows were read, of which a write then puts each into another."""
    assert write.key is not None
    sites = program.sites(site.function.key)
    constants = dict(write.constants)
    found: set[State] = set()
    for origin in write.key.origins:
        place = sites.of(origin)
        read = place.step if place is not None else None
        if not isinstance(read, Access) or place is None or set(site.arms) - set(place.arms) or not all(map(_of_state, read.plans)):
            continue
        if _passes_by(program, place, read, site, write):
            continue
        for field, value in (state for plan in read.plans for state in _bound(plan)):
            if field in (write.fields or ()) and (field not in constants or repr(constants[field]) != value):
                found.add((field, value))
    return found


def _passes_by(program: Program, place: Site, read: Access, site: Site, write: Access) -> bool:
    """Whether some of the rows that are read never come to the write: memory chooses among them, or a round ends before it."""
    rounds = {loop.id for loop in site.loops} - {loop.id for loop in place.loops}
    for between in program.sites(site.function.key).all[place.rank : site.rank]:
        step = between.step
        if isinstance(step, Use) and step.work in CHOOSING and any(o.ref == read.id for o in step.of):
            return True
        within = bool(between.loops) and between.loops[-1].id in rounds
        if isinstance(step, Branch) and within and not step.missing and not step.handler:
            ends = [arm for arm in step.arms if any(isinstance(inner, Exit) for inner in arm)]
            if not all(any(isinstance(s, Access) and s.op is Op.WRITE and s.table == write.table for s in arm) for arm in ends):
                return True  # a round that puts the row somewhere else before it ends passes nothing by
    return False


def _of_state(plan: Plan) -> bool:
    """Whether a plan asks for all the rows in some state, of any owner and any age."""
    return plan.way is Way.INDEX and len(_bound(plan)) == len(plan.predicates)


def _bound(plan: Plan) -> set[State]:
    """The fields that a range binds to constants."""
    bound = [p for p in plan.predicates if p.side is Side.INDEX and p.relation is Relation.EQ and p.value is not None and p.value.constant]
    return {(p.field, repr(p.value.literal)) for p in bound if p.field is not None and p.value is not None}
