"""The tables of rows that are read or written by a key which another function gives: `patch((await currentUser(ctx))._id, ...)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from querylint.ir import ITEM, Access, Call, Function, Kind, Mode, Origin, Path, Root, Schema, Step, Terminal
from querylint.ir.program import Edge

ID = "_id"
MOST_DEEP = 6
MANY_CALLERS = 40
IN_PLACE = (Mode.DIRECT, Mode.QUERY, Mode.MUTATION, Mode.ACTION)


class Keyed:
    """Follows a key back to the row that it is a part of, through returns and arguments."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        schemas: Mapping[str, Schema],
        callees: Mapping[tuple[str, int], str],
        callers: Mapping[str, tuple[Edge, ...]],
    ) -> None:
        self._functions = functions
        self._schemas = schemas
        self._callees = callees
        self._callers = callers
        self._steps: dict[str, dict[int, Step]] = {}
        self._known: dict[tuple[str, Origin], str | None] = {}

    def table(self, function: Function, access: Access) -> str | None:
        """The one table that the key of an access names; None where it is not known, or there may be several."""
        if access.key is None or not access.key.origins:
            return None
        return self._one([self._named(function, origin, MOST_DEEP) for origin in access.key.origins])

    def _named(self, function: Function, origin: Origin, depth: int) -> str | None:
        """The table whose id lies at an origin."""
        known = (function.key, origin)
        if known not in self._known:
            self._known[known] = None  # one that leads back to itself is not known
            self._known[known] = self._find(function, origin, depth)
        return self._known[known]

    def _find(self, function: Function, origin: Origin, depth: int) -> str | None:
        if not depth or not isinstance(origin.ref, int):
            return None
        if origin.root is Root.PARAM:
            return self._handed(function, origin, origin.ref, depth)
        step = self._step(function, origin.ref) if origin.root is Root.STEP else None
        if isinstance(step, Call):
            return self._one([self._named(home, inner, depth - 1) for home, inner in self._given_back(function, step, origin.path, depth)])
        return self._of_row(function, step, origin.path, depth) if isinstance(step, Access) else None

    def _given_back(self, function: Function, call: Call, path: Path, depth: int) -> Iterator[tuple[Function, Origin]]:
        """Where a part of what a call returns was taken from; an argument that is handed back (`ensure(row)`), where this call has it."""
        callee = self._functions.get(self._callees.get((function.key, call.id), ""))
        if callee is None or callee.root != function.root or call.mode not in IN_PLACE or not depth:
            return
        for origin in _within(callee.returns.parts, path):
            for home, inner in self._taken(callee, origin, depth - 1):
                if home is not callee or inner.root is not Root.PARAM or not isinstance(inner.ref, int):
                    yield home, inner
                elif inner.ref < len(call.args):
                    yield from ((function, given) for given in _within(call.args[inner.ref].parts, inner.path))

    def _taken(self, function: Function, origin: Origin, depth: int) -> Iterator[tuple[Function, Origin]]:
        """Where the value at an origin was taken from, through the calls that return it."""
        step = self._step(function, origin.ref) if origin.root is Root.STEP and isinstance(origin.ref, int) else None
        if not isinstance(step, Call):
            yield function, origin
            return
        for home, inner in self._given_back(function, step, origin.path, depth):
            yield from self._taken(home, inner, depth - 1) if home is function else ((home, inner),)

    def _of_row(self, function: Function, read: Access, path: Path, depth: int) -> str | None:
        """The table that a field of the rows of a read refers to."""
        row = {Terminal.ROW: (), Terminal.ROWS: (ITEM,), Terminal.PAGE: ("page", ITEM)}.get(read.terminal)
        if row is None or not path or path[:-1] != row or not read.reads:
            return None
        table = read.table
        if table is None and read.key is not None:
            table = self._one([self._named(function, origin, depth - 1) for origin in read.key.origins])
        if table is None or path[-1] == ID:
            return table
        schema = self._schemas.get(function.root)
        declared = schema.tables.get(table) if schema is not None else None
        field = declared.field(path[-1]) if declared is not None else None
        return field.target if field is not None and field.type == "id" else None

    def _handed(self, function: Function, origin: Origin, position: int, depth: int) -> str | None:
        """The table whose id all callers hand over; none of a function that clients call, whose arguments are not in sight."""
        edges = self._callers.get(function.key, ())
        if function.kind is not Kind.PLAIN or not edges or len(edges) > MANY_CALLERS:
            return None
        found: list[str | None] = []
        for edge in edges:
            caller = self._functions[edge.caller]
            if caller.root != function.root or edge.call.mode is not Mode.DIRECT or position >= len(edge.call.args):
                return None
            held = _within(edge.call.args[position].parts, origin.path)
            found.append(self._one([self._named(caller, inner, depth - 1) for inner in held]))
        return self._one(found)

    def _one(self, found: list[str | None]) -> str | None:
        return found[0] if found and all(name == found[0] for name in found) else None

    def _step(self, function: Function, number: int) -> Step | None:
        steps = self._steps.get(function.key)
        if steps is None:
            steps = self._steps[function.key] = {step.id: step for step in function.steps() if isinstance(step, Access | Call)}
        return steps.get(number)


def _within(parts: tuple[tuple[Path, Origin], ...], path: Path) -> list[Origin]:
    """What lies at a path of a value that is made of these parts."""
    return [inner.at(*path[len(at) :]) for at, inner in parts if path[: len(at)] == at]
