"""The tables of a Convex schema as they are built: `defineTable(..).index(..)`, and `defineEnt(..).field(..).edge(..)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Protocol

from querylint.construction import dataclass, replace
from querylint.frontends.convex.validators import Validator, as_object, document, extended, optional
from querylint.frontends.modules.values import UNDEFINED, UNKNOWN, ArrayValue, Method, RecordValue, Site, Thing, Value, constant
from querylint.ir import Field, Index, IndexKind, Link, Table
from querylint.text import Span

BUILDERS = frozenset({"index", "searchIndex", "vectorIndex", "field", "edge", "edges", "deletion"})
"""The methods by which a table is told even where nothing else is known of it."""


class Desk(Protocol):
    """Where spans come from, and where what cannot be read is noted down."""

    def span(self, path: str, at: int, end: int) -> Span | None:
        """A stretch of a file."""

    def note(self, path: str, at: int, message: str) -> None:
        """Something that the run cannot see."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of convex-ents as its table declares it.

    `stored` says that this table holds the id, in `field`; otherwise `ref` is the field of the other table (None where it is to be
    found out). An edge that is `multiple` and has no `ref` at all is many to many, through a separate table.
    """

    name: str
    to: str
    multiple: bool = False
    stored: bool = False
    many: bool = False
    field: str | None = None
    ref: str | None = None
    table: str | None = None
    inverse_field: str | None = None
    inverse: str | None = None


@dataclass(frozen=True, slots=True)
class TableValue(Thing):
    """A table being defined. `site` is the call that began it, None for a library's; `document` describes what it holds."""

    desk: Desk = field(repr=False, compare=False)
    site: Site | None
    document: Value
    indexes: tuple[Index, ...] = ()
    indexes_known: bool = True
    library: str | None = None
    edges: tuple[Edge, ...] = ()

    def member(self, name: str) -> Value:
        """A method that adds to the table, or its validator."""
        match name:
            case "validator":
                return as_object(self.document)
            case "index":
                return Method(self._index)
            case "searchIndex":
                return Method(lambda args, site: self._lookup(args, site, IndexKind.SEARCH, "searchField"))
            case "vectorIndex":
                return Method(lambda args, site: self._lookup(args, site, IndexKind.VECTOR, "vectorField"))
            case "field":
                return Method(self._field)
            case "edge":
                return Method(self._edge)
            case "edges":
                return Method(self._edges)
            case "deletion":
                absent = Validator("number", is_optional=True)
                return Method(lambda args, site: replace(self, document=extended(self.document, "deletionTime", absent)))
            case "staged":
                return Method(lambda args, site: self)
        return Method(lambda args, site: self.blurred())

    def blurred(self) -> TableValue:
        """The same after something unknown was done to it."""
        return replace(self, document=UNKNOWN, indexes_known=False)

    def merged(self, other: TableValue) -> TableValue:
        """A table that is either this or the other."""
        names = {index.name for index in self.indexes}
        return replace(
            self,
            document=Validator("union", members=(as_object(self.document), as_object(other.document))),
            indexes=(*self.indexes, *(index for index in other.indexes if index.name not in names)),
            indexes_known=self.indexes_known and other.indexes_known,
            edges=(*self.edges, *(edge for edge in other.edges if edge not in self.edges)),
        )

    def table(self, name: str, span: Span | None) -> Table:
        """The table in the shared language."""
        fields = document(self.document)
        heavy = {index.fields[0].partition(".")[0] for index in self.indexes if index.kind is IndexKind.VECTOR}
        if fields is not None and heavy:
            fields = tuple(replace(one, large=True) if one.name in heavy else one for one in fields)
        links = tuple(
            Link(edge.name, edge.to, edge.multiple, edge.field if edge.stored else None, remote=edge.ref, generic=edge.many)
            for edge in self.edges
        )
        return Table(name, fields, self.indexes, self.indexes_known, self.library, span, links)

    def _index(self, args: Sequence[Value], site: Site) -> Value:
        name = args[0] if args else UNKNOWN
        given = args[1] if len(args) > 1 else UNKNOWN
        staged = False
        if isinstance(given, RecordValue):
            staged = part(given, "staged") is True
            fields = _strings(part(given, "fields"))
        else:
            fields = _strings(given)
        if not isinstance(name, str) or not fields:
            return self._unread(site)
        return self._with(Index(name, fields, staged=staged, span=self.desk.span(site.path, site.name_at, site.end)))

    def _lookup(self, args: Sequence[Value], site: Site, kind: IndexKind, key: str) -> Value:
        name = args[0] if args else UNKNOWN
        settings = args[1] if len(args) > 1 else UNKNOWN
        over = part(settings, key)
        given = part(settings, "filterFields")
        filters = () if given is UNDEFINED else _strings(given)
        if not isinstance(name, str) or not isinstance(over, str) or filters is None:
            return self._unread(site)
        span = self.desk.span(site.path, site.name_at, site.end)
        return self._with(Index(name, (over,), kind, filters, staged=part(settings, "staged") is True, span=span))

    def _field(self, args: Sequence[Value], site: Site) -> Value:
        if len(args) < 2 or not isinstance(args[0], str):
            return self.blurred()
        name, validator, settings = args[0], args[1], args[2] if len(args) > 2 else RecordValue()
        if part(settings, "default") is not UNDEFINED:
            validator = optional(validator)
        found = replace(self, document=extended(self.document, name, validator))
        unique = part(settings, "unique") is True
        return found._with(Index(name, (name,), unique=unique, implicit=True)) if unique or part(settings, "index") is True else found

    def _edge(self, args: Sequence[Value], site: Site) -> Value:
        if not args or not isinstance(args[0], str):
            return self.blurred()
        name, settings = args[0], args[1] if len(args) > 1 else RecordValue()
        to = _text(settings, "to") or f"{name}s"
        ref = part(settings, "ref")
        if ref is not UNDEFINED and part(settings, "field") is UNDEFINED:
            return replace(self, edges=(*self.edges, Edge(name, to, ref=ref if isinstance(ref, str) else None)))
        key = _text(settings, "field") or f"{name}Id"
        validator = Validator("id", target=to, is_optional=part(settings, "optional") is True)
        found = replace(self, document=extended(self.document, key, validator), edges=(*self.edges, Edge(name, to, stored=True, field=key)))
        return found._with(Index(key, (key,), implicit=True))

    def _edges(self, args: Sequence[Value], site: Site) -> Value:
        if not args or not isinstance(args[0], str):
            return self.blurred()
        name, settings = args[0], args[1] if len(args) > 1 else RecordValue()
        to = _text(settings, "to") or name
        table, inverse = _text(settings, "table"), _text(settings, "inverse")
        many = part(settings, "ref") is UNDEFINED
        found = [
            Edge(name, to, True, False, many, _text(settings, "field"), _text(settings, "ref"), table, _text(settings, "inverseField"))
        ]
        if inverse is not None:
            found.append(Edge(inverse, to, True, False, True, table=table, inverse=name))
        return replace(self, edges=(*self.edges, *found))

    def _with(self, index: Index) -> TableValue:
        return replace(self, indexes=(*self.indexes, index))

    def _unread(self, site: Site) -> TableValue:
        self.desk.note(site.path, site.name_at, f"the name or the fields of this `.{site.name}(...)` are not known")
        return replace(self, indexes_known=False)


def part(settings: Value, key: str) -> object:
    """A constant member of a record of options; undefined where it is absent, unknown where it may be there."""
    if not isinstance(settings, RecordValue):
        return UNDEFINED if settings is UNDEFINED else UNKNOWN
    found = settings.entries.get(key)
    if found is not None:
        return found.value if isinstance(found.value, ArrayValue) else constant(found.value)
    return UNKNOWN if settings.gaps else UNDEFINED


def _text(settings: Value, key: str) -> str | None:
    found = part(settings, key)
    return found if isinstance(found, str) else None


def _strings(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, ArrayValue) or not value.complete:
        return None
    strings = tuple(item for item in value.items if isinstance(item, str))
    return strings if len(strings) == len(value.items) else None


def join(a: str, b: str, field_a: str, field_b: str, name: str, symmetric: bool) -> Table:
    """The table in which convex-ents keeps edges from many to many."""
    keys: list[tuple[str, ...]] = [(field_a,), (field_b,), (field_a, field_b)]
    if not symmetric:
        keys.append((field_b, field_a))
    indexes = tuple(Index("_".join(key), key, implicit=True) for key in keys)
    return Table(name, (Field(field_a, "id", target=a), Field(field_b, "id", target=b)), indexes, library="convex-ents")
