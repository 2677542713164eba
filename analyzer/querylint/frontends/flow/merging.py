"""What holds after a choice, whichever arm was taken."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.scope import Frame, Var
from querylint.frontends.flow.values import Many, Val, join
from querylint.ir import (
    Access,
    Block,
    Branch,
    Exit,
    ExitKind,
    Loop,
    Step,
)

RETURNS = (ExitKind.RETURN,)


def exits_round(block: tuple[Step, ...]) -> bool:
    """Whether a block may end the round of a loop."""
    return any(isinstance(s, Exit) or (isinstance(s, Branch) and any(exits_round(a) for a in s.arms)) for s in block)


def breaks(block: tuple[Step, ...], how: tuple[ExitKind, ...] = (ExitKind.BREAK, ExitKind.RETURN)) -> bool:
    """Whether a block may end the loop, `how` by which exits."""
    return any((isinstance(s, Exit) and s.kind in how) or (isinstance(s, Branch) and any(breaks(a, how) for a in s.arms)) for s in block)


def without(block: Block, numbers: set[int]) -> Block:
    """The block without the reads and writes of these numbers."""
    kept: list[Step] = []
    for step in block:
        if isinstance(step, Branch):
            kept.append(replace(step, arms=tuple(without(arm, numbers) for arm in step.arms)))
        elif isinstance(step, Loop):
            kept.append(replace(step, body=without(step.body, numbers)))
        elif not (isinstance(step, Access) and step.id in numbers):
            kept.append(step)
    return tuple(kept)


def looked_up(frames: list[Frame], value: Val) -> None:
    """Something is looked up in a collection: the loops around this place need those that have filled it."""
    filled = value.shape.filled if isinstance(value.shape, Many) else frozenset()
    for frame in frames if filled else ():
        if frame.id not in filled:
            frame.looked_up |= filled


def rejoined(store: dict[Var, Val], left: list[tuple[dict[Var, Val], frozenset[int]]], *, ended: bool) -> dict[Var, Val]:
    """The variables after a closure that was left at several places, each with the steps that led there; `ended`: it never fell through."""
    ways = left if ended and left else [*left, (store, frozenset())]
    if all(way is store for way, _ in ways):
        return store
    merged = dict(store)
    for var in store:
        values = [(held, why) for way, why in ways if (held := way.get(var)) is not None]
        first = values[0][0] if values else store[var]
        if any(held is not first for held, _ in values):
            for held, why in values[1:]:
                first = join(first, held).with_deps(why)
            first = first.with_deps(values[0][1])
        merged[var] = first
    return merged


def merge_stores(before: dict[Var, Val], after: list[dict[Var, Val]], on: frozenset[int]) -> dict[Var, Val]:
    """The variables after a choice; one that an arm changed also depends on the condition."""
    if len(after) == 1:
        merged = after[0]
        for var, val in merged.items():
            if var in before and before[var] is not val:
                merged[var] = val.with_deps(on)
        return merged
    first, *rest = after
    merged = dict(first)
    for store in rest:
        for var, val in store.items():
            mine = merged.get(var)
            merged[var] = val if mine is None else mine if mine is val else join(mine, val)
    for var, val in merged.items():
        if var in before and before[var] is not val:
            merged[var] = val.with_deps(on)
    return merged
