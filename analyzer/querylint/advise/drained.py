"""States that work in the background takes rows out of, as it comes: mails that wait to be sent, events that wait to be handled."""

from __future__ import annotations

from querylint.advise.audience import Audience, audience
from querylint.ir import Access, Plan, Program, Relation, Role, Root, Side, Way
from querylint.ir.program import Site

State = tuple[str, str]
"""A field, and the constant that it is bound to, written out."""


def drained(program: Program, root: str, name: str | None, plan: Plan) -> bool:
    """Whether a range is bound to a state that no row stays in: a job puts every row that it finds there into another."""
    states = program.once(("drained", root, name), lambda: _drained(program, root, name))
    return not states.isdisjoint(_bound(plan))


def _drained(program: Program, root: str, name: str | None) -> frozenset[State]:
    found: set[State] = set()
    for site, write in program.writes_of(root, name) if name is not None else ():
        changes = write.verb in ("patch", "replace") and bool(write.fields) and write.key is not None
        if changes and site.function.role is Role.CODE and audience(program, site.function) is Audience.BACKGROUND:
            found |= _emptied(program, site, write)
    return frozenset(found)


def _emptied(program: Program, site: Site, write: Access) -> set[State]:
    """The states by which rows were read, of which a write then puts each into another."""
    assert write.key is not None
    sites = program.sites(site.function.key).by_id
    constants = dict(write.constants)
    found: set[State] = set()
    for origin in write.key.origins:
        place = sites.get(origin.ref) if origin.root is Root.STEP and isinstance(origin.ref, int) else None
        read = place.step if place is not None else None
        if not isinstance(read, Access) or place is None or set(site.arms) - set(place.arms) or not all(map(_of_state, read.plans)):
            continue
        for field, value in (state for plan in read.plans for state in _bound(plan)):
            if field in (write.fields or ()) and (field not in constants or repr(constants[field]) != value):
                found.add((field, value))
    return found


def _of_state(plan: Plan) -> bool:
    """Whether a plan asks for all the rows in some state, of any owner and any age."""
    return plan.way is Way.INDEX and len(_bound(plan)) == len(plan.predicates)


def _bound(plan: Plan) -> set[State]:
    """The fields that a range binds to constants."""
    bound = [p for p in plan.predicates if p.side is Side.INDEX and p.relation is Relation.EQ and p.value is not None and p.value.constant]
    return {(p.field, repr(p.value.literal)) for p in bound if p.field is not None and p.value is not None}
