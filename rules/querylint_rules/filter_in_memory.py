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
Filters that no index can serve (text matches, any-of on an array, comparisons of fields with one another, `!==`, a second range when
the first is used up), lists bounded by `.take(n)`, lists that are returned whole besides, look-ups of one item's rows in a batch that
was loaded for all items, tables that the settings call small, tests, seeds and migrations. In the range of a single parent, and beside
the finding that a whole table is read, it is a hint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from querylint.advise.growth import catalogued
from querylint.advise.memory import Load, anchor, drains, home, joins, loads, trail, weight
from querylint.advise.planner import plain
from querylint.advise.serving import (
    Serving,
    Want,
    full,
    keeps_order,
    known_field,
    phrase,
    proposal,
    range_taken,
    sargable,
    serve,
    wanted,
)
from querylint.advise.stored import always, idle
from querylint.advise.trace import Seen
from querylint.ir import Bound, Function, Loop, Plan, Predicate, Program, Relation, Table, Way, Work
from querylint.remedy import Advice, PushDown
from querylint.rule import Confidence, Cost, Found, Severity, rule

OWNERS = re.compile(r"^(?:org|organization|team|workspace|tenant|user|owner|account|thread)_?id$", re.IGNORECASE)


@rule(pattern="mem-filter", severity=Severity.WARNING, cwe=1094)
def filter_in_memory(program: Program) -> Iterator[Found]:
    """Filters in memory that an index range could do."""
    for load in loads(program):
        if load.fate.leaves_unselected() or load.fate.truncated:
            continue
        counted = load.counted_filters(program)
        seen = [s for s in load.works(Work.FILTER, Work.FIND, Work.SOME) if s.use.id not in counted]
        if program.facts(load.function).bulk_reads:
            seen = [s for s in seen if not _wanted_besides(load, s)]
        if any(p.way is Way.SEARCH for p in load.access.plans):
            yield from _searched(program, load, seen)
            continue
        hits = [
            (s, found)
            for s in seen
            if not _bypassed(load, s) and not _walked_besides(program, load, s) and (found := _usable(program, load, s))
        ]
        if hits:
            always = [h for h in hits if not h[0].use.conditional]
            choices = [h for h in hits if h[0].use.conditional]
            if always:
                yield _found(program, load, always)
            for number, choice in enumerate(choices):
                yield _found(program, load, [choice], again=bool(always) or number > 0)
        else:
            yield from _gapped(program, load, seen)
            yield from _strangers(program, load, seen)


def _bypassed(load: Load, seen: Seen) -> bool:
    """Whether other work needs the rows that the filter drops."""
    if seen.use.work is Work.FIND:  # a choice with a fallback: the rows that it passes by may be taken all the same
        return any(o.function.key == seen.function.key for o in load.works(Work.FIRST, Work.LAST, Work.PICK, Work.SORT, Work.COUNT))
    if seen.use.work is not Work.FILTER:
        return False
    fields = {p.field for p in seen.use.predicates}
    for other in load.works(Work.FILTER):
        apart = seen.use.id not in other.use.after and other.use.id not in seen.use.after
        alone = other.function.key == seen.function.key and apart and not (seen.use.conditional or other.use.conditional)
        if alone and not fields & {p.field for p in other.use.predicates}:
            return True
    for other in load.works(Work.SORT, Work.SLICE, Work.FOLD, Work.GROUP):
        mine = other.function.key == seen.function.key
        if mine and seen.use.id not in other.use.after and other.use.id not in seen.use.after:
            return True
    return False


def _wanted_besides(load: Load, seen: Seen) -> bool:
    """Whether rows that are searched by one field are also there for others."""
    tested = {p.field for p in seen.use.predicates}
    return seen.use.work is Work.SOME and bool(load.fate.fields.keys() - tested)


def _walked_besides(program: Program, load: Load, seen: Seen) -> bool:
    """Whether the same rows are walked once more than they are filtered: then all of them are wanted."""
    if not plain(program, load.function):
        return False
    over = [s for s in seen.function.steps() if isinstance(s, Loop) and s.over is not None and set(s.over.origins) & set(seen.use.of)]
    return len(over) > len([s for s in load.fate.uses if s.function.key == seen.function.key and s.use.work is Work.FILTER])


def _usable(program: Program, load: Load, seen: Seen) -> tuple[Predicate, ...]:
    plan = load.access.plans[0]
    taken = range_taken(plan) is not None
    found = tuple(
        p for p in seen.use.predicates if sargable(p, load.table) and p.field not in plan.fixed() and not (taken and p.relation.ranged)
    )
    if plain(program, load.function):
        found = tuple(p for p in found if load.table is not None and load.table.field(p.field or "") and not _varying(program, seen, p))
    return () if joins(program, seen, found) else found


def _varying(program: Program, seen: Seen, p: Predicate) -> bool:
    """Whether what a field is compared with differs from row to row."""
    site = program.sites(seen.function.key).by_id.get(seen.use.id)
    if site is None or p.value is None:
        return False
    inside = {loop.id for loop in site.loops} | {getattr(step, "id", None) for loop in site.loops for step in loop.steps()}
    return bool(p.value.deps & inside)


def _found(program: Program, load: Load, hits: list[tuple[Seen, tuple[Predicate, ...]]], *, again: bool = False) -> Found:
    """One finding for the filters that always run; one for each that the caller may choose, the later ones as hints."""
    read = load.access
    plan = read.plans[0]
    given = tuple(p for _, found in hits for p in found)
    predicates = tuple(p for p in given if not p.conditional) or given[:1]
    want, serving = _served(program, load.function, load.table, plan, predicates)
    first = hits[0][0]
    names = tuple(dict.fromkeys(p.field for p in predicates if p.field))
    by = f" by `{plan.index}`" if plan.index else ""
    planner = program.facts(load.function).planner
    index = f", though index `{serving.index}` has it" if not serving.create and not planner else ""
    return Found(
        anchor(load, first),
        f"rows of `{read.table}` are loaded{by} and filtered by {phrase(names)} in memory{index}",
        trail(program, load, first),
        PushDown(read.table or "", serving.index, serving.fields, serving.create, keeps_order=keeps_order(plan, load.table, serving, want)),
        _severity(program, load, plan, predicates, serving, want, again=again),
        Confidence.SURE if not first.way else Confidence.LIKELY,
        home(load, first),
        read.table,
        serving.fields,
        ("missing-index",) if serving.create and not planner else (),
        Cost(load.cost, "the rows that match"),
        "filter",
    )


def _severity(
    program: Program, load: Load, plan: Plan, predicates: tuple[Predicate, ...], serving: Serving, want: Want, *, again: bool
) -> Severity:
    """A hint where the filter leaves out next to nothing, or a new index would split what two keys have found already."""
    if again or drains(program, load) or (serving.create and (len(plan.fixed()) > 1 or catalogued(program, load.function, load.access))):
        return Severity.INFO
    if load.site.arms and all(p.conditional for p in predicates):  # the arm may be the one where the condition is not asked for
        return Severity.INFO
    if serving.create and plan.order is not None and not keeps_order(plan, load.table, serving, want):
        return Severity.INFO  # the order is asked for, and an index that gave both would be another
    if _guards(program, load, plan, predicates) or idle(program, load.function.root, load.access.table, predicates):
        return Severity.INFO
    return weight(program, load)


def _guards(program: Program, load: Load, plan: Plan, predicates: tuple[Predicate, ...]) -> bool:
    """Whether the filter only makes sure of the owner: the range is that of one thing, which has one owner anyway."""
    names = [p.field for p in predicates if p.field]
    inner = any(f.lower().endswith("id") and not OWNERS.match(f) for f in plan.fixed())
    root, table = load.function.root, load.access.table
    return inner and bool(names) and all(OWNERS.match(p.field or "") or always(program, root, table, p) for p in predicates)


def _served(program: Program, function: Function, table: Table | None, plan: Plan, found: tuple[Predicate, ...]) -> tuple[Want, Serving]:
    taken = range_taken(plan)
    database = tuple(p for p in plan.residual() if p.relation is Relation.EQ and not p.conditional)
    want = wanted(plan.fixed(), (*database, *found), table, taken=taken) or Want(tuple(p.field for p in found if p.field))
    serving = serve(table, want, beyond=plan.fixed())
    if not full(serving, want) and (serving is None or taken is not None or len(serving.fields) <= len(plan.fixed())):
        serving = proposal(program, function, table, want)
    assert serving is not None
    return want, serving


def _gapped(program: Program, load: Load, seen: list[Seen]) -> Iterator[Found]:
    """A field for which a default stands where it is missing: one range finds either what has the value, or what has none."""
    for s in seen:
        plain = (replace(p, defaulted=False) for p in s.use.predicates if p.defaulted and p.relation is Relation.EQ)
        names = tuple(p.field for p in plain if p.field and sargable(p, load.table) and p.field not in load.access.plans[0].fixed())
        if names and not _bypassed(load, s):
            yield Found(
                anchor(load, s),
                f"rows of `{load.access.table}` are loaded and filtered in memory by {phrase(names)}, where a default stands in",
                trail(program, load, s),
                Advice(f"store the default in every row, then bind {phrase(names)} in the range of an index"),
                Severity.INFO,
                function=home(load, s),
                table=load.access.table,
                fields=names,
                cost=Cost(load.cost, "the rows that match"),
                operation="filter",
            )


def _strangers(program: Program, load: Load, seen: list[Seen]) -> Iterator[Found]:
    """Rows of everybody, of which those in a set of other rows' ids are kept: the owner is missing from the row."""
    if load.access.plans[0].fixed():
        return
    for s in seen:
        names = tuple(p.field for p in s.use.predicates if p.field and p.relation is Relation.IN and known_field(p.field, load.table))
        if names and not joins(program, s, s.use.predicates):
            yield Found(
                anchor(load, s),
                f"rows of `{load.access.table}` are loaded for all owners, and those with a {phrase(names)} in a set are kept in memory",
                trail(program, load, s),
                Advice("keep the owner's id on the row and bind it in an index range, or read one range per id with Promise.all"),
                Severity.INFO,
                function=home(load, s),
                table=load.access.table,
                fields=names,
                cost=Cost(load.cost, "the rows of one owner"),
                operation="filter",
            )
            return


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
        if names and not joins(program, s, s.use.predicates) and not _bypassed(load, s) and not _wanted_besides(load, s):
            yield Found(
                anchor(load, s),
                f"results of the search on `{load.access.table}` are filtered by {phrase(names)} in memory: later matches are lost",
                trail(program, load, s),
                Advice(f"add {phrase(names)} to the filterFields of the search index and bind it in the search"),
                None if load.access.bound is Bound.LIMIT and not s.use.conditional else Severity.INFO,
                Confidence.SURE,
                home(load, s),
                load.access.table,
                names,
                operation="filter",
            )
            return
