"""
# A query that fails when it runs

## What it finds
A query that is awaited or returned but never run (no `.collect()`, `.take(n)`, `.first()`, `.unique()` or `.paginate()`) or run twice,
`.order` on a search, `.paginate` in a component, and `.paginate` more than once in one run of a query or mutation, most often in a loop
over pages. Also a filter that names a field without `q.field`: `q.eq("author", me)` compares two texts, and lets every row through or none.

```ts
// convex/logs.ts
export const count = query(async (ctx) => {
  let cursor: string | null = null;
  let total = 0;
  while (true) {
    const page = await ctx.db.query("logs").paginate({ cursor, numItems: 100 }); // expect: misused-query "every iteration"
    total += page.page.length;
    if (page.isDone) return total;
    cursor = page.continueCursor;
  }
});
```

## Why it costs
It throws. A loop over pages works as long as all rows fit on the first one, in tests too, since `convex-test` does not mind a second page.
A component has no pages at all (Convex docs, components/authoring, "Pagination").

## Instead
End the query with what runs it. Walk many rows with `for await`, which reads them as they are needed; go on to the next page by scheduling
the function again with the cursor, or from an action; or use `paginator` of convex-helpers, which has no such limit. A search comes in the
order of relevance: sort what it found.

## When it stays silent
A query that each branch ends in its own way; pages in branches that exclude each other, or that return before the next, and those of
helpers that may do without; pages of `getPage`, `paginator` and streams of convex-helpers; functions that are run by `ctx.runQuery` or
`ctx.runMutation`, which page for themselves; queries of convex-ents, which run when they are awaited; tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from querylint.advise.paging import Pages, pages
from querylint.advise.sequence import exclusive
from querylint.ir import Access, Function, Kind, Predicate, Program, Role, Root, Way
from querylint.remedy import Advice, Stage
from querylint.rule import Confidence, Found, Point, Severity, rule

HANDLERS = frozenset((Kind.QUERY, Kind.MUTATION, Kind.ACTION, Kind.HTTP))
RUN = Advice("end the query with .collect(), .take(n), .first(), .unique() or .paginate()")
SORT = Advice("drop .order: a search comes in the order of relevance; sort what it found, or read by an ordered index")
ANEW = Advice("build the query anew for each run, in a function for instance, or keep the rows of the first")
PAGINATOR = Advice("read the page with `paginator` of convex-helpers, or the first rows of a range with .take(n)")
PAGE = Advice("read one page per call and return its cursor, so that the caller asks for the next; or iterate over the rows with for await")
RESUME = Advice("read one page and schedule the function again with its cursor; for await would meet the limits of one transaction")
WALK = Advice("iterate over the rows with for await, or read one page and schedule the function again with its cursor")


@rule(pattern="misused-query", severity=Severity.ERROR)
def misused_query(program: Program) -> Iterator[Found]:
    """Queries that throw."""
    for function in program.functions.values():
        if function.role is Role.TEST or not program.facts(function).once:
            continue
        yield from _returned(function)
        for step in function.steps():
            if isinstance(step, Access) and step.reads:
                yield from _read(function, step)
                yield from _spelled(program, function, step)
                yield from _again(program, function, step)
                yield from _unpaged(program, function, step)
        for found in pages(program, function):
            yield _paged(program, function, found)


def _returned(function: Function) -> Iterator[Found]:
    unrun = {query.id: query for query in function.built}
    refs = {o.ref for _, o in function.returns.parts if o.root is Root.STEP} if function.kind in HANDLERS else set()
    for number in sorted(refs & unrun.keys(), key=str):
        query = unrun[int(number)]
        named = f"the query on `{query.table}`" if query.table else "a query"
        message = f"`{function.name}` returns {named} without running it"
        yield Found(query.chain, message, (), RUN, function=function.key, table=query.table)


def _read(function: Function, read: Access) -> Iterator[Found]:
    confidence = Confidence.LIKELY if read.fragile else Confidence.SURE
    named = f"`{read.table}`" if read.table else "a table"
    if not read.verb:
        message = f"the query on {named} is awaited but never run: what comes back is the query itself, no rows"
        yield Found(read.span, message, (), RUN, None, confidence, function.key, read.table)
    elif any(plan.way is Way.SEARCH and plan.order is not None for plan in read.plans):
        yield Found(
            read.chain, f"the search on {named} is given an order, which throws", (), SORT, None, confidence, function.key, read.table
        )


def _spelled(program: Program, function: Function, read: Access) -> Iterator[Found]:
    """Filters that compare the name of a field instead of the field."""
    table = program.table(function, read.table)
    for p in _conditions(p for plan in read.plans for p in plan.predicates):
        if p.spelled and p.span is not None and table is not None and table.field(p.spelled) is not None:
            message = f"the filter on `{table.name}` compares the text `{p.spelled}`, not the field: every row passes it, or none"
            remedy = Advice(f'write q.field("{p.spelled}") for the field, or bind it in the range of an index', Stage.CODE)
            yield Found(p.span, message, (), remedy, None, function=function.key, table=read.table, operation=read.verb)


def _conditions(found: Iterable[Predicate]) -> Iterator[Predicate]:
    for p in found:
        yield p
        for arm in p.arms:
            yield from _conditions(arm)


def _again(program: Program, function: Function, read: Access) -> Iterator[Found]:
    """A query object that has been run already."""
    sites = program.sites(function.key).by_id
    before = sites.get(read.rerun_of) if read.rerun_of is not None else None
    if before is None or exclusive(program, before, sites[read.id]) or not isinstance(before.step, Access):
        return
    named = f"`{read.table}`" if read.table else "a table"
    trail = (Point(before.step.span, f"runs first: {before.step.verb}"),)
    message = f"the query on {named} is run a second time, but a query can run only once: this throws"
    yield Found(read.span, message, trail, ANEW, None, function=function.key, table=read.table, operation=read.verb)


def _unpaged(program: Program, function: Function, read: Access) -> Iterator[Found]:
    """A page that is asked of a database which has none."""
    if read.verb == "paginate" and not program.facts(function).pages:
        named = f"`{read.table}`" if read.table else "a table"
        message = f"{named} is paginated in a component, where .paginate() throws: it is only there for the app"
        yield Found(read.span, message, (), PAGINATOR, function=function.key, table=read.table, operation=read.verb)


def _walk(program: Program, function: Function) -> Advice:
    kinds = {entry.kind for entry in program.entries(function.key)} or {function.kind}
    if kinds <= {Kind.QUERY}:
        return PAGE
    return RESUME if kinds <= {Kind.MUTATION} else WALK


def _paged(program: Program, function: Function, found: Pages) -> Found:
    table = f"`{found.read.table}`" if found.read.table else "a table"
    through = f" through `{found.text}`" if found.text else ""
    if found.before is None:
        over = f"for every item of `{found.over}`" if found.over else "in every iteration of the loop"
        message = f"{table} is paginated{through} {over}, but a function may paginate only once: the second call throws"
        trail = (Point(found.loop, "runs repeatedly"),) if found.loop is not None else ()
    else:
        message = f"{table} is paginated{through} after another page was read, but a function may paginate only once: this throws"
        trail = (Point(found.before, "the first page"),)
    return Found(
        found.span, message, trail, _walk(program, function), None, function=function.key, table=found.read.table, operation="paginate"
    )
