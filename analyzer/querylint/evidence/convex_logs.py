"""Logs of Convex functions: lines of `npx convex logs --jsonl`, and events of a log stream in both of its versions.

Sources: docs.convex.dev, "Log Streams" (production/integrations/log-streams) and the published schemas `log-stream-openapi.json` and
`function-logs-openapi.json` of the platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from querylint.evidence.execution import ROOT_COMPONENT, Execution, Insight, TableRead, canonical

KINDS = {"query": "query", "mutation": "mutation", "action": "action", "httpaction": "http", "http_action": "http"}
NEAR_A_LIMIT = "warning:"
"""How the codes of the platform begin for what comes near a limit (`system_code` of a log stream)."""
WARNINGS = {
    "Many documents read in a single function execution": "TooManyDocumentsRead",
    "Many reads in a single function execution": "TooManyReads",
    "Many bytes read in a single function execution": "TooManyBytesRead",
    "Many writes in a single function execution": "TooManyWrites",
    "Many bytes written in a single function execution": "TooManyBytesWritten",
    "Many functions scheduled by this mutation": "TooManyFunctionsScheduled",
    "Large total size of the arguments of scheduled functions from this mutation": "ScheduledFunctionsArgumentsTooLarge",
    "Large arguments for a single scheduled function from this mutation": "ScheduledFunctionsArgumentsTooLarge",
    "Large size of the function arguments": "TooLargeFunctionArguments",
    "Large size of the action arguments": "FunctionArgumentsTooLarge",
    "Large size of the function return value": "TooLargeFunctionResult",
    "Large size of the action return value": "TooLargeFunctionResult",
    "Large response returned from an HTTP action": "HttpResponseTooLarge",
    "Large document written with ID ": "ValueTooLargeError",
    "Deeply nested document written with ID ": "TooNested",
    "Function execution took a long time": "UserTimeout",
}
"""The beginnings of the platform's own lines about limits, by code: `npx convex logs` leaves the codes out. What a program prints itself
begins with a quotation mark."""


def bare(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event without what Axiom keeps it in."""
    inner = event.get("data")
    return (
        {"convex": event.get("convex"), **inner} if isinstance(inner, Mapping) and "topic" not in event and "kind" not in event else event
    )


def execution(event: Mapping[str, Any]) -> Execution | None:
    """A run of a function, in whichever format; None for events about something else. Raises ValueError for one that is cut or odd."""
    try:
        if event.get("topic") == "function_execution":
            return _streamed(event)
        if event.get("_topic") == "_execution_record":
            return _first_version(event)
        if event.get("kind") == "Completion":
            return _completion(event)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None
    return None


def is_event(event: Mapping[str, Any]) -> bool:
    """Whether a line is one of a log, though perhaps not about a run."""
    return "topic" in event or "_topic" in event or event.get("kind") == "Progress"


def near_limits(event: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]] | None:
    """The component and the function that lines of its console are about, and the limits that these warn of; None where they do of none.

    A log stream tells them apart from the run, `npx convex logs` does so for actions. What is told again with an answer from the cache is
    about the run before.
    """
    if event.get("kind") == "Progress":
        codes = _codes(event)
        return (_component(event.get("componentPath")), canonical(_text(event.get("identifier"))), codes) if codes else None
    function, code = event.get("function"), str(event.get("system_code") or "")
    if event.get("topic") != "console" or not isinstance(function, Mapping) or not code.startswith(NEAR_A_LIMIT) or function.get("cached"):
        return None
    return _component(function.get("component_path")), canonical(_text(function.get("path"))), (code.removeprefix(NEAR_A_LIMIT),)


def _completion(event: Mapping[str, Any]) -> Execution:
    usage = event.get("usageStats") or {}
    conflict, source = _conflict(event.get("occInfo"), "tableName", "writeSource")
    return Execution(
        canonical(_text(event["identifier"])),
        _kind(event["udfType"]),
        float(event["timestamp"]),
        float(event["executionTime"]) * 1000,
        _component(event.get("componentPath")),
        bool(event.get("cachedResult")),
        event.get("error") is not None,
        _whole(usage.get("databaseReadDocuments")),
        _whole(usage.get("databaseWriteDocuments")),
        _whole(usage.get("databaseIoReadBytes", usage.get("databaseReadBytes"))),
        conflict,
        source,
        _codes(event),
        str(event.get("executionId") or ""),
        str(event.get("parentExecutionId") or ""),
        str(event.get("caller") or ""),
        again=event.get("willRetry") is True,
    )


def _conflict(occ: object, table: str, source: str) -> tuple[str | None, str]:
    """The table on which a run met another transaction, None where it met none, and the function that had written there."""
    return (str(occ.get(table) or ""), str(occ.get(source) or "")) if isinstance(occ, Mapping) else (None, "")


def _codes(event: Mapping[str, Any]) -> tuple[str, ...]:
    """The limits that lines of the platform itself warn of."""
    lines = event.get("logLines")
    return tuple(code for line in (lines if isinstance(lines, list) else ()) if (code := _code(line)))


def _code(line: object) -> str:
    if not isinstance(line, Mapping) or line.get("level") != "WARN":
        return ""
    system, messages = line.get("systemMetadata"), line.get("messages")
    code = str(system.get("code") or "") if isinstance(system, Mapping) else ""
    if code:
        return code.removeprefix(NEAR_A_LIMIT) if code.startswith(NEAR_A_LIMIT) else ""
    text = messages[0] if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], str) else ""
    return next((code for begin, code in WARNINGS.items() if text.startswith(begin)), "")


def _streamed(event: Mapping[str, Any]) -> Execution:
    function, usage = event["function"], event.get("usage") or {}
    conflict, source = _conflict(event.get("occ_info"), "table_name", "write_source")
    deployment = event.get("convex") or {}
    reason, kind = str(event.get("run_reason") or ""), _kind(function["type"])
    request = str(function.get("request_id") or "")
    return Execution(
        canonical(_text(function["path"])),
        kind,
        float(event["timestamp"]) / 1000,
        float(event["execution_time_ms"]),
        _component(function.get("component_path")),
        bool(function.get("cached")),
        event.get("status") == "failure",
        _whole(usage.get("database_read_documents")),
        _whole(usage.get("database_write_documents")),
        _whole(usage.get("database_io_read_bytes", usage.get("database_read_bytes"))),
        conflict,
        source,
        (),
        request if kind in ("action", "http") and reason != "action" else "",  # all that one request runs bears its name
        request if reason == "action" else "",
        reason,
        str(deployment.get("deployment_name") or ""),
        event.get("will_retry") is True,
    )


def _first_version(event: Mapping[str, Any]) -> Execution:
    """As streams that were set up before May 2024 tell it."""
    return Execution(
        canonical(_text(event["_functionPath"])),
        _kind(event["_functionType"]),
        float(event["_timestamp"]) / 1000,
        float(event["executionTimeMs"]),
        cached=bool(event.get("_functionCached")),
        failed=event.get("status") == "failure",
        read=_whole(event.get("databaseIoReadBytes", event.get("databaseReadBytes"))),
    )


def insight(entry: Mapping[str, Any], deployment: str) -> Insight:
    """One entry of `npx convex insights --json`. Raises ValueError for one that is cut or odd."""
    try:
        events = [e for e in entry.get("recentEvents") or () if isinstance(e, Mapping)]
        calls = [c for e in events for c in e.get("calls") or ()]
        reads = tuple(TableRead(_text(c["table_name"]), int(c["documents_read"]), int(c["bytes_read"])) for c in calls)
        return Insight(
            _text(entry["kind"]),
            _text(entry["severity"]),
            canonical(_text(entry["functionId"])),
            int(entry.get("occCalls", entry.get("count", 0))),
            _component(entry.get("componentPath")),
            str(entry.get("occTableName") or ""),
            reads,
            deployment,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None


def _kind(word: object) -> str:
    kind = KINDS.get(str(word).lower())
    if kind is None:
        raise ValueError(f"no function is of the type {word}")
    return kind


def _component(path: object) -> str:
    return "" if path in (None, "", ROOT_COMPONENT) else str(path)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a name is missing")
    return value


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
