"""
# Writes one by one in a loop

## What it finds
An insert, patch, replace, save or delete that a loop waits for in every iteration.

## Why it costs
Inside one Convex mutation this is one transaction and no round trip per item, so it is a hint. It becomes a problem where the rows
that drive it are not bounded: each patch or delete reads its document and records a range of its own, and a transaction ends at 4,096
ranges, long before the limit of 16,000 writes. In Django every write is a statement and a round trip of its own: a warning.

## Instead
Take a bounded batch, write it, and schedule the next one: `.take(200)` and `ctx.scheduler.runAfter(0, ...)`.
In Django collect the rows and write them once: `bulk_create`, `bulk_update`, or `update()` and `delete()` of a queryset.

## When it stays silent
Writes under `Promise.all`, loops of constant length, batches that are bounded and schedule themselves, writes in a helper unless the rows
that drive them are unbounded, loops over batches, loops that end with the write, loops beside which the other way of a choice writes the
rows at once, new rows of a Django model whose
parent has a separate table (`bulk_create` cannot make them), tests, seeds and migrations. Writes in a helper, and those
of rows that an overridden `save` or a signal watches, are hints; so are those of which a comment says why they go one by one, those of
iterations that store or delete files or send messages as well, and those of rows that a set of forms hands over unsaved.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import UNWAITED, left_alone, unhurried
from querylint.advise.bulk import BULK, beside_bulk, by_table, fails_alone, filled_after, keeps_one_row, laboring, of_uploads, one_by_one
from querylint.advise.growth import PERSON, TENANT, Reach, accumulates, reach
from querylint.advise.keys import keys
from querylint.advise.places import local_effects, quiet, reaching, round_of, shortest
from querylint.advise.planner import plain
from querylint.advise.rounds import Rounds, leaves_after, rounds
from querylint.advise.volume import STREAM
from querylint.advise.writes import sends, stores
from querylint.ir import Access, Bound, Branch, Call, Kind, Loop, Mode, Op, Plan, Program, Relation, Side, Terminal, Use, Work
from querylint.ir.program import Effect, Site
from querylint.pattern import Pattern
from querylint.remedy import Batch, Chunk
from querylint.rule import Confidence, Cost, Found, Point, Severity, Weight, hint, rule

INSERTING = frozenset(("create", "save"))
ASSIGNED = "assign"
ENDING = "commit"
MAKING = frozenset(("create", "get_or_create", "update_or_create"))
PREPOSITION = Pattern(r" (?:a row of|into|from|to)$")
RELATING = frozenset(("add", "remove"))
CHECKED = "form"
UNSAVED = Pattern(r"\.save\(\s*commit\s*=\s*False\s*\)$")
LOOKING = frozenset(("get_or_create", "update_or_create"))  # the read that they begin with is a finding of its own
TOLD = LOOKING | {ASSIGNED, ENDING}  # what another finding, or the end of the unit of work, tells


@rule(pattern="loop-write", severity=Severity.INFO, cwe=1050)
def write_per_item(program: Program) -> Iterator[Found]:
    """Writes that a loop waits for."""
    assigned: set[tuple[str, int, str | None]] = set()
    for site, write in program.writes():
        if quiet(site.function):
            continue
        hit = _waiting(program, site)
        if hit is None:
            continue
        if program.facts(site.function).bulk_writes:
            if _split(program, site, write) or beside_bulk(program, site, hit.loop, write):
                continue
            each = write.verb not in LOOKING and (hit.varies or write.verb in INSERTING)
            if each and _alone(write, hit) and not _batch(program, site, Effect(site.function.key, write), hit):
                if write.verb == ASSIGNED:  # what is set in one row is written at once, however many attributes there are
                    rows = (site.function.key, hit.loop.id, write.table)
                    if rows in assigned:
                        continue
                    assigned.add(rows)
                yield _one_by_one(program, site, write, hit)
        elif not _bounded(_source(program, site, hit)):
            yield _found(program, site, write, hit)
    for site, call in program.calls():
        if quiet(site.function) or call.mode is not Mode.DIRECT or not site.loops:
            continue
        hit = _waiting(program, site)
        if hit is not None and program.facts(site.function).bulk_writes:
            effect = _written(program, site, call)
            if effect is not None and hit.varies and not _split(program, site, effect.access) and not _batch(program, site, effect, hit):
                yield _one_by_one(program, site, effect.access, hit, call)
            continue
        written = next(
            (e.access for e in local_effects(program, site.function, call) if e.access.op is Op.WRITE and e.access.verb != "insert"), None
        )
        if hit is not None and written is not None and _gathers(program, site, written, _source(program, site, hit)):
            yield _found(program, site, written, hit, call)


def _split(program: Program, site: Site, write: Access) -> bool:
    """Whether a new row is written to several tables, its own and those of classes above: no statement makes many of such rows."""
    table = program.table(site.function, write.table)
    new = write.verb in MAKING or (write.verb == "save" and write.key is not None and not write.key.origins)
    return new and table is not None and table.split is True


def _alone(write: Access, hit: Rounds) -> bool:
    """Whether the write is all that matters in a round: an assignment beside others, a commit of a round that does nothing else."""
    if write.verb == ENDING:
        return not any(isinstance(s, Call) for s in hit.loop.steps())
    return write.verb != ASSIGNED or _only_assigns(hit)


def _only_assigns(hit: Rounds) -> bool:
    """Whether a round does nothing but give the row the same values as every other row."""
    return not any(isinstance(s, Call | Loop | Branch) or (isinstance(s, Access) and s.verb != ASSIGNED) for s in hit.loop.steps())


def _written(program: Program, site: Site, call: Call) -> Effect | None:
    """The write that a call certainly brings about, close by."""
    effects = [e for e in local_effects(program, site.function, call) if e.access.op is Op.WRITE]
    first = effects[0] if len(effects) == 1 else None
    return first if first is not None and first.certain and len(first.trail) <= 2 and first.access.verb not in TOLD else None


def _batch(program: Program, site: Site, effect: Effect, hit: Rounds) -> bool:
    """Whether the statement writes many rows already, or each round's goes to another table."""
    write = effect.access
    return by_table(site, effect, hit.loop) or write.verb in BULK or (write.bound is Bound.ALL and plain(program, site.function))


def _weight(program: Program, site: Site, write: Access, hit: Rounds, call: Call | None) -> Weight:
    if unhurried(program, site.function):
        return hint(UNWAITED)
    if fails_alone(site, hit.loop):
        return hint("the failure of a single write is handled")
    if _own_values(write, hit):
        return hint("each iteration updates rows by its own condition")
    if write.verb == CHECKED or UNSAVED.search(hit.loop.over_text):
        return hint("each form validates and stores its own row")
    if of_uploads(site.function, hit.loop):
        return hint("each iteration also stores a file")
    if laboring(program, site, hit.loop) or stores(program, site, hit.loop) or _sends(program, site, hit.loop):
        return hint("each iteration does so much else that the write hardly matters")
    if call is None and keeps_one_row(hit.loop, write):
        return hint("each iteration stores the same row, to report progress")
    if call is None and filled_after(program, site, hit.loop):
        return hint("each iteration goes on to write for the row that it created")
    if plain(program, site.function):
        alone = one_by_one(program, site, hit.loop, write)
        return hint("the iteration needs the result of each write, or the database runs in the process" if alone else "", Severity.WARNING)
    if call is not None:
        return hint("the write is in a helper that does more for each item")
    if _bound_to_rows(program, site, write, hit):
        return hint("code of the project watches each of these rows, or each write is to another row's relation")
    return Weight(Severity.WARNING)


def _sends(program: Program, site: Site, loop: Loop) -> bool:
    """Whether each round sends a message into the world. In plain statements a round may end its own transaction as well: that is told."""
    return not plain(program, site.function) and sends(program, site, loop)


def _own_values(write: Access, hit: Rounds) -> bool:
    """Whether each round updates other rows by its own condition: rows that were not read, so that no list of them can be written."""
    conditions = [p.value for plan in write.plans for p in plan.predicates if p.value is not None]
    return write.verb == "update" and write.bound is Bound.ALL and any(hit.loop.id in value.deps for value in conditions)


def _one_by_one(program: Program, site: Site, write: Access, hit: Rounds, call: Call | None = None) -> Found:
    """A write per item where one statement could write them all."""
    over = round_of(program, site, hit.loop)
    through = f" through `{call.text}`" if call is not None else ""
    source = _source(program, site, hit)
    loaded = (Point(source.span, "the rows are loaded here"),) if source else ()
    weight = _weight(program, site, write, hit, call)
    return Found(
        call.span if call is not None else write.span,
        f"{_what(write)}{through} for every {over}, one statement each",
        (*shortest(reaching(program, site.function)), *loaded, Point(hit.loop.span, f"once for every {over}")),
        Batch(hit.loop.span, of="alike" if write.verb == ASSIGNED else "writes"),
        weight.severity,
        Confidence.LIKELY,
        site.function.key,
        write.table,
        cost=Cost("n statements", "1 statement for a batch of rows"),
        operation=write.verb,
        because=weight.because,
    )


def _batched_or_once(program: Program, site: Site, hit: Rounds) -> bool:
    """Whether a round writes for many items at once, or the loop around the write ends with it."""
    return hit.loop.strided or leaves_after(program, site, site.loops[-1])


def _bound_to_rows(program: Program, site: Site, write: Access, hit: Rounds) -> bool:
    """Whether rows must be written one by one: code of the project watches them, or each write belongs to another row's relation."""
    table = program.table(site.function, write.table)
    if write.verb in ("save", "delete", "create") and table is not None and table.watched:
        return True
    return write.verb in ("add", "set", "remove", "clear")


def _waiting(program: Program, site: Site) -> Rounds | None:
    for hit in rounds(program, site):
        if hit.constant or hit.paging or (program.facts(site.function).bulk_writes and _batched_or_once(program, site, hit)):
            return None
        if hit.waits:
            return hit
    return None


def _source(program: Program, site: Site, hit: Rounds) -> Access | None:
    """The read whose rows the loop runs over: that of the relation itself, where one row leads to them."""
    for origin in sorted(hit.loop.over.origins, key=lambda o: len(o.path)) if hit.loop.over is not None else ():
        found = program.sites(site.function.key).of(origin)
        if found is not None and isinstance(found.step, Access):
            return found.step
    return None


def _gathers(program: Program, site: Site, write: Access, source: Access | None) -> bool:
    """Whether the rows that drive the writes are a range that gathers rows."""
    if source is None or source.terminal is not Terminal.ROWS or source.bound is not Bound.ALL or write.verb == "insert":
        return False
    if write.fields is not None and any(set(write.fields) & set(p.fixed()) for p in source.plans):
        return False
    if any(len(p.fixed()) > 1 for p in source.plans):  # what two keys have in common is little, and one row as a rule
        return False
    entries = program.entries(site.function.key)
    if entries and not any(e.kind is Kind.MUTATION for e in entries):  # a query cannot write, whatever its helpers could
        return False
    return not _cut(site, source) and accumulates(program, site.function, source)


def _equal(plan: Plan) -> set[str]:
    """The fields that a plan binds to values, by its index or by its filter."""
    tested = {p.field for p in plan.residual() if p.relation is Relation.EQ and not p.conditional and p.field is not None}
    return tested | set(plan.fixed())


def _grows(program: Program, site: Site, write: Access, source: Access | None) -> bool:
    """Whether the rows that drive the writes have no bound: a whole table, or a stream of what somebody does."""
    if source is None or not _gathers(program, site, write, source) or left_alone(program, site.function):
        return False
    if write.fields is not None and any(set(write.fields) & _equal(p) for p in source.plans):
        return False  # what is written leaves the rows that are asked for
    if _sweeps(program, site, write, source):
        return False
    owned = any(PERSON.match(f) or TENANT.match(f) for p in source.plans for f in p.fixed())
    name = (source.table or "").lower()
    stream = name.endswith(("message", "messages")) or (owned and STREAM.search(name) is not None)
    whole = reach(program, site.function, source) is Reach.TABLE and not keys(program, site.function.root, source.table)
    return stream or whole  # a table with one row for each key holds as many as there are things with such a key


def _sweeps(program: Program, site: Site, write: Access, source: Access) -> bool:
    """Whether each call adds one row to a table and clears away those of it that have grown old, or are too many.

    Then few have or are, since the call before.
    """
    old = any(p.relation in (Relation.LT, Relation.LTE) and p.side is not Side.MEMORY for plan in source.plans for p in plan.predicates)
    if write.verb != "delete" or not (old or _beyond(site, source)) or source.table is None:
        return False
    sites = program.sites(site.function.key).all
    return any(isinstance(s.step, Access) and s.step.verb == "insert" and s.step.table == source.table and not s.loops for s in sites)


def _beyond(site: Site, source: Access) -> bool:
    """Whether only the rows beyond a number of them are gone through."""
    return any(s.size is None and s.start is not None and s.start.literal != 0 for s in _slices(site, source))


def _cut(site: Site, source: Access) -> bool:
    """Whether the list is cut to a given number before the loop runs over it."""
    return any(s.size is not None for s in _slices(site, source))


def _slices(site: Site, source: Access) -> Iterator[Use]:
    return (s for s in site.function.steps() if isinstance(s, Use) and s.work is Work.SLICE and any(o.ref == source.id for o in s.of))


def _found(program: Program, site: Site, write: Access, hit: Rounds, call: Call | None = None) -> Found:
    source = _source(program, site, hit)
    grows = _grows(program, site, write, source)
    heavy = grows and not _choosy(site, hit)
    what = f"{_verb(write)} `{write.table}`" if write.table else f"{PREPOSITION.sub('', _verb(write))} a document"
    over = round_of(program, site, hit.loop)
    through = f" through `{call.text}`" if call is not None else ""
    tail = ", and nothing here bounds their number: past about 4,096 the transaction fails" if grows else ""
    loaded = (Point(source.span, "the rows are loaded here"),) if source else ()
    return Found(
        call.span if call is not None else write.span,
        f"{what}{through} for every {over}, one at a time{tail}",
        (*shortest(reaching(program, site.function)), *loaded, Point(hit.loop.span, f"once for every {over}")),
        Chunk(write.table),
        Severity.WARNING if heavy else None,
        function=site.function.key,
        table=write.table,
        cost=Cost("n writes in one transaction", "a bounded batch per transaction"),
        operation=write.verb,
        because="" if heavy else "the writes of one transaction travel together, and nothing shows that they are many",
    )


def _bounded(source: Access | None) -> bool:
    return source is not None and source.bound in (Bound.LIMIT, Bound.PAGE)


def _choosy(site: Site, hit: Rounds) -> bool:
    """Whether a condition on the row picks the few that are written."""
    step = site.step
    return isinstance(step, Access | Call) and hit.loop.id in step.guards


def _what(write: Access) -> str:
    """What a write does to its table; to a row, where it is not known which table it is of."""
    verb = _verb(write)
    if write.table:
        return f"{verb} `{write.table}`"
    return f"{verb} a relation" if write.verb in RELATING else f"{PREPOSITION.sub('', verb)} a row"


def _verb(write: Access) -> str:
    return {
        "insert": "inserts into", "patch": "patches", "replace": "replaces", "delete": "deletes from", "create": "inserts into",
        "save": "saves a row of", "get_or_create": "looks up or inserts into", "update_or_create": "updates or inserts into",
        "form": "saves a row of", "add": "adds to", "remove": "removes from", "assign": "sets the same value in a row of",
        "update": "updates", "upsert": "writes to",
    }.get(write.verb, "writes to")  # fmt: skip
