"""The day of a time: what is left of the clock where hours and minutes are dropped."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Val
from querylint.syntax import tree

PARTS = frozenset(
    "getFullYear getMonth getDate getDay getUTCFullYear getUTCMonth getUTCDate getUTCDay toDateString toLocaleDateString".split()
)
DATE = 10  # characters of `2024-01-31`


def day_of(m: State, node: tree.Call, name: str, args: list[Val], value: Val) -> Val:
    """What a method makes of a time: the same value, of which it says that no more than the day is left, if that is so."""
    first = args[0].literal if args else None
    whole_days = (
        name in PARTS
        or (name in ("setHours", "setUTCHours") and len(args) > 1 and all(isinstance(a.literal, int) for a in args))
        or (name == "split" and first == "T")
        or (name in ("slice", "substring") and len(args) == 2 and isinstance(last := args[1].literal, int) and last <= DATE)
    )
    fine = value.deps & m.clocks if whole_days else frozenset[int]()
    if not fine:
        return value
    day = m.clock(node.at, node.end, daily=True)
    return replace(value, deps=(value.deps - fine) | day.deps, origins=())
