"""Whole small applications: every defect that its author marked is found, and nothing else is called a warning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from querylint import engine
from querylint.rule import Finding, Severity

APPS = Path(__file__).parent.parent / "fixtures/apps"
MARK = re.compile(r"// expect: ([a-z -]+)$")


def _marks(app: Path) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    for path in sorted(app.rglob("*.[tj]s*")):
        for number, line in enumerate(path.read_bytes().decode().splitlines(), 1):
            if mark := MARK.search(line.rstrip()):
                found[path.relative_to(app).as_posix(), number] = mark[1].split()
    return found


def _findings(app: Path) -> dict[tuple[str, int], list[Finding]]:
    found: dict[tuple[str, int], list[Finding]] = {}
    for finding in engine.check([app]).result.findings:
        found.setdefault((finding.found.span.path, finding.found.span.line), []).append(finding)
    return found


def test_every_marked_defect_of_hooklabs_is_found() -> None:
    app = APPS / "hooklabs"
    marks, findings = _marks(app), _findings(app)
    assert len(marks) > 35
    missed = {place: wanted for place, wanted in marks.items() if wanted[0] not in {f.pattern for f in findings.get(place, [])}}
    assert not missed


def test_hooklabs_warns_of_nothing_that_is_not_marked() -> None:
    app = APPS / "hooklabs"
    marks = _marks(app)
    loud = [
        (place, f.rule, f.found.message)
        for place, found in _findings(app).items()
        for f in found
        if f.severity is not Severity.INFO and f.pattern not in marks.get(place, [])
    ]
    assert not loud


def test_the_mended_twin_is_silent() -> None:
    loud = [(place, f.rule, f.found.message) for place, found in _findings(APPS / "hooklabs-optimized").items() for f in found]
    assert not [entry for entry in loud if entry]


@pytest.mark.parametrize("app", ["hooklabs", "hooklabs-optimized"])
def test_two_runs_say_the_same(app: str) -> None:
    first, second = (engine.check([APPS / app]).result for _ in range(2))
    assert first.findings == second.findings
    assert first.notes == second.notes
