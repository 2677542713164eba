"""SonarQube's generic issues (10.3 and later); columns are 0-based and count UTF-16 units.

Its import of SARIF files every issue under security, which these are not.
"""

from __future__ import annotations

import json

from querylint.report import Options
from querylint.report.columns import utf16_column
from querylint.report.json import Json
from querylint.report.order import at_least, by_place
from querylint.report.prose import plain
from querylint.report.wording import advice, message, rules_of
from querylint.result import Result
from querylint.rule import Finding, Severity
from querylint.text import LineIndex, Span

ENGINE = "querylint"
IMPACTS = {Severity.ERROR: "HIGH", Severity.WARNING: "MEDIUM", Severity.INFO: "LOW"}


def render(result: Result, options: Options) -> str:
    """The findings at or over the floor, and the rules that they are of."""
    findings = by_place(at_least(result.findings, options.show))
    pages = rules_of(result)
    worst: dict[str, Severity] = {}
    for finding in findings:
        worst[finding.rule] = max(worst.get(finding.rule, finding.severity), finding.severity, key=lambda severity: severity.rank)
    rules: list[Json] = []
    for name, severity in sorted(worst.items()):
        page = pages.get(name)
        rules.append({
            "id": name,
            "name": page.summary if page else name.replace("-", " ").capitalize(),
            "description": plain(page.doc) if page else name.replace("-", " ").capitalize(),
            "engineId": ENGINE,
            "cleanCodeAttribute": "EFFICIENT",
            "impacts": [{"softwareQuality": "RELIABILITY", "severity": IMPACTS[severity]}],
        })  # fmt: skip
    report: dict[str, Json] = {"rules": rules, "issues": [_issue(finding, result, options.lead) for finding in findings]}
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _issue(finding: Finding, result: Result, lead: str) -> dict[str, Json]:
    found = finding.found
    issue: dict[str, Json] = {
        "ruleId": finding.rule,
        "primaryLocation": _location(found.span, "; ".join([message(finding), *advice(found)]), result, lead),
    }
    if found.trail:
        issue["secondaryLocations"] = [_location(point.span, point.text, result, lead) for point in found.trail]
    return issue


def _location(span: Span, message: str, result: Result, lead: str) -> dict[str, Json]:
    place: dict[str, Json] = {"startLine": span.line, "endLine": span.end_line}
    source = result.sources.get(span.path)
    if source is not None and (span.line, span.column) < (span.end_line, span.end_column):  # an empty range is refused
        place |= {"startColumn": _column(source, span.line, span.column), "endColumn": _column(source, span.end_line, span.end_column)}
    return {"message": message, "filePath": lead + span.path, "textRange": place}


def _column(source: LineIndex, line: int, column: int) -> int:
    return utf16_column(source.line(line), column) - 1
