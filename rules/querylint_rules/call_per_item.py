"""
# A remote call for every item

## What it finds
`ctx.runQuery`, `ctx.runMutation` or `ctx.runAction` once per item of a loop, in an action, an HTTP handler or a client.

## Why it costs
Each is a billed function call with a transaction of its own, and they see different states of the database. In a loop they also wait
for one another.

## Instead
One query or mutation that takes all the items. Where the items are too many for one transaction, send them in chunks; where each is a job
of its own, schedule it.

## When it stays silent
Loops that page or work through batches (`while (hasMore)`, a cursor), loops over chunks, constant lists, calls of components. A mutation
that saves what was fetched or computed for one item, item by item, is a hint.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.places import quiet, reaching, shortest, transactional
from querylint.advise.rounds import Rounds, rounds
from querylint.ir import Call, Loop, LoopKind, Mode, Program, TargetKind
from querylint.ir.program import Site
from querylint.remedy import Batch
from querylint.rule import Cost, Found, Point, Severity, rule


@rule(pattern="loop-rpc", severity=Severity.WARNING, cwe=1050)
def call_per_item(program: Program) -> Iterator[Found]:
    """Remote calls in loops."""
    for site, call in program.calls():
        if not call.mode.remote or quiet(site.function) or call.target.name.startswith("components."):
            continue
        hit = _repeated(program, site)
        if hit is not None:
            yield _found(program, site, call, hit)


def _repeated(program: Program, site: Site) -> Rounds | None:
    for hit in rounds(program, site):
        if hit.constant or hit.paging or hit.searching or hit.loop.strided or _chunked(hit.loop):
            return None
        if hit.varies:
            return hit
    return None


def _chunked(loop: Loop) -> bool:
    words = loop.over_text.lower()
    return "chunk" in words or "batch" in words


def _found(program: Program, site: Site, call: Call, hit: Rounds) -> Found:
    over = f"item of `{hit.loop.over_text}`" if hit.loop.over is not None and hit.loop.over_text else "round of the loop"
    word = {Mode.QUERY: "query", Mode.MUTATION: "mutation", Mode.ACTION: "action"}[call.mode]
    name = f"`{call.text}`" if call.text else "another function"
    inside = transactional(program, site.function)
    cost = "a new context and validation each" if inside else "a billed call and a transaction each"
    return Found(
        call.span,
        f"{word} {name} runs once for every {over}: {cost}",
        (*shortest(reaching(program, site.function)), Point(hit.loop.span, f"once per {over}"), Point(call.span, f"runs {name}")),
        Batch(hit.loop.span, f"pass all the items to one {word}" if call.mode is not Mode.ACTION else "schedule the actions, or give one action all the items"),
        _severity(program, site, call, hit),
        function=site.function.key,
        cost=Cost("n calls", "1 call, or 1 per chunk"),
        operation=call.mode.value,
    )


def _severity(program: Program, site: Site, call: Call, hit: Rounds) -> Severity:
    if hit.loop.kind is LoopKind.GATHER and call.mode is not Mode.QUERY:
        return Severity.INFO
    return Severity.INFO if call.mode is Mode.MUTATION and _saves(program, site, call, hit.loop) else Severity.WARNING


def _saves(program: Program, site: Site, call: Call, loop: Loop) -> bool:
    """Whether the call stores what outside code produced for the same item."""
    for other in program.sites(site.function.key).all:
        step = other.step
        if isinstance(step, Call) and loop in other.loops and step.id != call.id:
            outside = step.target.kind is TargetKind.EXTERNAL and not step.mode.remote
            if (outside or step.mode is Mode.ACTION) and (step.id in call.deps or step.id in call.guards):
                return True
    return False
