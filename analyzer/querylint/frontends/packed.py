"""Values of the shared language as plain tuples, numbers and texts, which `marshal` writes and reads, and back again.

The functions that turn a class into a tuple and a tuple into the class are written from the types of its fields, once they are asked for.
Reading runs nothing of what was written: whatever does not have the form that is asked for is refused.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from querylint.cache.digest import digest
from querylint.ir.value import NOT_LITERAL

T = TypeVar("T")
Convert = Callable[[Any], Any]
PLAINEST = 2
"""The version of `marshal` that writes what is there twice twice."""
PLAIN = (str, int, bool, float, bytes, type(None))


class UnpackableError(Exception):
    """A value that cannot be written down, or bytes that hold no such value."""


class Sealed(Generic[T]):
    """A value that is read from its bytes when somebody first asks for it, and written when somebody first asks for these."""

    __slots__ = ("_sign", "_value", "_written")
    FORM: ClassVar[object] = None

    def __init__(self, value: T | None = None, sign: bytes = b"", written: bytes | None = None) -> None:
        self._value = value
        self._sign = sign
        self._written = written

    @property
    def value(self) -> T:
        """What is sealed. Raises UnpackableError for bytes that hold no such value."""
        if self._value is None:
            self._value = unpacked(self.FORM, self._written or b"")
        return self._value

    @property
    def written(self) -> tuple[bytes, bytes]:
        """Its sign and its bytes. Raises UnpackableError for a value that cannot be written down."""
        if self._written is None:
            self._written, plain = _dumped(self.FORM, self._value, marshal.version, PLAINEST)
            self._sign = digest(plain)
        return self._sign, self._written

    @property
    def sign(self) -> bytes:
        """A short name for it: what has the same is the same. Raises UnpackableError like `written`."""
        return self.written[0]


class _Forms:
    """The conversions that are known so far: two functions a type, by the number of the type."""

    def __init__(self) -> None:
        self.numbers: dict[object, int] = {}
        self.scope: dict[str, Any] = {"_out": _literal_out, "_in": _literal_in}

    def of(self, kind: object) -> tuple[Convert, Convert]:
        """How to write a value of a type, and how to read it."""
        number = self._number(kind)
        return self.scope[f"_out{number}"], self.scope[f"_in{number}"]

    def _number(self, kind: object) -> int:
        number = self.numbers.get(kind)
        if number is None:
            number = self.numbers[kind] = len(self.numbers)  # before it is written: a class may hold itself
            out, back = self._written(kind, number)
            exec(f"def _out{number}(v): return {out}\ndef _in{number}(v): return {back}\n", self.scope)  # as `dataclass` itself does
        return number

    def _written(self, kind: object, number: int) -> tuple[str, str]:
        """The bodies of the two functions of a type, for a value `v`."""
        origin, arguments = get_origin(kind), get_args(kind)
        if isinstance(kind, type) and is_dataclass(kind):
            self.scope[f"_kind{number}"] = kind
            hints = get_type_hints(kind)
            parts = [self._inside(hints[f.name], f"v.{f.name}", f"v[{n}]", "p") for n, f in enumerate(f for f in fields(kind) if f.init)]
            return f"({', '.join(out for out, _ in parts)},)", f"_kind{number}({', '.join(back for _, back in parts)})"
        if isinstance(kind, type) and issubclass(kind, Sealed):
            self.scope[f"_kind{number}"] = kind
            return "v.written", f"_kind{number}(None, *v)"
        if origin in (Union, UnionType) and not (len(arguments) == 2 and type(None) in arguments) and not _plain(kind):
            numbers = [self._number(one) for one in arguments]
            self.scope[f"_kind{number}"] = {one: place for place, one in enumerate(arguments)}
            self.scope[f"_outs{number}"] = _Late(self.scope, [f"_out{n}" for n in numbers])
            self.scope[f"_ins{number}"] = _Late(self.scope, [f"_in{n}" for n in numbers])
            return f"((n := _kind{number}[type(v)]), _outs{number}[n](v))", f"_ins{number}[v[0]](v[1])"
        if isinstance(origin, type) and issubclass(origin, Mapping):
            out, back = self._inside(arguments[1], "w", "w", "p")
            return f"tuple([(k, {out}) for k, w in v.items()])", f"{{k: {back} for k, w in v}}"
        return self._inside(kind, "v", "v", "p")

    def _inside(self, kind: object, out: str, back: str, name: str) -> tuple[str, str]:
        """The conversion of a part as expressions; `name` is free for what stands inside of it."""
        origin, arguments = get_origin(kind), get_args(kind)
        deeper = f"{name}p"
        if _plain(kind):
            return out, back
        if kind is object:
            return f"_out({out})", f"_in({back})"
        if origin in (Union, UnionType) and len(arguments) == 2 and type(None) in arguments:
            there, here = self._inside(next(a for a in arguments if a is not type(None)), name, name, deeper)
            return f"(None if ({name} := {out}) is None else {there})", f"(None if ({name} := {back}) is None else {here})"
        if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
            there, here = self._inside(arguments[0], name, name, deeper)
            return f"tuple([{there} for {name} in {out}])", f"tuple([{here} for {name} in {back}])"
        if origin is tuple:
            parts = [self._inside(one, f"{name}[{n}]", f"{name}[{n}]", deeper) for n, one in enumerate(arguments)]
            whole, again = (", ".join(part[side] for part in parts) for side in (0, 1))
            return f"[({whole},) for {name} in ({out},)][0]", f"[({again},) for {name} in ({back},)][0]"
        if isinstance(kind, type) and issubclass(kind, Enum):
            self.scope[f"_enum_{kind.__name__}"] = {member.value: member for member in kind}
            return f"{out}._value_", f"_enum_{kind.__name__}[{back}]"
        number = self._number(kind)
        return f"_out{number}({out})", f"_in{number}({back})"


class _Late:
    """Functions of a scope by number, which need not be there yet."""

    def __init__(self, scope: Mapping[str, Any], names: list[str]) -> None:
        self.scope = scope
        self.names = names

    def __getitem__(self, number: int) -> Convert:
        found: Convert = self.scope[self.names[number]]
        return found


def _plain(kind: object) -> bool:
    """Whether `marshal` writes and reads values of a type as they are."""
    origin = get_origin(kind)
    if origin is frozenset or origin is tuple or origin in (Union, UnionType):
        return all(part is ... or _plain(part) for part in get_args(kind))
    return kind in PLAIN or kind is dict


def _literal_out(value: object) -> object:
    """A constant of the source: a list of constants is a tuple, and what is no constant stands for itself by a sign."""
    if value is NOT_LITERAL:
        return ...
    if type(value) in PLAIN:
        return value
    if type(value) is tuple:
        return tuple([_literal_out(part) for part in value])
    name = OTHERS_OUT.get(id(value))
    if name is None:
        raise UnpackableError(f"no form for {type(value)}")
    return [name]


def _literal_in(value: object) -> object:
    if value is ...:
        return NOT_LITERAL
    if type(value) is tuple:
        return tuple([_literal_in(part) for part in value])
    return OTHERS[value[0]] if type(value) is list else value


OTHERS: dict[str, object] = {}
"""Constants of a front end that are objects of their own, such as `undefined`, by name."""

OTHERS_OUT: dict[int, str] = {}
_FORMS = _Forms()


def stands_for_itself(name: str, value: object) -> None:
    """Make an object that stands for itself known by a name."""
    OTHERS[name] = value
    OTHERS_OUT[id(value)] = name


def packed(kind: object, value: object) -> bytes:
    """A value of a type as bytes. Raises UnpackableError."""
    return _dumped(kind, value, marshal.version)[0]


def _dumped(kind: object, value: object, *versions: int) -> list[bytes]:
    """A value as bytes, once for each version of `marshal`. Raises UnpackableError."""
    try:
        form = _FORMS.of(kind)[0](value)
        return [marshal.dumps(form, version) for version in versions]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnpackableError(str(error)) from error


def signature(kind: object, value: object) -> bytes:
    """Bytes that are the same for equal values, whichever of their parts are the same objects (sets are not ordered, and have none)."""
    return marshal.dumps(_FORMS.of(kind)[0](value), PLAINEST)


def unpacked(kind: object, data: bytes) -> Any:
    """The value in these bytes. Raises UnpackableError."""
    try:
        return _FORMS.of(kind)[1](marshal.loads(data))
    except (ValueError, TypeError, KeyError, IndexError, EOFError, AttributeError) as error:
        raise UnpackableError(str(error)) from error
