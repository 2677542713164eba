"""What a query is to load ahead: the relations that its rows lack, and those that it would lose by naming them."""

from __future__ import annotations

from collections.abc import Iterable

from querylint.advise.eager import Source, loading, prefixed, sources
from querylint.ir import Access, Loading, Path, Program, Terminal
from querylint.remedy import Advice, Preload
from querylint.text import Span

EACH_COUNTED = Advice("let the query of the rows count: .annotate(number=Count(...))")
NAMED = Advice(
    "name all the relations that are followed in its .select_related(...): without names it leaves out what may be null, and names added "
    "behind it replace what it joins"
)

CODE = (".py", ".pyw")


def by_itself(program: Program, source: Source) -> bool:
    """Whether a relation is one that a list which the framework makes joins by itself: it no longer does once others are named."""
    read = source.read
    if read is None or not source.path or read.chain.start != read.chain.end or not any(plan.whole for plan in read.plans):
        return False
    return loading(program, source.outer, read.table, source.path) is Loading.JOINED


def preload(program: Program, source: Source, paths: list[Path], step: Access, at: Span | None, kept: Iterable[Path]) -> Preload | Advice:
    """The remedy for relations that are followed one by one.

    `kept` are those that must be named with them; `at` is the place that says what comes along, None for the query.
    """
    if step.terminal is Terminal.COUNT and len(paths) == 1:
        return EACH_COUNTED
    read = source.read
    if read is not None and read.chain.start < read.chain.end and any(plan.whole for plan in read.plans):
        return NAMED
    table = read.table if read is not None else None
    joined: list[Path] = []
    batched: list[Path] = []
    for path in _longest(paths):
        if read is None or loading(program, source.outer, table, path) is Loading.BATCHED or prefixed(read, path):
            batched.append(path)
        else:
            joined.append(path)
    if joined:
        joined = _longest([*joined, *(path for path in kept if path not in joined)])
    if at is None and read is not None and read.chain.end and not read.chain.path.endswith(CODE):
        return _in_view(program, source, read, [*joined, *batched])
    return Preload(tuple(joined), tuple(batched), at if at is not None else read.chain if read is not None and read.chain.end else None)


def _in_view(program: Program, source: Source, read: Access, paths: list[Path]) -> Preload:
    """What the view is to load for a template that asks for the rows: the whole way, from what the template is given."""
    origins = [s for s in sources(program, source.outer, read.follows) if s.path] if read.follows is not None else []
    above = origins[0] if origins else None
    before = above.path if above is not None else ()
    table = above.read.table if above is not None and above.read is not None else read.table if above is None else None
    whole = [(*before, *path) for path in paths]
    batched = [path for path in whole if table is None or loading(program, source.outer, table, path) is Loading.BATCHED]
    places = {s.read.chain if s.read is not None else None for s in origins}
    at = next(iter(places)) if len(places) == 1 else None
    one = at if at is not None and at.start < at.end and at.path.endswith(CODE) else None
    return Preload(tuple(path for path in whole if path not in batched), tuple(batched), one, source.outer.name)


def _longest(paths: list[Path]) -> list[Path]:
    return [p for p in paths if not any(q != p and q[: len(p)] == p for q in paths)]
