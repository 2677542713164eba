"""The door of the room: bytes in, a Module out."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from querylint.syntax.tree import Module, Stmt
from querylint.syntax.typescript.grammar import grammar_for
from querylint.syntax.typescript.lowering import Grammar, Lowering
from querylint.syntax.typescript.repair import repaired

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree


# The lines that a merge leaves behind; `<<<<<<<` opens so many type parameters that nothing around it would parse.
CONFLICT = re.compile(rb"^(?:<{7}|\|{7}|={7}|>{7})(?: [^\r\n]*)?(?=\r?$)", re.MULTILINE)


SHORT = 50_000
"""Bytes that are read, however long they take: a twentieth of a second as a rule, one where nothing but noise stands."""

PIECE = 16_384
SECONDS = 1.0
ENDING = 2.0
"""What the end of what was begun may take besides: noise in the middle of a text can keep the parser for a minute."""

OFTEN = 16
"""Of so many questions of the parser whether to stop, one looks at the clock."""

SECONDS_A_BYTE = 1e-6
"""What a longer file may take of the processor: three times what code takes. What hardly parses takes more than ten times that."""


def syntax_tree(parser: Parser, source: bytes) -> tuple[Tree, int | None]:
    """The tree of a file, and where its end was cut off, if it was: what hardly parses is not read to its end."""
    if len(source) <= SHORT:
        return parser.parse(source), None
    end = time.process_time() + SECONDS + SECONDS_A_BYTE * len(source)
    last = end + ENDING
    cut: int | None = None
    furthest = asked = 0

    def piece(at: int, _: object) -> bytes:
        nonlocal cut, furthest
        if cut is None and furthest >= SHORT and time.process_time() > end:
            cut = furthest
        found = source[at : min(at + PIECE, len(source) if cut is None else cut)]
        furthest = max(furthest, at + len(found))
        return found

    def late(*_: object) -> bool:
        nonlocal asked
        asked += 1  # the parser asks thousands of times for a long file, and the clock takes its time to tell
        return asked % OFTEN == 0 and time.process_time() > last

    try:
        return parser.parse(piece, progress_callback=late), cut
    except ValueError:  # what was begun is not to be ended in time: nothing of the file can be told
        parser.reset()
        return parser.parse(b""), 0
    except BaseException:  # of whoever interrupts the run: the parser would go on with this file when it is given the next
        parser.reset()
        raise


def parse_module(path: str, source: bytes) -> Module:
    """One source file as a plain tree; the suffix of its path picks the dialect. Never fails: see `Module.broken`."""
    grammar = grammar_for(path)
    marks = [found.span() for found in CONFLICT.finditer(source)] if b"<<<<<<< " in source else []
    readable = CONFLICT.sub(lambda found: b" " * len(found[0]), source) if marks else source
    parsed, unread = syntax_tree(grammar.parser, readable)
    root = parsed.root_node
    if root.has_error and unread is None:
        root = _read_again(path, grammar, readable, root)
    low = Lowering(source, grammar)
    body: list[Stmt] = []
    low.stmt(root, 0, body)
    return Module(path, low.imports, low.exports, body, sorted(marks + _broken(root)), low.types, unread)


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
    return found


def _read_again(path: str, grammar: Grammar, source: bytes, root: Node) -> Node:
    """The tree of a file with its sound code written as the grammar can read it, as far as more of it parses then."""
    broken = _broken_bytes(root)
    for write in repaired(path, source):
        written = write(source)
        if broken and written != source:
            other, unread = syntax_tree(grammar.parser, written)
            left = _broken_bytes(other.root_node)
            if unread is None and left < broken:
                source, root, broken = written, other.root_node, left
    return root


def _broken_bytes(root: Node) -> int:
    """How much did not parse, a missing token counting as a byte."""
    return sum(max(1, end - start) for start, end in _broken(root))
