"""A look that nobody waits for any more."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from git_project import READING_HELPERS, GitProject
from querylint.lsp.analysis import Buffer, Overtaken, look


def test_a_look_that_is_overtaken_breaks_off(tmp_path: Path) -> None:
    overtaken = Event()
    overtaken.set()
    with pytest.raises(Overtaken):
        look(GitProject(tmp_path / "repo").folder, {}, "utf-16", overtaken)


def test_what_the_baseline_lists_is_not_shown(tmp_path: Path) -> None:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/helpers.ts": READING_HELPERS})
    assert [f.rule for f in look(project.folder, {}, "utf-16", Event()).findings] == ["loop-read"]
    project.querylint("baseline", "create")
    assert look(project.folder, {}, "utf-16", Event()).findings == ()


def test_a_buffer_counts_instead_of_its_file(tmp_path: Path) -> None:
    project = GitProject(tmp_path / "repo")
    seen = look(project.folder, {"convex/helpers.ts": Buffer(READING_HELPERS.encode(), 3)}, "utf-16", Event())
    assert [f.rule for f in seen.findings] == ["loop-read"]
    assert seen.texts["convex/helpers.ts"].version == 3
    assert seen.texts["convex/posts.ts"].version is None
