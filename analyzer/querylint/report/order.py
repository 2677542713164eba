"""Which finding comes first: by place, or by what it costs."""

from __future__ import annotations

from collections.abc import Iterable

from querylint.result import Note
from querylint.rule import Confidence, Finding, Severity

SEVERITY_BASE = {Severity.ERROR: 70.0, Severity.WARNING: 40.0, Severity.INFO: 10.0}

PATTERN_WEIGHT = {
    "unknown-index": 10,
    "scan-filter": 9,
    "loop-read": 8,
    "lazy-loop": 8,
    "missing-index": 8,
    "unbounded": 7,
    "mem-filter": 7,
    "loop-rpc": 6,
    "map-read": 6,
    "waterfall": 5,
    "loop-write": 4,
    "repeat-read": 4,
    "overfetch": 3,
    "index-redundant": 2,
    "index-unused": 2,
}
USUAL_WEIGHT = 5
"""The weight of a pattern that the table does not know."""

PlaceKey = tuple[str, int, int, str, str]


def rank(finding: Finding) -> float:
    """How much a finding deserves to be read first, from 0 to 100: its severity, then how fast its pattern grows, then how sure it is."""
    sure = 5.0 if finding.found.confidence is Confidence.SURE else 0.0
    return SEVERITY_BASE[finding.severity] + 2.5 * PATTERN_WEIGHT.get(finding.pattern, USUAL_WEIGHT) + sure


def at_least(findings: Iterable[Finding], show: Severity) -> list[Finding]:
    """Those that are no less severe."""
    return [finding for finding in findings if finding.severity.rank >= show.rank]


def by_place(findings: Iterable[Finding]) -> list[Finding]:
    """In the order of the source."""
    return sorted(findings, key=_place)


def by_cost(findings: Iterable[Finding]) -> list[Finding]:
    """The dearest first."""
    return sorted(findings, key=lambda finding: (-finding.severity.rank, -rank(finding), _place(finding)))


def notes_by_place(notes: Iterable[Note]) -> list[Note]:
    """Those about the whole run first, then in the order of the source."""
    return sorted(notes, key=lambda note: (note.path, note.line, note.kind.value, note.message))


def _place(finding: Finding) -> PlaceKey:
    span = finding.found.span
    return span.path, span.line, span.column, finding.rule, finding.found.message
