"""A row that one function reads for many callers, of whom each follows relations of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from querylint.ir import Access, Call, Function, Mode, Path, Program, Role, Root, Terminal

FEW = 3  # relations that are loaded for callers who do without them
SHARED = 4


def receivers(program: Program, function: Function) -> frozenset[str]:
    """The functions that get what a function gives back, past those that only give it back in turn."""
    found: set[str] = set()
    queue, seen = [function.key], {function.key}
    while queue:
        for edge in program.callers.get(queue.pop(), ()):
            caller = program.functions[edge.caller]
            if edge.call.mode is not Mode.DIRECT or caller.role is not Role.CODE:
                continue
            if not _gives_back(caller, edge.call):
                found.add(edge.caller)
            elif edge.caller not in seen:
                seen.add(edge.caller)
                queue.append(edge.caller)
    return frozenset(found)


def _gives_back(function: Function, call: Call) -> bool:
    return any(o.root is Root.STEP and o.ref == call.id and not o.path and not held for held, o in function.returns.parts)


def apart(program: Program, function: Function, read: Access, followed: Mapping[str, Collection[Path]]) -> frozenset[Path]:
    """The relations of a row that only some of those who get it should pay for.

    `followed` tells by function what it follows, or what is followed for it; the function that reads the row is one of them where it does
    so itself. Relations that all follow are loaded where the row is read, and so are a few that half of them do.
    """
    if read.terminal is not Terminal.ROW or function.key in followed:
        return frozenset()
    number = len(receivers(program, function).union(followed))
    every = {path for paths in followed.values() for path in paths}
    enough = number / 2 if len(every) <= FEW else number
    return frozenset(path for path in every if sum(path in paths for paths in followed.values()) < enough)


def sought_by_few(program: Program, function: Function, users: int) -> bool:
    """Whether most of the many functions that get a row do without what some of them follow."""
    number = len(receivers(program, function))
    return number >= SHARED and 2 * users < number
