# long: values and the ways in which they join are read as one list
"""What the walk over a function knows of a value while it runs it in thought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass, replace
from querylint.ir import ITEM, NOT_LITERAL, Origin, Plan, Relation, Root, Value
from querylint.text import Span

if TYPE_CHECKING:
    from querylint.frontends.flow.scope import Scope
    from querylint.syntax import tree

NO_STEPS: frozenset[int] = frozenset()
FLATTEN_DEPTH = 4
MOST_ORIGINS = 12
MOST_TEXTS = 6
MOST_SPREAD = 8
MOST_NESTED = 6
TEXT = "text"
"""The marker of a text that is put together: `data` holds what it may be, with a hole for every part that is known only at run time."""
LOADER = "loader"  # a marker whose data add up: one of several options asks for what each of them does


@dataclass(slots=True, frozen=True)
class Condition:
    """One comparison of something with something: the raw material of predicates. `arms` are the alternatives of a disjunction."""

    origin: Origin | None
    relation: Relation
    other: Val | None
    conditional: bool = False
    arms: tuple[tuple[Condition, ...], ...] = ()
    at: int = 0
    end: int = 0
    defaulted: bool = False
    dated: bool = False


@dataclass(slots=True, frozen=True)
class Record:
    """An object with known fields; `rest` is what was spread into it, `size` how many fields its type names, where that is all of them."""

    fields: dict[str, Val]
    rest: tuple[Val, ...] = ()
    size: int | None = None


@dataclass(slots=True, frozen=True)
class Many:
    """A collection: an array, set, map or iterator over `item`; `items` are its members one by one where they are written down.

    `keyed` says that it is a map, whose `item` is what it maps to; `most` is how many members it has at most, where that is written down.
    `names` are the names that members in their places have besides, as those of a row of a cursor do. `key` is what a map maps from, where
    that is known. `filled` are the loops whose rounds put something into it; `mixed` that it holds more than what its value came from.
    `made_of` are the lists for each of whose rows it holds something that was worked out of it, whose origins are lost. `cut` is the number
    of members to which a longer list was cut.
    """

    item: Val
    items: tuple[Val, ...] | None = None
    keyed: bool = False
    distinct: bool = False
    most: int | None = None
    names: tuple[str, ...] = ()
    key: Val | None = None
    filled: frozenset[int] = NO_STEPS
    mixed: bool = False
    made_of: tuple[Origin, ...] = ()
    cut: int | None = None


@dataclass(slots=True, frozen=True)
class Closure:
    """A function of this module with the variables around it.

    `name` is set where it is declared at the top of a module, `label` where a variable of a function holds it.
    """

    fn: tree.Fn
    scope: Scope | None
    path: str = ""
    name: str = ""
    this: Val | None = None
    label: str = ""


OUTSIDE = -1
"""How many loops are around the place where a query began that the function around has made: fewer than any place of the inner one."""


@dataclass(slots=True, frozen=True)
class Query:
    """A query being built. `plans` are alternatives; `at` and `end` are where it begins and ends.

    `follows` is the relation of a row that it asks for, `refined` whether it asks for more than that. `yields` says what its rows are: rows
    of the table (empty), or in the vocabulary's own word something made of them. `columns` are the columns then chosen; `cut` that a
    slice bounds it. `made` is where it was begun, if in another function; `cls` the class of the query object, if the project has one;
    `born` the loops around its place, or OUTSIDE. `unsure`: by a method that cannot be read, `held`: in an attribute, `manager`: where
    queries begin.
    `ran` are the rows that it keeps, where a function has run it before it gave it back, or the function around this one.
    """

    table: str | None
    plans: tuple[Plan, ...]
    at: int
    end: int
    table_from: Origin | None = None
    base: Origin | None = None
    flavor: str = ""
    deps: frozenset[int] = NO_STEPS
    one: bool = False
    limit: Val | None = None
    follows: Origin | None = None
    refined: bool = False
    yields: str = ""
    columns: tuple[str, ...] = ()
    cut: bool = False
    made: Span | None = None
    cls: ClassRef | None = None
    born: int = 0
    unsure: bool = False
    held: bool = False
    manager: bool = False
    ran: Val | None = None


@dataclass(slots=True, frozen=True)
class Marker:
    """A value that only a vocabulary understands: a context, a database handle, a reference to a function. `data` is the vocabulary's."""

    kind: str
    data: tuple[str, ...] = ()
    inner: Val | None = None


THERE = "there"
"""The marker of a value of which nothing is known but that it is there: it is not null, and what would stand in for it is not asked for."""

EVERYTHING = "everything"
"""The marker of a collection that holds whatever is looked for in it: under each name the member of what it is the inside of."""


@dataclass(slots=True, frozen=True)
class External:
    """Something imported from outside the project: the package and the name."""

    source: str
    name: str


@dataclass(slots=True, frozen=True)
class Space:
    """A module of the project as a value (`import * as ns`)."""

    path: str


@dataclass(slots=True, frozen=True)
class ClassRef:
    """A class of the project; `instance` for an object of it."""

    path: str
    name: str
    instance: bool = False


@dataclass(slots=True, frozen=True)
class Parts:
    """What a function gives back that holds functions: `fn` where it is one itself, `fields` by name where it is an object of some."""

    fn: tree.Fn | None
    fields: Mapping[str, Parts]


@dataclass(slots=True, frozen=True)
class Made:
    """What a call of a function has made: a function, or an object that holds some; each is a function of a module, by a name of its own.

    `given` is what the functions around were handed, which comes before the arguments of its own.
    """

    path: str
    name: str
    parts: Parts = field(compare=False)
    given: tuple[Val, ...] = ()


@dataclass(slots=True, frozen=True)
class OneOf:
    """One of several functions, classes or objects of classes, all of a kind: which one, only the run decides."""

    members: tuple[Shape, ...]


Shape = Record | Many | Closure | Query | Marker | External | Space | ClassRef | Made | OneOf | None


@dataclass(slots=True, frozen=True)
class Val:
    """What is known of a value.

    `origins` is where it was taken from, `deps` every step that had a hand in it, `pending` the steps that must finish before it is there.
    `works` are the works in memory already done on it, `conditions` what it tests where it is a truth value. `id_of` and `doc_of` name the
    table whose id or document it is. `default` is the constant that stands for it where it is not there (`value ?? 0`); UNDEFINED says that
    something stands for it that is no constant.
    """

    origins: tuple[Origin, ...] = ()
    deps: frozenset[int] = NO_STEPS
    pending: frozenset[int] = NO_STEPS
    literal: object = NOT_LITERAL
    shape: Shape = None
    works: tuple[int, ...] = ()
    conditions: tuple[Condition, ...] = ()
    id_of: str | None = None
    doc_of: str | None = None
    type: str = ""
    default: object = NOT_LITERAL

    @property
    def interesting(self) -> bool:
        """Whether anything is known of where it comes from."""
        return bool(self.origins or self.shape)

    def with_deps(self, deps: frozenset[int]) -> Val:
        """The same value, with more steps behind it."""
        if deps <= self.deps:
            return self
        # Spelled out: `replace` is several times slower, and this is the busiest place of the walk.
        return Val(
            self.origins, both(self.deps, deps), self.pending, self.literal, self.shape, self.works, self.conditions, self.id_of,
            self.doc_of,
            self.type,
        )  # fmt: skip

    def with_pending(self, steps: frozenset[int]) -> Val:
        """The same value, there only when these steps have finished."""
        return self if steps <= self.pending else replace(self, pending=self.pending | steps)

    def settled(self) -> Val:
        """The value that a promise of it resolves to."""
        if not self.pending:
            return self
        return Val(
            self.origins, self.deps, NO_STEPS, self.literal, self.shape, self.works, self.conditions, self.id_of, self.doc_of, self.type
        )

    def item(self) -> Val:
        """An element of it."""
        if isinstance(self.shape, Many) and (self.shape.item.interesting or not self.origins):
            item = self.shape.item.with_deps(self.deps)
            return replace(item, works=(*self.works, *(w for w in item.works if w not in self.works))) if self.works else item
        origins = tuple(o.at(ITEM) for o in self.origins if len(o.path) < FLATTEN_DEPTH * 2)
        return Val(origins, self.deps, works=self.works, id_of=self.id_of, doc_of=self.doc_of)

    @property
    def most(self) -> int | None:
        """How many members it has at most, where that is written down and nothing was read into it."""
        return self.shape.most if isinstance(self.shape, Many) and not self.origins else None

    @property
    def rows(self) -> tuple[Origin, ...]:
        """The collections that it is, or whose rows it holds one for one: `rows.map((r) => ({ ...r, author }))` is still those rows."""
        if self.origins or not isinstance(self.shape, Many):
            return self.origins
        item = self.shape.item
        inner = [item, *item.shape.rest] if isinstance(item.shape, Record) else [item]
        found = [replace(o, path=o.path[:-1]) for part in inner for o in part.origins if o.path and o.path[-1] == ITEM]
        return tuple(dict.fromkeys((*found, *self.shape.made_of)))

    @property
    def columns_of(self) -> tuple[Origin, ...]:
        """The one collection of whose rows each member is made, as a tuple or dictionary of their columns; else what `rows` says."""
        item = self.shape.item.shape if isinstance(self.shape, Many) else None
        parts = item.items or () if isinstance(item, Many) else tuple(item.fields.values()) if isinstance(item, Record) else ()
        if self.rows or not parts or (isinstance(item, Record) and item.rest):
            return self.rows
        found = {replace(o, path=o.path[: o.path.index(ITEM)]) if ITEM in o.path else None for part in parts for o in part.origins}
        return tuple(o for o in found if o is not None) if len(found) == 1 and all(part.origins for part in parts) else ()

    @property
    def done(self) -> tuple[int, ...]:
        """The works that its members have been through, or the rows that these are made of."""
        item = self.item()
        if item.works or not isinstance(item.shape, Record) or not item.shape.rest:
            return item.works or self.works
        made = next((part.works for part in item.shape.rest if part.works), ())
        return (*made, *(w for w in self.works if w not in made)) if made else self.works

    def worked(self, use: int) -> Val:
        """The same value after one more work."""
        return replace(self, works=(*self.works, use))


NOTHING = Val()
EITHER = Marker("either")
"""One of too many functions or classes, no matter which: as good as none."""
FUNCTION, CLASS, OBJECT = "function", "class", "object"
FUNCTIONS = ("function", "made", "ref")  # the markers of something that can be called
MOST_FUNCTIONS = 24
"""So many functions or classes a value may be one of; each of them is walked where one of them is called."""


def is_there(value: Val) -> bool:
    """Whether a value is certain not to be null."""
    return isinstance(value.shape, Marker) and value.shape.kind == THERE


def inside_of(value: Val) -> Val | None:
    """What a collection that holds whatever is looked for (`EVERYTHING`) is the inside of; None for any other value."""
    return value.shape.inner if isinstance(value.shape, Marker) and value.shape.kind == EVERYTHING else None


def literal(value: object) -> Val:
    """A constant."""
    return Val(literal=value)


def derived(*parts: Val) -> Val:
    """A value computed from others: it keeps the steps behind them, not their origins."""
    deps: frozenset[int] = NO_STEPS
    for part in parts:
        deps = both(deps, part.deps)
    return Val(deps=deps)


def of_one_row(key: Val) -> bool:
    """Whether the key of a map is that of a row: what the map holds there is about that row alone."""
    return any(origin.path[-1:] == ("_id",) for origin in key.origins)


def worked_out(value: Val, number: int) -> bool:
    """Whether a value, or a part of it, was worked out of what a loop hands out, by the loop's number, so that its origins are lost."""
    shape = value.shape
    if isinstance(shape, Record):
        return any(worked_out(v, number) for v in (*shape.fields.values(), *shape.rest))
    if isinstance(shape, Many) and not value.origins:
        return any(worked_out(v, number) for v in shape.items or (shape.item,))
    return shape is None and not value.origins and value.literal is NOT_LITERAL and number in value.deps


_SETS: dict[frozenset[int], frozenset[int]] = {NO_STEPS: NO_STEPS}
MOST_SETS = 50_000


def alone(number: int) -> frozenset[int]:
    """The set of one step."""
    found = frozenset((number,))
    return _SETS.setdefault(found, found) if len(_SETS) < MOST_SETS else _SETS.get(found, found)


def both(some: frozenset[int], others: frozenset[int]) -> frozenset[int]:
    """Steps of two sets. Functions count their steps alike: one set serves in the place of all that are equal to it."""
    if some is others or not others:
        return some
    if not some:
        return others
    found = some | others
    known = _SETS.get(found)
    if known is not None:
        return known
    if len(_SETS) < MOST_SETS:
        _SETS[found] = found
    return found


def many(items: tuple[Val, ...] | None, item: Val | None = None, *, keyed: bool = False) -> Val:
    """A collection made here."""
    inner = item if item is not None else join_all(items or ())
    deps = inner.deps
    for part in items or ():
        deps = both(deps, part.deps)
    return Val(deps=deps, shape=Many(inner, items, keyed, most=len(items) if items is not None else None))


def join_all(values: tuple[Val, ...] | list[Val]) -> Val:
    """What a value may be when it is one of several."""
    result = values[0] if values else NOTHING
    for value in values[1:]:
        result = join(result, value)
    return result


def join(left: Val, right: Val) -> Val:
    """What a value may be when it is one of two."""
    if left is right:
        return left
    origins = left.origins if left.origins == right.origins else tuple(dict.fromkeys((*left.origins, *right.origins)))[:MOST_ORIGINS]
    return Val(
        origins,
        both(left.deps, right.deps),
        left.pending | right.pending,
        left.literal if left.literal == right.literal and type(left.literal) is type(right.literal) else NOT_LITERAL,
        join_shapes(left, right),
        left.works if left.works == right.works else tuple(dict.fromkeys((*left.works, *right.works))),
        left.conditions if left.conditions == right.conditions else (),
        left.id_of or right.id_of,
        left.doc_of or right.doc_of,
        left.type or right.type,
        left.default if left.default is not NOT_LITERAL else right.default,
    )


def join_shapes(left: Val, right: Val) -> Shape:
    """The shape of one of two values; a value with nothing known (null, undefined) adds nothing."""
    a, b = left.shape, right.shape
    if a is None or b is None:
        known, other = (a, right) if b is None else (b, left)
        if isinstance(known, Many) and ((known.most == 0 and other.literal is NOT_LITERAL) or (known.items is None and other.origins)):
            return replace(
                known, items=None, most=None, cut=None, names=(), mixed=known.mixed or known.most != 0
            )  # `found or []`, `rows[:5] if short else rows`
        if isinstance(known, Many) and known.cut is not None and other.literal is NOT_LITERAL:
            return replace(known, cut=None)
        return known
    if a == b:
        return a
    if a is EITHER or b is EITHER:
        return EITHER
    kind = _kind(a)
    if kind and kind == _kind(b):
        if kind == OBJECT and (left.doc_of is not None or right.doc_of is not None):
            return None  # a row of one of two tables is of neither
        some = _members(a)
        members = (*some, *(member for member in _members(b) if member not in some))
        return OneOf(members) if len(members) <= MOST_FUNCTIONS else EITHER
    if isinstance(a, ClassRef) and isinstance(b, ClassRef):
        return None
    if isinstance(a, Record) and isinstance(b, Record):
        fields = dict(a.fields)
        for name, value in b.fields.items():
            fields[name] = join(fields[name], value) if name in fields else value
        return Record(fields, together(a.rest, b.rest))
    if isinstance(a, Many) and isinstance(b, Many):
        most = max(a.most, b.most) if a.most is not None and b.most is not None else None
        mixed = a.mixed or b.mixed or (bool(left.origins) is not bool(right.origins) and 0 not in (a.most, b.most))
        items = _side_by_side(a, b)
        return Many(join(a.item, b.item), items, a.keyed or b.keyed, most=most, key=a.key or b.key, filled=a.filled | b.filled, mixed=mixed)
    if isinstance(a, Query) and isinstance(b, Query):
        return join_queries(a, b)
    if isinstance(a, Marker) and isinstance(b, Marker) and a.kind == b.kind:
        return join_markers(a, b)
    return a if isinstance(a, Query | Many | Record) else b


def is_function(shape: Shape) -> bool:
    """Whether something is a function that the walk knows, one of several, or a reference to one."""
    return _kind(shape) == FUNCTION


def _kind(shape: Shape) -> str:
    """Of what kind something is that may be one of several; empty for what may not."""
    if isinstance(shape, OneOf):
        shape = shape.members[0]
    if isinstance(shape, ClassRef):
        return OBJECT if shape.instance else CLASS
    if isinstance(shape, Marker):
        return FUNCTION if shape.kind in FUNCTIONS else ""
    return FUNCTION if isinstance(shape, Closure) or (isinstance(shape, Made) and shape.parts.fn is not None) else ""


def _members(shape: Shape) -> tuple[Shape, ...]:
    return shape.members if isinstance(shape, OneOf) else (shape,)


def either_of(value: Val) -> tuple[Val, ...]:
    """What a value is one of, if it is one of several; else itself."""
    shape = value.shape
    return tuple(replace(value, shape=member) for member in shape.members) if isinstance(shape, OneOf) else (value,)


def last_of(value: Val) -> Val:
    """A value as the last of the functions that it may be, for who cannot tell several apart."""
    return either_of(value)[-1]


def either_way(value: Val) -> Val:
    """A value that may be another one, if it is a truth value: somebody else may have put the opposite where it comes from."""
    return replace(value, literal=NOT_LITERAL) if isinstance(value.literal, bool) else value


def _side_by_side(a: Many, b: Many) -> tuple[Val, ...] | None:
    """The members of one of two tuples of a kind (`return rows, True` here, `return others, False` there), each in its place."""
    if a.items is None or b.items is None or not 1 < len(a.items) == len(b.items) <= MOST_SPREAD or a.keyed or b.keyed:
        return None
    return None if a.filled or b.filled else tuple(join(one, other) for one, other in zip(a.items, b.items, strict=True))


def together(some: tuple[Val, ...], others: tuple[Val, ...]) -> tuple[Val, ...]:
    """What was spread into an object in one of two ways.

    Beyond a few values it is one value that may be any of them: an object that each of many branches fills further would double at each.
    """
    if not others or some is others:
        return some
    every = (*some, *(v for v in others if v not in some))
    return every if len(every) <= MOST_SPREAD else (join_all(every),)


def nested(value: Val, levels: int = MOST_NESTED) -> Val:
    """A value that is put into an object, without what it is made of where that is nested too deep to matter.

    An object that is written into one of its own parts, once in each of many branches, would be twice as large after every one.
    """
    return value if _within(value, levels) else replace(value, shape=None)


def _within(value: Val, levels: int) -> bool:
    shape = value.shape
    if isinstance(shape, Record):
        return levels > 0 and all(_within(v, levels - 1) for v in (*shape.fields.values(), *shape.rest))
    if isinstance(shape, Many):
        return levels > 0 and all(_within(v, levels - 1) for v in shape.items or (shape.item,))
    return True


def join_markers(a: Marker, b: Marker) -> Marker:
    """A text that is one of several, or two values that are of one kind all the same."""
    if a.kind == TEXT:
        return Marker(TEXT, tuple(dict.fromkeys((*a.data, *b.data)))[:MOST_TEXTS])
    if a.kind == LOADER:
        return Marker(LOADER, ("", *dict.fromkeys((*a.data[1:], *b.data[1:]))))
    if a.data == b.data and a.inner is not None and b.inner is not None:
        return replace(a, inner=join(a.inner, b.inner))
    return b if a.inner is None or a.data != b.data else a


SEVERAL_TABLES = Origin(Root.OUTER, "several tables")
"""What names the table of a query that may be one of several."""


def join_queries(a: Query, b: Query) -> Query:
    """A query that one of two branches built: the same beginning with a filter more, or another way altogether."""
    if a.unsure is not b.unsure and a.table == b.table:
        return b if a.unsure else a  # of two ways one can be read: it is a way all the same
    some = [q for q in (a, b) if q.limit is None or q.limit.literal != 0] or [a]
    if len(some) == 1:
        return replace(some[0], deps=both(a.deps, b.deps))  # the other one is none at all
    plans: list[Plan] = list(a.plans)
    for plan in b.plans:
        twin = next((n for n, p in enumerate(plans) if (p.way, p.index, p.fixed()) == (plan.way, plan.index, plan.fixed())), None)
        if twin is None:
            plans.append(plan)
        else:
            plans[twin] = _merge(plans[twin], plan)
    table = a.table if a.table == b.table else None
    several = a.table is not None and b.table is not None and table is None
    begun = bool(a.end and b.end) or a.made is not None or b.made is not None  # else one was handed over: both begin where they go on
    return replace(
        a, table=table, plans=tuple(plans[:8]), at=min(a.at, b.at) if begun else 0, end=max(a.end, b.end) if begun else 0,
        deps=both(a.deps, b.deps), one=a.one and b.one, refined=a.refined or b.refined, cut=a.cut and b.cut,
        limit=a.limit if a.limit == b.limit else None, held=a.held or b.held, ran=None,
        table_from=SEVERAL_TABLES if several else a.table_from or b.table_from,
    )  # fmt: skip


def _merge(a: Plan, b: Plan) -> Plan:
    known = {(p.field, p.relation, p.side, p.span) for p in a.predicates}
    others = {(p.field, p.relation, p.side, p.span) for p in b.predicates}
    kept = tuple(p if (p.field, p.relation, p.side, p.span) in others else replace(p, conditional=True) for p in a.predicates)
    new = tuple(replace(p, conditional=True) for p in b.predicates if (p.field, p.relation, p.side, p.span) not in known)
    columns = a.columns if a.columns == b.columns else None
    eager = (*a.eager, *(e for e in b.eager if e not in a.eager))
    return replace(a, predicates=(*kept, *new), order=a.order or b.order, eager=eager, columns=columns, whole=a.whole or b.whole)


def lowered(value: Val, text: str = "") -> Value:
    """The value as the shared language has it: flat, with the path of every part that came from somewhere."""
    parts: dict[tuple[tuple[str, ...], Origin], None] = {}
    _flatten(value, (), parts, 0)
    return Value(tuple(parts), value.deps, value.literal, text, value.most or None, isinstance(value.shape, Many) and value.shape.mixed)


def _flatten(value: Val, path: tuple[str, ...], parts: dict[tuple[tuple[str, ...], Origin], None], depth: int) -> None:
    for origin in value.origins:
        parts[(path, origin)] = None
    if depth > FLATTEN_DEPTH or len(parts) > 200:
        return
    shape = value.shape
    if isinstance(shape, Record):
        for name, inner in shape.fields.items():
            _flatten(inner, (*path, name), parts, depth + 1)
        for inner in shape.rest:
            _flatten(inner, path, parts, depth + 1)
    elif isinstance(shape, Many) and not value.origins:
        for inner in shape.items or (shape.item,):
            _flatten(inner, (*path, ITEM), parts, depth + 1)
