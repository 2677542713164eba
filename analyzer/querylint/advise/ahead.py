"""What a query is to load ahead: the relations that its rows lack, and those that it would lose by naming them."""

from __future__ import annotations

from collections.abc import Container, Iterable

from querylint.advise.eager import Source, loading, possible, prefixed, sources
from querylint.construction import replace
from querylint.ir import Access, Call, Function, Loading, Path, Program, Role, Terminal, Way
from querylint.remedy import Advice, Batch, Preload
from querylint.text import Span

EACH_COUNTED = Batch(of="related")
NAMED = Advice(
    "name all the relations that are followed, in .select_related(...) or, in the admin, in list_select_related: without names it leaves "
    "out what may be null, and names added behind it replace what it joins"
)

Beginning = tuple[str, int]
CODE = (".py", ".pyw")


def by_itself(program: Program, source: Source) -> bool:
    """Whether a relation is one that a list which the framework makes joins by itself: it no longer does once others are named."""
    read = source.read
    if read is None or not source.path or read.chain.start != read.chain.end or not any(plan.whole for plan in read.plans):
        return False
    return loading(program, source.outer, read.table, source.path) is Loading.JOINED


SERVED = Advice(
    "the function that reads the rows serves other tables too: let it take what is to be loaded along, or read these rows by a query of "
    "their own"
)


def own_part(program: Program, outer: Function, read: Access) -> Span | None:
    """Where a function is given a query by the one that begins it. What is loaded from there on, others do not pay for who are given it."""
    beginning = read.chain.path, read.chain.start
    calls = [step for step in outer.steps() if isinstance(step, Call) and step.id in read.deps]
    calls = [call for call in calls if call.span.start < call.span.end and call.span.path.endswith(CODE)]  # a template only asks
    given = [call.span for call in calls if (callee := program.callee(outer, call)) is not None and _begins(callee, beginning)]
    return given[0] if len(given) == 1 else None


def serves_others(program: Program, outer: Function, read: Access, lacking: Container[object]) -> bool:
    """Whether a query is begun in another function than the one that runs it, also for reads that do without the relations.

    `lacking` are the reads that do not, by the keys of their functions and their numbers.
    """
    readers = program.once("readers by beginning", lambda: _readers(program)).get((read.chain.path, read.chain.start), ())
    own = outer.span.path == read.chain.path and outer.span.start <= read.chain.start < outer.span.end
    return not own and not all(reader in lacking for reader in readers)


def handed_from(program: Program, outer: Function, span: Span) -> bool:
    """Whether a place stands in a function that calls the one which runs a query: it hands the query over."""
    callers = (program.functions[edge.caller].span for edge in program.callers.get(outer.key, ()))
    return any(caller.covers(span) for caller in callers)


def _begins(function: Function, beginning: Beginning) -> bool:
    return any((query.chain.path, query.chain.start) == beginning for query in function.built)


def _readers(program: Program) -> dict[Beginning, list[tuple[str, int]]]:
    """The reads of queries by where these begin."""
    found: dict[Beginning, list[tuple[str, int]]] = {}
    for site, read in program.reads():
        if site.function.role is Role.CODE and read.chain.start < read.chain.end:
            found.setdefault((read.chain.path, read.chain.start), []).append((site.function.key, read.id))
    return found


def preload(
    program: Program, source: Source, paths: list[Path], step: Access, at: Span | None, kept: Iterable[Path], *, shared: bool = False
) -> Preload | Batch | Advice:
    """The remedy for relations that are followed one by one.

    `kept` are those that must be named with them; `at` is the place that says what comes along, None for the query. Others, too, get a
    `shared` row, and do without.
    """
    if step.terminal is Terminal.COUNT and len(paths) == 1:
        return EACH_COUNTED
    if shared:
        return Preload(batched=tuple(_longest(paths)), giver=source.outer.name)
    read = source.read
    whole = read is not None and read.chain.start < read.chain.end and any(plan.whole for plan in read.plans)
    if read is not None and whole and not all(loading(program, source.outer, read.table, path) is Loading.BATCHED for path in paths):
        return NAMED
    place = program.sites(source.outer.key).by_id.get(read.id) if read is not None else None
    if place is not None and isinstance(place.step, Call):
        return SERVED
    table = read.table if read is not None else None
    joined: list[Path] = []
    batched: list[Path] = []
    grouped = read is not None and any(plan.grouped for plan in read.plans) and program.facts(source.outer).identity
    # A statement written as text: no join can be added to that.
    written = read is not None and read.base is None and read.follows is None and all(plan.way is Way.OPAQUE for plan in read.plans)
    for path in _longest(paths):  # a join would bring along columns by which the rows are not grouped
        if read is None or grouped or written or loading(program, source.outer, table, path) is Loading.BATCHED or prefixed(read, path):
            batched.append(path)
        else:
            joined.append(path)
    if joined:
        joined = _longest([*joined, *(path for path in kept if path not in joined)])
    if at is None and read is not None and _by_attribute(read):
        return replace(_in_view(program, source, read, [*joined, *batched]), view="")
    if at is None and read is not None and read.chain.end and not read.chain.path.endswith(CODE):
        if read.refined:  # a query of its own, whatever the view has loaded
            return Preload(tuple(joined), tuple(batched), None)
        return _in_view(program, source, read, [*joined, *batched])
    return Preload(tuple(joined), tuple(batched), at if at is not None else read.chain if read is not None and read.chain.end else None)


def _by_attribute(read: Access) -> bool:
    """Whether an attribute loads the rows of a relation (`post.comments` of SQLAlchemy): no query is written there that could load more."""
    return read.follows is not None and read.verb == read.follows.path[-1] and not read.refined


def _in_view(program: Program, source: Source, read: Access, paths: list[Path]) -> Preload:
    """What is to be loaded with the rows from which an attribute or a template asks for these: the whole way from there."""
    origins = [s for s in sources(program, source.outer, read.follows) if s.path] if read.follows is not None else []
    above = origins[0] if origins else None
    before = above.path if above is not None else ()
    while before and above is not None and above.read is None and not possible(program, source.outer, before):
        before = before[1:]  # an attribute that holds the row
    table = above.read.table if above is not None and above.read is not None else read.table if above is None else None
    whole = [(*before, *path) for path in paths]
    batched = [path for path in whole if table is None or loading(program, source.outer, table, path) is Loading.BATCHED]
    places = {s.read.chain if s.read is not None else None for s in origins}
    at = next(iter(places)) if len(places) == 1 else None
    one = at if at is not None and at.start < at.end and at.path.endswith(CODE) else None
    return Preload(tuple(path for path in whole if path not in batched), tuple(batched), one, source.outer.name)


def _longest(paths: list[Path]) -> list[Path]:
    return [p for p in paths if not any(q != p and q[: len(p)] == p for q in paths)]
