"""How often a step runs: the loops around it, and whether their rounds wait for one another."""

from __future__ import annotations

import re
from functools import partial

from querylint.advise.eager import at_most_one
from querylint.advise.handed import closed, configured, handed_at_most
from querylint.advise.planner import plain
from querylint.advise.sequence import blocks
from querylint.construction import dataclass
from querylint.ir import Access, Block, Branch, Call, Exit, ExitKind, Function, Loop, LoopKind, Program, Root, Step, TargetKind
from querylint.ir.program import Site

MOST_FEW = 8
TOGETHER = 16  # reads that are started at once (convex-facts 0.4)
SET_BY_HAND = re.compile(
    r"^(?:(?:sorted|list|set|tuple|enumerate|reversed)\()?"
    r"(?:(?:\w+\.)*settings\.)?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*(?:\.(?:items|keys|values)\(\))?(?:, \w+=\w+)*\)?$"
)
OF_MODELS = re.compile(r"(?:^|\.)_meta\.\w+|\b(?:get_models|get_app_configs)\(|\ball_models\[")
"""What a program knows of its own models, of which there are as many as somebody has written: `Post._meta.unique_together`."""
FORM_FIELDS = re.compile(r"^(?:\w+\.)*cleaned_data(?:\.(?:items|keys|values)\(\))?$")
COMPLAINING = re.compile(r"(?:^|\.)(?:log(?:ger|ging)?|messages)\.(?:error|warning|exception)$|\.add_error$")
DATES = re.compile(r"(?:^|\.)(?:timedelta|relativedelta|datetime|date|combine|monthrange)$")
BATCHES = re.compile(r"(?:^|[\W_])(?:chunks|chunked|batches|batched)(?:$|\W)")
SEQUENTIAL = (LoopKind.EACH, LoopKind.WHILE)


@dataclass(frozen=True, slots=True)
class Rounds:
    """A loop that repeats a step.

    `waits` says that each round stands still for the step. `paging` that a round needs what the round before it read: a cursor, a search
    until found. `varies` that the step depends on the item of the loop. `constant` that the author wrote the number of rounds down.
    """

    loop: Loop
    waits: bool
    paging: bool
    varies: bool
    constant: bool
    searching: bool


def rounds(program: Program, site: Site) -> list[Rounds]:
    """The loops that repeat a step, from inner to outer."""
    return program.once(("rounds", site.function.key, site.rank), lambda: _rounds(program, site)) if site.loops else []


def _rounds(program: Program, site: Site) -> list[Rounds]:
    found: list[Rounds] = []
    needs = step_deps(site)
    statements = plain(program, site.function)
    for position in range(len(site.loops) - 1, -1, -1):
        loop = site.loops[position]
        kind = loop_kind(program, site, loop)
        if kind is LoopKind.ONCE or (statements and (loop.strided or BATCHES.search(loop.over_text))):
            continue  # several items at a time are a batch already, where one statement takes them all
        inside = program.once(("steps inside", id(loop)), partial(_inside, loop))
        if leaves_after(program, site, loop):
            continue
        found.append(
            Rounds(
                loop,
                kind in SEQUENTIAL and waited(program, site, position),
                _paging(loop, needs, inside),
                loop.id in needs or _carried_item(loop, needs) or _by_way_of(program, loop, needs & inside),
                loop.constant
                or (loop.limit is not None and loop.limit <= MOST_FEW)
                or handed_at_most(program, site, loop, MOST_FEW)
                or closed(program, site)
                or (program.facts(site.function).planner and (_set_by_hand(program, site, loop) or _one_row(program, site, loop))),
                bool(_closure(loop.control, {c.id: c.deps for c in loop.carried}) & inside)
                and loop.kind is LoopKind.EACH
                and not (program.facts(site.function).bulk_reads and _refuses(program, site, loop, inside))
                and not _all_must_pass(site.function, loop),
            )
        )
    return found


def lasting(loop: Loop) -> bool:
    """Whether a loop that counts up to a number which is written down has more rounds than reads travel together, and runs to its end."""
    early = any(isinstance(e, Exit) and e.kind is not ExitKind.CONTINUE for block in blocks(loop.body) for e in block)
    return loop.counted and loop.constant and loop.limit is not None and loop.limit > TOGETHER and not early


def _all_must_pass(function: Function, loop: Loop) -> bool:
    """Whether the loop ends early only to say no, where the function says yes after it: a check of all items, which as a rule passes."""
    ends = [e for block in blocks(loop.body) for e in block if isinstance(e, Exit) and e.kind is not ExitKind.CONTINUE]
    after = [step for step in function.steps() if isinstance(step, Exit) and step.span.start >= loop.span.end and step not in ends]
    return bool(ends) and all(e.answer is False for e in ends) and any(step.answer is True for step in after)


def _refuses(program: Program, site: Site, loop: Loop, inside: frozenset[int]) -> bool:
    """Whether the loop ends early only to refuse: by an error, or by an answer made up for that. As a rule it comes to its end.

    Who complains, and answers with what he has read, has found something all the same.
    """
    calls = {step.id: step for step in loop.steps() if isinstance(step, Call)}
    ends = [(e, block) for block in blocks(loop.body) for e in block if isinstance(e, Exit) and e.kind is not ExitKind.CONTINUE]
    return bool(ends) and all(
        e.kind is ExitKind.THROW
        or (
            e.kind is ExitKind.RETURN
            and any(isinstance(s, Call) and COMPLAINING.search(s.text) for s in block)
            and not _reads(program, site, loop, e.deps)
        )
        or (e.kind is ExitKind.RETURN and bool(e.deps) and all(d in calls and not calls[d].deps & {loop.id, *inside} for d in e.deps))
        for e, block in ends
    )


def _reads(program: Program, site: Site, loop: Loop, deps: frozenset[int]) -> bool:
    """Whether what rounds read, by themselves or in a helper, is among what a value was made of."""
    steps = {step.id: step for step in loop.steps() if isinstance(step, Access | Call)}
    queue, seen = list(deps), set[int]()
    while queue:
        step = steps.get(queue.pop())
        if step is None or step.id in seen:
            continue
        seen.add(step.id)
        if isinstance(step, Access) or any(effect.access.reads for effect in program.effects_of(site.function, step)):
            return True
        queue += step.deps
    return False


def _set_by_hand(program: Program, site: Site, loop: Loop) -> bool:
    """Whether the loop runs over what somebody wrote down: a setting or a constant (`settings.GROUPS`), the fields of a form."""
    if (
        FORM_FIELDS.match(loop.over_text)
        or OF_MODELS.search(loop.over_text)
        or (loop.over is not None and configured(program, site.function, loop.over, MOST_FEW))
    ):
        return True
    if not SET_BY_HAND.match(loop.over_text):
        return False
    read = {step.id for step in site.function.steps() if isinstance(step, Access)}
    return loop.over is None or not any(o.root is Root.STEP and o.ref in read for o in loop.over.origins)


def _one_row(program: Program, site: Site, loop: Loop) -> bool:
    """Whether the loop goes over a list of one row at most, asked for by a unique key."""
    origins = loop.over.origins if loop.over is not None else ()
    sites = program.sites(site.function.key).by_id
    reads = [sites[o.ref].step for o in origins if o.root is Root.STEP and o.ref in sites and not o.path]
    return bool(reads) and all(isinstance(read, Access) and at_most_one(program, site.function, read) for read in reads)


def singled_out(program: Program, site: Site, loop: Loop | None) -> bool:
    """Whether a step is there for items of one kind only: those whose status, say, is a given one. Without a loop anything above counts."""
    steps = program.sites(site.function.key).all
    inside = {id(step) for step in loop.steps()} if loop is not None else None
    branches = ((steps[rank].step, arm) for rank, arm in site.arms)
    return any(isinstance(b, Branch) and b.special and arm == 0 and (inside is None or id(b) in inside) for b, arm in branches)


def called_sometimes(program: Program, site: Site) -> bool:
    """Whether a callback holds a step, and is called in some cases only: for what a cache does not have."""
    return any(
        loop.kind is LoopKind.CALLBACK and loop.handed is not None and _sometimes(program, site, *loop.handed) for loop in site.loops
    )


def _sometimes(program: Program, site: Site, number: int, position: int) -> bool:
    found = program.sites(site.function.key).by_id.get(number)
    callee = program.callees.get((site.function.key, number))
    if callee is None:
        return found is not None and isinstance(found.step, Call) and found.step.text.endswith("get_or_set")
    places = program.sites(callee)
    calls = [s for s in places.all if isinstance(s.step, Call) and s.step.target.kind is TargetKind.PARAM]
    mine = [s for s in calls if s.step.target.name.partition(".")[0] == str(position)]  # type: ignore[union-attr]
    return bool(mine) and all(s.arms for s in mine)


def leaves_after(program: Program, site: Site, loop: Loop) -> bool:
    """Whether the loop is always left once the step has run: only a failure brings another round."""
    left = program.once(("left early", id(loop)), lambda: _ends(loop))
    return left and _leaves(loop.body, site.step)


def _ends(loop: Loop) -> bool:
    """Whether anything in the loop may end it."""
    return any(isinstance(step, Exit) and step.kind is not ExitKind.CONTINUE for step in loop.steps())


def _leaves(block: Block, step: Step) -> bool:
    for number, here in enumerate(block):
        if here is step:
            return any(isinstance(s, Exit) and s.kind is not ExitKind.CONTINUE for s in block[number + 1 :])
        inner = here.arms if isinstance(here, Branch) else (here.body,) if isinstance(here, Loop) and here.kind is LoopKind.ONCE else ()
        for arm in inner:
            if _holds(arm, step):
                after = any(isinstance(s, Exit) and s.kind is not ExitKind.CONTINUE for s in block[number + 1 :])
                return after or _leaves(arm, step)
    return False


def _holds(block: Block, step: Step) -> bool:
    for here in block:
        if here is step:
            return True
        inner = here.arms if isinstance(here, Branch) else (here.body,) if isinstance(here, Loop) else ()
        if any(_holds(arm, step) for arm in inner):
            return True
    return False


def step_deps(site: Site) -> frozenset[int]:
    """The steps that a step's operands need."""
    step = site.step
    return step.deps if isinstance(step, Access | Call) else frozenset()


def loop_kind(program: Program, site: Site, loop: Loop) -> LoopKind:
    """A callback runs as the function that it is handed to runs it: per item where that one calls it in a loop, else once."""
    if loop.kind is not LoopKind.CALLBACK:
        return loop.kind
    if loop.handed is None:
        return LoopKind.ONCE
    number, position = loop.handed
    callee_key = program.callees.get((site.function.key, number))
    if callee_key is None:
        return LoopKind.ONCE
    for inner in program.sites(callee_key).all:
        step = inner.step
        if isinstance(step, Call) and step.target.kind is TargetKind.PARAM and step.target.name.partition(".")[0] == str(position):
            around = [x.kind for x in inner.loops if x.over is not None and any(o.root is Root.PARAM for o in x.over.origins)]
            if LoopKind.GATHER in around:
                return LoopKind.GATHER
            if LoopKind.EACH in around:
                depth = max(n for n, x in enumerate(inner.loops) if x.kind is LoopKind.EACH)
                return LoopKind.EACH if waited(program, inner, depth) or not _later(program, inner) else LoopKind.GATHER
    return LoopKind.ONCE


def _later(program: Program, site: Site) -> bool:
    """Whether what a step gives is waited for outside its loops: a helper that gathers promises."""
    number = getattr(site.step, "id", None)
    sites = program.sites(site.function.key)
    return number is not None and (
        any(len(w.loops) < len(site.loops) for w in sites.waits.get(number, ()))
        or any(o.ref == number and o.root is Root.STEP for _, o in site.function.returns.parts)
    )


def waited(program: Program, site: Site, position: int) -> bool:
    """Whether the loop at this position stands still, in each round, until the step has finished."""
    sites = program.sites(site.function.key)
    number = getattr(site.step, "id", None)
    here = site
    depth = len(site.loops)
    while number is not None:
        found = [w for w in sites.waits.get(number, ()) if w.loops[: position + 1] == site.loops[: position + 1]]
        if not found:
            return False
        inner = here.loops[depth - 1] if depth else None
        if depth - 1 <= position:
            return True
        if any(len(w.loops) <= position + 1 or _only_sequential(w.loops[position + 1 :]) for w in found):
            return True
        if inner is None:
            return True
        number = inner.id
        depth -= 1
    return False


def _only_sequential(loops: tuple[Loop, ...]) -> bool:
    return all(loop.kind in SEQUENTIAL for loop in loops)


def _inside(loop: Loop) -> frozenset[int]:
    """The steps of a loop that may bring in something new: no arithmetic with days."""
    return frozenset(step.id for step in loop.steps() if isinstance(step, Access | Call) and not _dates(step))


def _dates(step: Step) -> bool:
    return isinstance(step, Call) and step.target.kind is TargetKind.EXTERNAL and DATES.search(step.text) is not None


def _paging(loop: Loop, needs: frozenset[int], inside: frozenset[int]) -> bool:
    """The step needs a variable that an earlier round set from what it had read, or the loop goes on only while reads say so."""
    carried = {c.id: c.deps for c in loop.carried}
    for number in needs.intersection(carried):
        if _closure(carried[number], carried) & inside:
            return True
    if loop.kind is LoopKind.WHILE:
        control = _closure(loop.control, carried)
        return bool(control & inside) or not (loop.counted or needs.intersection(carried))
    return False


def _closure(deps: frozenset[int], carried: dict[int, frozenset[int]]) -> frozenset[int]:
    found = set(deps)
    queue = [n for n in deps if n in carried]
    while queue:
        for number in carried[queue.pop()]:
            if number not in found:
                found.add(number)
                if number in carried:
                    queue.append(number)
    return frozenset(found)


def _carried_item(loop: Loop, needs: frozenset[int]) -> bool:
    return bool(needs & {c.id for c in loop.carried})


def _by_way_of(program: Program, loop: Loop, needs: frozenset[int]) -> bool:
    """Whether a step needs what another one of the round has found for the item: the author of a post, then the firm of that author."""
    return bool(needs) and loop.id in _closure(needs, program.once(("found in a round", id(loop)), partial(_found, loop)))


def _found(loop: Loop) -> dict[int, frozenset[int]]:
    """What each read and call of a round needs."""
    return {s.id: s.deps for s in loop.steps() if isinstance(s, Call) or (isinstance(s, Access) and s.reads)}
