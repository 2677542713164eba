"""Whether something written into a file would be a comment there, or part of a text."""

from __future__ import annotations

from querylint.syntax.typescript.grammar import grammar_for
from querylint.syntax.typescript.parse import syntax_tree


def comment_at(path: str, source: bytes, start: int, end: int) -> bool:
    """Whether a comment lies within these bytes and begins where they begin."""
    tree, _ = syntax_tree(grammar_for(path).parser, source)
    node = tree.root_node.descendant_for_byte_range(start, end)
    return node is not None and node.type == "comment" and node.start_byte == start
