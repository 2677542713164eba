# long: one node alone says nothing; the tree is read as one list
"""A plain tree of code, the same for every language.

It keeps what the flow of data and control needs and drops the rest: types survive as the text of an annotation, casts
and parentheses vanish, comments are gone. Every node carries the byte offsets `at` and `end` of its source. Nothing here
knows a database.

Nodes are mutable slotted classes for the speed of building them; after parsing nobody changes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from enum import Enum
from operator import attrgetter
from typing import Any, TypeVar, Union

from querylint.construction import dataclass


class Missing(Enum):
    """The literal `undefined`, which is no value of Python's."""

    UNDEFINED = "undefined"

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Missing.UNDEFINED
HOLE = "\x1a"
"""What stands in a text for a part that the program pastes in while it runs."""
Scalar = Union[str, int, float, bool, None, Missing]


@dataclass(slots=True)
class Name:
    """A variable; `this` and `self` are names too."""

    id: str
    at: int
    end: int


@dataclass(slots=True)
class Literal:
    """A constant written down: text, number, truth value, null or undefined. A template with no holes is text."""

    value: Scalar
    at: int
    end: int


@dataclass(slots=True)
class Template:
    """Text with holes; the parts between them are Literals."""

    parts: list[Expr]
    at: int
    end: int


@dataclass(slots=True)
class Member:
    """`base.name`, also `base?.name` and `base["name"]`. `at` to `end` covers the whole; `name_at` is where the name starts."""

    base: Expr
    name: str
    at: int
    end: int
    name_at: int
    optional: bool = False


@dataclass(slots=True)
class Index:
    """`base[key]` with a key that is not a string literal (a number literal stays a key)."""

    base: Expr
    key: Expr
    at: int
    end: int


@dataclass(slots=True)
class Slice:
    """The key of `base[start:stop:step]`."""

    start: Expr | None
    stop: Expr | None
    step: Expr | None
    at: int
    end: int


@dataclass(slots=True)
class Spread:
    """`...value` in a call, an array or a record (`*value`, `**value`)."""

    value: Expr
    at: int
    end: int


@dataclass(slots=True)
class Call:
    """A call; `new` for constructors. `types` is the text between the angle brackets.

    `keywords` serves languages that have them; a record that is spread into them stands under `**`.
    """

    func: Expr
    args: list[Expr]
    at: int
    end: int
    new: bool = False
    optional: bool = False
    types: str = ""
    keywords: list[tuple[str, Expr]] = field(default_factory=list)


@dataclass(slots=True)
class Fn:
    """A function, method, arrow or lambda. An arrow with an expression body is a body of one Return with `implicit` set."""

    name: str
    params: list[Param]
    body: list[Stmt]
    at: int
    end: int
    is_async: bool = False
    generator: bool = False
    returns: str = ""
    static: bool = False
    kind: str = ""  # "", "get", "set", "constructor"
    decorators: list[Expr] = field(default_factory=list)


@dataclass(slots=True)
class Param:
    """One parameter: a pattern, the text of its type, its default. `rest` for `...args`; `stars` is 1 for `*args`, 2 for `**kwargs`.

    `named` says that it is given by keyword only.
    """

    pattern: Pattern
    type: str = ""
    default: Expr | None = None
    rest: bool = False
    optional: bool = False
    stars: int = 0
    named: bool = False


@dataclass(slots=True)
class Record:
    """`{a: 1, b, ...c, [k]: v, m() {}}`. A key is text, an Expr where computed, None for a spread (whose value is the expression)."""

    entries: list[tuple[str | Expr | None, Expr]]
    at: int
    end: int


@dataclass(slots=True)
class Array:
    """`[a, b, ...c]`; a hole is an undefined Literal."""

    items: list[Expr]
    at: int
    end: int


@dataclass(slots=True)
class Op:
    """An operator over its operands in order, by its own sign: `+ - * / === !== < ! typeof in instanceof ++ --` and so on."""

    sign: str
    operands: list[Expr]
    at: int
    end: int


@dataclass(slots=True)
class Logic:
    """`left && right`, `left || right`, `left ?? right`: the right side may not run."""

    sign: str
    left: Expr
    right: Expr
    at: int
    end: int


@dataclass(slots=True)
class Ternary:
    """`test ? then : other`."""

    test: Expr
    then: Expr
    other: Expr
    at: int
    end: int


@dataclass(slots=True)
class Await:
    """`await value`."""

    value: Expr
    at: int
    end: int


@dataclass(slots=True)
class Yield:
    """`yield value` or `yield* value`."""

    value: Expr | None
    at: int
    end: int


@dataclass(slots=True)
class Assign:
    """`target = value`, or with an operator: `+=`, `??=` and so on. `++` and `--` are Assign with a Literal 1 and `+=` or `-=`."""

    target: Pattern
    value: Expr
    sign: str
    at: int
    end: int


@dataclass(slots=True)
class Typed:
    """A cast that says something: `value as Id<"posts">`, `<T>value`, `value satisfies T`. A cast to `any`, `const` and `!` vanish."""

    value: Expr
    type: str
    at: int
    end: int


@dataclass(slots=True)
class Element:
    """A JSX element or fragment: a call of `tag` (None for fragments) with attributes (key None for a spread) and children."""

    tag: Expr | None
    attributes: list[tuple[str | None, Expr]]
    children: list[Expr]
    at: int
    end: int


@dataclass(slots=True)
class Comprehension:
    """Python's `[element for target in over if test]`; `kind` is list, set, dict or generator, `key` serves dicts."""

    kind: str
    element: Expr
    key: Expr | None
    clauses: list[tuple[Pattern, Expr, list[Expr], bool]]
    at: int
    end: int


@dataclass(slots=True)
class Opaque:
    """Something that is not understood; its parts are still walked."""

    parts: list[Expr]
    at: int
    end: int
    broken: bool = False


Expr = Union[
    Name, Literal, Template, Member, Index, Slice, Spread, Call, Fn, Record, Array, Op, Logic, Ternary, Await, Yield, Assign, Typed,
    Element, Comprehension, Opaque, "ClassDef",
]  # fmt: skip


@dataclass(slots=True)
class NamePattern:
    """A variable being bound."""

    id: str
    at: int
    end: int
    type: str = ""


@dataclass(slots=True)
class RecordPattern:
    """`{ a, b: c, d = 1, ...rest }`: field, pattern, default. `rest` is the name that takes what is left."""

    fields: list[tuple[str, Pattern, Expr | None]]
    rest: str | None
    at: int
    end: int
    type: str = ""


@dataclass(slots=True)
class ArrayPattern:
    """`[a, , b = 1, ...rest]`: None is a hole; a rest pattern is last, with `rest` set."""

    items: list[tuple[Pattern, Expr | None] | None]
    rest: Pattern | None
    at: int
    end: int
    type: str = ""


Pattern = Union[NamePattern, RecordPattern, ArrayPattern, Member, Index]


@dataclass(slots=True)
class Do:
    """An expression as a statement."""

    value: Expr
    at: int
    end: int


@dataclass(slots=True)
class Let:
    """`const`, `let` or `var` with one declarator; a declaration of several becomes several. `value` is None when there is none."""

    pattern: Pattern
    value: Expr | None
    at: int
    end: int


@dataclass(slots=True)
class If:
    """`if` with both arms; an `else if` is an If alone in `other`."""

    test: Expr
    then: list[Stmt]
    other: list[Stmt]
    at: int
    end: int


class LoopForm(Enum):
    """How a loop statement runs."""

    OF = "of"
    IN = "in"
    AWAIT_OF = "await of"
    COUNT = "count"
    WHILE = "while"
    DO = "do"


@dataclass(slots=True)
class For:
    """Any loop statement.

    OF, IN and AWAIT_OF use `pattern` and `over`; COUNT (`for (init; test; update)`) uses `init`, `test`, `update`; WHILE and DO
    use `test`. `head_end` is the byte where the body starts; `other` runs after the last round (`else` in Python). `kept` says that
    what its rounds make is kept for whoever asks next, for a minute or longer.
    """

    form: LoopForm
    body: list[Stmt]
    at: int
    end: int
    head_end: int
    pattern: Pattern | None = None
    over: Expr | None = None
    init: list[Stmt] = field(default_factory=list)
    test: Expr | None = None
    update: Expr | None = None
    other: list[Stmt] = field(default_factory=list)
    kept: bool = False
    assigns: frozenset[str] | None = field(default=None, compare=False)  # the names that its rounds assign, once somebody has looked


@dataclass(slots=True)
class Return:
    """`return value`; `implicit` for the expression body of an arrow."""

    value: Expr | None
    at: int
    end: int
    implicit: bool = False


@dataclass(slots=True)
class Throw:
    """`throw value` (`raise`)."""

    value: Expr | None
    at: int
    end: int


@dataclass(slots=True)
class Break:
    """`break`, with its label or an empty one."""

    at: int
    end: int
    label: str = ""


@dataclass(slots=True)
class Continue:
    """`continue`."""

    at: int
    end: int
    label: str = ""


@dataclass(slots=True)
class Try:
    """`try` with its handler and finalizer, either of which may be empty; `handled` says that a catch clause is there."""

    body: list[Stmt]
    param: Pattern | None
    handler: list[Stmt]
    final: list[Stmt]
    handled: bool
    at: int
    end: int


@dataclass(slots=True)
class Switch:
    """`switch`; the default case has no test. Falling through is read as ending each case."""

    subject: Expr
    cases: list[tuple[Expr | None, list[Stmt]]]
    at: int
    end: int


@dataclass(slots=True)
class Block:
    """Braces on their own, a labelled statement, Python's `with` body (whose context expressions come first as Let or Do)."""

    body: list[Stmt]
    at: int
    end: int


@dataclass(slots=True)
class FnDef:
    """A function declaration."""

    fn: Fn
    at: int
    end: int


@dataclass(slots=True)
class ClassDef:
    """A class: its base as an expression, its methods, and its fields with their initial values and types.

    A parameter property (`constructor(private ctx: Ctx)`) is also a field, with no value. Languages with several bases list the others
    in `more`; `inner` are the classes declared in its body.
    """

    name: str
    base: Expr | None
    methods: list[Fn]
    fields: list[tuple[str, str, Expr | None]]
    at: int
    end: int
    decorators: list[Expr] = field(default_factory=list)
    more: list[Expr] = field(default_factory=list)
    inner: list[ClassDef] = field(default_factory=list)


@dataclass(slots=True)
class Import:
    """One imported name: `local` is bound to `name` of `source`; name is `default`, `*` for a namespace, or the exported name."""

    local: str
    source: str
    name: str
    at: int
    type_only: bool = False


@dataclass(slots=True)
class Imports:
    """Imports that run where they stand, inside a function."""

    items: list[Import]
    at: int
    end: int


Stmt = Union[Do, Let, If, For, Return, Throw, Break, Continue, Try, Switch, Block, FnDef, ClassDef, Imports]


@dataclass(slots=True)
class Export:
    """One exported name.

    `local` is the variable in this file that `name` exposes; with `source` it re-exports: `name` from `local` of that
    module, or everything when both are `*`. `export default expr` binds the expression to the local name `default`.
    """

    name: str
    local: str
    source: str | None
    at: int


@dataclass(slots=True)
class Module:
    """One source file: imports, exports, and its top-level statements in order (declarations without their `export`).

    `broken` holds the byte ranges that did not parse; code in and around them is less certain. `unread` is the offset behind which nothing
    was read, as the rest took too long; None where all was.
    """

    path: str
    imports: list[Import]
    exports: list[Export]
    body: list[Stmt]
    broken: list[tuple[int, int]] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)  # type aliases and interfaces by name, as text
    unread: int | None = None


_PARTS: dict[type, Callable[[object], tuple[object, ...]] | None] = {}


def walk(root: object) -> Iterator[object]:
    """Every node of a piece of code, nested functions included, and the lists and texts that nodes hold; the last part comes first."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, list | tuple):
            stack.extend(node)
            continue
        kind = type(node)
        parts = _PARTS[kind] if kind in _PARTS else _parts(kind)
        if parts is not None:
            stack.extend(parts(node))


N = TypeVar("N")


def find(root: object, *kinds: type[N]) -> list[N]:
    """The nodes of some kinds in a piece of code, in the order of `walk`."""
    found: list[N] = []
    stack = [root]
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is str:
            continue
        if kind is list or kind is tuple:
            stack.extend(node)  # type: ignore[arg-type]
            continue
        if kind in kinds:
            found.append(node)  # type: ignore[arg-type]
        parts = _NODES[kind] if kind in _NODES else _parts(kind, _NODES, _PLAIN)
        if parts is not None:
            stack.extend(parts(node))
    return found


_NODES: dict[type, Callable[[object], tuple[object, ...]] | None] = {}
_PLAIN = frozenset(("int", "str", "bool", "str | None", "int | None", "Scalar", "LoopForm", "list[tuple[int, int]]", "dict[str, str]"))
"""The types of what holds no nodes, as they are written."""


def _parts(
    kind: type, known: dict[type, Callable[[object], tuple[object, ...]] | None] = _PARTS, passed: frozenset[str] = frozenset()
) -> Callable[[object], tuple[object, ...]] | None:
    """What nodes of a kind hold, but for what is of a type that is passed over; None for what is no node."""
    types = getattr(kind, "__annotations__", {})
    named = getattr(kind, "__slots__", ())
    slots = [slot for slot in named if slot not in ("at", "end", "assigns") and types.get(slot) not in passed]
    made = None
    if slots and not issubclass(kind, str):
        get: Callable[[object], Any] = attrgetter(*slots)
        made = get if len(slots) > 1 else lambda node: (get(node),)
    known[kind] = made
    return made
