"""What a stack declares about its stored data: tables, fields, indexes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from querylint.construction import dataclass, replace
from querylint.text import Span


class IndexKind(Enum):
    """How an index is searched."""

    ORDERED = "ordered"
    SEARCH = "search"
    VECTOR = "vector"


OPEN = frozenset(("any", "object", "record", "union"))
"""The types of values that may hold parts of which the schema says nothing."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index of a table.

    `fields` are the declared key fields in order, without those that the platform appends (`Schema.tail`). For search and
    vector indexes, `fields` is the searched field and `filter_fields` those that may be bound by equality. `implicit`
    marks an index that nobody wrote down (a primary key, an edge of convex-ents, a foreign key of Django): it is never
    reported. A `staged` index is being built and cannot be queried yet. `descending` are the fields that run downward where the others run
    upward; `partial` is the condition that a row must meet to be in the index, as written. An expression in the place of a field is its
    source in parentheses. `named` is False where nobody gave it its name; `option` is the option of a field that makes it, where one does.
    """

    name: str
    fields: tuple[str, ...]
    kind: IndexKind = IndexKind.ORDERED
    filter_fields: tuple[str, ...] = ()
    unique: bool = False
    implicit: bool = False
    staged: bool = False
    span: Span | None = None
    descending: tuple[str, ...] = ()
    partial: str = ""
    named: bool = True
    option: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table.

    `type` is one of string, number, int64, boolean, id, null, bytes, array, object, record, literal, union, any. `target` is the table
    that an id refers to (for an array of ids too); `optional` says that documents may lack the field, `nullable` that null is a value.
    `large` marks content that is heavy by declaration (vectors, bytes), `few` a field that takes one of a few values written down. `span`
    is where it is declared, where that matters. `uuid` says that its values are no texts, though requests bring them as such. `parts` are
    the fields of an object, None where they are not all known.
    """

    name: str
    type: str
    optional: bool = False
    nullable: bool = False
    target: str | None = None
    large: bool = False
    few: bool = False
    span: Span | None = None
    uuid: bool = False
    parts: tuple[Field, ...] | None = None
    values: tuple[object, ...] | None = None

    @property
    def choices(self) -> int | None:
        """How many values a field may take, absence and null included; None where the schema does not say."""
        listed = (True, False) if self.type == "boolean" else self.values
        return None if listed is None else len(set(listed)) + self.optional + self.nullable

    def part(self, name: str) -> Field | None:
        """What an object holds under a name; None where it holds nothing of that name, or is no object."""
        if self.parts is not None:
            return next((f for f in self.parts if f.name == name), None)
        return Field(name, "any", optional=True, nullable=True) if self.type in OPEN else None


@dataclass(frozen=True, slots=True)
class Link:
    """A relation that rows of a table can follow to rows of another.

    `name` is the attribute of a row, `lookup` the name in conditions. `target` is None where it may be any table (`generic`: no join can
    follow it). `many` says that it leads to several rows; `column` is the field that holds the key, on this side, None where the other
    side holds it, under the name of `remote` where that is known. `back` is the link of the target that leads here. `ahead` says that it
    comes along with every row unless a query says otherwise, `own` that code of the project reads it, in whatever way: what comes along
    with its rows is not known.
    """

    name: str
    target: str | None
    many: bool = False
    column: str | None = None
    lookup: str = ""
    back: str | None = None
    generic: bool = False
    remote: str | None = None
    ahead: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a stack, whatever the program. The defaults are those of a database that runs every query as it is written.

    `bulk_writes`: several rows can be written in one statement. `bulk_reads`: the rows of many keys can be read by one query. `parallel`:
    several reads of one function may run at once. `planner`: the database picks indexes by itself, from any condition. `lazy`:
    relations of a row are read when they are first asked for. `once`: a query object must be run, and may be run only once. `embedded`:
    the database runs inside the program, so that a query is no message to anywhere. `identity`: a row that was met once is kept under its
    key, and following a key to it again reads nothing. `expires`: what a session holds of its rows is forgotten when a transaction ends.
    `pages`: a query can be asked for a page of its rows.
    """

    bulk_writes: bool = False
    bulk_reads: bool = False
    parallel: bool = True
    planner: bool = False
    lazy: bool = False
    once: bool = True
    embedded: bool = False
    identity: bool = False
    expires: bool = False
    pages: bool = True


@dataclass(frozen=True, slots=True)
class Dialect:
    """A stack by its name, and what is true of it."""

    stack: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `fields` is None where they cannot be read; `indexes_known` is False where a library or a dynamic form declares them.

    `links` are its relations, `key` the field of its primary key, `order` the order that its rows come in unless a query asks otherwise.
    `watched` says that code of the project runs whenever one row is written, which a write of many at once would pass by. `split` says that
    each of its rows lies in several tables, its own and those of the classes above; None where a class that cannot be seen may have one.
    `stack` declares it, where a project has several; empty for that of the schema. `stored` is what the database calls it, where that is
    another name. `filled` says that a library adds rows to it, whoever has declared it.
    """

    name: str
    fields: tuple[Field, ...] | None = None
    indexes: tuple[Index, ...] = ()
    indexes_known: bool = True
    library: str | None = None
    span: Span | None = None
    links: tuple[Link, ...] = ()
    key: str = "_id"
    order: tuple[str, ...] = ()
    watched: bool = False
    split: bool | None = False
    stack: str = ""
    stored: str = ""
    filled: bool = False

    @property
    def declared(self) -> bool:
        """Whether the project declares it, and not only a library that the project may or may not use (Django's own models)."""
        return self.library is None or self.span is not None

    def link(self, name: str) -> Link | None:
        """The relation of that name."""
        return next((link for link in self.links if link.name == name), None)

    def field(self, name: str) -> Field | None:
        """The declared field of that name, or the part of one that a dotted path leads to: optional where anything on the way is."""
        head, *rest = name.split(".")
        found = next((f for f in self.fields or () if f.name == head), None)
        for segment in rest:
            part = found.part(segment) if found is not None else None
            if found is None or part is None:
                return None
            found = replace(part, name=name, optional=part.optional or found.optional or found.nullable)
        return found

    def index(self, name: str) -> Index | None:
        """The declared index of that name."""
        return next((i for i in self.indexes if i.name == name), None)


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one database (one Convex root or component, one Django project).

    `root` is the folder that the schema governs. `tail` lists the fields that the platform appends to every index: in Convex
    `_creationTime` (convex-facts 2.1). `complete` is False where tables may exist that could not be read. `validated` is False where
    the platform does not check documents against the declared types. `handed` says that code gives the schema itself to a package, which
    may read by any index that it finds there. `others` are further stacks by the functions that reach the database by them, or by files
    of which all functions do.
    """

    root: str
    stack: str
    tables: Mapping[str, Table] = field(default_factory=dict)
    tail: tuple[str, ...] = ()
    complete: bool = True
    validated: bool = True
    span: Span | None = None
    facts: Facts = Facts()
    handed: bool = False
    others: Mapping[str, Dialect] = field(default_factory=dict)

    def dialect(self, key: str, path: str) -> Dialect:
        """The stack by which a function of a file reaches the database."""
        return self.others.get(key) or self.others.get(path) or Dialect(self.stack, self.facts)
