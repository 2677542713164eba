"""What binds the rows of a whole read: the range, the search or the order that memory works out of all of them."""

from __future__ import annotations

from querylint.advise.serving import Want, before_creation, floor, serve, wanted
from querylint.advise.trace import Seen
from querylint.construction import replace
from querylint.ir import IndexKind, Predicate, Relation, Table
from querylint.remedy import Advice, Stage, beginning

FEWEST = 2
"""Alternatives that are some."""


def _texts(table: Table | None, p: Predicate) -> tuple[str, ...]:
    """The fields in whose texts a filter looks for another, where it does nothing else: one of them, or any of several."""
    if p.relation is Relation.ANY:
        each = [tuple(name for one in arm for name in _texts(table, one)) for arm in p.arms]  # what else an arm asks only leaves out more
        return tuple(name for names in each for name in names) if all(each) else ()
    declared = table.field(p.field) if table is not None and p.field is not None else None
    return (declared.name,) if p.relation is Relation.SEARCH and declared is not None and declared.type == "string" else ()


def in_parts(table: Table | None, tests: list[Predicate]) -> Advice | None:
    """What to do where a field is looked for in a list, or a value in a list that the row holds: no one range has the rows."""
    texts = dict.fromkeys(name for p in tests for name in _texts(table, p))
    if texts:
        standing = [i.name for i in table.indexes if i.kind is IndexKind.SEARCH and i.fields == tuple(texts)] if table is not None else []
        if standing:
            return Advice(f"read by search index `{standing[0]}`: it finds the rows by their words", Stage.CODE)
        if len(texts) > FEWEST:  # a search index has one field, and a table few of them
            whole = f"add a field that joins {', '.join(texts)}, and a search index on it"
            return Advice(f"{whole}, and read by that: it finds the rows by their words", Stage.DATA)
        return Advice(f"add a search index on {' and one on '.join(texts)}, and read by it: it finds the rows by their words", Stage.INDEX)
    for p in tests:
        split = _alternatives(table, p)
        if split is not None:
            return split
        declared = table.field(p.field) if table is not None and p.field is not None else None
        if p.relation is Relation.IN and p.field == "_id":
            return Advice("get the rows by these ids, together with Promise.all, instead of loading all of them")
        if declared is None or table is None:
            continue
        if p.relation is Relation.IN:
            ready = serve(table, Want((declared.name,)))
            by = f"by index `{ready.index}`" if ready is not None else f"by an index to add on ({declared.name}) of {table.name}"
            return Advice(
                f"read the range of each of the values of {declared.name} that are looked for, {by}, together with Promise.all",
                Stage.CODE if ready is not None else Stage.INDEX,
            )
        if p.relation is Relation.SEARCH and declared.type == "array" and not p.conditional:
            each = f"keep one row for each member of {declared.name} in a separate table"
            return Advice(f"{each}, and read it by an index: no index looks inside lists", Stage.DATA)
    return None


def _alternatives(table: Table | None, p: Predicate) -> Advice | None:
    """One query for each alternative of a test, where each has an index of its own; what still is to be added is named."""
    wants = [wanted((), arm, table) for arm in p.arms] if p.relation is Relation.ANY and not p.conditional else []
    if table is None or len(wants) < FEWEST or not all(want is not None and want.equal for want in wants):
        return None
    ready = [(want, serve(table, want)) for want in wants if want is not None]
    every = (f"`{found.index}`" if found is not None else f"an index to add on ({', '.join(want.equal)})" for want, found in ready)
    named = list(dict.fromkeys(every))
    by = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
    stage = Stage.CODE if all(found is not None for _, found in ready) else Stage.INDEX
    return Advice(f"run one query per alternative, by {by}, with Promise.all and merge the results", stage)


def bound(table: Table | None, tests: list[Predicate], *, planner: bool) -> Advice:
    """The range that binds what memory tests, by an index that stands or by one to add; where the database picks it, the query says it."""
    if planner:
        named = ", ".join(dict.fromkeys(f"`{p.field}`" for p in tests if p.field))
        return Advice(f"let the query test {named} instead of the code")
    want = wanted((), tests, table) or Want(())
    ready = serve(table, want)
    if ready is not None:
        how = f"bind {', '.join(ready.fields)} in the range of index `{ready.index}` instead of testing it in memory"
        return Advice(how + beginning(floor(table, tests, ready.fields)))
    names = (*want.equal, *want.then) or tuple(dict.fromkeys(p.field for p in tests if p.field))
    declared = before_creation(names) or names
    added = f"add an index on ({', '.join(declared)})" + (f" of {table.name}" if table is not None else "")
    ranged = "its fields in a range" if declared == names else f"{', '.join(names)} in its range"  # each index ends with the time
    return Advice(f"{added} and bind {ranged} instead of testing them in memory{beginning(floor(table, tests, names))}", Stage.INDEX)


def in_order(table: Table | None, fields: tuple[str, ...], *, planner: bool) -> Advice:
    """The first rows in the order that memory sorts by."""
    if planner:
        return Advice(f"let the query sort by {', '.join(f'`{name}`' for name in fields)} and give its first n rows")
    fields = before_creation(fields) or fields[:1]
    ready = serve(table, Want((), fields))
    whole = ready is not None and ready.fields[: len(fields)] == fields
    how = f"read by index `{ready.index}`" if ready is not None and whole else f"add an index on ({', '.join(fields)}) and read"
    return Advice(f"{how} with .order(...).take(n)", Stage.CODE if whole else Stage.INDEX)


def of_every_call(uses: list[Seen], tests: list[Predicate]) -> list[Predicate]:
    """The tests that no call leaves out."""
    return [p for s in uses for p in s.use.predicates if p in tests and not (p.conditional or s.use.conditional)]


def preferred(table: Table | None, ranges: list[Predicate], tests: list[Predicate]) -> list[Predicate]:
    """The tests of every call that bind its rows better than a range can: all, where there is no range; else those for the rows of several.

    Whose rows they are tells more than any state that many of them share.
    """
    ids = {f.name for f in (table.fields or () if table is not None else ()) if f.type == "id"}
    if not ranges:
        return tests
    return [p for p in tests if p.relation is Relation.IN and p.field in ids] if not any(p.field in ids for p in ranges) else []


def now_and_then(advice: Advice, uses: list[Seen], tests: list[Predicate]) -> Advice:
    """The same advice, with a word on the calls that do not test the rows at all."""
    if of_every_call(uses, tests):
        return advice
    return replace(advice, text=f"{advice.text}; where it is not tested, read in pages with .paginate()")
