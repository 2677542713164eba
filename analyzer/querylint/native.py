"""What compiled modules have in the place of `querylint.construction`: their dataclasses are written out as plain classes by the build."""

from __future__ import annotations

from dataclasses import Field, field, fields
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def described(cls: type, rows: tuple[tuple[str, str, bool], ...]) -> None:
    """Say of a class what `dataclass` would: its fields by name, type and whether the constructor takes them."""
    made: dict[str, Field[Any]] = {}
    ordinary = _ordinary()
    for name, kind, init in rows:
        one: Any = field(init=init)
        one.name, one.type, one._field_type = name, kind, ordinary
        made[name] = one
    for attribute, value in (
        ("__annotations__", {name: kind for name, kind, _ in rows}),
        ("__dataclass_fields__", made),
        ("__slots__", tuple(made)),
    ):
        setattr(cls, attribute, value)


def replace(value: T, /, **changes: object) -> T:
    """What `dataclasses.replace` does."""
    cls: Any = value.__class__
    known = _ORDERS.get(cls)
    if known is None:
        names = [f.name for f in fields(cls) if f.init]
        known = _ORDERS[cls] = ({name: place for place, name in enumerate(names)}, attrgetter(*names), len(names) == 1)
    places, key, single = known
    given = [key(value)] if single else list(key(value))
    for name, new in changes.items():
        given[places[name]] = new
    made: T = cls(*given)
    return made


_ORDERS: dict[type, tuple[dict[str, int], attrgetter[Any], bool]] = {}


def _ordinary() -> object:
    """The mark of an ordinary field, which `dataclasses` gives to those that it makes itself."""
    import dataclasses

    return dataclasses._FIELD  # type: ignore[attr-defined]
