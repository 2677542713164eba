"""Where a function opens a transaction: `with transaction.atomic():`, `async with session.begin():`, `@transaction.atomic`."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.syntax import tree
from querylint.syntax.questions import callee_name, names_of

OPENING = frozenset(("atomic", "begin", "begin_nested"))
MARKS = (b"atomic", b".begin(", b".begin_nested(")


def opens_any(source: bytes) -> bool:
    """Whether a module may open a transaction by itself, from its text."""
    return any(mark in source for mark in MARKS)


def transactions(fn: tree.Fn) -> Iterator[tuple[int, int]]:
    """The parts of a function that one transaction is open in, from and to: all of it by a decorator, or the bodies of `with`."""
    for decorator in fn.decorators:
        if "atomic" in names_of(decorator):
            yield fn.at, fn.end
    for block in tree.find(fn.body, tree.Block):
        if any(_opens(statement) for statement in _heads(block)):
            yield block.at, block.end


def _heads(block: tree.Block) -> Iterator[tree.Do]:
    """What a `with` begins with: its context expressions stand before the statements of its body."""
    for statement in block.body:
        if not isinstance(statement, tree.Do) or statement.end > block.end:
            return
        yield statement


def _opens(statement: tree.Do) -> bool:
    made: tree.Expr = statement.value
    if isinstance(made, tree.Assign):
        made = made.value
    if isinstance(made, tree.Await):
        made = made.value
    return isinstance(made, tree.Call) and isinstance(made.func, tree.Member | tree.Name) and callee_name(made) in OPENING
