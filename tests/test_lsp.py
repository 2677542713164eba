"""The language server, spoken to by editors of several kinds over the pipes of a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types

from fix_cases import FixCase, fix_cases
from git_project import HELPERS, OLD_SIN, POSTS, READING_HELPERS, GitProject, environment
from laid import lay
from lsp_editor import PROFILES, PULLED, PUSHED, Editor, session

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


BEHIND_AN_EMOJI = POSTS.replace("      names.push", "      /* 🦉 é */ names.push")
WIDTHS = {"neovim@v0.11.0": 4 + 2, "visual_studio_code": 2 + 1, "emacs": 1 + 1}
"""How many units the owl and the letter take in the encoding that each prefers."""


@pytest.mark.parametrize("profile", PUSHED)
def test_places_are_counted_as_the_editor_counts(project: GitProject, profile: str) -> None:
    project.write({HELPERS_TS: READING_HELPERS})

    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS, BEHIND_AN_EMOJI)
        (finding,) = await editor.shown(POSTS_TS, ["loop-read"])
        line = BEHIND_AN_EMOJI.splitlines()[9]
        wanted = len(line[: line.index("nameOf")]) - 2 + WIDTHS[profile]
        assert finding.range.start == types.Position(9, wanted)
        assert await editor.hover(POSTS_TS, finding.range.start) is not None
        before = types.Position(9, wanted - 1)
        assert await editor.hover(POSTS_TS, before) is None

    session(project.folder, profile, script)


def test_a_finding_tells_its_way_and_its_page(project: GitProject) -> None:
    project.write({HELPERS_TS: READING_HELPERS})

    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        (finding,) = await editor.shown(POSTS_TS, ["loop-read"])
        assert [info.location.uri for info in finding.related_information or ()][-1] == editor.uri(HELPERS_TS)
        assert finding.code_description is not None
        assert finding.code_description.href.endswith("/docs/rules/loop-read.md")
        assert "help: " in finding.message
        told = await editor.hover(POSTS_TS, finding.range.start)
        assert told is not None
        assert isinstance(told.contents, types.MarkupContent)
        assert told.contents.kind == types.MarkupKind.Markdown
        assert told.contents.value.startswith("**loop-read** (warning): ")
        assert "convex/helpers.ts:2" in told.contents.value
        assert "Cost: " in told.contents.value

    session(project.folder, "visual_studio_code", script)


def test_an_editor_that_shows_the_diagnostic_beside_is_not_told_twice(project: GitProject) -> None:
    project.write({HELPERS_TS: READING_HELPERS})

    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        (finding,) = await editor.shown(POSTS_TS, ["loop-read"])
        told = await editor.hover(POSTS_TS, finding.range.start)
        assert told is not None
        assert isinstance(told.contents, types.MarkupContent)
        assert told.contents.value.startswith("**loop-read** (warning)\n\nCost: ")
        assert "is read through" not in told.contents.value

    session(project.folder, "visual_studio_code", script, options={"diagnosticsInHover": True})


def test_an_editor_that_shows_no_way_gets_it_in_the_message(project: GitProject) -> None:
    project.write({HELPERS_TS: READING_HELPERS})

    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        (finding,) = await editor.shown(POSTS_TS, ["loop-read"])
        assert finding.related_information is None
        assert "(`convex/helpers.ts:2:" in finding.message

    session(project.folder, "emacs", script)


UNUSED_INDEX = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  posts: defineTable({ author: v.id("users"), title: v.string() }).index("by_author", ["author"]).index("by_title", ["title"]),
  users: defineTable({ name: v.string() }),
});
"""


def applied(editor: Editor, edit: types.WorkspaceEdit, texts: dict[str, str]) -> dict[str, str]:
    """The texts after an edit whose lines are plain ASCII, in the order that the protocol says."""
    after = dict(texts)
    listed: list[tuple[str, object]] = list((edit.changes or {}).items())
    for change in edit.document_changes or ():
        if isinstance(change, types.CreateFile):
            path = editor.path(change.uri)
            assert path not in after, "nothing may be written over"
            after[path] = ""
        else:
            assert isinstance(change, types.TextDocumentEdit)
            listed.append((change.text_document.uri, change.edits))
    for uri, edits in listed:
        path = editor.path(uri)
        for change in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
            lines = after[path].splitlines(keepends=True)
            start, end = (sum(map(len, lines[: at.line])) + at.character for at in (change.range.start, change.range.end))
            assert isinstance(change, types.TextEdit)
            after[path] = after[path][:start] + change.new_text + after[path][end:]
    return after


RECORDED = [case for case in fix_cases() if case.after.keys() - case.before.keys()]


@pytest.mark.parametrize(("case", "profile"), [*((case, "visual_studio_code") for case in RECORDED), (RECORDED[0], "neovim@v0.11.0")])
def test_a_fix_makes_a_new_file_where_the_editor_can(tmp_path: Path, case: FixCase, profile: str) -> None:
    folder = lay(tmp_path / "project", {**case.before, "querylint.toml": 'show = "info"\n'})
    (mark,) = case.marks

    async def script(editor: Editor) -> None:
        editor.open(mark.path)
        (finding,) = await editor.shown(mark.path, [mark.rule])
        fix, *_ = await editor.actions(mark.path, finding.range)
        assert fix.title.endswith(")")
        assert "(unsafe: " in fix.title
        assert fix.edit is not None
        assert fix.edit.document_changes is not None
        assert not fix.edit.changes
        assert [type(change) for change in fix.edit.document_changes] == [types.TextDocumentEdit, types.CreateFile, types.TextDocumentEdit]
        after = applied(editor, fix.edit, case.before)
        assert {path: text for path, text in after.items() if text != case.before.get(path)} == case.after
        for path in case.after:
            if path in editor.versions:
                editor.type(path, after[path])
            else:
                editor.open(path, after[path])  # an unsaved buffer of a file that is not on the disk yet
        await editor.shown(mark.path, [])

    session(folder, profile, script)


def test_no_fix_makes_half_of_what_it_is_where_the_editor_makes_no_files(tmp_path: Path) -> None:
    (case, *_) = RECORDED
    folder = lay(tmp_path / "project", {**case.before, "querylint.toml": 'show = "info"\n'})
    (mark,) = case.marks

    async def script(editor: Editor) -> None:
        editor.open(mark.path)
        (finding,) = await editor.shown(mark.path, [mark.rule])
        assert [action.title.partition(" ")[0] for action in await editor.actions(mark.path, finding.range)] == ["Suppress"]

    session(folder, "emacs", script)


@pytest.mark.parametrize("profile", ["visual_studio_code", "neovim@v0.11.0"])
def test_a_fix_over_two_files_mends_what_it_is_for(project: GitProject, profile: str) -> None:
    source = POSTS.replace(
        'withIndex("by_author", (q) => q.eq("author", args.author)).take(10)', 'filter((q) => q.eq(q.field("title"), "x")).take(10)'
    )
    project.write({POSTS_TS: source})

    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        editor.type(POSTS_TS, source + "// edited\n")
        texts = {POSTS_TS: source + "// edited\n", "convex/schema.ts": (project.folder / "convex/schema.ts").read_text()}
        (finding,) = await editor.shown(POSTS_TS, ["filter-needs-index"])
        fix, *_ = await editor.actions(POSTS_TS, finding.range)
        assert fix.edit is not None
        versions = {
            c.text_document.uri: c.text_document.version for c in fix.edit.document_changes or () if isinstance(c, types.TextDocumentEdit)
        }
        if profile == "visual_studio_code":
            assert versions == {editor.uri(POSTS_TS): 2, editor.uri("convex/schema.ts"): None}
        else:
            assert not versions
        after = applied(editor, fix.edit, texts)
        editor.open("convex/schema.ts", after["convex/schema.ts"])
        editor.type(POSTS_TS, after[POSTS_TS])
        await editor.shown(POSTS_TS, [])
        assert await editor.actions(POSTS_TS, finding.range, ["source.organizeImports"]) == []

    session(project.folder, profile, script)


def test_a_comment_silences_once_its_reason_is_written(project: GitProject) -> None:
    project.write({HELPERS_TS: READING_HELPERS})

    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        (finding,) = await editor.shown(POSTS_TS, ["loop-read"])
        *_, action = await editor.actions(POSTS_TS, finding.range)
        assert action.title == "Suppress loop-read with a comment, then write the reason"
        assert action.edit is not None
        text = applied(editor, action.edit, {POSTS_TS: POSTS})[POSTS_TS]
        assert "\n      // querylint: ignore[loop-read] -- \n      names.push" in text
        editor.type(POSTS_TS, text)
        await editor.shown(POSTS_TS, ["bad-suppression", "loop-read"])
        editor.type(POSTS_TS, text.replace("-- ", "-- few and small"))
        await editor.shown(POSTS_TS, [])

    session(project.folder, "visual_studio_code", script)


def test_an_index_that_nothing_needs_is_grayed_out(project: GitProject) -> None:
    project.write({"convex/schema.ts": UNUSED_INDEX, "querylint.toml": 'show = "info"\n'})

    async def script(editor: Editor) -> None:
        editor.open("convex/schema.ts")
        (finding,) = await editor.shown("convex/schema.ts", ["unused-index"])
        assert list(finding.tags or ()) == [types.DiagnosticTag.Unnecessary]
        assert UNUSED_INDEX.splitlines()[finding.range.start.line][finding.range.start.character :].startswith('index("by_title"')

    session(project.folder, "visual_studio_code", script)


def test_settings_count_as_soon_as_they_are_saved_and_mistakes_in_them_are_told_once(project: GitProject) -> None:
    project.write({HELPERS_TS: READING_HELPERS, "querylint.toml": ""})

    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        await editor.shown(POSTS_TS, ["loop-read"])
        project.write({"querylint.toml": "nonsense = 1\n"})
        editor.save("querylint.toml")
        editor.save("querylint.toml")
        (message,) = await editor.messages(1)
        assert message.startswith("querylint: querylint.toml:1: unknown key `nonsense`")
        project.write({"querylint.toml": 'ignore = ["loop-read"]\n'})
        editor.save("querylint.toml")
        await editor.shown(POSTS_TS, [])
        assert len(await editor.messages(1)) == 1

    session(project.folder, "visual_studio_code", script)


def test_a_file_that_changes_on_the_disk_is_seen(project: GitProject) -> None:
    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        await editor.shown(POSTS_TS, [])
        assert "**/querylint.toml" in editor.watched
        project.write({HELPERS_TS: READING_HELPERS})
        editor.written(HELPERS_TS)
        await editor.shown(POSTS_TS, ["loop-read"])

    session(project.folder, "visual_studio_code", script)


def test_what_lies_outside_or_is_left_out_is_not_looked_at(project: GitProject, tmp_path: Path) -> None:
    project.write({"convex/old.ts": OLD_SIN, "querylint.toml": 'exclude = ["convex/old.ts"]\n'})
    (tmp_path / "stray.ts").write_text(OLD_SIN)

    async def script(editor: Editor) -> None:
        editor.open("convex/old.ts")
        editor.open("../stray.ts")
        editor.open("convex/new.ts", OLD_SIN)
        await editor.shown("convex/new.ts", ["unbounded-read"])
        await editor.shown("convex/old.ts", [])
        await editor.shown("../stray.ts", [])
        assert await editor.hover("../stray.ts", types.Position(3, 10)) is None

    session(project.folder, "visual_studio_code", script)


def test_without_a_folder_a_file_brings_its_project(project: GitProject) -> None:
    project.write({HELPERS_TS: READING_HELPERS})

    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        await editor.shown(POSTS_TS, ["loop-read"])

    session(project.folder, "visual_studio_code", script, root=False)


def test_names_come_back_as_the_editor_writes_them(tmp_path: Path) -> None:
    project = GitProject(tmp_path / "a b+[c] 100% é")
    project.write({HELPERS_TS: READING_HELPERS})

    async def script(editor: Editor) -> None:
        editor.open(POSTS_TS)
        (finding,) = await editor.shown(POSTS_TS, ["loop-read"])
        assert await editor.hover(POSTS_TS, finding.range.start) is not None

    session(project.folder, "visual_studio_code", script)


def test_nonsense_does_not_end_the_session(project: GitProject) -> None:
    project.write({HELPERS_TS: READING_HELPERS})

    async def script(editor: Editor) -> None:
        editor.versions["never/opened.ts"] = 7
        editor.type("never/opened.ts", "whatever")
        editor.close("never/opened.ts")
        assert await editor.hover("never/opened.ts", types.Position(99, 99)) is None
        assert await editor.actions("never/opened.ts", types.Range(types.Position(9, 9), types.Position(1, 1))) == []
        editor.client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem("untitled:Untitled-1", "typescript", 1, "x"))
        )
        editor.open(POSTS_TS, "\ud800 \0 {{{ await" + POSTS)
        editor.type(POSTS_TS, POSTS)
        await editor.shown(POSTS_TS, ["loop-read"])

    session(project.folder, "visual_studio_code", script)


def test_the_server_ends_with_its_editor(project: GitProject) -> None:
    command = [sys.executable, "-m", "querylint", "lsp"]
    child = subprocess.Popen(command, cwd=project.folder, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}}
    body = json.dumps(asked).encode()
    child.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    child.stdin.flush()
    assert child.stdout.readline().startswith(b"Content-Length: ")
    child.stdin.close()
    assert child.wait(20) in (0, 1)
    child.stdout.close()
