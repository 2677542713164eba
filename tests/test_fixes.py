"""Every literate fixture of a fix: it is offered at its level, makes what is written there, and a second run changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fix_cases import PAGES, FixCase, fix_cases
from laid import lay
from querylint.mend import Choice, Mended, mend
from querylint.patch import Safety

CASES = list(fix_cases())
NEVER_REFUSED = ("drop-index",)
"""Rules report only indexes that can be dropped by an edit."""


def _mend(folder: Path, case: FixCase, *, unsafe: bool) -> Mended:
    rules = frozenset(mark.rule for mark in case.marks)
    return mend([folder], None, {"show": "info"}, Choice(unsafe=unsafe, select=rules))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fix(case: FixCase, tmp_path: Path) -> None:
    lay(tmp_path, case.before)
    mended = _mend(tmp_path, case, unsafe=True)
    wanted = sorted((m.path, m.rule, m.level) for m in case.marks if m.level)
    assert sorted((m.finding.found.span.path, m.finding.rule, m.fix.safety.value) for m in mended.made) == wanted, mended.left
    for mark in (m for m in case.marks if m.level):
        caveats = [c for m in mended.made if m.finding.rule == mark.rule for c in m.fix.caveats]
        assert mark.words in " ".join(caveats)
        assert bool(mark.words) == (mark.level == "unsafe"), "an unsafe fix says why"
    for mark in (m for m in case.marks if not m.level):
        reasons = [left.reason for left in mended.left if left.finding.rule == mark.rule]
        assert any(mark.words in reason for reason in reasons), reasons
    assert {path: data.decode() for path, data in mended.after.items()} == case.after
    mended.write()
    assert not _mend(tmp_path, case, unsafe=True).made, "a second run changes nothing"


@pytest.mark.parametrize("case", [case for case in CASES if case.after], ids=lambda case: case.name)
def test_without_unsafe_only_what_is_safe_is_made(case: FixCase, tmp_path: Path) -> None:
    lay(tmp_path, case.before)
    made = _mend(tmp_path, case, unsafe=False).made
    assert all(m.fix.safety is Safety.SAFE for m in made)
    assert len(made) == sum(mark.level == "safe" for mark in case.marks)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_has_fixes_and_refusals(page: Path) -> None:
    mine = [case for case in CASES if case.page == page.stem]
    assert any(case.after for case in mine)
    assert any(not case.after for case in mine) or page.stem in NEVER_REFUSED
