"""Lists inside of rows that calls make longer and nothing ever makes shorter (convex-facts 2.2, 8.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.advise.audience import left_alone, waited_for
from querylint.advise.curation import by_staff
from querylint.advise.places import quiet
from querylint.advise.writes import CHANGES
from querylint.construction import dataclass
from querylint.ir import Access, Function, Kind, Origin, Program, Role, Table, Use, Work
from querylint.ir.program import Site, Sites
from querylint.pattern import Pattern

KEPT_ADDING = Pattern(
    r"^(?!.*(?:admin|staff|status|stage|state|level|tier))"
    r".*(?:messages?|chat|comments?|replies|submissions|notes?|posts|history|histories|logs?|events?|entries|records|updates|"
    r"activity|activities|transcripts?|conversations?|readings|samples|measurements|snapshots|versions|revisions|attempts|errors|transactions|"
    r"payments|notifications|visits|clicks|views|plays|scans|likes|votes|voters|viewers|watchers|followers|subscribers|"
    r"(?:liked|read|seen|viewed|voted|opened|dismissed|played)_?by)$",
    re.IGNORECASE,
)
"""Lists of what happens, or of who has come by: what is on offer, what somebody owns, and the steps of one life, are a few."""
SIZED = frozenset((Work.COUNT, Work.SLICE, Work.EMPTY))


@dataclass(frozen=True, slots=True)
class Longer:
    """A list in rows of a table, the writes that put one more member into it, and the functions that users call which lead there."""

    table: Table
    field: str
    writes: tuple[tuple[Function, Access], ...]
    callers: tuple[Function, ...]


def lengthened(program: Program) -> Iterator[Longer]:
    """Every list of what happens that users make longer, and that nothing ever cuts, empties or sets anew."""
    found: dict[tuple[str, str, str], list[tuple[Function, Access, tuple[Function, ...]]]] = {}
    for site, access in program.writes():
        function = site.function
        if access.table is None or access.verb not in CHANGES or not access.longer or quiet(function):
            continue
        callers = _callers(program, function)
        sites = program.sites(function.key)
        for name, lists in access.longer if callers else ():
            own = [origin for origin in lists if _own(sites, access, origin, name)]
            if own and KEPT_ADDING.search(name) and not _measured(function, own):
                found.setdefault((function.root, access.table, name), []).append((function, access, callers))
    for (root, name, field), places in found.items():
        table = program.table(places[0][0], name)
        if table is not None and _only_longer(program, root, name, field):
            callers = tuple(dict.fromkeys(caller for *_, callers in places for caller in callers))
            yield Longer(table, field, tuple((function, access) for function, access, _ in places), callers)


def _only_longer(program: Program, root: str, table: str, field: str) -> bool:
    """Whether every change of a field that code in use makes puts members into the list; rows are born with a short one."""
    for site, access in program.writes(root):
        if access.table not in (table, None) or access.verb in ("insert", "delete") or _unused(program, site):
            continue
        if access.fields is None or (field in access.fields and field not in dict(access.longer)):
            return False
    return True


def _unused(program: Program, site: Site) -> bool:
    return site.function.role is not Role.CODE or left_alone(program, site.function)


def _callers(program: Program, function: Function) -> tuple[Function, ...]:
    """The mutations and the like that users wait for and staff has no part in."""
    hosts = (host for host in program.hosts(function.key) if host.kind is not Kind.CLIENT)
    return tuple(host for host in hosts if waited_for(program, host) and not by_staff(program, host) and not quiet(host))


def _own(sites: Sites, write: Access, origin: Origin, name: str) -> bool:
    """Whether a list is that of the row which is written."""
    if origin.path != (name,) or not isinstance(origin.ref, int):
        return False
    if write.key is not None and any(o.root is origin.root and o.ref == origin.ref for o in write.key.origins):
        return True
    place = sites.of(origin)
    return place is not None and isinstance(place.step, Access) and place.step.table == write.table and place.step.by_key


def _measured(function: Function, lists: list[Origin]) -> bool:
    """Whether the function asks how long the list is, or cuts it: it may hold a few members only."""
    return any(isinstance(step, Use) and step.work in SIZED and any(origin in step.of for origin in lists) for step in function.steps())
