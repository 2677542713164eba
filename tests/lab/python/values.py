"""Values as JSON, so that those of two processes can be compared; and random ones, small enough to meet again."""

from __future__ import annotations

import dataclasses
import datetime
import random
import typing
import uuid
from collections.abc import Iterable, Mapping

WORDS = ("", "a", "b", "A", "zz", "é")
DAY = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


def plain(value: object) -> object:
    """A value without what differs from one process to the other."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {"map": [[plain(k), plain(v)] for k, v in value.items()]}
    if isinstance(value, set | frozenset):
        return {"set": sorted((plain(v) for v in value), key=repr)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: plain(vars(value))}
    if hasattr(value, "_meta"):
        return {type(value).__name__: [[f.attname, plain(getattr(value, f.attname))] for f in value._meta.concrete_fields]}
    if hasattr(value, "__mapper__"):
        return {type(value).__name__: [[c.key, plain(getattr(value, c.key))] for c in value.__mapper__.column_attrs]}
    if hasattr(value, "content"):
        return value.content.decode()
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [plain(v) for v in value]
    return repr(value)


def some(kind: str, chance: random.Random) -> object:
    """A value of a kind of column."""
    if kind == "bool":
        return chance.random() < 0.5
    if kind == "int":
        return chance.randrange(4)
    if kind == "float":
        return chance.randrange(4) / 2
    if kind == "datetime":
        return DAY + datetime.timedelta(days=chance.randrange(4))
    if kind == "date":
        return (DAY + datetime.timedelta(days=chance.randrange(4))).date()
    return chance.choice(WORDS)


def given(kind: object, name: str, present: list[int], chance: random.Random) -> object:
    """An argument of the annotated kind; keys, told by the name, are mostly those that rows have."""
    arguments = typing.get_args(kind)
    if arguments == (int,):
        return keys(present, chance)
    if arguments == (uuid.UUID,):
        return [uuid.UUID(int=key) for key in keys(present, chance)]
    if arguments == (str,):
        return [chance.choice((chance.choice(WORDS), f"{key} ")) for key in keys(present, chance)]
    if kind is int and (name.endswith(("_id", "pk", "key")) or name == "id"):
        return chance.choice([*present, 99])
    return some(getattr(kind, "__name__", ""), chance)


def fresh(chance: random.Random) -> list[int]:
    """The keys of the rows of a table, in order; there may be none."""
    return sorted(chance.sample(range(1, 12), chance.choice((0, 1, 2, 5, 8))))


def keys(present: list[int], chance: random.Random) -> list[int]:
    """Keys in any order, some of them twice, some that no row has."""
    return [chance.choice([*present, 99]) if present else 99 for _ in range(chance.choice((0, 1, 3, 6)))]
