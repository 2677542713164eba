"""GitLab's Code Quality report: what the widget of a merge request compares by fingerprint."""

from __future__ import annotations

import json

from querylint.report import Options
from querylint.report.json import Json
from querylint.report.order import at_least, by_place
from querylint.report.wording import advice, message
from querylint.result import Result
from querylint.rule import Finding, Severity

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "minor"}


def render(result: Result, options: Options) -> str:
    """The findings at or over the floor; an empty list when there is none, which GitLab needs to see what was mended."""
    issues = [_issue(finding, options.lead) for finding in by_place(at_least(result.findings, options.show))]
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"


def _issue(finding: Finding, lead: str) -> dict[str, Json]:
    span = finding.found.span
    return {
        "description": "; ".join([message(finding), *advice(finding.found)]),
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint or f"{finding.rule}:{span.path}:{span.line}:{span.column}",
        "severity": SEVERITIES[finding.severity],
        "location": {"path": lead + span.path, "lines": {"begin": span.line, "end": span.end_line}},
    }
