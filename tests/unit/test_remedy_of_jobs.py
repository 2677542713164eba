"""What is said to a job that has to visit every row: to go on where it stopped, not to stop after n rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint.engine import check
from querylint.remedy import Limit, sentence
from querylint.report.wording import advice

SCHEMA = """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({ posts: defineTable({ title: v.string(), score: v.number() }) });
"""
SWEEP = """
import { internalMutation, mutation, query } from "./_generated/server";

export const add = mutation(async (ctx, args) => { await ctx.db.insert("posts", { title: "a", score: 0 }); });
export const sweep = internalMutation(async (ctx) => {
  const posts = await ctx.db.query("posts").collect();
  for (const post of posts) await ctx.db.patch(post._id, { score: post.title.length });
});
export const all = query(async (ctx) => await ctx.db.query("posts").collect());
"""
CRONS = """
import { cronJobs } from "convex/server";
import { internal } from "./_generated/api";

const crons = cronJobs();
crons.interval("sweep", { minutes: 30 }, internal.posts.sweep, {});
export default crons;
"""


def said(folder: Path, files: dict[str, str]) -> dict[str, str]:
    found = check([lay(folder, files)]).result.findings
    return {f.found.function.rpartition("::")[2]: "; ".join(advice(f.found)) for f in found if f.rule == "unbounded-read"}


def test_a_cron_is_told_to_page_and_a_query_to_bound(tmp_path: Path) -> None:
    told = said(tmp_path, {"package.json": "{}", "convex/schema.ts": SCHEMA, "convex/posts.ts": SWEEP, "convex/crons.ts": CRONS})
    assert told["sweep"].startswith("visit every row in pages: .paginate() from a cursor, and run again with continueCursor")
    assert ".take(n)" not in told["sweep"]
    assert told["all"] == "bound the read with an index range, .take(n) or .paginate()"


@pytest.mark.parametrize("counting", ["posts.length", "posts.reduce((sum, post) => sum + post.score, 0)"])
def test_a_cron_that_counts_is_told_to_count_in_batches(tmp_path: Path, counting: str) -> None:
    body = f'  const posts = await ctx.db.query("posts").collect();\n  console.log({counting});\n'
    start, _, end = SWEEP.partition("  const posts")
    files = {"convex/posts.ts": start + body + "});" + end.partition("});")[2]}
    told = said(tmp_path, {"package.json": "{}", "convex/schema.ts": SCHEMA, "convex/crons.ts": CRONS, **files})
    assert told["sweep"].startswith("count in batches, a page of the table in each run of a scheduled function")


@pytest.mark.parametrize(
    ("stack", "words"), [("convex", "continueCursor"), ("django", ".iterator("), ("sqlalchemy", ".yield_per("), ("dbapi", "fetchmany(")]
)
def test_each_stack_has_its_words_for_it(stack: str, words: str) -> None:
    assert words in sentence(Limit(paginate=True, every=True), stack)
