"""Where a transaction ends: by a statement or in a helper, and what a session then no longer knows of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.handed import Given, arm_taken, given_by_callers, handed, reaches
from querylint.advise.sequence import apart
from querylint.ir import Access, Block, Branch, Call, Exit, ExitKind, Function, Loop, Mode, Program, Step, TargetKind, Value
from querylint.ir.program import Effect
from querylint.pattern import Pattern

COMMIT = Pattern(r"(?:^|\.)commit$")
WRITTEN = Pattern(r"(?:^|\.)(?:commit|flush)$")
MOST_DEEP = 6


def expires(program: Program, function: Function, loop: Loop) -> bool:
    """Whether each round of a loop ends a transaction, in the ordinary course, upon which a session forgets what its rows hold.

    What was loaded ahead of the loop then serves the first round alone.
    """
    ways = given_by_callers(program, function) if program.facts(function).expires else []
    ways = [known for known in ways if reaches(program, function, known, loop)]
    return bool(ways) and all(_ends_within(program, function, loop.body, known, COMMIT) for known in ways)


def commits(program: Program, function: Function, call: Call) -> bool:
    """Whether a call ends a transaction in the ordinary course: what was changed before is written then."""
    return program.facts(function).identity and _ends(program, function, call, (), COMMIT)


def reread(program: Program, effect: Effect) -> bool:
    """Whether a read only fetches again what its own function has just written: `commit(); refresh(row)`.

    Rows that were written together, before a loop that fetches each again, could be read together; what hangs on one row is few.
    """
    if effect.access.verb != "refresh":
        return False
    function = program.functions[effect.function]
    sites = program.sites(function.key)
    here = sites.by_id[effect.access.id]
    few = any(loop.over is not None and any(origin.path for origin in loop.over.origins) for loop in here.loops)
    together = () if few else here.loops
    before = (
        other for other in sites.all if other.rank < here.rank and other.loops[: len(together)] == together and not apart(other, here)
    )
    return any(_ends(program, function, other.step, (), WRITTEN) for other in before)


def _ends_within(program: Program, function: Function, block: Block, known: Given, words: Pattern[str], depth: int = 0) -> bool:
    return any(_ends(program, function, step, known, words, depth) for step in ordinary(block, dict(known)))


def _ends(program: Program, function: Function, step: Step, known: Given, words: Pattern[str], depth: int = 0) -> bool:
    if isinstance(step, Access):
        return words.search(step.verb) is not None
    if not isinstance(step, Call) or step.mode is not Mode.DIRECT:
        return False
    if step.target.kind in (TargetKind.EXTERNAL, TargetKind.PARAM):
        return words.search(step.text) is not None
    callee = program.callee(function, step)
    if callee is None or depth > MOST_DEEP:
        return False
    given = handed(step, known)
    return program.once(
        ("ends a transaction", callee.key, given, words), lambda: _ends_within(program, callee, callee.body, given, words, depth + 1)
    )


def ordinary(block: Block, known: dict[int, Value]) -> Iterator[Step]:
    """The steps that run unless something fails or is missing: none in an arm that is only taken at times, none behind an early end."""
    for step in block:
        if isinstance(step, Access | Call):
            yield step
        elif isinstance(step, Loop):
            yield from ordinary(step.body, known)
        elif isinstance(step, Branch) and not step.handler:
            taken = arm_taken(step, known)
            yield from ordinary(taken or (), known)
            arms = (taken,) if taken is not None else () if step.missing else step.arms
            if any(_leaves(arm) for arm in arms):
                return
        elif isinstance(step, Exit):
            return


def _leaves(block: Block) -> bool:
    return any(isinstance(step, Exit) and step.kind is not ExitKind.THROW for step in block)
