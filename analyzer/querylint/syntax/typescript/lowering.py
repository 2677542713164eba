"""One file on its way from tree-sitter to the plain tree: its text, what was found so far, and who reads which kind of node.

Readers of expressions and of statements call one another through the tables held here, so their modules need not know
each other. `depth` counts the nodes of the plain tree above; what lies deeper than DEEPEST is not read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querylint.syntax.tree import Do, Export, Expr, Import, Opaque, Stmt

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

# Real code stays below 50; every level costs up to six frames of Python, and its readers have to walk the result too.
DEEPEST = 100
ERROR = 65535
# What holds expressions or statements but is neither, where it has lost what it belongs to.
HOLDERS = frozenset(
    ("arguments", "catch_clause", "class_body", "else_clause", "finally_clause", "pair", "switch_body", "switch_case", "switch_default",
     "variable_declarator")
)  # fmt: skip

ReadExpr = Callable[["Lowering", "Node", int], Expr]
ReadStmt = Callable[["Lowering", "Node", int, list[Stmt]], None]


@dataclass(slots=True)
class Grammar:
    """One dialect: its parser, the readers by the number of a kind, and the numbers that the hot readers compare with."""

    parser: Parser
    expressions: dict[int, ReadExpr]
    statements: dict[int, ReadStmt]
    comments: frozenset[int]
    identifier: int
    member: int
    call: int
    subscript: int
    non_null: int
    parenthesized: int
    binary: int
    string: int
    block: int
    property: int
    arguments: int
    index: int
    operator: int
    right: int


class Lowering:
    """One file being lowered."""

    __slots__ = ("exports", "expressions", "grammar", "imports", "letters", "source", "statements", "types")

    def __init__(self, source: bytes, grammar: Grammar) -> None:
        self.source = source
        # One character a byte: offsets stay right, and a slice that is ASCII needs no decoding.
        self.letters = source.decode("latin-1")
        self.grammar = grammar
        self.expressions = grammar.expressions
        self.statements = grammar.statements
        self.imports: list[Import] = []
        self.exports: list[Export] = []
        self.types: dict[str, str] = {}

    def text(self, at: int, end: int) -> str:
        """The source between two byte offsets."""
        letters = self.letters[at:end]
        return letters if letters.isascii() else self.source[at:end].decode("utf-8", "replace")

    def of(self, node: Node) -> str:
        """The source of a node."""
        return self.text(node.start_byte, node.end_byte)

    def line(self, at: int, end: int) -> str:
        """The source between two byte offsets, on one line: how types are kept."""
        return " ".join(self.text(at, end).split())

    def annotation(self, node: Node | None) -> str:
        """The text of a type after its colon."""
        return "" if node is None else self.line(node.start_byte + 1, node.end_byte)

    def expr(self, node: Node, depth: int) -> Expr:
        """Any expression."""
        if depth > DEEPEST:
            return Opaque([], node.start_byte, node.end_byte)
        return self.expressions.get(node.kind_id, opaque)(self, node, depth)

    def exprs(self, node: Node, depth: int) -> list[Expr]:
        """The expressions between the brackets of a node."""
        comments = self.grammar.comments
        found: list[Expr] = []
        for child in node.named_children:
            kind = child.kind_id
            if kind in comments:
                continue
            if kind == ERROR:
                found += scraps(self, child, depth)
            else:
                found.append(self.expr(child, depth))
        return found

    def inner(self, node: Node) -> Node | None:
        """The one expression that a node wraps."""
        comments = self.grammar.comments
        for child in node.named_children:
            kind = child.kind_id
            if kind != ERROR and kind not in comments:
                return child
        return None

    def inside(self, node: Node, depth: int) -> Expr:
        """The one expression that a node wraps, lowered."""
        child = self.inner(node)
        return opaque(self, node, depth) if child is None else self.expr(child, depth)

    def body(self, node: Node | None, depth: int) -> list[Stmt]:
        """The statements of a block, or a lone statement as a list."""
        found: list[Stmt] = []
        if node is None:
            return found
        if node.kind_id == self.grammar.block:
            for child in node.named_children:
                self.stmt(child, depth, found)
        else:
            self.stmt(node, depth, found)
        return found

    def stmt(self, node: Node, depth: int, found: list[Stmt]) -> None:
        """Any statement, added to those found; declarations of types add none, a declaration of several adds several."""
        read = self.statements.get(node.kind_id)
        if read is None:
            return
        if depth > DEEPEST:
            at, end = node.start_byte, node.end_byte
            found.append(Do(Opaque([], at, end), at, end))
        else:
            read(self, node, depth, found)


def opaque(low: Lowering, node: Node, depth: int) -> Expr:
    """What has no reader of its own: nothing but its parts."""
    return Opaque(scraps(low, node, depth), node.start_byte, node.end_byte, node.is_error)


def scraps(low: Lowering, node: Node, depth: int) -> list[Expr]:
    """The expressions among the children of a node that is not understood."""
    found: list[Expr] = []
    if depth > DEEPEST:
        return found
    for child in node.named_children:
        if child.kind_id in low.expressions:
            found.append(low.expr(child, depth + 1))
        elif child.kind_id == ERROR or child.type in HOLDERS:
            found += scraps(low, child, depth + 1)
    return found
