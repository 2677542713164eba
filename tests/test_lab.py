"""The lab: code before and after its fixes, run under convex-test on random documents, and type-checked.

It needs Node; without it the tests are skipped. `LAB_SEEDS` says on how many sets of documents each function runs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fix_cases import FixCase, fix_cases
from laid import lay
from querylint.mend import Choice, Mended, mend
from tools import needs, unavailable

LAB = Path(__file__).parent / "lab"
WORK = LAB / "work"
APPS = LAB.parent.parent / "fixtures/apps"
TOOLS = LAB / "node_modules/.bin"
CLAIMING = ("limit", "push-down")
"""Pages whose fixes say that fewer documents are scanned; the others say that there are fewer waits."""
BROKEN_BEFORE = ("rename",)
"""Pages of which the code before fails whenever it runs, so that there is nothing to compare."""

pytestmark = needs("node", "npm")


def _slug(case: FixCase) -> str:
    return re.sub(r"[^a-z0-9]+", "-", case.name.lower()).strip("-")


def _lay_out(name: str, before: Path, after: Path) -> None:
    for side, source in (("before", before), ("after", after)):
        target = WORK / name / side
        shutil.copytree(source, target)
        if not (target / "convex/_generated").exists():
            shutil.copytree(LAB / "generated", target / "convex/_generated")


def _trial(name: str, mended: Mended, *, fewer: bool) -> dict[str, object]:
    """What must stay the same: all of it, but for what a caveat says."""
    caveats = " ".join(caveat for made in mended.made for caveat in made.fix.caveats)
    order = "order of that index" not in caveats
    errors = order and "may be the one that is thrown" not in caveats
    return {"name": name, "order": order, "errors": errors, "fewer": fewer, "numbers": "NaN and -0" not in caveats}


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """Every fixture with a fix, and the whole application with its safe fixes and with all of them."""
    if not (LAB / "node_modules/.package-lock.json").exists():
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=LAB, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            unavailable(f"the packages of the lab cannot be installed: {done.stderr.strip()[-200:]}")
    shutil.rmtree(WORK, ignore_errors=True)
    found: list[dict[str, object]] = []
    for case in fix_cases():
        if case.stack != "Convex" or not case.after or case.page in BROKEN_BEFORE:
            continue
        before, after = (tmp_path_factory.mktemp(side) for side in ("before", "after"))
        lay(before, case.before)
        lay(after, {**case.before, **case.after})
        mended = mend([before], None, {"show": "info"}, Choice(unsafe=True, select=frozenset(m.rule for m in case.marks)))
        _lay_out(_slug(case), before, after)
        found.append(_trial(_slug(case), mended, fewer=case.page in CLAIMING))
    for name, unsafe in (("hooklabs-safe", False), ("hooklabs-all", True)):
        folder = tmp_path_factory.mktemp(name)
        app = folder / "app"
        shutil.copytree(APPS / "hooklabs", app)
        mended = mend([app], None, {"show": "info"}, Choice(unsafe=unsafe))
        mended.write()
        _lay_out(name, APPS / "hooklabs", app)
        found.append(_trial(name, mended, fewer=unsafe))
    (WORK / "trials.json").write_text(json.dumps(found))
    return found


def test_results_stay_the_same_and_no_more_is_scanned(trials: list[dict[str, object]]) -> None:
    done = subprocess.run([TOOLS / "vitest", "run"], cwd=LAB, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"lab: {len(trials)} trials" in done.stdout


def test_what_fixes_make_type_checks(trials: list[dict[str, object]]) -> None:
    done = subprocess.run([TOOLS / "tsc", "--noEmit", "-p", "."], cwd=LAB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
