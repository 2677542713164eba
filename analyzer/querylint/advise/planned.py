"""Indexes of databases that pick them by themselves: what one can do that another can do as well."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.growth import small
from querylint.advise.places import quiet
from querylint.construction import dataclass
from querylint.ir import Access, Field, Index, IndexKind, Plan, Predicate, Program, Relation, Role, Schema, Table, Terminal, Way
from querylint.ir.program import Site
from querylint.text import Span


@dataclass(frozen=True, slots=True)
class Shadowed:
    """An index that another one serves for: it begins with the same fields, in the same order."""

    root: str
    table: Table
    index: Index
    cover: Index


def shadowed(program: Program) -> Iterator[Shadowed]:
    """Indexes that somebody wrote down and that a longer one, or a unique one, makes needless.

    One that several tables share, since it is written in a class above theirs, is needless where all of them have such a cover.
    """
    found = list(_shadowed(program))
    needed = {span for span, _ in _written(program) - {(one.index.span, one.table.name) for one in found}}
    told: set[Span] = set()
    for one in found:
        assert one.index.span is not None
        if one.index.span not in needed and one.index.span not in told:
            told.add(one.index.span)
            yield one


def _written(program: Program) -> set[tuple[Span | None, str]]:
    """The indexes that are written down, each with every table that has it."""
    tables = [table for schema in program.schemas.values() for table in schema.tables.values()]
    return {(index.span, table.name) for table in tables for index in table.indexes if not index.implicit and index.span is not None}


def _shadowed(program: Program) -> Iterator[Shadowed]:
    for _, schema in sorted(program.schemas.items()):
        if not schema.facts.planner:
            continue
        for table in schema.tables.values():
            for index in table.indexes:
                if index.implicit or index.span is None or index.kind is not IndexKind.ORDERED or not index.fields:
                    continue
                covers = (other for other in _shortest_first(table) if _covers(table, other, index))
                cover = next((other for other in covers if not index.unique or _as_unique(table, other, index)), None)
                if cover is not None:
                    yield Shadowed(schema.root, table, index, cover)


def _as_unique(table: Table, other: Index, index: Index) -> bool:
    """Whether another index, the primary key or an earlier one, is unique over the very fields of one that is unique itself."""
    if not other.unique or len(other.fields) != len(index.fields):
        return False
    return other.implicit or table.indexes.index(other) < table.indexes.index(index)


def _shortest_first(table: Table) -> list[Index]:
    return sorted(table.indexes, key=lambda i: (len(i.fields), not i.unique))


def _covers(table: Table, other: Index, index: Index) -> bool:
    depth = len(index.fields)
    if (
        other is index
        or other.kind is not IndexKind.ORDERED
        or other.partial != index.partial
        or _keys(other, depth) != _keys(index, depth)
    ):
        return False
    if other.named and index.named and other.name == index.name:
        return False  # written down twice, it is one index still
    if len(other.fields) > len(index.fields) or other.unique or other.implicit:
        return True
    return table.indexes.index(other) < table.indexes.index(index)  # of two equal ones the first stays


@dataclass(slots=True)
class Unindexed:
    """A column that refers to another table and that rows are looked up by, though no index begins with it: the reads that do so."""

    root: str
    table: Table
    field: Field
    reads: list[Site]


def unindexed(program: Program) -> Iterator[Unindexed]:
    """The foreign keys without an index by which some read finds its rows, directly or for a relation that it loads."""
    found: dict[tuple[str, str, str], Unindexed] = {}
    for site, read in program.reads():
        schema = program.schema(site.function)
        if schema is None or not schema.facts.planner or site.function.role is not Role.CODE:
            continue
        for name, column in _looked_up(schema, read):
            table = schema.tables.get(name)
            field = table.field(column) if table is not None else None
            if table is None or field is None or field.span is None or field.target is None or _begins(table, column):
                continue
            found.setdefault((schema.root, name, column), Unindexed(schema.root, table, field, [])).reads.append(site)
    yield from (found[key] for key in sorted(found))


def _begins(table: Table, column: str) -> bool:
    """Whether an index begins with a column, or nobody knows."""
    return not table.indexes_known or any(i.fields[:1] == (column,) and i.kind is IndexKind.ORDERED for i in table.indexes)


def _looked_up(schema: Schema, read: Access) -> Iterator[tuple[str, str]]:
    """The tables and columns by whose values a read finds rows."""
    for plan in read.plans:
        bound = {p.field: p.conditional for p in plan.predicates if p.relation in (Relation.EQ, Relation.IN) and p.field is not None}
        declared = schema.tables.get(read.table or "")
        if declared is not None and not any(_begins(declared, field) for field in bound if declared.field(field) is not None):
            # One index is enough for the rows of several keys: it leaves few to look at.
            keys = [name for name in bound if (field := declared.field(name)) is not None and field.target is not None]
            yield from ((declared.name, name) for name in sorted(keys, key=lambda name: bound[name])[:1])
        for eager in plan.eager:
            end = read.table
            link = None
            for part in eager.path:
                here = schema.tables.get(end or "")
                link = here.link(part) if here is not None else None
                end = link.target if link is not None else None
            if link is not None and link.remote is not None and link.target is not None:
                yield link.target, link.remote


@dataclass(frozen=True, slots=True)
class Lookup:
    """A look-up of one row by columns of which none begins an index."""

    table: Table
    site: Site
    access: Access
    names: tuple[str, ...]


def lookups(program: Program) -> Iterator[Lookup]:
    """Every look-up of one row that no index helps."""
    for site, read in program.reads():
        table = program.table(site.function, read.table)
        if table is None or not program.facts(site.function).planner or quiet(site.function) or small(program, read.table):
            continue
        if table.library is not None:
            continue  # its indexes are declared by somebody else
        names = _unserved(table, read)
        if names:
            yield Lookup(table, site, read, names)


def _unserved(table: Table, read: Access) -> tuple[str, ...]:
    """The fields that a look-up binds, where none of them begins an index."""
    if read.terminal not in (Terminal.ROW, Terminal.EXISTS) or len(read.plans) != 1 or read.follows is not None:
        return ()
    plan = read.plans[0]
    if plan.way is not Way.PLANNER or any(p.field is None for p in plan.predicates):
        return ()
    leading = {i.fields[0] for i in table.indexes if i.kind is IndexKind.ORDERED and i.fields}
    if any(p.field in leading or "." in (p.field or "") for p in plan.predicates):
        return ()
    bound = _bound(table, plan)
    return tuple(dict.fromkeys(p.field for p in bound if p.field is not None))


def _bound(table: Table, plan: Plan) -> list[Predicate]:
    """The equalities with a value that varies, the texts among them first; nothing where no text is bound."""
    equal = [p for p in plan.predicates if p.relation is Relation.EQ and p.value is not None and not p.value.constant and not p.conditional]
    texts = [p for p in equal if (f := table.field(p.field or "")) is not None and f.type == "string" and not f.few and not f.large]
    return [*texts, *(p for p in equal if p not in texts)] if texts else []


def _keys(index: Index, depth: int) -> list[tuple[str, bool]]:
    """The first fields of an index, each with its direction; names are compared without regard to case, as SQL does."""
    down = {name.lower() for name in index.descending}
    return [(name.lower(), name.lower() in down) for name in index.fields[:depth]]
