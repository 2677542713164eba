"""The schema of a Convex root: its tables, fields and indexes, however they are put together.

Reads: `defineSchema` and `defineEntSchema` with tables written in place, in constants, in other files, spread, chosen by a
condition or made by helper functions. Not understood: what a package makes that is not known here, and fields that a call
computes; both are said, and never guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from querylint.construction import dataclass, replace
from querylint.frontends.convex import edges
from querylint.frontends.convex.libraries import library_value, package_of, with_library_indexes
from querylint.frontends.convex.roots import ConvexRoot
from querylint.frontends.convex.tables import BUILDERS, TableValue, part
from querylint.frontends.convex.validators import HELPER_VALUES, HELPERS, MAKERS, Validator, Validators
from querylint.frontends.modules import Evaluator, Host, Modules
from querylint.frontends.modules.values import (
    UNDEFINED,
    UNKNOWN,
    Entry,
    External,
    Gap,
    Method,
    RecordValue,
    Site,
    Thing,
    Value,
    options,
)
from querylint.ir import Facts, Field, Schema, Table
from querylint.result import Note, NoteKind
from querylint.text import Span

TAIL = ("_creationTime",)


def read_schema(modules: Modules, root: ConvexRoot) -> tuple[Schema, tuple[Note, ...]]:
    """The schema that governs a root, and what of it could not be read."""
    nothing = Schema(root.folder, "convex", tail=TAIL, complete=False, facts=_facts(root))
    if root.schema is None:
        return nothing, ()
    host = _SchemaHost(modules)
    found = _exported(modules, Evaluator(modules, host), root.schema)
    if found is None:
        host.note(root.schema, 0, "no schema is found in this file, so nothing is known of its tables and indexes")
        return nothing, tuple(host.notes)
    return _Reading(modules, host, root).schema(found), tuple(host.notes)


def _facts(root: ConvexRoot) -> Facts:
    """What is true of a database: that of a component hands out no pages (Convex docs, components/authoring, "Pagination")."""
    return Facts(pages=not root.component)


def unplaced(table: Table) -> Table:
    """A table without the places where it and its parts are declared: what code means does not hang on those."""
    fields = table.fields and tuple(_unplaced(one) for one in table.fields)
    indexes = tuple(replace(one, span=None) for one in table.indexes)
    return replace(table, fields=fields, indexes=indexes, span=None)


def _unplaced(field: Field) -> Field:
    return replace(field, span=None, parts=field.parts and tuple(_unplaced(one) for one in field.parts))


@dataclass(frozen=True, slots=True)
class SchemaValue(Thing):
    """A call of `defineSchema`, or of an unknown function that was given tables; then it is not `certain`."""

    tables: Value
    options: Value
    site: Site
    linked: bool = False
    certain: bool = True

    def member(self, name: str) -> Value:
        """Its tables, for other schemas to spread; its validators, for functions."""
        if name == "tables":
            return self.tables
        return Method(lambda args, site: _MEMBERS[name](args)) if name in _MEMBERS else UNKNOWN

    def blurred(self) -> SchemaValue:
        """The same after something unknown was done to it."""
        return replace(self, certain=False)


_MEMBERS = {"id": MAKERS["id"], "doc": MAKERS["any"]}


class _SchemaHost(Host):
    """The packages that schemas are made with; also where what cannot be read is noted down."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self.notes: dict[Note, None] = {}
        self.paths: set[str] = set()

    def span(self, path: str, at: int, end: int) -> Span | None:
        """A stretch of a file."""
        lines = self._modules.lines(path)
        return None if lines is None else lines.span(at, end)

    def note(self, path: str, at: int, message: str) -> None:
        """Something that the run cannot see."""
        lines = self._modules.lines(path)
        self.notes[Note(NoteKind.SCHEMA, message, path, 1 if lines is None else lines.position(at)[0])] = None

    def external(self, specifier: str, name: str) -> Value | None:
        """What the packages of the platform export."""
        match specifier.removesuffix(".js"), name:
            case "convex/server", "defineTable":
                return Method(self._table)
            case "convex-ents", "defineEnt":
                return Method(self._table)
            case "convex/server", "defineSchema":
                return Method(lambda args, site: self._schema(args, site, linked=False))
            case "convex-ents", "defineEntSchema":
                return Method(lambda args, site: self._schema(args, site, linked=True))
            case "convex-ents", "defineEntFromTable" | "defineEntsFromTables":
                return Method(lambda args, site: args[0] if args else UNKNOWN)
            case "convex/values", "v":
                return Validators(MAKERS)
            case "convex-helpers/server", "Table":
                return Method(self._helper_table)
            case "convex-helpers/validators", _ if name in HELPER_VALUES:
                return HELPER_VALUES[name]
            case "convex-helpers/validators", _ if name in HELPERS:
                make = HELPERS[name]
                return Method(lambda args, site: make(args))
        return library_value(self, specifier.removesuffix(".js"), name)

    def foreign(self, args: Sequence[Value], site: Site) -> Value:
        """A call that cannot be followed: what it was given shows what it may give."""
        if site.method and site.name in BUILDERS:
            build = TableValue(self, site, UNKNOWN, indexes_known=False).member(site.name)
            return build.call(args, site) if isinstance(build, Thing) else UNKNOWN
        for arg in args:
            for option in options(arg):
                if isinstance(option, TableValue | SchemaValue):
                    return option.blurred()
                if isinstance(option, RecordValue) and (_holds_tables(option) or site.name.endswith("Schema")):
                    return SchemaValue(option, UNKNOWN, site, certain=False)
        return UNKNOWN

    def _table(self, args: Sequence[Value], site: Site) -> Value:
        self.paths.add(site.path)
        return TableValue(self, site, args[0] if args else UNKNOWN)

    def _schema(self, args: Sequence[Value], site: Site, linked: bool) -> Value:
        self.paths.add(site.path)
        return SchemaValue(args[0] if args else UNKNOWN, args[1] if len(args) > 1 else UNDEFINED, site, linked)

    def _helper_table(self, args: Sequence[Value], site: Site) -> Value:
        """`Table(name, fields)` of convex-helpers: the table and validators beside it."""
        name, fields = args[0] if args else UNKNOWN, args[1] if len(args) > 1 else UNKNOWN
        own = RecordValue({"_id": Entry(MAKERS["id"](args[:1])), "_creationTime": Entry(Validator("number"))})
        whole: Value = RecordValue({**fields.entries, **own.entries}, fields.gaps) if isinstance(fields, RecordValue) else UNKNOWN
        members: Mapping[str, Value] = {
            "name": name,
            "table": self._table((fields,), site),
            "doc": Validator("object", fields=whole if isinstance(whole, RecordValue) else None),
            "withoutSystemFields": fields,
            "withSystemFields": whole,
            "systemFields": own,
            "_id": own.entries["_id"].value,
        }
        return RecordValue({key: Entry(value) for key, value in members.items()})


class _Reading:
    """One schema on its way into the shared language."""

    def __init__(self, modules: Modules, host: _SchemaHost, root: ConvexRoot) -> None:
        self._modules = modules
        self._host = host
        self._root = root
        self._complete = True
        self._unknown: dict[str, Table] = {}
        self._spans: dict[str, Span | None] = {}
        self._keys: dict[str, Span | None] = {}

    def schema(self, found: SchemaValue) -> Schema:
        """The whole schema."""
        values = self._tables(found)
        joins: list[Table] = []
        if found.linked:
            values, joins = edges.linked(values)
        tables: dict[str, Table] = {}
        times = Counter(self._spans.values())
        for name, span in self._spans.items():
            value = values.get(name)
            # A call that makes several tables is the place of none of them.
            place = span if times[span] == 1 else self._keys[name]
            tables[name] = self._unknown[name] if value is None else value.table(name, place)
        for table in joins:
            tables.setdefault(table.name, table)
        settings = found.options
        broken = any(module.broken for path in self._host.paths if (module := self._modules.module(path)) is not None)
        return Schema(
            self._root.folder,
            "convex",
            _shared_hidden(with_library_indexes(tables)),
            TAIL,
            complete=self._complete and not broken and part(settings, "strictTableNameTypes") in (True, UNDEFINED),
            validated=part(settings, "schemaValidation") in (True, UNDEFINED),
            span=self._host.span(found.site.path, found.site.at, found.site.end),
            facts=_facts(self._root),
        )

    def _tables(self, found: SchemaValue) -> dict[str, TableValue]:
        if not found.certain:
            self._miss(
                found.site.path, found.site.at, "a call that cannot be followed makes this schema, which may have more tables and indexes"
            )
        values: dict[str, TableValue] = {}
        known = False
        for option in options(found.tables):
            if isinstance(option, RecordValue):
                known = True
                self._record(option, found.certain, values)
        if not known:
            self._miss(found.site.path, found.site.at, "the tables of this schema cannot be read")
        return values

    def _record(self, record: RecordValue, certain: bool, values: dict[str, TableValue]) -> None:
        for gap in record.gaps:
            self._gap(gap, values)
        for name, entry in record.entries.items():
            kinds = [option for option in options(entry.value) if option not in (UNDEFINED, None, False)]
            tables = [option for option in kinds if isinstance(option, TableValue)]
            values.pop(name, None)
            self._spans.pop(name, None)
            if not kinds:
                continue
            self._keys[name] = self._host.span(entry.path, self._key_at(name, entry), entry.end) if entry.path else None
            if tables:
                table = tables[0]
                for other in tables[1:]:
                    table = table.merged(other)
                values[name] = table if certain and len(tables) == len(kinds) else replace(table, indexes_known=False)
                self._spans[name] = self._span(name, entry, table.site)
            else:
                outside = next((option for option in kinds if isinstance(option, External)), None)
                span = self._spans[name] = self._keys[name]
                library = None if outside is None or outside.specifier.startswith(".") else package_of(outside.specifier)
                self._unknown[name] = Table(name, indexes_known=False, library=library, span=span)
                self._host.note(entry.path, entry.at, f"the fields and indexes of `{name}` are not known: nothing here says how it is made")

    def _gap(self, gap: Gap, values: dict[str, TableValue]) -> None:
        inner = gap.value
        if isinstance(inner, SchemaValue):
            for option in options(inner.tables):
                if isinstance(option, RecordValue):
                    self._record(option, certain=False, values=values)
        lines = self._modules.lines(gap.path)
        if lines is None:
            self._complete = False
            return
        text = " ".join(lines.text(gap.at, gap.end).split())
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        whose = f" of `{inner.specifier}`" if isinstance(inner, External) and not inner.specifier.startswith(".") else ""
        self._miss(gap.path, gap.at, f"the tables that `{shown}`{whose} stands for are not known")

    def _miss(self, path: str, at: int, message: str) -> None:
        self._complete = False
        self._host.note(path, at, message)

    def _span(self, name: str, entry: Entry, site: Site | None) -> Span | None:
        """From the key through the call that defines the table; where that is elsewhere, the call alone."""
        if site is None:
            return None
        inside = site.path == entry.path and entry.at <= site.at < entry.end
        return self._host.span(site.path, self._key_at(name, entry) if inside else site.at, site.end)

    def _key_at(self, name: str, entry: Entry) -> int:
        source = (self._modules.source(entry.path) or b"")[entry.low : entry.at]
        keys = list(re.finditer(rb"(?<![\w$\"'])([\"']?)" + re.escape(name.encode()) + rb"\1\s*:", source))
        return entry.low + keys[-1].start() if keys else entry.at


def _exported(modules: Modules, evaluator: Evaluator, path: str) -> SchemaValue | None:
    """The schema that a file exports by default, as Convex wants it, or under a name."""
    for name in ("default", "schema", *modules.exports(path)):
        definition = modules.exported(path, name)
        if definition is not None:
            for option in options(evaluator.defined(definition)):
                if isinstance(option, SchemaValue):
                    return option
    return None


def _holds_tables(record: RecordValue) -> bool:
    return any(isinstance(option, TableValue) for entry in record.entries.values() for option in options(entry.value))


def _shared_hidden(tables: Mapping[str, Table]) -> dict[str, Table]:
    """An index that a helper gives to several tables belongs to none of them alone: nobody can remove it from one."""
    times = Counter(index.span for table in tables.values() for index in table.indexes if index.span is not None)
    shared = {span for span, count in times.items() if count > 1}
    if not shared:
        return dict(tables)
    return {
        name: replace(table, indexes=tuple(replace(one, implicit=True) if one.span in shared else one for one in table.indexes))
        for name, table in tables.items()
    }
