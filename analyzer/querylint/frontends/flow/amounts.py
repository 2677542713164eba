"""Numbers that are written down."""

from __future__ import annotations

from querylint.frontends.flow.values import Val


def amount(value: Val | None) -> int | None:
    """The number that a limit is, where it is written down."""
    known = value.literal if value is not None else None
    return known if isinstance(known, int) and not isinstance(known, bool) and known >= 0 else None
