"""The door of the room: bytes in, a Module out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.syntax.tree import Module, Stmt
from querylint.syntax.typescript.grammar import grammar_for
from querylint.syntax.typescript.lowering import Lowering

if TYPE_CHECKING:
    from tree_sitter import Node


def parse_module(path: str, source: bytes) -> Module:
    """One source file as a plain tree; the suffix of its path picks the dialect. Never fails: see `Module.broken`."""
    grammar = grammar_for(path)
    root = grammar.parser.parse(source).root_node
    low = Lowering(source, grammar)
    body: list[Stmt] = []
    low.stmt(root, 0, body)
    return Module(path, low.imports, low.exports, body, _broken(root), low.types)


def _broken(root: Node) -> list[tuple[int, int]]:
    """The byte ranges of what did not parse; a token that is missing has an empty one."""
    found: list[tuple[int, int]] = []
    waiting = [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            found.append((node.start_byte, node.end_byte))
        else:
            waiting += [child for child in node.children if child.has_error]
    return sorted(found)
