"""Convex validators as values, and the fields of documents that they describe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from querylint.construction import dataclass, replace
from querylint.frontends.modules.values import (
    UNDEFINED,
    UNKNOWN,
    ArrayValue,
    Choice,
    Entry,
    Method,
    RecordValue,
    Thing,
    Value,
    choice,
    options,
)
from querylint.ir import Field

_SAME = {"float64": "number", "bigint": "int64"}


@dataclass(frozen=True, slots=True)
class Validator(Thing):
    """One validator. `kind` is the type as `ir.Field` names it; `fields` are those of an object, where they are known.

    `value` is that of a literal.
    """

    kind: str
    fields: RecordValue | None = None
    members: tuple[Value, ...] = ()
    element: Value = UNKNOWN
    target: str | None = None
    is_optional: bool = False
    value: Value = UNKNOWN

    def member(self, name: str) -> Value:
        """What code reads from a validator, and what it derives others with."""
        match name:
            case "optional":
                return Method(lambda args, site: replace(self, is_optional=True))
            case "fields" if self.fields is not None:
                return self.fields
            case "members" if self.kind == "union":
                return ArrayValue(self.members)
            case "element" if self.kind == "array":
                return self.element
            case "kind":
                return self.kind
            case "extend" | "omit" | "pick" | "partial" if self.fields is not None:
                derive = _DERIVED[name]
                fields = self.fields
                return Method(lambda args, site: replace(self, fields=derive(fields, args)))
        return UNKNOWN

    def blurred(self) -> Value:
        """Validators do not change."""
        return self


@dataclass(frozen=True, slots=True)
class Validators(Thing):
    """A library of validators by name, such as `v`."""

    makers: Mapping[str, Callable[[Sequence[Value]], Value]]

    def member(self, name: str) -> Value:
        """One of its functions."""
        make = self.makers.get(name)
        return UNKNOWN if make is None else Method(lambda args, site: make(args))


def document(value: Value) -> tuple[Field, ...] | None:
    """The fields of a table whose documents a validator (or a record of validators) describes; None where they are not all known."""
    forms = list(_objects(value))
    if not forms or any(form is None or form.gaps for form in forms):
        return None
    shapes = [{name: describe(name, entry.value) for name, entry in form.entries.items()} for form in forms if form is not None]
    names = dict.fromkeys(name for shape in shapes for name in shape)
    return tuple(_either([shape.get(name) for shape in shapes]) for name in names)


def describe(name: str, value: Value) -> Field:
    """The field that a validator describes."""
    absent = any(option is UNDEFINED or (isinstance(option, Validator) and option.is_optional) for option in options(value))
    leaves = list(_leaves(value))
    unknown = not leaves or any(leaf is None for leaf in leaves)
    known = [leaf for leaf in leaves if leaf is not None]
    if unknown or any(leaf.kind == "any" for leaf in known):
        return Field(name, "any", optional=absent or unknown, nullable=True)
    solid = [leaf for leaf in known if leaf.kind != "null"]
    kinds = {leaf.kind for leaf in solid}
    targets = {_target(leaf) for leaf in solid}
    return Field(
        name,
        "null" if not kinds else kinds.pop() if len(kinds) == 1 else "union",
        optional=absent,
        nullable=len(solid) < len(known),
        target=targets.pop() if len(targets) == 1 else None,
        large=any(leaf.kind == "bytes" for leaf in solid),
        parts=_parts(solid),
        values=_values(solid),
    )


def _values(leaves: Sequence[Validator]) -> tuple[object, ...] | None:
    """The literals among which a value is one; None where it may be something else, or one of them is not known."""
    found = tuple(leaf.value for leaf in leaves if leaf.kind == "literal" and isinstance(leaf.value, str | bool | int | float))
    return found if found and len(found) == len(leaves) else None


def _parts(leaves: Sequence[Validator]) -> tuple[Field, ...] | None:
    """The fields of a value that is an object in each of its forms."""
    found = [document(leaf) if leaf.kind == "object" else None for leaf in leaves]
    if not found or any(one is None for one in found):
        return None
    shapes = [{field.name: field for field in one} for one in found if one is not None]
    return tuple(_either([shape.get(name) for shape in shapes]) for name in dict.fromkeys(n for shape in shapes for n in shape))


def extended(value: Value, name: str, validator: Value) -> Value:
    """A document's validator with one more field, in each form that the document may take."""
    match value:
        case RecordValue():
            return replace(value, entries={**value.entries, name: Entry(validator)})
        case Validator(kind="union"):
            return replace(value, members=tuple(extended(member, name, validator) for member in value.members))
        case Validator(kind="object", fields=RecordValue() as fields):
            return replace(value, fields=replace(fields, entries={**fields.entries, name: Entry(validator)}))
        case Choice():
            return choice(*(extended(option, name, validator) for option in value.options))
    return value


def as_object(value: Value) -> Value:
    """The validator of a document that is given as one, or as the record of its fields."""
    return Validator("object", fields=value) if isinstance(value, RecordValue) else value


def optional(value: Value) -> Value:
    """A validator that also accepts the field's absence."""
    return choice(*(replace(option, is_optional=True) if isinstance(option, Validator) else option for option in options(value)))


def simple(kind: str) -> Callable[[Sequence[Value]], Value]:
    """A maker of validators that say no more than their type."""
    return lambda args: Validator(_SAME.get(kind, kind))


def identifier(args: Sequence[Value]) -> Value:
    """`v.id("table")`."""
    return Validator("id", target=args[0] if args and isinstance(args[0], str) else None)


def union(args: Sequence[Value]) -> Value:
    """`v.union(...)`."""
    return Validator("union", members=tuple(args))


def literal(args: Sequence[Value]) -> Value:
    """`v.literal("value")`."""
    return Validator("literal", value=args[0] if args else UNKNOWN)


def literals(args: Sequence[Value]) -> Value:
    """A union of literals, from the literals themselves."""
    return Validator("union", members=tuple(literal((arg,)) for arg in args)) if args else Validator("literal")


def nullable(args: Sequence[Value]) -> Value:
    """A validator that also accepts null."""
    return Validator("union", members=(*args, Validator("null")))


def _array(args: Sequence[Value]) -> Value:
    return Validator("array", element=args[0] if args else UNKNOWN)


def _object(args: Sequence[Value]) -> Value:
    return Validator("object", fields=args[0] if args and isinstance(args[0], RecordValue) else None)


def _optional(args: Sequence[Value]) -> Value:
    return optional(args[0]) if args else UNKNOWN


MAKERS: Mapping[str, Callable[[Sequence[Value]], Value]] = {
    **{kind: simple(kind) for kind in ("string", "number", "float64", "bigint", "int64", "boolean", "bytes", "null", "any", "record")},
    "id": identifier,
    "literal": literal,
    "array": _array,
    "object": _object,
    "union": union,
    "optional": _optional,
    "nullable": nullable,
}
"""What `v` of convex/values offers."""


def _partial_args(args: Sequence[Value]) -> Value:
    match args:
        case [RecordValue() as fields, *_]:
            return _partial(fields, ())
        case [Validator(fields=RecordValue() as fields) as whole, *_]:
            return replace(whole, fields=_partial(fields, ()))
    return UNKNOWN


def _with_fields(args: Sequence[Value]) -> Value:
    if len(args) != 2 or not isinstance(args[1], RecordValue):
        return UNKNOWN
    found = as_object(args[0])
    for name, entry in args[1].entries.items():
        found = extended(found, name, entry.value)
    return found if not args[1].gaps else UNKNOWN


def _required(args: Sequence[Value]) -> Value:
    return replace(args[0], is_optional=False) if args and isinstance(args[0], Validator) else UNKNOWN


HELPERS: Mapping[str, Callable[[Sequence[Value]], Value]] = {
    **MAKERS,
    "literals": literals,
    "partial": _partial_args,
    "brandedString": simple("string"),
    "pretend": _optional,
    "pretendRequired": _optional,
    "addFieldsToValidator": _with_fields,
    "vRequired": _required,
    "typedV": lambda args: Validators(MAKERS),
}
"""What convex-helpers/validators offers as functions."""

HELPER_VALUES: Mapping[str, Value] = {
    **{name: Validator(_SAME.get(name, name)) for name in ("string", "number", "float64", "boolean", "int64", "any")},
    "biging": Validator("int64"),
    "null_": Validator("null"),
    "arrayBuffer": Validator("bytes"),
    "deprecated": Validator("any", is_optional=True),
}
"""What convex-helpers/validators offers as values."""


def _objects(value: Value) -> Iterator[RecordValue | None]:
    """The objects that a document may be; None for what is not known."""
    for option in options(value):
        match option:
            case RecordValue():
                yield option
            case Validator(kind="union"):
                for member in option.members:
                    yield from _objects(member)
            case Validator(kind="object"):
                yield option.fields
            case _:
                yield None


def _leaves(value: Value) -> Iterator[Validator | None]:
    """The validators of which a value needs to satisfy one; None for what is not known."""
    for option in options(value):
        match option:
            case Validator(kind="union"):
                for member in option.members:
                    yield from _leaves(member)
            case Validator():
                yield option
            case _ if option is not UNDEFINED:
                yield None


def _target(leaf: Validator) -> str | None:
    return describe("", leaf.element).target if leaf.kind == "array" else leaf.target


def _either(found: Sequence[Field | None]) -> Field:
    """One field of a document that takes several forms."""
    known = [field for field in found if field is not None]
    kinds = {field.type for field in known}
    targets = {field.target for field in known}
    return Field(
        known[0].name,
        known[0].type if len(kinds) == 1 else "any" if "any" in kinds else "union",
        optional=len(known) < len(found) or any(field.optional for field in known),
        nullable=any(field.nullable for field in known),
        target=known[0].target if len(targets) == 1 else None,
        large=any(field.large for field in known),
        parts=known[0].parts if len({field.parts for field in known}) == 1 else None,
        values=_together(known),
    )


def _together(fields: Sequence[Field]) -> tuple[object, ...] | None:
    """All that one of several forms of a field may hold."""
    lists = [field.values for field in fields]
    return None if None in lists else tuple(dict.fromkeys(value for values in lists for value in values or ()))


def _extend(fields: RecordValue, args: Sequence[Value]) -> RecordValue | None:
    match args:
        case [RecordValue(entries=entries, gaps=gaps), *_]:
            return RecordValue({**fields.entries, **entries}, (*fields.gaps, *gaps))
    return None


def _omit(fields: RecordValue, args: Sequence[Value]) -> RecordValue | None:
    names = _names(args)
    return None if names is None else replace(fields, entries={key: one for key, one in fields.entries.items() if key not in names})


def _pick(fields: RecordValue, args: Sequence[Value]) -> RecordValue | None:
    names = _names(args)
    return None if names is None else replace(fields, entries={key: one for key, one in fields.entries.items() if key in names})


def _partial(fields: RecordValue, args: Sequence[Value]) -> RecordValue:
    return replace(fields, entries={key: replace(one, value=optional(one.value)) for key, one in fields.entries.items()})


def _names(args: Sequence[Value]) -> frozenset[str] | None:
    items = [item for arg in args for item in (arg.items if isinstance(arg, ArrayValue) else (arg,))]
    names = frozenset(item for item in items if isinstance(item, str))
    return names if len(names) == len(items) else None


_DERIVED: Mapping[str, Callable[[RecordValue, Sequence[Value]], RecordValue | None]] = {
    "extend": _extend,
    "omit": _omit,
    "pick": _pick,
    "partial": _partial,
}
