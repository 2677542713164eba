"""Who calls whom, what a call brings about, and who leads where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from querylint.construction import replace
from querylint.ir import Access, Block, Branch, Call, Exit, ExitKind, Function, Kind, Loop, Mode, TargetKind, Wait
from querylint.ir.program import Edge, Effect, Remote

if TYPE_CHECKING:
    import networkx

MOST_EFFECTS = 120
MOST_TRAIL = 8
MOST_REMOTES = 20
AUTH_WORDS = (
    "auth.",
    "getUserIdentity",
    "getAuthUserId",
    "getUserId",
    "storage.getUrl",
    "storage.generateUploadUrl",
    "storage.delete",
    "scheduler.",
)


def components(nodes: Iterable[str], edges: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Strongly connected components, callees before callers (Tarjan, iterative)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []
    for start in nodes:
        if start in number:
            continue
        work: list[tuple[str, int]] = [(start, 0)]
        while work:
            node, at = work.pop()
            if at == 0:
                number[node] = low[node] = len(number)
                stack.append(node)
                on_stack.add(node)
            targets = edges.get(node, ())
            for position in range(at, len(targets)):
                target = targets[position]
                if target not in number:
                    work.append((node, position + 1))
                    work.append((target, 0))
                    break
                if target in on_stack:
                    low[node] = min(low[node], number[target])
            else:
                if low[node] == number[node]:
                    component: list[str] = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    found.append(component)
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
    return found


def effects(
    functions: Mapping[str, Function],
    callees: Mapping[tuple[str, int], str],
    order: list[list[str]],
    handed: Callable[[Function, Call, Effect], Access],
    narrowed: dict[tuple[str, int], tuple[Effect, ...]],
    narrow: Callable[[str, Call, tuple[Effect, ...]], tuple[Effect, ...]] | None = None,
) -> dict[str, tuple[Effect, ...]]:
    """For every function the accesses that a call of it brings about, nearest first; those of a cycle are gathered once round.

    `handed` says what becomes of an access by what a call hands over; the calls of which that is so come into `narrowed`. `narrow` leaves
    out what a call cannot bring about with its arguments.
    """
    found: dict[str, tuple[Effect, ...]] = {}
    for component in order:
        for key in component:
            function = functions[key]
            mine: dict[tuple[str, int, str | None], Effect] = {}
            later: list[Effect] = []
            sure = _certain(function.body)
            for step in function.own_steps():
                if isinstance(step, Access):
                    mine[key, step.id, step.table] = Effect(key, step, (), step.id in sure)
                elif isinstance(step, Call) and step.mode is not Mode.SCHEDULE:
                    callee = callees.get((key, step.id))
                    if callee is None or callee == key:
                        continue
                    edge, behind = Edge(key, step, callee), found.get(callee, ())
                    if narrow is not None:
                        behind = narrow(key, step, behind)
                    if any(e.access.table is None for e in behind):
                        known = tuple(e if e.access.table is not None else replace(e, access=handed(function, step, e)) for e in behind)
                        if known != behind:
                            behind = narrowed[key, step.id] = known
                    later += [
                        Effect(e.function, e.access, (edge, *e.trail), e.certain and step.id in sure)
                        for e in behind
                        if len(e.trail) < MOST_TRAIL
                    ]
            for effect in sorted(later, key=lambda e: len(e.trail)):
                if len(mine) >= MOST_EFFECTS:
                    break
                mine.setdefault((effect.function, effect.access.id, effect.access.table), effect)
            found[key] = tuple(mine.values())
    return found


def _certain(block: Block) -> set[int]:
    """The steps that run in the ordinary course: those in no arm of a choice, and behind no choice that may return before them.

    A return where something is missing is a guard, and no ordinary course.
    """
    found: set[int] = set()
    for step in block:
        if isinstance(step, Branch) and not step.handler and not step.missing and _returns(step):
            break
        if isinstance(step, Access | Call):
            found.add(step.id)
        elif isinstance(step, Loop):
            found |= _certain(step.body)
    return found


def _returns(branch: Branch) -> bool:
    """Whether the function may be left with a result in one arm, and goes on after another."""
    return any(isinstance(s, Exit) and s.kind is ExitKind.RETURN for arm in branch.arms for s in arm)


def remotes(
    functions: Mapping[str, Function], callees: Mapping[tuple[str, int], str], order: list[list[str]]
) -> dict[str, tuple[Remote, ...]]:
    """For every function the remote calls that a call of it, in place, leads to."""
    found: dict[str, tuple[Remote, ...]] = {}
    for component in order:
        for key in component:
            mine: dict[tuple[str, int], Remote] = {}
            for step in functions[key].own_steps():
                if not isinstance(step, Call):
                    continue
                if step.mode.remote:
                    mine.setdefault((key, step.id), Remote(key, step))
                    continue
                callee = callees.get((key, step.id))
                if callee is None or callee == key or step.mode is not Mode.DIRECT:
                    continue
                edge = Edge(key, step, callee)
                for inner in found.get(callee, ()):
                    if len(inner.trail) < MOST_TRAIL and len(mine) < MOST_REMOTES:
                        mine.setdefault((inner.function, inner.call.id), Remote(inner.function, inner.call, (edge, *inner.trail)))
            if mine:
                found[key] = tuple(mine.values())
    return found


def outside(functions: Mapping[str, Function], callees: Mapping[tuple[str, int], str], order: list[list[str]]) -> frozenset[str]:
    """Functions that wait for outside code, the network mostly; asking who the caller is does not count."""
    found: set[str] = set()
    for component in order:
        for key in component:
            waited: set[int] = set(functions[key].returns.deps)
            calls: list[Call] = []
            for step in functions[key].own_steps():
                if isinstance(step, Wait):
                    waited |= step.on
                elif isinstance(step, Call):
                    calls.append(step)
            if any(_outside(call, waited) or (call.mode is Mode.DIRECT and callees.get((key, call.id)) in found) for call in calls):
                found.add(key)
    return frozenset(found)


def _outside(call: Call, waited: set[int]) -> bool:
    if call.target.kind is not TargetKind.EXTERNAL or call.mode is not Mode.DIRECT or call.id not in waited:
        return False
    return not any(word in call.target.name for word in AUTH_WORDS)


def throwing(functions: Mapping[str, Function], callees: Mapping[tuple[str, int], str], order: list[list[str]]) -> frozenset[str]:
    """Functions that may end by an error that they, or what they call, throw."""
    found: set[str] = set()
    for component in order:
        for _ in range(2):
            for key in component:
                if key not in found and _throws(functions[key].body, key, callees, found):
                    found.add(key)
    return frozenset(found)


def _throws(block: Block, key: str, callees: Mapping[tuple[str, int], str], known: set[str]) -> bool:
    for step in block:
        if isinstance(step, Exit) and step.kind is ExitKind.THROW:
            return True
        if isinstance(step, Call) and step.mode is not Mode.SCHEDULE and callees.get((key, step.id)) in known:
            return True
        if isinstance(step, Loop) and _throws(step.body, key, callees, known):
            return True
        if isinstance(step, Branch) and any(_throws(arm, key, callees, known) for arm in step.arms):
            return True
    return False


def reached(functions: Mapping[str, Function], edges: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """For every function the registered functions that lead to it."""
    found: dict[str, set[str]] = {}
    for key, function in functions.items():
        if function.kind in (Kind.PLAIN, Kind.MODULE, Kind.CLIENT):
            continue
        stack = [key]
        while stack:
            here = stack.pop()
            entries = found.setdefault(here, set())
            if key not in entries:
                entries.add(key)
                stack.extend(edges.get(here, ()))
    return {key: frozenset(entries) for key, entries in found.items()}


def graph(functions: Mapping[str, Function], callers: Mapping[str, tuple[Edge, ...]]) -> networkx.DiGraph[Any]:
    """The call graph for path queries and pictures; networkx loads only here, since importing it costs more than a warm run."""
    import networkx

    made: networkx.DiGraph[Any] = networkx.DiGraph()
    made.add_nodes_from(functions)
    for callee, edges in callers.items():
        for edge in edges:
            made.add_edge(edge.caller, callee, call=edge.call)
    return made
