"""The few functions of the language itself that constants are made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from querylint.construction import dataclass
from querylint.frontends.modules.values import (
    UNKNOWN,
    ArrayValue,
    Entry,
    Method,
    RecordValue,
    Site,
    Thing,
    Value,
    options,
    text,
)  # fmt: skip

Calls = Callable[[Value, Sequence[Value], Site], Value]


@dataclass(frozen=True, slots=True)
class _Global(Thing):
    members: Mapping[str, Value]

    def member(self, name: str) -> Value:
        """One of its functions."""
        return self.members.get(name, UNKNOWN)


def array_member(array: ArrayValue, name: str, call: Calls) -> Value:
    """`array.name`; the functions among them call back through `call`."""
    if name == "length":
        return len(array.items) if array.complete else UNKNOWN
    if name == "map":
        return Method(lambda args, site: _mapped(array, args, site, call))
    if name == "concat":
        return Method(lambda args, site: _joined(array, args))
    return UNKNOWN


def _mapped(array: ArrayValue, args: Sequence[Value], site: Site, call: Calls) -> Value:
    if not args:
        return UNKNOWN
    return ArrayValue(tuple(call(args[0], (item, position), site) for position, item in enumerate(array.items)), array.complete)


def _joined(array: ArrayValue, args: Sequence[Value]) -> Value:
    items, complete = list(array.items), array.complete
    for arg in args:
        if isinstance(arg, ArrayValue):
            items += arg.items
            complete = complete and arg.complete
        elif isinstance(arg, str | int | float | RecordValue):
            items.append(arg)
        else:
            complete = False
    return ArrayValue(tuple(items), complete)


def _same(args: Sequence[Value], site: Site) -> Value:
    return args[0] if args else UNKNOWN


def _assign(args: Sequence[Value], site: Site) -> Value:
    merged = RecordValue()
    for arg in args:
        for option in options(arg):
            if not isinstance(option, RecordValue):
                return UNKNOWN
            merged = RecordValue({**merged.entries, **option.entries}, (*merged.gaps, *option.gaps))
    return merged


def _keys(args: Sequence[Value], site: Site) -> Value:
    match args:
        case [RecordValue(entries=entries, gaps=gaps), *_]:
            return ArrayValue(tuple(entries), not gaps)
    return UNKNOWN


def _values(args: Sequence[Value], site: Site) -> Value:
    match args:
        case [RecordValue(entries=entries, gaps=gaps), *_]:
            return ArrayValue(tuple(entry.value for entry in entries.values()), not gaps)
    return UNKNOWN


def _entries(args: Sequence[Value], site: Site) -> Value:
    match args:
        case [RecordValue(entries=entries, gaps=gaps), *_]:
            return ArrayValue(tuple(ArrayValue((key, entry.value)) for key, entry in entries.items()), not gaps)
    return UNKNOWN


def _from_entries(args: Sequence[Value], site: Site) -> Value:
    match args:
        case [ArrayValue(items=pairs, complete=True), *_]:
            found: dict[str, Entry] = {}
            for pair in pairs:
                key = text(pair.items[0]) if isinstance(pair, ArrayValue) and len(pair.items) == 2 else None
                if key is None or not isinstance(pair, ArrayValue):
                    return UNKNOWN
                found[key] = Entry(pair.items[1], site.path, site.at, site.at, site.end)
            return RecordValue(found)
    return UNKNOWN


GLOBALS: Mapping[str, Value] = {
    "Object": _Global({
        "freeze": Method(_same),
        "seal": Method(_same),
        "assign": Method(_assign),
        "keys": Method(_keys),
        "values": Method(_values),
        "entries": Method(_entries),
        "fromEntries": Method(_from_entries),
    }),
}  # fmt: skip
