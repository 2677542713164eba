"""Criteria of the settings that fail a run: so many findings of a rule, a pattern or a severity, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from git_project import OLD_SIN, READING_HELPERS, GitProject
from querylint import cli


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitProject:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/old.ts": OLD_SIN, "convex/helpers.ts": READING_HELPERS})
    monkeypatch.chdir(project.folder)
    return project


@pytest.mark.parametrize(
    ("gates", "args", "code"),
    [
        ("", [], 0),
        ("loop-read = 0", [], 1),
        ("loop-read = 1", [], 0),
        ("unbounded = 0", [], 1),
        ("scan-filter = 0", [], 0),
        ("warning = 0", [], 1),
        ("warning = 1", [], 0),
        ("error = 0", [], 1),
        ("filter-in-memory = 0", [], 0),
        ("filter-in-memory = 0", ["--show", "info"], 1),
        ("info = 0", [], 1),
        ("loop-read = 0", ["--exit-zero"], 0),
        ("loop-read = 0", ["convex/posts.ts"], 0),
        ("loop-read = 0", ["--changed"], 0),
        ("loop-read = 0", ["--since", "HEAD"], 0),
        ("loop-read = 0", ["--ignore", "loop-read"], 0),
    ],
)
def test_a_gate_fails_the_run_of_the_whole_project(project: GitProject, gates: str, args: list[str], code: int) -> None:
    project.write({"querylint.toml": f'fail-on = "never"\n[gates]\n{gates}\n'})
    assert cli.run(["check", *args]) == code


def test_a_gate_that_counts_several_rules_says_which(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    twice = """\
import { query } from "./_generated/server";
export const f = query(async (ctx, { ids, who }) => {
  for (const id of ids) {
    await ctx.db.get(id);
  }
});
export const g = query(async (ctx, { ids, who }) => {
  for (const id of ids) {
    console.log(id, await ctx.db.get(who));
  }
});
"""
    project.write({"convex/twice.ts": twice, "querylint.toml": 'fail-on = "never"\n[gates]\nloop-read = 0\n'})
    assert cli.run(["check"]) == 1
    said = capsys.readouterr().out
    assert "Gate `loop-read` failed: 3 found (2 loop-read, 1 invariant-read), none allowed." in said


def test_every_output_names_the_gate_that_failed(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"querylint.toml": 'fail-on = "never"\n[gates]\nloop-read = 0\nerror = 3\n'})
    sentence = "Gate `loop-read` failed: 1 found, none allowed."
    assert cli.run(["check", "--format", "text", "--output", "sarif=a.sarif", "--output", "json=a.json"]) == 1
    assert sentence in capsys.readouterr().out
    assert json.loads(Path("a.sarif").read_text())["runs"][0]["invocations"][0]["exitCodeDescription"] == sentence
    assert json.loads(Path("a.json").read_text())["gates"] == [
        {"name": "loop-read", "allowed": 0, "found": 1, "failed": True},
        {"name": "error", "allowed": 3, "found": 1, "failed": False},
    ]
    assert cli.run(["check", "--format", "concise"]) == 1
    assert sentence in capsys.readouterr().err


def test_a_baseline_opens_no_gate(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["baseline", "create"]) == 0
    project.write({"querylint.toml": "[gates]\nloop-read = 0\n"})
    capsys.readouterr()
    assert cli.run(["check"]) == 1
    said = capsys.readouterr().out
    assert "Gate `loop-read` failed: 1 found, none allowed." in said
    assert "Found nothing new to report" in said


def test_unknown_names_and_numbers_are_refused_with_a_hint(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"querylint.toml": '[gates]\nloop_read = 0\nlazy-loop = -1\nmem-filter = true\nwarning = "none"\n'})
    assert cli.run(["check"]) == 2
    assert capsys.readouterr().err == (
        "querylint: querylint.toml:2: `loop_read` in `gates` is not a rule, pattern or severity; did you mean `loop-read`?\n"
        "querylint: querylint.toml:3: `gates.lazy-loop` must be a number of findings from 0 up, not -1\n"
        "querylint: querylint.toml:4: `gates.mem-filter` must be a number of findings from 0 up, not true\n"
        'querylint: querylint.toml:5: `gates.warning` must be a number of findings from 0 up, not "none"\n'
    )
