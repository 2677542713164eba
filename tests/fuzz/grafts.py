"""Sources that parse, and mean what nobody meant: an expression or a statement stands where another one stood."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random

from tree_sitter import Language, Node, Parser
from tree_sitter_typescript import language_tsx

MOST_SOUGHT = 8
EXPRESSIONS = frozenset(
    ("identifier", "object", "array", "arrow_function", "function_expression", "string", "template_string", "number", "true", "null")
)
"""Kinds of nodes that are expressions, besides those that are named so."""

SHAPES = {
    "python expression": (
        b"{'a': %b}", b"{**%b}", b"[%b]", b"[x for x in %b]", b"lambda: %b", b"lambda self: %b", b"%b == self", b"not %b", b"%b or {}",
        b"(%b)[0]", b"(%b).a", b"(%b)()", b"sorted(%b)", b"dict(a=%b)", b"{%b}", b"f'{%b}'", b"await %b", b"%b if x else None",
    ),
    "typescript expression": (
        b"{ a: %b }", b"{ ...%b }", b"[%b]", b"[...%b]", b"() => %b", b"async (x) => %b", b"(%b) === { a: 1 }", b"!%b", b"%b ?? {}",
        b"(%b)[0]", b"(%b)?.a", b"(%b)()", b"new Map(%b)", b"Object.keys(%b)", b"Promise.all(%b)", b"`${%b}`", b"await %b",
        b"(%b) ? 1 : null",
    ),
}  # fmt: skip
"""What is made of an expression, so that values of all kinds come to places of all kinds."""

Stretch = tuple[int, int]


def grafted(text: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    """Some grafts within a file; now and then from another one of its language."""
    for _ in range(random.choice((1, 2, 4, 8, 16))):
        kinds = parts(text)
        if not kinds:
            return text
        kind = random.choice(sorted(kinds))
        donor = text if random.random() < 0.8 else _other(text, random, seeds, kind)
        start, end = random.choice(kinds[kind])
        first, last = random.choice(parts(donor)[kind])
        graft = donor[first:last]
        if kind in SHAPES and random.random() < 0.3:
            graft = random.choice(SHAPES[kind]) % graft
        if kind.endswith("expression") and not graft.isalnum():
            graft = b"(" + graft + b")"
        text = text[:start] + graft + text[end:]
    return text


def _other(text: bytes, random: Random, seeds: Sequence[bytes], kind: str) -> bytes:
    """A seed that has something of a kind; the text itself where none is soon found."""
    for _ in range(MOST_SOUGHT):
        seed = random.choice(seeds)
        if kind in parts(seed):
            return seed
    return text


@lru_cache(maxsize=512)
def parts(text: bytes) -> dict[str, tuple[Stretch, ...]]:
    """Where a source has what may be grafted, by language and kind; empty for a source that is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _of_typescript(text)
    found = tuple(_of_python(tree, text))
    return {"python expression": found} if found else {}


def _of_python(tree: ast.Module, text: bytes) -> Iterator[Stretch]:
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            continue  # CPython 3.11 has no places for what is inside
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.expr) and not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del) and node.end_lineno is not None:
            assert node.end_col_offset is not None
            yield lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset


def _of_typescript(text: bytes) -> dict[str, tuple[Stretch, ...]]:
    tree = Parser(Language(language_tsx())).parse(text)
    found: dict[str, list[Stretch]] = {}
    waiting: list[Node] = [tree.root_node]
    while waiting:
        node = waiting.pop()
        waiting.extend(node.named_children)
        kind = node.type
        if kind.endswith("_expression") or kind in EXPRESSIONS:
            found.setdefault("typescript expression", []).append((node.start_byte, node.end_byte))
        elif kind.endswith(("_statement", "_declaration")) and not kind.startswith("import"):
            found.setdefault("typescript statement", []).append((node.start_byte, node.end_byte))
    return {kind: tuple(stretches) for kind, stretches in found.items()} if not tree.root_node.has_error else {}
