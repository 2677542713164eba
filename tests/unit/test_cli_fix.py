"""`querylint fix` as a person runs it, on real files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from querylint import review
from querylint.cli import door

SCHEMA = """import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  posts: defineTable({ authorId: v.string() }).index("by_authorId", ["authorId"]),
  users: defineTable({ token: v.string() }),
});
"""
POSTS = """import { query } from "./_generated/server";
import { v } from "convex/values";
export const any = query({
  args: { authorId: v.string() },
  handler: async (ctx, args) => {
    const posts = await ctx.db.query("posts").withIndex("by_authorId", (q) => q.eq("authorId", args.authorId)).collect();
    return posts.length > 0;
  },
});
export const me = query({
  args: { token: v.string() },
  handler: async (ctx, args) => await ctx.db.query("users").filter((q) => q.eq(q.field("token"), args.token)).unique(),
});
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "convex").mkdir()
    (tmp_path / "convex.json").write_text("{}")
    (tmp_path / "convex/schema.ts").write_text(SCHEMA)
    (tmp_path / "convex/posts.ts").write_text(POSTS)
    return tmp_path


def fix(*args: str | Path, answers: str | None = None) -> Result:
    return CliRunner().invoke(door, ["fix", *map(str, args)], input=answers, standalone_mode=False)


def git(root: Path, *args: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *args], cwd=root, check=True, capture_output=True)


def test_lines_are_those_of_the_files_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog/models.py").write_text(
        "from django.db import models\n\nclass Author(models.Model):\n    name = models.CharField(max_length=80)\n\n"
        "class Post(models.Model):\n    author = models.ForeignKey(Author, on_delete=models.CASCADE)\n"
    )
    loop = "    for one in ids:\n        found = Author.objects.filter(pk=one).first()\n        print(found.name if found else one)\n"
    lazy = "    return [post.author.name for post in Post.objects.only('author')]\n"
    code = f"from blog.models import Author, Post\n\ndef first(ids: list[int]):\n{loop}\ndef second():\n{lazy}"
    (tmp_path / "blog/views.py").write_text(code)
    shown = fix(tmp_path, "--diff", "--unsafe").output
    assert "+    author_by_id = Author.objects.in_bulk(ids)" in shown
    assert "blog/views.py:5:17: would fix loop-read" in shown
    assert "blog/views.py:9:13: not fixed lazy-loop" in shown
    made = fix(tmp_path, "--unsafe", "--allow-dirty").output
    assert "blog/views.py:5:17: fixed loop-read" in made
    assert "blog/views.py:10:13: not fixed lazy-loop" in made


def test_what_a_fix_moves_together_is_named_where_it_was(project: Path) -> None:
    (project / "convex/posts.ts").write_text(
        """import { query } from "./_generated/server";
export const totals = query({
  args: {},
  handler: async (ctx) => {
    const posts = await ctx.db.query("posts").collect();

    const users = await ctx.db.query("users").collect();
    return { posts: posts.length, users: users.length };
  },
});
"""
    )
    shown = fix("--diff", "--unsafe", project).output
    assert "would fix waterfall" in shown
    assert "convex/posts.ts:5:25: not fixed unbounded-read" in shown
    assert "convex/posts.ts:7:25: not fixed unbounded-read" in shown


def test_a_note_on_several_fixes_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog/models.py").write_text(
        "from django.db import models\n\nclass Author(models.Model):\n    name = models.CharField(max_length=80)\n"
    )
    one = "def {}(ids: list[int]):\n    return [Author.objects.get(pk=one).name for one in ids]\n\n"
    (tmp_path / "blog/views.py").write_text("from blog.models import Author\n\n" + one.format("first") + one.format("second"))
    shown = fix(tmp_path, "--diff", "--unsafe").output
    assert shown.count("    note (1)\n") == 2
    assert shown.count("a missing row raises KeyError, no longer `Author.DoesNotExist`") == 1


def test_safe_fixes_are_made_and_the_others_are_named(project: Path) -> None:
    done = fix(project)
    assert ".take(1);" in (project / "convex/posts.ts").read_text()
    assert (project / "convex/schema.ts").read_text() == SCHEMA
    assert "fixed first-by-loading: read with .take(1)" in done.output
    assert "not fixed filter-needs-index: needs --unsafe: add index `by_token`" in done.output
    assert "Fixed 1 finding in 1 file; 1 more with --unsafe." in done.output
    assert done.return_value == 1, "a warning is left"


def test_with_unsafe_both_files_of_a_fix_change_and_nothing_is_left(project: Path) -> None:
    done = fix(project, "--unsafe")
    assert '.index("by_token", ["token"])' in (project / "convex/schema.ts").read_text()
    assert 'withIndex("by_token"' in (project / "convex/posts.ts").read_text()
    assert done.return_value == 0
    again = fix(project, "--unsafe")
    assert "Fixed 0 findings" in again.output


def test_a_diff_changes_nothing_and_says_that_something_would(project: Path) -> None:
    done = fix(project, "--diff")
    assert (project / "convex/posts.ts").read_text() == POSTS
    assert "--- a/convex/posts.ts\n+++ b/convex/posts.ts\n" in done.stdout
    assert "would fix first-by-loading" not in done.stdout
    assert done.return_value == 1
    patched = subprocess.run(["git", "apply", "--check"], cwd=project, input=done.stdout, text=True, capture_output=True, check=False)
    assert patched.returncode == 0, patched.stderr


def test_files_with_changes_that_are_not_committed_are_refused(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    (project / "convex/schema.ts").write_text(SCHEMA + "// more\n")
    done = fix(project, "--unsafe")
    assert "`convex/schema.ts` has changes that are not committed" in done.output
    assert "by_token" not in (project / "convex/posts.ts").read_text(), "a fix is whole or not at all"
    assert ".take(1);" in (project / "convex/posts.ts").read_text(), "another fix is not held back by it"
    git(project, "commit", "-qam", "two")
    (project / "convex/schema.ts").write_text(SCHEMA + "// even more\n")
    assert "by_token" in (fix(project, "--unsafe", "--allow-dirty"), (project / "convex/posts.ts").read_text())[1]


def test_what_the_baseline_lists_is_left_as_it_is(project: Path) -> None:
    old = POSTS.replace("any = query", "old = query").partition("export const me")[0]
    (project / "convex/old.ts").write_text(old)
    (project / "convex/posts.ts").write_text("")
    assert CliRunner().invoke(door, ["baseline", "create", str(project)], standalone_mode=False).return_value == 0
    (project / "convex/posts.ts").write_text(POSTS)
    done = fix(project, "--unsafe")
    assert "take(1)" in (project / "convex/posts.ts").read_text()
    assert (project / "convex/old.ts").read_text() == old
    assert "convex/old.ts" not in done.output
    assert done.return_value == 0, "as a check says"
    assert "take(1)" in (fix(project, "--no-baseline"), (project / "convex/old.ts").read_text())[1]


def test_a_check_of_one_file_carries_the_edits_with_the_text_of_all_files_that_they_touch(project: Path) -> None:
    done = CliRunner().invoke(door, ["check", "--format", "json", str(project / "convex/posts.ts")], standalone_mode=False)
    edits = {edit["path"] for finding in json.loads(done.stdout)["findings"] for edit in (finding["fix"] or {"edits": []})["edits"]}
    assert edits == {"convex/posts.ts", "convex/schema.ts"}
    outcome = review.check([project / "convex/posts.ts"], fixes=True)
    assert edits <= outcome.result.sources.keys()
    assert all(finding.fix is None for finding in review.check([project]).result.findings)


def test_a_person_decides_fix_by_fix(project: Path) -> None:
    done = fix(project, "--unsafe", "--interactive", answers="n\ny\n")
    text = (project / "convex/posts.ts").read_text()
    assert ("take(1)" in text) != ("by_token" in text)
    assert "not fixed" in done.output
    assert "you skipped it" in done.output


def test_one_rule_alone(project: Path) -> None:
    fix(project, "--unsafe", "--select", "filter-needs-index")
    text = (project / "convex/posts.ts").read_text()
    assert "by_token" in text
    assert "take(1)" not in text


def test_a_rule_that_does_not_exist_is_a_mistake(project: Path) -> None:
    from querylint.cli import run

    assert run(["fix", str(project), "--select", "frist-by-loading"]) == 2
    assert (project / "convex/posts.ts").read_text() == POSTS


def test_line_ends_and_the_byte_order_mark_of_a_file_stay(project: Path) -> None:
    path = project / "convex/posts.ts"
    path.write_bytes(b"\xef\xbb\xbf" + POSTS.replace("\n", "\r\n").encode())
    fix(project, "--unsafe")
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfimport")
    assert data.count(b"\n") == data.count(b"\r\n")
    assert b".take(1);" in data
    assert b"by_token" in data


def test_what_a_tool_writes_is_left_to_the_tool(project: Path) -> None:
    path = project / "convex/posts.ts"
    path.write_text("// @generated\n" + POSTS)
    done = fix(project, "--unsafe", "--show", "info")
    assert path.read_text() == "// @generated\n" + POSTS
    assert "not fixed first-by-loading: a tool writes this file, and would write it again" in done.output
