"""Where in the program a statement of the database may have been asked: by its table, what it does, and the columns that it compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from querylint.construction import dataclass
from querylint.ir import Access, Function, Program, Relation, Side, Table, Terminal, Way
from querylint.text import Span

WORDS = {
    "insert": ("create", "insert", "add", "save", "merge", "copy"),
    "update": ("update", "save", "merge", "set", "assign"),
    "delete": ("delete", "remove", "clear"),
}
"""What the operations are called that may become a statement of that verb."""
SENT = ("commit", "flush")
"""What the operations are called that send what was done with rows before: with rows that were read, by their key, or else new rows."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a statement asks: the table in front (in small letters), its verb, the columns of that table that it compares.

    `joined` says that it compares columns of other tables, too, `counts` that it gives a number of rows.
    """

    table: str
    verb: str
    columns: frozenset[str] = frozenset()
    joined: bool = False
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """An access that may have asked it."""

    function: Function
    access: Access


@dataclass(frozen=True, slots=True)
class _Asking:
    """What an access compares: columns that it always does and others that it may, whatever else where it is `open`.

    `joins` says that it compares columns of other tables. The rows of a relation are found by one of the columns `by`, or by a table
    between; None is no relation. `verbs` are those of the statements that a write may become.
    """

    place: Place
    always: frozenset[str]
    perhaps: frozenset[str]
    open: bool
    joins: bool
    by: frozenset[str] | None
    verbs: frozenset[str] = frozenset()

    def asks(self, shape: Shape) -> bool:
        access = self.place.access
        if access.reads != (shape.verb == "select"):
            return False
        if not access.reads:
            return shape.verb in self.verbs and (shape.verb == "insert" or self._compares(shape))
        return (access.terminal is Terminal.COUNT) == shape.counts and self._compares(shape)

    def _compares(self, shape: Shape) -> bool:
        if not self.always <= shape.columns:
            return False
        if self.by is not None and not shape.joined and not self.by & shape.columns:
            return False
        if self.open:
            return True
        known = self.always | self.perhaps | (self.by or frozenset())
        return shape.columns <= known and (self.joins == shape.joined or self.by is not None)


def places(program: Program, shapes: Mapping[str, Shape]) -> dict[str, tuple[Place, ...]]:
    """For each statement the places that may have asked it; those of which everything is known are preferred."""
    wanted = {shape.table for shape in shapes.values()}
    asking: dict[str, list[_Asking]] = {}
    for function in program.functions.values():
        for step in function.steps():
            table = program.table(function, step.table) if isinstance(step, Access) and step.table is not None else None
            if isinstance(step, Access) and table is not None and (name := stored(table)) in wanted:
                asking.setdefault(name, []).append(_asking(Place(function, step), table))
    found = {}
    for text, shape in shapes.items():
        fitting = [a for a in asking.get(shape.table, ()) if a.asks(shape)]
        found[text] = tuple(a.place for a in [a for a in fitting if not a.open] or fitting)
    return found


def stored(table: Table) -> str:
    """What the database calls a table, in small letters."""
    return (table.stored or table.name).rpartition(".")[2].lower()


def _verbs(access: Access) -> frozenset[str]:
    return frozenset(verb for verb, words in WORDS.items() if any(word in access.verb.lower() for word in words))


def _sent(place: Place, table: Table) -> _Asking:
    """What is sent of the changes that were made to rows."""
    access, steps = place.access, place.function.steps()
    read = any(isinstance(s, Access) and s.reads and s.table == access.table and s.id in access.deps for s in steps)
    key = frozenset((table.key.lower(),))
    return _Asking(place, key, key, False, False, None, frozenset(("update", "delete") if read else ("insert",)))


def _asking(place: Place, table: Table) -> _Asking:
    access = place.access
    if access.verb.lower() in SENT and not access.reads:
        return _sent(place, table)
    columns = {link.name: link.column for link in table.links if link.column is not None}
    always: set[str] | None = None
    every: set[str] = set()
    unsure = access.base is not None or not access.plans
    joins = False
    for plan in access.plans:
        here: set[str] = set()
        for predicate in plan.predicates:
            if predicate.side is Side.MEMORY:
                continue
            if predicate.field is None or predicate.relation in (Relation.ANY, Relation.OTHER, Relation.SEARCH):
                unsure = True
            elif "." in predicate.field:
                joins = True
            else:
                column = columns.get(predicate.field, predicate.field).lower()
                every.add(column)
                if not predicate.conditional:
                    here.add(column)
        if plan.way is Way.KEY:
            here.add(table.key.lower())
        always = here if always is None else always & here
    related = access.follows is not None and not any(plan.way is Way.KEY for plan in access.plans)
    by = frozenset(column.lower() for column in columns.values()) if related else None
    return _Asking(place, frozenset(always or ()), frozenset(every), unsure, joins, by, _verbs(access))


class Sites:
    """Where statements are asked, by file: which of them lie at the places of a finding."""

    def __init__(self, statements: Iterable[Iterable[Place]]) -> None:
        self._spans: dict[str, list[tuple[Span, int]]] = {}
        for number, found in enumerate(statements):
            for place in found:
                for span in {place.access.span, place.access.chain}:
                    self._spans.setdefault(span.path, []).append((span, number))

    def touched(self, spans: Iterable[Span]) -> set[int]:
        """The numbers of the statements that one of these places asks."""
        return {number for span in spans for own, number in self._spans.get(span.path, ()) if span.start < own.end and own.start < span.end}
