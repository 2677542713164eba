"""The lab for Python: code before and after its fixes, run on the real Django and SQLAlchemy on random rows.

`LAB_SEEDS` says on how many sets of rows each function runs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fix_cases import FixCase, fix_cases
from laid import lay
from querylint.mend import Choice, mend

LAB = Path(__file__).parent / "lab/python"
SEEDS = int(os.environ.get("LAB_SEEDS", "30"))
CASES = [case for case in fix_cases() if case.stack in ("Django", "SQLAlchemy") and case.after and case.page != "add-index"]
EVEN_WITHOUT = "even if there are no"
READ_AGAIN = "read once more"
OTHER_ERROR = "raises KeyError"
SEVERAL_ROWS = "several rows may have one key"
TOO_MANY = ("MultipleObjectsReturned", "MultipleResultsFound")
EARLY_ERROR = "fails even if no iteration needs"
FEWER = {"asking": "loaded"}
"""What there is less of after the fixes of a page, where that is not the number of statements."""
SIDE_BY_SIDE = "gather"
"""The page whose fixes say that more is waited for at one time."""


@dataclass(frozen=True)
class Trial:
    """What came of one case, and what its fixes say of themselves."""

    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    caveats: str


def _slug(case: FixCase) -> str:
    return re.sub(r"[^a-z0-9]+", "-", case.name.lower()).strip("-")


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    """Every case with a fix, run on both sides."""
    folder = tmp_path_factory.mktemp("lab")
    asked, caveats = [], {}
    for case in CASES:
        sides = {side: folder / _slug(case) / side for side in ("before", "after")}
        lay(sides["before"], case.before)
        lay(sides["after"], {**case.before, **case.after})
        mended = mend([sides["before"]], None, {"show": "info"}, Choice(unsafe=True, select=frozenset(m.rule for m in case.marks)))
        caveats[case.name] = " ".join(caveat for made in mended.made for caveat in made.fix.caveats)
        marked = {path for path in (*case.after, *(mark.path for mark in case.marks)) if path.endswith(".py")}
        files = sorted(marked - {path for path in case.before if path.endswith("models.py")})
        asked.append(
            {"name": case.name, "stack": case.stack.lower(), "files": files, "seeds": SEEDS, **{s: str(p) for s, p in sides.items()}}
        )
    (folder / "trials.json").write_text(json.dumps(asked))
    done = subprocess.run([sys.executable, LAB / "trials.py", folder / "trials.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = {trial["name"]: Trial(trial["before"], trial["after"], caveats[trial["name"]]) for trial in json.loads(done.stdout)}
    runs = sum(len(trial.before) for trial in found.values())
    print(f"lab: {len(found)} rewrites, {runs} runs before and after")
    return found


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_results_stay_the_same_with_fewer_statements(name: str, trials: dict[str, Trial]) -> None:
    trial = trials[name]
    extra = 1 if EVEN_WITHOUT in trial.caveats or READ_AGAIN in trial.caveats else 0
    least = 2 if name.startswith("batch") else 0  # what is read ahead, by what was read before it, even where there are no keys
    assert trial.before, "nothing was run"
    for before, after in zip(trial.before, trial.after, strict=True):
        assert (before["function"], before["seed"]) == (after["function"], after["seed"])
        if SEVERAL_ROWS in trial.caveats and str(before["error"]).startswith(TOO_MANY):
            continue
        if EARLY_ERROR in trial.caveats and after["error"] is not None:
            assert before["error"] in (None, after["error"])
            continue
        assert after["result"] == before["result"], before
        assert after["stored"] == before["stored"], before
        if OTHER_ERROR in trial.caveats:
            assert (after["error"] is None) == (before["error"] is None)
        else:
            assert after["error"] == before["error"]
        assert after["statements"] <= max(least, before["statements"] + extra), (before, after)
    page = name.partition(":")[0]
    pairs = zip(trial.before, trial.after, strict=True)
    if page == SIDE_BY_SIDE:
        assert any(after["together"] > before["together"] for before, after in pairs)
    else:
        claimed = FEWER.get(page, "statements")
        assert any(after[claimed] < before[claimed] for before, after in pairs)
