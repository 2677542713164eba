"""
# A total that is the same for everybody, worked out for each

## What it finds
A count or another total over a table that grows, in what answers a request: by conditions that the code writes down, so that every caller
gets the same number, and with nothing in between that keeps it.

```py
# stats/views.py
from django.http import JsonResponse

from stats.models import Post


def statistics(request):
    return JsonResponse({"posts": Post.objects.filter(live=True).count()})  # expect: shared-total "`Post` is counted for every request"
```

```py
# stats/models.py
from django.db import models


class Post(models.Model):
    live = models.BooleanField(default=False)
    title = models.CharField(max_length=80)
```

## Why it costs
The database passes over all rows that the conditions leave, each time that somebody asks, to find a number that has hardly changed since
the last one asked.

## Instead
Keep the number for as long as it may be old: a quarter of an hour for statistics that requests change, an hour for a table that no
request changes. In Django, `cache.get_or_set("posts", Post.objects.count, 900)`; elsewhere a cache with a time to live, a row of
totals that a job refreshes, or a materialized view. Where it has to be right at any moment, keep a counter that changes with the rows.

## When it stays silent
What depends on the request, the user or the time; functions that write, since they may decide by the number; functions and queries whose
results are kept already; tables of settings, kinds and catalogues, and those that the settings call small; pages for staff, jobs,
commands, tests and seeds; loops, which other rules are about. It is always a hint, as the code does not show how often it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.audience import for_staff
from querylint.advise.curation import curated
from querylint.advise.growth import grows, settled, small
from querylint.advise.places import quiet, reaching, shortest
from querylint.advise.serving import phrase
from querylint.ir import Access, Function, Kind, Op, Program, Relation, Role, Terminal
from querylint.ir.program import Effect, Site
from querylint.remedy import Advice, Stage
from querylint.rule import Confidence, Cost, Found, Severity, rule

PLAIN = frozenset((Relation.EQ, Relation.NE, Relation.LT, Relation.LTE, Relation.GT, Relation.GTE, Relation.IN))
MOST_WRITERS = 3
TOTALS = frozenset(("aggregate", "aaggregate"))


@rule(pattern="caching", severity=Severity.INFO)
def shared_total(program: Program) -> Iterator[Found]:
    """Totals that every caller gets alike."""
    for site, read in program.reads():
        function = site.function
        if read.table is None or not program.facts(function).planner or not _total(read) or not _same(read) or _kept(site, read):
            continue
        asking = [entry for entry in _entries(program, site, read) if _only_asks(program, entry)]
        if not asking or quiet(function) or not _large(program, function, read.table):
            continue
        writers = list(dict.fromkeys(f.name for f in _writers(program, function, read.table)))
        period = "a quarter of an hour" if writers else "an hour"
        why = f"{phrase(writers[:MOST_WRITERS])} may change it meanwhile" if writers else "no request changes it"
        what = "totalled" if read.verb in TOTALS else "counted"
        yield Found(
            read.span,
            f"`{read.table}` is {what} for every request, with the same answer for all",
            shortest(reaching(program, function)),
            Advice(f"keep the number for {period}, by a cache or in a row that a job refreshes: {why}", Stage.DATA),
            None,
            Confidence.LIKELY,
            function=function.key,
            table=read.table,
            cost=Cost(f"one pass over the rows of `{read.table}` for each request", f"one pass in {period}"),
            because="the code does not show how often it is asked, or how old the number may be",
        )


def _total(read: Access) -> bool:
    return read.op is Op.READ and (read.terminal is Terminal.COUNT or read.verb in TOTALS) and read.follows is None


def _same(read: Access) -> bool:
    """Whether the code writes down all that the query asks by."""
    if read.deps or read.base is not None or not read.plans:
        return False
    predicates = [p for plan in read.plans for p in plan.predicates]
    return all(
        p.field is not None and p.relation in PLAIN and p.value is not None and p.value.constant and not p.conditional for p in predicates
    )


def _kept(site: Site, read: Access) -> bool:
    return bool(site.loops) or read.memoized or read.kept or read.held or site.function.cached


def _entries(program: Program, site: Site, read: Access) -> list[Function]:
    """The registered functions that lead there by calls of which nothing keeps the result."""
    keys = sorted(program.reached.get(site.function.key, ()))
    return [program.functions[key] for key in keys if any(_leads(effect, site, read) for effect in program.effects.get(key, ()))]


def _leads(effect: Effect, site: Site, read: Access) -> bool:
    there = effect.function == site.function.key and effect.access.id == read.id
    return there and not any(edge.call.kept for edge in effect.trail)


def _only_asks(program: Program, entry: Function) -> bool:
    """Whether a function answers requests of everybody, and changes nothing."""
    if entry.kind is not Kind.HTTP or entry.role is not Role.CODE or entry.cached:
        return False
    if for_staff(program, entry):
        return False
    return not any(effect.access.op is Op.WRITE for effect in program.effects.get(entry.key, ()))


def _large(program: Program, function: Function, table: str) -> bool:
    if settled(table) or small(program, table) or curated(program, function.root, table):
        return False
    return grows(program, function, table)


def _writers(program: Program, function: Function, table: str) -> list[Function]:
    """The functions that change the table when somebody sends a request."""
    found = [site.function for site, _ in program.writes_of(function.root, table)]
    return [f for f in found if any(program.functions[key].kind is Kind.HTTP for key in program.reached.get(f.key, ()))]
