"""
# A query that depends on the time of its last run

## What it finds
A public query that reads the clock and bounds a range, filters rows or fills its result by it, itself or in a helper.

```ts
// convex/schema.ts
export default defineSchema({ offers: defineTable({ endsAt: v.number() }).index("by_end", ["endsAt"]) });
```

```ts
// convex/offers.ts
export const open = query(async (ctx) => {
  const now = Date.now(); // expect: stale-time "`offers`"
  return await ctx.db.query("offers").withIndex("by_end", (q) => q.gt("endsAt", now)).take(50);
});
```

## Why it costs
Convex runs a subscribed query again when rows change, not when time goes on: offers that have ended stay on the screen until something else
is written. The result is also kept for seconds only, where others are kept as long as they are true.

## Instead
Take the time as an argument that the client rounds (to the minute, to the day), or let a scheduled mutation set a field (`isOpen`) that
the query can bind.

## When it stays silent
Mutations, actions and HTTP actions; internal queries; a time that the caller gives and the clock only limits or replaces; one that only
decides a branch or is only logged; `new Date(value)`, which reads no clock; rows written before now. It is an `info` where the time is
only returned, where the client code of the project subscribes to other queries but not to this one, where no more than the day decides,
where the age of a row decides (`createdAt > weekAgo`, or any field that only ever gets the time of its write: rows linger, and none is
missed), where the query reads whole a table that users write to, or rows that heartbeats patch, which runs it again anyway, and where a
job deletes or changes the rows as they come due.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import waited_for
from querylint.advise.clock import Dated, ages, clocks, daily, dated, first_clock, stamped, swept
from querylint.advise.growth import grows
from querylint.advise.keys import inserts
from querylint.advise.places import quiet
from querylint.advise.registers import registered
from querylint.advise.serving import whole_table
from querylint.ir import Access, Clock, Function, Kind, Mode, Program, Root
from querylint.remedy import Advice
from querylint.rule import Confidence, Found, Point, Severity, rule
from querylint.text import Span

ADVICE = Advice("take the time as an argument that the client rounds, or bind a field that a scheduled mutation keeps")


@rule(pattern="stale-time", severity=Severity.WARNING)
def stale_time(program: Program) -> Iterator[Found]:
    """Subscribed queries whose result ages."""
    told: set[Span] = set()
    for function in program.functions.values():
        if function.kind is not Kind.QUERY or not function.public or quiet(function):
            continue
        choices = [choice for choice in dated(program, function) if ages(program, choice)]
        place = first_clock(program, function)
        if choices:
            best = min(choices, key=lambda c: (daily(program, c), stamped(program, c), not isinstance(c.step, Access), c.step.span))
            here = place if not best.way and place is not None else best.step.span
            if here in told:
                continue
            told.add(here)
            way = tuple(Point(call.span, f"calls {call.text}") for call in best.way)
            because = (
                "no client in the project subscribes to it"
                if not _watched(program, function)
                else "only the date matters, and a subscription seldom lasts into the next day"
                if daily(program, best) and not _finer(function)
                else ""
                if _ages(program, function, choices, best)
                else "the result goes stale slowly, or other writes rerun the query"
            )
            yield Found(
                here,
                _message(function, best),
                (*way, Point(best.predicate.span or best.step.span, "the time decides here")),
                ADVICE,
                Severity.INFO if because else None,
                Confidence.LIKELY if any(p.predicate.conditional for p in choices) else Confidence.SURE,
                best.function.key,
                best.step.table if isinstance(best.step, Access) else None,
                because=because,
            )
        elif place is not None and function.returns.deps & clocks(program, function):
            message = f"the result of `{function.name}` holds the time of its last run, which a subscription does not keep up to date"
            yield Found(place, message, (), ADVICE, Severity.INFO, function=function.key, because="the time does not pick the rows")


def _ages(program: Program, function: Function, choices: list[Dated], best: Dated) -> bool:
    """Whether the result really goes stale: by more than the age of rows, on every call, and with nobody who keeps the rows up to date."""
    lingers = stamped(program, best) or swept(program, function, best)
    return not (lingers or all(c.predicate.conditional for c in choices) or _run_again(program, function))


def _finer(function: Function) -> bool:
    """Whether the time itself has a hand in the result besides, and not the day alone."""
    return any(isinstance(step, Clock) and not step.daily and step.id in function.returns.deps for step in function.steps())


def _run_again(program: Program, function: Function) -> bool:
    """Whether it reads whole a table that users write to, or rows of a register of machines: any of these writes, or the next heartbeat,
    runs it again."""
    read = {e.access.table for e in program.effects.get(function.key, ()) if e.access.reads and e.certain}
    if any(registered(program, function.root, table) for table in read):
        return True
    whole = {e.access.table for e in program.effects.get(function.key, ()) if e.access.reads and e.certain and whole_table(e.access)}
    return any(grows(program, function, table) and _written(program, function.root, table) for table in whole)


def _written(program: Program, root: str, table: str | None) -> bool:
    """Whether users insert into a table."""
    return any(waited_for(program, site.function) for site, _ in inserts(program, root, table))


def _watched(program: Program, function: Function) -> bool:
    """Whether clients are likely to subscribe to it: where subscriptions are in sight, those to others do not count."""
    if any(edge.call.mode is Mode.SUBSCRIBE for edge in program.callers.get(function.key, ())):
        return True
    return not any(call.mode is Mode.SUBSCRIBE for _, call in program.calls())


def _of_rows(choice: Dated) -> bool:
    """Whether a field is compared with that of another row, and the time only had a hand in which row that is."""
    value = choice.predicate.value
    steps = {step.id for step in choice.function.steps() if isinstance(step, Clock)}
    return value is not None and bool(value.origins) and all(o.root is Root.STEP and o.ref not in steps and o.path for o in value.origins)


def _message(function: Function, choice: Dated) -> str:
    step = choice.step
    if isinstance(step, Access) and step.table and _of_rows(choice):
        picked = f"`{function.name}` reads `{step.table}` for rows that the time of its last run has picked"
        return f"{picked}, which a subscription goes on to show"
    field = f"`{choice.predicate.field}`" if choice.predicate.field else "a field"
    rows = f"rows of `{step.table}`" if isinstance(step, Access) and step.table else "rows"
    how = "reads" if isinstance(step, Access) else "keeps"
    return f"`{function.name}` {how} {rows} by {field} against the time of its last run, so a subscription shows what was true then"
