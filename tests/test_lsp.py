"""The language server, spoken to by editors of several kinds over the pipes of a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from git_project import HELPERS, READING_HELPERS, GitProject
from lsp_editor import PROFILES, PULLED, Editor, session

POSTS_TS = "convex/posts.ts"
HELPERS_TS = "convex/helpers.ts"


@pytest.fixture
def project(tmp_path: Path) -> GitProject:
    return GitProject(tmp_path / "repo")


@pytest.mark.parametrize("profile", PROFILES)
def test_an_unsaved_helper_makes_and_mends_a_finding_in_another_open_file(project: GitProject, profile: str) -> None:
    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        editor.open(HELPERS_TS)
        await editor.shown(POSTS_TS, [])
        editor.type(HELPERS_TS, READING_HELPERS)
        (finding,) = await editor.shown(POSTS_TS, ["loop-read"])
        assert finding.severity == types.DiagnosticSeverity.Warning
        assert finding.source == "querylint"
        assert finding.range.start.line == 9
        editor.type(HELPERS_TS, HELPERS)
        await editor.shown(POSTS_TS, [])
        editor.close(POSTS_TS)

    session(project.folder, profile, script)


def test_who_pulls_is_pushed_nothing_and_told_to_pull_again(project: GitProject) -> None:
    async def script(editor: Editor) -> None:
        assert editor.started.capabilities.diagnostic_provider is not None
        editor.open(POSTS_TS)
        editor.open(HELPERS_TS)
        await editor.shown(POSTS_TS, [])
        assert editor.client.diagnostic_refresh_count == 0
        editor.type(HELPERS_TS, READING_HELPERS)
        await editor.pull(HELPERS_TS)
        assert editor.client.diagnostic_refresh_count == 1
        await editor.shown(POSTS_TS, ["loop-read"])
        assert editor.client.diagnostics == {}

    session(project.folder, PULLED, script)
