"""Files that a tool writes: what is found there is a hint, since nobody edits them by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from querylint.pattern import Pattern
from querylint.rule import Finding, Severity, lowered
from querylint.text import LineIndex

HEAD = 1000
SAYS_SO = Pattern(
    rb"@generated\b|\b(?:auto[- ]?)?generated\b[^\n]*\n?[^\n]*\bdo(?: not|n't) (?:edit|modify|change)|\bdo not edit\b[^\n]*\bgenerated\b",
    re.IGNORECASE,
)
COMMENT = Pattern(rb"\A(?:\s*(?://[^\n]*|#[^\n]*|/\*.*?\*/|\"\"\".*?\"\"\"))+", re.DOTALL)


def hushed(findings: Sequence[Finding], sources: Mapping[str, LineIndex]) -> tuple[tuple[Finding, ...], list[str]]:
    """The findings with warnings in generated files as hints, and the paths of those files. What fails when it runs stays an error."""
    made = {path for path in {f.found.span.path for f in findings} if path in sources and generated(sources[path].source)}
    quiet = tuple(
        lowered(f, "a tool writes this file") if f.found.span.path in made and f.severity is Severity.WARNING else f for f in findings
    )
    return quiet, sorted(made)


def generated(source: bytes) -> bool:
    """Whether the comment at the head of a file says that a tool wrote it."""
    head = COMMENT.match(source[:HEAD].removeprefix(b"\xef\xbb\xbf"))
    return head is not None and SAYS_SO.search(head[0]) is not None
