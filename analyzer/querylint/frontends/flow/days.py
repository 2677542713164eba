"""The day of a time: what is left of the clock where hours and minutes are dropped."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Val
from querylint.syntax import tree

PARTS = frozenset("getFullYear getMonth getDate getDay getUTCFullYear getUTCMonth getUTCDate getUTCDay toDateString".split())
WRITTEN = frozenset(("toISOString", "toJSON"))  # what begins with the day, as in `2024-01-31T12:00:00.000Z`
DATE = 10  # characters of the day in it
TIME = 4  # arguments that set hours, minutes, seconds and milliseconds


def day_of(m: State, node: tree.Call, name: str, args: list[Val], base: Val, value: Val) -> Val:
    """What a method of `base` makes of a time: the same value, of which it says that no more than the day is left, if that is so."""
    if not _drops_hours(node, name, args) or not _is_time(m, base):
        return value
    fine = value.deps & m.clocks
    if not fine:
        return value
    day = m.clock(node.at, node.end, daily=True)
    return replace(value, deps=(value.deps - fine) | day.deps, origins=())


def _drops_hours(node: tree.Call, name: str, args: list[Val]) -> bool:
    """Whether a method leaves no more than the day of a time."""
    given = [a.literal for a in args]
    if name in ("setHours", "setUTCHours"):
        return len(given) == TIME and all(isinstance(number, int) for number in given)
    if name == "split":
        return given[:1] == ["T"]
    if name in ("slice", "substring"):
        # of other texts, and of numbers, the first characters are no day
        last = given[1] if len(given) > 1 else None
        return _written(node) and given[0] == 0 and isinstance(last, int) and 0 < last <= DATE
    return name in PARTS


def _written(node: tree.Call) -> bool:
    """Whether the method is one of a time that has just been written out: `now.toISOString().slice(0, 10)`."""
    text = node.func.base if isinstance(node.func, tree.Member) else None
    return isinstance(text, tree.Call) and isinstance(text.func, tree.Member) and text.func.name in WRITTEN


def _is_time(m: State, base: Val) -> bool:
    """Whether a value is worked out of times alone: rows that a time has picked hang on it too, and are none."""
    return base.shape is None and all(o.ref in m.clocks for o in base.origins)
