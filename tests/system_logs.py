"""Logs of a running system as Convex writes them, by its published schemas: single events, and files about the bundled application."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
APP = ROOT / "fixtures/apps/hooklabs"

INSIGHTS = {
    "deploymentName": "happy-otter-123",
    "dashboardUrl": "x",
    "insights": [
        {
            "kind": "documentsReadThreshold", "severity": "warning", "functionId": "socialPosts.js:getDashboardStats", "count": 14,
            "componentPath": None,
            "recentEvents": [{"success": True, "calls": [{"table_name": "socialPosts", "bytes_read": 9_000_000, "documents_read": 27000}]}],
        }
    ],
}  # fmt: skip


def completion(identifier: str = "posts:list", **given: Any) -> dict[str, Any]:
    """A line of `npx convex logs --jsonl`."""
    usage = {"databaseReadBytes": 100, "databaseIoReadBytes": 120, "databaseReadDocuments": 10, "databaseWriteDocuments": 0}
    event = {
        "kind": "Completion", "udfType": "Query", "componentPath": None, "identifier": identifier, "logLines": [], "timestamp": 1000.5,
        "cachedResult": False, "caller": "SyncWorker", "executionTime": 0.25, "success": None, "error": None, "requestId": "r1",
        "executionId": "e1", "usageStats": usage, "occInfo": None, "willRetry": False, "executionTimestamp": 1000.2,
        "identityType": "user", "environment": "isolate",
    }  # fmt: skip
    return event | given


def streamed(path: str = "posts:list", **given: Any) -> dict[str, Any]:
    """An event of a log stream."""
    usage = {"database_read_bytes": 100, "database_io_read_bytes": 120, "database_read_documents": 10, "database_write_documents": 2}
    event = {
        "topic": "function_execution", "timestamp": 1000500, "convex": {"deployment_name": "happy-otter-123"},
        "function": {"path": path, "type": "query", "cached": False, "request_id": "r1"}, "execution_time_ms": 250, "status": "success",
        "run_reason": "dataChange", "usage": usage,
    }  # fmt: skip
    return event | given


def runs(name: str, number: int, seconds: float, documents: int, **given: Any) -> list[dict[str, Any]]:
    """So many runs of a function, each as long and as wide as the others."""
    usage = {"databaseReadDocuments": documents, "databaseIoReadBytes": documents * 100, "databaseWriteDocuments": 0}
    return [
        completion(name, executionId=f"{name}{n}", executionTime=seconds, timestamp=1000 + n, usageStats=usage, **given)
        for n in range(number)
    ]


def written_logs(folder: Path) -> Path:
    """A log in which one function takes most of the time, one is always answered from the cache, and two are not of the application."""
    occ = {"tableName": "credits", "writeSource": "credits:consume", "retryCount": 1}
    events = [
        *runs("socialPosts:getDashboardStats", 20, 0.5, 5000),
        *runs("socialPosts:list", 100, 0.05, 800),
        *runs("users:getCurrent", 400, 0.001, 1, cachedResult=True),
        *runs("credits:consume", 10, 0.02, 6, udfType="Mutation", occInfo=occ),
        *runs("elsewhere:run", 1, 0.01, 6),
        *runs("POST /hook", 1, 0.01, 6, udfType="HttpAction"),
    ]
    path = folder / "logs.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return path


def written_insights(folder: Path) -> Path:
    """What the platform has noticed of the dearest of these functions."""
    path = folder / "insights.json"
    path.write_text(json.dumps(INSIGHTS, indent=2))
    return path
