"""`querylint profile` on the bundled application: logs joined to findings, budgets, both formats."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from laid import lay
from querylint import cli
from system_logs import APP, ROOT, runs, written_insights, written_logs

SCHEMA = json.loads((ROOT / "docs/schema/profile-v1.json").read_text(encoding="utf-8"))

Door = Callable[..., tuple[int, str, str]]


@pytest.fixture
def door(capsys: pytest.CaptureFixture[str]) -> Door:
    def call(*args: str | Path) -> tuple[int, str, str]:
        code = cli.run(["profile", *map(str, args)])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return written_logs(tmp_path)


@pytest.fixture
def insights(tmp_path: Path) -> Path:
    return written_insights(tmp_path)


def test_the_dearest_functions_and_what_was_found_on_their_way(door: Door, logs: Path, insights: Path) -> None:
    code, out, err = door(logs, insights, "--project", APP)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("532 calls of 6 functions of happy-otter-123 in 7 min from 1970-01-01 00:16 UTC, by ")
    table = [line.split() for line in lines[3:7]]
    assert [row[-2] for row in table] == ["socialPosts:getDashboardStats", "socialPosts:list", "credits:consume", "users:getCurrent"]
    assert table[0][:9] == ["20", "0", "%", "500", "ms", "500", "ms", "500", "ms"]
    facts = "20 calls, p95 500 ms, 5,000 documents read by one run (p95), 100,000 by all, 10 MB, 66 % of the time"
    head = lines.index(f"socialPosts:getDashboardStats: {facts}")
    assert lines[head + 1] == "warning read nearly as many documents as one transaction may 14 times: up to 27,000 of `socialPosts`"
    assert "aggregate-in-memory" in lines[head + 2]
    assert lines[head + 3] == "    = measured: one run has read 27,000 documents (9 MB) of `socialPosts`"
    assert lines[head + 4].startswith("    = help: ")
    assert "warning met other writes in 100 % of its runs: 10 on `credits` (written by credits:consume)" in lines
    assert "Nothing was found on the way of users:getCurrent." in lines
    assert (
        "Not in this project, or not by this name (components, requests that no route in sight takes): POST /hook and elsewhere:run."
        in lines
    )


def test_findings_in_helpers_count_for_all_that_call_them(door: Door, logs: Path) -> None:
    told = json.loads(door(logs, "--project", APP, "--format", "json")[1])
    balance = [f for f in told["findings"] if f["path"] == "convex/lib/creditBalance.ts"]
    assert balance
    assert all(f["functions"] == ["credits:consume"] for f in balance)
    assert all("functions" not in f for f in told["notMeasured"])
    paths = {f["path"] for f in told["notMeasured"]}
    assert "convex/personas.ts" in paths, "nothing of it is in the logs"


@pytest.mark.parametrize(("order", "first"), [("time", "socialPosts:getDashboardStats"), ("calls", "users:getCurrent")])
def test_ranked_by_what_is_asked_for(order: str, first: str, door: Door, logs: Path) -> None:
    told = json.loads(door(logs, "--project", APP, "--format", "json", "--by", order)[1])
    assert told["functions"][0]["name"] == first
    costs = {f["name"]: f["time"]["total"] if f["time"] else 0 for f in told["functions"]}
    by_finding = [sum(costs[name] for name in f["functions"]) for f in told["findings"]]
    assert order != "time" or by_finding == sorted(by_finding, reverse=True)


def test_the_json_is_as_published(door: Door, logs: Path, insights: Path) -> None:
    code, out, _ = door(logs, insights, "--project", APP, "--format", "json", "--budget", "p95=100")
    assert code == 1
    told = json.loads(out)
    jsonschema.validate(told, SCHEMA)
    assert told["overBudget"] == [{"name": "socialPosts:getDashboardStats", "measure": "p95", "allowed": 100, "found": 500}]
    stats = told["functions"][0]
    assert stats["insights"] == [
        {"kind": "documentsReadThreshold", "severity": "warning", "count": 14, "table": None,
         "reads": [{"table": "socialPosts", "documents": 27_000, "bytes": 9_000_000}]}
    ]  # fmt: skip
    assert [f["inProject"] for f in told["functions"]].count(False) == 2


def test_budgets_of_the_settings_and_of_the_command_line(door: Door, logs: Path, tmp_path: Path) -> None:
    settings = tmp_path / "querylint.toml"
    settings.write_text('[budget]\np95 = 40\nconflicts = 1\n"socialPosts:get*" = { p95 = 900 }\n')
    code, out, _ = door(logs, "--project", APP, "--config", settings)
    assert code == 1
    over = out.partition("Over budget:\n")[2].partition("\n\n")[0].splitlines()
    assert over == [
        "error socialPosts:list: 95th percentile of the time 50 ms, allowed 40 ms",
        "error credits:consume: conflicts 100 %, allowed 1 %",
    ]
    code, out, _ = door(logs, "--project", APP, "--config", settings, "--budget", "p95=100", "--budget", "conflicts=100")
    assert (code, "Over budget" in out) == (0, False)


@pytest.mark.parametrize("limit", ["p95", "p95=", "p95=-1", "p95=inf", "p95=nan", "speed=3"])
def test_a_limit_that_is_none(limit: str, door: Door, logs: Path) -> None:
    code, out, err = door(logs, "--project", APP, "--budget", limit)
    assert (code, out) == (2, "")
    assert f"`{limit}` is not MEASURE=MOST" in err


def test_a_log_on_standard_input(door: Door, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(logs.read_bytes())))
    code, out, _ = door("-", "--project", APP)
    assert code == 0
    assert "by standard input." in out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(logs.read_bytes())))
    assert "Compared with standard input:" in door(logs, "--against", "-", "--project", APP)[1]
    code, _, err = door("-", "--against", "-", "--project", APP)
    assert (code, "standard input (`-`) can be read once" in err) == (2, True)


def test_what_cannot_be_read(door: Door, tmp_path: Path) -> None:
    code, out, err = door(tmp_path / "none.jsonl", "--project", APP)
    assert (code, out) == (2, "")
    assert "cannot be read (no such file or directory)" in err
    page = tmp_path / "page.html"
    page.write_text("<html>\n")
    code, _, err = door(page, "--project", APP)
    assert code == 2
    assert "holds nothing that can be read as a log" in err
    assert door()[0] == 2


def test_a_log_of_nothing(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    path.write_text("")
    code, out, _ = door(path, "--project", APP)
    assert code == 0
    assert out.startswith("No run of a function is told in ")
    jsonschema.validate(json.loads(door(path, "--project", APP, "--format", "json")[1]), SCHEMA)


def test_what_a_log_holds_is_shown_without_effect(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in runs("posts:\x1b[31mlist\n", 2, 1, 1, componentPath="a\x07b")))
    code, out, _ = door(path, "--project", APP)
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\nlist" not in out


def test_compared_with_another_run(door: Door, logs: Path, tmp_path: Path) -> None:
    events = [
        *runs("socialPosts:getDashboardStats", 20, 0.025, 50),
        *runs("socialPosts:list", 200, 0.05, 800),
        *runs("personas:list", 5, 0.01, 3),
    ]
    after = tmp_path / "after.jsonl"
    after.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    code, out, _ = door(after, "--against", logs, "--project", APP)
    assert code == 0
    block = out.partition("Compared with logs.jsonl:\n")[2].partition("\n\n")[0].splitlines()
    assert [re.split(r"  +", line.strip()) for line in block] == [
        ["calls a minute", "mean", "p50", "p95", "documents"],
        ["3 → 6 (2 ×)", *["500 ms → 25 ms (0.05 ×)"] * 3, "5,000 → 50 (0.01 ×)", "socialPosts:getDashboardStats"],
        ["15 \u2192 60 (4 ×)", "50 ms", "50 ms", "50 ms", "800", "socialPosts:list"],
        ["Only now: personas:list."],
        ["Only then: POST /hook, credits:consume and elsewhere:run."],
    ]  # fmt: skip
    told = json.loads(door(after, "--against", logs, "--project", APP, "--format", "json")[1])
    jsonschema.validate(told, SCHEMA)
    assert told["against"]["sources"] == [str(logs)]
    then = {f["name"]: f["time"]["p95"] for f in told["against"]["functions"]}
    assert then["socialPosts:getDashboardStats"] == 500
    assert "users:getCurrent" not in then, "it was always answered from the cache"
    assert door(after, "--against", tmp_path / "none", "--project", APP)[0] == 2


BACKEND = {
    "convex/schema.ts": 'import { defineSchema, defineTable } from "convex/server";\nimport { v } from "convex/values";\n'
    "export default defineSchema({ notes: defineTable({ text: v.string() }) });\n",
    "convex/notes.ts": 'import { query } from "./_generated/server";\n'
    'export const all = query({ args: {}, handler: async (ctx) => await ctx.db.query("notes").collect() });\n',
    "convex/crons.ts": "export {};\n",
}


def test_two_backends_with_a_function_of_one_name(door: Door, tmp_path: Path) -> None:
    (tmp_path / "p" / "docs").mkdir(parents=True)
    lay(tmp_path / "p", {f"{folder}/{name}": text for folder in ("a", "b") for name, text in BACKEND.items()})
    path = tmp_path / "logs.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in runs("notes:all", 2, 1, 1)))
    _, out, _ = door(path, "--project", tmp_path / "p")
    assert "Several backends of the project have notes:all; name the folder of one." in out
    _, out, _ = door(path, "--project", tmp_path / "p" / "b", "--project", tmp_path / "p" / "docs", "--show", "info")
    assert "Several backends" not in out
    assert "b/convex/notes.ts" in out
    assert "a/convex/notes.ts" not in out


def project(root: Path, **files: str) -> Path:
    """A backend of these modules, with a table `notes`."""
    return lay(root, {"convex/schema.ts": BACKEND["convex/schema.ts"], **{f"convex/{name}.ts": text for name, text in files.items()}})


def measured(door: Door, root: Path, *events: list[dict[str, Any]]) -> dict[str, Any]:
    path = root.parent / "logs.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for some in events for event in some))
    told = json.loads(door(path, "--project", root, "--format", "json")[1])
    jsonschema.validate(told, SCHEMA)
    return told  # type: ignore[no-any-return]


def functions_of(told: dict[str, Any], path: str) -> list[list[str]]:
    """Of each finding in a file, the functions that it is told with."""
    return [f["functions"] for f in told["findings"] if f["path"] == path]


CALLED = """\
import { action, internalQuery, mutation, query } from "./_generated/server";
import { internal } from "./_generated/api";
export const all = internalQuery({ args: {}, handler: async (ctx) => await ctx.db.query("notes").collect() });
export const digest = action({ args: {}, handler: async (ctx) => {
  await ctx.runQuery(internal.notes.all, {});
  await fetch("https://model.example/");
} });
export const plan = mutation({ args: {}, handler: async (ctx) => {
  await ctx.scheduler.runAfter(0, internal.notes.all, {});
} });
export const page = query({ args: {}, handler: async (ctx) => await ctx.runQuery(internal.notes.all, {}) });
"""


def test_what_an_action_calls_and_what_is_scheduled_costs_what_it_takes_itself(door: Door, tmp_path: Path) -> None:
    root = project(tmp_path / "p", notes=CALLED)
    action = runs("notes:digest", 1, 60, 0, udfType="Action")
    inner = runs("notes:all", 1, 0.5, 900, parentExecutionId="notes:digest0")
    told = measured(door, root, action, inner, runs("notes:plan", 5, 3, 1, udfType="Mutation"))
    assert functions_of(told, "convex/notes.ts") == [["notes:all"]]
    assert told["milliseconds"] == 75_000, "the action waits for the query"
    assert {f["name"]: f["time"]["share"] for f in told["functions"]} == {
        "notes:digest": 80, "notes:plan": 20, "notes:all": pytest.approx(0.667, abs=0.001)
    }  # fmt: skip
    told = measured(door, root, runs("notes:page", 1, 1, 900))
    assert functions_of(told, "convex/notes.ts") == [["notes:page"]], "what a query calls is part of its run"


ROUTED = """\
import { httpRouter } from "convex/server";
import { httpAction } from "./_generated/server";
import { internal } from "./_generated/api";
import { hook } from "./hooks";
const ONE = "/one";
const http = httpRouter();
http.route({ path: "/inline", method: "GET", handler: httpAction(async (ctx, request) => {
  for (const id of await request.json()) await ctx.runQuery(internal.notes.one, { id });
  return new Response();
}) });
http.route({ path: ONE, method: "POST", handler: hook });
http.route({ pathPrefix: "/below/", method: "GET", handler: hook });
http.route({ path: process.env.SECRET_PATH, method: "POST", handler: hook });
export default http;
"""
HOOKS = """\
import { httpAction } from "./_generated/server";
import { internal } from "./_generated/api";
export const hook = httpAction(async (ctx, request) => {
  for (const id of await request.json()) await ctx.runQuery(internal.notes.one, { id });
  return new Response();
});
"""
ONE = """\
import { internalQuery } from "./_generated/server";
export const one = internalQuery({ args: {}, handler: async (ctx) => await ctx.db.query("notes").first() });
"""


def test_http_actions_are_known_by_the_requests_that_reach_them(door: Door, tmp_path: Path) -> None:
    root = project(tmp_path / "p", http=ROUTED, hooks=HOOKS, notes=ONE)
    names = ("GET /inline", "POST /one", "GET /below/*", "POST /secret", "GET /wp-login.php")
    told = measured(door, root, *(runs(name, 1, 1, 0, udfType="HttpAction") for name in names))
    assert {f["name"]: f["inProject"] for f in told["functions"]} == dict(zip(names, (True, True, True, False, False), strict=True))
    assert functions_of(told, "convex/hooks.ts") == [["GET /below/*", "POST /one"]]
    assert functions_of(told, "convex/http.ts") == [["GET /inline"]]


MANY = """\
import { query } from "./_generated/server";
const load = async (ctx: any) => (await ctx.db.query("notes").collect()).length;
export const one = query({ args: {}, handler: load });
export const two = query({ args: {}, handler: load });
export const big = query({ args: {}, handler: async (ctx) => (await ctx.db.query("notes").collect()).length });
"""


def test_of_percentiles_the_worst_ranks_a_finding(door: Door, tmp_path: Path) -> None:
    root = project(tmp_path / "p", notes=MANY)
    log = tmp_path / "logs.jsonl"
    some = [*runs("notes:one", 1, 0.3, 9), *runs("notes:two", 1, 0.3, 9), *runs("notes:big", 1, 0.5, 9)]
    log.write_text("".join(f"{json.dumps(event)}\n" for event in some))
    for order, first in (("p95", ["notes:big"]), ("time", ["notes:one", "notes:two"])):
        told = json.loads(door(log, "--project", root, "--format", "json", "--by", order)[1])
        assert told["findings"][0]["functions"] == first


def test_reports_of_functions_that_are_not_shown_are_few(door: Door, tmp_path: Path) -> None:
    occ = {"tableName": "notes", "writeSource": "x", "retryCount": 0}
    log = tmp_path / "logs.jsonl"
    some = [event for n in range(9) for event in runs(f"m:f{n}", 1, 1 + n, 1, udfType="Mutation", occInfo=occ)]
    named = {"kind": "documentsReadLimit", "severity": "error", "functionId": "m:last", "componentPath": None, "count": 1}
    log.write_text("".join(f"{json.dumps(event)}\n" for event in (*some, *runs("socialPosts:list", 1, 1, 1), *runs("posts:x", 1, 1, 1),
                                                                  {"deploymentName": "d", "insights": [named]})))  # fmt: skip
    lines = door(log, "--project", APP, "--top", "1")[1].splitlines()
    told = [line for line in lines if line.startswith(("error ", "warning "))]
    assert told[0] == "error m:last read more documents than one transaction may 1 time"
    assert len(told) == 10, "there is no more of the project to show"


def test_findings_that_are_not_shown_are_not_counted_in_the_table(door: Door, logs: Path) -> None:
    plain, few = (door(logs, "--project", APP, *more)[1] for more in ((), ("--show", "error")))
    counts = [[line.split()[-3] for line in out.splitlines()[3:7]] for out in (plain, few)]
    assert counts == [["1", "1", "1", "-"], ["-", "-", "-", "-"]]
    assert "lesser findings" not in plain
    named = "socialPosts:getDashboardStats, socialPosts:list and credits:consume"
    assert re.search(rf"\d lesser findings on their way; there is nothing else on that of {named}: --show info", few)


def test_conflicts_bear_out_what_is_a_hint_without_them(door: Door, tmp_path: Path) -> None:
    lay(
        tmp_path / "app",
        {
            "convex/schema.ts": (
                'import { defineSchema, defineTable } from "convex/server";\nimport { v } from "convex/values";\n'
                "export default defineSchema({ lobby: defineTable({ served: v.number() }) });\n"
            ),
            "convex/lobby.ts": (
                'import { mutation } from "./_generated/server";\n'
                "export const serve = mutation({ args: {}, handler: async (ctx) => {\n"
                '  const lobby = await ctx.db.query("lobby").first();\n'
                "  if (lobby) await ctx.db.patch(lobby._id, { served: lobby.served + 1 });\n"
                "} });\n"
            ),
            "convex/_generated/server.d.ts": "export {};\n",
        },
    )
    occ = {"tableName": "lobby", "writeSource": "lobby:serve", "retryCount": 1}
    calm = tmp_path / "calm.jsonl"
    calm.write_text("\n".join(map(json.dumps, runs("lobby:serve", 4, 0.1, 1, udfType="Mutation"))))
    busy = tmp_path / "busy.jsonl"
    busy.write_text("\n".join(map(json.dumps, runs("lobby:serve", 4, 0.1, 1, udfType="Mutation", occInfo=occ, willRetry=True))))
    without = door(calm, "--project", tmp_path / "app")[1]
    assert "lobby:serve mutation" in without
    assert "hot-row" not in without
    with_conflicts = door(busy, "--project", tmp_path / "app")[1]
    assert "warning hot-row each call of `serve` changes `served` of one row of `lobby`" in with_conflicts
    assert "= measured: 4 runs met another transaction on `lobby`" in with_conflicts
