"""The name of an index to add writes its fields as the schema does, where it writes none of them in the style of most of its names."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint.engine import check
from querylint.report.wording import advice

SCHEMA = """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  jobs: defineTable({ userId: v.string(), isOpen: v.boolean(), state: v.string(), place: v.object({ town: v.string() }) })
    .index("by_user", ["userId"])OWN,
  spots: defineTable({ lat: v.number(), lonEast: v.number(), kindId: v.string(), place: v.object({ town: v.string() }) })
    .index("by_lonEast_lat", ["lonEast", "lat"])
    .index("by_lat_kindId", ["lat", "kindId"])
    .index("by_place", ["place.town"]),
});
"""
JOBS = """
import { mutation, query } from "./_generated/server";

export const add = mutation(async (ctx, args) => {
  await ctx.db.insert("jobs", { userId: args.user, isOpen: true, state: args.state, place: { town: "" } });
});
export const asked = query(async (ctx, { user, state }) =>
  await ctx.db.query("jobs").withIndex("by_user", (q) => q.eq("userId", user)).filter((q) => q.eq(q.field(FIELD), state)).take(10));
"""


@pytest.mark.parametrize(
    ("own", "field", "name"),
    [
        ("", "state", "by_user_state"),
        ("", "isOpen", "by_user_isOpen"),
        ('.index("by_open", ["isOpen"])', "isOpen", "by_user_open"),
        ('.index("by_recent", ["isOpen"])', "isOpen", "by_user_isOpen"),
        ('.index("by_user_open", ["isOpen"])', "isOpen", "by_user_isOpen"),
        ('.index("by_userId_state", ["userId", "state"])', "isOpen", "by_userId_isOpen"),
        ("", "place.town", "by_user_place_town"),
    ],
)
def test_name(own: str, field: str, name: str, tmp_path: Path) -> None:
    files = {
        "package.json": "{}",
        "convex/schema.ts": SCHEMA.replace("OWN", own),
        "convex/jobs.ts": JOBS.replace("FIELD", f'"{field}"'),
    }
    found = check([lay(tmp_path, files)]).result.findings
    said = "; ".join(one for f in found if f.rule == "filter-needs-index" for one in advice(f.found))
    assert said.startswith(f"add index `{name}` on jobs")
