"""Adopting querylint in an old project: what was there is listed once, and only what is new is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from git_project import OLD_SIN, READING_HELPERS, GitProject
from querylint import cli


class Adopted(GitProject):
    def run(self, *args: str) -> int:
        return cli.run(args)

    @property
    def file(self) -> Path:
        return self.folder / "querylint-baseline.json"

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.file.read_text(encoding="utf-8"))["findings"]
        return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Adopted:
    project = Adopted(tmp_path / "repo")
    project.write({"convex/old.ts": OLD_SIN})
    monkeypatch.chdir(project.folder)
    assert project.run("baseline", "create") == 0
    return project


def test_what_was_there_is_listed_and_no_more_reported(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert project.run("check", "--show", "info", "--fail-on", "info") == 0
    assert "Found nothing new to report, 2 known from `querylint-baseline.json`." in capsys.readouterr().out
    assert project.run("check", "--no-baseline") == 1


def test_edits_elsewhere_in_the_file_change_nothing(project: Adopted) -> None:
    other = 'export const other = query(async (ctx) => await ctx.db.query("posts").take(5));\n'
    project.write({"convex/old.ts": "// moved down\n\n" + OLD_SIN.replace("const posts", "const  posts") + other})
    assert project.reported() == []
    assert project.run("check") == 0


def test_what_is_new_is_reported_beside_it(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"convex/helpers.ts": READING_HELPERS})
    capsys.readouterr()
    assert project.run("check", "--format", "json") == 1
    report = json.loads(capsys.readouterr().out)
    states = [(f["rule"], f["baselineState"]) for f in report["findings"] if f["severity"] != "info"]
    assert states == [("unbounded-read", "unchanged"), ("loop-read", "new")]
    assert (report["summary"]["warning"], report["summary"]["known"]) == (1, 2)
    assert project.run("check", "--format", "sarif") == 1
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert {(r["ruleId"], r["baselineState"]) for r in results} >= {("unbounded-read", "unchanged"), ("loop-read", "new")}


def test_a_mistake_that_is_mended_here_and_made_there_is_new(project: Adopted) -> None:
    project.write({"convex/old.ts": "export {};\n", "convex/new.ts": OLD_SIN.replace("everything", "anew")})
    assert project.reported() == ["unbounded-read convex/new.ts"]


def test_the_same_mistake_once_more_in_one_function_is_new(project: Adopted) -> None:
    twice = OLD_SIN.replace("  return", '  const more = await ctx.db.query("posts").collect();\n  return more.length > 0 ? more :')
    project.write({"convex/old.ts": twice})
    assert project.reported().count("unbounded-read convex/old.ts") == 1


def test_one_finding_a_line_in_a_stable_order(project: Adopted) -> None:
    text = project.file.read_text(encoding="utf-8")
    assert text.endswith("\n  ]\n}\n")
    rows = [line for line in text.splitlines() if line.startswith("    {")]
    assert len(rows) == len(project.listed()) == 2
    assert [json.loads(row.rstrip(",")) for row in rows] == project.listed()
    assert {(e["path"], e["function"], e["table"], e["since"]) for e in project.listed()} == {
        ("convex/old.ts", "everything", "posts", "0.1.0")
    }


def test_what_is_mended_is_said_and_pruned(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"convex/old.ts": "export {};\n"})
    capsys.readouterr()
    assert project.run("check") == 0
    assert "2 entries are no longer found: `querylint baseline prune` removes them" in capsys.readouterr().out
    assert project.run("check", "--baseline-strict") == 1
    assert "Gate `stale-baseline` failed: 2 found, none allowed." in capsys.readouterr().out
    assert project.run("baseline", "prune") == 0
    assert project.listed() == []
    assert project.run("check", "--baseline-strict") == 0


def test_update_follows_a_rename_and_adds_nothing_unasked(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    (project.folder / "convex" / "old.ts").rename(project.folder / "convex" / "moved.ts")
    project.write({"convex/helpers.ts": READING_HELPERS})
    assert project.reported() == ["loop-read convex/posts.ts"]
    capsys.readouterr()
    assert project.run("baseline", "update") == 0
    said = capsys.readouterr().out
    assert "querylint-baseline.json lists 2 findings: 1 error, 1 hint; 0 removed, 2 renamed, 0 added." in said
    assert "Fix them, or add them with --accept-new." in said
    assert {e["path"] for e in project.listed()} == {"convex/moved.ts"}
    assert project.reported() == ["loop-read convex/posts.ts"]
    assert project.run("baseline", "update", "--accept-new") == 0
    assert project.reported() == []


def test_entries_of_rules_that_rest_stay(project: Adopted) -> None:
    project.write({"querylint.toml": 'ignore = ["unbounded-read", "whole-rows"]\n', "convex/old.ts": OLD_SIN})
    before = project.listed()
    assert project.run("baseline", "prune") == 0
    assert project.run("check", "--baseline-strict") == 0
    assert project.listed() == before


def test_show_says_what_is_listed(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    project.write({"convex/old.ts": "// down\n" + OLD_SIN})
    assert project.run("baseline", "show", "--rule", "unbounded-read") == 0
    assert capsys.readouterr().out == (
        "convex/old.ts:5: error unbounded-read in everything (unchanged)\n"
        "querylint-baseline.json lists 1 finding: 1 error. By rule: 1 unbounded-read.\n"
    )
    assert project.run("baseline", "show", "--format", "json") == 0
    assert [f["state"] for f in json.loads(capsys.readouterr().out)["findings"]] == ["unchanged", "unchanged"]


def test_a_known_hint_that_becomes_an_error_is_new(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    hints = [{**entry, "severity": "info"} for entry in project.listed()]
    project.file.write_text(json.dumps({"version": 1, "findings": hints}), encoding="utf-8")
    capsys.readouterr()
    assert project.run("check") == 1
    said = capsys.readouterr().out
    assert "convex/old.ts:4:23: error unbounded-read" in said
    assert "(was a hint)\n" in said
    assert "Found 1 new error, 1 of them less severe before, 1 known from `querylint-baseline.json`." in said
    assert project.run("check", "--format", "json") == 1
    report = json.loads(capsys.readouterr().out)
    worse = [(f["rule"], f["severity"], f["severityBefore"], f["baselineState"]) for f in report["findings"] if f["severityBefore"]]
    assert worse == [("unbounded-read", "error", "info", "updated")]
    assert project.run("check", "--format", "sarif") == 1
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert [(r["baselineState"], r["properties"].get("severityBefore")) for r in results] == [("updated", "info"), ("unchanged", None)]


def test_update_accepts_a_worse_finding_only_when_asked(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    hints = [{**entry, "severity": "info"} for entry in project.listed()]
    project.file.write_text(json.dumps({"version": 1, "findings": hints}), encoding="utf-8")
    capsys.readouterr()
    assert project.run("baseline", "update") == 0
    said = capsys.readouterr().out
    assert "Not in the baseline: 1 finding: 1 error (1 less severe there). Fix them, or add them with --accept-new." in said
    assert [entry["severity"] for entry in project.listed()] == ["info", "info"]
    assert project.run("baseline", "show", "--rule", "unbounded-read") == 0
    assert "info unbounded-read in everything (now error)" in capsys.readouterr().out
    assert project.run("baseline", "update", "--accept-new") == 0
    assert sorted(entry["severity"] for entry in project.listed()) == ["error", "info"]
    assert project.run("check") == 0


def test_what_becomes_milder_stays_known_and_may_not_come_back(project: Adopted) -> None:
    project.write({"querylint.toml": '[severity]\nunbounded-read = "info"\n'})
    assert project.run("check", "--show", "info", "--fail-on", "info") == 0
    assert project.run("baseline", "update") == 0
    project.write({"querylint.toml": ""})
    assert project.reported() == ["unbounded-read convex/old.ts"]


def test_a_file_without_severities_stays_readable(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    old = [{key: value for key, value in entry.items() if key != "severity"} for entry in project.listed()]
    project.file.write_text(json.dumps({"version": 1, "findings": old}), encoding="utf-8")
    capsys.readouterr()
    assert project.run("check") == 0
    said = capsys.readouterr().out
    assert "2 entries are without a severity, and are assumed to have been as severe as now: `querylint baseline update`" in said
    assert project.run("baseline", "show") == 0
    assert "lists 2 findings: 2 of unknown severity." in capsys.readouterr().out
    assert project.run("baseline", "update") == 0
    assert [entry["severity"] for entry in project.listed()] == ["info", "error"]
    assert project.run("check") == 0
    assert "without a severity" not in capsys.readouterr().out


def test_create_overwrites_nothing(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    before = project.file.read_text()
    assert project.run("baseline", "create") == 2
    assert "`querylint-baseline.json` exists; `querylint baseline update --accept-new` adds what is new" in capsys.readouterr().err
    assert project.file.read_text() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "querylint-baseline.json:1: this is not JSON"),
        ('{\n<<<<<<< ours\n"version": 1}', "is there a merge conflict in it?"),
        ("[]", "is not a querylint baseline"),
        ('{"version": 7}', "is of version 7, which this querylint does not know"),
        ('{"version": 1, "findings": {}}', "`findings` must be a list"),
        ('{"version": 1, "findings": [1]}', "finding 1 must be a table"),
        ('{"version": 1, "findings": [{"id": "a", "rule": "b", "severity": "bad"}]}', 'finding 1 is of the severity "bad"; it must be one'),
        ('{"version": 1, "findings": [{"rule": "loop-read"}]}', "finding 1 is incomplete or wrong (`id, rule and fields`)"),
        ('{"version": 1, "findings": [{"id": "a", "rule": "b", "path": 3}]}', "finding 1 is incomplete or wrong (`path`)"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(project: Adopted, text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    project.file.write_text(text)
    assert project.run("check") == 2
    assert words in capsys.readouterr().err


def test_a_baseline_that_was_named_has_to_be_there(project: Adopted, capsys: pytest.CaptureFixture[str]) -> None:
    assert project.run("check", "--baseline", "other.json") == 2
    assert "there is no baseline `other.json`; `querylint baseline create` makes one" in capsys.readouterr().err
    assert project.run("baseline", "create", "--baseline", "other.json") == 0
    project.file.unlink()
    assert project.run("check", "--baseline", "other.json") == 0
    assert project.run("check") == 1
