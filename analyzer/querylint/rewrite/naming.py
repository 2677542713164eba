"""Names for what an edit adds, alike in all languages."""

from __future__ import annotations


def several(text: str) -> str:
    """A name for several of what a name stands for."""
    if text.endswith("y") and text[-2:-1] not in tuple("aeiou"):
        return f"{text[:-1]}ies"
    return f"{text}{'es' if text.endswith(('s', 'x', 'z', 'ch', 'sh')) else 's'}"
