"""
# A remote call for every item

## What it finds
`ctx.runQuery`, `ctx.runMutation` or `ctx.runAction` once per item of a loop, in an action, an HTTP handler, a query or a mutation, there or
in a helper.

## Why it costs
From an action each is a billed function call with a transaction of its own, and they see different states of the database. Inside a query
or mutation each starts a new context and validates its arguments again. In a loop they also wait for one another.

## Instead
One query or mutation that takes all the items; inside a transaction, a plain function in place of the call. Where the items are too many
for one transaction, send them in chunks; where each is a job of its own, schedule it. What comes in one by one, as the words of a model do,
is gathered and sent now and then.

## When it stays silent
Loops that page or work through batches (`while (hasMore)`, a cursor; a list that is flushed whenever it is full), loops over chunks,
constant lists, loops that look now and then for what has gathered (each iteration sets a timer), attempts that stop at the first success,
jobs that are scheduled, calls of components, tests, seeds and migrations. Mutations in parallel, those of one transaction for a list that
its caller hands in, and a mutation that saves what was fetched for one item, are hints; so are functions that each item names, by a text
or by a choice among several, and calls in a transaction that nobody waits for, or of functions that clients call: nothing is billed by
them. So are calls for the few rows that one person or thing has, calls of which the result is kept in a map that is asked first, and where
nobody waits, for rows that leave the list by this very call and for what a model has just written.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import ALONE, UNWAITED, left_alone, waited_for
from querylint.advise.bulk import KEPT
from querylint.advise.items import answered, few_of_one, just_come
from querylint.advise.places import quiet, reaching, round_of, shortest, transactional
from querylint.advise.rounds import SEQUENTIAL, Rounds, rounds
from querylint.construction import replace
from querylint.ir import ITEM, Access, Block, Branch, Call, Function, Kind, Loop, LoopKind, Mode, Op, Program, Root, TargetKind, Use, Work
from querylint.ir.program import Edge, Remote, Site
from querylint.pattern import Pattern
from querylint.remedy import Batch
from querylint.rule import Cost, Found, Point, Severity, Weight, hint, rule

CHOICES = 3
TIMER = Pattern(r"^(?:await )?(?:setTimeout|sleep|delay|wait)\b")


@rule(pattern="loop-rpc", severity=Severity.WARNING, cwe=1050)
def call_per_item(program: Program) -> Iterator[Found]:
    """Remote calls in loops, there or in a helper: one finding a loop, on its first call that costs most; the others are named in it."""
    loops: dict[tuple[str, int], list[Found]] = {}
    for site, call in program.calls():
        if quiet(site.function) or site.function.kind is Kind.CLIENT or not site.loops:
            continue
        hit = _repeated(program, site)
        if hit is None:
            continue
        remotes = [Remote(site.function.key, call)] if call.mode.remote else _through(program, site, call)
        remote = next((r for r in remotes if _counts(program, site, r)), None)
        if remote is not None:
            loops.setdefault((site.function.key, hit.loop.id), []).append(_found(program, site, call, hit, remote))
    for found in loops.values():
        first = next((one for one in found if one.severity is not Severity.INFO), found[0])
        others = [one for one in found if one is not first]
        more = "; the loop makes more such calls" if others else ""
        points = tuple(Point(one.span, one.message.partition(":")[0]) for one in others)
        yield replace(first, message=first.message + more, trail=(*first.trail, *points))


def _loops_itself(program: Program, remote: Remote) -> bool:
    """Whether the helper that a round calls runs the call for every item of its own: that loop is told by itself."""
    site = program.sites(remote.function).by_id.get(remote.call.id)
    return bool(remote.trail) and site is not None and bool(site.loops) and _repeated(program, site) is not None


def _counts(program: Program, site: Site, remote: Remote) -> bool:
    """Whether it is a call of the application's own functions, and one that can happen here."""
    if remote.call.target.name.startswith("components."):
        return False
    detached = remote.call.detached or any(edge.call.detached for edge in remote.trail)
    return not (detached and _inside(program, site.function))


def _through(program: Program, site: Site, call: Call) -> list[Remote]:
    """The remote calls of a helper, queries first; a helper that also waits for the outside world does its own work per item."""
    key = program.callees.get((site.function.key, call.id))
    if key is None or call.mode is not Mode.DIRECT or key in program.outside:
        return []
    edge = Edge(site.function.key, call, key)
    found = [Remote(r.function, r.call, (edge, *r.trail)) for r in program.remotes.get(key, ())]
    return sorted(found, key=lambda r: (r.call.mode is not Mode.QUERY, len(r.trail)))


def _repeated(program: Program, site: Site) -> Rounds | None:
    for hit in rounds(program, site):
        if hit.constant or hit.paging or hit.searching or hit.loop.strided or _chunked(site.function, hit.loop):
            return None
        if hit.varies:
            return None if _in_batches(site, hit.loop) or _paced(hit.loop) or _flushed(program, site, hit.loop) else hit
    return None


def _flushed(program: Program, site: Site, loop: Loop) -> bool:
    """Whether the rounds only gather items, and a call hands on what has gathered: now and then in the loop, and what is left behind it."""
    call = site.step
    places = program.sites(site.function.key)
    inside = {id(step) for step in loop.steps()}
    chosen = any(id(places.all[rank].step) in inside for rank, _ in site.arms)
    if not isinstance(call, Call) or not chosen or any(ITEM not in path for value in call.args for path, _ in value.parts):
        return False
    rest = (s for s in places.all[site.rank + 1 :] if isinstance(s.step, Call) and all(around is not loop for around in s.loops))
    return any(s.step.span == call.span or _same(s.step, call) for s in rest if isinstance(s.step, Call))


def _same(one: Call, other: Call) -> bool:
    """Whether two calls hand the same list to the same function."""
    parts = [value.parts for value in one.args]
    return one.target == other.target and any(parts) and parts == [value.parts for value in other.args]


def _in_batches(site: Site, loop: Loop) -> bool:
    """Whether a loop that counts through a list by itself hands on a stretch of it in each round, not an item."""
    call = site.step
    if loop.kind is not LoopKind.WHILE or not isinstance(call, Call):
        return False
    cut = {o for s in loop.steps() if isinstance(s, Use) and s.work is Work.SLICE for o in s.of}
    return any(o in cut for value in call.args for _, o in value.parts)


def _paced(loop: Loop) -> bool:
    """Whether each round of a loop without a list sets a timer: it looks now and then for what has gathered, or goes on elsewhere."""
    outside = (call for call in _sure(loop.body) if call.target.kind is TargetKind.EXTERNAL)
    return loop.kind is LoopKind.WHILE and any(TIMER.search(call.text) for call in outside)


def _chunked(function: Function, loop: Loop) -> bool:
    """Whether a loop runs over pieces of a list, by its words: those that a text was cut into are items, of which fields are looked at."""
    words = loop.over_text.lower()
    if "chunk" not in words and "batch" not in words:
        return False
    if loop.over is None:
        return True
    made = any(path[:1] == (ITEM,) and ITEM not in path[1:] and len(path) > 1 for path, _ in loop.over.parts)
    taken = {(o.root, o.ref, (*o.path, ITEM)) for o in loop.over.origins}
    return not made and not any((o.root, o.ref, o.path[:-1]) in taken for o in function.touched)


def _found(program: Program, site: Site, call: Call, hit: Rounds, remote: Remote) -> Found:
    over = round_of(program, site, hit.loop)
    inner = remote.call
    word = {Mode.QUERY: "query", Mode.MUTATION: "mutation", Mode.ACTION: "action"}[inner.mode]
    name = f"`{''.join(inner.text.split())}`" if inner.text and inner.target.kind is TargetKind.ROUTE else "another function"
    through = f" through `{call.text.removeprefix('await ')}`" if remote.trail else ""
    cost = "a new context and validation each" if _inside(program, site.function) else "a billed call and a transaction each"
    steps = tuple(Point(e.call.span, f"calls {e.call.text}") for e in remote.trail)
    weight = _weight(program, site, call, hit, remote)
    return Found(
        call.span,
        f"{word} {name} runs{through} once for every {over}: {cost}",
        (
            *shortest(reaching(program, site.function)),
            Point(hit.loop.span, f"once for every {over}"),
            *steps,
            Point(inner.span, f"runs {name}"),
        ),
        Batch(hit.loop.span, _how(program, site, hit.loop, inner.mode, word, name)),
        weight.severity,
        function=site.function.key,
        cost=Cost("n calls", "no nested call" if _inside(program, site.function) else "1 call, or 1 per chunk"),
        operation=inner.mode.value,
        because=weight.because,
    )


def _how(program: Program, site: Site, loop: Loop, mode: Mode, word: str, name: str) -> str:
    if mode is Mode.ACTION:
        return "schedule the actions, or give one action all the items"
    inside = _inside(program, site.function)
    if loop.arriving and not inside:
        return f"gather what comes in, and hand it on to one {word} now and then: after so many items or so much time"
    return f"call the body of {name} as a plain function" if inside else f"pass all the items to one {word}"


def _weight(program: Program, site: Site, call: Call, hit: Rounds, remote: Remote) -> Weight:
    mode, inside = remote.call.mode, _inside(program, site.function)
    if inside and not waited_for(program, site.function):
        return hint(UNWAITED)
    if inside and _guarded(program, remote):
        return hint("the checks of the called function are wanted for each item")
    if left_alone(program, site.function):
        return hint(ALONE)
    if remote.call.kept or any(edge.call.kept for edge in remote.trail):
        return hint(KEPT)
    if few_of_one(program, site, hit.loop):
        return hint("the rows are those of one person or thing, which are few")
    if just_come(program, site, hit.loop, remote):
        return hint("this very call takes the rows off the list, so it holds only what has come since the last run, and nobody waits")
    if mode is Mode.MUTATION and answered(program, site, hit.loop):
        return hint("the items come from the response of an external service, and nobody waits")
    if _chosen(program, site, hit.loop) or _made_up(program, remote) or any(_picks(program, *one) for one in _ways(remote)):
        return hint("the item says which function is called, so no single call takes all items")
    if _heavy(program, remote):
        return hint("each call works through its own range: all in one transaction may be too much")
    if _loops_itself(program, remote):
        return hint("the loop in the helper is reported separately")
    if _beside(program, site, call, hit.loop):
        return hint("only some iterations make it, next to another call that all of them make")
    if mode is not Mode.QUERY and hit.loop.kind is LoopKind.GATHER:
        return hint("the calls run in parallel, each in its own transaction")
    if mode is not Mode.QUERY and inside and _given(hit.loop):
        return hint("the loop runs over a list that the caller hands in")
    if mode is not Mode.QUERY and call.caught:
        return hint("on purpose, the failure of one item leaves the others as they are")
    if mode is Mode.ACTION:
        return hint("the action waits for an external service, which a batch does not change")
    labors = _labors(program, site, call, hit.loop)
    return hint("each iteration waits for an external service anyway, and stores its result at once" if labors else "", Severity.WARNING)


def _inside(program: Program, function: Function) -> bool:
    """Whether a function runs inside a transaction, whichever registered function calls it in place; actions behind those do not matter."""
    hosts = program.hosts(function.key)
    return all(host.kind.transactional for host in hosts) if hosts else transactional(program, function)


def _given(loop: Loop) -> bool:
    """Whether a loop runs over a list that the caller hands in: the lines of an invoice, not the rows of a table."""
    origins = loop.over.origins if loop.over is not None else ()
    return bool(origins) and all(o.root is Root.PARAM for o in origins)


def _guarded(program: Program, remote: Remote) -> bool:
    """Whether the function that is called is one that clients call: its checks of who calls, and of what, are then wanted."""
    callee = program.functions.get(program.callees.get((remote.function, remote.call.id), ""))
    return callee is not None and callee.public


def _heavy(program: Program, remote: Remote) -> bool:
    """Whether the function that is called works through a range of its own and writes: all the items in one transaction may be too much."""
    key = program.callees.get((remote.function, remote.call.id))
    if key is None:
        return False
    return any(
        isinstance(site.step, Access) and site.step.op is Op.WRITE and any(x.kind in SEQUENTIAL and not x.constant for x in site.loops)
        for member in (key, *(e.function for e in program.effects.get(key, ())))
        for site in program.sites(member).all
    )


def _made_up(program: Program, remote: Remote) -> bool:
    """Whether a text says, as the code runs, which function is called: no one function can then take all the items."""
    steps = program.functions[remote.function].steps()
    named = any(isinstance(step, Call) and step.target.name == "makeFunctionReference" for step in steps)
    return named and remote.call.target.kind is not TargetKind.ROUTE


def _chosen(program: Program, site: Site, loop: Loop) -> bool:
    """Whether a choice among several functions is made in each round: the tools that a model asks for."""
    return any(loop in place.loops for place in _choices(program, site))


def _choices(program: Program, site: Site) -> list[Site]:
    """The choices among several functions that a step hangs on."""
    places = program.sites(site.function.key).all
    choices = [places[rank] for rank, _ in site.arms]
    return [place for place in choices if isinstance(place.step, Branch) and len(_called(place.step)) >= CHOICES]


def _ways(remote: Remote) -> list[tuple[str, int]]:
    """The helpers on the way to a call, each with the step in it that leads there."""
    if not remote.trail:
        return []
    return [*((edge.caller, edge.call.id) for edge in remote.trail[1:]), (remote.function, remote.call.id)]


def _picks(program: Program, helper: str, step: int) -> bool:
    """Whether a helper makes a choice among several functions, by what it is given."""
    site = program.sites(helper).by_id.get(step)
    return site is not None and bool(_choices(program, site))


def _called(choice: Branch) -> set[str]:
    """The functions that the arms of a choice call remotely."""
    steps = [step for arm in choice.arms for step in (*arm, *(s for one in arm if isinstance(one, Loop) for s in one.steps()))]
    inner = [name for step in steps if isinstance(step, Branch) for name in _called(step)]
    return {step.target.name for step in steps if isinstance(step, Call) and step.mode.remote and step.target.name} | set(inner)


def _beside(program: Program, site: Site, call: Call, loop: Loop) -> bool:
    """Whether the call hangs on a condition, in a round that calls another function anyway."""
    if not any(isinstance(step, Branch) for step in loop.body) or _always(loop, call):
        return False
    return any(step.mode.remote and step.id != call.id for step in _sure(loop.body))


def _always(loop: Loop, call: Call) -> bool:
    return any(step is call for step in loop.body)


def _sure(block: Block) -> Iterator[Call]:
    """The calls of a block that hang on no condition."""
    for step in block:
        if isinstance(step, Call):
            yield step
        elif isinstance(step, Loop):
            yield from _sure(step.body)


def _labors(program: Program, site: Site, call: Call, loop: Loop) -> bool:
    """Whether each round waits for outside code or another action anyway: then its outcome is rightly stored at once."""
    for other in program.sites(site.function.key).all:
        step = other.step
        if not isinstance(step, Call) or loop not in other.loops or step.id == call.id:
            continue
        if step.mode is Mode.ACTION or program.callees.get((site.function.key, step.id)) in program.outside:
            return True
        waited = step.id in program.sites(site.function.key).waits
        if step.target.kind is TargetKind.EXTERNAL and not step.mode.remote and step.mode is not Mode.SCHEDULE and waited:
            return True
    return False
