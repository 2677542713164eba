"""A look that nobody waits for any more."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from git_project import OLD_SIN, READING_HELPERS, GitProject
from querylint import engine
from querylint.lsp.analysis import Buffer, Overtaken, Remembered, look


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


def test_what_reads_the_same_is_not_analyzed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = GitProject(tmp_path / "repo")
    ran: list[int] = []
    run = engine.run
    monkeypatch.setattr(engine, "run", lambda check, rules: ran.append(1) or run(check, rules))
    remembered, edited = Remembered(), {"convex/helpers.ts": Buffer(READING_HELPERS.encode(), 2)}
    assert look(project.folder, {}, "utf-16", Event(), remembered).findings == ()
    opened = {"convex/helpers.ts": Buffer((project.folder / "convex/helpers.ts").read_bytes(), 1)}
    assert look(project.folder, opened, "utf-16", Event(), remembered).findings == ()
    assert len(ran) == 1
    assert [f.rule for f in look(project.folder, edited, "utf-16", Event(), remembered).findings] == ["loop-read"]
    assert len(ran) == 2
    project.write({"convex/helpers.ts": READING_HELPERS})  # it is saved
    seen = look(project.folder, {"convex/helpers.ts": Buffer(READING_HELPERS.encode(), 5)}, "utf-16", Event(), remembered)
    assert (seen.versions, len(ran)) == ({"convex/helpers.ts": 5}, 2)
    project.write({"querylint.toml": 'ignore = ["loop-read"]\n'})
    assert look(project.folder, edited, "utf-16", Event(), remembered).findings == ()
    project.write({"convex/more.ts": OLD_SIN, "querylint.toml": ""})
    assert [f.rule for f in look(project.folder, edited, "utf-16", Event(), remembered).findings] == ["unbounded-read", "loop-read"]
    assert len(ran) == 4


def test_fixes_are_made_for_open_files_alone(tmp_path: Path) -> None:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/helpers.ts": READING_HELPERS})
    posts = {"convex/posts.ts": Buffer((project.folder / "convex/posts.ts").read_bytes(), 1)}
    asked = look(project.folder, posts, "utf-16", Event()).findings[0]
    unasked = look(project.folder, {}, "utf-16", Event()).findings[0]
    assert [bool(f.fix or f.unfit) for f in (asked, unasked)] == [True, False]
