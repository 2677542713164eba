"""What compiled modules have in the place of `querylint.construction`: their dataclasses are written out as plain classes by the build."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    T = TypeVar("T")

    def replace(value: T, /, **changes: object) -> T:
        """What `dataclasses.replace` does, for classes that mypyc does not see as dataclasses."""
        raise NotImplementedError
else:
    from querylint.construction import replace as replace


def described(cls: type, rows: tuple[tuple[str, str, bool], ...]) -> None:
    """Say of a class what `dataclass` would: its fields by name, type and whether the constructor takes them."""
    made: dict[str, Any] = {}
    for name, kind, init in rows:
        one: Any = dataclasses.field(init=init)
        one.name, one.type, one._field_type = name, kind, dataclasses._FIELD  # type: ignore[attr-defined]
        made[name] = one
    for attribute, value in (
        ("__annotations__", {name: kind for name, kind, _ in rows}),
        ("__dataclass_fields__", made),
        ("__slots__", tuple(made)),
    ):
        setattr(cls, attribute, value)
