"""Parts of a project that have nothing to do with one another are judged apart, and only where something of theirs has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from laid import lay
from querylint import engine, judging
from querylint.discover import Scope
from querylint.engine import Project
from querylint.frontends.kept import KeptParts
from querylint.ir import Function

SCHEMA = """import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ posts: defineTable({ by: v.id("users") }).index("by_by", ["by"]), users: defineTable({ name: v.string() }) });
"""
POSTS = """import { query } from "./_generated/server";
export const all = query({ args: {}, handler: async (ctx) => {
  const posts = await ctx.db.query("posts").collect();
  const found = [];
  for (const post of posts) { found.push(await ctx.db.get(post.by)); }
  return found;
} });
"""
CLIENT = """import { useQuery } from "convex/react";
import { api } from "../one/convex/_generated/api";
export const Page = () => useQuery(api.posts.all, {});
"""
LOOSE = """import type { MutationCtx } from "convex/server";
export const sweep = async (ctx: MutationCtx) => ctx.db.query("posts").collect();
"""
TWO = {f"{app}/convex/{name}.ts": text for app in ("one", "two") for name, text in (("schema", SCHEMA), ("posts", POSTS))}
TWO |= {"one/convex.json": "{}", "two/convex.json": "{}"}
RULES = engine.load_rules()


@pytest.fixture
def linked(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The files of each program that is linked."""
    found: list[set[str]] = []
    link: Callable[..., object] = judging.link

    def counted(functions: list[Function], *more: object) -> object:
        found.append({function.path for function in functions})
        return link(functions, *more)

    monkeypatch.setattr(judging, "link", counted)
    return found


def look(root: Path, kept: KeptParts | None = None) -> tuple[object, ...]:
    result = engine.run(Project(Scope(root), engine.settings_for(root, RULES), None, kept).whole, RULES)
    assert not result.broken
    return result.findings, result.notes, result.summary


def islands(root: Path) -> set[frozenset[str]]:
    return {frozenset(island.paths) for island in Project(Scope(root), engine.settings_for(root, RULES)).land.islands}


def test_applications_are_islands(tmp_path: Path, linked: list[set[str]]) -> None:
    look(lay(tmp_path, TWO))
    assert linked == [{"one/convex/posts.ts"}, {"two/convex/posts.ts"}]


def test_of_many_islands_some_are_linked_again_for_who_comes_back(
    tmp_path: Path, linked: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = look(lay(tmp_path, TWO))
    linked.clear()
    monkeypatch.setattr(judging, "MOST_LINKED", 0)
    assert look(tmp_path) == said
    land = Project(Scope(tmp_path), engine.settings_for(tmp_path, RULES)).land
    linked.clear()
    for island in (*land.islands, *land.islands):
        land.program(island)
    assert linked == [{"one/convex/posts.ts"}, {"two/convex/posts.ts"}] * 2


@pytest.mark.parametrize("through_bytes", [True, False])
def test_only_the_island_of_a_change_is_linked_again(tmp_path: Path, linked: list[set[str]], *, through_bytes: bool) -> None:
    kept = KeptParts()
    look(lay(tmp_path, TWO), kept)
    linked.clear()
    lay(tmp_path, {"two/convex/posts.ts": POSTS.replace("post.by", "post._id")})
    again = look(tmp_path, KeptParts.load(kept.dump()) if through_bytes else kept)
    assert linked == [{"two/convex/posts.ts"}]
    assert again == look(tmp_path)


def test_nothing_is_linked_where_no_function_has_changed(tmp_path: Path, linked: list[set[str]]) -> None:
    kept = KeptParts()
    first = look(lay(tmp_path, TWO), kept)
    linked.clear()
    lay(tmp_path, {"one/convex/posts.ts": POSTS + "// and that is all\n", "one/page.ts": "export const title = 1;\n"})
    assert look(tmp_path, kept)[0] == first[0]
    assert linked == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("two/convex/schema.ts", SCHEMA.replace('["by"]', '["by", "_creationTime"]')),
        ("two/convex/schema.ts", "\n" + SCHEMA),
        ("two/convex/crons.ts", 'import { internal } from "./_generated/api";\nexport const job = internal.posts.all;\n'),
        ("querylint.toml", "[tables.posts]\nrows = 4\n"),
        ("querylint.toml", '[severity]\nloop-read = "info"\n'),
    ],
)
def test_whatever_a_finding_hangs_on_counts(tmp_path: Path, linked: list[set[str]], path: str, text: str) -> None:
    kept = KeptParts()
    look(lay(tmp_path, TWO), kept)
    linked.clear()
    lay(tmp_path, {path: text})
    assert look(tmp_path, kept) == look(tmp_path)
    assert {"two/convex/posts.ts"} in linked[:-2]


def test_other_rules_say_something_else(tmp_path: Path) -> None:
    kept = KeptParts()
    look(lay(tmp_path, TWO), kept)
    project = Project(Scope(tmp_path), engine.settings_for(tmp_path, RULES), None, kept)
    some = [rule for rule in RULES if rule.name != "loop-read"]
    assert {f.rule for f in engine.run(project.whole, some).findings}.isdisjoint({"loop-read"})


def test_a_client_belongs_to_the_only_application(tmp_path: Path) -> None:
    lay(tmp_path, {path: text for path, text in TWO.items() if path.startswith("one")} | {"web/page.ts": CLIENT})
    assert islands(tmp_path) == {frozenset({"one/convex/posts.ts", "web/page.ts"})}


def test_a_client_belongs_to_the_application_whose_references_it_imports(tmp_path: Path) -> None:
    lay(tmp_path, {**TWO, "web/page.ts": CLIENT})
    assert islands(tmp_path) == {frozenset({"web/page.ts", "one/convex/posts.ts"}), frozenset({"two/convex/posts.ts"})}


def test_a_client_belongs_to_the_application_of_the_project_that_it_lies_in(tmp_path: Path) -> None:
    lay(tmp_path, {**TWO, "two/web/page.ts": CLIENT.replace("../one/convex/_generated/api", "@app/_generated/api")})
    assert islands(tmp_path) == {frozenset({"one/convex/posts.ts"}), frozenset({"two/convex/posts.ts", "two/web/page.ts"})}


@pytest.mark.parametrize("text", [LOOSE, CLIENT.replace("../one/convex/_generated/api", "@app/_generated/api")])
def test_code_that_may_mean_any_application_joins_all(tmp_path: Path, text: str) -> None:
    lay(tmp_path, {**TWO, "web/page.ts": text})
    assert islands(tmp_path) == {frozenset({"web/page.ts", "one/convex/posts.ts", "two/convex/posts.ts"})}


def test_the_whole_program_is_that_of_all_islands(tmp_path: Path) -> None:
    program, lowered = Project(Scope(lay(tmp_path, TWO)), engine.settings_for(tmp_path, RULES)).program()
    assert list(program.functions) == [function.key for function in lowered.functions]
    assert set(program.schemas) == {"one/convex", "two/convex"}
    assert len(program.effects["one/convex/posts.ts::all"]) == len(program.effects["two/convex/posts.ts::all"]) == 2
