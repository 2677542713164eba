"""What was measured, for programs, version 1; `docs/schema/profile-v1.json` is its published schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from querylint.evidence.measures import Measured, Name
from querylint.evidence.profile import Attributed, Earlier, Located, Profile
from querylint.evidence.statements import Asked
from querylint.report.profile.wording import shown_of, shown_of_statements
from querylint.report.wording import advice, function_name
from querylint.rule import Finding, Severity

VERSION = 1


def render(profile: Profile) -> str:
    """Everything; times are milliseconds, shares percent."""
    evidence = profile.evidence
    found, asked = shown_of(profile, Severity.INFO), shown_of_statements(profile, Severity.INFO)
    told: dict[str, Any] = {
        "version": VERSION,
        "order": profile.order.value,
        "sources": list(evidence.names),
        "deployments": sorted(evidence.deployments),
        "from": evidence.first,
        "to": evidence.last,
        "calls": profile.calls,
        "milliseconds": profile.total,
        "against": _earlier(profile.earlier) if profile.earlier is not None else None,
        "functions": [_function(profile, m, found, known=True) for m in profile.functions]
        + [_function(profile, m, found, known=False) for m in profile.foreign],
        "statements": [_statement(profile, one, asked) for one in profile.statements],
        "findings": [_attributed(profile, a) for a in profile.attributed],
        "notMeasured": [_finding(f) for f in (*profile.unseen, *profile.apart)],
        "overBudget": [{"name": e.name, "measure": e.measure, "allowed": e.allowed, "found": e.found} for e in profile.excess],
        "ambiguous": list(profile.twice),
        "skippedLines": sum(evidence.strange.values()),
        "repeatedEvents": evidence.repeated,
    }
    return json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _function(profile: Profile, m: Measured, found: Mapping[Name, int], *, known: bool) -> dict[str, Any]:
    return {
        "name": str(m.name),
        "component": m.name.component or None,
        "kind": m.kind or None,
        "inProject": known,
        "calls": m.calls,
        "cached": m.cached,
        "failed": m.failed,
        "retried": m.retried,
        "reruns": m.reruns,
        "time": {**own, "share": profile.share([m])} if (own := _time(m)) is not None else None,
        "documentsRead": _documents(m),
        "documentsWritten": m.written,
        "bytesRead": m.bytes,
        "started": {"p95": m.started_p95, "max": m.most_started} if m.most_started is not None else None,
        "conflicts": [{"table": table or None, "writtenBy": source or None, "runs": number} for table, source, number in m.conflicts],
        "nearLimits": [{"code": code, "runs": number} for code, number in m.near],
        "insights": [
            {
                "kind": i.kind,
                "severity": i.severity,
                "count": i.count,
                "table": i.table or None,
                "reads": [{"table": r.table, "documents": r.documents, "bytes": r.bytes} for r in i.reads],
            }
            for i in m.insights
        ],
        "findings": found.get(m.name, 0),
    }


def _earlier(earlier: Earlier) -> dict[str, Any]:
    return {
        "sources": list(earlier.evidence.names),
        "from": earlier.evidence.first,
        "to": earlier.evidence.last,
        "functions": [
            {"name": str(name), "calls": m.calls, "time": _time(m), "documentsRead": _documents(m)} for name, m in earlier.functions.items()
        ],
        "statements": [{"text": text, "calls": s.calls, "time": _statement_time(s)} for text, s in earlier.statements.items()],
    }


def _time(m: Measured) -> dict[str, float] | None:
    if not m.ran:
        return None
    return {"mean": m.mean, "p50": m.p50, "p95": m.p95, "p99": m.p99, "max": m.longest, "total": m.total}


def _documents(m: Measured) -> dict[str, int | None] | None:
    return {"p95": m.documents_p95, "max": m.most, "total": m.documents} if m.documents is not None else None


def _statement_time(asked: Asked) -> dict[str, float | None]:
    return {"mean": asked.mean, "p50": asked.p50, "p95": asked.p95, "p99": asked.p99, "max": asked.longest, "total": asked.total}


def _statement(profile: Profile, located: Located, found: Mapping[str, int]) -> dict[str, Any]:
    asked = located.asked
    return {
        "text": asked.text,
        "calls": asked.calls,
        "time": {**_statement_time(asked), "share": profile.share_of(asked)},
        "rows": asked.rows,
        "rowsExamined": asked.examined,
        "places": [
            {"path": p.access.span.path, "line": p.access.span.line, "function": p.function.key.rpartition("::")[2] or None}
            for p in located.places
        ],
        "findings": found.get(asked.text, 0),
    }  # fmt: skip


def _attributed(profile: Profile, attributed: Attributed) -> dict[str, Any]:
    return {
        **_finding(attributed.finding),
        "functions": [str(m.name) for m in attributed.functions],
        "statements": [s.text for s in attributed.statements],
        "share": profile.share(attributed.functions),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    found = finding.found
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": found.message,
        "path": found.span.path,
        "line": found.span.line,
        "column": found.span.column,
        "function": function_name(found) or None,
        "table": found.table,
        "help": list(advice(found)),
        "fingerprint": finding.fingerprint or None,
    }
