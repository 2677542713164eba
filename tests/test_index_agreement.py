"""What the rules say of indexes and what `querylint indexes` says are one; carried out, the advice has nothing more to say.

Every literate fixture of the rules is a project here.
"""

from __future__ import annotations

from itertools import combinations, permutations
from pathlib import Path

import pytest

from laid import lay
from literate import Case, cases
from querylint import indexing
from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict
from querylint.advise.cover import Shape
from querylint.discover import Scope
from querylint.engine import Project, load_rules
from querylint.remedy import AddIndex, DropIndex, PushDown
from querylint.rule import Finding, Severity
from querylint.settings import load

ROOT = Path(__file__).parent.parent
APPS = sorted(path for path in (ROOT / "fixtures/apps").iterdir() if path.is_dir())
RULES = load_rules()
NAMES = frozenset(rule.name for rule in RULES)
PAGES = ("filter-", "missing-", "lookup-", "redundant-", "unused-", "unindexed-", "sort-")
CASES = [
    pytest.param(case, id=f"{page.stem}: {case.title}")
    for page in sorted((ROOT / "fixtures/rules").glob("*.md"))
    if page.stem.startswith(PAGES)
    for case in cases(page.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module", params=[*CASES, *(pytest.param(app, id=app.name) for app in APPS)])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, indexing.Indexed]:
    """A fixture of a rule as files, or an application, and its advice carried out."""
    if isinstance(request.param, Path):
        return request.param, indexing.carried_out([request.param])
    case: Case = request.param
    folder = tmp_path_factory.mktemp("project")
    lay(folder, {path: case.written(path) for path in case.files})
    return folder, indexing.carried_out([folder])


def _findings(folder: Path) -> list[Finding]:
    scope = Scope(folder)
    return list(Project(scope, load(folder, rule_names=NAMES)).check(RULES, NAMES).findings)


def _indexes(tables: tuple[TableAdvice, ...], verdict: Verdict) -> dict[tuple[str, str], IndexAdvice]:
    return {(table.table.name, i.name): i for table in tables for i in table.indexes if i.verdict is verdict}


def test_the_rules_say_what_the_advice_says(project: tuple[Path, indexing.Indexed]) -> None:
    folder, done = project
    tables = done.report.tables
    added, dropped = _indexes(tables, Verdict.ADD), _indexes(tables, Verdict.DROP)
    said_to_drop = set()
    for finding in _findings(folder):
        match finding.found.remedy:
            case PushDown(table=table, index=index, fields=fields, create=True) | AddIndex(table=table, index=index, fields=fields):
                if finding.severity is not Severity.INFO and not _planned(finding):
                    assert (table, index) in added, finding.found.message
                    assert added[table, index].fields == fields
            case PushDown(table=table, index=index):
                assert (table, index) not in dropped or _planned(finding), finding.found.message
            case DropIndex(table=table, index=index) if finding.severity is not Severity.INFO or finding.rule == "unused-index":
                assert (table, index) in dropped, finding.found.message
                said_to_drop.add((table, index))
    for key, index in dropped.items():
        assert key in said_to_drop or any(key[1] in new.replaces for (table, _), new in added.items() if table == key[0]), index


def _planned(finding: Finding) -> bool:
    """Whether the database picks its indexes, so that a filter in memory asks for none."""
    return finding.rule in ("filter-in-memory", "sort-in-memory") and finding.found.stack in ("django", "sqlalchemy", "dbapi")


def test_carried_out_the_advice_is_silent(project: tuple[Path, indexing.Indexed]) -> None:
    _, done = project
    held = {held.index for held in done.held}
    left = [i for table in done.rest.tables for i in table.indexes if i.verdict is not Verdict.KEEP and i.name not in held]
    assert not left
    assert not held or done.report.changed


def _can(key: tuple[str, ...], shape: Shape) -> bool:
    head, rest = set(key[: len(shape.equal)]), key[len(shape.equal) :]
    return head == set(shape.equal) and rest[: len(shape.then)] == shape.then


def test_the_proof_holds(project: tuple[Path, indexing.Indexed]) -> None:
    for table in project[1].report.tables:
        for one, other in combinations([demand.shape for demand in table.apart], 2):
            fields = sorted({*one.equal, *one.then, *other.equal, *other.then})
            keys = [key for size in range(1, min(len(fields), 6) + 1) for key in permutations(fields, size)]
            assert not any(_can(key, one) and _can(key, other) for key in keys)
        kept = [i.fields for i in table.indexes if i.verdict is not Verdict.DROP]
        for demand in table.demands:
            if not table.schema.facts.planner:
                assert any(_can((*fields, *table.schema.tail), demand.shape) for fields in kept), demand
