"""The report for programs, version 1; `docs/schema/check-v1.json` is its published schema."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from enum import Enum
from typing import Union

from querylint.patch import Fix
from querylint.remedy import Remedy
from querylint.report import Options
from querylint.report.order import by_place, notes_by_place
from querylint.report.wording import advice, by_severity, function_name
from querylint.result import Note, Result
from querylint.rule import Cost, Finding, Found, Point
from querylint.text import Span

VERSION = 1

Json = Union[str, int, float, bool, None, "list[Json]", "dict[str, Json]"]


def render(result: Result, options: Options) -> str:
    """Everything, whatever its severity and age; equal runs give equal text."""
    report: dict[str, Json] = {
        "version": VERSION,
        "findings": [_finding(finding) for finding in by_place([*result.findings, *result.known])],
        "notes": [_note(note) for note in notes_by_place(result.notes)],
        "gates": [{"name": g.name, "allowed": g.allowed, "found": g.found, "failed": g.failed} for g in result.gates],
        "summary": _summary(result),
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, Json]:
    found = finding.found
    return {
        "rule": finding.rule,
        "pattern": finding.pattern,
        "also": list(found.also),
        "severity": finding.severity.value,
        "because": found.because or None,
        "confidence": found.confidence.value,
        "message": found.message,
        **_place(found.span),
        "function": function_name(found) or None,
        "table": found.table,
        "fields": list(found.fields),
        "trail": [_point(point) for point in found.trail],
        "remedy": _remedy(found),
        "cost": _cost(found.cost),
        "fix": _fix(finding.fix),
        "fingerprint": finding.fingerprint or None,
        "baselineState": finding.age.value if finding.age else None,
        "severityBefore": finding.was.value if finding.was else None,
    }


def _fix(fix: Fix | None) -> Json:
    if fix is None:
        return None
    return {
        "title": fix.title,
        "safety": fix.safety.value,
        "caveats": list(fix.caveats),
        "edits": [{**_place(edit.span), "text": edit.text} for edit in fix.edits],
        "creates": [{"path": file.path, "text": file.text} for file in fix.created],
    }


def _place(span: Span) -> dict[str, Json]:
    return {
        "path": span.path,
        "start": {"line": span.line, "column": span.column},
        "end": {"line": span.end_line, "column": span.end_column},
    }


def _point(point: Point) -> dict[str, Json]:
    return {"path": point.span.path, "line": point.span.line, "column": point.span.column, "text": point.text}


def _remedy(found: Found) -> dict[str, Json] | None:
    text = "; ".join(advice(found))
    if not text:
        return None
    if found.remedy is None:
        return {"kind": "advice", "text": text}
    own = {field.name: _plain(getattr(found.remedy, field.name)) for field in fields(found.remedy)}
    return {"kind": remedy_kind(found.remedy), **own, "text": text}


def remedy_kind(remedy: Remedy) -> str:
    """`push-down` for `PushDown`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(remedy).__name__).lower()


def _plain(value: object) -> Json:
    match value:
        case Span():
            return _place(value)
        case Enum():
            return _plain(value.value)
        case tuple():
            return [_plain(item) for item in value]
        case str() | int() | float() | None:
            return value
    raise TypeError(f"a remedy holds a {type(value).__name__}, which JSON has no form for")


def _cost(cost: Cost | None) -> dict[str, Json] | None:
    return {"now": cost.now, "after": cost.after or None} if cost else None


def _note(note: Note) -> dict[str, Json]:
    return {"kind": note.kind.value, "message": note.message, "path": note.path or None, "line": note.line or None}


def _summary(result: Result) -> dict[str, Json]:
    seen = result.summary
    return {
        **{severity.value: number for severity, number in by_severity(result.findings).items()},
        **{field.name: _plain(getattr(seen, field.name)) for field in fields(seen)},
        "known": len(result.known),
    }
