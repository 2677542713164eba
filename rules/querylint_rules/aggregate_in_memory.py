"""
# A total computed from all rows

## What it finds
A list that is collected only to be counted, summed, or grouped: `.length`, `.filter(...).length` by status, `reduce`, a loop that adds up.

## Why it costs
A number costs as many reads as there are rows, on every call and every time a subscriber's range changes, and the function fails once the
rows exceed the limits of a transaction.

## Instead
Keep the number as rows change: a counter or statistics document, or the aggregate component. For a window that moves with the clock
(the last hour), keep a total for each hour or day, or the aggregate component keyed by the time. Where only "more than k" matters, read
`.take(k + 1)`.

## When it stays silent
Rows that are returned or used besides (searched for other items, for one), totals in Python beside something of every row, counts of a
bounded `.take(n)`, totals over lists that come from elsewhere, tables that the settings call small, tests, seeds and migrations. Totals
over the rows of one parent, and beside the finding that a whole table is read, are a hint. So are those of a window whose ends the caller
gives, of rows that are totals of a period themselves, of what one person has gathered since the day or the hour began, and a count that a
mutation only writes down in a row that it adds, or makes of rows that it deletes next. The rows of one period (`${month}-01` to
`${month}-31`) of what has one row a day are few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.advise.clock import dated
from querylint.advise.counted import reached
from querylint.advise.extremes import end_of_index, extreme
from querylint.advise.growth import Reach, reach
from querylint.advise.memory import (
    COUNTING,
    GROUPING,
    Load,
    anchor,
    choices,
    drives,
    fails,
    handed_on,
    home,
    loads,
    loops_over,
    matching,
    repeated_use,
    trail,
    visited,
    weight,
)
from querylint.advise.planner import plain
from querylint.advise.serving import sargable
from querylint.advise.trace import Seen
from querylint.ir import Access, Bound, Call, Escape, Kind, Program, Relation, Root, Side, Value, Work
from querylint.pattern import Pattern
from querylint.remedy import Advice, Counter, Limit, Probe, Stage
from querylint.rule import Cost, Found, Severity, Weight, hint, rule

GROUPS = Advice("read the rows of each group by an index, or keep the groups as rows change", Stage.DATA)
VALUES = Advice(
    "keep the distinct values in a table of their own, or step from one to the next by an index that begins with them", Stage.DATA
)
BY_DATABASE = Advice("let the database find it: sort the query by the field and read one row, or ask for the value itself")
DAY = Pattern(
    r"today|midnight|(?:day|hour)_?start|start_?of_?(?:the_?|this_?)?(?:day|hour)(?!s)|(?:one|last|past)_?(?:day|hour)(?!s)", re.IGNORECASE
)
OLDER = "where it may be some minutes old, a cron can refresh it in a document: subscriptions then run again only as often"
NO_NUMBERS = frozenset(("array", "object", "string", "bytes"))
PICKING = (Work.SORT, Work.SLICE, Work.PICK)
REORDERING = frozenset((Work.SORT, Work.SLICE, Work.PICK, Work.FIRST, Work.LAST))
CHOOSING = REORDERING | {Work.FILTER}
LOWER = frozenset((Relation.GT, Relation.GTE))
SEARCHING = frozenset((Work.MEMBER, Work.SOME, Work.EVERY))


@rule(pattern="mem-filter", severity=Severity.WARNING, cwe=1094)
def aggregate_in_memory(program: Program) -> Iterator[Found]:
    """Counts and totals over all rows of a range."""
    for load in loads(program):
        kinds = {s.use.work for s in load.fate.uses}
        whole = load.fate.whole and not (_kept(load) and Work.FOLD in kinds)
        if load.access.bound is not Bound.ALL or whole or load.fate.truncated or drives(program, load):
            continue
        if program.facts(load.function).bulk_reads and _rightly_loaded(program, load, kinds):
            continue
        if kinds & REORDERING and not kinds & ({Work.FOLD} | GROUPING):
            continue
        if plain(program, load.function) and load.fate.fields:
            continue
        counting = {Work.COUNT} if plain(program, load.function) else COUNTING  # rows that one statement brings are grouped, and rightly
        works = [s for s in load.fate.uses if s.use.work in counting]
        used = load.fate.listed or (load.fate.gone_through and not program.facts(load.function).planner)
        if used and all(s.use.work is Work.COUNT or s.use.extreme for s in works):
            continue  # the rows are there for others, and one of them is the greatest
        if load.fate.listed and program.facts(load.function).planner and not kinds & CHOOSING:
            continue  # something of every row is handed out anyway: a query for the total would be one more
        if works and not all(repeated_use(program, s) and s.use.work is Work.COUNT for s in works):
            yield _found(program, load, works)


def _rightly_loaded(program: Program, load: Load, kinds: set[Work]) -> bool:
    """Whether rows that one query brings are needed in memory, or no number that a database could work out is made of them."""
    if not kinds & {Work.FOLD, Work.COUNT}:
        return True  # rows in a dictionary are what a query for all the items is for
    if kinds & SEARCHING:
        return True  # they are searched for other items besides, which takes them all
    if Work.GROUP in kinds and Work.FOLD not in kinds:
        return True  # a dictionary is for being looked into, whoever asks how much it holds
    if Work.FOLD not in kinds and visited(load) and not _only_tested(program, load):
        return True
    return _wanted_besides(load) or _no_numbers(load) or handed_on(load)


def _found(program: Program, load: Load, works: list[Seen]) -> Found:
    first = works[0]
    kinds = {s.use.work for s in works}
    tested = kinds == {Work.COUNT} and load.access.verb == "truth test"
    table = load.access.table
    done = [word for work, word in ((Work.COUNT, "counted"), (Work.FOLD, "added up")) if work in kinds]
    what = "tested for truth" if tested else " and ".join(done)
    remedy: Advice | Counter | Probe | Limit = Probe(given=True) if tested else _counter(table, works)
    few = None if load.fate.listed or program.facts(load.function).planner else reached(load.fate.uses)
    if few is not None:  # the number is only compared with one that the code writes down
        remedy = Limit(few + 1)
    moving = _moving(program, load)
    if moving is not None and isinstance(remedy, Counter):
        remedy = _rolling(moving)
    sought = extreme(works)
    if sought:
        database = program.facts(load.function).planner
        what = "searched for the greatest or least value"
        remedy = BY_DATABASE if database else end_of_index(load.table, _chosen(load, works), works)
    if kinds <= GROUPING:
        what, remedy = ("reduced to distinct values", VALUES) if Work.DISTINCT in kinds else ("grouped", GROUPS)
    weight = _circumstances(program, load, works)
    return Found(
        load.access.span if tested else anchor(load, first),
        f"{_loaded(program, load, moving)} are loaded to be {what}",
        trail(program, load, first),
        remedy,
        weight.severity,
        function=home(load, first),
        table=table,
        fields=load.access.plans[0].fixed(),
        also=("overfetch", "unbounded"),
        cost=Cost(load.cost, "1 row" if sought else f"{few + 1} rows" if few is not None else _after(program, load, moving)),
        operation="aggregate",
        help=OLDER if isinstance(remedy, Counter) and _everybody(program, load) else "",
        because=weight.because,
    )


def _everybody(program: Program, load: Load) -> bool:
    """Whether the total is one of a whole table, which each change of it has all subscriptions work out anew."""
    ranged = any(p.side is Side.INDEX for plan in load.access.plans for p in plan.predicates)
    return load.function.kind is Kind.QUERY and not ranged


def _chosen(load: Load, works: list[Seen]) -> tuple[str, ...]:
    """The fields by which rows are chosen before the search: those of the range, and those that memory compares."""
    ahead = {mark for s in works for mark in s.behind}
    tested = [p for s in load.works(Work.FILTER) if s.mark in ahead for p in s.use.predicates]
    names = [p.field for p in tested if p.field and p.relation is Relation.EQ and sargable(p, load.table)]
    return tuple(dict.fromkeys((*load.access.plans[0].fixed(), *names)))


def _moving(program: Program, load: Load) -> str | None:
    """The field of a range that the time of the run bounds: no one number holds the total of a window that moves on by itself."""
    if program.facts(load.function).planner:
        return None
    found = (d.predicate for d in dated(program, load.function) if d.step is load.access and not d.way)
    return next((p.field for p in found if p.relation.ranged and p.field is not None), None)


def _rolling(field: str) -> Advice:
    apart = f"the aggregate component keyed by `{field}`"
    return Advice(f"keep totals per day or hour as rows change and add up those of the window, or use {apart}", Stage.DATA)


def _loaded(program: Program, load: Load, moving: str | None) -> str:
    if moving is None:
        return matching(program, load)
    return f"the rows of the window of `{load.access.table or 'a table'}` that moves with the clock (`{moving}`)"


def _after(program: Program, load: Load, moving: str | None) -> str:
    if moving is not None:
        return "the totals of the window"
    return "1 number" if program.facts(load.function).planner else "1 document"


def _counter(table: str | None, works: list[Seen]) -> Counter:
    distinct = any(s.use.distinct for s in works) and all(s.use.work is Work.COUNT for s in works)
    return Counter(table or "the table", distinct=distinct)


def _circumstances(program: Program, load: Load, works: list[Seen]) -> Weight:
    """A hint where a filter that an index could do comes first: then few rows may be left to add up."""
    sure = {s.mark for s in load.works(Work.FILTER) if any(sargable(p, load.table) and not p.conditional for p in s.use.predicates)}
    filters = sure - load.counted_filters(program)
    if all(filters & s.behind for s in works):
        return hint("a filter that an index could do comes first, and may leave few rows")
    if all(s.use.work in GROUPING for s in works):
        return hint("groups and distinct values take more than a counter")
    if _windowed(load) or _asked_for(load):
        return hint("the caller picks the window, so no single counter holds the total")
    if _of_a_day(program, load):
        return hint("what one person has gathered since the day began is soon summed up")
    if _rolled_up(load):
        return hint("the rows are totals of periods themselves")
    if _recorded(program, load, works):
        return hint("the number is stored, so it is computed once")
    if _torn_down(program, load):
        return hint("the rows are deleted next, so they are added up once")
    if _kept(load) or _used_besides(load):
        return hint("the rows themselves are used as well")
    if _quota(program, load, works):
        return hint("the rows are counted to limit their number, which keeps it small")
    if _given(program, load, works):
        return hint("the rows are loaded anyway, or needed for something else")
    return weight(program, load)


def _windowed(load: Load) -> bool:
    """Whether the caller says where the range begins and where it ends: no one number holds the total of a window that anybody may pick."""
    for plan in load.access.plans:
        asked = [p for p in plan.predicates if p.side is Side.INDEX and p.relation.ranged and p.value is not None and _argued(p.value)]
        if not any(a.field == b.field and a.relation in LOWER and b.relation not in LOWER for a in asked for b in asked):
            return False
    return bool(load.access.plans)


def _of_a_day(program: Program, load: Load) -> bool:
    """Whether the range is what one person has gathered since the day or hour began, by the name of the bound: that is soon summed up."""
    if reach(program, load.function, load.access) > Reach.PERSON or _moving(program, load) is None:
        return False
    bounds = [p for plan in load.access.plans for p in plan.predicates if p.side is Side.INDEX and p.relation in LOWER]
    return bool(bounds) and all(p.value is not None and DAY.search(p.value.text) for p in bounds)


def _argued(value: Value) -> bool:
    return any(origin.root is Root.PARAM for origin in value.origins)


def _rolled_up(load: Load) -> bool:
    """Whether the rows are totals themselves, each of a period."""
    names = {field.name for field in load.table.fields or ()} if load.table is not None else set()
    return any({f"period{start}", f"period{end}"} <= names for start, end in (("Start", "End"), ("_start", "_end")))


def _recorded(program: Program, load: Load, works: list[Seen]) -> bool:
    """Whether a mutation writes the number down in a row that it adds, and does nothing else with it: it is asked for that once."""
    entries = program.entries(load.function.key)
    if not all(s.use.work is Work.COUNT for s in works) or not entries or any(entry.kind is not Kind.MUTATION for entry in entries):
        return False
    mine = load.access.id
    steps = list(load.function.own_steps())
    written = [s for s in steps if isinstance(s, Access) and not s.reads and mine in s.deps]
    decided = bool(choices(load.function, load.access)) or any(isinstance(s, Call) and mine in s.deps for s in steps)
    told = mine in load.function.returns.deps
    return bool(written) and not decided and not told and all(s.verb == "insert" for s in written)


def _torn_down(program: Program, load: Load) -> bool:
    """Whether mutations alone lead here, which read the rows of the same table by the same fields and delete rows: of it, or of any."""
    fixed = {plan.fixed() for plan in load.access.plans}
    entries = program.entries(load.function.key)
    if not entries or () in fixed or any(entry.kind is not Kind.MUTATION for entry in entries):
        return False
    for entry in entries:
        effects = [e.access for e in program.effects.get(entry.key, ())]
        gone = {access.table for access in effects if access.verb == "delete"}
        others = [a for a in effects if a.reads and a.span != load.access.span and a.table == load.access.table]
        again = any({plan.fixed() for plan in other.plans} & fixed for other in others)
        if not (load.access.table in gone or (None in gone and again)):
            return False
    return True


def _kept(load: Load) -> bool:
    """Whether the rows themselves are kept beside the totals, and leave nowhere else."""
    return bool(load.fate.whole) and all(left.outflow.how is Escape.STORED for left in load.fate.whole)


def _given(program: Program, load: Load, works: list[Seen]) -> bool:
    """Whether the rows are those of keys that are at hand, or of a query by a caller that may need them besides to add them up.

    Or those of an attribute, which others ask as well, or of a list of which some are picked besides.
    """
    table, access = load.table, load.access
    if not program.facts(load.function).planner or table is None:
        return False
    if (access.held and access.verb != "truth test") or any(map(_picks, load.works(*PICKING))):
        return True
    if any(edge.call.kept for s in works for edge in s.way):
        return True  # who has the list next finds it there
    if access.base is not None and access.base.root is Root.PARAM and any(s.use.work is Work.FOLD for s in works):
        return True
    keys = {table.key, *(i.fields[0] for i in table.indexes if i.unique and len(i.fields) == 1)}
    return all(any(p.relation is Relation.IN and p.field in keys for p in plan.predicates) for plan in access.plans)


def _picks(seen: Seen) -> bool:
    """Whether a work may take many of the rows out of their list. The first few, as many as are written down, a query would bring."""
    size = seen.use.size.literal if seen.use.size is not None else None
    return seen.use.work is Work.SORT or not (isinstance(size, int) and size >= 0)


def _quota(program: Program, load: Load, works: list[Seen]) -> bool:
    """Whether a mutation counts the rows to see whether one more may be inserted, or moved into the range: the limit keeps them few.

    A number that rows are moved in spite of, or that has to be reached before, limits nothing.
    """
    if not all(s.use.work is Work.COUNT for s in works):
        return False
    entries = program.entries(load.function.key)
    if not entries or any(entry.kind is Kind.QUERY for entry in entries):
        return False
    effects = [e.access for entry in entries for e in program.effects.get(entry.key, ()) if e.access.table == load.access.table]
    if any(access.verb == "insert" for access in effects):
        return True
    if not any(access.verb == "patch" and _moves_in(load, access) for access in effects):
        return False
    tests = choices(load.function, load.access)
    stops = {span for b in tests if fails(b.arms[0]) for span in b.enough}
    return bool(tests) and all(fails(b.arms[0]) for b in tests) and all(s.use.span in stops for s in works)


def _moves_in(load: Load, write: Access) -> bool:
    """Whether a patch may put a row into the range that is counted: it writes a field of the range, and no value that is outside of it."""
    set_to = {field: repr(value) for field, value in write.constants}
    ranges = [p for plan in load.access.plans for p in plan.predicates if p.side is Side.INDEX and p.field in (write.fields or ())]
    apart = [p for p in ranges if p.relation is Relation.EQ and p.value is not None and p.value.constant and p.field in set_to]
    return bool(ranges) and all(set_to[p.field] == repr(p.value.literal) for p in apart if p.field is not None and p.value is not None)


def _used_besides(load: Load) -> bool:
    """Whether fields of the rows are looked at that neither the totals nor the filters before them need: the rows are shown as well."""
    needed = {name for s in load.fate.uses for name in (*s.use.fields, *(p.field or "" for p in s.use.predicates))}
    works = {s.use.work for s in load.fate.uses}
    if load.fate.gone_through and not works & REORDERING and {f for f in load.fate.fields if f != "_id"} - needed:
        return True
    folded = bool(works & ({Work.FOLD} | GROUPING))
    picked = {s.mark for s in load.works(Work.FILTER)} - load.only_counted()  # filters for something else than a number
    return not folded and bool(picked or {f for f in load.fate.fields if f != "_id"} - needed)


def _wanted_besides(load: Load) -> bool:
    """Whether more is done for each of the rows than to add it up: then they are needed."""
    return any(isinstance(step, Access | Call) for loop in loops_over(load) for step in loop.steps())


def _no_numbers(load: Load) -> bool:
    """Whether what is added up are lists or texts, or worked out by a property, as far as the table says."""
    names = {name for s in load.works(Work.FOLD) for name in s.use.fields}
    fields = [load.table.field(name) for name in names] if load.table is not None else []
    return any(field is None or field.type in NO_NUMBERS for field in fields)


def _only_tested(program: Program, load: Load) -> bool:
    """Whether each row is looked at for nothing but the test that lets it be counted."""
    tested = load.counted_filters(program)
    needed = {p.field for s in load.fate.uses if s.mark in tested for p in s.use.predicates}
    return bool(tested) and not load.fate.listed and set(load.fate.fields) <= needed


def _asked_for(load: Load) -> bool:
    """Whether what is counted depends on the caller: no one counter can hold it."""
    return any(
        p.value is not None and not p.value.constant and bool(p.value.origins or p.value.deps) and p.relation is not Relation.EQ
        for s in load.works(Work.FILTER)
        for p in s.use.predicates
    )
