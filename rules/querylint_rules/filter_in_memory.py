"""
# Rows loaded and then filtered in memory

## What it finds
A list that is collected by an index range and then reduced by `.filter`, `.find`, `.some` or a `continue` that tests fields which an
index range could bind, also where the filter hides in a helper.

## Why it costs
The rows that the filter drops were read and billed, and count toward the limits of the transaction. A write to any of them makes
subscribers run again, though they never show it.

## Instead
Bind the field in the range of an index, existing or new: equalities first, then the one range. What no range can express stays in memory.

## When it stays silent
Filters that no index can serve (text matches, any-of on an array, comparisons of fields with one another, `!==`, a second range when the
first is used up), lists bounded by `.take(n)` to less than a thousand rows, lists that are returned whole besides, lookups of one item's
rows in a batch that was loaded for all items, tables that the settings call small, tests, seeds and migrations. In the range of a single
parent, of a query that an object keeps, and beside the finding that a whole table is read, it is a hint; not so where the index in use goes
on with the time that is asked for, in a table that fills with use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from querylint.advise.advised import advised
from querylint.advise.demands import CREATION, outranked, reduction_shape
from querylint.advise.memory import Load, anchor, gone_through, home, joins, trail
from querylint.advise.reductions import Reduction, begin_alike, bypassed, filtered, wanted_besides
from querylint.advise.serving import Want, floor, keeps_order, known_field, phrase, sargable, serve
from querylint.advise.trace import Seen
from querylint.construction import replace
from querylint.ir import Bound, Plan, Predicate, Program, Relation, Table, Use, Way, Work
from querylint.remedy import Advice, PushDown, Stage
from querylint.rule import Confidence, Cost, Found, Severity, rule

BESIDES = "the rows that the filter drops are few, or needed anyway"
ORDERED = "an index for the filter would not give the order that the rows are put in"
UNGIVEN = "another filter on the same rows is reported"
REBUILT = "it takes a change to what is stored, which only the author can judge"


@rule(pattern="mem-filter", severity=Severity.WARNING, cwe=1094)
def filter_in_memory(program: Program) -> Iterator[Found]:
    """Filters in memory that an index range could do."""
    for load, seen, found in filtered(program):
        if any(p.way is Way.SEARCH for p in load.access.plans):
            yield from _searched(program, load, seen)
        elif found:
            kept = [_hinted(program, one) for one in found]
            yield from (_found(program, one) for one in _asked_first(program, kept) if not gone_through(one.load))
        else:
            yield from _gapped(program, load, seen)
            yield from _strangers(program, load, seen)


def _hinted(program: Program, one: Reduction) -> Reduction:
    """A filter as a hint, where its rows are wanted anyway or an index would give up another order for it."""
    because = BESIDES if _needed_besides(one) else ORDERED if outranked(program, one) else ""
    return replace(one, severity=Severity.INFO, because=because) if because else one


def _asked_first(program: Program, found: list[Reduction]) -> list[Reduction]:
    """Of filters that a caller may choose, the first that some caller does choose is the one to speak of."""
    asked = next((n for n, one in enumerate(found) if program.asked(one.seen.use.span)), 0)
    if asked == 0 or found[0].severity is Severity.INFO:
        return found
    return [
        replace(one, severity=found[0].severity, because="") if n == asked else replace(one, severity=Severity.INFO, because=UNGIVEN)
        for n, one in enumerate(found)
    ]


def _needed_besides(one: Reduction) -> bool:
    """Whether the rows that the filter drops are few, or counted all the same, or wanted by a filter for another value of the same load."""
    mine, wanted = one.seen, _values(one.seen.use)
    if one.load.access.held:
        return True  # whoever has the object may ask for all of them
    if mine.use.work is not Work.FILTER:
        return False
    if not one.always and all(_over_nothing(p) for p in one.predicates):
        return True  # who asks for it leaves out the odd row
    periods = {s.use.id for s in one.load.works(Work.FILTER) if s.function.key == mine.function.key and begin_alike(mine, s)}
    for other in (s.use for s in one.load.works(Work.COUNT, Work.FILTER) if s.function.key == mine.function.key):
        if other is mine.use or mine.use.id in other.after or other.id in mine.use.after or not periods.isdisjoint(other.after):
            continue
        values = {} if other.conditional or other.work is Work.COUNT else _values(other)
        if other.work is Work.COUNT or (wanted and values.keys() == wanted.keys() and values != wanted):
            return True
    return False


def _over_nothing(p: Predicate) -> bool:
    """Whether a number is only to be there at all: `row.count > 0`."""
    least = p.value.literal if p.value is not None and not isinstance(p.value.literal, bool) else None
    return (p.relation in (Relation.GT, Relation.NE) and least == 0) or (p.relation is Relation.GTE and least == 1)


def _values(use: Use) -> dict[str, object]:
    """The constants that a filter wants fields to be, where it asks for nothing else."""
    plain = [p for p in use.predicates if p.relation is Relation.EQ and p.field and p.value is not None and p.value.constant]
    return {p.field: p.value.literal for p in plain if p.field and p.value is not None} if len(plain) == len(use.predicates) else {}


def _found(program: Program, one: Reduction) -> Found:
    load, read, first = one.load, one.load.access, one.seen
    plan = read.plans[0]
    serving = advised(program, load.function, read.table, reduction_shape(program, one), one.serving)
    names = tuple(dict.fromkeys(p.field for p in one.predicates if p.field))
    by = f" by `{plan.index}`" if plan.index else ""
    planner = program.facts(load.function).planner
    index = f", though index `{serving.index}` has it" if not serving.create and not planner else ""
    low = "" if planner else floor(load.table, one.predicates, serving.fields)
    kept = keeps_order(plan, load.table, serving, one.want)
    joined = planner and (read.base is not None or _narrowed(plan, names))
    because = one.because or ("the query asks for nearly the same already, or begins where nobody sees it" if joined else "")
    dated = tuple(dict.fromkeys(p.field for p in one.predicates if p.field and p.dated and p.field != CREATION))
    return Found(
        anchor(load, first),
        f"{_rows(load)} of `{read.table}` are loaded{by} and filtered by {phrase(names)} in memory{index}",
        trail(program, load, first),
        PushDown(
            read.table or "",
            serving.index,
            names if planner else serving.fields,
            serving.create,
            keeps_order=kept,
            floor=low,
            compared=_compared(one) if planner else (),
        ),
        Severity.INFO if joined else one.severity,
        Confidence.SURE if not first.way and not dated else Confidence.LIKELY,
        home(load, first),
        read.table,
        serving.fields,
        ("missing-index",) if serving.create and not planner else (),
        Cost(load.cost, "the rows that match"),
        "filter",
        help=f"compare {phrase(dated)} as it is stored: a range finds the same where every row writes it in the same form" if dated else "",
        because=because,
    )


def _compared(one: Reduction) -> tuple[tuple[str, str], ...]:
    """The fields that the filter does not want to equal something, with how it compares them."""
    told = ((p.field, p.relation) for p in one.predicates if p.field)
    return tuple(dict.fromkeys((name, way.value) for name, way in told if way.ranged or way in (Relation.NE, Relation.IN)))


def _rows(load: Load) -> str:
    """The rows that are loaded; of what lies past the number at which a read ends, the filter knows nothing."""
    limit = load.access.limit
    most = limit.literal if limit is not None and load.access.bound is Bound.LIMIT else None
    return f"up to {most:,} rows" if isinstance(most, int) else "rows"


def _narrowed(plan: Plan, names: tuple[str, ...]) -> bool:
    """Whether the query asks for the same fields already, in a way that lets a few more rows pass (regardless of case)."""
    return set(names) <= {p.field for p in plan.predicates}


def _gapped(program: Program, load: Load, seen: list[Seen]) -> Iterator[Found]:
    """A field for which a default stands where it is missing: one range finds either what has the value, or what has none."""
    for s in seen:
        plain = (replace(p, defaulted=False) for p in s.use.predicates if p.defaulted and p.relation is Relation.EQ)
        names = tuple(p.field for p in plain if p.field and sargable(p, load.table) and p.field not in load.access.plans[0].fixed())
        if names and not bypassed(load, s):
            yield Found(
                anchor(load, s),
                f"rows of `{load.access.table}` are loaded and filtered in memory by {phrase(names)}, where a default stands in",
                trail(program, load, s),
                Advice(f"store the default in every row, then bind {phrase(names)} in the range of an index", Stage.DATA),
                Severity.INFO,
                function=home(load, s),
                table=load.access.table,
                fields=names,
                cost=Cost(load.cost, "the rows that match"),
                operation="filter",
                because=REBUILT,
            )


def _strangers(program: Program, load: Load, seen: list[Seen]) -> Iterator[Found]:
    """Rows of everybody, of which those in a set of other rows' ids are kept: the owner is missing from the row."""
    if load.access.plans[0].fixed() or program.facts(load.function).planner:
        return
    for s in seen:
        names = tuple(p.field for p in s.use.predicates if p.field and p.relation is Relation.IN and known_field(p.field, load.table))
        if names and not joins(program, s, s.use.predicates):
            owned = all(_holds_id(load.table, name) for name in names)
            everybody = " for all owners" if owned else ""
            yield Found(
                anchor(load, s),
                f"rows of `{load.access.table}` are loaded{everybody}, and those with a {phrase(names)} in a set are kept in memory",
                trail(program, load, s),
                Advice(_instead_of_all(load, names, owned=owned), Stage.DATA),
                Severity.INFO,
                function=home(load, s),
                table=load.access.table,
                fields=names,
                cost=Cost(load.cost, "the rows of one owner" if owned else "the rows that match"),
                operation="filter",
                because=REBUILT,
            )
            return


def _holds_id(table: Table | None, name: str) -> bool:
    """Whether a field holds the id of another row."""
    declared = table.field(name) if table is not None else None
    return declared is not None and declared.type == "id" and name != "_id"


def _instead_of_all(load: Load, names: Sequence[str], *, owned: bool) -> str:
    if "_id" in names:
        return "get the rows by these ids with Promise.all"
    if not owned:
        return f"read one range for each value{_by(load, names)} with Promise.all"
    return f"keep the owner's id on the row and bind it in an index range, or read one range per id{_by(load, names)} with Promise.all"


def _by(load: Load, names: Sequence[str]) -> str:
    """The index that has one of the fields, where there is one."""
    found = next((s for name in names if (s := serve(load.table, Want((name,)))) is not None), None)
    return f" by `{found.index}`" if found is not None else ""


def _searchable(table: Table | None, p: Predicate) -> bool:
    """Whether a search can bind what a predicate asks: equality, and not whether there is any value."""
    if p.field is None or p.field == "_id" or p.relation not in (Relation.EQ, Relation.IN):
        return False
    declared = table.field(p.field) if table is not None else None
    present = p.value is not None and p.value.literal is True
    return not present or (declared is not None and declared.type == "boolean")


def _searched(program: Program, load: Load, seen: list[Seen]) -> Iterator[Found]:
    """A filter after a search loses results: the search hands out a bounded number of candidates."""
    for s in seen:
        names = tuple(p.field for p in s.use.predicates if p.field is not None and _searchable(load.table, p))
        if names and not joins(program, s, s.use.predicates) and not bypassed(load, s) and not wanted_besides(load, s):
            missed = load.access.bound is Bound.LIMIT and not s.use.conditional
            yield Found(
                anchor(load, s),
                f"results of the search on `{load.access.table}` are filtered by {phrase(names)} in memory: later matches are lost",
                trail(program, load, s),
                Advice(f"add {phrase(names)} to the filterFields of the search index and bind it in the search", Stage.INDEX),
                None if missed else Severity.INFO,
                Confidence.SURE,
                home(load, s),
                load.access.table,
                names,
                operation="filter",
                because="" if missed else "only some calls ask for it" if s.use.conditional else "the search is not cut to a number here",
            )
            return
