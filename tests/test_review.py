"""What is reported of a project in git: what changed, what is staged, what is new."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from git_project import HELPERS, OLD_SIN, POSTS, PYTHONPATH, READING_HELPERS, SCHEMA, GitProject, environment
from querylint.errors import RevisionError


@pytest.fixture
def project(tmp_path: Path) -> GitProject:
    return GitProject(tmp_path / "repo")


def test_a_change_in_a_helper_is_reported_where_it_costs(project: GitProject) -> None:
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    assert project.reported(changed=True) == []
    project.write({"convex/helpers.ts": READING_HELPERS})
    assert project.reported(changed=True) == ["loop-read convex/posts.ts"]
    assert project.reported("convex/helpers.ts", changed=True) == ["loop-read convex/posts.ts"]
    assert project.reported("convex/old.ts", "package.json", changed=True) == ["unbounded-read convex/old.ts"]
    assert project.reported("package.json", changed=True) == []


def test_the_index_is_looked_at_and_not_the_work_tree(project: GitProject) -> None:
    project.stage({"convex/helpers.ts": READING_HELPERS})
    project.write({"convex/helpers.ts": HELPERS, "convex/old.ts": OLD_SIN})
    assert project.reported(staged=True) == ["loop-read convex/posts.ts"]
    assert project.reported() == ["unbounded-read convex/old.ts"]
    project.git("reset", "-q")
    done = project.querylint("check", "--staged")
    assert done.returncode == 0
    assert "no file of the project is staged, so nothing is reported" in done.stdout


def test_old_findings_of_a_staged_file_are_reported_unless_it_is_compared_with_the_last_commit(project: GitProject) -> None:
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    project.stage({"convex/old.ts": f"// touched\n{OLD_SIN}", "convex/helpers.ts": READING_HELPERS})
    assert sorted(project.reported(staged=True)) == ["loop-read convex/posts.ts", "unbounded-read convex/old.ts"]
    assert project.reported(staged=True, since="HEAD") == ["loop-read convex/posts.ts"]


def test_settings_of_the_index_hold_for_the_index(project: GitProject) -> None:
    project.stage({"convex/helpers.ts": READING_HELPERS, "querylint.toml": 'ignore = ["loop-read"]\n'})
    project.write({"querylint.toml": "nonsense = 1\n"})
    assert project.reported(staged=True) == []


def test_notes_about_other_files_stay_away_from_a_commit(project: GitProject) -> None:
    project.write({"convex/broken.ts": "export const broken = query(async (ctx) => { await ctx.db.query('posts')...collect(] });\n"})
    project.commit("something broken")
    project.stage({"convex/helpers.ts": READING_HELPERS})
    assert "convex/broken.ts" in project.querylint("check").stdout
    assert "convex/broken.ts" not in project.querylint("check", "--staged").stdout


def test_the_first_commit_has_everything_staged(tmp_path: Path) -> None:
    project = GitProject(tmp_path / "repo")
    project.git("checkout", "-q", "--orphan", "fresh")
    project.stage({"convex/helpers.ts": READING_HELPERS})
    assert project.reported(staged=True) == ["loop-read convex/posts.ts"]


def test_an_index_that_a_schema_loses_is_missed_elsewhere(project: GitProject) -> None:
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    gone = {"convex/schema.ts": SCHEMA.replace('.index("by_author", ["author"])', "")}
    project.write(gone)
    assert project.reported(changed=True) == ["unknown-index convex/posts.ts"]
    project.stage(gone)
    assert project.reported(staged=True) == ["unknown-index convex/posts.ts"]


def test_since_reports_what_is_new_and_only_that(project: GitProject) -> None:
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    project.git("checkout", "-q", "-b", "work")
    project.write({"convex/old.ts": "// a header\n\n" + OLD_SIN})
    assert project.reported(since="main") == []
    project.write({"convex/helpers.ts": READING_HELPERS})
    project.commit("a new sin")
    assert project.reported(since="main") == ["loop-read convex/posts.ts"]
    assert project.reported("convex/old.ts", since="main") == []
    assert project.reported(since="HEAD") == []
    done = project.querylint("check", "--since", "main")
    assert "Found 1 new warning, 2 known from `main`." in done.stdout


def test_a_hint_that_becomes_worse_since_then_is_new(project: GitProject) -> None:
    project.write({"convex/old.ts": OLD_SIN.replace("query", "internalQuery", 2)})
    project.commit("something that only the server asks for")
    assert project.reported() == []
    project.write({"convex/old.ts": OLD_SIN})
    assert project.reported(since="HEAD") == ["unbounded-read convex/old.ts"]
    done = project.querylint("check", "--since", "HEAD")
    assert "(was a hint)\n" in done.stdout
    assert "Found 1 new error, 1 of them less severe before, 1 known from `HEAD`." in done.stdout


def test_since_goes_by_where_the_branch_began(project: GitProject) -> None:
    project.git("checkout", "-q", "-b", "work")
    project.git("checkout", "-q", "main")
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("main goes on")
    project.git("checkout", "-q", "work")
    project.write({"convex/old.ts": OLD_SIN})
    assert project.reported(since="main") == ["unbounded-read convex/old.ts"]


def test_mending_one_place_does_not_pay_for_another(project: GitProject) -> None:
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    project.write({"convex/old.ts": "export {};\n", "convex/other.ts": OLD_SIN.replace("everything", "all")})
    assert project.reported(since="HEAD") == ["unbounded-read convex/other.ts"]


def test_a_renamed_file_holds_nothing_new(project: GitProject) -> None:
    project.write({"convex/old.ts": OLD_SIN})
    project.commit("an old sin")
    project.git("mv", "convex/old.ts", "convex/moved.ts")
    assert project.reported(since="HEAD") == []
    found = json.loads(project.querylint("check", "--since", "HEAD", "--format", "json").stdout)["findings"]
    assert {(f["path"], f["baselineState"]) for f in found} == {("convex/moved.ts", "updated")}


def test_a_project_below_the_top_of_its_repository(tmp_path: Path) -> None:
    whole = GitProject(tmp_path / "repo")
    for name in ("package.json", "convex/schema.ts", "convex/posts.ts", "convex/helpers.ts"):
        whole.write({f"packages/api/{name}": (whole.folder / name).read_text()})
    whole.commit("a package")
    whole.write({"convex/helpers.ts": READING_HELPERS})
    assert whole.reported("packages/api", changed=True) == []
    whole.stage({"packages/api/convex/helpers.ts": READING_HELPERS})
    assert whole.reported("packages/api", staged=True) == ["loop-read convex/posts.ts"]
    assert whole.reported("packages/api", since="HEAD") == ["loop-read convex/posts.ts"]


def test_nothing_is_left_behind(project: GitProject, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    before = project.git("status", "--porcelain", "--ignored")
    project.querylint("check", "--staged", "--since", "HEAD", TMPDIR=str(tmp_path / "tmp"))
    assert list((tmp_path / "tmp").iterdir()) == []
    assert project.git("status", "--porcelain", "--ignored") == before


def test_links_in_a_commit_lead_nowhere_outside(project: GitProject, tmp_path: Path) -> None:
    (tmp_path / "secret.ts").write_text(OLD_SIN)
    (project.folder / "convex" / "link.ts").symlink_to("../../secret.ts")
    (project.folder / "convex" / "absolute.ts").symlink_to(tmp_path / "secret.ts")
    project.git("add", "-A")
    assert project.reported(staged=True) == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--since", "no-such"], "`no-such` is not a known commit"),
        (["--since", "--all"], "`--all` is not a known commit"),
        (["--since", "lonely"], "`lonely` and the current commit have no common ancestor here"),
        (["--stdin-filename", "convex/a.ts", "--staged"], "--stdin-filename cannot be combined with other paths"),
        (["--stdin-filename", "no/a.ts"], "the folder `no` does not exist"),
    ],
)
def test_what_cannot_be_looked_at_is_a_sentence(project: GitProject, args: list[str], words: str) -> None:
    project.git("checkout", "-q", "--orphan", "lonely")
    project.git("commit", "-q", "-m", "apart")
    project.git("checkout", "-q", "main")
    done = project.querylint("check", *args, stdin="")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("view", [{"since": "main"}, {"staged": True}, {"changed": True}])
def test_outside_of_a_repository_there_is_nothing_to_compare_with(
    view: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "package.json").write_text("{}")
    with pytest.raises(RevisionError, match="is not in a git repository"):
        GitProject.at(tmp_path).reported(**view)


def test_a_repository_that_git_does_not_trust_is_said_to_be_one(project: GitProject) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(project.folder, 12345, 12345)
    os.chown(project.folder / ".git", 12345, 12345)
    with pytest.raises(RevisionError, match=r"git cannot be asked about .* \(detected dubious ownership"):
        project.reported(staged=True)


def test_an_unsaved_file_is_read_from_standard_input(project: GitProject) -> None:
    done = project.querylint("check", "--format", "concise", "--stdin-filename", "convex/helpers.ts", "-", stdin=READING_HELPERS)
    assert (done.returncode, done.stdout) == (0, "")
    unsaved = POSTS.replace("await nameOf(ctx, id)", '(await ctx.db.get("users", id))!.name')
    assert project.unsaved("convex/posts.ts", unsaved) == ["loop-read convex/posts.ts"]
    assert project.unsaved("convex/fresh.ts", OLD_SIN) == ["unbounded-read convex/fresh.ts"]
    assert not (project.folder / "convex" / "fresh.ts").exists()


def plain_hook(project: GitProject) -> None:
    hook = project.folder / ".git" / "hooks" / "pre-commit"
    hook.write_text(f'#!/bin/sh\nexport PYTHONPATH="{PYTHONPATH}"\nexec {sys.executable} -m querylint check --staged --format concise\n')
    hook.chmod(0o755)


@pytest.mark.parametrize("how", [["-m", "all", "-a"], ["-m", "one", "convex/helpers.ts"], ["-m", "staged"]])
def test_a_plain_hook_looks_at_what_is_being_committed(project: GitProject, how: list[str]) -> None:
    """With -a and with paths, git commits an index of its own, which only its hooks hear of."""
    plain_hook(project)
    project.write({"convex/helpers.ts": READING_HELPERS})
    if "staged" in how:
        project.git("add", "convex/helpers.ts")
    done = subprocess.run(
        ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", *how],
        cwd=project.folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "convex/posts.ts:10:24: warning loop-read" in done.stdout + done.stderr
    project.stage({"convex/helpers.ts": HELPERS + "// said more\n"})
    project.git("commit", "-q", "-m", "fine")


def test_a_linked_work_tree_is_a_repository_too(project: GitProject, tmp_path: Path) -> None:
    project.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = GitProject.at(tmp_path / "linked")
    linked.stage({"convex/helpers.ts": READING_HELPERS})
    assert linked.reported(staged=True) == ["loop-read convex/posts.ts"]
    assert linked.reported(since="main") == ["loop-read convex/posts.ts"]
    assert project.reported(staged=True) == []
