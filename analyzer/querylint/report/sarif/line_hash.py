"""GitHub's `primaryLocationLineHash`: what tells its alerts apart when lines move.

A line's hash is a polynomial over the hundred UTF-16 units from its start on, in 64 bits. Spaces and tabs do not count, every line end is a
line feed, and after the text come one unit of 65535 and then zeros. Lines with equal hashes are told apart by a count.
"""

from __future__ import annotations

from collections import Counter
from struct import unpack

WINDOW = 100
BASE = 37
BITS = (1 << 64) - 1
END_OF_TEXT = b"\xff\xff"
BLANKS = str.maketrans("", "", " \t")


def line_hashes(text: str) -> list[str]:
    """The `hash:count` of every line."""
    return [f"{_polynomial(window):x}:{count}" for window, count in _windows(text)]


def line_hashes_at(text: str, lines: set[int]) -> dict[int, str]:
    """The `hash:count` of some lines, by 1-based number; far quicker than of all."""
    return {number: f"{_polynomial(window):x}:{count}" for number, (window, count) in enumerate(_windows(text), 1) if number in lines}


def _windows(text: str) -> list[tuple[bytes, int]]:
    # Equal windows have equal hashes, so counting windows saves hashing the lines that nobody asks about.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").translate(BLANKS).split("\n")
    encoded = [line.encode("utf-16-le", "surrogatepass") for line in lines]
    units = "\n".encode("utf-16-le").join(encoded) + END_OF_TEXT + bytes(2 * WINDOW)
    seen: Counter[bytes] = Counter()
    windows = []
    start = 0
    for line in encoded:
        window = units[start : start + 2 * WINDOW]
        seen[window] += 1
        windows.append((window, seen[window]))
        start += len(line) + 2
    return windows


def _polynomial(window: bytes) -> int:
    value = 0
    for unit in unpack(f"<{WINDOW}H", window):
        value = (value * BASE + unit) & BITS
    return value
