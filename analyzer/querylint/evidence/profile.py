"""What was measured, joined to what was found: which functions cost how much, and which findings lie on their way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum

from querylint.construction import dataclass, replace
from querylint.evidence.budget import Budget, Excess
from querylint.evidence.measures import Measured, Name
from querylint.evidence.placing import Place, Shape, Sites, places, stored
from querylint.evidence.reading import Evidence
from querylint.evidence.statements import Asked
from querylint.ir import Call, Function, Mode, Program
from querylint.rule import Finding, Severity

CONFLICTS = "contention"
"""The pattern of findings about transactions that meet."""
WORD = re.compile(r"\w+")


class Order(Enum):
    """By what functions and findings are ranked: the time of all runs, the documents read by all runs, the calls, the 95th percentile."""

    TIME = "time"
    DOCUMENTS = "documents"
    CALLS = "calls"
    P95 = "p95"


KEYS: Mapping[Order, Callable[[Measured], float]] = {
    Order.TIME: lambda m: m.total,
    Order.DOCUMENTS: lambda m: m.documents or 0,
    Order.CALLS: lambda m: m.calls,
    Order.P95: lambda m: m.p95,
}


@dataclass(frozen=True, slots=True)
class Attributed:
    """A finding, and the measured functions in whose runs it lies, the dearest first, or the statements that its places ask."""

    finding: Finding
    functions: tuple[Measured, ...] = ()
    statements: tuple[Asked, ...] = ()

    def cost(self, order: Order) -> float:
        """What all of these cost together; of percentiles, the worst."""
        costs = [*map(KEYS[order], self.functions), *map(OF_STATEMENTS[order], self.statements)]
        return max(costs, default=0.0) if order is Order.P95 else sum(costs)


@dataclass(frozen=True, slots=True)
class Located:
    """A statement of the database, and the places of the program that may have asked it: none where it is not known."""

    asked: Asked
    places: tuple[Place, ...]


OF_STATEMENTS: Mapping[Order, Callable[[Asked], float]] = {
    Order.TIME: lambda s: s.total,
    Order.DOCUMENTS: lambda s: s.examined or s.rows or 0,
    Order.CALLS: lambda s: s.calls,
    Order.P95: lambda s: s.p95 if s.p95 is not None else s.mean,
}


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another run, that this one is compared with: the same functions and statements, as far as they were measured there."""

    evidence: Evidence
    functions: Mapping[Name, Measured]
    statements: Mapping[str, Asked]


def earlier(evidence: Evidence) -> Earlier:
    """A run to compare with."""
    return Earlier(evidence, {m.name: m for m in evidence.measured() if m.ran}, {s.text: s for s in evidence.asked()})


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that a report of it needs.

    `functions` are those of the project and `foreign` those that the logs name and the project does not have, both the dearest first.
    `attributed` are findings with their functions, `unseen` those in functions that the logs do not show, `apart` those that belong to no
    function (an index, a setting). `twice` are functions whose name several backends of the project have. `statements` are those of a SQL
    database, the dearest first. `total` and `asked` are the milliseconds of all runs and of all statements together; the time of a run that
    another has started is within the time of that. `partial` says that only findings of a part of the project are looked at. `earlier` is
    what this is compared with.
    """

    evidence: Evidence
    order: Order
    functions: tuple[Measured, ...]
    foreign: tuple[Measured, ...]
    attributed: tuple[Attributed, ...]
    unseen: tuple[Finding, ...]
    apart: tuple[Finding, ...]
    excess: tuple[Excess, ...]
    twice: tuple[str, ...]
    statements: tuple[Located, ...]
    total: float
    asked: float
    partial: bool = False
    earlier: Earlier | None = None

    @property
    def calls(self) -> int:
        """All calls of all functions, those of others included."""
        return sum(m.calls for m in (*self.functions, *self.foreign))

    def share_of(self, statement: Asked) -> float:
        """What part of the time of all statements one takes, in percent."""
        return 100 * statement.total / self.asked if self.asked else 0.0

    def share(self, functions: Iterable[Measured]) -> float:
        """What part of the time these functions take, in percent."""
        return min(100 * sum(m.total for m in functions) / self.total, 100.0) if self.total else 0.0


def joined(
    evidence: Evidence, program: Program, findings: Sequence[Finding], budget: Budget, order: Order, wanted: Callable[[str], bool],
    shape: Callable[[str], Shape | None],
) -> Profile:  # fmt: skip
    """Join what was measured to a program and what was found in it.

    `wanted` says of a file whether it is one that the user asks about, `shape` of a statement of SQL what it asks.
    """
    measured = {m.name: m for m in evidence.measured()}
    owners = _owners(program, measured, wanted)
    statements = _located(evidence, program, order, shape)
    sites = Sites(one.places for one in statements)
    running = _running(program, owners)
    attributed, unseen, apart = [], [], []
    for finding in findings:
        here = [measured[name] for name in running.get(finding.found.function, ())]
        spans = [finding.found.span, *(point.span for point in finding.found.trail)]
        asked = [statements[number].asked for number in sorted(sites.touched(spans))]
        if here or asked:
            attributed.append(Attributed(_borne_out(finding, here), tuple(_ranked(here, order)), tuple(asked)))
        elif finding.found.function in program.functions:
            unseen.append(finding)
        else:
            apart.append(finding)
    ranked = _ranked(measured.values(), order)
    return Profile(
        evidence,
        order,
        tuple(m for m in ranked if m.name in owners),
        tuple(m for m in ranked if m.name not in owners),
        tuple(sorted(attributed, key=lambda a: (-a.cost(order), -a.finding.severity.rank, _place(a.finding)))),
        tuple(unseen),
        tuple(apart),
        tuple(budget.exceeded(ranked, (one.asked for one in statements))),
        tuple(str(name) for name, keys in owners.items() if len(keys) > 1),
        statements,
        sum(max(m.total - m.nested, 0.0) if m.nested else m.total for m in ranked),
        sum(one.asked.total for one in statements),
        not all(wanted(function.path) for function in program.functions.values()),
    )


def _borne_out(finding: Finding, functions: Iterable[Measured]) -> Finding:
    """A finding about conflicts, no longer a hint where the logs tell of conflicts over that table, which the code does not show."""
    found = finding.found
    if finding.pattern != CONFLICTS or finding.severity is not Severity.INFO or found.table is None:
        return finding
    if not any(m.met_over(found.table) for m in functions):
        return finding
    return replace(finding, severity=Severity.WARNING, found=replace(found, because=""))


def _located(evidence: Evidence, program: Program, order: Order, shape: Callable[[str], Shape | None]) -> tuple[Located, ...]:
    statements = sorted(evidence.asked(), key=lambda s: (-OF_STATEMENTS[order](s), s.text))
    tables = {stored(table) for schema in program.schemas.values() for table in schema.tables.values()}
    asked = (s for s in statements if not tables.isdisjoint(WORD.findall(s.text.lower())))
    shapes = {s.text: known for s in asked if (known := shape(s.text)) is not None}
    found = places(program, shapes) if shapes else {}
    return tuple(Located(s, found.get(s.text, ())) for s in statements)


def _owners(program: Program, measured: Iterable[Name], wanted: Callable[[str], bool]) -> dict[Name, frozenset[str]]:
    """The functions of the program that bear each measured name, those that are asked about before others of several backends.

    Functions of components bear their names inside of these, and are left out.
    """
    routes: dict[str, list[Function]] = {}
    for function in program.functions.values():
        for name in (function.route, *function.endpoints):
            if name is not None:
                routes.setdefault(name, []).append(function)
    owners = {name: routes[name.function] for name in measured if not name.component and name.function in routes}
    return {name: frozenset(f.key for f in [f for f in own if wanted(f.path)] or own) for name, own in owners.items()}


def _running(program: Program, owners: Mapping[Name, frozenset[str]]) -> dict[str, list[Name]]:
    """The measured functions in whose runs each function of the program runs.

    What a query or a mutation calls, by `ctx.runQuery` too, is part of its transaction. What an action calls so runs by itself, and so does
    what anybody schedules: the logs tell of these runs, too, and the time of an action is that of everything it waits for.
    """
    found: dict[str, list[Name]] = {}
    for name, keys in owners.items():
        for key in frozenset().union(*(_in_one_run(program, key) for key in keys)):
            found.setdefault(key, []).append(name)
    return found


def _in_one_run(program: Program, entry: str) -> set[str]:
    modes = (Mode.DIRECT, Mode.QUERY, Mode.MUTATION) if program.functions[entry].kind.transactional else (Mode.DIRECT,)
    seen, waiting = {entry}, [entry]
    while waiting:
        function = program.functions[waiting.pop()]
        called = [program.callees.get((function.key, s.id)) for s in function.steps() if isinstance(s, Call) and s.mode in modes]
        for key in (*called, function.wrapper):
            if key is not None and key in program.functions and key not in seen:
                seen.add(key)
                waiting.append(key)
    return seen


def _ranked(functions: Iterable[Measured], order: Order) -> list[Measured]:
    return sorted(functions, key=lambda m: (-KEYS[order](m), -len(m.insights), str(m.name)))


def _place(finding: Finding) -> tuple[str, int, str]:
    return finding.found.span.path, finding.found.span.start, finding.rule
