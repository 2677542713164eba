"""What a comment beside the code gives as a reason: a cost that its author has thought of is a hint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from querylint.pattern import Pattern
from querylint.rule import Finding, Severity, lowered
from querylint.text import LineIndex

WRITES = Pattern(
    r"\bsignals?\b|\bone by one\b|\bone at a time\b|\bindividually\b|\b(?:needs?|has|have|must) (?:to )?call\b|"
    r"\b(?:no|not|without|instead of|rather than|n't)(?: use| using| do)?(?: an?)? ?bulk|"
    r"\bbulk_\w+\(?\)? (?:does|do|would|will|can|skips)\b",
    re.IGNORECASE,
)
READS = Pattern(r"\bperforms? worse\b|\b(?:is|be|was|were|are) (?:\w+ )?slower\b|\bdeliberate(?:ly)?\b|\bon purpose\b", re.IGNORECASE)
KNOWN = Pattern(rf"{READS.pattern}|\bperformance penalt|\brare (?:occurrence|case|event)|\bone by one\b|\bone at a time\b", re.IGNORECASE)
"""What is said of a read per item; a relation is loaded ahead by a word, however seldom the loop runs."""
UNDONE = Pattern(r"\b(?:TODO|FIXME|XXX|HACK)\b")
REASONS = {"loop-write": WRITES, "loop-read": KNOWN, "lazy-loop": READS, "map-read": KNOWN}
HEAD = Pattern(r"^\s*(?:if|elif|else|try|with)\b.*:\s*$")
NEAR = 12
"""How many lines above a place the loop around it may begin for its comment to speak of the place."""
ABOVE = 6


def reasoned(findings: Sequence[Finding], sources: Mapping[str, LineIndex]) -> tuple[Finding, ...]:
    """The findings, with warnings as hints where the comment of the place or of the loop around it says why things are as they are."""
    return tuple(
        lowered(f, "the comment there says why it is so") if _has_reason(f, sources.get(f.found.span.path)) else f for f in findings
    )


def _has_reason(finding: Finding, source: LineIndex | None) -> bool:
    words = REASONS.get(finding.pattern)
    if words is None or finding.severity is not Severity.WARNING or source is None:
        return False
    place = finding.found.span
    spoken = {
        place.line,
        *(p.span.line for p in finding.found.trail if p.span.path == place.path and 0 <= place.line - p.span.line <= NEAR),
    }
    comments = [comment for line in spoken for comment in _comments(source, line)]
    return any(words.search(comment) and not UNDONE.search(comment) for comment in comments)


def _comments(source: LineIndex, number: int) -> Iterator[str]:
    """The comment at the end of a line, and those on lines of their own right above it, or above the condition that it stands under."""
    for sign in (" # ", " // "):
        yield source.line(number).partition(sign)[2]
    first = number - 1
    if HEAD.match(source.line(first)):
        first -= 1
    above: list[str] = []
    for line in range(first, max(first - ABOVE, 0), -1):
        text = source.line(line).strip()
        if not text.startswith(("#", "//", "*", "/*")):
            break
        above.append(text.lstrip("#/* "))
    yield " ".join(reversed(above))
