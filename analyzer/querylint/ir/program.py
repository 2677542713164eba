"""The whole program, linked: functions, schemas, who calls whom."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TypeVar, cast

from querylint.construction import dataclass
from querylint.ir.access import Access, Op, Predicate
from querylint.ir.code import Block, Branch, Call, Function, Kind, Loop, Mode, Step, Wait
from querylint.ir.schema import Facts, Schema, Table
from querylint.ir.value import Origin, Root
from querylint.text import Span

UNDECLARED = Facts()
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Edge:
    """One call that is known to reach a function of the program."""

    caller: str
    call: Call
    callee: str


@dataclass(frozen=True, slots=True)
class Effect:
    """An access that calling a function brings about: where it lies, and the calls that lead there from that function.

    `certain` says that no choice on the way may pass it by.
    """

    function: str
    access: Access
    trail: tuple[Edge, ...] = ()
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote call that calling a function brings about: where it stands, and the calls in place that lead there."""

    function: str
    call: Call
    trail: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A step in its place: the loops around it from outer to inner, its rank in the order of the source, and the choices it hangs on.

    `arms` are the (branch, arm) pairs that lead to it: two sites exclude one another when they sit in different arms of one branch.
    """

    function: Function
    step: Step
    loops: tuple[Loop, ...]
    rank: int
    arms: tuple[tuple[int, int], ...]
    handled: bool = False


@dataclass(slots=True)
class Sites:
    """All steps of one function in their places."""

    all: list[Site] = field(default_factory=list)
    by_id: dict[int, Site] = field(default_factory=dict)
    waits: dict[int, list[Site]] = field(default_factory=dict)

    def of(self, origin: Origin) -> Site | None:
        """The step that an origin comes from, None for anything but a step of the function: parameters have numbers of their own."""
        return self.by_id.get(origin.ref) if origin.root is Root.STEP and isinstance(origin.ref, int) else None


@dataclass(frozen=True, slots=True)
class Program:
    """What rules ask.

    `callers` and `callees` are the call graph; `effects` the accesses that a call of a function brings about, its own first; `remotes`
    the remote calls that it leads to without leaving its place; `outside` the functions that wait for outside code; `throws` the
    functions that may end by an error of their own; `reached` the registered functions (entries) that lead to each function. `words`
    are names of indexes that the code may choose by indirectly; `rows` the table sizes that the user stated; `mentioned` the routes (and
    the keys of helpers) that the code names, called or not, `manual` those that its comments tell people to run by hand. `narrowed` is
    what a call brings about where its arguments keep it from the rest; `unasked` the parts of files that no call reaches with its
    arguments. `memo` keeps what planners have worked out already.
    """

    functions: Mapping[str, Function] = field(default_factory=dict)
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    callees: Mapping[tuple[str, int], str] = field(default_factory=dict)
    callers: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)
    effects: Mapping[str, tuple[Effect, ...]] = field(default_factory=dict)
    remotes: Mapping[str, tuple[Remote, ...]] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()
    throws: frozenset[str] = frozenset()
    reached: Mapping[str, frozenset[str]] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    rows: Mapping[str, int] = field(default_factory=dict)
    mentioned: frozenset[str] = frozenset()
    manual: frozenset[str] = frozenset()
    narrowed: Mapping[tuple[str, int], tuple[Effect, ...]] = field(default_factory=dict)
    unasked: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    _sites: dict[str, Sites] = field(default_factory=dict, compare=False, repr=False)
    _accesses: dict[Op, list[tuple[Site, Access]]] = field(default_factory=dict, compare=False, repr=False)
    memo: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def once(self, key: object, make: Callable[[], T]) -> T:
        """What `make` gives, worked out the first time that this key is asked for."""
        if key not in self.memo:
            self.memo[key] = make()
        return cast("T", self.memo[key])

    def sites(self, key: str) -> Sites:
        """The steps of a function in their places."""
        found = self._sites.get(key)
        if found is None:
            found = self._sites[key] = _place(self.functions[key])
        return found

    def accesses(self, op: Op) -> list[tuple[Site, Access]]:
        """Every access of one kind."""
        found = self._accesses.get(op)
        if found is None:
            found = self._accesses[op] = [
                (site, site.step)
                for key in self.functions
                for site in self.sites(key).all
                if isinstance(site.step, Access) and site.step.op is op
            ]
        return found

    def reads(self, root: str | None = None) -> Sequence[tuple[Site, Access]]:
        """Every read of the program, or of the functions of one root."""
        return self.accesses(Op.READ) if root is None else self._by_root(Op.READ).get(root, ())

    def writes(self, root: str | None = None) -> Sequence[tuple[Site, Access]]:
        """Every write of the program, or of the functions of one root."""
        return self.accesses(Op.WRITE) if root is None else self._by_root(Op.WRITE).get(root, ())

    def reads_of(self, root: str, table: str | None) -> Sequence[tuple[Site, Access]]:
        """The reads of one table by the functions of a root."""
        return self._by_table(Op.READ).get((root, table), ())

    def writes_of(self, root: str, table: str | None) -> Sequence[tuple[Site, Access]]:
        """The writes of one table by the functions of a root."""
        return self._by_table(Op.WRITE).get((root, table), ())

    def _by_root(self, op: Op) -> dict[str, list[tuple[Site, Access]]]:
        return self.once(("accesses by root", op), lambda: _grouped(self.accesses(op), lambda site, _: site.function.root))

    def _by_table(self, op: Op) -> dict[tuple[str, str | None], list[tuple[Site, Access]]]:
        return self.once(
            ("accesses by table", op), lambda: _grouped(self.accesses(op), lambda site, access: (site.function.root, access.table))
        )

    def calls(self) -> Iterator[tuple[Site, Call]]:
        """Every call of the program."""
        return iter(self.once("every call", self._calls))

    def _calls(self) -> list[tuple[Site, Call]]:
        return [(site, site.step) for key in self.functions for site in self.sites(key).all if isinstance(site.step, Call)]

    def callee(self, function: Function, call: Call) -> Function | None:
        """The function that a call reaches, if it is known."""
        key = self.callees.get((function.key, call.id))
        return self.functions.get(key) if key is not None else None

    def schema(self, function: Function) -> Schema | None:
        """The schema that governs a function's accesses."""
        return self.schemas.get(function.root)

    def facts(self, function: Function) -> Facts:
        """What is true of the stack by which a function reaches its database."""
        schema = self.schema(function)
        if schema is None:
            return UNDECLARED
        return schema.dialect(function.key, function.path).facts if schema.others else schema.facts

    def table(self, function: Function, name: str | None) -> Table | None:
        """A table, as a function's schema declares it."""
        schema = self.schema(function)
        return schema.tables.get(name) if schema is not None and name is not None else None

    def effects_of(self, function: Function, call: Call) -> tuple[Effect, ...]:
        """What a call does to the database."""
        key = self.callees.get((function.key, call.id))
        narrowed = self.narrowed.get((function.key, call.id))
        return narrowed if narrowed is not None else self.effects.get(key, ()) if key is not None else ()

    def asked(self, span: Span) -> bool:
        """Whether some call may reach a place: not where it hangs on an argument that nobody gives."""
        return not any(part.covers(span) for part in self.unasked.get(span.path, ()))

    def applied(self, predicates: Iterable[Predicate]) -> bool:
        """Whether some call may apply one of some conditions: not where all hang on arguments that nobody gives."""
        given = list(predicates)
        return not given or any(p.span is None or self.asked(p.span) for p in given)

    def named(self, function: Function) -> bool:
        """Whether the code names a function somewhere, be it to call it, to schedule it, or to hand it on."""
        return function.key in self.mentioned or (function.route is not None and function.route in self.mentioned)

    def entries(self, key: str) -> tuple[Function, ...]:
        """The registered functions that lead to a function, itself included where it is one."""
        return tuple(self.functions[k] for k in sorted(self.reached.get(key, ())))

    def hosts(self, key: str) -> tuple[Function, ...]:
        """The registered functions in whose own run a function runs, itself where it is one: those that call it in place."""
        return self.once(("hosts", key), lambda: self._hosts(key))

    def _hosts(self, key: str) -> tuple[Function, ...]:
        found: dict[str, Function] = {}
        stack, seen = [key], {key}
        while stack:
            here = self.functions[stack.pop()]
            if here.kind not in (Kind.PLAIN, Kind.MODULE):
                found[here.key] = here
                continue
            for edge in self.callers.get(here.key, ()):
                if edge.call.mode is Mode.DIRECT and edge.caller not in seen:
                    seen.add(edge.caller)
                    stack.append(edge.caller)
        return tuple(found[k] for k in sorted(found))


def _grouped(accesses: Iterable[tuple[Site, Access]], by: Callable[[Site, Access], K]) -> dict[K, list[tuple[Site, Access]]]:
    found: dict[K, list[tuple[Site, Access]]] = {}
    for site, access in accesses:
        found.setdefault(by(site, access), []).append((site, access))
    return found


def _place(function: Function) -> Sites:
    sites = Sites()
    _walk(function, function.body, (), (), False, sites)
    return sites


def _walk(
    function: Function, block: Block, loops: tuple[Loop, ...], arms: tuple[tuple[int, int], ...], handled: bool, sites: Sites
) -> None:
    for step in block:
        site = Site(function, step, loops, len(sites.all), arms, handled)
        sites.all.append(site)
        number = getattr(step, "id", None)
        if number is not None:
            sites.by_id[number] = site
        if isinstance(step, Wait):
            for on in step.on:
                sites.waits.setdefault(on, []).append(site)
        elif isinstance(step, Loop):
            _walk(function, step.body, (*loops, step), arms, handled, sites)
        elif isinstance(step, Branch):
            for number, arm in enumerate(step.arms):
                _walk(function, arm, loops, (*arms, (site.rank, number)), handled or (step.handler and number > 0), sites)


def place(span: Span) -> str:
    """Path and line, for messages."""
    return f"{span.path}:{span.line}"
