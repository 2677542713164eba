"""The differential of findings between two states of the tool."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.ecosystem import Answer, _changes, _projects, _report

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "fixtures" / "apps"


def finding(line: int, severity: str) -> dict[str, Any]:
    return {"path": "a.ts", "start": {"line": line}, "rule": "loop-read", "severity": severity, "message": "read in a loop"}


BEFORE = Answer({"one": finding(1, "warning"), "two": finding(2, "info"), "gone": finding(3, "error")}, "", 1)
AFTER = Answer({"one": finding(1, "warning"), "two": finding(2, "error"), "new": finding(9, "info")}, "", 2)


def test_what_came_went_or_weighs_otherwise() -> None:
    marks = [(mark, f["start"]["line"], weight) for mark, f, weight in _changes(BEFORE, AFTER)]
    assert marks == [("~", 2, "info -> error"), ("-", 3, "error"), ("+", 9, "info")]


def test_a_failure_is_said_and_compared_with_nothing() -> None:
    failed = Answer({}, "ended with exit code 70: it broke", 1)
    assert list(_changes(BEFORE, failed)) == []
    assert "| app | 1 / 1 / 1 | ended with exit code 70: it broke | 0 | 0 | 0 | 1.0 | 1.0 |" in list(
        _report("a", "b", [("app", BEFORE, failed)])
    )


def test_a_folder_of_projects_or_a_project() -> None:
    assert APPS / "hooklabs" in list(_projects([APPS]))
    assert list(_projects([APPS / "hooklabs"])) == [APPS / "hooklabs"]


def test_a_state_against_itself_changes_nothing(tmp_path: Path) -> None:
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "state"]):
        subprocess.run(["git", *words], cwd=_copied(tmp_path), check=True)
    command = [sys.executable, "-m", "benchmarks.ecosystem", "HEAD", str(APPS / "hooklabs")]
    done = subprocess.run(command, cwd=tmp_path / "tool", capture_output=True, text=True, check=False)
    assert (done.returncode, "0 of 1 projects changed" in done.stdout) == (0, True), done.stderr


def test_an_unknown_revision_is_one_sentence(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=_copied(tmp_path), check=True)
    command = [sys.executable, "-m", "benchmarks.ecosystem", "no-such-revision", str(APPS / "hooklabs")]
    done = subprocess.run(command, cwd=tmp_path / "tool", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def _copied(folder: Path) -> Path:
    """The tool in a folder of its own, so that this repository stays as it is."""
    made = folder / "tool"
    if not made.exists():
        for room in ("analyzer", "rules", "reports_templates", "benchmarks"):
            shutil.copytree(ROOT / room, made / room, ignore=shutil.ignore_patterns("__pycache__", ".work"))
    return made
