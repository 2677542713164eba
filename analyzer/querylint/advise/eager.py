"""What a query has loaded ahead against what its rows are asked for: relations as paths, and what of a path is there already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from querylint.advise.handed import given, given_by_callers, handed, handed_over, loaded_by_calls, reaches
from querylint.construction import dataclass, replace
from querylint.ir import (
    ITEM,
    Access,
    Call,
    Eager,
    Function,
    Link,
    Loading,
    Mode,
    Origin,
    Path,
    Plan,
    Program,
    Relation,
    Root,
    Table,
    Terminal,
    Way,
)
from querylint.ir.program import Edge
from querylint.text import Span

MOST_DEEP = 14  # a serializer inside another is two calls and a relation away
MOST_PATHS = 80  # for one function in which trails end, and whoever has its rows of it: each is told, however much others show
MOST_WAYS = 3  # to one path of relations from one read
MOST_LOOKED_AT = 1500
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a row comes from: the read that brought it, None where that is not known, and the relations that lead from its rows to it.

    `edges` are the calls that carried the row along, innermost first; `listed` says that the read hands out many rows. `outer` is the
    function in which the trail ends. `back` are the calls that gave the row back, with their functions, the one next to the read first.
    """

    read: Access | None
    outer: Function
    path: Path
    edges: tuple[Edge, ...] = ()
    listed: bool = False
    back: tuple[tuple[str, Call], ...] = ()


def sources(program: Program, function: Function, origin: Origin) -> list[Source]:
    """All the reads that a row at an origin may come from."""
    found: list[Source] = []
    told: dict[tuple[str, tuple[tuple[str, int], ...]], dict[tuple[int | None, Path], int]] = {}
    for source in islice(_sources(program, function, origin, (), 0), MOST_LOOKED_AT):
        back = tuple((key, call.id) for key, call in source.back[-1:])
        ways = told.setdefault((source.outer.key, back), {})
        way = (source.read.id if source.read is not None else None, source.path)
        if ways.get(way, 0) < MOST_WAYS and (way in ways or len(ways) < MOST_PATHS):
            ways[way] = ways.get(way, 0) + 1
            found.append(source)
    return found


def _sources(program: Program, function: Function, origin: Origin, edges: tuple[Edge, ...], depth: int) -> Iterator[Source]:
    if origin.root is Root.STEP and isinstance(origin.ref, int):
        site = program.sites(function.key).by_id.get(origin.ref)
        step = site.step if site is not None else None
        if isinstance(step, Access):
            yield from _of_read(program, function, step, origin.path, edges, depth)
            return
        if isinstance(step, Call) and depth < MOST_DEEP:
            yield from _of_call(program, function, step, origin.path, edges, depth)
            return
        begun = next((a for a in function.built if a.id == origin.ref and not a.refined), None) if step is None else None
        before = (begun.follows or begun.base) if begun is not None else None  # a query that is handed on as it is
        if before is not None and depth < MOST_DEEP:
            yield from _sources(program, function, before.at(*origin.path), edges, depth + 1)
            return
    elif origin.root is Root.PARAM and isinstance(origin.ref, int) and depth < MOST_DEEP:
        if function.ahead and _ahead(program, function, origin):
            return  # the function loads it for whatever rows it is given
        callers = [e for e in program.callers.get(function.key, ()) if e.call.mode is Mode.DIRECT and e.caller != function.key]
        known = False
        for edge in callers:
            for held in given(origin, edge.call):
                known = True
                if any(before.call is edge.call for before in edges):
                    continue  # once round a recursion is enough: a relation of the rows themselves would be followed for ever
                for source in _sources(program, program.functions[edge.caller], held, (*edges, edge), depth + 1):
                    if not (origin.ref == 0 and "." in function.name and in_its_place(function, origin, source)):
                        yield source
        if known:
            return
    yield Source(None, function, _relations(origin.path), edges, ITEM in origin.path)


def _ahead(program: Program, function: Function, origin: Origin) -> bool:
    """Whether a function loads a relation for the rows that it is given, as it is followed or without its ways there and back."""
    taken = [path for number, path in function.ahead if number == origin.ref]
    followed = _relations(origin.path)
    ways = {followed}
    schema = program.schema(function)
    for table in schema.tables if schema is not None and taken else ():
        known = links(program, function, table, followed)
        if all(known):
            ways.add(_straight(program, function, table, followed))
            if _leads_back(known):
                ways.add(followed[:-1])
    return any(covers(path, way) for path in taken for way in ways)


def in_its_place(function: Function, origin: Origin, source: Source) -> bool:
    """Whether the rows of a source bring the value of a property along, which then is not asked for what it would follow from them."""
    value = (*source.path[: len(source.path) - len(_relations(origin.path))], function.name.rpartition(".")[2])
    plans = source.read.plans if source.read is not None else ()
    return any(eager.path == value for plan in plans for eager in plan.eager)


def _leads_back(known: list[Link | None]) -> bool:
    """Whether the last relation of a path is the way back to the row that one came from."""
    before, last = known[-2:] if len(known) > 1 else (None, None)
    return before is not None and last is not None and before.back == last.name and not last.many


def _of_read(program: Program, function: Function, read: Access, path: Path, edges: tuple[Edge, ...], depth: int) -> Iterator[Source]:
    rows = read.terminal in (Terminal.ROWS, Terminal.PAGE)
    if read.follows is not None and not read.refined:
        if depth < MOST_DEEP:  # else nobody knows whose relation it is, and what came along with it
            yield from _sources(program, function, read.follows.at(*path), edges, depth + 1)
        return
    begun_before = list(handed_over(program, function, read)) if read.base is not None and depth < MOST_DEEP else []
    for way, begun in begun_before:
        assert begun.follows is not None
        yield from _sources(program, program.functions[way[-1].caller], begun.follows.at(*path), (*edges, *way), depth + len(way))
    if not begun_before:
        yield Source(read, function, _relations(path), edges, rows or ITEM in path)


def _of_call(program: Program, function: Function, call: Call, path: Path, edges: tuple[Edge, ...], depth: int) -> Iterator[Source]:
    callee = program.callee(function, call)
    known = False
    for held, inner in callee.returns.parts if callee is not None else ():
        if path[: len(held)] != held:
            continue
        rest = path[len(held) :]
        assert callee is not None
        if inner.root is Root.STEP and isinstance(inner.ref, int) and not _returns(program, function, call, callee, inner.ref):
            continue
        known = True
        if inner.root is Root.PARAM and isinstance(inner.ref, int):
            for argument in given(inner.at(*rest), call):
                yield from _sources(program, function, argument, edges, depth + 1)
            continue
        for source in _sources(program, callee, inner.at(*rest), (), depth + 1):
            read = source.read
            if read is not None and read.table is None and call.rows is not None and source.path == _relations(path):
                yield Source(_served(program, function, call, read), function, source.path, edges, source.listed)
                continue
            if read is not None and call.ahead:
                read = _with(read, source.path[: len(source.path) - len(_relations(path))], call.ahead)
            yield Source(read, source.outer, source.path, edges, source.listed, (*source.back, (function.key, call)))
    if not known:
        yield Source(None, function, _relations(path), edges, ITEM in path)


def _with(read: Access, before: Path, taken: Iterable[Path]) -> Access:
    """A read whose rows, or those that a path leads to, get relations loaded by the function that they are given back to."""
    more = [Eager((*before, *path), Loading.BATCHED) for path in taken]
    return replace(read, plans=tuple(replace(plan, eager=(*plan.eager, *more)) for plan in read.plans))


def _served(program: Program, function: Function, call: Call, read: Access) -> Access:
    """What a helper for several tables reads for a caller who knows the table: for all that follows, the call is what reads.

    With the query that the caller has built, or else with what rows of the table bring along by themselves.
    """
    handed_over = (e.access for e in program.effects_of(function, call) if e.access.id == read.id and e.access.table == call.rows)
    known = next((access for access in handed_over if access.base is not None), None)
    if known is not None:
        return replace(known, id=call.id)
    table = program.table(function, call.rows)
    brought = tuple(Eager((link.name,), Loading.BATCHED) for link in table.links if link.ahead) if table is not None else ()
    plans = tuple(replace(plan, eager=(*plan.eager, *brought)) for plan in read.plans)
    return replace(read, id=call.id, table=call.rows, plans=plans, span=call.span, chain=call.span)


def _returns(program: Program, function: Function, call: Call, callee: Function, number: int) -> bool:
    """Whether a call, with what it hands over, lets a step of its callee run, whose result then comes back."""
    site = program.sites(callee.key).by_id.get(number)
    ways = given_by_callers(program, function)
    return site is None or any(reaches(program, callee, handed(call, known), site.step) for known in ways)


def _relations(path: Path) -> Path:
    return tuple(part for part in path if part != ITEM)


# The algebra.


def column(program: Program, function: Function, table: str | None, path: Path) -> bool:
    """Whether a path ends at a column, which a query may leave out for later, and not at a relation."""
    *before, last = links(program, function, table, path)
    if last is not None or not path:
        return False
    end = before[-1].target if before and before[-1] is not None else table if not before else None
    declared = program.table(function, end)
    return declared is not None and declared.field(path[-1]) is not None


def possible(program: Program, function: Function, path: Path) -> bool:
    """Whether the rows of any table have such relations, the last of which is read when it is asked for.

    What looks like a path may be a field of something else.
    """
    schema = program.schema(function)
    ways = (links(program, function, name, path) for name in schema.tables) if schema is not None else ()
    return any(all(known) and not _brought(known, len(known) - 1) for known in ways)


def links(program: Program, function: Function, table: str | None, path: Path) -> list[Link | None]:
    """The relations of a path, one by one; None where one is not declared."""
    found: list[Link | None] = []
    for name in path:
        declared = program.table(function, table)
        link = declared.link(name) if declared is not None else None
        found.append(link)
        table = link.target if link is not None else None
    return found


def loaded(program: Program, function: Function, table: str | None, plans: Iterable[Plan], path: Path) -> bool:
    """Whether the last relation of a path is there when the rows of a query are.

    Unknown eager loading counts as loading: what cannot be read is not held against anyone.
    """
    known = links(program, function, table, path)
    if column(program, function, table, path):
        whole = all(loaded(program, function, table, plans, path[: n + 1]) for n in range(len(path) - 1))
        return not whole or not any(".".join(path) in plan.deferred for plan in plans)
    if _leads_back(known):
        return True
    for plan in plans:
        if plan.whole and not _absentable(program, function, table, path):
            return True
        for eager in plan.eager:
            if eager.path[-1] == UNKNOWN and eager.loading is Loading.JOINED and _by_query_only(program, function, table, path, eager):
                continue
            if covers(eager.path, path) or covers(_straight(program, function, table, eager.path), path):
                return True
    return False


def _by_query_only(program: Program, function: Function, table: str | None, path: Path, eager: Eager) -> bool:
    """Whether a relation leads to many rows where joins bring along none: no name in a list of joins that is not known is its."""
    before = len(eager.path) - 1
    known = links(program, function, table, path)[before:]
    return not program.facts(function).identity and any(link is not None and (link.many or link.generic) for link in known)


def covers(loaded: Path, path: Path) -> bool:
    """Whether a path that is loaded is this one, or leads to whatever it takes on the way of it."""
    return loaded == path or (loaded[-1] == UNKNOWN and path[: len(loaded) - 1] == loaded[:-1])


def _absentable(program: Program, function: Function, table: str | None, path: Path) -> bool:
    """Whether a key on the way may be null: a join of everything leaves such relations out, as it does those of the other side."""
    for name, link in zip(path, links(program, function, table, path), strict=True):
        declared = program.table(function, table)
        key = declared.field(name) if declared is not None else None
        if link is None or link.many or link.generic or link.column is None or key is None or key.nullable:
            return True
        table = link.target
    return False


def missing(program: Program, function: Function, read: Access, path: Path) -> list[Path]:
    """The shortest relations of a path that a read does not bring along, the outermost first."""
    if any(link is None for link in links(program, function, read.table, path)) and not column(program, function, read.table, path):
        return []  # not a relation of these rows
    path = _straight(program, function, read.table, path)
    plans = [*read.plans, *_beforehand(program, function, read)]
    known = links(program, function, read.table, path)
    found = [
        path[: n + 1]
        for n in range(len(path))
        if not _brought(known, n) and not loaded(program, function, read.table, plans, path[: n + 1])
    ]
    back = read.follows.path[-1] if read.follows is not None else None
    if read.follows is not None and back is not None and found and found[0] == path[:1]:
        first = links(program, function, read.table, path[:1])[0]
        if first is not None and first.back == back and not first.many and _leads_from(program, function, read, first.target):
            found = found[1:]  # rows of a relation know the row that they belong to
            if not any(source.listed for source in sources(program, function, read.follows)):
                found = [p for p in found if several(program, function, read.table, p)]  # which keeps what it leads to, for all of them
    return found


def _leads_from(program: Program, function: Function, read: Access, table: str | None) -> bool:
    """Whether the relation that a read follows may start from rows of a table: relations of several tables go by one name."""
    assert read.follows is not None
    for source in sources(program, function, read.follows):
        here = source.read.table if source.read is not None else None
        before = source.path[:-1]
        known = links(program, source.outer, here, before)
        end = known[-1].target if known and known[-1] is not None else here if not known else None
        if end is None or end == table:
            return True
    return False


def _beforehand(program: Program, function: Function, read: Access) -> list[Plan]:
    """What the query by which a relation was loaded ahead brings along: one that refines the relation starts from that query.

    And what functions load for the rows that they are handed.
    """
    loaded_after = loaded_by_calls(program, function, read.id)
    found = [Plan(Way.PLANNER, eager=tuple(Eager(path, Loading.BATCHED) for path in loaded_after))] if loaded_after else []
    if read.follows is None or not read.refined:
        return found
    for source in sources(program, function, read.follows):
        depth = len(source.path)
        for plan in source.read.plans if source.read is not None else ():
            kept = tuple(replace(e, path=e.path[depth:]) for e in plan.eager if len(e.path) > depth and e.path[:depth] == source.path)
            found += [replace(plan, eager=kept, whole=False)] if kept else []
    return found


def _straight(program: Program, function: Function, table: str | None, path: Path) -> Path:
    """A path without the steps that lead back to the row that one came from: `profile.user.orders` is `orders`."""
    known = links(program, function, table, path)
    for n in range(len(path) - 1):
        here, after = known[n], known[n + 1]
        if here is not None and after is not None and here.back == after.name and not after.many and len(path) > n + 2:
            return _straight(program, function, table, (*path[:n], *path[n + 2 :]))
    return path


def _brought(known: list[Link | None], number: int) -> bool:
    """Whether a relation behind another comes along with its rows, whenever these are loaded, or may do so."""
    link = known[number]
    return number > 0 and link is not None and (link.ahead or any(before is not None and before.own for before in known[:number]))


def prefixed(read: Access, path: Path) -> bool:
    """Whether the rows that a path leads through come along by a query of their own, which rows share: it is to lead on."""
    told = (eager for plan in read.plans for eager in plan.eager)
    brought = [eager for eager in told if len(eager.path) < len(path) and path[: len(eager.path)] == eager.path]
    joined = {eager.path for eager in brought if eager.loading is Loading.JOINED}
    return any(eager.loading is Loading.BATCHED and eager.path not in joined for eager in brought)


def at_most_one(program: Program, function: Function, read: Access) -> bool:
    """Whether the conditions of a read fix every field of a unique key: then its list holds one row at most."""
    table = program.table(function, read.table)
    if table is None or not read.plans:
        return False
    keys = [set(index.fields) for index in table.indexes if index.unique and not index.partial and index.fields] + [{table.key}]
    return all(any(key <= _fixed(plan, table) for key in keys) for plan in read.plans)


def _fixed(plan: Plan, table: Table) -> set[str]:
    """The fields that a plan binds to one value, by the names that indexes have for them."""
    names = {f for index in table.indexes for f in index.fields}
    bound = [p.field for p in plan.predicates if p.relation is Relation.EQ and p.field is not None and not p.conditional]
    links = {f: table.link(f) for f in bound}
    return {link.column if (link := links[f]) is not None and link.column is not None and f not in names else f for f in bound}


def several(program: Program, function: Function, table: str | None, path: Path) -> bool:
    """Whether a path leads to several rows."""
    return any(link is None or link.many for link in links(program, function, table, path))


def loading(program: Program, function: Function, table: str | None, path: Path) -> Loading:
    """How a path is loaded best: by a join as long as every relation on it leads to one row."""
    known = links(program, function, table, path)
    plain = all(link is not None and not link.many and not link.generic for link in known)
    return Loading.JOINED if plain else Loading.BATCHED


def listed_at(program: Program, function: Function, read: Access, paths: list[Path]) -> Span | None:
    """Where the query first says which relations come along in the way that these do: in its own chain, not in the query of a relation."""
    batched = all(loading(program, function, read.table, path) is Loading.BATCHED for path in paths)
    for kind in reversed(Loading) if batched else Loading:
        for plan in read.plans:
            for eager in plan.eager:
                span = eager.span
                if eager.loading is kind and span is not None and span.start < span.end and len(eager.path) == 1:
                    return span
    return None
