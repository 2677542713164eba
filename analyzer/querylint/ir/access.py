"""One contact with the database: which table, by which way, how much, and what comes back."""

from __future__ import annotations

from enum import Enum

from querylint.construction import dataclass
from querylint.ir.value import Origin, Value
from querylint.text import Span


class Op(Enum):
    """What an access does to stored data."""

    READ = "read"
    WRITE = "write"


class Bound(Enum):
    """How many rows an access may hand out."""

    ONE = "one"
    LIMIT = "limit"
    PAGE = "page"
    ALL = "all"


class Terminal(Enum):
    """What the caller gets."""

    ROW = "row"
    ROWS = "rows"
    PAGE = "page"
    COUNT = "count"
    EXISTS = "exists"
    NOTHING = "nothing"


class Way(Enum):
    """How the rows are reached.

    KEY by primary key, INDEX through a named index, SCAN over the whole table, SEARCH and VECTOR through such an index, PLANNER where
    the database picks the index by itself, OPAQUE where the source does not say.
    """

    KEY = "key"
    INDEX = "index"
    SCAN = "scan"
    SEARCH = "search"
    VECTOR = "vector"
    PLANNER = "planner"
    OPAQUE = "opaque"


class Relation(Enum):
    """How a field is compared. SEARCH looks for a text or a member in it, ANY is a disjunction (see `Predicate.arms`), OTHER whatever no
    index range can express.
    """

    EQ = "="
    NE = "!="
    LT = "<"
    LTE = "<="
    GT = ">"
    GTE = ">="
    IN = "in"
    SEARCH = "search"
    ANY = "or"
    OTHER = "other"

    @property
    def ranged(self) -> bool:
        """Whether it bounds a range of an ordered index."""
        return self in (Relation.LT, Relation.LTE, Relation.GT, Relation.GTE)


class Side(Enum):
    """Who applies a predicate: the index range, the database's filter, or memory after the load."""

    INDEX = "index"
    FILTER = "filter"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition on a row. `field` is None where it cannot be named; `conditional` says that only some paths apply it.

    `defaulted` says that a default stands for the field where it is missing (`row.status ?? "active"`) and may meet the condition, `dated`
    that the field is read as a date first (`new Date(row.at)`): a range does the same where all rows write it in one form. For
    Relation.ANY, `arms` holds the alternatives, each a conjunction. `spelled` is a text that the database compares with something else
    than a field of the row; `named` is what the program works the name of the field out of, where it does.
    """

    field: str | None
    relation: Relation
    side: Side
    value: Value | None = None
    conditional: bool = False
    arms: tuple[tuple[Predicate, ...], ...] = ()
    span: Span | None = None
    defaulted: bool = False
    dated: bool = False
    spelled: str = ""
    named: Value | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The order that was asked for: fields in turn (empty for the order of the walked index), and whether it runs downward."""

    fields: tuple[str, ...] = ()
    descending: bool = False


class Loading(Enum):
    """How related rows come along with the rows of a read: in the same query by a join, or by one query more for all of them."""

    JOINED = "joined"
    BATCHED = "batched"


@dataclass(frozen=True, slots=True)
class Eager:
    """Related rows that a read loads besides its own.

    `path` are the relations from a row on; the last of them may be a property that keeps what it works out, whose value the read brings
    in its place. `to` is the name under which they are kept where that is not the relation's own; `narrowed`
    says that only some of the related rows come along, by a condition of their own. `span` is where it is asked for.
    """

    path: tuple[str, ...]
    loading: Loading
    to: str | None = None
    narrowed: bool = False
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One way in which an access may run. `index` is None for the table's own order or where the name is not a constant (`named` False).

    `eager` are the relations that come along; `whole` says that all relations of one row come along with it. `columns` are the only
    ones that are loaded, None for all; `deferred` those that are left out. Both hold paths with dots. `grouped` says that what comes back
    are groups of rows, for which the database goes through all that match, `locked` that nobody else may change the rows from then on.
    """

    way: Way
    index: str | None = None
    predicates: tuple[Predicate, ...] = ()
    order: Order | None = None
    named: bool = True
    ranged: bool = False
    span: Span | None = None
    eager: tuple[Eager, ...] = ()
    columns: tuple[str, ...] | None = None
    deferred: tuple[str, ...] = ()
    whole: bool = False
    grouped: bool = False
    locked: bool = False

    def fixed(self) -> tuple[str, ...]:
        """Fields that the index range binds by equality, in the order written."""
        return tuple(p.field for p in self.predicates if p.side is Side.INDEX and p.relation is Relation.EQ and p.field)

    def residual(self) -> tuple[Predicate, ...]:
        """Conditions that the database applies to every row it has already read."""
        return tuple(p for p in self.predicates if p.side is Side.FILTER)


@dataclass(frozen=True, slots=True)
class Access:
    """One read or write, as it stands in one function.

    `table` is None where it is unknown; `table_from` then says which parameter carries its name, or in which loop each round is about
    another one. `plans` has several members where branches build the query differently. `span` is the terminal expression, `chain` the
    stretch from the start of the query to its end. `deps` are the steps whose results it needs, `guards` those that decide whether it runs
    at all. `base` is set where the query was handed in by a caller or a callee. `verb` is the operation in the source's own word. `fields`
    are those that a write sets, when they can be read off, `constants` those among them whose value is written down, `sources` the places
    that the values of others were taken from as they are, `worked_out` the steps that had a hand in the values of the rest, `longer` the
    lists whose members, all of them and more, others get. `rerun_of` is a read that has run the very same query object before.

    `follows` is set where a relation of a row is followed: the origin of the row, and the relation as the last segment of its path.
    `refined` says that the query asks for other rows than the relation as it is, so that rows which were loaded ahead do not serve it.
    `kept` says that the result stays with an object that was made outside of the loops around: another round that asks it reads nothing.
    `held` says that the query object is an attribute of something: whoever else asks that attribute has the rows, too. `memoized` says that
    it runs only where a memory of the program lacks its result, which is then put there: whoever asks again for the same reads nothing.
    `until` says that it hands out row after row until enough have passed what the loop over them tests, all of them where few do.
    """

    id: int
    op: Op
    verb: str
    table: str | None
    plans: tuple[Plan, ...]
    bound: Bound
    terminal: Terminal
    span: Span
    chain: Span
    deps: frozenset[int] = frozenset()
    guards: frozenset[int] = frozenset()
    limit: Value | None = None
    table_from: Origin | None = None
    base: Origin | None = None
    key: Value | None = None
    fields: tuple[str, ...] | None = None
    fragile: bool = False
    rerun_of: int | None = None
    follows: Origin | None = None
    refined: bool = False
    kept: bool = False
    constants: tuple[tuple[str, object], ...] = ()
    sources: tuple[tuple[str, tuple[Origin, ...]], ...] = ()
    held: bool = False
    memoized: bool = False
    worked_out: tuple[tuple[str, frozenset[int]], ...] = ()
    longer: tuple[tuple[str, tuple[Origin, ...]], ...] = ()
    until: bool = False

    @property
    def reads(self) -> bool:
        """Whether it reads."""
        return self.op is Op.READ

    @property
    def related(self) -> bool:
        """Whether it reads a relation of a row as it is: what rows bring along may serve it."""
        return self.follows is not None and not self.refined

    @property
    def by_key(self) -> bool:
        """Whether it reads one row by its primary key."""
        return bool(self.plans) and all(p.way is Way.KEY for p in self.plans)
