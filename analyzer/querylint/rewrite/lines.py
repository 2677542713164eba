"""Lines of a file as it has become, in the file as it was."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache


def line_before(before: bytes, after: bytes, line: int) -> int:
    """The line, from 1, that stood where a line of the edited file stands now: itself, or that whose place it has taken."""
    for first, last, start, end in _stretches(before, after):
        if start <= line - 1 < end:
            return min(first + (line - 1 - start), max(last - 1, first)) + 1
    return line


@lru_cache(maxsize=64)
def _stretches(before: bytes, after: bytes) -> list[tuple[int, int, int, int]]:
    """Which lines have become which, from 0: where a stretch was, and where it is. Many findings of a file ask the same."""
    old, new = before.split(b"\n"), after.split(b"\n")
    return [(first, last, start, end) for _, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()]
