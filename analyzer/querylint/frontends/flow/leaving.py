"""How code is left before its end, and what it may have changed until then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.ir import NOT_LITERAL
from querylint.syntax import tree

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
