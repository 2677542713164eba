"""Reviewdog's diagnostic format, for comments on pull requests of any code host; columns count UTF-8 bytes, ends are exclusive."""

from __future__ import annotations

import json

from querylint.report import Options
from querylint.report.columns import utf8_column
from querylint.report.json import Json
from querylint.report.order import at_least, by_place
from querylint.report.wording import REPOSITORY, details, message, rule_url, rules_of
from querylint.result import Result
from querylint.rule import Finding
from querylint.text import LineIndex

SOURCE: dict[str, Json] = {"name": "querylint", "url": REPOSITORY}


def render(result: Result, options: Options) -> str:
    """The findings at or over the floor."""
    findings = by_place(at_least(result.findings, options.show))
    pages = rules_of(result)
    report: dict[str, Json] = {
        "source": SOURCE,
        "severity": max((f.severity for f in findings), key=lambda s: s.rank).value.upper() if findings else "UNKNOWN_SEVERITY",
        "diagnostics": [_diagnostic(f, result.sources.get(f.found.span.path), options.lead, f.rule in pages) for f in findings],
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _diagnostic(finding: Finding, source: LineIndex | None, lead: str, has_page: bool) -> dict[str, Json]:
    span = finding.found.span
    return {
        "message": "\n".join([message(finding), *details(finding, lead)]),
        "location": {
            "path": lead + span.path,
            "range": {"start": _position(source, span.line, span.column), "end": _position(source, span.end_line, span.end_column)},
        },
        "severity": finding.severity.value.upper(),
        "source": SOURCE,
        "code": {"value": finding.rule, **({"url": rule_url(finding.rule)} if has_page else {})},
    }


def _position(source: LineIndex | None, line: int, column: int) -> dict[str, Json]:
    return {"line": line, "column": utf8_column(source.line(line), column) if source else column}
