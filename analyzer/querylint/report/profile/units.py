"""Measured numbers as people read them."""

from __future__ import annotations

from querylint.evidence.budget import UNITS
from querylint.report.wording import count

SECOND = 1000.0
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
STEPS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def time(milliseconds: float) -> str:
    """`40 µs`, `3.2 ms`, `210 ms`, `1.2 s`, `5 min`, `3.1 h`."""
    if 0 < milliseconds < 0.9995:
        return f"{max(milliseconds * 1000, 1):.0f} µs"
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms".replace(".0 ", " ")
    if milliseconds < SECOND - 0.5:
        return f"{milliseconds:.0f} ms"
    for unit, size, most in (("s", SECOND, MINUTE), ("min", MINUTE, HOUR)):
        if milliseconds < most - size / 20:
            return f"{_short(milliseconds / size)} {unit}"
    return f"{_short(milliseconds / HOUR)} h"


def period(seconds: float) -> str:
    """`40 s`, `2 h 10 min`, `3 days`."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return count(round(hours / 24), "day")


def number(value: float) -> str:
    """`4,980`."""
    return f"{value:,.0f}"


def rate(value: float) -> str:
    """`4,980`, `3.2`, `0.4`, `< 0.1`."""
    return "< 0.1" if 0 < value < 0.05 else f"{value:.1f}".removesuffix(".0") if value < 9.95 else number(value)


def size(value: int) -> str:
    """`1.2 MB`."""
    for unit, step in STEPS:
        if value >= step:
            return f"{_short(value / step)} {unit}"
    return f"{value} bytes"


def percent(value: float) -> str:
    """`61 %`, `0.4 %`, `< 0.1 %`."""
    if 0 < value < 0.05:
        return "< 0.1 %"
    return f"{value:.1f} %" if 0 < value < 0.95 else f"{value:.0f} %"


def ratio(value: float) -> str:
    """`0.05 ×`, `2 ×`, `130 ×`, `< 0.01 ×`."""
    if value < 0.01:
        return "< 0.01 ×"
    return f"{value:.2g} ×" if value < 100 else f"{number(value)} ×"


def in_unit(measure: str, value: float) -> str:
    """A value of a budget: `500 ms`, `10,000`, `1 %`."""
    unit = UNITS[measure]
    return time(value) if unit == "ms" else percent(value) if unit == "%" else number(value)


def _short(value: float) -> str:
    text = f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
    return text.removesuffix(".0")
