"""Which statements of a template can have to do with rows: the others need not be walked.

A page is mostly text, links and translations. What names nothing that is known of is left out.
"""

from __future__ import annotations

from collections.abc import Callable

from querylint.frontends.flow.values import Val
from querylint.syntax import tree
from querylint.syntax.templates.page import BLOCK, INCLUDE, SUPER, BlockDef, Page

ALWAYS = frozenset((BLOCK, INCLUDE, SUPER))
BLOCKS = frozenset((BLOCK, SUPER))


class Relevance:
    """The names that statements use, gathered once for each."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[tree.Stmt, frozenset[str]]] = {}
        self._wholes: dict[int, tree.Block] = {}
        self._kept: dict[tuple[int, frozenset[str]], tuple[tree.Stmt, frozenset[str]]] = {}

    def whole(self, part: Page | BlockDef) -> tree.Block:
        """All that stands in a template or in a block of it, as one statement."""
        made = self._wholes.get(id(part))
        if made is None:
            body = part.body
            at, end = (part.at, part.end) if isinstance(part, BlockDef) else (body[0].at, body[-1].end) if body else (0, 0)
            made = self._wholes[id(part)] = tree.Block(body, at, end)
        return made

    def of(self, body: list[tree.Stmt], known: Callable[[str], bool]) -> list[tree.Stmt]:
        """The statements of a body that use something known; of choices, the arms that do. What they bind is known from there on."""
        bound: set[str] = set()
        return self._of(body, lambda name: name in bound or known(name), bound)

    def _of(self, body: list[tree.Stmt], known: Callable[[str], bool], bound: set[str]) -> list[tree.Stmt]:
        found: list[tree.Stmt] = []
        for statement in body:
            if isinstance(statement, tree.Let) and isinstance(statement.pattern, tree.NamePattern | tree.ArrayPattern):
                bound.update(this.id for this in tree.walk(statement.pattern) if isinstance(this, tree.NamePattern))
            elif not self._matters(statement, known):
                continue
            elif isinstance(statement, tree.If | tree.Block):
                statement = self._part(statement, known, bound)
            elif isinstance(statement, tree.Do) and isinstance(statement.value, tree.Assign):
                bound.update(this.id for this in tree.walk(statement.value.target) if isinstance(this, tree.NamePattern))
            found.append(statement)
        return found

    def blocks(self, statement: tree.Stmt) -> bool:
        """Whether a statement holds a block, or may: another template can have put something there."""
        return not self._used(statement).isdisjoint(BLOCKS)

    def _part(self, statement: tree.If | tree.Block, known: Callable[[str], bool], bound: set[str]) -> tree.Stmt:
        """What is left of a statement with parts: the same one whenever the same of its names are known."""
        names = frozenset(name for name in self._used(statement) if known(name))
        key = (id(statement), names)
        made = self._kept.get(key)
        if made is None:
            inner: set[str] = set()
            kept: tree.Stmt
            if isinstance(statement, tree.If):
                then, other = (self._of(arm, lambda n: n in inner or n in names, inner) for arm in (statement.then, statement.other))
                kept = tree.If(statement.test, then, other, statement.at, statement.end)
            else:
                kept = tree.Block(self._of(statement.body, lambda n: n in inner or n in names, inner), statement.at, statement.end)
            made = self._kept[key] = (kept, frozenset(inner))
        bound |= made[1]
        return made[0]

    def _matters(self, statement: tree.Stmt, known: Callable[[str], bool]) -> bool:
        if isinstance(statement, tree.Do) and isinstance(statement.value, tree.Literal):
            return False
        if isinstance(statement, tree.Let | tree.FnDef):
            return True
        if isinstance(statement, tree.Block) and any(isinstance(inner, tree.Let) for inner in statement.body):
            return True
        return any(name in ALWAYS or known(name) for name in self._used(statement))

    def _used(self, statement: tree.Stmt) -> frozenset[str]:
        found = self._names.get(id(statement))
        if found is None:
            names: set[str] = set()
            for this in tree.walk(statement):
                if isinstance(this, tree.Name):
                    names.add(this.id)
                elif isinstance(this, tree.Assign):
                    names.add(BLOCK)  # a variable gets another value: what follows depends on it
            found = self._names[id(statement)] = (statement, frozenset(names))
        return found[1]


def told(value: Val) -> bool:
    """Whether anything is known of a value that could lead to rows."""
    return value.shape is not None or value.doc_of is not None or bool(value.origins)
