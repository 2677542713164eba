"""The work in phases: what it takes, what has to come first, how to change over in safety, and what it should change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict
from querylint.advise.demands import Doing
from querylint.construction import dataclass
from querylint.patch import Safety
from querylint.remedy import AddIndex, DropIndex, Limit, PushDown, Stage, stage
from querylint.report.page.findings import anchor, effort
from querylint.report.page.material import Material
from querylint.report.page.sizes import sized
from querylint.report.wording import advice, count, function_name, rules_of
from querylint.rule import Finding

PHASES = (
    (Stage.CODE, "No schema change", "Each item stands alone and can be reverted alone."),
    (Stage.INDEX, "Indexes", "An index is added before the query that uses it, and dropped only when nothing uses it any more."),
    (Stage.DATA, "Restructure, cache, archive", "What is stored changes: write both, backfill, compare, and only then read the new form."),
)
EFFORTS = ("small", "medium", "large")

LEAD = "Side by side:"
BESIDE = (
    "Side by side: put the changed function next to the old one, call both with the same arguments in a test or a development deployment, "
    "compare what they return, then move the callers over and delete the old one."
)
PAGES = (
    "Side by side: publish the bounded query next to the old one, move the callers one by one (they have to ask for the next page), "
    "then delete the old one."
)
IN_PLACE = "In place: `querylint fix` makes the edits that it marks as safe, and checks them before anything is written."
LOOKED_AT = "After review: `querylint fix --unsafe` makes the edits that need a review; compare what the function returns before and after."
STORED = (
    "Side by side: write the new value with every change, backfill old rows in bounded batches, compare it with what the old query "
    "computes, read it instead, then delete the old query."
)
EXPIRED = (
    "In steps: decide how long rows are needed, count what the job would delete before it deletes anything, archive a copy if you must "
    "keep one, then let it run in bounded batches."
)
INDEXED = (
    "Side by side: queries keep using the old indexes until the new ones are built, then switch over, each compared with its old result."
)
STAGED = "Stage them: this table is large, so add them with `staged: true` first and remove that once they are built."
COVERED = "A longer index serves the readers of a dropped one: move them over first, and drop in a later deployment."
CONCURRENTLY = (
    "The planner picks up an index by itself, so no query changes. On a large table build it concurrently (PostgreSQL: `CREATE INDEX "
    "CONCURRENTLY`, in a migration outside a transaction), so that writes can go on meanwhile."
)
COVERED_BY_PLAN = "A longer index serves the readers of a dropped one: the planner takes it, and `EXPLAIN` shows that it does."
IDLE = "Unused indexes are dropped in a separate deployment, at a quiet time."


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a check-list; `anchor` is the finding that it settles, if any."""

    text: str
    place: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What is expected of an item, by the cost model: so many places go from `now` to `after`."""

    places: int
    now: str
    after: str
    now_sized: str
    after_sized: str


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of work.

    `after` are the numbers of the items that come first, `beside` of those that edit the same queries; `touches` are the functions that
    it edits, each with the table that it asks.
    """

    number: str
    title: str
    effort: str
    what: tuple[str, ...]
    changes: tuple[Change, ...]
    migration: tuple[str, ...]
    tasks: tuple[Task, ...]
    after: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    touches: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Phase:
    """Items that need the same care."""

    number: int
    title: str
    about: str
    items: tuple[Item, ...]


def roadmap(material: Material, findings: Sequence[Finding]) -> tuple[Phase, ...]:
    """The phases, each with its items, in the order of the findings, which come dearest first.

    What is below the floor of the report counts only where stored data changes.
    """
    by_stage: dict[Stage, list[Finding]] = {kind: [] for kind, _, _ in PHASES}
    missed = {(d.function.key, t.table.name) for t, i in _coming(material) for d in i.serves if d.doing is Doing.MISSES}
    ranged = {(f.found.table, f.found.remedy.index) for f in findings if f.found.function and isinstance(f.found.remedy, PushDown)}
    for finding in findings:
        found = finding.found
        kind = Stage.INDEX if found.remedy is None and (found.function, found.table) in missed else stage(found.remedy)
        told_there = not found.function and isinstance(found.remedy, PushDown) and (found.table, found.remedy.index) in ranged
        if not told_there and (kind is Stage.DATA or finding.severity.rank >= material.show.rank):
            by_stage[kind].append(finding)
    made = {
        kind: list(_indexing(material, members) if kind is Stage.INDEX else _by_rule(material, members, kind))
        for kind, members in by_stage.items()
    }
    phases: list[Phase] = []
    for number, (kind, title, about) in enumerate(PHASES, 1):
        items = [replace(item, number=f"{number}.{place}") for place, item in enumerate(made[kind], 1)]
        phases.append(Phase(number, title, about, tuple(items)))
    return _tied(phases)


def _coming(material: Material) -> Iterator[tuple[TableAdvice, IndexAdvice]]:
    for table in material.indexes.changed:
        yield from ((table, index) for index in table.indexes if index.verdict is Verdict.ADD)


def _tied(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """The phases, each item with those that touch the same queries: before restructuring comes whatever does without."""
    code, indexes, data = phases
    earlier = [*code.items, *indexes.items]
    return (
        replace(code, items=tuple(replace(i, beside=_sharing(i, indexes.items)) for i in code.items)),
        indexes,
        replace(data, items=tuple(replace(i, after=_sharing(i, earlier)) for i in data.items)),
    )


def _sharing(item: Item, others: Iterable[Item]) -> tuple[str, ...]:
    return tuple(other.number for other in others if other.touches & item.touches)


def _by_rule(material: Material, findings: Iterable[Finding], kind: Stage) -> Iterator[Item]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.rule, []).append(finding)
    pages = rules_of(material.result)
    for rule, members in sorted(groups.items(), key=lambda group: (-max(f.severity.rank for f in group[1]), -len(group[1]), group[0])):
        yield Item(
            "",
            pages[rule].summary if rule in pages else rule,
            _most(members),
            _what(members),
            _changes(members, material.rows),
            _migration(members, kind),
            tuple(map(_task, members)),
            touches=_touches(members),
        )


def _indexing(material: Material, findings: Sequence[Finding]) -> Iterator[Item]:
    tables = {table.table.name: table for table in material.indexes.changed}
    by_table: dict[str, list[Finding]] = {}
    for finding in findings:
        by_table.setdefault(finding.found.table or "", []).append(finding)
    idle: list[tuple[str, str]] = []
    for name in sorted({*tables, *by_table}, key=lambda name: (-len(by_table.get(name, ())), name)):
        members, table = by_table.get(name, []), tables.get(name)
        dropped = [i.name for i in table.indexes if i.verdict is Verdict.DROP] if table is not None else []
        if table is not None and _only_idle(table) and all(_declared(finding, dropped) for finding in members):
            idle += [(name, index) for index in dropped]
        else:
            yield _table(material, name, table, members)
    if idle:
        tasks = tuple(Task(f"drop `{index}` of {name}") for name, index in idle)
        where = count(len({name for name, _ in idle}), "table")
        yield Item("", f"Drop {count(len(idle), 'index', 'indexes')} of {where}", "small", (), (), (IDLE,), tasks)


def _only_idle(table: TableAdvice) -> bool:
    """Whether all there is to do to a table is to drop what nothing reads by."""
    return all(i.verdict is Verdict.KEEP or (i.verdict is Verdict.DROP and not i.covered_by) for i in table.indexes)


def _table(material: Material, name: str, table: TableAdvice | None, members: Sequence[Finding]) -> Item:
    advised = table.indexes if table is not None else ()
    added = [i for i in advised if i.verdict is Verdict.ADD]
    dropped = [i for i in advised if i.verdict is Verdict.DROP]
    covered = [i for i in dropped if i.covered_by]
    large = name in material.large
    queries = [finding for finding in members if not _declared(finding, {i.name for i in (*added, *dropped)})]
    edited = {finding.found.function for finding in queries if finding.found.function}
    said = [f"add {len(added)}"] if added else []
    said += [f"drop {len(dropped)}"] if dropped else []
    said += [f"change {count(len(edited), 'function')}"] if edited else []
    planned = table is not None and table.schema.facts.planner
    built = "it is" if len(added) == 1 else "they are"
    tasks = [Task(f"add `{i.name}` ({', '.join(i.fields)}){', staged' if large and not planned else ''}") for i in added]
    first = "apply the migration" if planned else "deploy"
    tasks += [Task(f"{first}, and wait until {built} built")] if added else []
    tasks += map(_task, queries)
    tasks += [] if planned else [Task(f"read by {_names(i.covered_by)} where `{i.name}` is read by") for i in covered]
    later = " in a later migration" if planned and added else " in a later deployment" if not planned and (added or covered) else ""
    tasks += [Task(f"drop `{i.name}`{later}") for i in dropped]
    wanted = (
        (CONCURRENTLY if planned else INDEXED, added),
        (BESIDE, queries and not added),
        (STAGED, large and added and not planned),
        (COVERED_BY_PLAN if planned else COVERED, covered),
        (IDLE, dropped != covered),
    )
    return Item(
        "",
        f"{name or 'several tables'}: {', '.join(said) or 'change the indexes'}",
        "medium" if added or queries or covered else "small",
        (),
        _changes(queries, material.rows),
        tuple(text for text, needed in wanted if needed),
        tuple(tasks),
        touches=_touches(members) | {(d.function.key, name) for i in added for d in i.serves},
    )


def _declared(finding: Finding, names: Collection[str]) -> bool:
    """Whether a finding is about an index as such that the advice names anyway."""
    remedy = finding.found.remedy
    return isinstance(remedy, AddIndex | DropIndex) and remedy.index in names


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _most(members: Iterable[Finding]) -> str:
    return max((effort(finding.found.remedy) for finding in members), key=EFFORTS.index)


def _what(members: Iterable[Finding]) -> tuple[str, ...]:
    """What to do, where it is one thing for all of them; else each place says its own."""
    said = list(dict.fromkeys(text for finding in members for text in advice(finding.found)[:1]))
    return tuple(said) if len(said) == 1 else ()


def _changes(members: Iterable[Finding], rows: Mapping[str, int]) -> tuple[Change, ...]:
    counts: dict[tuple[str, str], int] = {}
    for finding in members:
        cost = finding.found.cost
        if cost is not None:
            counts[cost.now, cost.after] = counts.get((cost.now, cost.after), 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Change(number, now, after, sized(now, rows), sized(after, rows)) for (now, after), number in ordered)


def _migration(members: Sequence[Finding], kind: Stage) -> tuple[str, ...]:
    if kind is Stage.DATA:
        return (STORED,) if any(finding.found.function for finding in members) else (EXPIRED,)
    safeties = {finding.fix.safety for finding in members if finding.fix is not None}
    rest = [finding for finding in members if finding.fix is None or finding.fix.safety is Safety.DISPLAY]
    pages = [finding for finding in rest if isinstance(finding.found.remedy, Limit) and finding.found.remedy.paginate]
    wanted = ((IN_PLACE, Safety.SAFE in safeties), (LOOKED_AT, Safety.UNSAFE in safeties), (PAGES, pages), (BESIDE, len(rest) > len(pages)))
    said = [text for text, needed in wanted if needed]
    return tuple(text if len(said) == 1 or not text.startswith(LEAD) else f"Others side by side:{text[len(LEAD) :]}" for text in said)


def _task(finding: Finding) -> Task:
    found = finding.found
    said = "; ".join(advice(found)) or found.message
    name = function_name(found) or found.table or ""
    return Task(f"`{name}`: {said}" if name else said, str(found.span), anchor(finding))


def _touches(members: Iterable[Finding]) -> frozenset[tuple[str, str]]:
    """The functions that are edited, each with the table that it asks."""
    return frozenset((f.found.function, f.found.table or "") for f in members if f.found.function)
