"""The day of a time: what is left of the clock where hours and minutes are dropped."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Val
from querylint.ir import Root
from querylint.pattern import Pattern
from querylint.syntax import tree

PARTS = frozenset("getFullYear getMonth getDate getDay getUTCFullYear getUTCMonth getUTCDate getUTCDay toDateString".split())
WRITTEN = frozenset(("toISOString", "toJSON"))  # what begins with the day, as in `2024-01-31T12:00:00.000Z`
DATE = 10  # characters of the day in it
INSTANT = "text of a time"  # the type of what they yield
TIME = 4  # arguments that set hours, minutes, seconds and milliseconds
EDGE = Pattern(r"(?:start|end|lastDay)Of(?!Hour|Minute|Second)[A-Z]\w*$")
TODAY = frozenset(("startOfToday", "endOfToday", "startOfTomorrow", "endOfTomorrow", "startOfYesterday", "endOfYesterday"))
HOURS = Pattern(r"[abBhHkKmsSXxOztTp]")
QUOTED = Pattern(r"'[^']*'")


def day_of(m: State, node: tree.Call, name: str, args: list[Val], base: Val, value: Val) -> Val:
    """What a method of `base` makes of a time: the same value, of which it says that no more than the day is left, if that is so."""
    written = base.type == INSTANT
    if written:
        value = replace(value, type="")  # a part of the text, which begins with the day no more
    if not _is_time(m, base):
        return value
    fine = value.deps & m.clocks
    if name in WRITTEN and fine:
        return replace(value, type=INSTANT)
    if not fine or not _drops_hours(name, args, written=written):
        return value
    day = m.clock(node.at, node.end, daily=True)
    return replace(value, deps=(value.deps - fine) | day.deps, origins=())


def library_day(m: State, node: tree.Call, name: str, args: tuple[Val, ...]) -> Val | None:
    """What a function of date-fns makes of a time where it leaves no more than the day: `startOfWeek(now)`, `format(now, "yyyy-MM-dd")`."""
    if name in TODAY and not args:
        return m.clock(node.at, node.end, daily=True)
    pattern = args[1].literal if name == "format" and len(args) > 1 else None
    if not args or not (EDGE.match(name) or (isinstance(pattern, str) and not HOURS.search(QUOTED.sub("", pattern)))):
        return None
    if not _is_time(m, args[0]) or not args[0].deps & m.clocks:
        return None
    rest = frozenset(n for a in args for n in a.deps if n not in m.clocks)
    return m.clock(node.at, node.end, daily=True).with_deps(rest)


def _drops_hours(name: str, args: list[Val], *, written: bool) -> bool:
    """Whether a method leaves no more than the day of a time, or of the text of one that has been `written` out."""
    given = [a.literal for a in args]
    if name in ("setHours", "setUTCHours"):
        return len(given) == TIME and all(isinstance(number, int) for number in given)
    if name == "split":
        return given[:1] == ["T"]
    if name in ("slice", "substring"):
        # of other texts, and of numbers, the first characters are no day
        last = given[1] if len(given) > 1 else None
        return written and given[0] == 0 and isinstance(last, int) and 0 < last <= DATE
    return name in PARTS


def _is_time(m: State, base: Val) -> bool:
    """Whether a value is worked out of times alone: rows that a time has picked hang on it too, and are none.

    A parameter is one whose default is the time: only then does it hang on it.
    """
    return base.shape is None and all(o.ref in m.clocks or (o.root is Root.PARAM and not o.path) for o in base.origins)
