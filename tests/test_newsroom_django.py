"""The newsroom application: what is found is what is marked, and what is stated is what the real Django sends."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from querylint import engine
from querylint.rule import Finding

ROOT = Path(__file__).parent.parent
APP = ROOT / "fixtures/apps/newsroom-django"
MARK = re.compile(r"# expect: ([a-z-]+)$", re.MULTILINE)
ROW = re.compile(r"^\| [^|]+ \| ([a-z]+\.py): (\w+) \| ([a-z-]+) \| ([\w, ]+) \|$", re.MULTILINE)
COST = re.compile(r"(?:(\d+) × )?n (?:queries\b.*|statements)")
SIZES = (5, 10)

PLANNED = {(file, name): (pattern, twins.split(", ")) for file, name, pattern, twins in ROW.findall((APP / "README.md").read_text())}
PAIRS = [(file, name, twin) for (file, name), (_, twins) in PLANNED.items() for twin in twins]


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    return list(engine.check([APP]).result.findings)


@pytest.fixture(scope="module")
def measured() -> dict[int, dict[str, Any]]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "newsroom.settings", "PYTHONPATH": str(APP), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(ROOT / "tests/newsroom_measure.py"), *map(str, SIZES)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {int(size): actions for size, actions in json.loads(done.stdout).items()}


def _holder(finding: Finding) -> tuple[str, str]:
    """The file and the name of the function or class at the top of a module that a finding lies in."""
    path, line = APP / finding.found.span.path, finding.found.span.line
    tops = ast.parse(path.read_text(encoding="utf-8")).body
    (name,) = [
        top.name for top in tops if isinstance(top, ast.FunctionDef | ast.ClassDef) and top.lineno <= line <= (top.end_lineno or top.lineno)
    ]
    return path.name, name


def test_what_is_found_is_what_is_marked(findings: list[Finding]) -> None:
    marked = [
        (path.relative_to(APP).as_posix(), number, mark[1])
        for path in sorted(APP.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (mark := MARK.search(line))
    ]
    assert sorted((f.found.span.path, f.found.span.line, f.pattern) for f in findings) == marked


def test_what_is_found_is_what_the_page_of_the_application_lists(findings: list[Finding]) -> None:
    assert len(PLANNED) == 7
    assert {_holder(f): f.pattern for f in findings} == {place: pattern for place, (pattern, _) in PLANNED.items()}


@pytest.mark.parametrize(("file", "name", "twin"), PAIRS, ids=[f"{name}-{twin}" for _, name, twin in PAIRS])
def test_statements_grow_as_the_finding_says_and_not_in_the_twin(
    file: str, name: str, twin: str, findings: list[Finding], measured: dict[int, dict[str, Any]]
) -> None:
    (finding,) = [f for f in findings if _holder(f) == (file, name)]
    assert finding.found.cost is not None
    stated = COST.fullmatch(finding.found.cost.now)
    assert stated, finding.found.cost.now
    few, many = (measured[size] for size in SIZES)
    assert many[name]["statements"] - few[name]["statements"] == int(stated[1] or 1) * (SIZES[1] - SIZES[0])
    assert many[twin]["statements"] == few[twin]["statements"] < few[name]["statements"]
    for actions in (few, many):
        assert actions[name]["result"] == actions[twin]["result"]
