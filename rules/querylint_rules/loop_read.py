# long: what excuses a loop is one judgment of many parts.
"""
# A database read for every item of a loop, one after the other

## What it finds
A read that a sequential loop waits for in every iteration, in the loop itself or in a helper that it calls.

## Why it costs
Every iteration waits for a trip to the database before the next one starts. In Convex a `get` per item costs latency, not more bytes: up to
16 reads that start together travel together. A query per item also pays for its own index range, and a scan per item reads the whole table
again and again.

## Instead
Start the reads together and wait once: `await Promise.all(ids.map((id) => ctx.db.get(id)))`. Where every item asks for the rows of one
parent, read the parent's range once and group it in memory.

In Django read the rows for all the items with one query before the loop: `in_bulk(keys)`, or a condition with `__in`.

## When it stays silent
It reports nothing for

- loops whose length the author wrote down (in Convex up to 16 iterations; in Python unless a loop around them repeats them);
- loops that page (the next read needs the cursor of the previous one), and searches that stop at the first hit (a check that all items must
  pass is none: it comes to its end);
- keys that are the same for all rows and that a session holds, and rows that are read again after their own commit;
- reads that are started in the loop but awaited together after it, and batches;
- relations that are loaded with the rows (`lazy-loop` covers those);
- iterations that each ask a different database or by a different column, and settings that somebody wrote;
- branches that the constants of all callers rule out;
- tests, functions that only tests call, seeds and migrations.

It is only a hint where

- nobody waits (crons, scheduled jobs, what only they start), or no client calls this function while clients call most others;
- a short or limited list is read for an action that also waits for an external service;
- the iterations also write, commit or send mail, or the helper also waits for a component: they wait for that anyway;
- an iteration reads a group of keys at once, or its own range, or the parts of one object check themselves;
- the loop around the call of a helper is reported;
- a map is asked first, and keeps what is read;
- one person has few of the rows: the projects of a customer that his firm has opened, the owners who have named somebody by his address;
- a comment says that it is intended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from querylint.advise.asking import asks_again, asks_one_key, asks_the_same
from querylint.advise.audience import UNASKED, UNWAITED, unasked, waited_for
from querylint.advise.behind import behind_outside
from querylint.advise.brought import answered, passed_by
from querylint.advise.bulk import KEPT, by_table, in_one, of_each_column, of_each_table, remembered, small_matter
from querylint.advise.curation import curated
from querylint.advise.growth import accumulates, handful, memberships
from querylint.advise.handed import of_handed_rows
from querylint.advise.named import assigned, named
from querylint.advise.places import asked_for, calls_to, describe, local_effects, own_trail, quiet, reaching, round_of, shortest
from querylint.advise.planner import entire, plain
from querylint.advise.registers import registered
from querylint.advise.rounds import TOGETHER, Rounds, lasting, rounds, singled_out
from querylint.advise.sequence import cheap
from querylint.advise.transactions import commits, reread
from querylint.advise.writes import batch_job, component_too, labors, order_matters, sends
from querylint.ir import (
    ITEM,
    Access,
    Bound,
    Branch,
    Call,
    Kind,
    Loop,
    LoopKind,
    Mode,
    Op,
    Origin,
    Predicate,
    Program,
    Relation,
    Root,
    Terminal,
    Value,
    Wait,
    Way,
)
from querylint.ir.program import Effect, Site
from querylint.remedy import Advice, Batch, Gather
from querylint.rule import Confidence, Cost, Found, Point, Severity, Weight, hint, rule

ALONG = Advice("load it with the query for the rows, by a prefetched relation or an annotation; otherwise read it for all the rows at once")

BY_ID = Advice("get each document by its id, ctx.db.get(id), all of them in one Promise.all: a filter reads the whole table for each")
ONCE = Advice("read once before the loop what every iteration asks for, and pass it to the helper")

RAISING = frozenset(("get", "aget", "one", "scalar_one", "get_object_or_404"))
CHECKS = frozenset(("clean", "full_clean", "clean_fields", "validate_unique"))
REREADING = frozenset(("refresh", "refresh_from_db", "arefresh_from_db"))
AGGREGATING = frozenset(("aggregate", "aaggregate"))
FEW_WAITS = 2

AGAIN = "another read in the same loop is reported"
ORDERED = "the iterations depend on their order"
WRITING = "each iteration waits for a write, a component or a service anyway"


@rule(pattern="loop-read", severity=Severity.WARNING, cwe=1050)
def loop_read(program: Program) -> Iterator[Found]:
    """Reads that a loop waits for in every round: the first of a loop as it deserves, the others as hints."""
    told: set[tuple[str, int]] = set()
    for site, hit, effect in sorted(_hits(program), key=lambda h: (-_weight(h[2].access), h[0].rank)):
        loop = (site.function.key, hit.loop.id)
        own = _own(site, hit, effect)
        if own:
            # What a row's own method asks of its relations is told where it is asked, once for all who call it; so is what the framework
            # asks for each row of a list that it makes by itself.
            if (effect.function, effect.access.id) in told:
                continue
            told.add((effect.function, effect.access.id))
        found = _found(program, site, hit, effect, again=loop in told)
        yield found
        if found.severity is not Severity.INFO:
            told.add(loop)  # beside a hint, another read is told as it deserves


def _hits(program: Program) -> Iterator[tuple[Site, Rounds, Effect]]:
    for site, read in program.reads():
        hit = _waiting(program, site) if not read.related else None  # relations of rows are another rule's
        if hit is not None and not quiet(site.function) and site.function.kind is not Kind.CLIENT:
            effect = Effect(site.function.key, read)
            named = by_table(site, effect, hit.loop) or of_each_table(read, hit.loop) or of_each_column(read, hit.loop)
            if not named and not asks_one_key(program, site, effect) and not reread(program, effect):
                yield site, hit, effect
    for site, call in program.calls():
        hit = _waiting(program, site)
        if hit is None or quiet(site.function) or call.mode is not Mode.DIRECT or site.function.kind is Kind.CLIENT:
            continue
        effects = [e for e in local_effects(program, site.function, call) if e.access.op is Op.READ and not e.access.related]
        effects = [e for e in effects if not reread(program, e) and not of_handed_rows(program, e) and not passed_by(program, e)]
        if effects and answered(program, site.function, call):
            continue
        if program.facts(site.function).bulk_reads:  # what every round asks again is another rule's
            effects = [e for e in effects if not asks_the_same(program, site, e, hit.loop) and not asks_one_key(program, site, e)]
        worst = _worst(effects)
        for effect in effects if _unwritten(hit) else [worst] if worst is not None else []:  # fields of a serializer mend one by one
            if not by_table(site, effect, hit.loop):
                yield site, hit, effect


def _waiting(program: Program, site: Site) -> Rounds | None:
    lazy = program.facts(site.function).bulk_reads
    for hit in rounds(program, site):
        if hit.constant and not _long(program, site, hit.loop):
            if hit.loop.kind is LoopKind.GATHER or hit.paging or hit.searching:
                return None
            continue  # a few rounds each time, of which a loop around them makes many
        if hit.paging or hit.searching or (hit.loop.strided and lazy):
            return None
        if hit.waits:
            return hit if hit.varies else None
        if hit.loop.kind is LoopKind.GATHER:
            return None
    return None


def _long(program: Program, site: Site, loop: Loop) -> bool:
    """Whether a loop has many rounds though they are counted, and a statement for each of them is worth a word."""
    return not plain(program, site.function) and program.once(("lasting", id(loop)), partial(lasting, loop))


def _worst(effects: list[Effect]) -> Effect | None:
    return max(effects, key=lambda e: (not remembered(e), e.certain, _weight(e.access), -len(e.trail)), default=None)


def _weight(read: Access) -> int:
    if any(p.way is Way.SCAN for p in read.plans):
        return 3
    return 1 if read.by_key else 2


def _found(program: Program, site: Site, hit: Rounds, effect: Effect, *, again: bool) -> Found:
    read, step = effect.access, site.step
    assert isinstance(step, Access | Call)
    table = f"`{read.table}`" if read.table else "a table"
    over = round_of(program, site, hit.loop)
    what = "scanned" if _weight(read) == 3 else "read" if read.by_key else "queried"
    may = "is" if effect.certain else "may be"
    through = f" through `{step.text}`" if isinstance(step, Call) else ""
    same = not program.facts(site.function).bulk_reads and asks_again(program, site, effect, hit.loop)
    again_read = f"the same row{'' if read.by_key else 's'} of {table} {'is' if read.by_key else 'are'} read"
    said = again_read if same else f"{_subject(read)} {may} {what}"
    ordered = not same and order_matters(program, site, hit.loop, read)
    writing = _weight(read) < 3 and labors(program, site, hit.loop)
    points = (Point(hit.loop.span, f"once for every {over}"), Point(step.span, describe(step)), *own_trail(program, effect, site.function))
    own = _own(site, hit, effect)
    before = AGAIN if again else ORDERED if ordered else WRITING if writing else ""
    weight = hint(before) if before else _circumstances(program, site, hit, effect)
    return Found(
        read.span if own else step.span,
        f"{said}{through} once for every {over}, each waiting for the previous one",
        shortest(reaching(program, site.function)) + points,
        ONCE if same else _remedy(program, site, hit, effect, ordered=ordered),
        weight.severity,
        Confidence.LIKELY if read.fragile or not effect.certain else Confidence.SURE,
        effect.function if own else site.function.key,
        read.table,
        cost=_cost(program, site, hit, read, same=same),
        help=_care(program, site, read) if program.facts(site.function).bulk_reads else _beside(program, site, hit.loop),
        operation=read.verb,
        because=weight.because,
    )


def _subject(read: Access) -> str:
    if read.table is None and read.by_key:
        return "a row"  # of whatever table: nobody reads the whole of it
    return f"`{read.table}`" if read.table else "a table"


def _own(site: Site, hit: Rounds, effect: Effect) -> bool:
    """Whether a read is told where it stands: a row's own method asks, or a loop that the framework runs and nobody wrote."""
    if _unwritten(hit):
        return effect.function != site.function.key
    return effect.access.follows is not None and bool(effect.trail)


def _unwritten(hit: Rounds) -> bool:
    return hit.loop.span.start == hit.loop.span.end


def _few(program: Program, site: Site, hit: Rounds, read: Access) -> bool:
    """Whether the rounds are few by their nature: ids that a caller of a mutation picked, rows of a table that people keep by hand."""
    over, function = hit.loop.over, site.function
    if plain(program, function) or over is None or not over.parts:
        return False
    writing = function.kind is Kind.MUTATION or all(entry.kind is Kind.MUTATION for entry in program.entries(function.key) or (function,))
    picked = [asked_for(program, function, o) for _, o in over.parts]
    whole = all(p or ITEM not in o.path for p, (_, o) in zip(picked, over.parts, strict=True))
    if writing and cheap((Effect(function.key, read),)) and any(picked) and whole:
        return True  # with, perhaps, a row of the caller's own beside them
    drivers = _drivers(program, site, hit) or _handed_in(program, site, hit)
    if len(drivers) < len(over.parts):
        return False
    if all(ITEM not in o.path for _, o in over.parts) and all(handful(program, function, d) for d in drivers):
        return True
    if all(assigned(program, function, d) or (named(program, function, d) and _light(hit.loop)) for d in drivers):
        return True
    if any(entry.kind is Kind.QUERY for entry in program.entries(function.key) or (function,)) and any(
        registered(program, function.root, d.table) for d in drivers
    ):
        return False  # each heartbeat runs it again
    return all(curated(program, function.root, d.table) or (read.by_key and memberships(program, function, d)) for d in drivers)


def _light(loop: Loop) -> bool:
    """Whether a round waits for next to nothing."""
    return sum(isinstance(step, Wait) for step in loop.steps()) <= FEW_WAITS


def _bounded(program: Program, site: Site, hit: Rounds) -> bool:
    """Whether the rounds are for the rows of a read that has a limit, or whose range does not grow."""
    drivers = _drivers(program, site, hit)
    return bool(drivers) and not any(d.bound is Bound.ALL and accumulates(program, site.function, d) for d in drivers)


def _drivers(program: Program, site: Site, hit: Rounds) -> list[Access]:
    """The reads whose rows the rounds are for."""
    parts = hit.loop.over.parts if hit.loop.over is not None else ()
    places = [program.sites(site.function.key).of(o) for _, o in parts]
    return [place.step for place in places if place is not None and isinstance(place.step, Access)]


def _handed_in(program: Program, site: Site, hit: Rounds) -> list[Access]:
    """The reads whose rows every caller of a helper hands to it for its rounds; nothing where one of them is not to be seen."""
    function, over = site.function, hit.loop.over
    edges = program.callers.get(function.key, ())
    found: list[Access] = []
    for edge in edges if function.kind is Kind.PLAIN and over is not None else ():
        places = program.sites(edge.caller).by_id
        for _, origin in over.parts if over is not None else ():
            given = edge.call.args[origin.ref] if isinstance(origin.ref, int) and origin.ref < len(edge.call.args) else None
            refs = [o.ref for path, o in given.parts if path == origin.path] if given is not None and origin.root is Root.PARAM else []
            steps = [places[ref].step for ref in refs if isinstance(ref, int) and ref in places]
            if not steps or not all(isinstance(step, Access) for step in steps):
                return []
            found += [step for step in steps if isinstance(step, Access)]
    return found


def _told_around(program: Program, site: Site, hit: Rounds) -> bool:
    """Whether a helper runs over a list of one item, and every call of it stands in a loop over the items, which is told by itself."""
    function, over = site.function, hit.loop.over
    params = [o.ref for _, o in over.parts if o.root is Root.PARAM] if over is not None else []
    edges = program.callers.get(function.key, ())
    if function.kind is not Kind.PLAIN or not edges or over is None or not params or len(params) < len(over.parts):
        return False
    for edge in edges:
        place = program.sites(edge.caller).by_id.get(edge.call.id)
        around = _waiting(program, place) if place is not None else None
        given = [edge.call.args[n] for n in params if isinstance(n, int) and n < len(edge.call.args)]
        if edge.call.mode is not Mode.DIRECT or around is None or not any(around.loop.id in value.deps for value in given):
            return False
    return True


def _matched(program: Program, site: Site, hit: Rounds) -> bool:
    """Whether rows are compared with one another, each with all, and only read for where two of them match."""
    over = set(hit.loop.over.origins) if hit.loop.over is not None else set()
    outer = [loop for loop in site.loops if loop is not hit.loop and loop.over is not None and over & set(loop.over.origins)]
    steps = program.sites(site.function.key).all
    inside = {id(step) for step in hit.loop.steps()}
    choices = [step for rank, _ in site.arms if isinstance(step := steps[rank].step, Branch) and id(step) in inside]
    return any({hit.loop.id, loop.id} <= choice.on for loop in outer for choice in choices)


def _repeated_around(program: Program, site: Site, hit: Rounds) -> bool:
    """Whether a loop around this one makes its few reads many: the columns of one kind, for each row of a table."""
    around = [one for one in rounds(program, site) if one.loop is not hit.loop and hit.loop in one.loop.steps()]
    return any(one.loop.kind is LoopKind.EACH and not (one.constant or one.paging or one.searching or one.loop.strided) for one in around)


def _torn_down(program: Program, site: Site, hit: Rounds, effect: Effect) -> bool:
    """Whether what a mutation takes away is looked at first: it deletes the items and what is read for each, which takes longer."""
    drivers = _drivers(program, site, hit)
    entries = program.entries(site.function.key)
    if (
        not drivers
        or not entries
        or any(entry.kind is not Kind.MUTATION for entry in entries)
        or not all(p.fixed() for d in drivers for p in d.plans)
    ):
        return False
    read, listed = effect.access.table, {d.table for d in drivers}
    gone = [{e.access.table for e in program.effects.get(entry.key, ()) if e.access.verb == "delete"} for entry in entries]
    return all(read in tables and (listed <= tables or None in tables) for tables in gone)  # by ids from elsewhere: of any table


def _remedy(program: Program, site: Site, hit: Rounds, effect: Effect, *, ordered: bool) -> Gather | Batch | Advice:
    read = effect.access
    if plain(program, site.function):
        return Batch(hit.loop.span, in_one(site, read, effect, hit.loop))
    helped = read.table is None and read is not site.step and program.facts(site.function).lazy
    if _unwritten(hit) or (helped and _drivers(program, site, hit)):
        return ALONG
    if program.facts(site.function).bulk_reads:
        return Batch(hit.loop.span, of=_batched(site, hit, read))
    if ordered:
        return Advice(
            "read the existing rows of all items before the loop, and keep them up to date in a map, as iterations depend on one another"
        )
    if _by_id(read):
        return BY_ID
    if _weight(read) == 3:
        return Advice("bind an index range for each item, or read the table once before the loop and match its rows in memory")
    if read.by_key:
        return Gather(loop=hit.loop.span)
    whole = next((d for d in _drivers(program, site, hit) if entire(program, site.function, d)), None)
    if whole is not None:
        return Batch(
            hit.loop.span,
            f"keep what is needed on the row of `{whole.table}`, or bound that list: Promise.all saves only waiting time",
        )
    return Batch(hit.loop.span, "start the queries together with Promise.all")


def _by_id(read: Access) -> bool:
    """Whether a filter looks for the row of an id, which needs no filter."""
    tests = [p for plan in read.plans for p in plan.residual()]
    return read.bound is Bound.ONE and any(p.field == "_id" and p.relation is Relation.EQ and not p.conditional for p in tests)


def _batched(site: Site, hit: Rounds, read: Access) -> str:
    """What one query for all the items would give."""
    if read.terminal is Terminal.COUNT:
        return "aggregates" if read.verb in AGGREGATING else "counts"
    if read.verb in REREADING:
        return "again"
    if read is site.step and read.terminal is Terminal.ROWS and not read.guards and _only_gathers(hit.loop, read):
        return "gathered"
    return "keys" if read.by_key else "items"


def _only_gathers(loop: Loop, read: Access) -> bool:
    """Whether a round does nothing but read and put the rows that it has read into a list, one by one."""
    steps = [step for step in loop.body if not isinstance(step, Wait)]
    return steps == [read] and any(Origin(Root.STEP, read.id) in c.rows for c in loop.carried)


def _care(program: Program, site: Site, read: Access) -> str:
    """What is to be minded where rows are looked up in a dictionary by their keys."""
    said: list[str] = []
    table = program.table(site.function, read.table)
    bound = [table.key] if read.by_key and table is not None else [p.field for plan in read.plans for p in plan.predicates if p.field]
    if table is not None and any((field := table.field(name)) is not None and field.uuid for name in bound):
        said.append("the keys of the rows are UUIDs: look them up by UUIDs, not by texts")
    absent = read.verb == "get" and program.facts(site.function).identity  # a session answers None
    if read.verb in RAISING and not absent and read.terminal is Terminal.ROW:
        said.append("a missing row raises here: decide what happens then")
    return "; ".join(said)


def _beside(program: Program, site: Site, loop: Loop) -> str:
    """What stays in turn however the reads of the rounds start: the calls of a component."""
    for other in program.sites(site.function.key).all:
        step = other.step
        if not isinstance(step, Call) or loop not in other.loops:
            continue
        if component_too(program, other) or step.target.name.startswith("components."):
            asked = step.text.removeprefix("await ")
            return f"`{asked}` calls a component in each iteration, and such calls do not run in parallel: ask it for all items at once"
    return ""


def _cost(program: Program, site: Site, hit: Rounds, read: Access, *, same: bool) -> Cost:
    size = "n" if hit.loop.limit is None else str(hit.loop.limit)
    if same:
        return Cost(f"{size} × rows({read.table})" if _weight(read) == 3 else f"{size} round trips, one after another", "1 read")
    if program.facts(site.function).bulk_reads:
        return Cost(f"{size} queries, one after another", "1 query")
    if _weight(read) == 3:
        if _by_id(read):
            return Cost(f"{size} × rows({read.table})", "1 document for each item")
        return Cost(f"{size} × rows({read.table or 'table'})", f"rows({read.table or 'table'}) at most")
    if sum(isinstance(step, Wait) for step in hit.loop.steps()) > 1:
        return Cost(f"{size} × the round trips of one iteration", "the round trips of one iteration, with all its reads started together")
    few = hit.loop.limit is not None and hit.loop.limit <= TOGETHER
    trips = "1 round trip" if few else f"1 round trip for every {TOGETHER}"
    return Cost(f"{size} round trips, one after another", trips if read.by_key else f"{size} queries at once")


def _many_at_once(site: Site, hit: Rounds, read: Access) -> bool:
    """Whether each round reads for a group of its own, or the first few rows of one thing: no list of keys replaces that."""
    if read.bound is Bound.LIMIT:
        return True
    lists = [p.value for plan in read.plans for p in plan.predicates if p.relation is Relation.IN and p.value is not None]
    args = site.step.args if isinstance(site.step, Call) else ()
    given = [args[o.ref] for value in lists for o in value.origins if args and isinstance(o.ref, int) and o.ref < len(args)]
    return any(hit.loop.id in value.deps for value in (*given, *(lists if not args else ())))


def _grouped(program: Program, site: Site, hit: Rounds) -> bool:
    """Whether a round asks for a group of keys at once: a list of a dictionary of lists, which its call hands to a condition with IN."""
    step = site.step
    if not isinstance(step, Call) or not hit.loop.over_text.endswith((".items()", ".values()")):
        return False
    for effect in local_effects(program, site.function, step):
        lists = [p.value for plan in effect.access.plans for p in plan.predicates if p.relation is Relation.IN]
        for value in lists:
            for call in calls_to(step, effect):
                value = _whole(value, call)
            if value is not None and hit.loop.id in value.deps:
                return True
    return False


def _by_no_key(site: Site, hit: Rounds, effect: Effect) -> bool:
    """Whether what a round asks for depends on its item by ranges only: what overlaps with it, or a condition that it is."""
    read = effect.access
    if read.follows is not None or read.by_key:
        return False  # the rows of one row, as a condition with `__in` asks for those of many
    mine: list[Predicate] = []
    for p in (p for plan in read.plans for p in _each(plan.predicates)):
        value = p.value
        for call in calls_to(site.step, effect) if isinstance(site.step, Call) else ():
            value = _whole(value, call)
        if value is not None and hit.loop.id in value.deps:
            mine.append(p)
    counted = read.terminal is Terminal.COUNT  # which one query groups by what the bounds are made of
    # others may be keys in disguise: `email__iexact`
    return bool(mine) and not counted and all(p.relation.ranged or _given_whole(p) for p in mine)


def _given_whole(condition: Predicate) -> bool:
    """Whether a condition is a value that was made elsewhere: the windows of a column, one after the other."""
    parts = condition.value.parts if condition.value is not None else ()
    return condition.field is None and condition.relation is Relation.OTHER and len(parts) == 1 and not parts[0][0]


def _each(predicates: Iterable[Predicate]) -> Iterator[Predicate]:
    """Predicates, and those of their alternatives."""
    for p in predicates:
        yield p
        for arm in p.arms:
            yield from _each(arm)


def _whole(value: Value | None, call: Call) -> Value | None:
    """What a call gives for a parameter that a value is."""
    origins = value.origins if value is not None else ()
    if len(origins) != 1 or origins[0].root is not Root.PARAM or origins[0].path or not isinstance(origins[0].ref, int):
        return None
    return call.args[origins[0].ref] if origins[0].ref < len(call.args) else None


def _works_on_item(program: Program, site: Site) -> bool:
    """Whether the call of a round writes as well, where reads and writes are messages of their own: then the item is worked on anyway."""
    step = site.step
    if not isinstance(step, Call) or not program.facts(site.function).bulk_reads:
        return False
    return commits(program, site.function, step) or any(e.access.op is Op.WRITE for e in local_effects(program, site.function, step))


def _checks_one(program: Program, site: Site, hit: Rounds) -> bool:
    """Whether the parts of one object are checked each by itself, as the framework asks: `part.clean()` for the parts of `self`."""
    step, over = site.step, hit.loop.over
    callee = program.callee(site.function, step) if isinstance(step, Call) else None
    if callee is None or callee.name.rpartition(".")[2] not in CHECKS or over is None or not over.origins:
        return False
    return all(_of_self(program, site, origin) for origin in over.origins)


def _of_self(program: Program, site: Site, origin: Origin) -> bool:
    """Whether something is an attribute of the object at hand, or what a property of it gives."""
    if site.function.params[:1] != ("self",):
        return False
    if origin.root is Root.PARAM:
        return origin.ref == 0 and bool(origin.path)
    found = program.sites(site.function.key).of(origin)
    given = found.step.args if found is not None and isinstance(found.step, Call) else ()
    return len(given) == 1 and bool(given[0].origins) and all(o.root is Root.PARAM and o.ref == 0 for o in given[0].origins)


def _holds_one(program: Program, site: Site, hit: Rounds, read: Access) -> bool:
    """Whether the items go by the name of a relation that leads to one row of the table that is read: the list has one item."""
    schema, over = program.schema(site.function), hit.loop.over
    names = {o.path[-1] for o in over.origins if o.path} if over is not None else set()
    if schema is None or read.table is None or len(names) != 1:
        return False
    name = names.pop()
    links = [link for table in schema.tables.values() if (link := table.link(name)) is not None and link.target == read.table]
    return bool(links) and not any(link.many for link in links)


def _excused(program: Program, site: Site, hit: Rounds, effect: Effect) -> str:
    """Why the rounds may: they do more than the read, have few items that it is made for, or ask for what no list of keys would replace."""
    read, function = effect.access, site.function
    if little := small_matter(program, site, effect):
        return little
    if sends(program, site, hit.loop) or _works_on_item(program, site):
        return "each iteration waits for more than this read"
    if _told_around(program, site, hit):
        return "the loop around the call is reported, and runs more often"
    if component_too(program, site):
        return "each iteration also waits for a component, whose calls do not run in parallel"
    if _matched(program, site, hit) or (singled_out(program, site, hit.loop) and not _repeated_around(program, site, hit)):
        return "it is read for only a few of the items"
    if _torn_down(program, site, hit, effect):
        return "what is read is deleted next, which takes longer"
    if _checks_one(program, site, hit) or _holds_one(program, site, hit, read):
        return "the items are those of one object, which are few"
    if program.facts(function).bulk_reads and _by_no_key(site, hit, effect):
        return "each iteration reads its own range, which no list of keys can replace"
    grouped = program.facts(function).bulk_reads and (_many_at_once(site, hit, read) or _grouped(program, site, hit))
    return "each iteration already reads many keys at once" if grouped else ""


def _circumstances(program: Program, site: Site, hit: Rounds, effect: Effect) -> Weight:
    read, scan = effect.access, _weight(effect.access) == 3
    if hit.loop.kept or not effect.certain:
        return hint(KEPT if hit.loop.kept else "the helper reads only on some calls")
    if why := _excused(program, site, hit, effect):
        return hint(why)
    if scan:
        return Weight(Severity.ERROR if read.bound is Bound.ALL else None)
    if not waited_for(program, site.function) or unasked(program, site.function):
        return hint(UNASKED if waited_for(program, site.function) else UNWAITED)
    if _few(program, site, hit, read):
        return hint("the items are few by their nature")
    if _bounded(program, site, hit) and behind_outside(program, site.function):
        return hint("the iterations are bounded, and their caller waits for an external service anyway")
    batch = read.bound is not Bound.ALL and batch_job(program, site, hit.loop)
    return hint("it works through a bounded batch that nobody waits for" if batch else "")
