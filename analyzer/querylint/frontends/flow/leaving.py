"""How code is left before its end, and what it may have changed until then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.ir import NOT_LITERAL
from querylint.syntax import tree

ORDERS = frozenset(("<", "<=", ">", ">="))
GROWING = frozenset(("push", "unshift", "add", "set", "append", "extend", "update", "setdefault", "insert"))


def assigned(node: object, names: set[str]) -> None:
    """Names that are assigned or grown anywhere in a piece of code, nested functions included."""
    for change in tree.find(node, tree.Assign):
        if isinstance(change.target, tree.NamePattern):
            names.add(change.target.id)
    for call in tree.find(node, tree.Call):
        func = call.func
        if isinstance(func, tree.Member) and func.name in GROWING and isinstance(func.base, tree.Name):
            names.add(func.base.id)


def leaves_early(body: list[tree.Stmt]) -> bool:
    """Whether a loop body may end the loop before its last item; inner loops and functions have their own."""
    stack: list[object] = list(body)
    while stack:
        this = stack.pop()
        if isinstance(this, tree.Break | tree.Return | tree.Throw):
            return True
        if isinstance(this, tree.If):
            stack.extend((*this.then, *this.other))
        elif isinstance(this, tree.Block | tree.Try):
            stack.extend(this.body)
        elif isinstance(this, tree.Switch):
            stack.extend(s for _, case in this.cases for s in case if isinstance(s, tree.Return | tree.Throw))
        elif isinstance(this, tree.For):
            stack.extend(s for s in this.body if isinstance(s, tree.Return | tree.Throw))
    return False


def ends(body: list[tree.Stmt], rows: set[str]) -> list[bool]:
    """For each place at which a loop ends early, whether some of its `rows` (the names of one, or of its parts) must pass tests before.

    An error over a row is no such end, one over their number is. A loop that counts all of its rounds ends after so many, and one that
    compares the order of its rows ends where that says so.
    """
    return list(_ends(body, set(rows), body, passed=False))


def _ends(body: list[tree.Stmt], rows: set[str], whole: list[tree.Stmt], *, passed: bool) -> Iterator[bool]:
    """For each place that ends the loop, whether rows must have passed tests for that; `passed` says that they have before."""
    ordered: set[str] = set()
    beyond = False
    for statement in body:
        if isinstance(statement, tree.Let) and statement.value is not None and _names(statement.value) & rows:
            held = {pattern.id for pattern in tree.find(statement.pattern, tree.NamePattern)}
            rows |= held
            ordered |= held if _compares_order(statement.value, rows) else set()
        elif isinstance(statement, tree.Break | tree.Return):
            yield passed and not beyond
        elif isinstance(statement, tree.If):
            yield from _ends_of_if(statement, rows, ordered, whole, passed=passed)
            if _skips(statement.then) and _names(statement.test) & rows:
                passed = True
                beyond = beyond or _compares_order(statement.test, rows) or bool(_names(statement.test) & ordered)
        elif isinstance(statement, tree.Block | tree.Try):
            yield from _ends(statement.body, rows, whole, passed=passed)
        elif isinstance(statement, tree.Switch):
            for _, case in statement.cases:
                left: list[tree.Stmt] = [s for s in case if isinstance(s, tree.Return)]
                yield from _ends(left, rows, whole, passed=passed or bool(_names(statement.subject) & rows))


def _ends_of_if(node: tree.If, rows: set[str], ordered: set[str], whole: list[tree.Stmt], *, passed: bool) -> Iterator[bool]:
    """`ordered` are the variables that hold how a row compares with something by its order."""
    asked = _names(node.test)
    hidden = isinstance(node.test, tree.Call) and isinstance(node.test.func, tree.Name)  # how it compares is said elsewhere
    for block in (node.then, node.other):
        if asked & rows:
            bounded = _compares_order(node.test, rows) or bool(asked & ordered)
            broken = hidden and any(isinstance(s, tree.Break) for s in block)
            yield from (False if bounded or broken else end for end in _ends(block, rows, whole, passed=True))
        elif any(isinstance(s, tree.Break | tree.Return | tree.Throw) for s in block):
            yield passed or _counted_behind_tests(asked, whole, rows)
        else:
            yield from _ends(block, rows, whole, passed=passed)


def _compares_order(node: tree.Expr, rows: set[str]) -> bool:
    return any(op.sign in ORDERS and _names(op) & rows for op in tree.find(node, tree.Op))


def _counted_behind_tests(names: set[str], body: list[tree.Stmt], rows: set[str]) -> bool:
    """Whether what the rounds change of some variables is changed only where a row has passed a test."""
    mine: set[str] = set()
    for statement in body:
        assigned(statement.test if isinstance(statement, tree.If) else statement, mine)
        if isinstance(statement, tree.If) and not _names(statement.test) & rows:
            assigned(statement, mine)
        elif isinstance(statement, tree.If):
            then, other = set[str](), set[str]()
            assigned(statement.then, then)
            assigned(statement.other, other)
            mine |= names if names & then and names & other else set()  # one of them in each round
        if isinstance(statement, tree.If) and _skips(statement.then) and _names(statement.test) & rows:
            break
    changed: set[str] = set()
    assigned(body, changed)
    return bool(names & changed) and not names & mine


def _skips(body: list[tree.Stmt]) -> bool:
    return bool(body) and isinstance(body[-1], tree.Continue)


def _names(node: tree.Expr) -> set[str]:
    return {name.id for name in tree.find(node, tree.Name)}


def breaks_off(body: list[tree.Stmt]) -> bool:
    """Whether a round may break the loop off."""
    return any(isinstance(s, tree.Break) or (not isinstance(s, tree.For) and any(map(breaks_off, _blocks(s)))) for s in body)


def _blocks(statement: tree.Stmt) -> Iterator[list[tree.Stmt]]:
    """The blocks of a statement that is no loop."""
    if isinstance(statement, tree.If):
        yield from (statement.then, statement.other)
    elif isinstance(statement, tree.Try):
        yield from (statement.body, statement.handler, statement.final)
    elif isinstance(statement, tree.Block):
        yield statement.body
    elif isinstance(statement, tree.Switch):
        yield from (body for _, body in statement.cases)


def unsettle(m: State, body: Iterable[tree.Stmt]) -> None:
    """These statements were left somewhere: the constants that they give to variables may not have been given, or others before them."""
    targets = [change.target for statement in body for change in tree.find(statement, tree.Assign)]
    declared = [change.pattern for statement in body for change in tree.find(statement, tree.Let)]
    for name in dict.fromkeys(pattern.id for target in (*targets, *declared) for pattern in tree.find(target, tree.NamePattern)):
        var = m.scope.find(name)
        if var is not None and var in m.store:
            m.store[var] = replace(m.store[var], literal=NOT_LITERAL)
