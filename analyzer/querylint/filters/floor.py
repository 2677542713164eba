"""The floor of severity: what lies below it is counted, not shown."""

from __future__ import annotations

from collections.abc import Iterable

from querylint.rule import Finding, Severity


def visible(findings: Iterable[Finding], show: Severity) -> tuple[Finding, ...]:
    """The findings that are at least as severe as `show`."""
    return tuple(finding for finding in findings if finding.severity.rank >= show.rank)
