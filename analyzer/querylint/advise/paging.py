"""Pages that one run of a function reads: Convex allows one (convex-facts 3.2)."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.rounds import loop_kind
from querylint.advise.sequence import apart, leaves
from querylint.construction import dataclass
from querylint.ir import Access, Branch, Call, Exit, ExitKind, Function, Loop, LoopKind, Mode, Program
from querylint.ir.program import Effect, Site
from querylint.text import Span

LEAVING = frozenset((ExitKind.RETURN, ExitKind.THROW))
LEAVING_BLOCK = LEAVING | {ExitKind.CONTINUE}


@dataclass(frozen=True, slots=True)
class Pages:
    """A second page: in the next round of a loop, or after the one at `before`. `text` is the helper that reads it."""

    span: Span
    read: Access
    text: str = ""
    loop: Span | None = None
    over: str = ""
    before: Span | None = None


def pages(program: Program, function: Function) -> Iterator[Pages]:
    """The pages after the first in a run of a function, as far as this function brings them about."""
    earlier: list[Site] = []
    for site in program.sites(function.key).all:
        read = _paging(program, function, site)
        if read is None or not isinstance(site.step, Access | Call):
            continue
        text = site.step.text if isinstance(site.step, Call) else ""
        again = next((loop for loop in reversed(site.loops) if _repeats(program, site, loop)), None)
        if again is not None:
            yield Pages(site.step.span, read, text, again.span, again.over_text if again.over is not None else "")
        else:
            first = next((other for other in earlier if not _apart(program, function, other, site)), None)
            if first is not None and isinstance(first.step, Access | Call):
                yield Pages(site.step.span, read, text, before=first.step.span)
        earlier.append(site)


def _paging(program: Program, function: Function, site: Site) -> Access | None:
    """The page that a step reads, itself or through helpers that run in the same function."""
    step = site.step
    if isinstance(step, Access):
        return step if step.verb == "paginate" else None
    if not isinstance(step, Call) or step.mode is not Mode.DIRECT:
        return None
    for effect in program.effects_of(function, step):
        if effect.access.verb == "paginate" and _always(program, effect):
            return effect.access
    return None


def _always(program: Program, effect: Effect) -> bool:
    """Whether a helper comes to its page on every path, in the run of the function that calls it."""
    places = [(edge.caller, edge.call.id) for edge in effect.trail] + [(effect.function, effect.access.id)]
    return all(edge.call.mode is Mode.DIRECT for edge in effect.trail) and not any(
        program.sites(key).by_id[number].arms for key, number in places
    )


def _repeats(program: Program, site: Site, loop: Loop) -> bool:
    """Whether a loop is there to run several times; one whose body always leaves does not."""
    kind = loop_kind(program, site, loop)
    if kind in (LoopKind.ONCE, LoopKind.CALLBACK) or loop.limit == 1:
        return False
    return not any(isinstance(step, Exit) and step.kind is not ExitKind.CONTINUE for step in loop.body)


def _apart(program: Program, function: Function, one: Site, other: Site) -> bool:
    """Whether only one of two places is reached in a run, or they are one place that a handed function is run from twice."""
    if other.handled or getattr(one.step, "span", None) == getattr(other.step, "span", None):
        return True
    if any(loop.kind is LoopKind.CALLBACK for loop in (*one.loops, *other.loops)):
        return True
    if apart(one, other):
        return True
    mine = dict(other.arms)
    sites = program.sites(function.key).all
    for rank, arm in one.arms:
        step = sites[rank].step
        around = sites[rank].loops
        ending = LEAVING
        if around and around[-1].kind is LoopKind.ONCE and other.loops[: len(around)] == around:
            ending = LEAVING_BLOCK  # both stand in one closure, which the arm leaves
        if rank not in mine and isinstance(step, Branch) and leaves(step.arms[arm], ending):
            return True
    return False
