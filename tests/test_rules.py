"""Every literate fixture of a rule, and every example of its page, as one test a heading."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from literate import Case, cases, run
from querylint import engine
from querylint.rule import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
RULES = {rule.name: rule for rule in engine.load_rules()}
NAMES = frozenset(RULES)
PAGES = sorted((ROOT / "fixtures/rules").glob("*.md"))


def _of_fixtures() -> Iterator[tuple[str, Case]]:
    for page in PAGES:
        for case in cases(page.read_text(encoding="utf-8")):
            yield page.stem, case


def _of_pages() -> Iterator[tuple[str, Case]]:
    for rule in RULES.values():
        for case in cases(rule.doc):
            yield rule.name, case


FIXTURES = [pytest.param(name, case, id=f"{name}: {case.title}") for name, case in _of_fixtures()]
EXAMPLES = [pytest.param(name, case, id=f"{name} page: {case.title}") for name, case in _of_pages()]


@pytest.mark.parametrize(("name", "case"), [*FIXTURES, *EXAMPLES])
def test_rule(name: str, case: Case, tmp_path: Path) -> None:
    expected = case.expected()
    assert {e.rule for e in expected} <= {name}, "a fixture speaks of its own rule only"
    result = run(case, RULES[name], NAMES, tmp_path)
    found = sorted(
        ((f.found.span.path, f.found.span.line, f.found.message, f.severity.value) for f in result.findings if f.rule == name),
        key=lambda hit: hit[:3],
    )  # fmt: skip
    assert [hit[:2] for hit in found] == [(e.path, e.line) for e in expected], found
    assert [bool(f.found.because) for f in result.findings if f.rule == name] == [
        f.severity is Severity.INFO for f in result.findings if f.rule == name
    ]
    for hit, wanted in zip(found, expected, strict=True):
        assert wanted.words in f"{hit[3]}: {hit[2]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_fixture_has_alarms_and_silence_for_every_stack(page: Path) -> None:
    stacks: dict[str, list[Case]] = {}
    for case in cases(page.read_text(encoding="utf-8")):
        assert case.headings[0] == page.stem, "the first heading is the rule's name"
        assert len(case.headings) > 2, "a case stands under the heading of its stack"
        stacks.setdefault(case.stack, []).append(case)
    assert stacks
    for stack, found in stacks.items():
        assert any(case.expected() for case in found), f"{stack}: nothing is expected anywhere"
        assert any(not case.expected() for case in found), f"{stack}: no case is silent"
