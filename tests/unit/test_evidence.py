"""Logs of the running system: every format that is read, and what is done with what is none."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from querylint.errors import EvidenceError
from querylint.evidence.budget import Budget
from querylint.evidence.execution import canonical
from querylint.evidence.measures import Measured, Name, percentile
from querylint.evidence.reading import Evidence, read
from querylint.evidence.statements import Asked, normal
from system_logs import completion, streamed


def told(tmp_path: Path, *events: object, name: str = "logs.jsonl") -> Evidence:
    """What is read of events, one per line."""
    path = tmp_path / name
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return read([path])


def only(evidence: Evidence) -> Measured:
    (measured,) = evidence.measured()
    return measured


def test_a_line_of_the_command_line_s_logs(tmp_path: Path) -> None:
    measured = only(told(tmp_path, completion()))
    assert (measured.name, measured.kind, measured.calls, measured.ran) == (Name("", "posts:list"), "query", 1, 1)
    assert (measured.p50, measured.p95, measured.p99, measured.longest, measured.total) == (250, 250, 250, 250, 250)
    assert (measured.documents, measured.most, measured.bytes, measured.written) == (10, 10, 120, 0)
    assert (measured.failed, measured.conflicts, measured.near, measured.reruns) == (0, (), (), 0)


def test_an_event_of_a_log_stream(tmp_path: Path) -> None:
    evidence = told(tmp_path, streamed())
    measured = only(evidence)
    assert (measured.p95, measured.documents, measured.bytes, measured.written, measured.reruns) == (250, 10, 120, 2, 1)
    assert evidence.deployments == {"happy-otter-123"}
    assert (evidence.first, evidence.last) == (1000.5, 1000.5)


def test_an_event_of_the_first_version_of_log_streams(tmp_path: Path) -> None:
    event = {
        "_topic": "_execution_record", "_timestamp": 1000500, "_functionPath": "posts:list", "_functionType": "query",
        "_functionCached": False, "status": "failure", "executionTimeMs": 40, "databaseReadBytes": 77, "databaseWriteBytes": 0,
    }  # fmt: skip
    measured = only(told(tmp_path, event))
    assert (measured.p50, measured.failed, measured.bytes) == (40, 1, 77)
    assert measured.documents is None, "that version does not tell it"


def test_events_in_arrays_and_inside_of_what_keeps_them(tmp_path: Path) -> None:
    inner = streamed(timestamp=1002000)
    del inner["convex"]
    kept = {"_time": "x", "data": inner, "convex": {"deployment_name": "quiet-newt-7"}}
    evidence = told(tmp_path, [streamed(), streamed(timestamp=1001000)], kept)
    assert only(evidence).calls == 3
    assert evidence.deployments == {"happy-otter-123", "quiet-newt-7"}


def test_one_value_on_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text(json.dumps([streamed(), streamed("posts:get")], indent=2))
    assert [m.name.function for m in read([path]).measured()] == ["posts:get", "posts:list"]


def test_insights_of_the_platform(tmp_path: Path) -> None:
    events = [{"success": True, "calls": [{"table_name": "posts", "bytes_read": 5000, "documents_read": 26000}]}]
    insights = [
        {"kind": "documentsReadThreshold", "severity": "warning", "functionId": "posts.js:list", "componentPath": "-root-component-",
         "count": 3, "recentEvents": events},
        {"kind": "occRetried", "severity": "warning", "functionId": "credits:use", "componentPath": None, "occCalls": 7,
         "occTableName": "credits"},
        {"kind": "bytesReadLimit", "functionId": "posts:list"},
    ]  # fmt: skip
    evidence = told(tmp_path, {"deploymentName": "happy-otter-123", "dashboardUrl": "x", "insights": insights})
    credits_, posts = evidence.measured()
    assert (posts.name, posts.calls, posts.insights[0].count) == (Name("", "posts:list"), 0, 3)
    assert [(r.table, r.documents, r.bytes) for r in posts.insights[0].reads] == [("posts", 26000, 5000)]
    assert (credits_.insights[0].table, credits_.insights[0].count) == ("credits", 7)
    assert evidence.strange.total() == 1, "an entry without a severity is none"


def test_cached_answers_take_no_time(tmp_path: Path) -> None:
    quick = completion(cachedResult=True, executionTime=0, executionId="e2")
    measured = only(told(tmp_path, completion(), quick))
    assert (measured.calls, measured.cached, measured.ran, measured.p50, measured.documents) == (2, 1, 1, 250, 10)


def test_failures_conflicts_and_limits(tmp_path: Path) -> None:
    occ = {"tableName": "credits", "documentId": "k1", "writeSource": "credits:grant", "componentPath": None, "retryCount": 1}
    lines = [
        {"messages": ["x"], "level": "WARN", "systemMetadata": {"code": "warning:TooManyDocumentsRead"}},
        {"messages": ["x"], "level": "WARN", "systemMetadata": {"code": "info:Other"}},
        {"messages": ["x"], "level": "LOG", "systemMetadata": None},
    ]
    run = completion("credits:use", udfType="Mutation", error="conflict", occInfo=occ, logLines=lines)
    measured = only(told(tmp_path, run))
    assert measured.failed == 1
    assert measured.conflicts == (("credits", "credits:grant", 1),)
    assert measured.near == (("TooManyDocumentsRead", 1),)


def test_a_run_that_is_repeated_is_neither_a_call_nor_a_failure(tmp_path: Path) -> None:
    occ = {"tableName": "credits", "writeSource": "credits:grant", "retryCount": 0}
    first = completion("credits:use", udfType="Mutation", occInfo=occ, willRetry=True)
    crowded = completion("credits:use", udfType="Mutation", error="too many writes", willRetry=True, executionId="e2")
    last = completion("credits:use", udfType="Mutation", executionId="e3")
    measured = only(told(tmp_path, first, crowded, last))
    assert (measured.calls, measured.retried, measured.ran, measured.failed) == (1, 2, 3, 0)
    assert (measured.total, measured.documents, measured.met) == (750, 30, 1), "the time was spent and the documents were read"
    occ_info = {"table_name": "credits", "write_source": "credits:grant", "retry_count": 0}
    use = {"path": "credits:use", "type": "mutation", "request_id": "r1"}
    stream = [
        streamed(function=use, occ_info=occ_info, will_retry=True, status="failure"),
        streamed(function=use, timestamp=1000600, will_retry=False),
    ]
    again = only(told(tmp_path, *stream))
    assert (again.calls, again.retried, again.failed, again.met) == (1, 1, 0, 1)
    assert not list(Budget({"failures": 0, "conflicts": 50}).exceeded([again]))


def test_warnings_of_limits_as_the_command_line_prints_them(tmp_path: Path) -> None:
    def line(text: str, level: str = "WARN") -> dict[str, Any]:
        return {"messages": [text], "isTruncated": False, "timestamp": 1, "level": level}

    lines = [
        line("Many documents read in a single function execution (actual: 26000, limit: 32000). Consider smaller limits."),
        line("Function execution took a long time. (maximum duration: 1s, actual duration: 900ms)."),
        line("'Many documents read in a single function execution'"),
        line("Many documents read in a single function execution", "LOG"),
        line("1 unawaited operation: [query]."),
        "[WARN] Many reads in a single function execution",
    ]
    run = completion(logLines=lines)
    measured = only(told(tmp_path, run, run | {"cachedResult": True, "executionId": "e2"}))
    assert measured.near == (("TooManyDocumentsRead", 1), ("UserTimeout", 1)), "the cached answer repeats the lines of the run before"
    progress = {"kind": "Progress", "udfType": "Action", "identifier": "jobs:all", "timestamp": 1, "requestId": "r", "executionId": "e",
                "logLines": [line("Large size of the action arguments (actual: 15000000 bytes, limit: 16777216 bytes).")]}  # fmt: skip
    evidence = told(tmp_path, progress, progress | {"logLines": [line("'x'", "LOG")]})
    assert only(evidence).near == (("FunctionArgumentsTooLarge", 1),)
    assert not evidence.strange.total()


def test_the_time_of_an_action_holds_what_it_starts(tmp_path: Path) -> None:
    action = completion("jobs:all", udfType="Action", executionId="a1", executionTime=2)
    inner = [completion("posts:one", executionId=f"q{n}", parentExecutionId="a1", executionTime=0.5) for n in range(3)]
    cached = completion("posts:one", executionId="q9", parentExecutionId="a1", executionTime=0.5, cachedResult=True)
    jobs, posts = told(tmp_path, action, *inner, cached).measured()
    assert (jobs.total, jobs.nested, jobs.most_started) == (2000, 1500, 4)
    assert (posts.total, posts.nested) == (1500, 0)


def test_a_limit_that_a_stream_s_console_tells_of(tmp_path: Path) -> None:
    console: dict[str, Any] = {
        "topic": "console", "timestamp": 1, "function": {"path": "posts:list", "type": "query", "request_id": "r"}, "log_level": "WARN",
        "message": "m", "is_truncated": False, "system_code": "warning:TooManyBytesRead",
    }  # fmt: skip
    cached = console | {"function": console["function"] | {"cached": True}}
    evidence = told(tmp_path, console, console | {"system_code": None, "message": "n"}, cached, {"_time": "x", "data": console})
    assert only(evidence).near == (("TooManyBytesRead", 2),), "the cached answer repeats what was told of the run before"
    assert evidence.strange.total() == 0, "the other is an event too"


def test_how_many_functions_an_action_starts(tmp_path: Path) -> None:
    action = completion("jobs:all", udfType="Action", executionId="a1")
    other = completion("jobs:all", udfType="Action", executionId="a2")
    started = [completion("posts:one", executionId=f"q{n}", parentExecutionId="a1") for n in range(5)]
    jobs = next(m for m in told(tmp_path, *started, action, other).measured() if m.name.function == "jobs:all")
    assert (jobs.started_p95, jobs.most_started) == (5, 5)
    stream = [
        streamed("jobs:all", function={"path": "jobs:all", "type": "action", "request_id": "r9"}, run_reason="cron"),
        *(streamed("posts:one", timestamp=n, function={"path": "posts:one", "type": "query", "request_id": "r9"}, run_reason="action")
          for n in range(3)),
    ]  # fmt: skip
    jobs = next(m for m in told(tmp_path, *stream).measured() if m.name.function == "jobs:all")
    assert jobs.most_started == 3


def test_functions_of_components_are_others(tmp_path: Path) -> None:
    evidence = told(tmp_path, completion(), completion(componentPath="workpool", executionId="e2"))
    assert [str(m.name) for m in evidence.measured()] == ["posts:list", "workpool/posts:list"]


def test_what_was_there_before_counts_once(tmp_path: Path) -> None:
    evidence = told(tmp_path, completion(), completion(), completion(executionId="e2"))
    assert only(evidence).calls == 2
    assert evidence.repeated == 1


@pytest.mark.parametrize(
    "odd",
    [
        "plain words", {"kind": "Completion"}, 7, None, {"some": "thing"}, completion(udfType="Job"), completion(executionTime="soon"),
        completion(executionTime=-1), completion(timestamp=1e40), completion(identifier=""), completion(identifier=4),
        completion(usageStats={"databaseReadDocuments": 2**70}), completion(usageStats=[1]), streamed(function=None),
        streamed(execution_time_ms=None),
        {"topic": "console", "function": {"path": None}, "system_code": "warning:TooManyReads"},
    ],
)  # fmt: skip
def test_lines_that_are_no_events_are_left_out(odd: object, tmp_path: Path) -> None:
    evidence = told(tmp_path, completion(), odd)
    assert only(evidence).calls == 1
    assert evidence.strange.total() == 1


def test_numbers_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    good = json.dumps(completion())
    path.write_text("\n".join([good, good.replace("0.25", "NaN"), good.replace("0.25", "Infinity"), "[" * 100_000]))
    evidence = read([path])
    assert (only(evidence).calls, evidence.strange.total()) == (1, 3)


def test_packed_files_standard_input_and_a_mark_at_the_start(tmp_path: Path) -> None:
    packed = tmp_path / "logs.jsonl.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(completion()).encode()))
    evidence = read([packed, Path("-")], io.BytesIO(json.dumps(completion(executionId="e2")).encode()))
    assert only(evidence).calls == 2
    assert evidence.names[1] == "standard input"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no such file"):
        read([tmp_path / "none.jsonl"])
    with pytest.raises(EvidenceError, match="cannot be read"):
        read([tmp_path])
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(EvidenceError, match="cannot be read"):
        read([tmp_path / "cut.gz"])
    (tmp_path / "page.html").write_text("<p>\nno log\n")
    with pytest.raises(EvidenceError, match="holds nothing that can be read as a log"):
        read([tmp_path / "page.html"])
    (tmp_path / "open.json").write_text("{\n")
    with pytest.raises(EvidenceError, match="no JSON"):
        read([tmp_path / "open.json"])


def test_an_empty_log_is_one(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    assert read([tmp_path / "empty.jsonl"]).measured() == []
    assert told(tmp_path, {"deploymentName": "d", "insights": []}).measured() == []


@pytest.mark.parametrize(
    ("name", "known"),
    [("posts:list", "posts:list"), ("posts.js:list", "posts:list"), ("a/b.ts:c", "a/b:c"), ("posts", "posts:default"),
     ("POST /hook", "POST /hook")],
)  # fmt: skip
def test_names_are_those_of_api(name: str, known: str) -> None:
    assert canonical(name) == known


def test_percentiles_are_of_the_nearest_rank() -> None:
    values = list(range(1, 101))
    assert [percentile(values, share) for share in (0, 1, 50, 95, 99, 100)] == [1, 1, 50, 95, 99, 100]
    assert percentile([3, 8], 50) == 3
    assert percentile([3, 8], 51) == 8
    assert percentile([], 50) is None


def test_a_budget_for_all_and_for_some() -> None:
    measured = Measured(Name("", "posts:list"), "query", calls=10, failed=1, p95=700.0)
    assert [(e.measure, e.allowed, e.found) for e in Budget({"p95": 500, "failures": 10}).exceeded([measured])] == [("p95", 500, 700)]
    assert not list(Budget({"p95": 500}, {"posts:*": {"p95": 900}}).exceeded([measured]))
    assert not list(Budget({"p95": 700, "documents": 0}).exceeded([measured])), "what is not told exceeds nothing"
    assert not list(Budget({"round-trips": 0}).exceeded([measured])), "logs know no round trips"
    idle = Measured(Name("", "posts:old"), "query")
    assert not list(Budget({"p95": 0, "failures": 0, "conflicts": 0}).exceeded([idle]))
    joined = Budget({"p95": 1, "p50": 2}, {"a": {"p50": 1}}).joined(Budget({"p95": 3}))
    assert (joined.of("b"), joined.of("a")) == ({"p95": 3, "p50": 2}, {"p95": 3, "p50": 1})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
EVENTS = st.sampled_from(
    [completion(), streamed(), {"deploymentName": "d", "insights": [{"kind": "k", "severity": "warning", "functionId": "f:g"}]}]
)


@st.composite
def bent(draw: st.DrawFn) -> dict[str, Any]:
    """An event in which some values are others."""
    event = json.loads(json.dumps(draw(EVENTS)))
    for _ in range(draw(st.integers(0, 3))):
        place = event
        while True:
            key = draw(st.sampled_from(sorted(place)))
            if not isinstance(place[key], dict) or draw(st.booleans()):
                break
            place = place[key]
            if not place:
                break
        if place:
            place[key] = draw(VALUES)
    return event


@settings(max_examples=300, deadline=None)
@given(st.lists(bent() | VALUES, max_size=4), st.binary(max_size=20))
def test_no_log_is_too_odd(events: list[Any], tail: bytes) -> None:
    data = b"".join(json.dumps(event).encode() + b"\n" for event in events) + tail
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logs.jsonl"
        path.write_bytes(data)
        try:
            measured = read([path]).measured()
        except EvidenceError:
            return
    assert all(m.calls >= m.cached >= 0 and 0 <= m.p50 <= m.p95 <= m.p99 <= m.longest for m in measured)


STATISTICS = """\
query,calls,total_exec_time,mean_exec_time,max_exec_time,rows
"SELECT ""a"".""id"" FROM ""a""
 WHERE ""a"".""x"" IN ($1, $2)",40,80.5,2.0125,9.5,120
"SELECT ""a"".""id"" FROM ""a"" WHERE ""a"".""x"" IN ($1, $2, $3)",10,9.5,0.95,11,30
COMMIT,50,1,0.02,0.1,0
"""


def asked(text: str, tmp_path: Path, name: str = "statements.csv") -> dict[str, Asked]:
    path = tmp_path / name
    path.write_text(text)
    return {one.text: one for one in read([path]).asked()}


def test_statistics_of_postgresql(tmp_path: Path) -> None:
    found = asked(STATISTICS, tmp_path)
    assert found.keys() == {'SELECT "a"."id" FROM "a" WHERE "a"."x" IN (?)', "COMMIT"}
    one = found['SELECT "a"."id" FROM "a" WHERE "a"."x" IN (?)']
    assert (one.calls, one.total, one.longest, one.rows, one.examined) == (50, 90, 11, 150, None)
    assert (one.mean, one.p50, one.p95) == (1.8, None, None)


def test_statistics_as_json(tmp_path: Path) -> None:
    rows = [{"query": "SELECT 1", "calls": 2, "total_time": 3.5, "rows": 2}]
    assert asked(json.dumps(rows, indent=1), tmp_path)["SELECT ?"].total == 3.5
    assert asked("".join(f"{json.dumps(row)}\n" for row in rows), tmp_path)["SELECT ?"].calls == 2


def test_statistics_of_mysql(tmp_path: Path) -> None:
    text = (
        "SCHEMA_NAME\tDIGEST_TEXT\tCOUNT_STAR\tSUM_TIMER_WAIT\tMAX_TIMER_WAIT\tQUANTILE_95\tQUANTILE_99\tSUM_ROWS_SENT\tSUM_ROWS_EXAMINED\n"
        "shop\tSELECT `id`\\nFROM `a` WHERE `x` = ?\t4\t8000000000\t5000000000\t4000000000\t4500000000\t4\t4000\n"
    )
    one = asked(text, tmp_path)["SELECT `id` FROM `a` WHERE `x` = ?"]
    assert (one.calls, one.total, one.longest, one.p95, one.p99, one.rows, one.examined) == (4, 8, 5, 4, 4.5, 4, 4000)


def test_a_log_of_durations(tmp_path: Path) -> None:
    text = """\
2026-11-27 10:00:00.000 UTC [7] LOG:  starting PostgreSQL 15.18 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit
2026-11-27 10:00:00.000 UTC [7] LOG:  checkpoint starting: time
2026-11-27 10:00:00.000 UTC [7] LOG:  duration: 1.500 ms  statement: SELECT id
\tFROM a
\tWHERE x = 5 AND y = 'it''s 7'
2026-11-27 10:00:01.000 UTC [7] LOG:  duration: 0.100 ms  parse <unnamed>: SELECT id FROM a
2026-11-27 10:00:01.000 UTC [7] LOG:  duration: 2.500 ms  execute <unnamed>: SELECT id FROM a WHERE x = $1 AND y = $2
2026-11-27 10:00:01.000 UTC [7] DETAIL:  parameters: $1 = '5'
2026-11-27 10:00:01.000 UTC [7] LOG:  duration: 2.500 ms  statement:
\tSELECT a
\t  FROM b
"""
    found = asked(text, tmp_path, "postgresql.log")
    one = found["SELECT id FROM a WHERE x = ? AND y = ?"]
    assert (one.calls, one.total, one.p50, one.p95, one.longest, one.rows) == (2, 4, 1.5, 2.5, 2.5, None)
    assert found["SELECT a FROM b"].calls == 1, "a statement may begin on the line below"
    assert len(found) == 2
    assert not read([tmp_path / "postgresql.log"]).strange.total(), "a log is about other things too"


def test_a_log_of_durations_in_json(tmp_path: Path) -> None:
    line = {"timestamp": "x", "error_severity": "LOG", "message": "duration: 3.000 ms  statement: DELETE FROM a WHERE id = 8"}
    other = {"timestamp": "x", "error_severity": "LOG", "message": "connection received"}
    assert asked("".join(f"{json.dumps(e)}\n" for e in (line, other)), tmp_path, "log.json")["DELETE FROM a WHERE id = ?"].p99 == 3
    assert not read([tmp_path / "log.json"]).strange.total()


def test_a_log_of_durations_as_csv(tmp_path: Path) -> None:
    text = """\
2026-11-27 10:00:00.000 UTC,,,25422,,65f0.634e,1,,2026-11-27 10:00:00 UTC,,0,LOG,00000,"starting",,,,,,,,,"","postmaster",,0
2026-11-27 10:00:01.000 UTC,"u","d",25,"[local]",65f0.1,1,"SELECT",2026-11-27 10:00:00 UTC,3/1,0,LOG,00000,"duration: 1.250 ms  statement:
  SELECT ""a""
  FROM ""t""
  WHERE b = 'x, y'",,,,,,,,,"","client backend",,0
"""
    one = asked(text, tmp_path, "log.csv")['SELECT "a" FROM "t" WHERE b = ?']
    assert (one.calls, one.p50) == (1, 1.25)
    assert not read([tmp_path / "log.csv"]).strange.total()


def test_the_slow_query_log_of_mysql(tmp_path: Path) -> None:
    text = """\
/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:
Tcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock
Time                 Id Command    Argument
# Time: 2026-11-27T10:00:00.000000Z
# User@Host: shop[shop] @ localhost []  Id:     8
# Query_time: 1.500000  Lock_time: 0.000001 Rows_sent: 2  Rows_examined: 4000
use shop;
SET timestamp=1700000000;
SELECT * FROM posts
WHERE title = 'x';
# Time: 2026-11-27T10:00:01.000000Z
# User@Host: shop[shop] @ localhost []  Id:     8
# Thread_id: 3  Schema: shop  QC_hit: No
# Query_time: 0.500000  Lock_time: 0.000001 Rows_sent: 1  Rows_examined: 4000
# Rows_affected: 0  Bytes_sent: 11
SET timestamp=1700000001;
SELECT * FROM posts WHERE title = 'y';
"""
    found = asked(text, tmp_path, "slow.log")
    one = found["SELECT * FROM posts WHERE title = ?"]
    assert (len(found), one.calls, one.total, one.p50, one.longest, one.rows, one.examined) == (1, 2, 2000, 500, 1500, 3, 8000)
    assert not read([tmp_path / "slow.log"]).strange.total()


def test_nested_too_deep_to_look_into(tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    deep = (f"{'[' * depth}{']' * depth}\n" + '{"a":' * depth + "1" + "}" * depth for depth in (500, 800, 960))
    path.write_text("\n".join([json.dumps(completion()), *deep]))
    evidence = read([path])
    assert only(evidence).calls == 1


@pytest.mark.parametrize("row", ["SELECT 1,many,1,1,1,1", "SELECT 1,1,-1,1,1,1", ",1,1,1,1,1", "SELECT 1", "SELECT 1,1,nan,1,1,1"])
def test_rows_that_are_none(row: str, tmp_path: Path) -> None:
    path = tmp_path / "statements.csv"
    path.write_text(f"{STATISTICS}{row}\n")
    evidence = read([path])
    assert (len(evidence.asked()), evidence.strange.total()) == (2, 1)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("SELECT 1;", "SELECT ?"),
        ("select a1.b2 from t_3 a1 where n = -4.5e3", "select a1.b2 from t_3 a1 where n = -?"),
        ("SELECT * FROM t -- all\nWHERE a = 'x' /* why */ AND b IN (1, 2,\n 3)", "SELECT * FROM t WHERE a = ? AND b IN (?)"),
        ("INSERT INTO t (a, b) VALUES (1, 'y'), (2, 'z')", "INSERT INTO t (a, b) VALUES (?)"),
        ("SELECT '2020-01-01'::date, x[1]", "SELECT ?::date, x[?]"),
        ("SELECT a FROM t WHERE b IN ($1::INTEGER, $2::INTEGER) AND c = $3::INTEGER", "SELECT a FROM t WHERE b IN (?) AND c = ?::INTEGER"),
        ("INSERT INTO t VALUES ($1::timestamp with time zone, $2::varchar(40)[]), ($3::double precision, $4)", "INSERT INTO t VALUES (?)"),
        (
            "SELECT a FROM t WHERE b = 'x -- y' AND c = 'it''s /* no' -- 'why'\n AND d = '*/'",
            "SELECT a FROM t WHERE b = ? AND c = ? AND d = ?",
        ),
        ('SELECT "a--b", `c 1` FROM "t 2" WHERE "it\'s" = 3', 'SELECT "a--b", `c 1` FROM "t 2" WHERE "it\'s" = ?'),
    ],
)
def test_statements_without_their_values(text: str, bare: str) -> None:
    assert normal(text) == bare
