"""Waits for the world outside: requests to other servers, mails, programs; in transactions, and for every row of a list."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.places import quiet
from querylint.advise.rounds import Rounds, rounds
from querylint.advise.transactions import ordinary
from querylint.construction import dataclass, replace
from querylint.ir import Access, Bound, Call, Function, Kind, Loop, LoopKind, Mode, Op, Origin, Program, TargetKind
from querylint.ir.program import Edge, Site
from querylint.pattern import Pattern
from querylint.rule import Point
from querylint.text import Span

REQUEST = Pattern(
    r"^(?:await )?fetch$|^axios(?:\.(?:get|post|put|patch|delete|request))?$|^(?:urllib\.request\.)?urlopen$|"
    r"^(?:requests|httpx)\.(?:get|post|put|patch|delete|head|options|request)$|"
    r"^stripe\.(?:\w+\.)*[A-Z]\w+\.(?:create|retrieve|modify|delete|list|search|capture|cancel|confirm|refund)$|"
    r"^(?:openai|anthropic|client)\.(?:chat\.completions|responses|messages|embeddings|images)\.(?:create|generate|stream|parse)$"
)
MAIL = Pattern(r"^(?:mail\.)?(?:send_mail|send_mass_mail|mail_admins|mail_managers)$|^(?:smtplib\.)?SMTP(?:_SSL)?$")
PROGRAM = Pattern(r"^subprocess\.(?:run|call|check_call|check_output)$|^os\.system$|^(?:time\.)?sleep$")
MOST_DEEP = 5
BRINGING = (Mode.DIRECT, Mode.QUERY)


@dataclass(frozen=True, slots=True)
class Outside:
    """A call that waits for something which is neither the program nor its database, and the calls in place that lead there."""

    call: Call
    trail: tuple[Edge, ...] = ()

    @property
    def requested(self) -> bool:
        """Whether it is a request over the network, which may take as long as the other side likes."""
        return REQUEST.search(self.call.text) is not None

    def through(self, program: Program) -> str:
        """By which helper it is reached, to be put into a sentence; empty where it stands in its place."""
        return f" through `{program.functions[self.trail[0].callee].name}`" if self.trail else ""

    def points(self, program: Program) -> tuple[Point, ...]:
        """The calls that lead there, and the wait at their end; none where it stands in its place."""
        calls = tuple(Point(edge.call.span, f"calls {program.functions[edge.callee].name}") for edge in self.trail)
        return (*calls, Point(self.call.span, "waits here")) if calls else ()


@dataclass(frozen=True, slots=True)
class Held:
    """A place in a transaction that waits for the world outside, and what the transaction has written before, if anything."""

    site: Site
    outside: Outside
    written: tuple[Site, Access] | None


@dataclass(frozen=True, slots=True)
class Repeated:
    """A wait for every row of a list that was read, in what answers a request: the loop around it, and the read."""

    site: Site
    outside: Outside
    loop: Loop
    read: Access


def held(program: Program) -> Iterator[Held]:
    """The waits within a transaction that a function opens itself, the first of each."""
    for function in program.functions.values():
        if not function.transactions or quiet(function):
            continue
        for span in function.transactions:
            waiting = ((site, _waited(program, function, site.step)) for site in _within(program, function, span))
            site, outside = next(((site, found) for site, found in waiting if found is not None), (None, None))
            if site is not None and outside is not None and _asks(program, function, span):
                yield Held(site, outside, _written_before(program, function, span, site))


def _within(program: Program, function: Function, span: Span) -> list[Site]:
    """The calls in a part of a function, but for those in code that is only kept for later."""
    return [
        site
        for site in program.sites(function.key).all
        if isinstance(site.step, Call)
        and span.covers(site.step.span)
        and not site.handled
        and not any(_put_off(loop) for loop in site.loops)
    ]


def _put_off(loop: Loop) -> bool:
    return loop.detached or loop.kind in (LoopKind.CALLBACK, LoopKind.ONCE)


def _waited(program: Program, function: Function, step: object) -> Outside | None:
    """The wait that a call brings about, by itself or in a helper that always comes to it."""
    if not isinstance(step, Call) or step.mode is not Mode.DIRECT or step.detached:
        return None
    return _led_to(program, function, step, MOST_DEEP, (REQUEST, MAIL, PROGRAM))


def _led_to(program: Program, function: Function, call: Call, depth: int, known: tuple[Pattern[str], ...]) -> Outside | None:
    """The wait that a call is, if it is one of the known ones, or that its callee comes to."""
    if call.target.kind is TargetKind.EXTERNAL:
        return Outside(call) if any(one.search(call.text) for one in known) else None
    callee = program.callee(function, call)
    found = waits(program, callee, depth) if callee is not None else None
    return replace(found, trail=(Edge(function.key, call, callee.key), *found.trail)) if found is not None and callee is not None else None


def waits(program: Program, function: Function, depth: int) -> Outside | None:
    """The first wait that a call of a function leads to in any case."""
    if not depth or quiet(function):
        return None
    return program.once(("waits outside", function.key, depth), lambda: _first(program, function, depth))


def _first(program: Program, function: Function, depth: int) -> Outside | None:
    for step in ordinary(function.body, {}):
        if (
            not isinstance(step, Call)
            or step.mode is not Mode.DIRECT
            or any(map(_put_off, program.sites(function.key).by_id[step.id].loops))
        ):
            continue
        found = _led_to(program, function, step, depth - 1, (REQUEST, MAIL))
        if found is not None:
            return found
    return None


def _asks(program: Program, function: Function, span: Span) -> bool:
    """Whether anything in a part of a function asks the database."""
    for site in program.sites(function.key).all:
        step = site.step
        if isinstance(step, Access) and span.covers(step.span):
            return True
        if isinstance(step, Call) and span.covers(step.span) and program.effects_of(function, step):
            return True
    return False


def _written_before(program: Program, function: Function, span: Span, wait: Site) -> tuple[Site, Access] | None:
    """What the transaction has written when it begins to wait: the rows stay locked."""
    for site in program.sites(function.key).all[: wait.rank]:
        step = site.step
        if not span.covers(step.span) or (set(site.arms) - set(wait.arms)) or site.handled:
            continue
        if isinstance(step, Access) and step.op is Op.WRITE:
            return site, step
        if isinstance(step, Call):
            found = next((e for e in program.effects_of(function, step) if e.access.op is Op.WRITE and e.certain), None)
            if found is not None:
                return site, found.access
    return None


def repeated(program: Program) -> Iterator[Repeated]:
    """The waits for every row of a list of any length, in code that answers a request, once for each loop."""
    told: set[int] = set()
    for function in program.functions.values():
        if quiet(function) or not any(answers(host) for host in program.hosts(function.key)):
            continue
        for site in program.sites(function.key).all:
            outside = _waited(program, function, site.step) if site.loops and not site.handled else None
            hit = _round(program, site) if outside is not None else None
            if outside is None or hit is None or hit.loop.over is None or id(hit.loop) in told:
                continue
            read = _rows(program, function, hit.loop.over.origins, MOST_DEEP)
            if read is not None:
                told.add(id(hit.loop))
                yield Repeated(site, outside, hit.loop, read)


def answers(host: Function) -> bool:
    """Whether a registered function answers a request, or a client that may run an action."""
    return host.kind is Kind.HTTP or (host.kind is Kind.ACTION and host.public)


def _round(program: Program, site: Site) -> Rounds | None:
    """The innermost loop over rows around a step that does not end with the first it finds, and that has more rounds than a few."""
    for hit in rounds(program, site):
        if not (hit.constant or hit.paging or hit.searching) and hit.loop.kind is LoopKind.EACH:
            return hit
    return None


def _rows(program: Program, function: Function, origins: tuple[Origin, ...], depth: int) -> Access | None:
    """The read of a list of any length that something is, be it read by a helper or by a query that an action runs."""
    sites = program.sites(function.key)
    for origin in origins if depth else ():
        place = sites.of(origin) if not origin.path else None
        if place is None:
            continue
        if isinstance(place.step, Access):
            return place.step if place.step.reads and place.step.bound is Bound.ALL else None
        callee = program.callee(function, place.step) if isinstance(place.step, Call) and place.step.mode in BRINGING else None
        if callee is not None:
            return _rows(program, callee, callee.returns.origins, depth - 1)
    return None
