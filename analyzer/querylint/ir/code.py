"""What a function does with the database, in the order in which it does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from enum import Enum
from typing import Union

from querylint.construction import dataclass
from querylint.ir.access import Access, Predicate
from querylint.ir.case import Case, Handed
from querylint.ir.value import Origin, Path, Value
from querylint.text import Span


class Work(Enum):
    """What memory does to rows that were loaded.

    MEMBER is a test of membership, GROUP a mapping from keys to rows or totals, DISTINCT a list in which each value stands once.
    """

    FILTER = "filter"
    FIND = "find"
    SOME = "some"
    EVERY = "every"
    SORT = "sort"
    SLICE = "slice"
    FIRST = "first"
    LAST = "last"
    PICK = "pick"
    COUNT = "count"
    EMPTY = "empty"
    FOLD = "fold"
    GROUP = "group"
    DISTINCT = "distinct"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Use:
    """Work in memory on values that came from a read, a call or a parameter.

    `fields` are those of a row that decide (the sort key, the field summed). `after` are the works already done on the same value. `start`
    and `size` are the bounds of a SLICE, `size` the number that a COUNT is compared with; `descending` is the direction of a
    SORT, None where it cannot be read off. `distinct` says of a COUNT that equal values count once, `extreme` of a FOLD that it keeps the
    greatest or the least value.
    """

    id: int
    work: Work
    of: tuple[Origin, ...]
    span: Span
    predicates: tuple[Predicate, ...] = ()
    fields: tuple[str, ...] = ()
    after: tuple[int, ...] = ()
    size: Value | None = None
    start: Value | None = None
    conditional: bool = False
    deps: frozenset[int] = frozenset()
    descending: bool | None = None
    distinct: bool = False
    extreme: bool = False


class TargetKind(Enum):
    """What a callee's name refers to."""

    FUNCTION = "function"
    ROUTE = "route"
    PARAM = "param"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a call reaches: a function by module and qualified name, a registered function by its route, a parameter, or outside code."""

    kind: TargetKind
    module: str = ""
    name: str = ""


class Mode(Enum):
    """How a call is carried out: in place; by a remote call of its own; handed to a scheduler."""

    DIRECT = "direct"
    QUERY = "query"
    MUTATION = "mutation"
    ACTION = "action"
    SCHEDULE = "schedule"
    SUBSCRIBE = "subscribe"

    @property
    def remote(self) -> bool:
        """Whether it waits for another function to run elsewhere."""
        return self in (Mode.QUERY, Mode.MUTATION, Mode.ACTION)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may matter: of a project function, of a registered function, or of outside code.

    `deps` are the steps that its arguments need, `guards` those that decide whether it runs at all. `detached` says that it is reached only
    where no transaction is open, `caught` that the round of the loop around it goes on when it fails. `kept` says that the result is kept:
    whoever asks again with the same arguments, or the same object, runs nothing. `handed` is what is written down of the arguments, None
    where it cannot be told which is which. `rows` is the table whose rows it gives back for these arguments, where that is known: its
    callee may serve many. `ahead` are relations that are loaded for the rows that it gives back before the function goes on with them.
    """

    id: int
    target: Target
    mode: Mode
    args: tuple[Value, ...]
    span: Span
    text: str
    deps: frozenset[int] = frozenset()
    guards: frozenset[int] = frozenset()
    fragile: bool = False
    detached: bool = False
    caught: bool = False
    kept: bool = False
    handed: tuple[Handed, ...] | None = None
    rows: str | None = None
    ahead: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """The function stands still until these steps have finished."""

    on: frozenset[int]
    span: Span


class LoopKind(Enum):
    """How the rounds of a loop follow one another.

    EACH one item after the other; GATHER all items at once; WHILE until a condition; ONCE a block that runs once at its own pace
    (an async closure, a `.then`, what is done with each event of a stream); CALLBACK as often as the function that it is handed to
    pleases (`Loop.handed`: the call's number and the position of the argument).
    """

    EACH = "each"
    GATHER = "gather"
    WHILE = "while"
    ONCE = "once"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class Carried:
    """A variable that one round hands to the next: its pseudo step number, and the steps that decide its next value. `rows` are the lists
    whose rows, or some of their columns, it holds one for one, where it is a collection that the rounds change."""

    id: int
    name: str
    deps: frozenset[int]
    rows: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """Code that runs once per item or until a condition.

    `over` is what it runs over; `constant` says that the author wrote its length down, `limit` how many rounds there are at most where that
    is known. `carried` are the variables handed from round to round; `control` the steps that decide whether another round runs.
    `counted` marks a plain progression of an index, `strided` one that takes several items at a time, or asks another database in
    each round. The item of a loop is the origin of `over` with the path segment for items. `detached` marks code that is only kept to be
    called some day (a callback in an object that is handed to outside code). `kept` says that what all its rounds make is kept for whoever
    asks next, for a minute or longer, `seeks` that no further round runs once one has given what is looked for (`any(...)`).
    `arriving` says that the items come in one after the other, from a stream that is no query.
    """

    id: int
    kind: LoopKind
    body: Block
    span: Span
    over: Value | None = None
    over_text: str = ""
    constant: bool = False
    limit: int | None = None
    carried: tuple[Carried, ...] = ()
    control: frozenset[int] = frozenset()
    counted: bool = False
    strided: bool = False
    handed: tuple[int, int] | None = None
    detached: bool = False
    guards: frozenset[int] = frozenset()
    kept: bool = False
    seeks: bool = False
    arriving: bool = False

    def steps(self) -> Iterator[Step]:
        """Every step of a round, outer before inner, in the order of the source."""
        return _walk(self.body)


class Ask(Enum):
    """What a condition asks: whether a parameter is true, equals a constant, holds one, is one of several; or what others ask."""

    TRUE = "true"
    EQUAL = "equal"
    HOLDS = "holds"
    AMONG = "among"
    NOT = "not"
    ALL = "all"
    ANY = "any"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition on the parameters of a function as they came in: constants that callers hand over may decide it.

    `param` is the position of the parameter, `constants` what it is compared with, `of` the conditions that this one joins or denies.
    """

    ask: Ask
    param: int = -1
    constants: tuple[object, ...] = ()
    of: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A choice between blocks; `on` are the steps that the condition needs.

    `handler` marks the arm of an error handler; `missing` says that the first arm is taken where something is not there (null, false,
    empty), `special` that it is taken only for one constant, such as one status among others. `asked` is what must hold of the parameters
    for the first of two arms, None where the condition does not ask for them. `enough` are the places of counts of which each takes the
    first arm as soon as it reaches its number, whatever else the condition asks.
    """

    arms: tuple[Block, ...]
    on: frozenset[int]
    span: Span
    handler: bool = False
    missing: bool = False
    special: bool = False
    asked: Asked | None = None
    enough: tuple[Span, ...] = ()


class ExitKind(Enum):
    """How a block is left early."""

    RETURN = "return"
    THROW = "throw"
    BREAK = "break"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Exit:
    """The block is left here. `deps` are the steps that the returned value needs; `most` members it has at most; `answer` is its truth."""

    kind: ExitKind
    span: Span
    deps: frozenset[int] = frozenset()
    most: int | None = None
    answer: bool | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """The current time is read; of it no more is used than the day where it is `daily`."""

    id: int
    span: Span
    daily: bool = False


Step = Union[Access, Call, Wait, Loop, Branch, Exit, Use, Clock]
Block = tuple[Step, ...]


class Kind(Enum):
    """What a function is to the platform. JOB is started by a schedule, at a terminal, or by nothing in sight: nobody waits for it."""

    QUERY = "query"
    MUTATION = "mutation"
    ACTION = "action"
    HTTP = "http"
    CLIENT = "client"
    JOB = "job"
    PLAIN = "plain"
    MODULE = "module"

    @property
    def transactional(self) -> bool:
        """Whether the whole function is one transaction of the database."""
        return self in (Kind.QUERY, Kind.MUTATION)


class Role(Enum):
    """What a file is for; little is said of code that users never wait for."""

    CODE = "code"
    TEST = "test"
    SEED = "seed"
    MIGRATION = "migration"
    SCRIPT = "script"


class Escape(Enum):
    """How rows leave the reach of the analysis, whole."""

    RETURNED = "returned"
    PASSED = "passed"
    STORED = "stored"


@dataclass(frozen=True, slots=True)
class Outflow:
    """Something taken from an origin leaves whole; `span` is where, `after` are the works done on it before (`Use.id`)."""

    origin: Origin
    how: Escape
    span: Span
    after: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """One function, method, handler or the top level of a module.

    `key` names it in the whole program (module path, two colons, qualified name); `name` is what its author calls it. `route` is the name
    by which remote callers reach it, `endpoints` are the requests that do (`POST /hook`). `touched` are the parts of values that it looks
    at, `outflows` what leaves it whole.
    `root` is the folder of the schema that governs its accesses. `wrapper` is the key of the function that runs before it on every call.
    `built` are queries that it hands to a caller or a callee to finish. `cached` says that its answer is kept for whoever
    asks next. `cases` are the parts of it that its parameters alone decide. `ahead` are relations that it loads for rows of its parameters
    (by their numbers) before it goes on with them. `keyed` are lists that are gone through once, to be put into a map by a field: rows are
    then looked up in it. `handed` says that it is written where a call of the module takes it as an argument: whoever is called runs it, as
    a library runs its callbacks. `transactions` are the parts of it that run in one transaction each, which it opens itself.
    """

    key: str
    name: str
    path: str
    kind: Kind
    params: tuple[str, ...]
    body: Block
    returns: Value
    span: Span
    public: bool = False
    route: str | None = None
    root: str = ""
    role: Role = Role.CODE
    touched: tuple[Origin, ...] = ()
    outflows: tuple[Outflow, ...] = ()
    wrapper: str | None = None
    built: tuple[Access, ...] = ()
    cached: bool = False
    cases: tuple[Case, ...] = ()
    ahead: tuple[tuple[int, Path], ...] = ()
    keyed: tuple[tuple[Origin, str], ...] = ()
    handed: bool = False
    endpoints: tuple[str, ...] = ()
    transactions: tuple[Span, ...] = ()
    _steps: tuple[Step, ...] | None = field(default=None, init=False, compare=False, repr=False)
    _own_steps: tuple[Step, ...] | None = field(default=None, init=False, compare=False, repr=False)

    def steps(self) -> tuple[Step, ...]:
        """Every step, outer before inner, in the order of the source."""
        found = self._steps
        if found is None:  # all that looks at a program goes through the steps of its functions again and again
            found = tuple(_walk(self.body))
            object.__setattr__(self, "_steps", found)
        return found

    def own_steps(self) -> tuple[Step, ...]:
        """Every step that runs when the function is called: not those in code that it only keeps for later."""
        found = self._own_steps
        if found is None:
            found = self.steps()
            if any(isinstance(step, Loop) and step.detached for step in found):
                found = tuple(_walk(self.body, detached=False))
            object.__setattr__(self, "_own_steps", found)
        return found


def _walk(block: Block, *, detached: bool = True) -> Iterator[Step]:
    found: list[Step] = []
    _gather(block, found, detached)
    return iter(found)


def _gather(block: Block, found: list[Step], detached: bool) -> None:
    """A list, since generators within generators hand every step up through all the blocks around it."""
    for step in block:
        found.append(step)
        if isinstance(step, Loop):
            if detached or not step.detached:
                _gather(step.body, found, detached)
        elif isinstance(step, Branch):
            for arm in step.arms:
                _gather(arm, found, detached)
