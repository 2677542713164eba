"""Lowered functions joined: names to functions, routes to functions, handed-on queries to their origins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from querylint.construction import replace
from querylint.ir import ITEM, Access, Block, Branch, Call, Function, Loop, Mode, Origin, Program, Root, Schema, Step, Way
from querylint.ir.program import Edge, Effect
from querylint.link import callgraph
from querylint.link.keyed import Keyed
from querylint.link.routes import Routes

if TYPE_CHECKING:
    from querylint.link.cases import Cases

K = TypeVar("K")
V = TypeVar("V")


def link(
    functions: Iterable[Function],
    schemas: Mapping[str, Schema],
    routes: Routes,
    words: frozenset[str] = frozenset(),
    mentioned: frozenset[str] = frozenset(),
    manual: frozenset[str] = frozenset(),
    rows: Mapping[str, int] | None = None,
) -> Program:
    """The program that rules ask: all functions of an island, and the schemas that govern them.

    `routes` are those of the whole project. `words` are names of indexes that stand in quotes, `mentioned` the routes that the project
    names, `manual` those that it tells people to run by hand, `rows` sizes of tables that the user stated.
    """
    by_key = {f.key: f for f in functions}
    callees: dict[tuple[str, int], str] = {}
    for function in by_key.values():
        for step in function.steps():
            if isinstance(step, Call):
                callee = routes.callee(step.target)
                if callee is not None:
                    callees[function.key, step.id] = callee
    callers = _callers(by_key, callees)
    by_key = _resolve(by_key, schemas, callees, callers)
    cases = _cases(by_key, callees)
    if cases is not None:
        by_key = {key: cases.sized(function) for key, function in by_key.items()}
    forward: dict[str, tuple[str, ...]] = {}
    direct: dict[str, tuple[str, ...]] = {}
    for function in by_key.values():
        targets: dict[str, None] = {}
        near: dict[str, None] = {}
        for step in function.steps():
            if isinstance(step, Call) and (function.key, step.id) in callees:
                target = callees[function.key, step.id]
                targets[target] = None
                if step.mode is not Mode.SCHEDULE:
                    near[target] = None
        if function.wrapper in by_key:
            targets[function.wrapper] = None
        forward[function.key] = tuple(targets)
        direct[function.key] = tuple(near)
    order = callgraph.components(by_key, direct)
    narrowed = cases.narrowed if cases is not None else {}
    finder = _Finder(by_key, callees, callers)
    effects = callgraph.effects(by_key, callees, order, finder.handed, narrowed, cases.narrow if cases is not None else None)
    return Program(
        by_key,
        schemas,
        callees,
        callers,
        effects,
        callgraph.remotes(by_key, callees, order),
        callgraph.outside(by_key, callees, order),
        callgraph.throwing(by_key, callees, order),
        callgraph.reached(by_key, forward),
        words,
        rows or {},
        mentioned=mentioned,
        manual=manual,
        narrowed=narrowed,
        unasked=cases.unasked(callers) if cases is not None else {},
    )


def _cases(functions: Mapping[str, Function], callees: Mapping[tuple[str, int], str]) -> Cases | None:
    """What calls decide by their arguments, where the source says of any what it hands over; else that is not even loaded."""
    if not any(isinstance(step, Call) and step.handed is not None for function in functions.values() for step in function.steps()):
        return None
    from querylint.link.cases import Cases

    return Cases(functions, callees)


def merged(programs: Sequence[Program], order: Iterable[str]) -> Program:
    """The programs of all islands as one; `order` is that of all their functions."""
    if len(programs) == 1:
        return programs[0]
    functions = _all(p.functions for p in programs)
    return Program(
        {key: functions[key] for key in order},
        _all(p.schemas for p in programs),
        _all(p.callees for p in programs),
        _all(p.callers for p in programs),
        _all(p.effects for p in programs),
        _all(p.remotes for p in programs),
        frozenset().union(*(p.outside for p in programs)),
        frozenset().union(*(p.throws for p in programs)),
        _all(p.reached for p in programs),
        frozenset().union(*(p.words for p in programs)),
        _all(p.rows for p in programs),
        frozenset().union(*(p.mentioned for p in programs)),
        frozenset().union(*(p.manual for p in programs)),
        _all(p.narrowed for p in programs),
        _all(p.unasked for p in programs),
    )


def _all(parts: Iterable[Mapping[K, V]]) -> dict[K, V]:
    whole: dict[K, V] = {}
    for part in parts:
        whole |= part
    return whole


def _callers(functions: Mapping[str, Function], callees: Mapping[tuple[str, int], str]) -> dict[str, tuple[Edge, ...]]:
    found: dict[str, list[Edge]] = {}
    for function in functions.values():
        for step in function.steps():
            if isinstance(step, Call):
                callee = callees.get((function.key, step.id))
                if callee is not None:
                    found.setdefault(callee, []).append(Edge(function.key, step, callee))
    return {key: tuple(edges) for key, edges in found.items()}


# Queries that one function builds and another finishes; tables that a caller names.


def _resolve(
    functions: dict[str, Function],
    schemas: Mapping[str, Schema],
    callees: Mapping[tuple[str, int], str],
    callers: Mapping[str, tuple[Edge, ...]],
) -> dict[str, Function]:
    resolved = dict(functions)
    finder = _Finder(functions, callees, callers, Keyed(functions, schemas, callees, callers))
    for key, function in functions.items():
        if any(isinstance(step, Access) and _unfinished(step) for step in function.steps()):
            resolved[key] = replace(function, body=_rewrite(function.body, function, finder))
    return resolved


def _unfinished(access: Access) -> bool:
    return access.base is not None or (access.table is None and (access.table_from is not None or access.key is not None))


def _rewrite(block: Block, function: Function, finder: _Finder) -> Block:
    out: list[Step] = []
    for step in block:
        if isinstance(step, Access):
            out.append(finder.complete(function, step))
        elif isinstance(step, Loop):
            out.append(replace(step, body=_rewrite(step.body, function, finder)))
        elif isinstance(step, Branch):
            out.append(replace(step, arms=tuple(_rewrite(arm, function, finder) for arm in step.arms)))
        else:
            out.append(step)
    return tuple(out)


def _completed(access: Access, sources: list[Access]) -> Access | None:
    """An access that finishes queries which were begun elsewhere; None unless they are all of one table."""
    tables = {source.table for source in sources}
    if len(tables) != 1:
        return None
    mine = access.plans[0]
    plans = []
    for source in sources:
        for plan in source.plans:
            way = mine.way if mine.way is not Way.OPAQUE else plan.way
            index = mine.index if mine.way is not Way.OPAQUE else plan.index
            ranged = mine.ranged if mine.way is not Way.OPAQUE else plan.ranged
            plans.append(
                replace(
                    plan,
                    way=way,
                    index=index,
                    ranged=ranged,
                    predicates=(*plan.predicates, *mine.predicates),
                    order=mine.order or plan.order,
                    eager=(*plan.eager, *mine.eager),
                    columns=mine.columns if mine.columns is not None else plan.columns,
                    deferred=(*plan.deferred, *mine.deferred),
                    whole=mine.whole or plan.whole,
                    grouped=mine.grouped or plan.grouped,
                    locked=mine.locked or plan.locked,
                )
            )
    begun = sources[0].chain if len(sources) == 1 and access.chain.start == access.chain.end else access.chain
    return replace(access, table=next(iter(tables)), plans=tuple(dict.fromkeys(plans))[:8], chain=begun)


class _Finder:
    """Follows a query, or a table's name, back to where it was written."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        callees: Mapping[tuple[str, int], str],
        callers: Mapping[str, tuple[Edge, ...]],
        keyed: Keyed | None = None,
    ) -> None:
        self.functions = functions
        self.callees = callees
        self.callers = callers
        self.keyed = keyed

    def complete(self, function: Function, access: Access) -> Access:
        """The access with what its callers or callees know of it."""
        if access.base is not None:
            made = _completed(access, self.built(function, access.base, 0))
            if made is not None:
                return made
        if access.table is None and access.table_from is not None:
            names = self.names(function, access.table_from, 0)
            if len(names) == 1:
                return replace(access, table=next(iter(names)))
        named = self.keyed.table(function, access) if self.keyed is not None and access.table is None else None
        return access if named is None else replace(access, table=named)

    def handed(self, function: Function, call: Call, effect: Effect) -> Access:
        """What a helper that serves several tables does for this call: with the query that it is handed, or for the rows it gives back."""
        access, base = effect.access, effect.access.base
        if base is None and call.rows is not None and self.gives(self.callees[function.key, call.id], effect, 0):
            return replace(access, table=call.rows)
        if base is None and access.table_from is not None:
            return self._of_call(function, call, access, 0)
        if base is None or base.root is not Root.PARAM:
            return access
        value = call.args[base.ref] if isinstance(base.ref, int) and base.ref < len(call.args) else None
        parts = [inner for path, inner in value.parts if path == base.path] if value is not None else []
        if len(parts) == 1 and parts[0].root is Root.PARAM:
            return replace(access, base=parts[0])  # handed on: its own callers know
        return _completed(access, [source for inner in parts for source in self.built(function, inner, 0)]) or access

    def gives(self, key: str, effect: Effect, depth: int) -> bool:
        """Whether what a function gives back are the rows that an access reads."""
        function = self.functions[key]
        refs = {o.ref for path, o in function.returns.parts if o.root is Root.STEP and not any(p != ITEM for p in (*path, *o.path))}
        if key == effect.function:
            return effect.access.id in refs
        below = (self.callees.get((key, ref)) for ref in refs if isinstance(ref, int))
        return depth < 4 and any(self.gives(callee, effect, depth + 1) for callee in below if callee is not None)

    def built(self, function: Function, origin: Origin, depth: int) -> list[Access]:
        """The unfinished queries that an origin may stand for."""
        if depth > 4:
            return []
        if origin.root is Root.STEP and isinstance(origin.ref, int):
            own = [a for a in function.built if a.id == origin.ref]
            if own:
                return own
            callee = self.functions.get(self.callees.get((function.key, origin.ref), ""))
            if callee is None:
                return []
            found = []
            for path, inner in callee.returns.parts:
                if path == origin.path:
                    found += self.built(callee, inner, depth + 1)
            if all(query.table is not None or query.table_from is None for query in found):
                return found
            call = next(s for s in function.steps() if isinstance(s, Call) and s.id == origin.ref)
            return [self._of_call(function, call, query, depth) for query in found]
        if origin.root is Root.PARAM and isinstance(origin.ref, int):
            found = []
            for edge in self.callers.get(function.key, ()):
                if origin.ref < len(edge.call.args):
                    for path, inner in edge.call.args[origin.ref].parts:
                        if path == origin.path:
                            found += self.built(self.functions[edge.caller], inner, depth + 1)
            return found
        return []

    def _of_call(self, function: Function, call: Call, query: Access, depth: int) -> Access:
        """A query that a call gives back, about the table that the call names."""
        if query.table is not None or query.table_from is None:
            return query
        names = self._given(function, call, query.table_from, depth)
        return replace(query, table=next(iter(names)), table_from=None) if len(names) == 1 else query

    def names(self, function: Function, origin: Origin, depth: int) -> set[str]:
        """The constants that callers give for a parameter or a field of one; unknown ones make the answer empty by adding a second name."""
        if origin.root is not Root.PARAM:
            return {"", "?"}
        found: set[str] = set()
        for edge in self.callers.get(function.key, ()):
            found |= self._given(self.functions[edge.caller], edge.call, origin, depth)
        return found

    def _given(self, caller: Function, call: Call, origin: Origin, depth: int) -> set[str]:
        """The constants that one call gives for a parameter of the function that it calls, or for a field of one."""
        if depth > 3 or origin.root is not Root.PARAM or not isinstance(origin.ref, int):
            return {"", "?"}
        if origin.ref >= len(call.args):
            return set()
        value = call.args[origin.ref]
        source = value.origins[0] if value.origins and not origin.path else None
        literal = value.literal if not origin.path else None
        if origin.path and call.handed is not None:
            given = call.handed[origin.ref]
            literal = dict(given.constants).get(origin.path)
            source = dict(given.passed).get(origin.path)
        if isinstance(literal, str):
            return {literal}
        return self.names(caller, source, depth + 1) if source is not None else {"", "?"}
