from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from querylint.text import Stretches

OFFSETS = st.integers(0, 40)
STRETCHES = st.lists(st.tuples(OFFSETS, OFFSETS).map(lambda ends: (min(ends), max(ends))))


@given(STRETCHES, OFFSETS, OFFSETS)
def test_a_place_touches_what_it_shares_something_with(stretches: list[tuple[int, int]], start: int, end: int) -> None:
    assert Stretches(stretches).touch(start, end) == any(first < end and start < last for first, last in stretches)
