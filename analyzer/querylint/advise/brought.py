"""Properties that do not run, since the query of the rows has brought their values along."""

from __future__ import annotations

from querylint.advise.eager import in_its_place, sources
from querylint.ir import Call, Function, Origin, Program, Root
from querylint.ir.program import Effect


def answered(program: Program, function: Function, call: Call) -> bool:
    """Whether a call asks a property of rows whose value their query has brought in its place: then nothing runs."""
    callee = program.callee(function, call) if call.args else None
    if callee is None or "." not in callee.name or callee.name.rpartition(".")[2] not in program.once("brought", lambda: _brought(program)):
        return False
    found = [s for path, o in call.args[0].parts if not path for s in sources(program, function, o)]
    return bool(found) and all(in_its_place(callee, Origin(Root.PARAM, 0), source) for source in found)


def passed_by(program: Program, effect: Effect) -> bool:
    """Whether a property on the way to what a call brings about does not run."""
    return any(answered(program, program.functions[edge.caller], edge.call) for edge in effect.trail)


def _brought(program: Program) -> frozenset[str]:
    """The names of all that queries bring along."""
    return frozenset(eager.path[-1] for _, read in program.reads() for plan in read.plans for eager in plan.eager)
