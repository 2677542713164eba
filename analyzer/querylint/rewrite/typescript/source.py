"""One file as its author wrote it: the whole syntax tree, with comments and parentheses, and edits of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from querylint.rewrite import Sources
from querylint.rewrite.file import File
from querylint.syntax.typescript.grammar import grammar_for
from querylint.syntax.typescript.parse import syntax_tree
from querylint.text import Span

if TYPE_CHECKING:
    from tree_sitter import Node

FUNCTIONS = frozenset(
    ("arrow_function", "function_expression", "function_declaration", "method_definition", "generator_function",
     "generator_function_declaration")
)  # fmt: skip
LOOPS = frozenset(("for_statement", "for_in_statement", "while_statement", "do_statement"))
BLOCKS = frozenset(("statement_block", "program", "switch_case", "switch_default"))
MOST_DEEP = 1000
NARROW, WIDE = 80, 100
FEW_LINES, PART = 40, 50
"""Fewer lines than the first say nothing of how long their author lets a line become; one line in so many may be longer."""

_LONG_TEXT = re.compile(rb"([\"'`])(?:(?!\1).){20,}\1")
_STEP = re.compile(rb"^(\t| {2,8})[^\s*]", re.MULTILINE)
_CALL_WITH_COMMA = re.compile(rb",[ \t]*\r?\n[ \t]*\)")
_CALL_WITHOUT = re.compile(rb"[^,(\s][ \t]*\r?\n[ \t]*\)[;,.)]")
_LIST_WITH_COMMA = re.compile(rb",[ \t]*\r?\n[ \t]*[\]}]")
_LIST_WITHOUT = re.compile(rb"[^,;{\[\s][ \t]*\r?\n[ \t]*(?:\]|\}[),])")
NAMES = frozenset(("identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"))


class Source(File):
    """A parsed file."""

    @cached_property
    def root(self) -> Node | None:
        """The tree of the file; None where it takes so long to parse that its end was cut off."""
        tree, unread = syntax_tree(grammar_for(self.path).parser, self.data)
        return tree.root_node if unread is None else None

    @property
    def typed(self) -> bool:
        """Whether a type checker reads the file."""
        return self.path.endswith((".ts", ".tsx", ".mts", ".cts"))

    @cached_property
    def width(self) -> int:
        """How many columns a call may take: as many as the other lines of the file keep to."""
        lines = self.data.split(b"\n")
        told = [line for line in lines if not line.lstrip().startswith((b"//", b"*", b"/*", b"import"))]
        longer = sum(len(_LONG_TEXT.sub(b"", line)) > NARROW for line in told if len(line) > NARROW)
        return NARROW if len(lines) > FEW_LINES and longer * PART <= len(lines) else WIDE

    @cached_property
    def step(self) -> str:
        """One step of indentation, as the first line has it that is indented."""
        found = _STEP.search(self.data)
        return found[1].decode() if found is not None else "  "

    @cached_property
    def call_comma(self) -> str:
        """The comma behind the last argument of a call over several lines, empty where the file has none there."""
        return "," if _CALL_WITH_COMMA.search(self.data) or not _CALL_WITHOUT.search(self.data) else ""

    @cached_property
    def list_comma(self) -> str:
        """The comma behind the last item of a list over several lines, empty where the file has none there."""
        return "," if _LIST_WITH_COMMA.search(self.data) or not _LIST_WITHOUT.search(self.data) else ""

    def text(self, node: Node) -> str:
        """The source of a node."""
        return self.between(node.start_byte, node.end_byte)

    def between(self, start: int, end: int) -> str:
        """The source between two byte offsets, its line ends as `\\n`."""
        return self.data[start:end].decode("utf-8", "surrogateescape").replace("\r\n", "\n")

    def at(self, start: int, end: int) -> Node | None:
        """The smallest node that covers a stretch; None where what is around it did not parse in time or is nested too deeply."""
        if self.root is None or self._deep(self.root, start):
            return None
        node = self.root.named_descendant_for_byte_range(start, end)
        around = node
        while around is not None and around.type not in BLOCKS:
            around = around.parent
        return None if node is None or node.is_error or (around is not None and _broken(around)) else node

    def _deep(self, root: Node, place: int) -> bool:
        """Whether so much stands around a place that to go up from it, each step of which begins at the root, would take too long."""
        cursor = root.walk()
        return all(cursor.goto_first_child_for_byte(place) is not None for _ in range(MOST_DEEP))

    def unit(self, inner: Node) -> str:
        """One step of indentation, as seen between a statement and what holds it."""
        own = self.indent(inner.start_byte)
        if own.startswith("\t"):
            return "\t"
        outer = self.indent(inner.parent.start_byte) if inner.parent is not None else ""
        return own[len(outer) :] or "  "

    def line_start(self, offset: int) -> int:
        """Where the line of an offset begins, if only white space comes before it; else the offset."""
        begin = self.data.rfind(b"\n", 0, offset) + 1
        return begin if not self.data[begin:offset].strip(b" \t") else offset

    def line_end(self, offset: int) -> int:
        """Where the next line begins, if only white space comes before that; else the offset."""
        end = self.data.find(b"\n", offset)
        end = len(self.data) if end < 0 else end + 1
        return end if not self.data[offset:end].strip() else offset


def source(sources: Sources, path: str) -> Source | None:
    """The parsed file of a path."""
    known = sources.parsed.get(path)
    if known is None:
        data = sources.read(path)
        if data is None:
            return None
        known = sources.parsed[path] = Source(path, data)
    assert isinstance(known, Source)
    return known


def located(sources: Sources, span: Span) -> tuple[Source, Node] | None:
    """The node of a place, with its file."""
    file = source(sources, span.path)
    node = file.at(span.start, span.end) if file is not None else None
    return (file, node) if file is not None and node is not None else None


def _broken(node: Node) -> bool:
    return any(child.is_error or child.is_missing for child in node.children)


def walk(node: Node, enter: Callable[[Node], bool] = lambda _: True) -> Iterator[Node]:
    """A node and all below it in the order of the source; below what `enter` refuses nothing is looked at."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        if enter(here):
            waiting.extend(reversed(here.named_children))


def own(node: Node) -> Iterator[Node]:
    """What runs when the node runs: it and all below it, but not the inside of functions."""
    return walk(node, lambda n: n.type not in FUNCTIONS)


def around(node: Node, *kinds: str) -> Node | None:
    """The nearest node of a kind that holds the node."""
    up = node.parent
    while up is not None and up.type not in kinds:
        up = up.parent
    return up


def statement(node: Node) -> Node | None:
    """The statement of a block that a node belongs to, without leaving its function."""
    here: Node | None = node
    while here is not None and here.parent is not None:
        if here.parent.type in BLOCKS:
            return here
        if here.type in FUNCTIONS:
            return None
        here = here.parent
    return None


def inner(node: Node) -> Node:
    """An expression without parentheses, casts and `!` around it."""
    while node.type in ("parenthesized_expression", "non_null_expression", "as_expression", "satisfies_expression"):
        child = next((c for c in node.named_children if c.type != "comment"), None)
        if child is None:
            break
        node = child
    return node


def outer(node: Node) -> Node:
    """An expression with the parentheses and `!` around it."""
    while node.parent is not None and node.parent.type in ("parenthesized_expression", "non_null_expression"):
        node = node.parent
    return node


def code(node: Node) -> list[Node]:
    """The named children of a node that are no comments."""
    return [child for child in node.named_children if child.type != "comment"]


def declarators(within: Node, name: Node) -> list[Node]:
    """The declarations below a node of variables that bear a name."""
    found = ((n, n.child_by_field_name("name")) for n in walk(within) if n.type == "variable_declarator")
    return [n for n, held in found if held is not None and held.text == name.text]


def names(node: Node) -> frozenset[str]:
    """Every variable that is named below a node, bound or used."""
    return frozenset(n.text.decode() for n in walk(node) if n.type in NAMES and n.text is not None)
