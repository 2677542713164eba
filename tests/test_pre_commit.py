"""The hooks as their users run them: by the real pre-commit, with querylint installed from this work tree, and no network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from git_project import OLD_SIN, READING_HELPERS, ROOT, GitProject, environment
from tools import unavailable

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))}


def pre_commit(folder: Path, home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    extra = {"PRE_COMMIT_HOME": str(home), "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    command = [sys.executable, "-m", "pre_commit", *args]
    return subprocess.run(command, cwd=folder, env=environment() | extra, capture_output=True, text=True, check=False, timeout=240)


@pytest.fixture
def project(tmp_path: Path) -> GitProject:
    """A project whose hooks are those of the manifest, run by the querylint of these tests instead of one that pre-commit installs."""
    project = GitProject(tmp_path / "repo")
    hooks = [{**hook, "language": "unsupported"} for hook in HOOKS.values() if hook["id"] == "querylint"]
    hooks += [{**HOOKS["querylint-all"], "language": "unsupported", "stages": ["manual"]}]
    for hook in hooks:
        hook["entry"] = hook["entry"].replace("querylint", f"{sys.executable} -m querylint", 1)
    project.write({".pre-commit-config.yaml": yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]})})
    project.commit("hooks")
    return project


def test_the_manifest_is_one(tmp_path: Path) -> None:
    done = pre_commit(ROOT, tmp_path, "validate-manifest", str(MANIFEST))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("convex/a.ts", True), ("convex/a.mts", True), ("a.cts", True), ("a.jsx", True), ("a.mjs", True), ("a.py", True), ("a.pyi", True),
        ("querylint.toml", True), ("packages/x/pyproject.toml", True), ("blog/templates/index.html", True), ("db/schema.sql", True),
        ("querylint-baseline.json", True),
        ("package.json", False), ("README.md", False), ("other.toml", False), ("a.pyc", False), ("my-querylint.toml", False),
    ],
)  # fmt: skip
def test_which_files_call_the_hook(path: str, taken: bool) -> None:
    assert all((re.search(hook["files"], path) is not None) == taken for hook in HOOKS.values())


def test_a_helper_alone_fails_the_commit_though_the_finding_lies_elsewhere(project: GitProject, tmp_path: Path) -> None:
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    project.stage({"convex/helpers.ts": READING_HELPERS})
    done = pre_commit(project.folder, tmp_path, "run")
    assert done.returncode == 1
    assert "convex/posts.ts:10:24: warning loop-read" in done.stdout
    assert "convex/old.ts" not in done.stdout


def test_what_is_not_staged_does_not_count(project: GitProject, tmp_path: Path) -> None:
    project.stage({"convex/helpers.ts": "// nothing\n" + (project.folder / "convex/helpers.ts").read_text()})
    project.write({"convex/helpers.ts": READING_HELPERS})
    done = pre_commit(project.folder, tmp_path, "run")
    assert done.returncode == 0, done.stdout
    assert (project.folder / "convex/helpers.ts").read_text() == READING_HELPERS


def test_the_whole_project_on_demand(project: GitProject, tmp_path: Path) -> None:
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    done = pre_commit(project.folder, tmp_path, "run", "--hook-stage", "manual", "--all-files", "querylint-all")
    assert done.returncode == 1
    assert "convex/old.ts:4:" in done.stdout


def test_wrong_settings_fail_the_commit_with_their_place(project: GitProject, tmp_path: Path) -> None:
    project.stage({"querylint.toml": "fail-onn = 1\n"})
    done = pre_commit(project.folder, tmp_path, "run")
    assert done.returncode == 1
    assert "querylint.toml:1: unknown key `fail-onn`; did you mean `fail-on`?" in done.stdout


def test_it_installs_and_runs_from_the_repository_without_a_network(tmp_path: Path) -> None:
    """As a user has it, `repo:` and `rev:`; the wheels that pip needs are built and gathered beforehand."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        unavailable("no network namespace can be made here")
    wheels = tmp_path / "wheels"
    needed = ["hatchling", "editables", "setuptools", *own_requirements()]
    gathered = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "-d", str(wheels), "-c", str(ROOT / "constraints.txt"), *needed],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if gathered.returncode:
        unavailable(f"the wheels cannot be gathered here: {gathered.stderr.strip()[-200:]}")
    project = GitProject(tmp_path / "repo")
    project.stage({"convex/helpers.ts": READING_HELPERS})
    args = [sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), "querylint", "--verbose"]
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PRE_COMMIT_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        ["unshare", "-n", *args], cwd=project.folder, env=environment() | offline, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "convex/posts.ts:10:24: warning loop-read" in done.stdout


def own_requirements() -> list[str]:
    import tomllib

    listed: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return listed
