"""One line a finding, in the form that editors and terminals recognize."""

from __future__ import annotations

from querylint.report import Options
from querylint.report.order import at_least, by_place
from querylint.report.paint import Paint
from querylint.report.snippet import printable
from querylint.report.wording import message, rules_of
from querylint.result import Result
from querylint.rule import Finding


def render(result: Result, options: Options) -> str:
    """A line for each finding at or over the floor; nothing when there is none."""
    paint = Paint(options.color, frozenset(rules_of(result)) if options.links else frozenset())
    return "".join(f"{line_of(finding, paint)}\n" for finding in by_place(at_least(result.findings, options.show)))


def line_of(finding: Finding, paint: Paint) -> str:
    """`path:line:column: severity rule message`."""
    span = finding.found.span
    place = paint.strong(printable(f"{span.path}:{span.line}:{span.column}:"))
    said = printable(" ".join(message(finding).split()))
    return f"{place} {paint.severity(finding.severity.value, finding.severity)} {paint.rule(finding.rule)} {said}"
