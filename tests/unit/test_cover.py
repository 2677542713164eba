"""The fewest indexes: against brute force over all orders of the fields, and the proof by a few lines of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache, reduce
from itertools import combinations, permutations
from operator import or_

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from querylint.advise.cover import Cover, Shape, cover

FIELDS = "abcd"
EVERY_KEY = [key for size in range(1, 5) for key in permutations(FIELDS, size)]


def holds(key: tuple[str, ...], shape: Shape) -> bool:
    """What an ordered index can do, said anew."""
    head, rest = key[: len(shape.equal)], key[len(shape.equal) :]
    return set(head) == set(shape.equal) and list(rest[: len(shape.then)]) == list(shape.then)


@cache
def holders(shape: Shape) -> int:
    """The keys that serve a shape, one bit each."""
    return sum(1 << number for number, key in enumerate(EVERY_KEY) if holds(key, shape))


def fewest(shapes: list[Shape]) -> int:
    marks = [holders(shape) for shape in shapes]
    reach = {sum(1 << n for n, mark in enumerate(marks) if mark >> number & 1) for number in range(len(EVERY_KEY))}
    best = [r for r in reach if not any(r != other and r & other == r for other in reach)]
    sizes = range(len(shapes) + 1)
    return next(size for size in sizes for some in combinations(best, size) if reduce(or_, some, 0) == (1 << len(shapes)) - 1)


def several(tail: int) -> st.SearchStrategy[list[Shape]]:
    sizes = [(head, head + then) for head in range(4) for then in range(tail + 1) if 0 < head + then <= len(FIELDS)]
    every = {Shape(frozenset(key[:head]), key[head:end]) for head, end in sizes for key in permutations(FIELDS, end)}
    return st.lists(st.sampled_from(sorted(every, key=lambda s: (sorted(s.equal), s.then))), min_size=1, max_size=6, unique=True)


def proven(found: Cover) -> bool:
    """Whether as many shapes as there are indexes exclude one another: no key at all serves two of them."""
    return len(found.apart) == len(found.chosen) and not any(holders(a) & holders(b) for a, b in combinations(found.apart, 2))


@settings(max_examples=1500, deadline=None)
@given(several(tail=1))
def test_one_field_after_the_equalities(shapes: list[Shape]) -> None:
    found = cover(shapes)
    assert all(any(holds(c.key, s) for c in found.chosen) for s in shapes)
    assert len(found.chosen) == fewest(shapes)
    assert proven(found)


@settings(max_examples=1500, deadline=None)
@given(several(tail=3))
def test_any_order_after_the_equalities(shapes: list[Shape]) -> None:
    found = cover(shapes)
    assert all(any(holds(c.key, s) for c in found.chosen) for s in shapes)
    assert len(found.chosen) == fewest(shapes)
    assert found.least
    assert proven(found)


def most_kept(shapes: list[Shape], standing: list[tuple[str, ...]], size: int) -> int:
    """How many of the standing keys a set of `size` keys that serves all shapes can hold, each of use."""
    for number in range(min(size, len(standing)), 0, -1):
        for keys in combinations(standing, number):
            rest = [s for s in shapes if not any(holds(k, s) for k in keys)]
            if number + (fewest(rest) if rest else 0) <= size:
                return number
    return 0


@settings(max_examples=600, deadline=None)
@given(several(tail=2), st.lists(st.sampled_from(EVERY_KEY), max_size=4, unique=True))
def test_standing_indexes_are_kept_where_the_number_stays_least(shapes: list[Shape], standing: list[tuple[str, ...]]) -> None:
    found = cover(shapes, standing)
    useful = [key for key in standing if any(holds(key, s) for s in shapes)]
    assert all(any(holds(c.key, s) for c in found.chosen) for s in shapes)
    assert len(found.chosen) == fewest(shapes)
    assert sum(c.standing for c in found.chosen) == most_kept(shapes, useful, len(found.chosen))


def a(*equal: str, then: tuple[str, ...] = ()) -> Shape:
    return Shape(frozenset(equal), then)


def test_a_prefix_shares_the_longer_index() -> None:
    assert [c.key for c in cover([a("user"), a("user", "status")], prefer=["user", "status"]).chosen] == [("user", "status")]


def test_creation_order_shares_with_nothing_longer() -> None:
    found = cover([a("user", then=("_creationTime",)), a("user", "status")])
    assert {c.key for c in found.chosen} == {("user", "_creationTime"), ("status", "user")}
    assert len(found.apart) == 2


def test_fields_whose_order_is_free_come_as_preferred() -> None:
    assert cover([a("user", "status", then=("at",))], prefer=["status", "user"]).chosen[0].key == ("status", "user", "at")


@pytest.mark.parametrize("tail", [("x", "y"), ("x",)])
def test_many_shapes_take_no_time(tail: tuple[str, ...]) -> None:
    fields = [f"f{n}" for n in range(12)]
    shapes = [Shape(frozenset(pair), tail) for pair in combinations(fields, 2)] + [a(f) for f in fields]
    found = cover(shapes)
    assert found.least
    assert len(found.chosen) == len(list(combinations(fields, 2)))


MANY = """
from itertools import combinations
from querylint.advise.cover import Shape, cover
fields = ["owner", "folder", "closed", "name", "place", "team"]
one = [Shape(frozenset(some)) for size in (1, 2, 3) for some in combinations(fields[:4], size)]
two = [Shape(frozenset(pair), ("place", "team")) for pair in combinations(fields[:4], 2)]
for shapes in (one, [*one, *two]):
    print([c.key for c in cover(shapes).chosen], [sorted(s.equal) for s in cover(shapes).apart])
"""


def test_every_run_chooses_the_same() -> None:
    said = {
        subprocess.run(  # our own interpreter on our own text
            [sys.executable, "-c", MANY], env={**os.environ, "PYTHONHASHSEED": str(seed)}, capture_output=True, text=True, check=True
        ).stdout
        for seed in range(4)
    }
    assert len(said) == 1
