"""Markdown of rule pages as plain text, for terminals and for readers that render nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.report.paint import Paint

CODE_INDENT = "    "
PLAIN = Paint(False)
BOLD = re.compile(r"\*\*([^*`]+)\*\*")
LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")


def plain(markdown: str, paint: Paint = PLAIN) -> str:
    """The same words without the signs of Markdown; code stands indented."""
    return "\n".join(_lines(markdown, paint))


def shortened(text: str, most: int) -> str:
    """At most so many characters, cut between words."""
    return text if len(text) <= most else f"{text[:most].rsplit(None, 1)[0][: most - 1]}…"


def _lines(markdown: str, paint: Paint) -> Iterator[str]:
    fenced = False
    for line in markdown.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            yield f"{CODE_INDENT}{line}".rstrip()
        elif line.startswith("#"):
            yield paint.strong(line.lstrip("#").strip())
        else:
            yield BOLD.sub(r"\1", LINK.sub(r"\1 (\2)", line))
