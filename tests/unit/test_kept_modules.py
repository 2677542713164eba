"""A project that keeps what it made of another state of itself is what it would be without that, whatever has changed meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint.discover import Scope
from querylint.engine import Project
from querylint.frontends.convex.lower import ModuleLowering
from querylint.frontends.kept import KeptParts
from querylint.ir import Program
from querylint.settings import load

FILES = {
    "convex/schema.ts": """import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  posts: defineTable({ by: v.id("users"), title: v.string() }).index("by_by", ["by"]),
  users: defineTable({ name: v.string() }),
  logs: defineTable({ text: v.string() }),
});
""",
    "convex/names.ts": 'export const TABLE = "posts";\n',
    "convex/helpers.ts": """import { TABLE } from "./names";
export const titles = (ctx: QueryCtx) => ctx.db.query(TABLE).collect();
""",
    "convex/posts.ts": """import { query } from "./_generated/server";
import { titles } from "./helpers";
export const all = query({ args: {}, handler: async (ctx) => {
  const posts = await titles(ctx);
  return Promise.all(posts.map((post) => ctx.db.get(post.by)));
} });
export const mine = query({ args: { by: v.id("users") }, handler: (ctx, { by }) =>
  ctx.db.query("posts").withIndex("by_by", (q) => q.eq("by", by)).collect() });
""",
    "convex/logs.ts": """import { query } from "./_generated/server";
export const all = query({ args: {}, handler: (ctx) => ctx.db.query("logs").collect() });
""",
}
EDITS = {
    "nothing": {},
    "itself": {"convex/logs.ts": FILES["convex/logs.ts"].replace("collect()", "take(5)")},
    "what an import imports": {"convex/names.ts": 'export const TABLE = "logs";\n'},
    "a table": {"convex/schema.ts": FILES["convex/schema.ts"].replace('v.id("users"), title', 'v.id("logs"), title')},
    "an index": {"convex/schema.ts": FILES["convex/schema.ts"].replace('["by"]', '["by", "title"]')},
    "lines above": {"convex/schema.ts": "// moved\n\n" + FILES["convex/schema.ts"]},
    "a new file": {"convex/more.ts": FILES["convex/logs.ts"]},
}


def program(folder: Path, edits: dict[str, str], kept: KeptParts | None) -> Program:
    scope = Scope(folder)
    return Project(scope, load(folder), {path: text.encode() for path, text in edits.items()}, kept).program()[0]


@pytest.mark.parametrize("name", EDITS)
def test_what_is_kept_is_what_would_be_made(name: str, tmp_path: Path) -> None:
    lay(tmp_path, FILES)
    kept = KeptParts()
    program(tmp_path, {}, kept)
    after, fresh = program(tmp_path, EDITS[name], kept), program(tmp_path, EDITS[name], None)
    assert after.functions == fresh.functions
    assert after.schemas == fresh.schemas
    assert program(tmp_path, {}, kept).functions == program(tmp_path, {}, None).functions


def test_only_what_an_edit_concerns_is_lowered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, FILES)
    kept = KeptParts()
    program(tmp_path, {}, kept)
    again: list[str] = []
    run = ModuleLowering.run
    monkeypatch.setattr(ModuleLowering, "run", lambda self: (again.append(self.context.path), run(self))[1])
    program(tmp_path, EDITS["what an import imports"], kept)
    assert sorted(again) == ["convex/helpers.ts", "convex/names.ts", "convex/posts.ts"]
