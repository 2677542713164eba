"""Whether the rounds of a loop ask the same question again through a helper, whatever else they hand to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from querylint.advise.eager import Source, sources
from querylint.advise.handed import given
from querylint.advise.places import calls_to
from querylint.advise.sessions import bound
from querylint.ir import Access, Bound, Call, Clock, Exit, ExitKind, Function, Loop, Op, Predicate, Program, Root, Value
from querylint.ir.program import Effect, Site
from querylint.pattern import Pattern

CHANCE = Pattern(
    r"(?:^|\.)(?:random|secrets|uuid)\.|(?:^|\.)(?:choice|choices|shuffle|sample|randint|randrange|urandom|uuid[1-8])$|random|token_"
)
"""Outside code that answers anew each time that it is asked."""


def asks_the_same(program: Program, site: Site, effect: Effect, loop: Loop) -> bool:
    """Whether a read that a call of a round leads to compares with nothing that differs from round to round.

    False where that cannot be told: a condition that cannot be read, a value that the helper works out by itself.
    """
    if not isinstance(site.step, Call) or effect.access.base is not None:
        return False
    values = list(_values(effect.access))
    if not values or any(v is None for v in values):
        return False
    asked = [v for v in values if v is not None]
    for call in calls_to(site.step, effect):
        above = _handed(asked, call)
        if above is None:
            return False
        asked = above
    moving = {loop.id, *(c.id for c in loop.carried)}
    moving |= {s.id for s in loop.steps() if isinstance(s, Call) or (isinstance(s, Access) and s.deps & moving)}
    return not any(value.deps & moving for value in asked)


def outside_answers(program: Program, function: Function, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """What outside code the answers of a function are made by, as the code names it: `random.choice`; the time is such an answer."""
    sites = program.sites(function.key)
    queue = [n for site in sites.all if isinstance(site.step, Exit) and site.step.kind is ExitKind.RETURN for n in site.step.deps]
    met: set[int] = set()
    while queue:
        number = queue.pop()
        found = sites.by_id.get(number)
        if found is None or number in met:
            continue
        met.add(number)
        step = found.step
        if isinstance(step, Clock):
            yield "the time"
        if isinstance(step, Call):
            callee = program.callee(function, step)
            if callee is None:
                yield step.text
            elif callee.key not in seen:
                yield from outside_answers(program, callee, seen | {callee.key, function.key})
        queue += getattr(step, "deps", ())


def answers_by_chance(program: Program, site: Site) -> bool:
    """Whether a helper makes up its answers: a random code, the time."""
    callee = program.callee(site.function, site.step) if isinstance(site.step, Call) else None
    return callee is not None and any(text == "the time" or CHANCE.search(text) for text in outside_answers(program, callee))


def asks_again(program: Program, site: Site, effect: Effect, loop: Loop) -> bool:
    """Whether every round brings about the same read through a helper, of rows that the function does not change: once is enough."""
    if not isinstance(site.step, Call) or not effect.certain:
        return False
    if not _asks_for_all(effect) and not asks_the_same(program, site, effect, loop):
        return False
    changed = {e.access.table for e in program.effects.get(site.function.key, ()) if e.access.op is Op.WRITE}
    return changed.isdisjoint({effect.access.table, None})


def _asks_for_all(effect: Effect) -> bool:
    """Whether what is read no condition picks, up to a number that is written down at most: the same rows for whoever calls."""
    read = effect.access
    if read.by_key or read.base is not None or read.follows is not None:
        return False
    if read.bound is Bound.PAGE or (read.limit is not None and not read.limit.constant) or any(plan.predicates for plan in read.plans):
        return False
    return bool(read.plans)


def asks_one_key(program: Program, site: Site, effect: Effect) -> bool:
    """Whether each round asks for the row of one and the same key, which a session hands out again once it has it.

    So it is where the key is a column that the query of the rows has bound to one value.
    """
    read = effect.access
    if not program.facts(site.function).identity or not read.by_key or read.verb != "get" or read.key is None:
        return False
    asked = [o for path, o in read.key.parts if not path]
    for call in calls_to(site.step, effect) if isinstance(site.step, Call) else ():
        asked = [held for o in asked for held in given(o, call)]
    found = [source for o in asked for source in sources(program, site.function, o)]
    return bool(found) and all(_one_key(source) for source in found)


def _one_key(source: Source) -> bool:
    """Whether a column of the rows of a query is the same in all of them."""
    plans = source.read.plans if source.read is not None and source.listed and len(source.path) == 1 else ()
    return bool(plans) and all(bound(plan.predicates, {source.path[0]}) for plan in plans)


def _values(read: Access) -> Iterator[Value | None]:
    if read.follows is not None:
        yield Value((((), read.follows),))  # the rows of one row are asked for by that row
    if read.table is None and read.table_from is not None:
        yield Value((((), read.table_from),))
    if read.by_key:
        yield read.key
        return
    for plan in read.plans:
        yield from _compared(plan.predicates)


def _compared(predicates: Iterable[Predicate]) -> Iterator[Value | None]:
    for p in predicates:
        if p.arms:
            for arm in p.arms:
                yield from _compared(arm)
        elif p.field is not None or p.value is None or not p.value.constant:
            yield p.value


def _handed(values: list[Value], call: Call) -> list[Value] | None:
    """The values in terms of the caller; None where one of them is not simply handed over."""
    found: list[Value] = []
    for value in values:
        if value.constant:
            continue
        if not value.parts:
            return None  # worked out by the helper itself; what is only taken from an argument may well be read on the way
        for _, origin in value.parts:
            if origin.root is not Root.PARAM or not isinstance(origin.ref, int) or origin.ref >= len(call.args):
                return None
            found.append(call.args[origin.ref])
    return found
