"""The GitHub action and the GitLab template, their scripts run as the runners would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from git_project import OLD_SIN, READING_HELPERS, ROOT, GitProject, environment

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8"))
STEPS = {step.get("id") or step["name"]: step for step in ACTION["runs"]["steps"]}


@pytest.fixture
def project(tmp_path: Path) -> GitProject:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    project.git("checkout", "-q", "-b", "work")
    project.write({"convex/helpers.ts": READING_HELPERS})
    project.commit("a new one")
    (tmp_path / "querylint").write_text(f'#!/bin/sh\nexec {sys.executable} -m querylint "$@"\n')
    (tmp_path / "querylint").chmod(0o755)
    return project


def run_step(project: GitProject, **inputs: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """The step that checks, with the defaults of the action and these inputs put in its environment, and what it put out."""
    home = project.folder.parent
    given = {name: str(declared["default"]) for name, declared in ACTION["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    variables = {}
    for name, value in STEPS["check"]["env"].items():
        value = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], value)
        variables[name] = value.replace("${{ runner.temp }}", str(home))
    variables |= {"QUERYLINT": str(home / "querylint"), "GITHUB_OUTPUT": str(home / "output"), "GITHUB_STEP_SUMMARY": str(home / "summary")}
    assert not [value for value in variables.values() if "${{" in value]
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["check"]["run"]],
        cwd=project.folder, env=environment() | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    output = (home / "output").read_text() if (home / "output").exists() else ""
    return done, dict(line.split("=", 1) for line in output.splitlines())


def test_the_action_installs_what_its_next_step_runs(tmp_path: Path) -> None:
    """By a real pip, a wheel that is nothing but the command: that of the project itself is installed by the tests of the hooks."""
    wheel = tmp_path / "with a space" / "querylint-0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("said.py", "def main():\n    print('installed')\n")
        archive.writestr("querylint-0.dist-info/METADATA", "Metadata-Version: 2.1\nName: querylint\nVersion: 0\n")
        archive.writestr("querylint-0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("querylint-0.dist-info/entry_points.txt", "[console_scripts]\nquerylint = said:main\n")
        archive.writestr("querylint-0.dist-info/RECORD", "")
    values = {"runner.temp": str(tmp_path / "temp"), "github.action_path": str(wheel), "steps.python.outputs.python-path": sys.executable}
    step = STEPS["Install querylint"]
    variables = {name: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: values[match[1]], value) for name, value in step["env"].items()}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path, env=environment() | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    command = STEPS["check"]["env"]["QUERYLINT"].replace("${{ runner.temp }}", values["runner.temp"])
    assert subprocess.run([command], capture_output=True, text=True, check=True).stdout == "installed\n"


def test_the_steps_name_one_another(project: GitProject) -> None:
    text = (ROOT / "action.yml").read_text()
    asked = {(step, output) for step, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", text) if step != "python"}
    _, output = run_step(project)
    assert asked == {("check", name) for name in output}


def test_the_action_annotates_and_sums_up(project: GitProject) -> None:
    done, output = run_step(project)
    assert (done.returncode, output) == (1, {"sarif": "", "exit-code": "1"})
    assert "::warning file=convex/posts.ts,line=10," in done.stdout
    assert "## querylint" in (project.folder.parent / "summary").read_text()


def test_the_action_reports_what_is_new_and_writes_a_log(project: GitProject) -> None:
    done, output = run_step(project, since="main", fail_on="error", sarif="out.sarif", args="--show info --ignore whole-rows")
    assert (done.returncode, output) == (0, {"sarif": "out.sarif", "exit-code": "0"})
    assert "convex/old.ts" not in done.stdout
    states = [r["baselineState"] for r in json.loads((project.folder / "out.sarif").read_text())["runs"][0]["results"]]
    assert (states.count("new"), set(states)) == (1, {"new", "unchanged"})


def test_the_action_has_a_log_to_send_where_it_is_to_be_sent(project: GitProject) -> None:
    _, output = run_step(project, upload_sarif="true")
    assert json.loads(Path(output["sarif"]).read_text())["version"] == "2.1.0"


@pytest.mark.parametrize("name", ["path", "since", "sarif", "args", "fail_on"])
def test_an_input_of_the_action_is_data(project: GitProject, name: str) -> None:
    done, _ = run_step(project, **{name: "$(touch owned) `touch owned`; touch owned #"})
    assert done.returncode == (1 if name == "sarif" else 2)
    assert not (project.folder / "owned").exists()


def test_no_script_of_the_action_is_put_together_from_expressions() -> None:
    assert not [step for step in STEPS.values() if "${{" in step.get("run", "")]
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])


def test_the_gitlab_job_leaves_its_reports_even_where_it_fails(project: GitProject) -> None:
    job = GITLAB[".querylint"]
    variables = {name: str(value) for name, value in job["variables"].items()} | {"CI_PROJECT_DIR": str(project.folder)}
    path = os.pathsep.join([str(project.folder.parent), os.environ["PATH"]])
    home = {"HOME": str(project.folder.parent), "GIT_CONFIG_GLOBAL": str(project.folder.parent / "gitconfig")}
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(job["script"])],
        cwd=project.folder, env=environment() | variables | home | {"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    reports = job["artifacts"]["reports"]
    assert job["artifacts"]["when"] == "always"
    assert {issue["check_name"] for issue in json.loads((project.folder / reports["codequality"]).read_text())} == {
        "loop-read",
        "unbounded-read",
    }
    assert (project.folder / reports["junit"]).read_text().startswith("<?xml")


def test_what_the_pages_show_is_what_there_is() -> None:
    """Every YAML example of the page for CI parses, and asks the action for nothing that it does not offer."""
    examples: list[Any] = [
        yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(), re.DOTALL)
    ]
    steps = [step for example in examples for job in example.get("jobs", {}).values() for step in job["steps"]]
    asked = [set(step.get("with", {})) for step in steps if step.get("uses", "").startswith("querylint/querylint@")]
    assert asked
    assert all(names <= set(ACTION["inputs"]) for names in asked)
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    named = {hook["id"] for example in examples for repo in example.get("repos", []) for hook in repo["hooks"]}
    assert named == hooks
