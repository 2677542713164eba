"""What authors say beside their loops."""

from __future__ import annotations

import re

from querylint.text import LineIndex

KNOWN_COST = re.compile(
    r"\bperforman(?:ce|t)|\bexpensive|\bslow(?:er|ly)?\b|\brare(?:ly)?\b|\bone[ -]by[ -]one\b|\bone at a time\b|\bindividually\b|"
    r"\bdeliberate(?:ly)?\b|\bintentional(?:ly)?\b|\bon purpose\b",
    re.IGNORECASE,
)
TO_BE_MENDED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|optimi[sz]e|improve", re.IGNORECASE)
HEAD = re.compile(r"^\s*(?:if|elif|else|try|with)\b.*:\s*$")
MOST_LINES = 6


def deliberate(lines: LineIndex, at: int) -> bool:
    """Whether the comment above a piece of code, or above the condition that it stands under, says that its cost is known and meant.

    One that asks for a better way says the opposite.
    """
    number, _ = lines.position(at)
    above = number - 1
    if HEAD.match(lines.line(above)):
        above -= 1
    words: list[str] = []
    while len(words) < MOST_LINES and lines.line(above).lstrip().startswith("#"):
        words.append(lines.line(above))
        above -= 1
    text = "\n".join(words)
    return KNOWN_COST.search(text) is not None and TO_BE_MENDED.search(text) is None
