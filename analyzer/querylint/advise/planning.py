"""What queries ask of indexes where the database picks them by itself: only what no index serves at all."""

from __future__ import annotations

from querylint.advise.cover import Shape
from querylint.advise.demands import Demand, Doing, Place
from querylint.advise.growth import grows, small
from querylint.advise.planned import lookups, unindexed
from querylint.advise.planner import unserved
from querylint.ir import Access, Program


def planner_demands(program: Program) -> dict[Place, list[Demand]]:
    """The demands on tables of databases that pick their indexes, by table."""
    found: dict[Place, list[Demand]] = {}

    def add(root: str, table: str, demand: Demand) -> None:
        found.setdefault((root, table), []).append(demand)

    for one in unserved(program):
        function, access = one.site.function, one.access
        doing = Doing.LOOKS_UP if one.equal or access.plans[0].predicates else Doing.SORTS
        add(
            function.root, one.table.name, Demand(function, access, access.span, one.shape, doing, (*one.equal, *one.then), worth=one.grows)
        )
    for key in unindexed(program):
        if small(program, key.table.name):
            continue
        shape = Shape(frozenset((key.field.name,)))
        for site in key.reads:
            if isinstance(site.step, Access):
                add(key.root, key.table.name, Demand(site.function, site.step, site.step.span, shape, Doing.LOOKS_UP, (key.field.name,)))
    for look in lookups(program):
        function, access = look.site.function, look.access
        shape = Shape(frozenset(look.names))
        worth = grows(program, function, look.table.name)
        add(function.root, look.table.name, Demand(function, access, access.span, shape, Doing.LOOKS_UP, look.names, worth=worth))
    return found
