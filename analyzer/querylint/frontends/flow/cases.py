"""Which parts of a function its parameters alone decide, and what a call writes down of them."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.frontends.flow.scope import Var
from querylint.ir import NOT_LITERAL, Case, Handed, Origin, Root, Test
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.flow.state import State

EQUALS = {"===": True, "==": True, "!==": False, "!=": False}
MOST_WAYS = 8
Way = tuple[Test, ...]
OPEN: list[Way] = [()]
"""Nothing is known of when this is so."""
EMPTY = ()
"""What stands for an object without fields that takes the place of an argument: there it is, and nothing in it."""
Known = tuple[Origin, object]
"""A parameter, or a part of one, and the constant that stands for it where it is not given."""


@dataclass(slots=True)
class Decided:
    """What the walk over one function has seen of its parameters.

    `given` are the variables that stand for one, or for a part of one; `meant` the conditions that variables hold; `changed` the names that
    are assigned anywhere; `cases` what only runs in some ways, by its place.
    """

    given: dict[Var, Known] = field(default_factory=dict)
    meant: dict[Var, tree.Expr] = field(default_factory=dict)
    changed: frozenset[str] | None = None
    cases: dict[tuple[int, int], Case] = field(default_factory=dict)


def entitle(m: State, pattern: tree.Pattern, known: Known | None) -> None:
    """The names of a pattern stand for parameters, or parts of them, and for nothing else."""
    if known is None or m.language.function_scoped:
        return
    origin, default = known
    if isinstance(pattern, tree.NamePattern):
        var = m.scope.names.get(pattern.id)
        if var is not None:
            m.decided.given[var] = known
    elif isinstance(pattern, tree.RecordPattern) and default in (NOT_LITERAL, EMPTY):
        for name, inner, standing in pattern.fields:
            value = standing.value if isinstance(standing, tree.Literal) else NOT_LITERAL
            if standing is None or value is not NOT_LITERAL:
                entitle(m, inner, (origin.at(name), value))


def parameter(m: State, number: int, param: tree.Param) -> None:
    """The names of a parameter of the function that is walked."""
    if m.inner or param.rest:
        return
    here = Origin(Root.PARAM, m.around + number)
    if param.default is None:
        entitle(m, param.pattern, (here, NOT_LITERAL))
    elif isinstance(param.default, tree.Literal):
        entitle(m, param.pattern, (here, param.default.value))
    elif isinstance(param.default, tree.Record) and not param.default.entries:
        entitle(m, param.pattern, (here, EMPTY))


def known(m: State, node: tree.Expr) -> Known | None:
    """The parameter, or the part of one, that an expression is, whatever happens."""
    while isinstance(node, tree.Typed):
        node = node.value
    if isinstance(node, tree.Name):
        var = m.scope.find(node.id)
        found = m.decided.given.get(var) if var is not None else None
        return found if found is not None and node.id not in _changed(m) else None
    if isinstance(node, tree.Member):
        base = known(m, node.base)
        return (base[0].at(node.name), NOT_LITERAL) if base is not None and base[1] in (NOT_LITERAL, EMPTY) else None
    if isinstance(node, tree.Logic) and node.sign == "??" and isinstance(node.right, tree.Literal):
        base = known(m, node.left)
        return (base[0], node.right.value) if base is not None and base[1] is NOT_LITERAL else None
    return None


def _changed(m: State) -> frozenset[str]:
    """The names that are assigned anywhere in the function, or whose fields are."""
    if m.decided.changed is None:
        found: set[str] = set()
        for fn in m.calling[:1]:
            for this in tree.find(fn.body, tree.Assign) if isinstance(fn, tree.Fn) else ():
                target: object = this.target
                while isinstance(target, tree.Member | tree.Index):
                    target = target.base
                if isinstance(target, tree.NamePattern | tree.Name):
                    found.add(target.id)
        m.decided.changed = frozenset(found)
    return m.decided.changed


def ways(m: State, node: tree.Expr, *, holds: bool) -> list[Way]:
    """In which ways a condition can hold, or fail: each a list of tests of parameters that must all come out so."""
    while isinstance(node, tree.Typed):
        node = node.value
    if isinstance(node, tree.Op) and node.sign == "!" and len(node.operands) == 1:
        return ways(m, node.operands[0], holds=not holds)
    if isinstance(node, tree.Logic) and node.sign in ("&&", "||"):
        left, right = ways(m, node.left, holds=holds), ways(m, node.right, holds=holds)
        both = [(*a, *b) for a in left for b in right] if (node.sign == "&&") is holds else [*left, *right]
        return both if len(both) <= MOST_WAYS else OPEN
    if isinstance(node, tree.Op) and node.sign in EQUALS and len(node.operands) == 2:
        return _compared(m, node, holds=holds is EQUALS[node.sign])
    here = known(m, node)
    if here is not None:
        return [(Test(here[0], NOT_LITERAL, holds, here[1]),)]
    meant = meaning(m, node.id) if isinstance(node, tree.Name) else None
    if meant is None or not isinstance(node, tree.Name) or node.id in _changed(m):
        return OPEN
    return ways(m, meant, holds=holds)


def _compared(m: State, node: tree.Op, *, holds: bool) -> list[Way]:
    for this, other in (node.operands, reversed(node.operands)):
        here = known(m, this)
        if here is None or not isinstance(other, tree.Literal):
            continue
        if other.value in (None, tree.UNDEFINED) and len(node.sign) == 2:  # `== null` is true of both
            both = [Test(here[0], value, holds, here[1]) for value in (None, tree.UNDEFINED)]
            return [(test,) for test in both] if holds else [tuple(both)]
        return [(Test(here[0], other.value, holds, here[1]),)]
    return OPEN


def missing(m: State, node: tree.Expr) -> list[Way]:
    """In which ways a value is null or undefined."""
    here = known(m, node)
    return [(Test(here[0], value, True, here[1]),) for value in (None, tree.UNDEFINED)] if here is not None else OPEN


def mean(m: State, pattern: tree.Pattern, value: tree.Expr) -> None:
    """A variable that says in a word what a condition says: `const portfolio = scope === "all"`, or holds a date: `new Date(row.at)`."""
    var = m.scope.names.get(pattern.id) if isinstance(pattern, tree.NamePattern) else None
    if var is not None and isinstance(value, tree.Op | tree.Logic | tree.Call) and not m.language.function_scoped:
        m.decided.meant[var] = value


def meaning(m: State, name: str) -> tree.Expr | None:
    """What a variable was made of, if it says a condition or holds a date."""
    var = m.scope.find(name)
    return m.decided.meant.get(var) if var is not None else None


def is_moved(m: State, name: str) -> bool:
    """Whether the function changes a variable, or the date in it (`day.setHours(0)`)."""
    return any(_moves(fn, name) for fn in m.calling if isinstance(fn, tree.Fn))


def _moves(fn: tree.Fn, name: str) -> bool:
    """Whether a function assigns a variable, or sets a part of the date in it."""
    called = (call.func for call in tree.find(fn.body, tree.Call))
    set_in = [func.base for func in called if isinstance(func, tree.Member) and func.name.startswith("set")]
    given = [assign.target for assign in tree.find(fn.body, tree.Assign)]
    return any(isinstance(place, tree.NamePattern | tree.Name) and place.id == name for place in (*set_in, *given))


def note(m: State, body: tree.Expr | list[tree.Stmt], when: list[Way]) -> None:
    """Code that runs only in one of these ways."""
    if not body or m.language.function_scoped or not all(when):
        return
    at, end = (body[0].at, body[-1].end) if isinstance(body, list) else (body.at, body.end)
    m.decided.cases[at, end] = Case(m.span(at, end), tuple(when))


def note_if(m: State, node: tree.If | tree.Ternary) -> None:
    """Either side of a choice."""
    if not m.language.function_scoped:
        note(m, node.then, ways(m, node.test, holds=True))
        note(m, node.other, ways(m, node.test, holds=False))


def note_rest(m: State, node: tree.Stmt, rest: list[tree.Stmt]) -> None:
    """What stands behind a choice that is left: it runs only where that was not taken."""
    if isinstance(node, tree.If) and node.then and not node.other and _leaves(node.then[-1]) and not m.language.function_scoped:
        note(m, rest, ways(m, node.test, holds=False))


def note_logic(m: State, node: tree.Logic) -> None:
    """The right side of `&&`, `||` and `??`."""
    if not m.language.function_scoped:
        note(m, node.right, missing(m, node.left) if node.sign == "??" else ways(m, node.left, holds=node.sign == "&&"))


def matched(m: State, node: tree.Switch, test: tree.Expr) -> list[Way]:
    """In which ways a case of a choice is reached: one that others may fall through to is not looked into."""
    at = next(n for n, (here, _) in enumerate(node.cases) if here is test)
    before = node.cases[at - 1][1] if at else []
    falls = at > 0 and not (before and _leaves(before[-1]))
    here = known(m, node.subject)
    return [(Test(here[0], test.value, True, here[1]),)] if here is not None and isinstance(test, tree.Literal) and not falls else OPEN


def _leaves(last: tree.Stmt) -> bool:
    if isinstance(last, tree.Block) and last.body:
        last = last.body[-1]
    return isinstance(last, tree.Return | tree.Throw | tree.Continue | tree.Break)


def handed(m: State, node: tree.Expr, count: int) -> tuple[Handed, ...] | None:
    """What the source says of each of `count` arguments of a call; None where it cannot be told which is which."""
    if not isinstance(node, tree.Call) or m.language.function_scoped:
        return None
    nodes: list[tree.Expr] = node.args
    behind = len(nodes) - count  # what stands before the arguments proper: the delay of a scheduled call
    if behind not in (0, 1) or node.keywords or any(isinstance(n, tree.Spread) for n in nodes):
        return None
    return tuple(_handed(m, n) for n in nodes[behind:])


def _handed(m: State, node: tree.Expr) -> Handed:
    constants: list[tuple[tuple[str, ...], object]] = []
    passed: list[tuple[tuple[str, ...], Origin]] = []
    lengths: list[tuple[tuple[str, ...], int]] = []
    for path, part in ((), node), *(((key,), inner) for key, inner in _entries(node)):
        here = known(m, part)
        if isinstance(part, tree.Literal):
            constants.append((path, part.value))
        elif here is not None and here[1] is NOT_LITERAL:
            passed.append((path, here[0]))
        elif isinstance(part, tree.Array) and not any(isinstance(item, tree.Spread) for item in part.items):
            lengths.append((path, len(part.items)))
        elif isinstance(part, tree.Name) and (most := m.evaluate(part).most) is not None:
            lengths.append((path, most))
    return Handed(tuple(constants), tuple(passed), _fields(node), tuple(lengths))


def _entries(node: tree.Expr) -> list[tuple[str, tree.Expr]]:
    """The fields of an object that are sure to hold what is written beside them."""
    if not isinstance(node, tree.Record) or any(key is None for key, _ in node.entries):
        return []
    return [(key, value) for key, value in node.entries if isinstance(key, str)]


def _fields(node: tree.Expr) -> tuple[str, ...] | None:
    """The fields that an object may have, where it is written out; a text in its place says that nothing is asked."""
    while isinstance(node, tree.Typed | tree.Spread):
        node = node.value
    if isinstance(node, tree.Literal):
        return ()
    if isinstance(node, tree.Logic) and node.sign == "&&":
        return _fields(node.right)
    parts: list[tuple[str, ...] | None] = []
    if isinstance(node, tree.Ternary):
        parts = [_fields(node.then), _fields(node.other)]
    elif isinstance(node, tree.Record):
        for key, value in node.entries:
            parts.append((key,) if isinstance(key, str) else _fields(value) if key is None else None)
    else:
        return None
    return tuple(dict.fromkeys(name for part in parts if part is not None for name in part)) if None not in parts else None
