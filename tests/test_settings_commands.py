"""`querylint config` and `init`, and the page that describes the settings."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from git_project import OLD_SIN, ROOT, GitProject
from querylint import cli, engine
from querylint.settings.check import Checker

RULES = engine.load_rules()
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitProject:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/old.ts": OLD_SIN})
    monkeypatch.chdir(project.folder)
    return project


def test_the_page_names_every_key_and_its_example_is_right(project: GitProject) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert set(tomllib.loads(example)) == set(Checker(frozenset())._readers)
    project.write({"querylint.toml": example})
    chosen = engine.settings_for(project.folder, RULES)
    assert chosen.gates == {"loop-read": 0, "mem-filter": 12, "error": 0}


def test_config_prints_a_file_that_says_the_same(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    project.write({"querylint.toml": example + '[tables."odd \\u007f name"]\nrows = 5\n'})
    before = engine.settings_for(project.folder, RULES)
    assert cli.run(["config"]) == 0
    printed = capsys.readouterr().out
    project.write({"querylint.toml": printed})
    after = engine.settings_for(project.folder, RULES)
    assert {**before.given, "origin": 0}.keys() <= {**after.given, "origin": 0}.keys()
    lists = ("select", "ignore", "severity", "exclude", "per_file_ignores", "tables", "gates", "budget", "ignore_tables")
    for name in ("fail_on", "show", *lists):
        assert getattr(after, name) == getattr(before, name), name


def test_config_says_where_each_comes_from(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    own = '[tool.querylint]\nignore = ["waterfall"]\n[tool.querylint.gates]\nerror = 0\n'
    project.write({"pyproject.toml": f'{own}[tool.querylint.budget]\np95 = 500\n"reports:*" = {{ p95 = 2.5e4 }}\n'})
    (project.folder / "convex" / "deep").mkdir()
    assert cli.run(["config", "convex/deep"]) == 0
    said = capsys.readouterr().out
    assert "# Settings file: pyproject.toml\n" in said
    shipped = len(engine.load_rules())
    assert f"# Rules: {shipped - 1} of {shipped} run; off: waterfall\n" in said
    assert re.search(r'^ignore = \["waterfall"\] +# pyproject\.toml:2$', said, re.MULTILINE)
    assert re.search(r'^fail-on = "warning" +# default$', said, re.MULTILINE)
    assert re.search(r"^\[gates\] +# pyproject\.toml:3\nerror = 0$", said, re.MULTILINE)
    assert re.search(r'^\[budget\] +# pyproject\.toml:5\np95 = 500\n"reports:\*" = { p95 = 25000.0 }$', said, re.MULTILINE)
    assert cli.run(["config", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["settings"]["ignore"] == {"value": ["waterfall"], "from": "pyproject.toml:2"}
    assert report["off"] == ["waterfall"]


def test_init_writes_what_changes_nothing_and_speaks_of_this_project(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    before = project.reported()
    assert cli.run(["init"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("querylint.toml written. Found here: Convex in `convex` (2 tables).\n")
    text = (project.folder / "querylint.toml").read_text()
    assert tomllib.loads(text) == {"fail-on": "warning"}
    assert project.reported() == before
    uncommented = re.sub(r"^# (?=\S+ = |\[)", "", text, flags=re.MULTILINE)
    assert tomllib.loads(uncommented)["tables"] == {"posts": {"rows": "small"}}
    project.write({"querylint.toml": uncommented})
    engine.settings_for(project.folder, RULES)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"querylint.toml": "# mine\n"}, "`querylint.toml` exists and is left as it is"),
        ({"pyproject.toml": "[tool.querylint]\n"}, "`pyproject.toml` holds settings for this project already"),
    ],
)
def test_init_overwrites_nothing(project: GitProject, files: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    project.write(files)
    assert cli.run(["init"]) == 2
    assert words in capsys.readouterr().err
    assert {name: (project.folder / name).read_text() for name in files} == files
    assert (project.folder / "querylint.toml").exists() == ("querylint.toml" in files)


def test_init_where_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["init"]) == 0
    assert "Found here: no database schema that querylint knows." in capsys.readouterr().out
    assert tomllib.loads((tmp_path / "querylint.toml").read_text()) == {"fail-on": "warning"}
