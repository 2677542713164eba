"""What becomes of rows after they were read: followed through helpers, returns and remote calls."""

from __future__ import annotations

from dataclasses import field

from querylint.construction import dataclass
from querylint.ir import ITEM, Access, Call, Escape, Function, Mode, Origin, Outflow, Path, Program, Root, Terminal, Use, Work
from querylint.ir.program import Edge

MOST_PLACES = 80
SELECTING = frozenset((Work.FILTER, Work.SLICE, Work.FIND, Work.FIRST, Work.LAST, Work.PICK))


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows are known under some name: a function, a root, the path of the collection (None for a single row) and of a row.

    `selected` says that only some of them got here.
    """

    function: str
    root: Root
    ref: int | str
    rows: Path | None
    row: Path
    way: tuple[Edge, ...] = ()
    selected: bool = False


Mark = tuple[str, int]
"""A work: the function in which it stands, and its number there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A work on the rows: in which function, reached by which calls."""

    use: Use
    function: Function
    way: tuple[Edge, ...]

    @property
    def mark(self) -> Mark:
        """What tells it from all other works: functions count their own alike."""
        return self.function.key, self.use.id

    @property
    def behind(self) -> frozenset[Mark]:
        """The works done on the same rows in that function before."""
        return frozenset((self.function.key, number) for number in self.use.after)


@dataclass(frozen=True, slots=True)
class Left:
    """Whole rows leave here; `after` are the works done on them in that function before."""

    outflow: Outflow
    function: Function
    way: tuple[Edge, ...]
    selected: bool = False

    @property
    def behind(self) -> frozenset[Mark]:
        """The works done on the rows in that function before."""
        return frozenset((self.function.key, number) for number in self.outflow.after)


@dataclass(slots=True)
class Fate:
    """All that is known of what happens to the rows of one read.

    `fields` are those looked at, or handed on by themselves. `whole` are the places where rows leave whole. `subscribers` are client
    functions that receive them, `sent` the places where whole rows are returned to these; `listed` says that parts of every row are
    returned, or handed to outside code or shown; `gone_through` that something comes of every one of them, whatever it is.
    """

    uses: list[Seen] = field(default_factory=list)
    fields: dict[str, None] = field(default_factory=dict)
    whole: list[Left] = field(default_factory=list)
    truncated: bool = False
    subscribers: dict[str, None] = field(default_factory=dict)
    public: bool = False
    listed: bool = False
    sent: list[Left] = field(default_factory=list)
    gone_through: bool = False

    def leaves_unselected(self) -> bool:
        """Whether rows leave whole that no filter, slice or pick has reduced."""
        return any(not left.selected for left in self.whole)


def start_of(function: Function, access: Access) -> Place:
    """Where the rows of a read are first known."""
    if access.terminal is Terminal.ROWS:
        return Place(function.key, Root.STEP, access.id, (), (ITEM,))
    if access.terminal is Terminal.PAGE:
        return Place(function.key, Root.STEP, access.id, ("page",), ("page", ITEM))
    return Place(function.key, Root.STEP, access.id, None, ())


def fate(program: Program, function: Function, access: Access, within: frozenset[str] | None = None) -> Fate:
    """Follow the rows of a read, through all functions or only those `within` (by their keys)."""
    known = program.memo.get(("fate", function.key, access.id, within))
    if isinstance(known, Fate):
        return known
    found = Fate()
    program.memo["fate", function.key, access.id, within] = found
    queue = [start_of(function, access)]
    done: set[tuple[str, Root, int | str, Path | None, Path]] = set()
    while queue:
        place = queue.pop(0)
        key = (place.function, place.root, place.ref, place.rows, place.row)
        if key in done:
            continue
        if len(done) >= MOST_PLACES:
            found.truncated = True
            break
        done.add(key)
        more = _follow(program, program.functions[place.function], place, found)
        queue += more if within is None else [there for there in more if there.function in within]
    return found


def _follow(program: Program, function: Function, place: Place, found: Fate) -> list[Place]:
    held = program.once(("held", function.key), lambda: _held(function))
    if place.rows is not None:
        for step in held.uses.get(place.ref, ()):
            if any(_same(o, place) and o.path == place.rows for o in step.of):
                found.uses.append(Seen(step, function, place.way))
    for origin in held.touched.get(place.ref, ()):
        if _same(origin, place):
            name = _field(origin.path, place.row)
            if name:
                found.fields[name] = None
            elif place.rows is not None and origin.path == place.row and not place.selected:
                found.gone_through = True
    more: list[Place] = []
    for outflow in held.outflows.get(place.ref, ()):
        if not _same(outflow.origin, place):
            continue
        name = _field(outflow.origin.path, place.row)
        whole = _holds(outflow.origin.path, place.row)
        if name and outflow.how is not Escape.RETURNED:
            found.fields[name] = None
            found.listed = found.listed or (outflow.how is Escape.PASSED and ITEM in outflow.origin.path)
        if whole and outflow.how is not Escape.RETURNED:
            found.whole.append(Left(outflow, function, place.way, place.selected or _selected(function, outflow)))
    more += _into_callees(program, function, held, place, found)
    more += _out_to_callers(program, function, place, found)
    return more


Ref = int | str


@dataclass(slots=True)
class _Held:
    """What a function does with values, by what these come from: works, looks at parts, outflows, and arguments of its calls."""

    uses: dict[Ref, list[Use]] = field(default_factory=dict)
    touched: dict[Ref, list[Origin]] = field(default_factory=dict)
    outflows: dict[Ref, list[Outflow]] = field(default_factory=dict)
    args: dict[Ref, list[tuple[Call, int, Path, Origin]]] = field(default_factory=dict)


def _held(function: Function) -> _Held:
    held = _Held()
    for step in function.steps():
        if isinstance(step, Use):
            for ref in dict.fromkeys(origin.ref for origin in step.of):
                held.uses.setdefault(ref, []).append(step)
        elif isinstance(step, Call):
            for position, value in enumerate(step.args):
                for path, origin in value.parts:
                    held.args.setdefault(origin.ref, []).append((step, position, path, origin))
    for origin in function.touched:
        held.touched.setdefault(origin.ref, []).append(origin)
    for outflow in function.outflows:
        held.outflows.setdefault(outflow.origin.ref, []).append(outflow)
    return held


def _selected(function: Function, outflow: Outflow) -> bool:
    """Whether a filter, a slice or a pick has reduced what leaves."""
    return bool(outflow.after) and any(isinstance(s, Use) and s.id in outflow.after and s.work in SELECTING for s in function.steps())


def _same(origin: Origin, place: Place) -> bool:
    return origin.root is place.root and origin.ref == place.ref


def _field(path: Path, row: Path) -> str | None:
    if len(path) > len(row) and path[: len(row)] == row and path[len(row)] != ITEM:
        return path[len(row)]
    return None


def _holds(path: Path, row: Path) -> bool:
    """Whether what lies at a path is a row, their list, or something that holds them: an answer that has them as one of its parts."""
    return row[: len(path)] == path


def _moved(path: Path, origin: Origin, place: Place) -> tuple[Path | None, Path] | None:
    """Where the rows are inside a value that holds `origin` at `path`."""
    taken = origin.path
    if place.rows is not None and place.rows[: len(taken)] == taken:
        return (*path, *place.rows[len(taken) :]), (*path, *place.row[len(taken) :])
    if place.row[: len(taken)] == taken:
        return None, (*path, *place.row[len(taken) :])
    return None


def _into_callees(program: Program, function: Function, held: _Held, place: Place, found: Fate) -> list[Place]:
    more: list[Place] = []
    for call, position, path, origin in held.args.get(place.ref, ()):
        if not _same(origin, place):
            continue
        name = _field(origin.path, place.row)
        moved = _moved(path, origin, place)
        if moved is None:
            if name:
                found.fields[name] = None
            continue
        callee = program.callee(function, call)
        if callee is None:
            continue
        number = position - 1 if call.mode is Mode.SUBSCRIBE else position
        way = (*place.way, Edge(function.key, call, callee.key))
        more.append(Place(callee.key, Root.PARAM, number, moved[0], moved[1], way, place.selected))
    return more


def _out_to_callers(program: Program, function: Function, place: Place, found: Fate) -> list[Place]:
    returned = [o for o in function.outflows if o.how is Escape.RETURNED and _same(o.origin, place)]
    if not returned:
        return []
    more: list[Place] = []
    edges = [e for e in program.callers.get(function.key, ()) if e.call.mode is not Mode.SCHEDULE and _brings(program, function, place, e)]
    if place.root is Root.PARAM and place.way:
        edges = [place.way[-1]]
    whole = [o for o in returned if _holds(o.origin.path, place.row)]
    clients = [e for e in edges if e.call.mode is Mode.SUBSCRIBE or not _server(program, e)]
    if function.public:
        found.public = True
    left = [Left(o, function, place.way, place.selected or _selected(function, o)) for o in whole]
    if not edges or (function.public and not clients) or function.kind.value == "http":
        found.whole.extend(left)
    if clients:
        found.sent.extend(left)
    selected = place.selected or (bool(whole) and all(_selected(function, o) for o in whole))
    for outflow in returned:
        name = _field(outflow.origin.path, place.row)
        if name:
            found.fields[name] = None
    for path, origin in function.returns.parts:
        if ITEM in path and _same(origin, place) and _field(origin.path, place.row):
            found.listed = True
    for edge in edges:
        if edge in clients:
            found.subscribers[edge.caller] = None
        for path, origin in function.returns.parts:
            if not _same(origin, place):
                continue
            moved = _moved(path, origin, place)
            if moved is not None:
                more.append(Place(edge.caller, Root.STEP, edge.call.id, moved[0], moved[1], (*place.way, edge), selected))
    return more


def _brings(program: Program, function: Function, place: Place, edge: Edge) -> bool:
    """Whether a call may bring the rows of a place about: it may close the way to them by what it hands over."""
    if place.root is not Root.STEP or (edge.caller, edge.call.id) not in program.narrowed or not isinstance(place.ref, int):
        return True
    source = program.sites(function.key).by_id.get(place.ref)
    if source is None or not isinstance(source.step, Access | Call):
        return True
    reached = program.narrowed[edge.caller, edge.call.id]
    here = function.key
    return any(
        (e.function == here and e.access.id == place.ref) or any(f.caller == here and f.call.id == place.ref for f in e.trail)
        for e in reached
    )


def _server(program: Program, edge: Edge) -> bool:
    return program.functions[edge.caller].kind.value != "client"
