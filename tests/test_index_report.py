"""The index advice in each of its formats, on the HookLabs backend, and the door that prints it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from querylint import indexing
from querylint.cli import door
from querylint.report.indexes import render

ROOT = Path(__file__).parent.parent
APPS = ROOT / "fixtures/apps"
HOOKLABS = APPS / "hooklabs"
SCHEMA = json.loads((ROOT / "docs/schema/indexes-v1.json").read_text(encoding="utf-8"))


def _run(*args: str | Path) -> Result:
    return CliRunner().invoke(door, ["indexes", *map(str, args)], standalone_mode=False)


def _expected(name: str, text: str, update: bool) -> str:
    place = HOOKLABS / "expected" / name
    if update:
        place.write_text(text, encoding="utf-8")
    return place.read_text(encoding="utf-8")


@pytest.mark.parametrize(("style", "name"), [("text", "indexes.txt"), ("markdown", "indexes.md")])
def test_the_advice_for_hooklabs(style: str, name: str, request: pytest.FixtureRequest) -> None:
    text = render(style, indexing.indexes([HOOKLABS]))
    assert text == _expected(name, text, request.config.getoption("--update"))


def test_the_edits_for_hooklabs(request: pytest.FixtureRequest) -> None:
    done = _run("--diff", HOOKLABS)
    assert done.return_value == 1
    assert done.stdout == _expected("indexes.diff", done.stdout, request.config.getoption("--update"))
    assert "would add 6 indexes and drop 9" in done.stderr


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("app", sorted(path.name for path in APPS.iterdir() if path.is_dir()))
def test_the_json_follows_its_schema(app: str) -> None:
    report = json.loads(render("json", indexing.indexes([APPS / app], every=True)))
    assert list(Draft202012Validator(SCHEMA).iter_errors(report)) == []
    for table in report["tables"]:
        ids = {query["id"] for query in table["queries"]}
        named = [*table["proof"], *table["spare"], *(i for index in table["indexes"] for i in index["serves"])]
        assert set(named) <= ids


def test_the_plan_of_the_owner_is_in_the_advice() -> None:
    report = json.loads(render("json", indexing.indexes([HOOKLABS])))
    added = {(t["table"], *i["fields"]) for t in report["tables"] for i in t["indexes"] if i["verdict"] == "add"}
    wanted = {("socialPosts", "userId", "status"), ("scheduledPosts", "status", "scheduledFor"), ("socialPosts", "userId", "createdAt")}
    assert wanted <= added


def test_nothing_to_do_is_said_and_ends_with_zero() -> None:
    done = _run(APPS / "hooklabs-optimized")
    assert done.return_value == 0
    assert "Every query has its index, and none is needless." in done.stdout


def test_nothing_is_praised_where_nothing_was_seen(tmp_path: Path) -> None:
    (tmp_path / "empty.ts").write_text("export const a = 1;\n")
    for style in ("text", "markdown"):
        assert "Every query" not in render(style, indexing.indexes([tmp_path]))


def test_only_tables_that_are_asked_for() -> None:
    report = indexing.indexes([HOOKLABS / "convex/credits.ts"])
    assert {table.table.name for table in report.tables} == {"credits", "userCreditBalances"}


def test_applied_nothing_is_left(tmp_path: Path) -> None:
    shutil.copytree(HOOKLABS, tmp_path / "app")
    assert _run("--apply", tmp_path / "app").return_value == 0
    assert _run(tmp_path / "app").return_value == 0
    again = _run("--diff", tmp_path / "app")
    assert (again.return_value, again.stdout) == (0, "")


def test_adding_alone_drops_nothing_and_moves_no_query(tmp_path: Path) -> None:
    shutil.copytree(HOOKLABS, tmp_path / "app")
    done = _run("--diff", "--only", "add", tmp_path / "app")
    removed = [line for line in done.stdout.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert all(line.rstrip().endswith("// expect: index-unused") or ".index(" in line for line in removed)
    assert "convex/socialAccounts.ts" not in done.stdout
    assert '.index("byUserIdAndStatus"' in done.stdout


@pytest.mark.parametrize("args", [("--diff", "--apply"), ("--only", "add")])
def test_options_that_do_not_go_together(args: tuple[str, ...]) -> None:
    assert CliRunner().invoke(door, ["indexes", *args]).exit_code == 2
