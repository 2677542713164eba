"""What severity a finding has in the end, and the floor: what lies below it is counted, not shown."""

from __future__ import annotations

from collections.abc import Iterable

from querylint.construction import replace
from querylint.rule import Finding, Severity

SETTINGS = "the settings say so"


def weighed(finding: Finding, severity: Severity) -> Finding:
    """A finding with the severity that it has by the settings, and with a reason if that makes it a hint."""
    because = (finding.found.because or SETTINGS) if severity is Severity.INFO else ""
    if because != finding.found.because:
        return replace(finding, severity=severity, found=replace(finding.found, because=because))
    return finding if severity is finding.severity else replace(finding, severity=severity)


def visible(findings: Iterable[Finding], show: Severity) -> tuple[Finding, ...]:
    """The findings that are at least as severe as `show`."""
    return tuple(finding for finding in findings if finding.severity.rank >= show.rank)
