"""Lines of a file as it has become, in the file as it was."""

from __future__ import annotations

from difflib import SequenceMatcher


def line_before(before: bytes, after: bytes, line: int) -> int:
    """The line, from 1, that stood where a line of the edited file stands now: itself, or that whose place it has taken."""
    old, new = before.split(b"\n"), after.split(b"\n")
    for _, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if start <= line - 1 < end:
            return min(first + (line - 1 - start), max(last - 1, first)) + 1
    return line
