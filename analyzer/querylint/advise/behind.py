"""What serves only actions that wait for the world outside besides: there a trip to the database is not felt."""

from __future__ import annotations

from querylint.advise.audience import clients_seen
from querylint.advise.outside import MOST_DEEP, waits
from querylint.ir import Call, Function, Kind, Mode, Program, Role, TargetKind, Wait
from querylint.ir.program import Edge
from querylint.pattern import Pattern

SCREEN = Pattern(r"^(?:[A-Z]\w*[a-z]|use[A-Z])")


def behind_outside(program: Program, function: Function) -> bool:
    """Whether a function serves only actions that wait for the world outside besides: a trip to the database is not felt there."""
    seen = {function.key}
    stack = [function]
    served = False  # who is called by nobody but himself serves no action
    while stack:
        here = stack.pop()
        edges = [e for e in program.callers.get(here.key, ()) if program.functions[e.caller].role is not Role.TEST]
        if here.kind is Kind.HTTP or not edges or (here.public and not _all_in_sight(program, here, edges)):
            return False
        for edge in edges:
            caller = program.functions[edge.caller]
            if caller.kind in (Kind.ACTION, Kind.HTTP) or (edge.call.mode.remote and not caller.kind.transactional):
                if not _waits_outside(program, caller):
                    return False
                served = True
            elif caller.key not in seen:
                seen.add(caller.key)
                stack.append(caller)
    return served


def _all_in_sight(program: Program, function: Function, edges: list[Edge]) -> bool:
    """Whether clients in sight call most public functions, and this one is asked by other servers alone: by no screen, and no action."""
    if not clients_seen(program, function.root):
        return False
    callers = [program.functions[edge.caller] for edge in edges]
    screens = any(edge.call.mode is Mode.SUBSCRIBE for edge in edges) or any(SCREEN.match(caller.name) for caller in callers)
    return not screens and not any(caller.kind is Kind.ACTION for caller in callers)


def _waits_outside(program: Program, action: Function) -> bool:
    """Whether an action waits for outside code, or for other actions that do."""
    if program.facts(action).planner:
        return action.key in program.outside and program.once(("waits besides", action.key), lambda: _waits_besides(program, action))
    if action.key in program.outside:
        return True
    called = (program.callees.get((r.function, r.call.id)) for r in program.remotes.get(action.key, ()) if r.call.mode is Mode.ACTION)
    return any(key in program.outside for key in called)


def _waits_besides(program: Program, action: Function) -> bool:
    """Whether a request or a mail is waited for, or an outside call awaited: most of what a server's language hands on at once is a value
    that the library works out, and no wait."""
    if waits(program, action, MOST_DEEP) is not None:
        return True
    seen = {action.key}
    stack = [action]
    while stack:
        here = stack.pop()
        waited = frozenset().union(*(step.on for step in here.own_steps() if isinstance(step, Wait)))
        for call in here.own_steps():
            if not isinstance(call, Call) or call.mode is not Mode.DIRECT:
                continue
            if call.target.kind is TargetKind.EXTERNAL and call.id in waited:
                return True
            callee = program.callee(here, call)
            if callee is not None and callee.key not in seen:
                seen.add(callee.key)
                stack.append(callee)
    return False
