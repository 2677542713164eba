"""Values that are made quickly are frozen dataclasses like any other."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from querylint.construction import quick


@quick
@dataclass(frozen=True, slots=True, order=True)
class Point:
    x: int
    cls: str = "a"
    near: list[int] = field(default_factory=list)


@quick
@dataclass(frozen=True, slots=True)
class Positive:
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("negative")


def test_is_made_by_position_and_by_name_with_defaults() -> None:
    assert Point(1) == Point(x=1, cls="a", near=[]) == Point(1, "a")
    assert repr(Point(1, near=[2])) == "Point(x=1, cls='a', near=[2])"
    assert Point(1).near is not Point(1).near


def test_missing_and_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="x"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="z"):
        Point(1, z=2)  # type: ignore[call-arg]


def test_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]


def test_is_replaced_compared_hashed_and_copied() -> None:
    assert replace(Point(1), x=3) == Point(3)
    assert Point(1) < Point(2)
    assert hash(Positive(1)) == hash(Positive(1))
    assert copy.copy(Point(1, "b", [4])) == copy.deepcopy(Point(1, "b", [4])) == Point(1, "b", [4])


def test_its_own_check_runs() -> None:
    with pytest.raises(ValueError, match="negative"):
        Positive(-1)
