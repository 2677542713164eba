"""Where a query that is built in several ways takes the one that a finding speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laid import lay
from querylint import engine

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  logs: defineTable({ who: v.string(), at: v.number() }).index("by_who", ["who", "at"]).index("by_at", ["at"]),
});
"""
LOGS = """\
import { query } from "./_generated/server";
import { v } from "convex/values";
export const list = query({ args: { who: v.optional(v.string()), since: v.number() }, handler: async (ctx, { who, since }) => {
  let logs;
  if (who) {
    logs = ctx.db.query("logs").withIndex("by_who", (q) => q.eq("who", who).gt("at", since));
  } else {
    logs = ctx.db.query("logs").withIndex("by_at");
  }
  return await logs.filter((q) => q.gt(q.field("at"), since)).collect();
} });
"""


def test_the_way_is_pointed_at(tmp_path: Path) -> None:
    lay(tmp_path, {"convex/schema.ts": SCHEMA, "convex/logs.ts": LOGS})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "filter-beside-index"]
    assert "index `by_at` of `logs` is walked from end to end" in found.message
    assert [(point.span.line, point.text) for point in found.trail] == [(8, "where it goes by `by_at`")]
