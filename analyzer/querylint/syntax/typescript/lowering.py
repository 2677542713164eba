"""One file on its way from tree-sitter to the plain tree: its text, what was found so far, and who reads which kind of node.

Readers of expressions and of statements call one another through the tables held here, so their modules need not know
each other. `depth` counts the nodes of the plain tree above; what lies deeper than DEEPEST is not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tree_sitter import Language, Parser

from querylint.syntax.tree import Do, Export, Expr, Import, Opaque, Stmt

if TYPE_CHECKING:
    from tree_sitter import Node

# Real code stays below 50; every level costs up to six frames of Python, and its readers have to walk the result too.
DEEPEST = 100
# The number that tree-sitter gives to the kind of what did not parse, in every grammar.
ERROR = 65535
# What holds expressions or statements but is neither, where it has lost what it belongs to.
HOLDERS = frozenset(
    ("arguments", "catch_clause", "class_body", "else_clause", "finally_clause", "pair", "switch_body", "switch_case", "switch_default",
     "variable_declarator")
)  # fmt: skip

ReadExpr = Callable[["Lowering", "Node", int], Expr]
ReadStmt = Callable[["Lowering", "Node", int, list[Stmt]], None]


class Fields:
    """The numbers of the fields that are asked for all the time; asking by name costs twice as much."""

    def __init__(self, language: Language) -> None:
        def number(name: str) -> int:
            found = language.field_id_for_name(name)
            assert found is not None, name
            return found

        self.arguments = number("arguments")
        self.body = number("body")
        self.index = number("index")
        self.key = number("key")
        self.left = number("left")
        self.name = number("name")
        self.operator = number("operator")
        self.parameters = number("parameters")
        self.pattern = number("pattern")
        self.property = number("property")
        self.return_type = number("return_type")
        self.right = number("right")
        self.type = number("type")
        self.value = number("value")


class Grammar:
    """One dialect: its parser, the readers by the number of a kind, and the numbers that the hot readers compare with."""

    def __init__(self, language: Language, expressions: dict[str, ReadExpr], statements: dict[str, ReadStmt]) -> None:
        def number(kind: str) -> int:
            found = language.id_for_node_kind(kind, True)
            assert found is not None, kind
            return found

        kinds = [(kind, at) for at in range(language.node_kind_count) if (kind := language.node_kind_for_id(at)) is not None]
        named = [(kind, at) for kind, at in kinds if language.node_kind_is_named(at)]
        self.parser = Parser(language)
        self.expressions = {at: expressions[kind] for kind, at in named if kind in expressions}
        self.statements = {at: statements[kind] for kind, at in named if kind in statements} | {ERROR: statements["ERROR"]}
        self.fields = Fields(language)
        self.comments = frozenset((number("comment"), number("html_comment")))
        self.member = number("member_expression")
        self.call = number("call_expression")
        self.subscript = number("subscript_expression")
        self.non_null = number("non_null_expression")
        self.parenthesized = number("parenthesized_expression")
        self.binary = number("binary_expression")
        self.string = number("string")
        self.block = number("statement_block")


class Lowering:
    """One file being lowered."""

    __slots__ = ("exports", "expressions", "fields", "grammar", "imports", "letters", "source", "statements", "types")

    def __init__(self, source: bytes, grammar: Grammar) -> None:
        self.source = source
        # One character a byte: offsets stay right, and a slice that is ASCII needs no decoding.
        self.letters = source.decode("latin-1")
        self.grammar = grammar
        self.fields = grammar.fields
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

    def arguments(self, node: Node, depth: int) -> list[Expr]:
        """The arguments of a call, which mostly are none or one."""
        count = node.child_count
        if count == 2:
            return []
        only = node.child(1) if count == 3 else None
        return self.exprs(node.named_children if only is None else [only], depth)

    def exprs(self, nodes: list[Node], depth: int) -> list[Expr]:
        """The expressions among the children of a node."""
        comments = self.grammar.comments
        found: list[Expr] = []
        for child in nodes:
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
        # Asking for the first child costs a third of asking for all, and it nearly always is the one.
        first = node.named_child(0) if node.named_child_count else None
        if first is None or ((kind := first.kind_id) != ERROR and kind not in comments):
            return first
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
