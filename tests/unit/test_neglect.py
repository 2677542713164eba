"""Which queries are told to read by an index that nothing reads by, and which are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from querylint import indexing

SCHEMA = """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  runs: defineTable({ kind: v.string(), host: v.string() }).index("by_kind", ["kind"]).index("by_host", ["host"]),
});
"""
FUNCTIONS = """
import { mutation, query } from "./_generated/server";
export const read = query(async (ctx, { key, deep }: any) => {
  const runs = await ctx.db.query("runs").withIndex("by_host", (q) => q.eq("host", "a")).collect();
  %s
});
export const add = mutation(async (ctx) => await ctx.db.insert("runs", { kind: "a", host: "b" }));
"""
SCAN = FUNCTIONS.replace('.withIndex("by_host", (q) => q.eq("host", "a"))', "")


def _could(tmp_path: Path, text: str) -> str | None:
    folder = tmp_path / "convex"
    folder.mkdir()
    (folder / "schema.ts").write_text(SCHEMA, encoding="utf-8")
    (folder / "runs.ts").write_text(text, encoding="utf-8")
    (advice,) = indexing.indexes([tmp_path]).tables
    index = next(i for i in advice.indexes if i.name == "by_kind")
    return index.could.function.name if index.could is not None else None


@pytest.mark.parametrize(
    "work",
    [
        'for (const kind of ["build", "test"]) console.log(runs.filter((run) => run.kind === kind).length);',
        'return runs.filter((run) => run.kind === "build" || run.host === "a");',
    ],
)
def test_a_filter_that_could_read_by_an_index_is_named(tmp_path: Path, work: str) -> None:
    assert _could(tmp_path, SCAN % work) == "read"


@pytest.mark.parametrize(
    ("text", "work"),
    [
        (SCAN, 'for (const kind of ["build", "test"]) console.log(runs.filter((run) => run.kind !== kind).length);'),
        (SCAN, "for (const kind of key) console.log(runs.filter((run) => run.kind === kind).length);"),
        (SCAN, 'console.log(runs.filter((run) => run.kind === "build" || deep).length); return runs.length;'),
        (FUNCTIONS, 'return runs.filter((run) => (deep ? run.kind === "build" : true));'),
    ],
)
def test_a_filter_that_could_not_is_none(tmp_path: Path, text: str, work: str) -> None:
    assert _could(tmp_path, text % work) is None
