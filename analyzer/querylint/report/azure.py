"""Logging commands of Azure Pipelines: an issue for each finding, the dearest first."""

from __future__ import annotations

from querylint.report import Options
from querylint.report.order import at_least, by_cost
from querylint.report.wording import advice, gate, message
from querylint.result import NoteKind, Result
from querylint.rule import Finding, Severity


def render(result: Result, options: Options) -> str:
    """A line for each gate that failed and each finding at or over the floor; Azure knows errors and warnings only."""
    lines = [_issue("error", gate(judged), code="gate") for judged in result.gates if judged.failed]
    lines += [_issue("error", note.message, code="bug") for note in result.notes if note.kind is NoteKind.BUG]
    lines += [_finding(finding, options.lead) for finding in by_cost(at_least(result.findings, options.show))]
    return "".join(f"{line}\n" for line in lines)


def _finding(finding: Finding, lead: str) -> str:
    span = finding.found.span
    place = {"sourcepath": lead + span.path, "linenumber": str(span.line), "columnnumber": str(span.column), "code": finding.rule}
    kind = "error" if finding.severity is Severity.ERROR else "warning"
    return _issue(kind, "; ".join([message(finding), *advice(finding.found)]), **place)


def _issue(kind: str, message: str, **properties: str) -> str:
    listed = "".join(f"{name}={_property(value)};" for name, value in {"type": kind, **properties}.items())
    return f"##vso[task.logissue {listed}]{_data(message)}"


def _data(value: str) -> str:
    return value.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace("]", "%5D").replace(";", "%3B")
