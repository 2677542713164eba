"""Dataclasses that are declared and made quickly are dataclasses like any other."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, field, fields, replace

import pytest

from querylint import construction
from querylint.construction import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Point:
    x: int
    cls: str = "a"
    near: list[int] = field(default_factory=list)


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


@dataclass(frozen=True, slots=True)
class Base:
    x: int
    hidden: dict[str, int] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Derived(Base):
    y: int = 2


@dataclass(slots=True)
class Loose:
    x: int
    known: list[int] | None = field(default=None, init=False)


@dataclass(frozen=True, slots=True)
class Only:
    x: object


def test_one_may_build_on_another() -> None:
    one = Derived(1, {"a": 1}, 3)
    assert [f.name for f in fields(one)] == ["x", "hidden", "y"]
    assert one == replace(one, hidden={}) == Derived(1, y=3) != Derived(1)
    assert repr(one) == "Derived(x=1, y=3)"
    assert copy.deepcopy(one) == one
    with pytest.raises(FrozenInstanceError):
        one.x = 2  # type: ignore[misc]
    match one:
        case Derived(x, _, y):
            assert (x, y) == (1, 3)


def test_one_that_is_not_frozen_is_changed_and_has_no_hash() -> None:
    one = Loose(1)
    one.known = [2]
    assert (one.x, one.known) == (1, [2])
    assert replace(one, x=3) == Loose(3)
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_hashes_are_those_of_tuples_of_the_fields() -> None:
    assert hash(Only(1)) == hash((1,))
    assert hash(Derived(1, y=3)) == hash((1, 3))
    assert Only(1) != Base(1)
    assert repr(Only(Only(1))) == "Only(x=Only(x=1))"


@dataclass(frozen=True, slots=True)
class Named:
    value: int
    cls: int = 0


def test_fields_may_be_called_as_parameters_are() -> None:
    assert construction.replace(Named(1), value=2, cls=4) == replace(Named(1), value=2, cls=4) == Named(2, 4)
    assert construction.replace(Derived(1, {"a": 1}), y=5) == Derived(1, y=5)
