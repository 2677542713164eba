"""The lab on our own examples: code before and after its fixes, run under convex-test on random documents, and type-checked.

It needs Node; without it the tests are skipped. `LAB_CASES` says on how many sets of documents each function runs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from fix_cases import FixCase, fix_cases
from lab_packages import LAB, installed
from laid import lay
from querylint import discover, engine
from querylint.benches import RUNNABLE
from querylint.engine import Project
from querylint.lab import packages
from querylint.lab.experiment import Experiment
from querylint.lab.process import RUNNER, Bench, Site
from querylint.lab.trial import Outcome
from querylint.mend import Choice, Mended, mend
from querylint.verification import trial
from tools import needs

WORK = LAB / "work"
APPS = LAB.parent.parent / "fixtures/apps"
CLAIMING = ("limit", "push-down")
"""Pages whose fixes say that fewer documents are scanned; the others say that there are fewer waits."""
BROKEN_BEFORE = ("rename",)
"""Pages of which the code before fails whenever it runs, so that there is nothing to compare."""
CASES = int(os.environ.get("LAB_CASES", "12"))

pytestmark = needs("node", "npm")


def _slug(case: FixCase) -> str:
    return re.sub(r"[^a-z0-9]+", "-", case.name.lower()).strip("-")


def _pages() -> list[FixCase]:
    return [case for case in fix_cases() if case.stack == "Convex" and case.after and case.page not in BROKEN_BEFORE]


def _run(folder: Path, mended: Mended, changed: dict[str, bytes], cases: int = CASES) -> list[Outcome]:
    """Every function of a project that can be called and may run what was changed, before and after: any, where the schema alone was."""
    rules = engine.load_rules()
    project = Project(discover.locate([folder]), engine.settings_for(folder, rules))
    program = project.program()[0]
    touched = {entry.key for f in program.functions.values() if f.path in changed for entry in program.entries(f.key)}
    functions = [f for f in program.functions.values() if f.kind in RUNNABLE and f.route and (not touched or f.key in touched)]
    caveats = {caveat for made in mended.made for caveat in made.fix.caveats}
    site = Site(folder, functions[0].root, (folder,))
    with Bench(packages.node(), packages.find([folder], installed(), None), site) as bench:
        return list(Experiment(bench).run(trial(project, functions, changed, caveats), range(cases)))


def _judge(outcomes: Iterable[Outcome], *, fewer: bool) -> None:
    found = list(outcomes)
    for outcome in found:
        assert outcome.difference is None, outcome
    assert any(outcome.verified for outcome in found), found
    print(f"lab: {sum(o.cases for o in found)} cases, scanned {sum(o.before for o in found)} and {sum(o.after for o in found)}")
    if fewer:
        assert sum(outcome.after for outcome in found) < sum(outcome.before for outcome in found)


@pytest.mark.parametrize("case", _pages(), ids=_slug)
def test_results_stay_the_same_and_no_more_is_scanned(case: FixCase, tmp_path: Path) -> None:
    lay(tmp_path, case.before)
    mended = mend([tmp_path], None, {"show": "info"}, Choice(unsafe=True, select=frozenset(m.rule for m in case.marks)))
    changed = {path: text.encode() for path, text in case.after.items()}
    _judge(_run(tmp_path, mended, changed), fewer=case.page in CLAIMING)


@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "all"])
def test_an_application_stays_the_same(unsafe: bool, tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(APPS / "hooklabs", app)
    mended = mend([app], None, {"show": "info"}, Choice(unsafe=unsafe))
    _judge(_run(app, mended, dict(mended.after), max(1, CASES // 6)), fewer=unsafe)


def test_what_fixes_make_type_checks(tmp_path: Path) -> None:
    installed()
    shutil.rmtree(WORK, ignore_errors=True)
    for case in _pages():
        lay(WORK / _slug(case), {**case.before, **case.after})
    for unsafe in (False, True):
        app = tmp_path / str(unsafe)
        shutil.copytree(APPS / "hooklabs", app)
        mend([app], None, {"show": "info"}, Choice(unsafe=unsafe)).write()
        shutil.copytree(app, WORK / f"hooklabs-{unsafe}")
    for folder in WORK.iterdir():
        if not (folder / "convex/_generated").exists():
            shutil.copytree(RUNNER / "generated", folder / "convex/_generated")
    done = subprocess.run([LAB / "node_modules/.bin/tsc", "--noEmit", "-p", "."], cwd=LAB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_runner_type_checks() -> None:
    installed()
    command = [LAB / "node_modules/.bin/tsc", "-p", "tsconfig.runner.json"]
    done = subprocess.run(command, cwd=LAB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
