"""Whether the type checker will take a value for a field: filters take anything, index ranges only what the field may hold."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.ir import ITEM, Access, Field, Function, Origin, Predicate, Root, Table
from querylint.rewrite import Task
from querylint.rewrite.typescript.source import FUNCTIONS, Source, around, code, inner, located, walk
from querylint.syntax.tree import UNDEFINED

if TYPE_CHECKING:
    from tree_sitter import Node

_VALIDATOR = re.compile(r"v\s*\.\s*(string|number|float64|boolean|int64|bigint)\(\s*\)|v\s*\.\s*id\(\s*[\"'](\w+)[\"']\s*,?\s*\)")
_OPTIONAL = re.compile(r"v\s*\.\s*optional\((.*)\)", re.DOTALL)
_ID = re.compile(r"Id<\s*[\"'](\w+)[\"']\s*>")
_OF_DOCUMENT = re.compile(r"Doc<\s*[\"'](\w+)[\"']\s*>\[\s*[\"'](\w+)[\"']\s*\]")
_SAME = {"float64": "number", "bigint": "int64"}
_PLAIN = frozenset(("string", "number", "boolean", "int64"))


class Fit(Enum):
    """Whether a value fits: it does; it does but for being null or undefined; nobody knows (and it may be nothing besides)."""

    YES = "yes"
    BUT_FOR_NOTHING = "but for nothing"
    UNKNOWN = "unknown"
    UNKNOWN_OR_NOTHING = "unknown, or nothing"

    @property
    def known(self) -> bool:
        """Whether its type is known."""
        return self in (Fit.YES, Fit.BUT_FOR_NOTHING)

    @property
    def bang(self) -> bool:
        """Whether a `!` belongs behind it."""
        return self in (Fit.BUT_FOR_NOTHING, Fit.UNKNOWN_OR_NOTHING)


@dataclass(frozen=True, slots=True)
class Type:
    """A type as far as it matters here. `target` is the table of an id."""

    kind: str
    target: str | None = None
    optional: bool = False
    nullable: bool = False


def fits(task: Task, file: Source, predicate: Predicate, value: Node, table: Table) -> Fit:
    """Whether a value that a field is compared with may stand in the range of an index on that field."""
    if not file.typed or _untyped(file, value):
        return Fit.YES
    fit = _fit(task, predicate, value, table)
    loose = any(part.type in ("subscript_expression", "optional_chain") for part in walk(value))
    return Fit.UNKNOWN_OR_NOTHING if fit is Fit.UNKNOWN and loose else fit


def _fit(task: Task, predicate: Predicate, value: Node, table: Table) -> Fit:
    name = predicate.field or ""
    field = Field(name, "number") if name == "_creationTime" else table.field(name) if "." not in name else None
    if field is None or predicate.value is None:
        return Fit.UNKNOWN
    if field.type == "any":
        return Fit.YES
    if predicate.value.constant:
        return Fit.YES if _holds(task, field, predicate.value.literal, table) else Fit.UNKNOWN
    found = [_type(task, origin) for origin in predicate.value.origins]
    known = [one for one in found if one is not None]
    if not known or len(known) != len(found) or any((one.kind, one.target) != (field.type, field.target) for one in known):
        return Fit.UNKNOWN
    skipped = any(part.type == "optional_chain" for part in walk(value)) and not field.optional
    nothing = skipped or any((one.optional and not field.optional) or (one.nullable and not field.nullable) for one in known)
    return Fit.BUT_FOR_NOTHING if nothing else Fit.YES


def _untyped(file: Source, value: Node) -> bool:
    """Whether the callback around a value takes its builder as `any`: then nothing in it is checked."""
    callback = around(value, *FUNCTIONS)
    parameters = callback.child_by_field_name("parameters") if callback is not None else None
    return parameters is not None and re.search(r":\s*any\b", file.text(parameters)) is not None


def _holds(task: Task, field: Field, literal: object, table: Table) -> bool:
    """Whether a constant is one of the values of a field."""
    if literal is UNDEFINED:
        return field.optional
    if literal is None:
        return field.nullable or field.type == "null"
    kind = "boolean" if isinstance(literal, bool) else "string" if isinstance(literal, str) else "number"
    if field.type == kind:
        return True
    return field.type in ("union", "literal") and isinstance(literal, str) and literal in _literals(task, field.name, table)


def _literals(task: Task, name: str, table: Table) -> frozenset[str]:
    """The texts that a field may hold, where its validator writes them down."""
    place = located(task.sources, table.span) if table.span is not None else None
    if place is None:
        return frozenset()
    file, node = place
    for pair in walk(node):
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if pair.type == "pair" and key is not None and value is not None and file.text(key).strip("\"'") == name:
            return frozenset(found[2] for found in re.finditer(r"v\.literal\(\s*([\"'])(.*?)\1\s*,?\s*\)", file.text(value)))
    return frozenset()


def _type(task: Task, origin: Origin) -> Type | None:
    function = task.function
    if function is None:
        return None
    if origin.root is Root.STEP:
        return _of_row(task, function, origin)
    if origin.root is Root.PARAM and isinstance(origin.ref, int):
        return _of_parameter(task, function, origin.ref, origin.path)
    return None


def _of_row(task: Task, function: Function, origin: Origin) -> Type | None:
    """The type of a field of a row that was read."""
    step = task.program.sites(function.key).by_id.get(origin.ref) if isinstance(origin.ref, int) else None
    path = tuple(part for part in origin.path if part not in (ITEM, "page"))
    if step is None or not isinstance(step.step, Access) or len(path) != 1:
        return None
    return _of_field(task, function, step.step.table, path[0])


def _of_field(task: Task, function: Function, table: str | None, name: str) -> Type | None:
    known = task.program.table(function, table)
    if known is None:
        return None
    if name == "_id":
        return Type("id", known.name)
    field = Field(name, "number") if name == "_creationTime" else known.field(name)
    if field is None or field.type not in (*_PLAIN, "id"):
        return None
    return Type(field.type, field.target, field.optional, field.nullable)


def _of_parameter(task: Task, function: Function, number: int, path: tuple[str, ...]) -> Type | None:
    place = located(task.sources, function.span)
    handler = next((n for n in walk(place[1]) if n.type in FUNCTIONS), None) if place is not None else None
    parameters = handler.child_by_field_name("parameters") if handler is not None else None
    if place is None or handler is None or parameters is None or number >= len(code(parameters)) or len(path) > 1:
        return None
    file = place[0]
    annotation = code(parameters)[number].child_by_field_name("type")
    if annotation is not None:
        return _annotated(task, function, file, annotation, path)
    return _validated(file, handler, path[0]) if path and number == 1 else None


def _annotated(task: Task, function: Function, file: Source, annotation: Node, path: tuple[str, ...]) -> Type | None:
    """What a type annotation says of a parameter, or of one of its members."""
    if not path:
        return _written(task, function, file.text(annotation).lstrip(": "))
    for member in walk(annotation):
        name, of = member.child_by_field_name("name"), member.child_by_field_name("type")
        if member.type == "property_signature" and name is not None and of is not None and file.text(name) == path[0]:
            found = _written(task, function, file.text(of).lstrip(": "))
            missing = any(child.type == "?" for child in member.children)
            return Type(found.kind, found.target, True, found.nullable) if found is not None and missing else found
    return None


def _written(task: Task, function: Function, text: str) -> Type | None:
    parts = [part.strip() for part in text.split("|")]
    rest = [part for part in parts if part not in ("undefined", "null")]
    if len(rest) != 1:
        return None
    optional, nullable = "undefined" in parts, "null" in parts
    if rest[0] in ("string", "number", "boolean", "bigint"):
        return Type(_SAME.get(rest[0], rest[0]), None, optional, nullable)
    if found := _ID.fullmatch(rest[0]):
        return Type("id", found[1], optional, nullable)
    if found := _OF_DOCUMENT.fullmatch(rest[0]):
        held = _of_field(task, function, found[1], found[2])
        return Type(held.kind, held.target, held.optional or optional, held.nullable or nullable) if held is not None else None
    return None


def _validated(file: Source, handler: Node, name: str) -> Type | None:
    """What the validators beside a handler say of one argument."""
    holder = around(handler, "object")
    for pair in code(holder) if holder is not None else []:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if pair.type == "pair" and key is not None and value is not None and file.text(key) == "args":
            return _argument(file, inner(value), name)
    return None


def _argument(file: Source, validators: Node, name: str) -> Type | None:
    for pair in code(validators) if validators.type == "object" else []:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if pair.type == "pair" and key is not None and value is not None and file.text(key).strip("\"'") == name:
            text = file.text(value).strip()
            optional = _OPTIONAL.fullmatch(text)
            found = _VALIDATOR.fullmatch(optional[1].strip().rstrip(",").strip() if optional else text)
            if found is None:
                return None
            return Type("id", found[2], bool(optional)) if found[2] else Type(_SAME.get(found[1], found[1]), None, bool(optional))
    return None
