"""
# A whole table read at once

## What it finds
`.collect()`, a `for await` that never stops early or only once enough rows have passed what it tests, or a convex-ents table without a
terminal, over a table with neither a range nor a limit; also an index that is walked without a range, a filter that leaves out only the odd
row (`isArchived` is false), and one that no index can serve (`q.neq`, a list compared with another), for which the database goes through
all rows on each call.

## Why it costs
It reads more on every day that the table grows, is run again for every subscriber by any write to the table, and fails for good once the
table exceeds the limits of a transaction (32,000 documents or 16 MiB).

## Instead
Bind an index range, take the newest n, or paginate; where two filters show one half each, paginate. What is only counted or summed belongs
in a counter; what is only looked up, in an index. A job that has to visit every row goes through pages, each in a run of its own:

```ts
// convex/posts.ts
export const sweep = internalMutation({
  args: { cursor: v.union(v.string(), v.null()) },
  handler: async (ctx, { cursor }) => {
    const { page, isDone, continueCursor } = await ctx.db.query("posts").paginate({ cursor, numItems: 200 });
    for (const post of page) await ctx.db.patch(post._id, { score: score(post) });
    if (!isDone) await ctx.scheduler.runAfter(0, internal.posts.sweep, { cursor: continueCursor });
  },
});
```

## When it stays silent
Bounded reads, loops over a query that end after a number of rows or where their order says so, tables that the settings call small, tests,
seeds and migrations. A loop that ends once rows have passed which no index could find gets a hint. Tables that only seeds and migrations
fill, and functions that nothing calls, get a hint. So do tables that the schema does not have, and one row for each organization of the
identity provider, where only those who run the application, or nobody, wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import ALONE, left_alone, unreached, waited_for
from querylint.advise.behind import behind_outside
from querylint.advise.bounding import bound, in_order, in_parts, now_and_then, of_every_call, preferred
from querylint.advise.counted import enough
from querylint.advise.curation import curated
from querylint.advise.extremes import end_of_index, extreme
from querylint.advise.filters import aged, unserved, whole
from querylint.advise.growth import grows, settled, small
from querylint.advise.keys import inserts
from querylint.advise.memory import COUNTING, acted_on, joins, judged_by_more, judging, keyed, limits, repeated_use, runs_over
from querylint.advise.places import one_of_many, quiet, reaching, shortest, undeclared
from querylint.advise.planner import bare, entire, plain
from querylint.advise.sequence import apart
from querylint.advise.serving import Want, sargable, serve, unranged
from querylint.advise.stored import lets_pass
from querylint.advise.tenants import enrolled, for_operators
from querylint.advise.trace import Fate, Seen, fate
from querylint.construction import replace
from querylint.ir import ITEM, Access, Call, Function, Kind, Loop, Predicate, Program, Relation, Table, Use, Work
from querylint.ir.program import Site
from querylint.remedy import Advice, Counter, Limit, Stage
from querylint.rule import Confidence, Cost, Found, Point, Severity, Weight, demoted, hint, rule

BATCHES = Advice("count in batches, a page of the table in each run of a scheduled function, and keep the number", Stage.CODE)
BY_IDS = Advice("get the rows by the ids that the other rows hold, together with Promise.all, instead of loading all of them for a map")
EACH = Advice("read the rows of each item by an index, instead of filtering all of them for each", Stage.INDEX)
TOTALS = Advice("keep the totals as rows change, and read the few rows by an index in their order", Stage.DATA)
SHOWN = Advice("keep the totals as rows change, and read the rows themselves in pages with .paginate()", Stage.DATA)
KEYED = Advice(
    "keep totals as rows change, one for each value or period that is asked for, or use the aggregate component keyed by it", Stage.DATA
)
RANKED = Advice(
    "keep the rows in the aggregate component, keyed by what they are sorted by: it tells the place of one in their order", Stage.DATA
)
EXTREME = "searched for the greatest or least value"
SEARCHED = "a screen searches these rows, and finds what has been read alone: for a text, a search index finds it among all of them"
TESTS = frozenset((Work.FILTER, Work.FIND, Work.SOME))
CUTS = frozenset((Work.SLICE, Work.FIRST, Work.PICK))
PAGES = Advice("read in pages with .paginate(), each part with its own range: together, the filters let every row through", Stage.CODE)
WORK_WORDS = {
    Work.FILTER: "filtered", Work.FIND: "searched", Work.SOME: "searched", Work.EVERY: "tested", Work.SORT: "sorted", Work.SLICE: "cut",
    Work.COUNT: "counted", Work.FOLD: "added up", Work.GROUP: "grouped", Work.DISTINCT: "reduced to distinct values",
    Work.FIRST: "used by its first row",
    Work.LAST: "used by its last row", Work.EMPTY: "tested for being empty", Work.PICK: "used by one row", Work.MEMBER: "searched",
}  # fmt: skip


@rule(pattern="unbounded", severity=Severity.WARNING, cwe=770)
def unbounded_read(program: Program) -> Iterator[Found]:
    """Reads of whole tables."""
    told: set[tuple[str, int]] = set()
    for site, read in program.reads():
        if quiet(site.function) or small(program, read.table):
            continue
        ended = entire(program, site.function, read) or whole(program, site, read) or unserved(program, site, read)
        if not ended and not _searched_through(program, site, read):
            continue
        found = _found(program, site, read, fate(program, site.function, read))
        choice = one_of_many(program, site)
        again = choice is not None and (site.function.key, choice) in told
        if choice is not None and found.severity is not Severity.INFO:
            told.add((site.function.key, choice))
        yield demoted(found, "it is one of many branches of the same choice, of which the first is reported") if again else found


def _searched_through(program: Program, site: Site, read: Access) -> bool:
    """Whether a read goes through a table until enough rows pass what a loop tests."""
    return read.until and any(bare(program, site.function, plan) and not plan.residual() for plan in read.plans)


def _found(program: Program, site: Site, read: Access, seen: Fate) -> Found:
    table = f"`{read.table}`" if read.table else "a table"
    busy = acted_on(program, site.function, read)
    halves = _halves(program, seen)
    judges = judging(program, site.function, read, seen)
    shown = bool(seen.uses[1:] or seen.whole or seen.fields or seen.listed)  # then whether there are any is asked besides
    uses = [s for s in seen.uses if not (shown and s.use.work is Work.EMPTY)]
    told = [s for s in uses if not ((busy or read.until) and s.use.work in COUNTING) and not (halves and s.use.work is Work.FILTER)]
    words = (EXTREME if s.use.extreme else WORK_WORDS.get(s.use.work) for s in told)
    works = list(dict.fromkeys(filter(None, (WORK_WORDS[Work.FILTER] if judges else None, *words))))
    listed = " and ".join(filter(None, (", ".join(works[:3][:-1]), *works[:3][-1:])))
    purpose = f" and {listed} in memory" if works else ""
    index = next((p.index for p in read.plans if p.index and unranged(p)), None)
    how = f" through `{index}` without a range" if index else ""
    if unserved(program, site, read):
        how += " for a filter that no index serves"
    points = tuple(Point(s.use.span, f"{WORK_WORDS.get(s.use.work, 'used')} here") for s in (halves or uses[:4]))
    weight = _weight(program, site, read, seen)
    remedy = _remedy(program, site, read, seen, judges, busy=busy, halved=halves is not None)
    return Found(
        read.span,
        f"{table} is read{how}{purpose} until enough rows pass" if read.until else f"every row of {table} is read{how}{purpose}",
        (*shortest(reaching(program, site.function)), *points),
        remedy,
        weight.severity,
        Confidence.LIKELY if read.fragile else Confidence.SURE,
        site.function.key,
        read.table,
        also=_also(program, site, read, seen),
        cost=Cost(f"{'up to ' if read.until else ''}rows({read.table or 'table'}) on each call", "a bounded number of rows"),
        operation=read.verb,
        help=SEARCHED if isinstance(remedy, Limit) and not remedy.every and _searched(seen) else "",
        because=weight.because,
    )


def _searched(seen: Fate) -> bool:
    """Whether a screen searches the rows by a text: in fewer rows it finds fewer."""
    tests = [s for s in seen.uses if s.function.kind is Kind.CLIENT and s.use.work in TESTS]
    return any(p.relation in (Relation.OTHER, Relation.SEARCH, Relation.ANY) for s in tests for p in s.use.predicates)


def _halves(program: Program, seen: Fate) -> tuple[Seen, Seen] | None:
    """Two filters of the rows of which one takes what the other leaves (`=== "new"`, `!== "new"`): together they need every row."""
    tests = [
        (s, s.use.predicates[0])
        for s in seen.uses
        if s.use.work is Work.FILTER and len(s.use.predicates) == 1 and not s.use.predicates[0].conditional
    ]
    for one, p in tests:
        for other, q in tests:
            if p.field is not None and p.field == q.field and _opposite(p, q) and not _either(program, one, other):
                return one, other
    return None


def _either(program: Program, one: Seen, other: Seen) -> bool:
    """Whether a choice lets only one of two works be done, or one goes on with what the other has left."""
    if one.mark in other.behind or other.mark in one.behind:
        return True
    places = program.sites(one.function.key).by_id
    if one.function.key != other.function.key or one.use.id not in places or other.use.id not in places:
        return False
    return apart(places[one.use.id], places[other.use.id])


def _opposite(p: Predicate, q: Predicate) -> bool:
    if p.relation is not Relation.EQ or p.value is None or q.value is None or not (p.value.constant and q.value.constant):
        return False
    mine, theirs = p.value.literal, q.value.literal
    if q.relation is Relation.NE:
        return type(mine) is type(theirs) and mine == theirs
    return q.relation is Relation.EQ and {mine is True, theirs is True} == {True, False} == {mine is False, theirs is False}


def _weight(program: Program, site: Site, read: Access, seen: Fate) -> Weight:
    if read.table == "_scheduled_functions" or not grows(program, site.function, read.table):
        return hint("use does not make the table grow")
    if undeclared(program, site.function, read.table):
        return hint("the schema has no such table, so it holds no rows unless older code has filled it")
    if curated(program, site.function.root, read.table):
        return hint("the table is maintained by hand, so it holds few rows")
    if left_alone(program, site.function):
        return hint(ALONE)
    if limits(program, site.function, read):
        return hint("the rows are counted to limit their number, which keeps it small")
    operated = for_operators(program, site) or not waited_for(program, site.function)
    if operated and enrolled(program, site.function.root, read.table):
        return hint("every organization has one row, and only those who run the application read them all")
    made = inserts(program, site.function.root, read.table)
    left = bool(made) and all(unreached(program, place.function) for place, _ in made)
    if left and (not waited_for(program, site.function) or behind_outside(program, site.function)):
        return hint("nothing in the project calls what fills the table, and nobody waits for this read")
    if read.until and not any(sargable(p, program.table(site.function, read.table)) for s in seen.uses for p in s.use.predicates):
        return hint("it ends with the first rows that pass, and no index could find them")
    entries = program.entries(site.function.key)
    if plain(program, site.function):
        shown = seen.whole and not settled(read.table) and any(e.kind is Kind.HTTP for e in entries)
        return hint("" if shown else "the code does not show how many rows the table holds", Severity.WARNING)
    if any(e.public or e.kind is Kind.HTTP for e in entries) and waited_for(program, site.function):
        mild = left or read.until or any(not unranged(p) for p in read.plans) or unserved(program, site, read)
        return Weight(Severity.WARNING if mild else Severity.ERROR)
    called = bool(program.callers.get(site.function.key)) or any(program.callers.get(e.key) for e in entries)
    named = program.named(site.function) or any(program.named(e) for e in entries)
    return hint("" if called or named else ALONE, Severity.WARNING)


def _also(program: Program, site: Site, read: Access, seen: Fate) -> tuple[str, ...]:
    kinds = {s.use.work for s in seen.uses}
    also = []
    if kinds & ({Work.FILTER, Work.FIND, Work.SORT, Work.SLICE, Work.SOME, Work.LAST, Work.FIRST} | COUNTING):
        also.append("mem-filter")
    if not seen.whole:
        also.append("overfetch")
    if any((p.index and not p.ranged) or p.residual() for p in read.plans):
        also.append("scan-filter")
    table = program.table(site.function, read.table)
    if any(sargable(p, table) for s in seen.uses for p in s.use.predicates) or Work.SORT in kinds:
        also.append("missing-index")
    return tuple(also)


def _handed_on(program: Program, site: Site, read: Access) -> bool:
    """Whether the list as a whole also goes to a helper, which may need all of it."""
    return any(
        isinstance(step, Call) and any(o.ref == read.id and not o.path for value in step.args for o in value.origins)
        for step in site.function.steps()
    )


def _asked_about(program: Program, seen: Fate) -> bool:
    """Whether what is counted depends on something that differs from call to call: then no one counter can hold it."""
    values = (p.value for s in seen.uses for p in s.use.predicates if program.applied((p,)))
    return any(value is not None and not value.constant and bool(value.origins or value.deps) for value in values)


def _remedy(
    program: Program, site: Site, read: Access, seen: Fate, judges: list[Call], *, busy: bool, halved: bool
) -> Limit | Counter | Advice:
    seen = _uncut(site.function, read, seen)
    if read.until:  # what is counted are those that have passed
        seen = replace(seen, uses=[s for s in seen.uses if s.use.work not in COUNTING])
    kinds = {s.use.work for s in seen.uses}
    table = program.table(site.function, read.table)
    planner = program.facts(site.function).planner
    counted = {mark for s in seen.uses if s.use.work in COUNTING for mark in s.behind}
    numbered = bool(kinds & {Work.FOLD, Work.COUNT}) and not busy  # a map of rows is no number
    folds = [s for s in seen.uses if s.use.work is Work.FOLD]
    wanted_besides = bool(seen.whole) or seen.listed or seen.gone_through or _worked_through(site, read)
    if numbered and extreme(folds) and Work.COUNT not in kinds and not seen.whole:
        return end_of_index(table, (), folds)
    most = None if plain(program, site.function) or _worked_through(site, read) else enough(seen)
    if most is not None:
        return Limit(most)
    only_counted = numbered and all(s.mark in counted for s in seen.uses if s.use.work not in COUNTING and s.use.work is not Work.EMPTY)
    if only_counted and (judged_by_more(judges, read) or not waited_for(program, site.function)) and not seen.whole:
        return BATCHES
    if only_counted and not _asked_about(program, seen) and not wanted_besides:
        return Counter(read.table or "the table")
    if numbered and not judges and any(s.use.work is Work.COUNT and not s.use.after for s in seen.uses) and not wanted_besides:
        return Counter(read.table or "the table")  # a total needs every row, whatever else is bound
    joined = {s.mark for s in seen.uses if s.use.work in TESTS and (joins(program, s, s.use.predicates) or repeated_use(program, s))}
    apart = [s for s in seen.uses if s.mark not in joined]  # what is matched with other rows needs them all
    served = [s for s in apart if s.use.work in COUNTING and s.function.kind is not Kind.CLIENT]  # a screen counts what it shows
    if joined and all(joined & s.behind or s.use.work is Work.EMPTY for s in apart):
        return EACH
    key = keyed(site.function, read) if not seen.whole and not apart else None
    if key is not None:
        return BY_IDS if key == "_id" else Advice(f"ask for the rows of the items at hand by an index on {key}, not for all to make a map")
    tests = [p for s in apart for p in s.use.predicates if p.field and sargable(p, table) and program.applied((p,))]
    tests = [p for p in tests if not aged(program, site, read, (p,)) and not _in_vain(program, site, table, p)]
    if tests and halved:
        return PAGES
    tests = _binding(program, site, read, seen, apart, tests)
    alone = not seen.leaves_unselected() and not _handed_on(program, site, read)
    told = _binding(program, site, read, seen, apart, [p for s in apart for p in s.use.predicates]) if alone else []
    if not planner:
        sure = in_parts(table, preferred(table, of_every_call(apart, tests), of_every_call(apart, told)))
        if sure is not None:
            return sure
    if tests and alone:
        range_of = bound(table, tests, planner=planner)
        return range_of if planner else now_and_then(range_of, apart, tests)
    parts = in_parts(table, told)
    if parts is not None and not plain(program, site.function):
        return now_and_then(parts, apart, told)
    sorts = [s.use for s in apart if s.use.work is Work.SORT and s.use.fields and "*" not in s.use.fields]
    if not wanted_besides and not planner and any(_ranks(table, s, sorts) for s in apart):
        return RANKED
    if sorts and kinds & CUTS:
        cuts = {s.mark for s in seen.uses if s.use.work in CUTS}
        if any(not cuts & s.behind for s in served):
            return TOTALS
        return in_order(table, sorts[0].fields, planner=planner)
    if served and wanted_besides and numbered and not _asked_about(program, seen):
        return SHOWN
    if only_counted and not wanted_besides and not judges:
        return KEYED
    return Limit(paginate=True, every=not waited_for(program, site.function))  # a job that may stop after n rows has no use for the rest


def _uncut(function: Function, read: Access, seen: Fate) -> Fate:
    """What happens to all the rows: where only a cut of them leaves the function, others count no more than that."""
    cuts = {s.use.id for s in seen.uses if s.function is function and s.use.work is Work.SLICE}
    ways = [set(o.after) for o in function.outflows if o.origin.ref == read.id and o.origin.path in ((), (ITEM,))]
    if not ways or not all(cuts & after for after in ways):
        return seen
    return replace(seen, uses=[s for s in seen.uses if s.function is function or s.use.work not in COUNTING])


def _in_vain(program: Program, site: Site, table: Table | None, p: Predicate) -> bool:
    """Whether an index would have to be added for a test that leaves out no more than the odd row."""
    ready = serve(table, Want((p.field,))) if p.field is not None else None
    return ready is None and lets_pass(program, site.function.root, table.name if table is not None else None, (p,))


def _binding(program: Program, site: Site, read: Access, seen: Fate, uses: list[Seen], tests: list[Predicate]) -> list[Predicate]:
    """The tests of fields that every way of the rows goes through: a range that binds them leaves out nothing that is needed.

    A way that is taken only where the test is not needs nothing of it.
    """
    home = site.function.key
    behind: dict[tuple[str, int], set[str | None]] = {}
    for s in uses:
        behind.setdefault((s.function.key, s.use.id), set()).update(p.field for p in s.use.predicates if p in tests)
    out = [o.after for o in site.function.outflows if o.origin.ref == read.id and o.origin.path in ((), (ITEM,))]
    ends = [s for s in uses if s.use.work is not Work.EMPTY and not _goes_on(s, uses)]
    ways = [(s.function.key, (*s.use.after, s.use.id), s) for s in ends] + [(w.function.key, w.outflow.after, None) for w in seen.whole]
    if all(key == home for key, _, _ in ways):
        ways += [(home, after, None) for after in out]
    before = [_passed(behind, home, after) for after in out]
    handed = set.intersection(*before) if before else set()

    def everywhere(name: str | None) -> bool:
        testing = [s for s in uses if any(p in tests and p.field == name for p in s.use.predicates)]
        return all(
            name in _passed(behind, key, works)
            or (key != home and name in handed)
            or (end is not None and all(_either(program, end, s) for s in testing))
            for key, works, end in ways
        )

    names = {p.field for p in tests}
    return [p for p in tests if p.field in {name for name in names if everywhere(name)}]


def _goes_on(one: Seen, uses: list[Seen]) -> bool:
    """Whether another work goes on with what one has left."""
    return any(one.use.id in s.use.after and s.function is one.function for s in uses)


def _passed(behind: dict[tuple[str, int], set[str | None]], function: str, works: tuple[int, ...]) -> set[str | None]:
    return {name for number in works for name in behind.get((function, number), ())}


def _worked_through(site: Site, read: Access) -> bool:
    """Whether a loop does something with the database for each of the rows."""
    return any(runs_over(step, read.id) for step in site.function.steps() if isinstance(step, Loop))


def _ranks(table: Table | None, found: Seen, sorts: list[Use]) -> bool:
    """Whether one row, by its id or that of whom it belongs to, is looked for in the order of all: to tell its place there."""
    named = {p.field for p in found.use.predicates if p.relation is Relation.EQ}
    ids = {"_id", *(f.name for f in (table.fields or () if table is not None else ()) if f.type == "id")}
    sought = found.use.work is Work.FIND and found.function.kind is not Kind.CLIENT
    return sought and bool(named & ids) and any(sort.id in found.use.after for sort in sorts)
