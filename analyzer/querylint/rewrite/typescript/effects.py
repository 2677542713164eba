"""What a piece of code may change around it, and by which ways it may be left: always the worst that the source allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.ir import Access, Call, Function, Mode, Op, Program, Step, TargetKind
from querylint.rewrite.typescript.source import FUNCTIONS, LOOPS, NAMES, Source, code, inner, names, own, walk

if TYPE_CHECKING:
    from tree_sitter import Node

PURE_METHODS = frozenset(
    # of arrays, maps and sets
    """map filter find findIndex findLast some every includes indexOf slice concat flat flatMap reduce join at keys values entries has get
    toSorted toReversed forEach then """
    # of texts, numbers and dates
    """toString toISOString toLocaleString toFixed getTime valueOf trim split toLowerCase toUpperCase startsWith endsWith substring substr
    padStart padEnd replace replaceAll match test charAt charCodeAt localeCompare getFullYear getMonth getDate getDay getHours
    getMinutes """
    # of queries
    "eq neq lt lte gt gte field and or not search withIndex withSearchIndex order query collect first unique take".split()
)
"""Methods that change nothing but what their callbacks change."""

KEEPING = frozenset(("push", "unshift", "add", "set", "append"))
"""Methods that keep what they are given and do not change it."""

PURE_FUNCTIONS = frozenset(("String", "Number", "Boolean", "BigInt", "parseInt", "parseFloat", "isNaN", "isFinite", "Array", "Object"))
PURE_OBJECTS = frozenset(("Math", "Object", "JSON", "Array", "Number", "String", "Date", "Promise"))
PURE_CLASSES = frozenset(("Set", "Map", "Date", "Array", "Error", "ConvexError", "URL", "RegExp", "WeakMap", "WeakSet", "URLSearchParams"))
LEAVING = {"return_statement": "return", "throw_statement": "throw", "break_statement": "break", "continue_statement": "continue"}


BINDING = (
    (frozenset(("variable_declarator",)), "name"),
    (FUNCTIONS, "parameters"),
    (FUNCTIONS, "parameter"),
    (frozenset(("catch_clause",)), "parameter"),
    (frozenset(("for_in_statement",)), "left"),
)
"""Which nodes bind names, and in which of their fields."""


@dataclass(slots=True)
class Effects:
    """What code may do: variables of its surroundings that it `assigns`, whose objects it `changes`, functions of which nothing is known
    that it `runs`, how it `leaves`, whether it `waits`.
    """

    assigns: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    leaves: set[str] = field(default_factory=set)
    waits: bool = False

    @property
    def touched(self) -> set[str]:
        """Variables that do not hold what they held before."""
        return self.assigns | self.changes


@dataclass(frozen=True, slots=True)
class Reads:
    """What the program says of the calls of one function."""

    program: Program
    function: Function
    path: str

    def within(self, start: int, end: int) -> list[Access | Call]:
        """The contacts with the database, and the calls that may have some, in a stretch of the source."""
        return [s for s in self.function.steps() if isinstance(s, Access | Call) and self._in(s, start, end)]

    def _in(self, step: Step, start: int, end: int) -> bool:
        return step.span.path == self.path and start <= step.span.start and step.span.end <= end

    def only_reads(self, step: Access | Call) -> bool:
        """Whether a step does nothing but read."""
        if isinstance(step, Access):
            return step.op is Op.READ
        if step.mode is not Mode.DIRECT or step.target.kind is TargetKind.EXTERNAL or step.target.kind is TargetKind.PARAM:
            return step.mode is Mode.QUERY
        callee = self.program.callee(self.function, step)
        if callee is None or callee.key in self.program.outside:
            return False
        if any(remote.call.mode is not Mode.QUERY for remote in self.program.remotes.get(callee.key, ())):
            return False
        return all(effect.access.op is Op.READ for effect in self.program.effects_of(self.function, step))

    def idle(self, step: Access | Call) -> bool:
        """Whether a step does not reach the database, as far as is known."""
        if isinstance(step, Access) or step.mode is not Mode.DIRECT:
            return False
        callee = self.program.callee(self.function, step)
        return callee is None or not (self.program.effects_of(self.function, step) or self.program.remotes.get(callee.key))

    def may_fail(self, step: Access | Call) -> bool:
        """Whether a read may end in an error of its own, as far as the declared types hold: more than one row, a bad cursor, a helper."""
        if isinstance(step, Access):
            return step.verb in ("unique", "paginate") or step.table is None
        callee = self.program.callee(self.function, step)
        if step.mode is not Mode.DIRECT or callee is None or callee.key in self.program.throws or callee.key in self.program.outside:
            return True
        return any(effect.access.verb in ("unique", "paginate") for effect in self.program.effects_of(self.function, step))

    def covers(self, call: Node) -> bool:
        """Whether a call is a part of a read, or a call of a function that does nothing but read."""
        spines, ends = self.program.once(("places of reads", self.function.key, self.path), self._places)
        return call.end_byte <= spines.get(call.start_byte, -1) or ends.get(call.end_byte, call.start_byte + 1) <= call.start_byte

    def _places(self) -> tuple[dict[int, int], dict[int, int]]:
        """Of all that does nothing but read: how far what begins at a place reaches, and where what ends at a place begins."""
        spines: dict[int, int] = {}
        ends: dict[int, int] = {}
        for step in self.function.steps():
            if not isinstance(step, Access | Call) or step.span.path != self.path or not self.only_reads(step):
                continue
            start, end = step.span.start, step.span.end
            if isinstance(step, Access):
                start = min(start, step.chain.start)
                spines[start] = max(end, step.chain.end, spines.get(start, -1))
            ends[end] = min(start, ends.get(end, start))
        return spines, ends


def effects(file: Source, nodes: Iterable[Node], reads: Reads) -> Effects:
    """All that the nodes may do when they run. Functions that they define are taken to run as well."""
    found = Effects()
    bound: set[str] = set()
    for node in nodes:
        bound |= bound_names(node)
        for part in walk(node):
            _part(file, part, reads, found)
        _ways_out(node, found)
    found.assigns -= bound
    found.changes -= bound
    return found


def touched(file: Source, node: Node, reads: Reads, start: int = 0, end: int | None = None) -> set[str]:
    """The variables that code assigns or whose objects it changes, its own among them; only from byte `start` to byte `end` of the file."""
    found = Effects()
    for part in walk(node):
        if start <= part.start_byte and (end is None or part.end_byte <= end):
            _part(file, part, reads, found)
    return found.touched


def _part(file: Source, part: Node, reads: Reads, found: Effects) -> None:
    if part.type in ("assignment_expression", "augmented_assignment_expression"):
        _target(file, part.child_by_field_name("left"), found)
    elif part.type == "update_expression" or (part.type == "unary_expression" and part.children and part.children[0].type == "delete"):
        _target(file, part.child_by_field_name("argument"), found)
    elif part.type in ("for_in_statement",) and part.child_by_field_name("kind") is None:
        _target(file, part.child_by_field_name("left"), found)
    elif part.type == "call_expression":
        _call(file, part, reads, found)
    elif part.type == "new_expression":
        made = part.child_by_field_name("constructor")
        if made is None or file.text(made) not in PURE_CLASSES:
            _unknown(file, part, found)
    elif part.type in ("yield_expression", "tagged_template_expression"):
        found.runs.add(file.text(part))


def _target(file: Source, target: Node | None, found: Effects) -> None:
    if target is None:
        return
    if target.type == "identifier":
        found.assigns.add(file.text(target))
    elif target.type in ("member_expression", "subscript_expression", "non_null_expression", "parenthesized_expression"):
        found.changes.add(base(file, target))
    else:
        found.assigns |= {file.text(n) for n in walk(target) if n.type in NAMES}


def _call(file: Source, call: Node, reads: Reads, found: Effects) -> None:
    callee = call.child_by_field_name("function")
    if callee is None or reads.covers(call):
        return
    if callee.type == "member_expression":
        label = callee.child_by_field_name("property")
        holder = base(file, callee)
        if label is not None and (file.text(label) in PURE_METHODS or (holder in PURE_OBJECTS and _shallow(callee))):
            if holder == "Object" and file.text(label) in ("assign", "defineProperty", "freeze"):
                _unknown(file, call, found)
            return
        found.changes.add(holder)
        if label is None or file.text(label) not in KEEPING:
            _given(file, call, found)
        if holder in ("", "this"):
            found.runs.add(file.text(callee))
    elif callee.type == "identifier" and file.text(callee) in PURE_FUNCTIONS:
        return
    else:
        _unknown(file, call, found)


def _shallow(callee: Node) -> bool:
    held = callee.child_by_field_name("object")
    return held is not None and held.type == "identifier"


def _unknown(file: Source, call: Node, found: Effects) -> None:
    callee = call.child_by_field_name("function") or call.child_by_field_name("constructor")
    found.runs.add(file.text(callee) if callee is not None else "")
    _given(file, call, found)


def _given(file: Source, call: Node, found: Effects) -> None:
    """What is handed to a function may be changed by it."""
    given = call.child_by_field_name("arguments")
    for one in code(given) if given is not None else []:
        value = inner(one)
        if value.type in ("identifier", "member_expression", "subscript_expression"):
            found.changes.add(base(file, value))
        elif value.type in ("object", "array", "spread_element"):
            found.changes |= {file.text(n) for n in walk(value) if n.type in ("identifier", "shorthand_property_identifier")}


def base(file: Source, node: Node) -> str:
    """The variable that a path of members and calls begins with, empty where it is none."""
    while node.type in ("member_expression", "subscript_expression", "call_expression", "non_null_expression", "parenthesized_expression",
                        "as_expression", "await_expression"):  # fmt: skip
        held = node.child_by_field_name("object") or node.child_by_field_name("function") or (code(node)[0] if code(node) else None)
        if held is None:
            return ""
        node = held
    return file.text(node) if node.type in ("identifier", "this") else ""


def _ways_out(node: Node, found: Effects) -> None:
    """How code is left, and whether it waits; what leaves only a loop of its own does not count."""
    waiting = [(node, False)]
    while waiting:
        here, looped = waiting.pop()
        if here.type in FUNCTIONS:
            continue
        kind = LEAVING.get(here.type)
        if kind is not None and not (kind in ("break", "continue") and looped and here.child_by_field_name("label") is None):
            found.leaves.add(kind)
        if here.type == "await_expression" or (here.type == "for_in_statement" and any(c.type == "await" for c in here.children)):
            found.waits = True
        inside = looped or here.type in LOOPS or here.type == "switch_statement"
        waiting += [(child, inside) for child in here.named_children]


def asked_before(file: Source, values: Iterable[Node], between: Iterable[Node]) -> str:
    """A variable of some values that statements before them look at, and that may be the reason why the values can be worked out at all:
    `if (user === null) return null; ... user.name`. Empty where the values could stand before these statements as well.
    """
    needs = frozenset(name for value in values if _may_fail(file, value) for name in free(value))
    looked_at = needs & {name for statement in between for name in names(statement)}
    return min(looked_at, default="")


def _may_fail(file: Source, value: Node) -> bool:
    """Whether a value takes more than variables, constants and members of the arguments."""
    for part in walk(value):
        if part.type in ("subscript_expression", "non_null_expression", "await_expression"):
            return True
        called = part.child_by_field_name("function") if part.type == "call_expression" else None
        if called is not None and called.type == "identifier" and file.text(called) not in PURE_FUNCTIONS:
            return True
        held = part.child_by_field_name("object") if part.type == "member_expression" else None
        if held is not None and not (held.type == "identifier" and file.text(held) in (*PURE_OBJECTS, _arguments(part))):
            return True
    return False


def _arguments(node: Node) -> str:
    """What the function around calls its second parameter: the arguments of a registered function, which are always there."""
    function = node.parent
    found = ""
    while function is not None:
        given = function.child_by_field_name("parameters") if function.type in FUNCTIONS else None
        parameters = code(given) if given is not None else []
        if len(parameters) == 2:
            pattern = parameters[1].child_by_field_name("pattern") or parameters[1]
            found = pattern.text.decode() if pattern.text is not None and pattern.type == "identifier" else found
        function = function.parent
    return found


def free(node: Node) -> frozenset[str]:
    """The variables that a node uses and does not declare itself."""
    return names(node) - bound_names(node)


def declared(statement: Node) -> set[str]:
    """The variables that a statement declares for those that come after it."""
    found: set[str] = set()
    for part in own(statement):
        if part.type == "variable_declarator" and part.parent is not None:
            if part.parent == statement or part.parent.type == "variable_declaration":
                found |= _named(part.child_by_field_name("name"))
        elif part.type in ("function_declaration", "generator_function_declaration", "class_declaration", "enum_declaration"):
            found |= _named(part.child_by_field_name("name"))
    return found


def bindings(node: Node) -> list[frozenset[str]]:
    """The names that each pattern below a node binds."""
    patterns = [part.child_by_field_name(field) for part in walk(node) for kinds, field in BINDING if part.type in kinds]
    return [names(pattern) for pattern in patterns if pattern is not None]


def bound_names(node: Node) -> set[str]:
    """The variables that are declared in a node, by itself or by functions in it."""
    bound: set[str] = set()
    for part in walk(node):
        if part.type == "variable_declarator":
            bound |= _named(part.child_by_field_name("name"))
        elif part.type in FUNCTIONS:
            bound |= _named(part.child_by_field_name("parameters")) | _named(part.child_by_field_name("parameter"))
            bound |= _named(part.child_by_field_name("name")) if part.type.endswith("declaration") else set()
        elif part.type == "for_in_statement" and part.child_by_field_name("kind") is not None:
            bound |= _named(part.child_by_field_name("left"))
        elif part.type == "catch_clause":
            bound |= _named(part.child_by_field_name("parameter"))
        elif part.type in ("class_declaration", "enum_declaration"):
            bound |= _named(part.child_by_field_name("name"))
    return bound


def _named(pattern: Node | None) -> set[str]:
    if pattern is None:
        return set()
    return {n.text.decode() for n in walk(pattern) if n.type in NAMES and n.text is not None}
