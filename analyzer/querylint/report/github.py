"""Workflow commands of GitHub Actions: annotations on the changed lines, the whole report in the log.

GitHub shows ten errors, ten warnings and ten notices of a step and drops the rest without a word, so the dearest go first and a notice
says how many there are. The log is printed while commands are stopped, by a word that follows from the log itself: no line of a
source can hold the word that would let its commands through again.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from querylint.report import Options, text
from querylint.report.order import at_least, by_cost
from querylint.report.wording import count, details, gate, message, verdict
from querylint.result import NoteKind, Result
from querylint.rule import Finding, Severity

MOST = 10
COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(result: Result, options: Options) -> str:
    """The annotations, then the report for a person."""
    findings = by_cost(at_least(result.findings, options.show))
    urgent = [_command("error", gate(judged), title="querylint gate") for judged in result.gates if judged.failed]
    urgent += [_command("error", note.message, title="querylint") for note in result.notes if note.kind is NoteKind.BUG]
    shown: dict[str, list[str]] = {"error": urgent[:MOST], "warning": [], "notice": []}
    annotated = 0
    for finding in findings:
        kind = COMMANDS[finding.severity]
        if len(shown[kind]) < (MOST if kind != "notice" else MOST - 1):
            shown[kind].append(_annotation(kind, finding, options.lead))
            annotated += 1
    if annotated < len(findings):
        rest = (
            f"{verdict(result)} The {count(annotated, 'costliest one')} of {len(findings)} are annotated, which is all that GitHub shows; "
        )
        shown["notice"].append(_command("notice", f"{rest}the log lists every one.", title="querylint"))
    log = text.render(result, replace(options, color=False, links=False, full=None, by_cost=True, statistics=False))
    return "".join(f"{line}\n" for lines in shown.values() for line in lines) + _quoted(log, bool(findings))


def _annotation(kind: str, finding: Finding, lead: str) -> str:
    span = finding.found.span
    place = {"file": lead + span.path, "line": str(span.line), "endLine": str(span.end_line)}
    if span.line == span.end_line:
        place |= {"col": str(span.column), "endColumn": str(span.end_column)}
    return _command(kind, "\n".join([message(finding), *details(finding, lead)]), **place, title=f"querylint: {finding.rule}")


def _command(kind: str, message: str, **properties: str) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {listed}::{_data(message)}"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def _quoted(log: str, folded: bool) -> str:
    if not log:
        return ""
    word = f"querylint-{sha256(log.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
    quoted = f"::stop-commands::{word}\n{log}::{word}::\n"
    return f"::group::querylint report\n{quoted}::endgroup::\n" if folded else quoted
