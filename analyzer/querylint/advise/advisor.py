"""The index advice for every table: which indexes to keep, to add and to drop, so that the fewest serve every query, and the proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from querylint.advise import demands
from querylint.advise.audience import left_alone
from querylint.advise.cover import Cover, Key, cover, key_for, serves
from querylint.advise.demands import Demand, Doing
from querylint.advise.indexes import Standing, standings
from querylint.advise.naming import index_name
from querylint.advise.neglect import Neglect, neglecting
from querylint.advise.planned import Shadowed, shadowed
from querylint.advise.planning import planner_demands
from querylint.advise.stacks import declaring
from querylint.construction import dataclass
from querylint.ir import Index, IndexKind, Program, Role, Schema, Table

MOST_FIELDS = {"convex": 15}
"""How many declared fields an index may have: 16 with the one that Convex appends (convex-facts 2.7), 32 columns in PostgreSQL."""
MOST_COLUMNS = 32
MOST_INDEXES = {"convex": 32}
"""How many indexes a table may have, search and vector indexes included (convex-facts 2.7)."""


Keys = Mapping[str, tuple[str, ...]]
"""Names of indexes and their fields."""


LEAVING = frozenset((Doing.FILTERS, Doing.SORTS))


class Verdict(Enum):
    """What to do with an index."""

    KEEP = "keep"
    ADD = "add"
    DROP = "drop"


class Why(Enum):
    """Why an index is kept or dropped where no query says so."""

    QUERIES = "queries"
    CONSTRAINT = "constraint"
    HIDDEN = "hidden"
    UNCLEAR = "unclear"
    STAGED = "staged"
    KIND = "kind"
    PLANNER = "planner"
    UNUSED = "unused"
    COVERED = "covered"


@dataclass(frozen=True, slots=True)
class IndexAdvice:
    """What to do with one index, standing or new.

    `serves` are the queries that it serves once the advice is followed. `replaces` are the names of dropped indexes whose readers move to
    it; `covered_by` the names of the indexes to which the readers of a dropped one move. `passing` says that all its readers are queries
    that other indexes are there for: once these are changed, nothing reads by it. `could` is a query that filters now and then by what a
    dropped index has, and that nothing else serves: it may read by the index, which then stays. `readers` are the queries that read by a
    dropped index today.
    """

    verdict: Verdict
    name: str
    fields: tuple[str, ...]
    why: Why
    index: Index | None = None
    serves: tuple[Demand, ...] = ()
    replaces: tuple[str, ...] = ()
    covered_by: tuple[str, ...] = ()
    passing: bool = False
    could: Neglect | None = None
    readers: tuple[Demand, ...] = ()


@dataclass(frozen=True, slots=True)
class Writes:
    """What indexes cost: the places that write rows of the table, those that set a field of an added index, entries before and after.

    `aside` are places in seeds, migrations, tests and functions that nothing leads to; `unclear` those that write to a table which cannot
    be told, so that it may be this one.
    """

    places: int
    touching: int
    before: int
    after: int
    aside: int = 0
    unclear: int = 0


@dataclass(frozen=True, slots=True)
class TableAdvice:
    """The advice for one table.

    `demands` are the queries that indexes are chosen for, `spare` those that alone are not worth one, `over` those for which the platform
    has no room. `apart` are queries of which no two can share an index; `least` says that the number is proven to be the smallest.
    `reordered` is the number that would do if the queries bound their equalities in another order.
    """

    schema: Schema
    table: Table
    indexes: tuple[IndexAdvice, ...]
    demands: tuple[Demand, ...]
    spare: tuple[Demand, ...]
    over: tuple[Demand, ...]
    apart: tuple[Demand, ...]
    least: bool
    reordered: int
    writes: Writes

    @property
    def paths(self) -> frozenset[str]:
        """The files that declare the table or ask it."""
        spans = [self.table.span, *(i.index.span for i in self.indexes if i.index is not None)]
        asked = (d.span.path for d in (*self.demands, *self.spare, *(d for i in self.indexes for d in i.serves)))
        return frozenset((*(span.path for span in spans if span is not None), *asked))

    @property
    def waiting(self) -> tuple[tuple[Demand, IndexAdvice], ...]:
        """The queries that could read by an index that stays, and do not yet. A database that picks its indexes does so by itself."""
        if self.schema.facts.planner:
            return ()
        kept = (i for i in self.indexes if i.verdict is Verdict.KEEP)
        return tuple((d, i) for i in kept for d in i.serves if d.doing is not Doing.READS and d in self.demands)

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return any(i.verdict is not Verdict.KEEP for i in self.indexes)


def advice(program: Program, *, every: bool = False) -> Mapping[tuple[str, str], TableAdvice]:
    """The advice for every table whose indexes are known, by root and table; `every` serves also what alone is not worth an index."""
    return program.once(("index advice", every), lambda: _advice(program, every))


def _advice(program: Program, every: bool) -> dict[tuple[str, str], TableAdvice]:
    asked = {place: list(found) for place, found in demands.named(program).items()}
    for place, more in planner_demands(program).items():
        asked.setdefault(place, []).extend(more)
    standing: dict[tuple[str, str], list[Standing]] = {}
    for (root, name, _), one in standings(program).items():
        standing.setdefault((root, name), []).append(one)
    shadows: dict[tuple[str, str], list[Shadowed]] = {}
    for shadow in shadowed(program):
        shadows.setdefault((shadow.root, shadow.table.name), []).append(shadow)
    found = {}
    for root, schema in sorted(program.schemas.items()):
        for name, table in schema.tables.items():
            if not table.indexes_known or table.library is not None:
                continue
            mine = list(demands.each(asked.get((root, name), [])))
            desk = _Desk(
                program, declaring(program, schema, name), table, mine, standing.get((root, name), []), shadows.get((root, name), [])
            )
            made = desk.advice(every=every)
            if made.indexes or made.spare or made.over:
                found[root, name] = made
    return found


def _unknown_writes(program: Program) -> Mapping[str, int]:
    """By root, how many writes there are of which nobody knows what they write to."""
    return Counter(site.function.root for site, access in program.writes() if access.table is None and site.function.role is not Role.TEST)


class _Desk:
    """One table on its way to its advice."""

    def __init__(
        self, program: Program, schema: Schema, table: Table, asked: list[Demand], standing: list[Standing], shadows: list[Shadowed]
    ) -> None:
        self.program = program
        self.schema = schema
        self.table = table
        self.asked = asked
        self.standing = {one.index.name: one for one in standing}
        self.shadows = {one.index.name: one for one in shadows}
        self.fixed = {index.name: why for index in table.indexes if (why := self._fixed(index)) is not None}

    def advice(self, *, every: bool) -> TableAdvice:
        """The advice for the table."""
        longest = MOST_FIELDS.get(self.schema.stack, MOST_COLUMNS)
        over = [d for d in self.asked if len(d.shape.equal) + len(set(d.shape.then) - set(self.schema.tail)) > longest]
        open_ = [d for d in self.asked if d not in over and not self._given(d)]
        idle = [one.index for one in self.standing.values() if one.dead and one.index.name not in self.fixed]
        wanted = [d for d in open_ if d.worth or (d.always and (every or any(serves(self._key(index.fields), d.shape) for index in idle)))]
        found = self._cover(wanted)
        if every:
            wanted = [*wanted, *self._choices(open_, [c.key for c in found.chosen])]
            found = self._cover(wanted)
        room = MOST_INDEXES.get(self.schema.stack)
        if room is not None and len(found.chosen) + len(self.fixed) > room:
            wanted, over = self._squeezed(wanted, over, room)
            found = self._cover(wanted)
        indexes = self._indexes(found, wanted)
        keys = [self._key(i.fields) for i in indexes if i.verdict is not Verdict.DROP]
        spare = [d for d in open_ if d not in wanted and not any(serves(key, d.shape) for key in keys)]
        shapes = {d.shape: d for d in reversed(wanted)}
        return TableAdvice(
            self.schema,
            self.table,
            indexes,
            tuple(wanted),
            tuple(spare),
            tuple(over),
            tuple(shapes[s] for s in found.apart),
            found.least,
            len(cover([d.loose for d in wanted]).chosen),
            self._writes(indexes),
        )

    # What stays whatever the queries say.

    def _fixed(self, index: Index) -> Why | None:
        if index.kind is not IndexKind.ORDERED:
            one = self.standing.get(index.name)
            return None if one is not None and one.dead else Why.KIND
        if index.staged:
            return Why.STAGED
        if index.implicit or (index.unique and index.name not in self.shadows):
            return Why.CONSTRAINT
        if self.schema.facts.planner:
            return None if index.name in self.shadows else Why.PLANNER
        one = self.standing.get(index.name)
        if one is None or one.indirect:
            return Why.HIDDEN
        if any(demands.reader_shape(user, self.table, index) is None for user in one.users):
            return Why.UNCLEAR
        return None

    def _key(self, fields: Sequence[str]) -> tuple[str, ...]:
        return (*fields, *self.schema.tail)

    def _given(self, demand: Demand) -> bool:
        """Whether an index that stays anyhow, or the platform's own, serves a query; nothing reads yet by one that is being built."""
        if self.schema.facts.planner:
            return False  # what no index serves was asked when the demand was made
        shape, reads = demand.shape, demand.doing is Doing.READS
        ready = (i for i in self.table.indexes if i.name in self.fixed and i.kind is IndexKind.ORDERED and not (reads and i.staged))
        return serves(self.schema.tail, shape) or any(serves(self._key(i.fields), shape) for i in ready)

    # The choice.

    def _cover(self, wanted: Sequence[Demand]) -> Cover:
        free = [one for one in self.standing.values() if one.index.name not in self.fixed and one.index.kind is IndexKind.ORDERED]
        ranked = sorted(free, key=lambda one: -len({user.access.span for user in one.users}))
        prefer = [f for one in ranked if not one.dead for f in one.index.fields] + [f for d in wanted for f in d.fields]
        keys = [self._key(one.index.fields) for one in ranked]
        return cover([d.shape for d in wanted], keys, tuple(dict.fromkeys(prefer)))

    def _choices(self, open_: Sequence[Demand], keys: Sequence[Key]) -> list[Demand]:
        """One demand of each query that filters by what its callers choose alone, where no index serves any: a range, else the first."""
        chosen: list[Demand] = []
        groups: dict[int, list[Demand]] = {}
        narrowed = {id(d.access) for d in open_ if d.always and d.doing is not Doing.READS}
        for demand in open_:
            if not demand.always and demand.span.path == demand.access.chain.path and id(demand.access) not in narrowed:
                groups.setdefault(id(demand.access), []).append(demand)
        for group in groups.values():
            ready = [*keys, *(key_for([d.shape]) for d in chosen)]
            if not any(serves(key, d.shape) for key in ready for d in group):
                chosen.append(next((d for d in group if set(d.shape.then) - set(self.schema.tail)), group[0]))
        return chosen

    def _squeezed(self, wanted: list[Demand], over: list[Demand], room: int) -> tuple[list[Demand], list[Demand]]:
        """Leave out the demands of filters and sorts, the last ones first, until the platform has room for the indexes."""
        kept = sorted(wanted, key=lambda d: d.doing is not Doing.READS)
        while kept and kept[-1].doing is not Doing.READS and len(self._cover(kept).chosen) + len(self.fixed) > room:
            over = [*over, kept.pop()]
        return kept, over

    def _indexes(self, found: Cover, wanted: list[Demand]) -> tuple[IndexAdvice, ...]:
        chosen = [(self._declared(c.key, wanted, standing=c.standing), c.standing) for c in found.chosen]
        kept = {fields for fields, standing in chosen if standing}
        stays: dict[str, tuple[str, ...]] = {}
        for index in self.table.indexes:
            first = index.fields in kept and index.name not in self.fixed and index.kind is IndexKind.ORDERED
            if index.name in self.fixed or (first and index.fields not in stays.values()):
                stays[index.name] = index.fields
        taken = [index.name for index in self.table.indexes]
        new: dict[str, tuple[str, ...]] = {}
        for fields, standing in chosen:
            if not standing:
                named = [d.index for d in wanted if d.doing is Doing.MISSES and d.index and serves(self._key(fields), d.shape)]
                name = named[0] if named else index_name(self.program, self.schema, self.table.name, fields, [*taken, *new])
                new[name] = fields
        homes = self._homes({**stays, **new}, wanted)
        made = [self._standing(index, stays, new, homes) for index in self.table.indexes]
        for name, fields in new.items():
            moved = self._replaced(name, stays, homes)
            made.append(IndexAdvice(Verdict.ADD, name, fields, Why.QUERIES, None, homes[name], moved))
        return tuple(made)

    def _declared(self, key: tuple[str, ...], wanted: list[Demand], *, standing: bool) -> tuple[str, ...]:
        """The fields to declare for a key: without what the platform appends, and with what its longest query ranges over or orders by."""
        tail = self.schema.tail
        if standing:
            return key[: len(key) - len(tail)]
        own = tuple(f for f in key if f not in tail)
        longest = next((d for d in wanted if d.shape.equal == set(own)), None) if self.schema.facts.planner else None
        return (*own, *(f for f in longest.fields if f not in own)) if longest is not None else own

    def _homes(self, indexes: Keys, wanted: Iterable[Demand]) -> dict[str, tuple[Demand, ...]]:
        """Which index serves which query: the one that it reads by, else the shortest that serves it."""
        homes: dict[str, list[Demand]] = {name: [] for name in indexes}
        for demand in (*wanted, *(d for d in self.asked if d not in wanted)):
            if demand.doing is Doing.READS and demand.index in homes:
                homes[demand.index].append(demand)
                continue
            fitting = [name for name, fields in indexes.items() if serves(self._key(fields), demand.shape)]
            if fitting:
                homes[min(fitting, key=lambda name: len(indexes[name]))].append(demand)
        return {name: tuple(served) for name, served in homes.items()}

    def _standing(self, index: Index, stays: Keys, new: Keys, homes: Mapping[str, tuple[Demand, ...]]) -> IndexAdvice:
        if index.name in stays:
            why = self.fixed.get(index.name, Why.QUERIES)
            passing = why is Why.QUERIES and self._passing(index.name, homes)
            return IndexAdvice(Verdict.KEEP, index.name, index.fields, why, index, homes[index.name], passing=passing)
        shadow = self.shadows.get(index.name)
        if shadow is not None:
            return IndexAdvice(Verdict.DROP, index.name, index.fields, Why.COVERED, index, (), (), (shadow.cover.name,))
        readers = [d for d in self.asked if d.doing is Doing.READS and d.index == index.name]
        others = tuple(name for name in (*stays, *new) if any(d in homes[name] for d in readers))
        why = Why.COVERED if readers else Why.UNUSED
        could = None if readers else self._could(index, homes)
        return IndexAdvice(Verdict.DROP, index.name, index.fields, why, index, (), (), others, False, could, tuple(readers))

    def _could(self, index: Index, homes: Mapping[str, tuple[Demand, ...]]) -> Neglect | None:
        """A query that could read by an index which nothing reads by, unless another index serves it as well."""
        found = neglecting(self.program, self.standing[index.name], rare=True) if index.name in self.standing else None
        served = (d.access for serves in homes.values() for d in serves if d.doing is not Doing.READS)
        return found if found is not None and not any(access is found.access for access in served) else None

    def _passing(self, name: str, homes: Mapping[str, tuple[Demand, ...]]) -> bool:
        """Whether every query that an index is kept for has another index to go to once it binds what it filters by today."""
        elsewhere = {d.access.chain for other, served in homes.items() if other != name for d in served if d.worth and d.doing in LEAVING}
        mine = [d for d in homes[name] if d.worth]
        return bool(mine) and all(d.doing is Doing.READS and d.access.chain in elsewhere for d in mine)

    def _replaced(self, name: str, stays: Keys, homes: Mapping[str, tuple[Demand, ...]]) -> tuple[str, ...]:
        moved = [d.index for d in homes[name] if d.doing is Doing.READS and d.index is not None and d.index not in stays]
        return tuple(dict.fromkeys(moved))

    # The price.

    def _writes(self, indexes: Sequence[IndexAdvice]) -> Writes:
        new = {f for i in indexes if i.verdict is Verdict.ADD for f in i.fields}
        places = touching = aside = 0
        for site, access in self.program.writes_of(self.schema.root, self.table.name):
            function = site.function
            if function.role is not Role.CODE or left_alone(self.program, function):
                aside += 1
                continue
            places += 1
            touching += access.fields is None or access.verb in ("insert", "delete") or bool(new & set(access.fields))
        unknown = self.program.once("writes of unknown tables", lambda: _unknown_writes(self.program))
        unclear = sum(count for root, count in unknown.items() if root == self.schema.root or root not in self.program.schemas)
        after = sum(i.verdict is not Verdict.DROP for i in indexes)
        return Writes(places, touching, len(self.table.indexes), after, aside, unclear)
