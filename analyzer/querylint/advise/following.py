"""How a relation is followed: only where another one leads nowhere, or for no more than the key that the row itself holds."""

from __future__ import annotations

from collections.abc import Iterable

from querylint.advise.rounds import singled_out
from querylint.ir import Access, Block, Branch, Call, Loop, LoopKind, Path, Program, Step, Terminal
from querylint.ir.program import Edge, Site
from querylint.text import Span

MOST_LISTS = 2


def stands_in(site: Site) -> bool:
    """Whether a relation is followed only where another one leads nowhere: `row.site or row.cluster.site`."""
    follows = {step.id for step in site.function.steps() if isinstance(step, Access) and step.follows is not None}
    steps = [step for step in site.function.steps() if isinstance(step, Branch) and step.missing and step.on & follows]
    return any(step.arms and _within(step.arms[0], site) for step in steps)


def _within(block: Block, site: Site) -> bool:
    return any(
        step is site.step
        or (isinstance(step, Branch) and any(_within(arm, site) for arm in step.arms))
        or (isinstance(step, Loop) and _within(step.body, site))
        for step in block
    )


def for_one_kind(program: Program, site: Site, edges: Iterable[Edge], loop: Loop) -> bool:
    """Whether only rows of which a column has one value, out of several that are told apart, get to a place below a loop."""
    places = [site, *(place for edge in edges if (place := program.sites(edge.caller).by_id.get(edge.call.id)) is not None)]
    for place in places:
        around = loop in place.loops
        if singled_out(program, place, loop if around else None):
            return True
        if around:
            return False
    return False


def run_again(program: Program, site: Site, edges: Iterable[Edge], loop: Loop) -> bool:
    """Whether another loop around a place, or around the calls that lead to it, runs a loop anew in each of its rounds."""
    places = [site, *(place for edge in edges if (place := program.sites(edge.caller).by_id.get(edge.call.id)) is not None)]
    inner = next((n for n, place in enumerate(places) if loop in place.loops), 0)
    return any(other is not loop and other.kind is not LoopKind.ONCE for place in places[inner:] for other in place.loops)


def followed_from(read: Access | None, paths: list[Path], over: str) -> str:
    """What relations are followed once for, in a few words: the rows of a read, or of the relation of its single row that leads to many."""
    above = ".".join(min(paths, key=len)[:-1])
    if read is not None and read.terminal not in (Terminal.ROWS, Terminal.PAGE) and above:
        lists = list(dict.fromkeys(path[0] for path in paths if len(path) > 1))
        if len(lists) == 1:
            return f"row of `{above}`"
        shown = ", ".join(f"`{name}`" for name in lists[:MOST_LISTS])
        return f"row of {shown}" + (f" and {len(lists) - MOST_LISTS} more" if len(lists) > MOST_LISTS else "")
    table = read.table if read is not None else None
    return f"row of `{table}`" if table is not None else f"item of `{over}`" if over else "row"


def only_key(program: Program, site: Site, step: Access) -> str:
    """The column that would do, where nothing but the key of the related row is used."""
    assert step.follows is not None
    here = step.follows
    fields = {
        o.path[len(here.path)] for o in site.function.touched if o.root is here.root and o.ref == here.ref and _below(o.path, here.path)
    }
    target = program.table(site.function, step.table)
    kept = _key_columns(program, site, here.path[-1], step.table)
    if None in kept or len(kept) > 1 or target is None or fields != {target.key} or any(o.origin == here for o in site.function.outflows):
        return ""
    for place in program.sites(site.function.key).all:
        held = place.step.args if isinstance(place.step, Call) else ()
        if any(o == here for value in held for _, o in value.parts):
            return ""
    return next((name for name in kept if name), f"{here.path[-1]}_{target.key}")


def _key_columns(program: Program, site: Site, name: str, target: str | None) -> frozenset[str | None]:
    """The columns in which rows that have a relation of that name hold its key; None stands for rows that do not hold it themselves."""
    schema = program.schema(site.function)
    found = [link for table in schema.tables.values() if (link := table.link(name)) is not None and link.target == target] if schema else []
    return frozenset(link.column for link in found)


def _below(path: Path, here: Path) -> bool:
    return len(path) > len(here) and path[: len(here)] == here


def onward(known: Span, on: list[Path], span: Span, path: Path) -> bool:
    """Whether one expression goes on from a relation to the next: `order.customer.name`."""
    return known.path == span.path and known.start == span.start and any(path[: len(before)] == before for before in on)


def counts(step: Step) -> bool:
    """Whether a step asks the database for a number of rows."""
    return isinstance(step, Access) and step.terminal is Terminal.COUNT
