"""Kept parts: a project looked at again is lowered only where it has changed, and says what it would say without them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from querylint import discover, engine
from querylint.engine import Project
from querylint.frontends import helpers
from querylint.frontends.convex.frontend import ConvexFrontEnd
from querylint.frontends.kept import KeptParts
from querylint.frontends.modules import project as modules
from querylint.result import NoteKind
from querylint.syntax.typescript import parse

SCHEMA = """
import { defineSchema, defineTable } from "convex/server";
import { posts } from "./tables";
export default defineSchema({ posts });
"""
TABLES = """
import { defineTable } from "convex/server";
import { v } from "convex/values";
export const posts = defineTable({ draft: v.boolean(), author: v.id("users") }).index("by_draft", ["draft"]);
"""
POSTS = """
import { query } from "./_generated/server";
import { limit } from "../lib/limits";
import { authorOf } from "./helpers";
export const list = query({
  handler: async (ctx) => {
    const posts = await ctx.db.query("posts").take(limit);
    for (const post of posts) { await authorOf(ctx, post); }
    return posts.filter((post) => post.draft);
  },
});
"""
HELPERS = """
import { api } from "./_generated/api";
export async function authorOf(ctx: any, post: any) { return await ctx.db.get(post.author); }
export const here = api.posts.list;
"""
MODELS = """
from django.db import models
class Author(models.Model):
    name = models.TextField()
class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
VIEWS = """
from books.models import Book
def names():
    return [book.author.name for book in Book.objects.all()]
"""
FILES = {
    "convex.json": "{}", "tsconfig.json": "{}", "convex/schema.ts": SCHEMA, "convex/tables.ts": TABLES, "convex/posts.ts": POSTS,
    "convex/helpers.ts": HELPERS, "lib/limits.ts": "export const limit = 20;", "books/models.py": MODELS, "books/views.py": VIEWS,
}  # fmt: skip
RULES = engine.load_rules()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def seen(root: Path, kept: KeptParts | None = None) -> tuple[object, ...]:
    scope = discover.Scope(root)
    result = engine.run(Project(scope, engine.settings_for(root, RULES), None, kept).whole, RULES)
    assert not result.broken
    return result.findings, result.notes, result.summary, result.schemas, result.suppressed


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    parse = modules.parse_module
    monkeypatch.setattr(modules, "parse_module", lambda path, source: found.append(path) or parse(path, source))
    return found


def again(kept: KeptParts) -> KeptParts:
    return KeptParts.load(kept.dump())


def test_what_has_not_changed_is_not_even_parsed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptParts()
    first = seen(root, kept)
    assert any(finding.rule == "loop-read" for finding in first[0])  # type: ignore[attr-defined]
    files = parsed(monkeypatch)
    assert seen(root, kept) == first == seen(root, again(kept)) == seen(root, None)
    assert set(files) == {name for name in FILES if name.endswith(".ts")}, "those of the look without kept parts"


@pytest.mark.parametrize(
    ("changed", "old", "new", "lowered"),
    [
        ("convex/helpers.ts", "post.author", "post.editor", {"convex/helpers.ts", "convex/posts.ts", "lib/limits.ts"}),
        ("convex/posts.ts", "post.draft", "post.title", {"convex/posts.ts", "convex/helpers.ts", "lib/limits.ts"}),
        ("lib/limits.ts", "20", "30", {"lib/limits.ts", "convex/posts.ts", "convex/helpers.ts"}),
        ("convex/tables.ts", '"by_draft", ["draft"]', '"by_author", ["author"]', None),
        ("convex/tables.ts", "import { v }", "\nimport { v }", {"convex/tables.ts", "convex/schema.ts"}),
    ],
)
def test_what_hangs_on_a_change_is_lowered_anew(
    root: Path, monkeypatch: pytest.MonkeyPatch, changed: str, old: str, new: str, lowered: set[str] | None
) -> None:
    kept = KeptParts()
    seen(root, kept)
    path = root / changed
    path.write_text(path.read_text().replace(old, new))
    files = parsed(monkeypatch)
    mine = seen(root, again(kept))
    if lowered is not None:
        assert set(files) == lowered
    assert mine == seen(root)


def test_a_file_that_an_import_means_from_now_on_counts(root: Path) -> None:
    kept = KeptParts()
    seen(root, kept)
    (root / "lib" / "limits.ts").rename(root / "lib" / "caps.ts")
    assert seen(root, kept) == seen(root)
    (root / "tsconfig.json").write_text('{"compilerOptions": {"paths": {"@lib/*": ["lib/*"]}}}')
    (root / "convex" / "posts.ts").write_text(POSTS.replace("../lib/limits", "@lib/caps"))
    assert seen(root, kept) == seen(root)
    (root / "tsconfig.json").write_text("{}")
    assert seen(root, again(kept)) == seen(root)


def test_bytes_that_are_no_kept_parts_keep_nothing(root: Path) -> None:
    kept = KeptParts()
    truth = seen(root, kept)
    for data in (b"", b"\xff", kept.dump()[:200], b"i\x00\x00\x00\x00", kept.dump().replace(b"module convex", b"module convix")):
        assert seen(root, KeptParts.load(data)) == truth


NAMES = st.sampled_from([*FILES, "convex/more.ts", "lib/index.ts", "package.json", "convex/nested/schema.ts"])
TEXTS = st.sampled_from(
    [SCHEMA, TABLES, POSTS, HELPERS, MODELS, VIEWS, "", "{}", "export const limit = [1, 2];", POSTS.replace("posts", "lists"), "((",
     'export * from "./helpers"; export { limit as authorOf } from "../lib/limits";', '{"name": "lib", "main": "lib/limits.ts"}',
     HELPERS.replace("export async", "async"), TABLES.replace("by_draft", "by_both").replace('["draft"]', '["draft", "author"]')]
)  # fmt: skip


@given(deeds=st.lists(st.tuples(NAMES, TEXTS, st.sampled_from(["write", "write", "write", "remove", "restore", "reload"])), max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_changes_the_same_is_found(tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, str, str]]) -> None:
    root = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    kept = KeptParts()
    seen(root, kept)
    for name, text, deed in deeds:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if deed == "remove":
            path.unlink(missing_ok=True)
        elif deed == "reload":
            kept = again(kept)
        else:
            path.write_text(FILES.get(name, text) if deed == "restore" else text)
        assert seen(root, kept) == seen(root)


# Whatever a developer does to a project of real shape.

APPS = Path(__file__).parent.parent / "fixtures" / "apps"
EDITS: dict[str, tuple[str, str | Callable[[re.Match[str]], str]]] = {
    "shift": (r"\A", "\n\n"),
    "body": (r"\.collect\(\)|\.all\(\)", lambda found: found[0].replace("collect()", "take(5)").replace("all()", "all()[:5]")),
    "wait": (r"\bawait ", ""),
    "signature": (r"async \(ctx, |\(request, |\(session, |\(self, ", lambda found: f"{found[0]}extra, "),
    "name": (r"(?m)^(export const|export async function|def|class) (\w+)", r"\1 \2Anew"),
    "schema": (r"\.index\([^)]*\)|, db_index=True|, index=True", ""),
    "field": (r"v\.string\(\)|models\.TextField\(|String\(", lambda found: found[0].replace("string", "number").replace("Text", "Char")),
    "import": (r"(?m)^(?:import|from) .*$", ""),
    "number": (r"\b[1-9]\d*\b", "7"),
}  # fmt: skip
DEEDS = st.sampled_from([*EDITS, "delete", "copy", "reload"])


def edited(text: str, deed: str, number: int) -> str:
    """The text after one edit of a kind, at one of the places where it can be made."""
    pattern, new = EDITS[deed]
    places = list(re.finditer(pattern, text))
    if not places:
        return text
    place = places[number % len(places)]
    return text[: place.start()] + (new(place) if callable(new) else place.expand(new)) + text[place.end() :]


@pytest.mark.parametrize("app", ["hooklabs", "newsroom-django", "ledger-sqlalchemy"])
@given(
    deeds=st.lists(st.tuples(st.sampled_from([*EDITS, "delete", "copy", "reload"]), st.integers(0, 999), st.integers(0, 99)), max_size=4)
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_edited_the_same_is_found(
    tmp_path_factory: pytest.TempPathFactory, app: str, deeds: list[tuple[str, int, int]]
) -> None:
    root = tmp_path_factory.mktemp("app") / app
    shutil.copytree(APPS / app, root, ignore=shutil.ignore_patterns("expected", "__pycache__"))
    kept = KeptParts()
    seen(root, kept)
    for deed, which, number in deeds:
        sources = sorted(path for path in root.rglob("*") if path.suffix in (".ts", ".tsx", ".js", ".py") and path.is_file())
        path = sources[which % len(sources)]
        if deed == "reload":
            kept = again(kept)
        elif deed == "delete":
            path.unlink()
        elif deed == "copy":
            path.with_stem(f"{path.stem}{number}").write_bytes(path.read_bytes())
        else:
            path.write_text(edited(path.read_text(), deed, number))
        assert seen(root, kept) == seen(root)


def test_what_took_too_long_to_parse_is_told_and_the_rest_is_analyzed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "convex" / "posts.ts").write_text(POSTS + "\n" + "f'{" * 60_000)
    monkeypatch.setattr(parse, "SECONDS", 0)
    findings, notes, *_ = seen(root)
    assert [note.message for note in notes if note.kind is NoteKind.LIMIT] == [  # type: ignore[attr-defined]
        "the file takes too long to parse; what follows this line is not analyzed"
    ]
    assert any(finding.rule == "loop-read" for finding in findings)  # type: ignore[attr-defined]


# Several processes.


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """However little there is to do, three processes do it; the list counts those that were started."""
    found: list[int] = []
    begin = helpers.start
    monkeypatch.setattr(helpers, "WORTHWHILE", 1)
    monkeypatch.setenv(helpers.PROCESSES, "3")
    monkeypatch.setattr(helpers, "start", lambda items, work: found.append(len(items)) or begin(items, work))
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no helpers on this system")
def test_several_processes_say_what_one_says(root: Path, monkeypatch: pytest.MonkeyPatch, helped: list[int]) -> None:
    kept = KeptParts()
    several = seen(root, kept), seen(root)
    assert len(helped) == 4
    assert seen(root, again(kept)) == several[0]
    assert len(helped) == 4, "what was kept needs no help"
    monkeypatch.setenv(helpers.PROCESSES, "1")
    assert several == (seen(root), seen(root, kept))
    assert len(helped) == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no helpers on this system")
def test_what_a_helper_fails_to_do_is_done_without_it(root: Path, monkeypatch: pytest.MonkeyPatch, helped: list[int]) -> None:
    def fail(self: ConvexFrontEnd, path: str) -> bytes:
        raise MemoryError

    monkeypatch.setattr(ConvexFrontEnd, "_lowered_apart", fail)
    mine = seen(root)
    assert len(helped) == 2
    monkeypatch.setenv(helpers.PROCESSES, "1")
    assert mine == seen(root)


def test_shares_weigh_about_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "WORTHWHILE", 10)
    monkeypatch.setenv(helpers.PROCESSES, "3")
    assert helpers.shares([4, 1, 1, 4, 5]) == [range(2), range(2, 4), range(4, 5)]
    assert helpers.shares([9]) == [range(1)]
    assert helpers.shares([]) == [range(0)]
