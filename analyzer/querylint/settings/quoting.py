"""Words of a settings file as messages repeat them: on one line, and never longer than a reader takes in."""

from __future__ import annotations

MOST = 60
"""Characters of a name or a value that a message repeats."""


def brief(text: str, most: int = MOST) -> str:
    """The text with what does not print written as escapes, cut off by an ellipsis after so many characters."""
    written = [char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text[: most + 1]]
    if sum(map(len, written)) <= most:
        return "".join(written)
    while sum(map(len, written)) >= most:
        written.pop()
    return f"{''.join(written)}…"
