# long: what excuses a relation is one judgment of many parts.
"""
# A relation that is loaded for every row of a loop

## What it finds
A relation of a row (a foreign key, a reverse or many-to-many relation) that is followed once per row of a loop and that the query of the
rows has not loaded ahead: in the loop itself, or in a method, property or helper that an iteration of it reaches. A column that the query
left out for later (`defer`, `load_only`) is such a relation, too.

## Why it costs
The relation is read when it is first asked for: one query more for every row, each waiting for the previous one. A page of a hundred rows
asks the database a hundred and one times.

## Instead
Load the relation with the rows: by a join where it leads to one row (`select_related`, `joinedload`), by one query for all of the rows
where it leads to many (`prefetch_related`, `selectinload`); a path goes on from there, `"comments__author"`. For a number, let the query
count (`annotate`). Where one function reads a row for many callers, let those load relations that follow them
(`prefetch_related_objects`, loader options that they hand over).

## When it stays silent
It reports nothing for

- relations that the query has loaded, wherever it was built, or that a caller may have loaded in a way that cannot be read;
- the key of a foreign key (`post.author_id`), which is part of the row, and the way back from a related row to the row it was reached from;
- relations that lead all rows to one, or to rows that a session holds;
- loops whose length the author wrote down, slices of a few rows, a unique key that is fixed, tests, seeds and migrations.

It is only a hint where

- only schedules and commands lead to the loop, or the loop also writes;
- a helper reads under conditions deep inside, or one kind of rows needs what one more query would load for all;
- a relation only stands in for another (`row.site or row.cluster.site`);
- a session that keeps its rows meets one of a few kinds (`order.status`), or of the rows just read;
- a search ends with the first row that will do (`any`), or a page of few rows or a part of it (`{% cache 3600 name %}`) is kept for all;
- nobody in the project passes the query in, or a comment says so;
- most callers of a function that reads one row for a session follow none of its relations;
- each iteration ends a transaction, after which the session forgets what it has loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field

from querylint.advise.ahead import EACH_COUNTED, by_itself, handed_from, own_part, preload, serves_others
from querylint.advise.audience import UNWAITED, unhurried
from querylint.advise.counted import counted
from querylint.advise.eager import Source, at_most_one, column, links, listed_at, loading, missing, possible, several, sources
from querylint.advise.following import counts, followed_from, for_one_kind, only_key, onward, run_again, stands_in
from querylint.advise.handed import given_by_callers, passable
from querylint.advise.places import between, quiet, reaching, shortest
from querylint.advise.rounds import rounds
from querylint.advise.sequence import leaves
from querylint.advise.sessions import few_by_identity, met, queried
from querylint.advise.shared import apart, sought_by_few
from querylint.advise.transactions import expires
from querylint.construction import dataclass, replace
from querylint.ir import ITEM, Access, Bound, Branch, Function, Loading, Loop, LoopKind, Op, Path, Program, Role, Terminal, Way
from querylint.ir.program import Edge, Site
from querylint.pattern import Pattern
from querylint.remedy import Advice
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule
from querylint.text import Span

MOST_NAMES = 5
SCREEN = 20
MOST_NESTED = 2
ALL_COUNTED = Advice("let one query of the related rows count them: their conditions can name the relation that leads back")
FEW = Pattern(r"admin|setting|config|option|plan|role|type|category", re.IGNORECASE)  # tables that people keep by hand
LEFT_OUT = Advice("let the query load them with the rows: it leaves them out now")


@dataclass(slots=True)
class Followed:
    """A relation that rounds of a loop follow: where, from which rows, in which loop."""

    source: Source
    loop: Loop
    site: Site
    where: Function


@dataclass(slots=True)
class Rows:
    """The relations of the rows of one read that rounds of loops follow."""

    read: Access | None
    paths: dict[Path, Followed] = field(default_factory=dict)
    kept: dict[Path, None] = field(default_factory=dict)
    """What a list that the framework makes joins by itself, as long as its class names no relation."""
    begun: Span | None = None
    """Where the function gets the query from one that begins it for others as well."""
    lent: bool = False
    """Whether the query is begun elsewhere, for others as well."""
    shares: dict[str, dict[Path, Followed]] = field(default_factory=dict)
    """The relations again, by the functions that they are followed for: those that a row is given back to, or the one that reads it."""
    share: str = ""
    """The function that the row is given back to, where these are what it alone of several follows."""
    rare: bool = False
    """Whether most of those that get the row follow none of its relations, in a stack that loads none for a row that is there already."""


WRITES = "each iteration writes anyway, which costs far more than the read"
ENDING = "each iteration ends a transaction, after which the session loads it again"
FEW_OF_ONE = "the rows belong to a single row, so they are few"


@rule(pattern="lazy-loop", severity=Severity.WARNING, cwe=1073)
def lazy_loop(program: Program) -> Iterator[Found]:
    """Relations that are read once per row."""
    gathered: dict[tuple[object, ...], Rows] = {}
    kept: dict[tuple[object, ...], dict[Path, None]] = {}
    for site, read in program.accesses(Op.READ):
        relation = read.follows or read.base  # a helper is handed `post.comments.all()`, and runs it
        if relation is None or read.refined or quiet(site.function):
            continue
        for source in sources(program, site.function, relation):
            loop, where = _loop(program, site, source)
            if loop is None or source.outer.role is not Role.CODE or _unknown(source) or _new(source):
                continue
            lacking = _lacking(program, source)
            if not lacking:
                if by_itself(program, source):
                    kept.setdefault(_key(source, site), {})[source.path] = None
                continue
            source, lacking = _nearest(program, source, loop, where, lacking)
            rows = gathered.setdefault(_key(source, site), Rows(source.read))
            share = rows.shares.setdefault(source.back[-1][0] if source.back else source.outer.key, {})
            for path in lacking:
                found = Followed(source, loop, site, where)
                for known in (rows.paths, share):
                    if path not in known or _telling(program, found, path) > _telling(program, known[path], path):
                        known[path] = found
    for key, rows in gathered.items():
        rows.kept = kept.get(key, {})
        outer = next(iter(rows.paths.values())).source.outer
        rows.lent = rows.read is not None and serves_others(program, outer, rows.read, gathered)
        rows.begun = own_part(program, outer, rows.read) if rows.read is not None and rows.lent else None
        own = apart(program, outer, rows.read, rows.shares) if rows.read is not None else frozenset()
        rare = bool(own) and program.facts(outer).identity and sought_by_few(program, outer, len(rows.shares))
        for path in own:
            del rows.paths[path]
        yield from _found(program, rows)
        for reader, paths in rows.shares.items():
            mine = {path: followed for path, followed in paths.items() if path in own}
            if mine:
                yield _one(program, Rows(rows.read, mine, share=reader, rare=rare), list(mine), same=False)


def _key(source: Source, site: Site) -> tuple[object, ...]:
    """What tells the rows of one read from those of others."""
    return source.outer.key, source.read.id if source.read is not None else site.function.key


def _telling(program: Program, followed: Followed, path: Path) -> tuple[bool, bool]:
    """How well a place shows that a relation is followed: by following it, and in every case."""
    return not _aside(program, followed), followed.source.path == path


def _aside(program: Program, followed: Followed) -> bool:
    """Whether all rows would pay for what some need: deep in helpers, or one kind of them, where no join would bring it along."""
    source = followed.source
    table = source.read.table if source.read is not None else None
    asked = counts(followed.site.step) or loading(program, source.outer, table, source.path) is Loading.BATCHED
    return _deep(followed) or (asked and for_one_kind(program, followed.site, source.edges, followed.loop))


def _works(program: Program, followed: Followed) -> bool:
    """Whether each round hands its row to a helper that writes, and reads what it needs for that."""
    outer = followed.source.edges[-1] if followed.source.edges else None
    return outer is not None and any(e.access.op is Op.WRITE for e in program.effects.get(outer.callee, ()))


def _deep(followed: Followed) -> bool:
    """Whether a helper of a helper follows a relation, and only under a condition."""
    return len(followed.source.edges) > 1 and isinstance(followed.site.step, Access) and _chosen(followed.site)


def _chosen(site: Site) -> bool:
    """Whether a condition decides if a step is reached, other than one that leaves where something is missing."""
    assert isinstance(site.step, Access)
    guards = site.step.guards
    if guards and not site.arms:
        for step in site.function.steps():
            if isinstance(step, Branch) and step.missing and step.span.start < site.step.span.start and leaves(step.arms[0]):
                guards -= step.on
    return bool(site.arms or guards)


def _nearest(program: Program, source: Source, loop: Loop, where: Function, lacking: list[Path]) -> tuple[Source, list[Path]]:
    """Where one row leads to many by a query of its own (`post.comments.all()`), that query is the one to mend."""
    root = source.read
    if root is None or root.terminal in (Terminal.ROWS, Terminal.PAGE):
        return source, lacking
    sites = program.sites(source.outer.key)
    loops = [loop] if where.key == source.outer.key else []
    call = sites.by_id.get(source.edges[-1].call.id) if source.edges else None
    loops += reversed(call.loops) if call is not None else ()  # the rows of the relation may lead on to others, in a loop of a helper
    origins = [origin for around in loops if around.over is not None for origin in around.over.origins]
    over = [found for origin in origins if not origin.path and (found := sites.of(origin)) is not None]
    while over and isinstance(step := over[0].step, Access) and step.follows is not None and any(map(_each, over[0].loops)):
        above = sites.of(step.follows)  # asked for in every round of another loop
        if above is None or not isinstance(above.step, Access) or above.step.follows is None:
            break
        over = [above]
    for site in over:
        step = site.step
        if isinstance(step, Access) and step.follows is not None and step.terminal is Terminal.ROWS:
            before = tuple(part for part in step.follows.path if part != ITEM)
            after = [path[len(before) :] for path in lacking if path[: len(before)] == before and len(path) > len(before)]
            if before and after:
                own = replace(source, read=step, path=source.path[len(before) :])
                return own, [path for path in after if path in missing(program, source.outer, step, own.path)] or after
    return source, lacking


def _each(loop: Loop) -> bool:
    return loop.kind is not LoopKind.ONCE


def _new(source: Source) -> bool:
    """Whether a row has just been inserted: no query brings it, and nothing leads to it yet."""
    return source.read is not None and not source.read.reads


def _unknown(source: Source) -> bool:
    """Whether rows came from a place that cannot be seen, by callers that can."""
    return source.read is None and bool(source.edges)


def _lacking(program: Program, source: Source) -> list[Path]:
    if not source.path:
        return []
    if source.read is None:
        return [source.path] if len(source.path) > 1 and possible(program, source.outer, source.path) else []
    lacking = queried(program, source.outer, source.read, missing(program, source.outer, source.read, source.path))
    if source.read.terminal in (Terminal.ROWS, Terminal.PAGE) and not at_most_one(program, source.outer, source.read):
        return lacking
    return [path for path in lacking if several(program, source.outer, source.read.table, path[:-1])]


def _loop(program: Program, site: Site, source: Source) -> tuple[Loop | None, Function]:
    """The loop whose rounds each follow the relation of another row, and the function that it stands in."""
    nowhere = None, site.function
    if not source.listed:
        return nowhere
    places = [site]
    for edge in source.edges:
        place = program.sites(edge.caller).by_id.get(edge.call.id)
        if place is None:
            return nowhere
        places.append(place)
    outermost = places[-1].function
    if not any(passable(program, outermost, known, reversed(source.edges), site.step) for known in given_by_callers(program, outermost)):
        return nowhere
    for place in places:
        for hit in rounds(program, place):
            if hit.constant:
                return nowhere
            if hit.varies:
                return hit.loop, place.function
    return nowhere


def _found(program: Program, rows: Rows) -> Iterator[Found]:
    """One finding for the relations of one place, of one list of the framework, or of one query where that is somewhere else."""
    apart: list[Path] = []
    left: list[Path] = []
    columns: list[Path] = []
    places: dict[Span, list[Path]] = {}
    for path, followed in rows.paths.items():
        step = followed.site.step
        assert isinstance(step, Access)
        if rows.read is not None and _apart(rows.read, followed):
            apart.append(path)
        elif rows.read is not None and column(program, followed.source.outer, rows.read.table, path):
            left.append(path)
        elif followed.loop.span.start == followed.loop.span.end and followed.site.function.key == followed.source.outer.key:
            columns.append(path)  # of a list that the framework makes: one edit of its class loads them all
        else:
            here = _listed(program, rows.read, followed, path) or step.span
            places.setdefault(next((known for known, on in places.items() if onward(known, on, here, path)), here), []).append(path)
    for place, together in places.items():
        yield _one(program, rows, together, same=True, place=place)
    if columns:
        yield _one(program, rows, columns, same=True, place=rows.paths[columns[0]].site.step.span)
    if left:
        yield _one(program, rows, left, same=True)
    if apart:
        assert rows.read is not None
        outer, chain = rows.paths[apart[0]].source.outer, rows.read.chain
        span = listed_at(program, outer, rows.read, apart) if chain.start != chain.end else None
        near = span is not None and (span.path == chain.path or (rows.lent and handed_from(program, outer, span)))
        yield _one(program, rows, apart, same=False, place=span if near else None)


def _listed(program: Program, read: Access | None, followed: Followed, path: Path) -> Span | None:
    """Where the function itself says which relations come along with the rows, and leaves this one out."""
    step = followed.site.step
    if read is None or not isinstance(step, Access) or step.terminal is Terminal.COUNT:
        return None
    own = followed.site.function.span
    span = listed_at(program, followed.source.outer, read, [path])
    return span if span is not None and own.covers(span) and not span.covers(step.span) else None


def _apart(read: Access, followed: Followed) -> bool:
    """Whether a relation is followed in another function than its rows were read in, a screen below, or in a template that shows them.

    A template that asks one row for its related rows queries these by itself: its query is at hand. A list that the framework makes by
    itself shows what it costs in the methods of its class, unless the class says what comes along.
    """
    outer, here = followed.source.outer, followed.site.function
    if followed.loop.span.start == followed.loop.span.end and outer.path == here.path and _home(outer.name) == _home(here.name):
        return read.chain.start != read.chain.end
    if outer.key != here.key:
        return True
    step = followed.site.step
    assert isinstance(step, Access)
    if outer.span.covers(step.span) and read.chain.start != read.chain.end and _helped(read, outer):
        return False  # a helper has begun the query, for others too: it can go on where its rows are read
    several = read.terminal in (Terminal.ROWS, Terminal.PAGE)
    if several and step.span.path == read.chain.path and step.span.line - read.chain.line > SCREEN:
        return True
    return several and step.span.path != read.chain.path and step.terminal is not Terminal.COUNT


def _helped(read: Access, outer: Function) -> bool:
    """Whether a query was begun in another function than the one that runs it."""
    return outer.span.covers(read.span) and read.chain.path != outer.path


def _home(name: str) -> str:
    """The class of a method."""
    return name.rpartition(".")[0]


def _one(program: Program, gathered: Rows, paths: list[Path], *, same: bool, place: Span | None = None) -> Found:
    worth = [path for path in paths if not _aside(program, gathered.paths[path])]
    light = [path for path in worth if not _works(program, gathered.paths[path])]
    paths = light or worth or paths  # what a join would load for nothing is not asked for
    followed, read = gathered.paths[paths[0]], gathered.read
    source, site = followed.source, followed.site
    step = site.step
    assert isinstance(step, Access)
    table = read.table if read is not None else None
    names = _names(paths)
    rows = followed_from(read, paths, followed.loop.over_text)
    left = read is not None and all(column(program, source.outer, table, path) for path in paths)
    each = counted(program, site, step, followed.loop) if len(paths) == 1 else None
    only_counts = len(paths) > 1 and all(counts(gathered.paths[path].site.step) for path in paths)
    counting = EACH_COUNTED if each or only_counts else None if each is None else ALL_COUNTED
    key = only_key(program, site, step) if len(paths) == 1 and step.terminal is Terminal.ROW else ""
    better = Advice(f"use the column `{key}`, which is part of the row") if key else LEFT_OUT if left else counting
    given = next((call for caller, call in source.back[-1:] if caller == gathered.share), None)
    place = given.span if given is not None else gathered.begun if place is None else place
    at = place if place != step.span else gathered.begun
    points = [
        *shortest(reaching(program, program.functions[gathered.share]) if gathered.share else _reaching(program, followed)),
        *([Point(read.span, f"the rows are read here{'' if read.verb != 'iteration' else ' by iteration'}")] if read is not None else []),
        Point(followed.loop.span, f"once for every {followed_from(read, paths[:1], followed.loop.over_text)}"),
        *(Point(e.call.span, f"calls {e.callee.rpartition('::')[2]}") for e in reversed(source.edges)),
        *(Point(gathered.paths[path].site.step.span, f"reads {'.'.join(path)}") for path in paths if place != step.span),
    ]
    because = _seldom(program, gathered, paths) or (FEW_OF_ONE if _one_row(program, gathered) else _unfelt(program, followed))
    return Found(
        _place(read, step, place=step.span if key else place),
        f"{names} {'is' if len(paths) == 1 else 'are'} loaded for every {rows}, one query each",
        tuple(points),
        better or preload(program, source, paths, step, at, gathered.kept, shared=given is not None),
        Severity.INFO if because else None,
        Confidence.SURE if read is not None and source.outer.key == site.function.key else Confidence.LIKELY,
        gathered.share or (site.function.key if same else source.outer.key),
        step.table,
        also=("loop-read",) if each is None else ("loop-read", "mem-filter"),
        cost=Cost(
            "n queries" if len(paths) == 1 else f"{len(paths)} × n queries",
            f"{len(paths)} quer{'y' if len(paths) == 1 else 'ies'} for all the rows, or a join",
        ),
        operation=step.verb,
        because=because,
    )


def _reaching(program: Program, followed: Followed) -> list[Edge]:
    """The calls that lead to the rows; where a helper gives them back, those that lead to the loop, and on to the helper."""
    outer, here = followed.source.outer, followed.where
    down = between(program, here, outer) if outer.key != here.key and not followed.source.edges else []
    return [*reaching(program, here), *down] if down else reaching(program, outer)


def _place(read: Access | None, step: Access, *, place: Span | None) -> Span:
    """The query, where it is written; the relation itself where it is not."""
    if place is not None:
        return place
    return step.span if read is None or read.chain.start == read.chain.end else read.chain


def _one_row(program: Program, gathered: Rows) -> bool:
    """Whether few rows hang on a single row that is read here, in no loop: rows of its rows, and not of those again."""
    read = gathered.read
    if read is None or read.terminal in (Terminal.ROWS, Terminal.PAGE):
        return False
    for path, followed in gathered.paths.items():
        before = links(program, followed.source.outer, read.table, path[:-1])
        if sum(link is not None and link.many for link in before) >= MOST_NESTED:
            return False
    outer = {followed.source.outer.key for followed in gathered.paths.values()}
    places = [program.sites(key).by_id.get(read.id) for key in outer]
    return not any(place is None or any(loop.kind is not LoopKind.ONCE for loop in place.loops) for place in places)


def _unfelt(program: Program, followed: Followed) -> str:
    """Why it hardly shows, empty where it does.

    Something must fail first, the rows share what identifies one, callers that cannot be seen may have loaded the rows or built the query,
    each round writes anyway, or ends a transaction that makes the session forget what was loaded, it takes the first few rows of a
    relation that may have many, or what is shown is kept for all.
    """
    read, step = followed.source.read, followed.site.step
    if read is None or (read.base is not None and all(plan.way is Way.OPAQUE for plan in read.plans)):
        return "callers outside the project may have loaded it with the rows"
    if isinstance(step, Access) and step.bound is Bound.LIMIT:
        return "only the first few rows of the relation are taken"
    if few_by_identity(read):
        return "the rows share what identifies one, so there is usually one"
    if followed.site.handled:
        return "something must fail first"
    if followed.loop.seeks and not run_again(program, followed.site, followed.source.edges, followed.loop):
        return "it stops at the first row that meets the condition"
    if followed.loop.kept:
        return "the result is cached for all callers"
    if any(isinstance(step, Access) and step.op is Op.WRITE for step in followed.loop.steps()):
        return WRITES
    return ENDING if expires(program, followed.where, followed.loop) else ""


def _seldom(program: Program, gathered: Rows, paths: list[Path]) -> str:
    """Why the relations are seldom followed, or little beside what a round does: nobody waits, conditions deep in a helper, writes."""
    places = [gathered.paths[path] for path in paths]
    if all(unhurried(program, p.where) or unhurried(program, p.source.outer) for p in places):
        return UNWAITED
    if all(_met(program, gathered, path) for path in paths):
        return "the session keeps the few rows that it leads to"
    if gathered.share and unhurried(program, program.functions[gathered.share]):
        return UNWAITED
    if gathered.rare:
        return "most callers of the function that reads the row use none of them"
    if all(stands_in(place.site) for place in places):
        return "it is read only where another relation is empty"
    if gathered.read is not None and FEW.search(gathered.read.table or "") and all(place.source.outer.cached for place in places):
        return "a cache is checked first"
    if all(_works(program, place) for place in places):
        return WRITES
    return "conditions in a helper decide whether the relation is read" if all(_aside(program, place) for place in places) else ""


def _met(program: Program, gathered: Rows, path: Path) -> bool:
    followed, read = gathered.paths[path], gathered.read
    return read is not None and met(program, followed.source.outer, read, path)


def _names(paths: list[Path]) -> str:
    shown = [f"`{'.'.join(path)}`" for path in sorted(paths, key=lambda p: (len(p), p))]
    return ", ".join(shown) if len(shown) <= MOST_NAMES else f"{', '.join(shown[:MOST_NAMES])} and {len(shown) - MOST_NAMES} more"
