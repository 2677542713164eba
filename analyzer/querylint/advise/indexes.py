"""Who reads by which index, and which of them would notice if a longer index took its place (convex-facts 2.4, 2.5, 2.10)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from functools import cached_property

from querylint.advise.audience import unasked
from querylint.advise.grammar import meant
from querylint.advise.trace import Fate, fate
from querylint.construction import dataclass
from querylint.ir import (
    Access,
    Bound,
    Call,
    Escape,
    Function,
    Index,
    IndexKind,
    Mode,
    Op,
    Plan,
    Program,
    Relation,
    Role,
    Root,
    Schema,
    Side,
    Table,
    Terminal,
    Way,
    Work,
)  # fmt: skip

CHOOSING = frozenset((Way.INDEX, Way.SEARCH, Way.VECTOR))
POSITIONAL = frozenset((Work.FIRST, Work.LAST, Work.SLICE, Work.PICK))
GATHERING = frozenset((Work.SORT, Work.COUNT, Work.EMPTY, Work.SOME, Work.EVERY, Work.FOLD, Work.GROUP, Work.DISTINCT, Work.MEMBER))


class Need(IntEnum):
    """What the order of creation among rows with equal keys means to a reader: nothing, how a list is shown, or which rows it gets."""

    NONE = 0
    SHOWN = 1
    DECIDES = 2


@dataclass(frozen=True, slots=True)
class User:
    """One read by an index. `order` is what the order of its rows means to it, `need` what that of rows with equal keys does."""

    function: Function
    access: Access
    plan: Plan
    need: Need
    order: Need


@dataclass(frozen=True, slots=True)
class Standing:
    """One declared index: its readers, whether others may choose it by a name that nobody sees, and the longer ones that begin with it."""

    schema: Schema
    table: Table
    index: Index
    users: tuple[User, ...]
    indirect: bool
    covers: tuple[Index, ...]

    @property
    def dead(self) -> bool:
        """Whether nothing can read by it."""
        return not self.users and not self.indirect

    @property
    def need(self) -> Need:
        """The strongest need among its readers."""
        return max((user.need for user in self.users), default=Need.NONE)


def standings(program: Program) -> dict[tuple[str, str, str], Standing]:
    """Every index that somebody wrote down in a schema whose code is known, by root, table and name."""
    return program.once("standings", lambda: _standings(program))


def _standings(program: Program) -> dict[tuple[str, str, str], Standing]:
    readers = _Readers(program)
    found: dict[tuple[str, str, str], Standing] = {}
    for root, schema in sorted(program.schemas.items()):
        if root not in readers.roots or schema.facts.planner:
            continue
        for table in schema.tables.values():
            if not table.indexes_known or table.library is not None:
                continue
            for index in table.indexes:
                if not index.implicit and not index.staged and index.span is not None:
                    users = tuple(readers.of(root, table, index))
                    hidden = schema.handed or index.name in program.words or readers.unnamed(root, table)
                    found[root, table.name, index.name] = Standing(schema, table, index, users, hidden, tuple(_covers(table, index)))
    return found


def written(program: Program, standing: Standing) -> bool:
    """Whether code that somebody runs adds rows to the table of an index, or changes them: only then does the index cost a write."""
    return (standing.schema.root, standing.table.name) in program.once("written tables", lambda: _written(program))


def _written(program: Program) -> frozenset[tuple[str, str]]:
    live = ((site.function, access) for site, access in program.writes() if access.verb != "delete" and site.function.role is Role.CODE)
    return frozenset((f.root, a.table) for f, a in live if a.table is not None and not unasked(program, f))


def covering(program: Program, standing: Standing) -> Standing | None:
    """The index that would serve all the readers of this one: in use itself, the shortest that is not covered in turn."""
    known = standings(program)
    others = [known.get((standing.schema.root, standing.table.name, cover.name)) for cover in standing.covers]
    alive = [other for other in others if other is not None and not other.dead]
    return next((other for other in alive if not other.covers), alive[-1] if alive else None)


def leaning(program: Program, standing: Standing) -> Standing | None:
    """For an index that nobody reads by: the shorter one in use that only it covers. One of the two is enough."""
    for other in standings(program).values():
        if other.table is standing.table and standing.index in other.covers and not other.dead and covering(program, other) is None:
            return other
    return None


def _covers(table: Table, index: Index) -> Iterator[Index]:
    """Indexes that find by equality whatever this one finds, the shortest first; of two equal ones the first declared stays."""
    if index.kind is not IndexKind.ORDERED or not index.fields:
        return
    earlier = True
    longer: list[Index] = []
    for other in table.indexes:
        if other is index:
            earlier = False
        elif other.kind is not IndexKind.ORDERED or other.staged or other.implicit or other.fields[: len(index.fields)] != index.fields:
            continue
        elif len(other.fields) > len(index.fields) or earlier:
            longer.append(other)
    yield from sorted(longer, key=lambda i: len(i.fields))


class _Readers:
    """All reads by an index, sorted by root and table. `roots` are those whose code reads or writes; a library may use the others."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.roots: set[str] = set()
        self.named: dict[str, list[tuple[Function, Access, Plan]]] = {}
        self._meaning: dict[tuple[str, str], list[tuple[Index | None, Function, Access, Plan]]] = {}
        self.nameless: list[tuple[str, str | None]] = []
        finished = {p.span for _, a in program.accesses(Op.READ) for p in a.plans if p.span is not None}
        for function in program.functions.values():
            for step in function.steps():
                if isinstance(step, Access):
                    self.roots.add(function.root)
                    self._add(function, step, step.plans)
            for query in function.built:
                self._add(function, query, tuple(p for p in query.plans if p.span not in finished))

    @cached_property
    def _by_table(self) -> dict[tuple[str, str], list[tuple[str, Function, Access, Plan]]]:
        found: dict[tuple[str, str], list[tuple[str, Function, Access, Plan]]] = {}
        for name, reads in self.named.items():
            for function, access, plan in reads:
                if access.table is not None:
                    found.setdefault((function.root, access.table), []).append((name, function, access, plan))
        return found

    def _add(self, function: Function, access: Access, plans: tuple[Plan, ...]) -> None:
        for plan in plans:
            if plan.index is not None:
                self.named.setdefault(plan.index, []).append((function, access, plan))
            elif plan.way in CHOOSING and function.role is not Role.TEST:
                self.nameless.append((function.root, access.table))

    def of(self, root: str, table: Table, index: Index) -> Iterator[User]:
        """The reads by one index."""
        for function, access, plan in (*self.named.get(index.name, ()), *self._misspelled(root, table, index)):
            if access.table in (None, table.name) and (function.root == root or function.root not in self.program.schemas):
                order = order_need(self.program, function, access, plan)
                yield User(function, access, plan, order if access.table is None or ties(plan, table, index) else Need.NONE, order)

    def _misspelled(self, root: str, table: Table, index: Index) -> Iterator[tuple[Function, Access, Plan]]:
        """The reads that mean the index by a name which the table has not: they read by it once the name is right."""
        if (root, table.name) not in self._meaning:
            tail = self.program.schemas[root].tail
            known = {one.name for one in table.indexes}
            self._meaning[root, table.name] = [
                (meant(plan, table, tail), function, access, plan)
                for name, function, access, plan in self._by_table.get((root, table.name), ())
                if name not in known
            ]
        for one, function, access, plan in self._meaning[root, table.name]:
            if one is index:
                yield function, access, plan

    def unnamed(self, root: str, table: Table) -> bool:
        """Whether some read of the table chooses its index while it runs."""
        return any(r == root and name in (None, table.name) for r, name in self.nameless)


def order_need(program: Program, function: Function, access: Access, plan: Plan) -> Need:
    """What the order of its rows means to a read."""
    if any(p.field == "_creationTime" and p.side is Side.INDEX for p in plan.predicates):
        return Need.DECIDES
    if not plan.named or access.table is None:
        return Need.DECIDES
    if access.verb == "unique" or access.terminal in (Terminal.COUNT, Terminal.EXISTS):
        return Need.NONE
    if access.terminal is Terminal.NOTHING or plan.order is not None or access.bound is Bound.PAGE:
        return Need.DECIDES
    rows = fate(program, function, access)
    if rows.truncated:
        return Need.DECIDES
    if access.bound is not Bound.ALL:
        tested = access.bound is Bound.ONE and not rows.fields and access.id not in _handed(function)
        return Need.NONE if not rows.whole and (tested or _clears(program, function, access, rows)) else Need.DECIDES
    return _shown(function, access, rows)


def _handed(function: Function) -> frozenset[int | str]:
    """The steps whose results go back to the caller, whole or in part."""
    return frozenset(o.origin.ref for o in function.outflows if o.how is Escape.RETURNED and o.origin.root is Root.STEP)


def _clears(program: Program, function: Function, access: Access, rows: Fate) -> bool:
    """Whether a batch of rows is only looked up or deleted by id, so that any other batch would do as well."""
    if set(rows.fields) != {"_id"}:
        return False
    verbs: set[str] = set()
    for step in function.steps():
        if isinstance(step, Access) and step.op is Op.WRITE:
            mine = step.key is not None and access.id in step.key.deps
            verbs.add(step.verb if mine or step.verb == "delete" else "")
        elif isinstance(step, Call) and access.id in step.deps:
            verbs.add("call" if step.mode is not Mode.DIRECT or program.callee(function, step) is not None else "")
    return verbs - {""} == {"delete"}


def ties(plan: Plan, table: Table, index: Index) -> bool:
    """Whether several rows with equal keys are likely, so that the time of creation puts them in order."""
    if not plan.named or any(p.field == "_creationTime" and p.side is Side.INDEX for p in plan.predicates):
        return True
    fixed = {p.field for p in plan.predicates if p.side is Side.INDEX and p.relation is Relation.EQ and not p.conditional}
    loose = [name for name in index.fields if name not in fixed]
    if not loose:
        return True
    last = table.field(loose[-1])
    return last is None or "." in loose[-1] or last.type not in ("number", "int64")


def _shown(function: Function, access: Access, rows: Fate) -> Need:
    """What becomes of the order of a whole list."""
    if any(seen.use.work in POSITIONAL and not _sorted(rows, seen.function, seen.use.after) for seen in rows.uses):
        return Need.DECIDES
    if any(seen.use.work is Work.FIND for seen in rows.uses):
        return Need.SHOWN
    if any(not _sorted(rows, left.function, left.outflow.after) for left in rows.whole):
        return Need.SHOWN
    mine = [o for o in function.outflows if o.how is Escape.RETURNED and o.origin.root is Root.STEP and o.origin.ref == access.id]
    if (rows.public or rows.subscribers) and any(not _sorted(rows, function, o.after) for o in mine):
        return Need.SHOWN
    summed = any(seen.use.work in GATHERING for seen in rows.uses)
    return Need.SHOWN if access.id in function.returns.deps and not summed else Need.NONE


def _sorted(rows: Fate, function: Function, after: tuple[int, ...]) -> bool:
    """Whether the rows were put into another order, or lost theirs, before."""
    works = {seen.use.id: seen.use.work for seen in rows.uses if seen.function.key == function.key}
    return any(works.get(number) in GATHERING for number in after)
