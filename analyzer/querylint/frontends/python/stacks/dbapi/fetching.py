"""What becomes of what a statement hands out: read off the code around the call that runs it."""

from __future__ import annotations

from dataclasses import field
from enum import Enum

from querylint.construction import dataclass
from querylint.syntax import tree


class Fetch(Enum):
    """How rows are taken: one, all, some at a time, a single value; nobody takes them; somebody else does."""

    ROW = "row"
    ROWS = "rows"
    BATCHES = "batches"
    VALUE = "value"
    NOTHING = "nothing"
    ELSEWHERE = "elsewhere"


FETCHES = {
    "fetchone": Fetch.ROW, "fetchall": Fetch.ROWS, "fetchmany": Fetch.BATCHES, "fetchval": Fetch.VALUE, "fetchrow": Fetch.ROW,
    "scalar": Fetch.VALUE, "first": Fetch.ROW, "all": Fetch.ROWS, "one": Fetch.ROW, "fetchnumpy": Fetch.ROWS, "fetchdf": Fetch.ROWS,
    "fetch_one": Fetch.ROW, "fetch_all": Fetch.ROWS, "rows": Fetch.ROWS, "one_or_none": Fetch.ROW, "scalar_one": Fetch.VALUE,
    "scalar_one_or_none": Fetch.VALUE,
}  # fmt: skip
PLAIN_FETCHES = frozenset(("fetchone", "fetchall", "fetchmany", "fetchval", "fetch_one", "fetch_all"))
RESHAPED = frozenset(("mappings", "scalars", "unique", "tuples"))
"""What a result of SQLAlchemy hands itself out as, in another shape."""
COLLECTING = frozenset("list tuple set frozenset dict sorted sum max min any all map filter enumerate zip reversed chain Counter".split())


@dataclass(frozen=True, slots=True)
class Taken:
    """How the rows of one call are taken, and whether the call itself is awaited or handed on as a coroutine."""

    fetch: Fetch
    awaited: bool = False
    handed: bool = False


@dataclass(slots=True)
class _Event:
    """A place that takes rows from something that has a name."""

    name: str
    fetch: Fetch
    at: int
    loops: tuple[int, ...]


@dataclass(slots=True)
class Reading:
    """One function, read once for all the calls in it. `uses` are the places where a name is handed on whole."""

    parents: dict[int, object] = field(default_factory=dict)
    loops: dict[int, tuple[int, ...]] = field(default_factory=dict)
    events: list[_Event] = field(default_factory=list)
    uses: dict[str, list[int]] = field(default_factory=dict)

    def of(self, node: tree.Call) -> Taken:
        """How the rows of a call are taken."""
        awaited = False
        here: object = node
        parent = self.parents.get(id(here))
        while isinstance(parent, tree.Await | tree.Yield | tree.Typed):
            awaited = awaited or not isinstance(parent, tree.Typed)
            here, parent = parent, self.parents.get(id(parent))
        while isinstance(parent, tree.Member) and parent.name in RESHAPED and isinstance(self.parents.get(id(parent)), tree.Call):
            here = self.parents[id(parent)]
            parent = self.parents.get(id(here))
        if isinstance(parent, tree.Member) and parent.base is here:
            outer = self.parents.get(id(parent))
            if parent.name in FETCHES and isinstance(outer, tree.Call) and outer.func is parent:
                return Taken(FETCHES[parent.name], awaited or isinstance(self.parents.get(id(outer)), tree.Await))
        if self._iterated(here, parent):
            return Taken(Fetch.ROWS, awaited)
        if isinstance(parent, tree.Call) and isinstance(parent.func, tree.Name) and parent.func.id in ("next", "anext"):
            return Taken(Fetch.ROW, awaited)
        if isinstance(parent, tree.Assign) and parent.value is here and isinstance(parent.target, tree.NamePattern | tree.Member):
            return Taken(self._named(path_of(parent.target), node, Fetch.NOTHING), awaited)
        if isinstance(parent, tree.Do):
            receiver = path_of(node.func.base) if isinstance(node.func, tree.Member) else ""
            if node.args and isinstance(node.func, tree.Name):
                receiver = path_of(node.args[0])
            return Taken(self._named(receiver, node, Fetch.NOTHING), awaited)
        if isinstance(parent, tree.Return):
            return Taken(Fetch.ELSEWHERE, awaited)
        return Taken(Fetch.ELSEWHERE, awaited, handed=not awaited)

    def _iterated(self, here: object, parent: object) -> bool:
        if isinstance(parent, tree.For) and parent.over is here:
            return True
        if isinstance(parent, tree.Comprehension):
            return any(over is here for _, over, _, _ in parent.clauses)
        if isinstance(parent, tree.Spread):
            return True
        return isinstance(parent, tree.Call) and isinstance(parent.func, tree.Name) and parent.func.id in COLLECTING and here in parent.args

    def _named(self, name: str, node: tree.Call, otherwise: Fetch) -> Fetch:
        if not name:
            return otherwise
        loops = self.loops.get(id(node), ())
        for event in self.events:
            if event.name == name and event.at >= node.end:
                if event.fetch is Fetch.ROW and event.loops[: len(loops)] == loops and len(event.loops) > len(loops):
                    return Fetch.ROWS  # row after row, until there are none
                return event.fetch
        if "." in name or any(at >= node.end for at in self.uses.get(name, ())):
            return Fetch.ELSEWHERE
        return otherwise


def read(fn: tree.Fn) -> Reading:
    """Read a function."""
    reading = Reading()
    _walk(fn.body, fn, (), reading)
    reading.events.sort(key=lambda e: e.at)
    return reading


def _walk(node: object, parent: object, loops: tuple[int, ...], reading: Reading) -> None:
    if isinstance(node, list | tuple):
        for part in node:
            _walk(part, parent, loops, reading)
        return
    if isinstance(node, str) or not hasattr(node, "__slots__"):
        return
    reading.parents[id(node)] = parent
    if isinstance(node, tree.Call):
        reading.loops[id(node)] = loops
        _note_call(node, loops, reading)
    elif isinstance(node, tree.For):
        if node.over is not None:
            _note(node.over, Fetch.ROWS, loops, reading)
            _walk(node.over, node, loops, reading)
        inner = (*loops, id(node))
        for part in (node.test, node.pattern, node.init, node.update, node.body):
            _walk(part, node, inner, reading)
        _walk(node.other, node, loops, reading)
        return
    elif isinstance(node, tree.Comprehension):
        for _, over, _, _ in node.clauses:
            _note(over, Fetch.ROWS, loops, reading)
    elif isinstance(node, tree.Name) and not isinstance(parent, tree.Member):
        reading.uses.setdefault(node.id, []).append(node.at)
    elif isinstance(node, tree.Spread):
        _note(node.value, Fetch.ROWS, loops, reading)
    for slot in node.__slots__:
        if slot not in ("at", "end"):
            _walk(getattr(node, slot), node, loops, reading)


def _note_call(node: tree.Call, loops: tuple[int, ...], reading: Reading) -> None:
    func = node.func
    if isinstance(func, tree.Member) and func.name in FETCHES:
        _note(func.base, FETCHES[func.name], loops, reading)
    elif isinstance(func, tree.Name) and node.args:
        if func.id in COLLECTING:
            for arg in node.args:
                _note(arg, Fetch.ROWS, loops, reading)
        elif func.id in ("next", "anext"):
            _note(node.args[0], Fetch.ROW, loops, reading)
        elif func.id in ("iter", "aiter") and isinstance(node.args[0], tree.Member):
            _note(node.args[0].base, Fetch.ROWS, loops, reading)


def _note(node: tree.Expr, fetch: Fetch, loops: tuple[int, ...], reading: Reading) -> None:
    while isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name in RESHAPED:
        node = node.func.base
    name = path_of(node)
    if name:
        reading.events.append(_Event(name, fetch, node.at, loops))


def path_of(node: object) -> str:
    """`a.b.c` as text; empty for anything else."""
    if isinstance(node, tree.Name | tree.NamePattern):
        return node.id
    if isinstance(node, tree.Member):
        base = path_of(node.base)
        return f"{base}.{node.name}" if base else ""
    return ""
