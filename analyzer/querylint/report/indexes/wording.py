"""The sentences of the index advice: why an index is kept or dropped, what it costs, why fewer cannot do, in which order to deploy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict, Why, Writes
from querylint.advise.demands import CREATION, Demand, Doing
from querylint.ir import IndexKind
from querylint.report.wording import STACKS, count, listed

SIGNS = {Verdict.KEEP: "=", Verdict.ADD: "+", Verdict.DROP: "-"}
KEPT = {
    Why.CONSTRAINT: "the platform or a constraint has it",
    Why.HIDDEN: "queries may choose it by a name that is put together while they run",
    Why.UNCLEAR: "how a query uses it is not known",
    Why.STAGED: "it is still being built",
    Why.PLANNER: "the database may use it for queries that are not in the project",
}
KINDS = {IndexKind.SEARCH: "search index", IndexKind.VECTOR: "vector index"}
MOST_NAMED = 6
CONVEX = "convex"


def place(demand: Demand) -> str:
    """The function and the line of a query."""
    return f"{demand.function.name} ({demand.span.path}:{demand.span.line})"


def mixed(tables: Iterable[TableAdvice]) -> bool:
    """Whether several stacks declare the tables, so that each has to be told of which it is."""
    return len({table.schema.stack for table in tables}) > 1


def title(table: TableAdvice, *, stack: bool = False) -> str:
    """How many queries and indexes a table has, and how many it would have; on demand which stack declares it."""
    writes = table.writes
    queries = len({(d.access.chain.path, d.access.chain.start) for d in (*table.demands, *(s for i in table.indexes for s in i.serves))})
    now = count(writes.before, "index", "indexes")
    after = f"{now} now, {writes.after} after" if table.changes else f"{now} now"
    of = f" ({_called(table.schema.stack)})" if stack else ""
    return f"{table.table.name}{of}: {count(queries, 'query', 'queries')}, {after}"


def goes_without_saying(index: IndexAdvice) -> bool:
    """Whether an index stays for a reason that has nothing to do with the queries of the project."""
    return index.verdict is Verdict.KEEP and index.why in (Why.CONSTRAINT, Why.PLANNER) and not index.serves


def what(index: IndexAdvice) -> str:
    """What an index is on."""
    fields = ", ".join(index.fields)
    kind = KINDS.get(index.index.kind, "") if index.index is not None else ""
    return f"{fields} ({kind})" if kind else fields


def reason(index: IndexAdvice, table: TableAdvice) -> str:
    """Why an index is there, comes or goes."""
    if index.verdict is Verdict.ADD:
        replaced = f", and what `{'`, `'.join(index.replaces)}` does" if index.replaces else ""
        return f"serves {served(index.serves)}{replaced}"
    if index.verdict is Verdict.DROP:
        return _dropped(index)
    if index.why in KEPT and not index.serves:
        return KEPT[index.why]
    if not index.serves:
        return KEPT.get(index.why, "queries search by it")
    ordered = [d for d in index.serves if d.doing is Doing.READS and CREATION in d.shape.then and _longer(index, table)]
    if ordered and index.why is Why.QUERIES:
        shown = all(d.shown for d in ordered)
        order = "shows rows in the order of creation, which a longer index would not keep" if shown else "needs the order of creation"
        return f"{place(ordered[0])} {order}"
    return f"serves {served(index.serves)}"


def _dropped(index: IndexAdvice) -> str:
    if index.why is Why.UNUSED and index.could is not None:
        could = index.could
        where = f"{could.function.name} ({could.access.span.path}:{could.access.span.line})"
        return f"no query reads by it; let {where} do so first if it is to stay, which filters by {' and '.join(could.fields)} without it"
    if index.why is Why.UNUSED:
        return "no query reads by it"
    others = listed([f"`{name}`" for name in index.covered_by]) if index.covered_by else "another index"
    said = f"{others} serve{'s' if len(index.covered_by) < 2 else ''} its queries as well"
    return f"{said}: move {served(index.readers)} there first" if index.readers else said


def _longer(index: IndexAdvice, table: TableAdvice) -> bool:
    """Whether another index of the table begins with the fields of this one."""
    depth = len(index.fields)
    return any(i.fields[:depth] == index.fields and len(i.fields) > depth for i in table.indexes if i.verdict is not Verdict.DROP)


def served(demands: Sequence[Demand]) -> str:
    """The queries that an index serves."""
    places = list(dict.fromkeys(place(d) for d in demands))
    more = len(places) - MOST_NAMED
    return listed([*places[:MOST_NAMED], f"{more} more"] if more > 0 else places)


def afterwards(table: TableAdvice) -> list[str]:
    """What can be done once the queries are changed."""
    return [
        f"`{index.name}` can go as well once another index is used in {served([d for d in index.serves if d.worth])}"
        for index in table.indexes
        if index.passing
    ]


def cost(table: TableAdvice) -> str:
    """What the indexes cost with every write."""
    writes = table.writes
    places = count(writes.places, "place")
    if not writes.places:
        return _unwritten(writes)
    if table.schema.facts.planner:
        said = f"{places} write{'s' if writes.places == 1 else ''} the table"
        return (
            f"{said}, {writes.touching} of them a column of a new index" if any(i.verdict is Verdict.ADD for i in table.indexes) else said
        )
    if writes.before == writes.after:
        return f"each row that is written costs {count(writes.after, 'index entry', 'index entries')}, as before ({places})"
    return f"each row that is written costs {count(writes.after, 'index entry', 'index entries')} instead of {writes.before} ({places})"


def _unwritten(writes: Writes) -> str:
    """What is known of the writes of a table that no code in use is seen to write."""
    unclear = f"; {count(writes.unclear, 'place')} write{'s' if writes.unclear == 1 else ''} to an unknown table"
    aside = f"only {count(writes.aside, 'place')} in seeds, migrations, tests or functions that nothing leads to" if writes.aside else ""
    said = f"{aside} {'is' if writes.aside == 1 else 'are'} seen to write it" if aside else "no write of it is seen"
    return f"{said}{unclear if writes.unclear else ''}"


def proof(table: TableAdvice) -> str:
    """Why fewer indexes cannot do; empty where there is nothing to prove."""
    if not table.demands or not table.apart:
        return ""
    number = len({i.name for i in table.indexes if i.verdict is not Verdict.DROP and any(d in table.demands for d in i.serves)})
    beside = "besides the indexes that stay in any case, " if any(i.why in KEPT for i in table.indexes) else ""
    apart = len(table.apart)
    asked: dict[str, list[str]] = {}
    for demand in table.apart:
        asked.setdefault(place(demand), []).append(shape(demand))
    queries = [f"{where} {' and '.join(f'by {one}' for one in shapes)}" for where, shapes in asked.items()]
    if not table.least:
        return f"{beside}at least {apart} are needed"
    if apart == 1:
        return f"{beside}one index is enough, and {queries[0]} needs one"
    these = "these" if len(queries) == apart == 2 else f"these {apart}"
    these += "" if len(queries) == apart else f" orders of {count(len(queries), 'query', 'queries')}"
    said = f"{beside}no single index can serve {'both' if apart == 2 else 'any two'} of {these}: {'; '.join(queries)}"
    return said if apart >= number else f"{said}; that {number} are needed was found by trying all ways"


def reordered(table: TableAdvice) -> str:
    """Whether fewer would do after rewriting ranges; empty where not."""
    now = len(table.apart)
    if table.reordered >= now or not table.least:
        return ""
    return f"{table.reordered} would do instead of {now} if the ranges of the queries bound their equalities in another order"


def shape(demand: Demand) -> str:
    """What a query asks of an index: what it binds, then what must follow."""
    loose = demand.loose
    equal = [f for f in demand.fields if f in loose.equal]
    then = ["creation time" if f == CREATION else f for f in loose.then]
    return " then ".join(part for part in (" + ".join(equal), ", ".join(then)) if part)


def steps(tables: Iterable[TableAdvice]) -> list[str]:
    """The safe order of deployment, for each platform of its own where there are several."""
    changed = [table for table in tables if table.changes]
    convex = [i for table in changed if table.schema.stack == CONVEX for i in table.indexes]
    others = [table for table in changed if table.schema.stack != CONVEX]
    planned = [i.verdict for table in others for i in table.indexes]
    said = [
        ("Convex", _convex_steps(convex)),
        (listed(sorted({_called(table.schema.stack) for table in others}) or [""]), _sql_steps(planned)),
    ]
    named = all(found for _, found in said)
    return [f"{platform}: {step[:1].lower()}{step[1:]}" if named else step for platform, found in said for step in found]


def _called(stack: str) -> str:
    return STACKS.get(stack, stack)


def _convex_steps(indexes: Sequence[IndexAdvice]) -> list[str]:
    added = [i for i in indexes if i.verdict is Verdict.ADD]
    dropped = [i for i in indexes if i.verdict is Verdict.DROP]
    said = []
    if added:
        said.append(
            "Add the new indexes and deploy: the push builds them before functions switch to it. On a table of 100,000 documents or more "
            "add them with `staged: true`, wait for the backfill in the dashboard, then remove `staged` and deploy again."
        )
        said.append("Bind the fields in the queries (`querylint check` names each place) and deploy.")
    if any(i.covered_by for i in dropped):
        said.append(
            "Move the queries that read by a dropped index to the one that covers it, and deploy: rows that a query does not put in order, "
            "or that are equal in its range or sort, may then come in another order."
        )
    if dropped:
        last = "Drop the other indexes last" if added else "Drop the indexes"
        said.append(f"{last}: a deployment deletes what the schema no longer names.")
    return said


def _sql_steps(verdicts: Collection[Verdict]) -> list[str]:
    said = []
    adds = Verdict.ADD in verdicts
    if adds:
        said.append(
            "Create the new indexes in a separate migration, at a quiet time; on a large PostgreSQL table create them CONCURRENTLY, "
            "outside a transaction."
        )
    if Verdict.DROP in verdicts:
        last = "in a later migration, once the new indexes are in use" if adds else "in a migration"
        said.append(f"Drop what is covered {last}.")
    return said
