"""An index that nothing reads by is not only to be dropped where other advice reads by it."""

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
  plans: defineTable({ team: v.string(), name: v.string() }).index("by_team", ["team"]),
  steps: defineTable({ team: v.string(), plan: v.id("plans"), state: v.string(), text: v.string() })
    .index("by_plan", ["plan"])
    INDEX,
});
"""
STEPS = """
import { mutation, query } from "./_generated/server";
import { v } from "convex/values";

export const add = mutation(async (ctx, args) => {
  const plan = await ctx.db.insert("plans", { team: args.team, name: "" });
  await ctx.db.insert("steps", { team: args.team, plan, state: args.state, text: "" });
});
export const asked = query({
  args: { team: v.string(), states: v.array(v.string()), text: v.string() },
  handler: async (ctx, args) => {
    const plans = await ctx.db.query("plans").withIndex("by_team", (q) => q.eq("team", args.team)).collect();
    const steps = await Promise.all(plans.map((plan) =>
      ctx.db.query("steps").withIndex("by_plan", (q) => q.eq("plan", plan._id)).collect()));
    BODY
  },
});
"""
ALL = 'const all = await ctx.db.query("steps").collect();'
RANGES = "or keep it, and let `asked` read by it: one range for all its items, or one for each value"


@pytest.mark.parametrize(
    ("index", "body", "said"),
    [
        ('.index("by_team", ["team"])', "return steps;", RANGES),
        ('.index("by_state", ["state"])', "return steps;", ""),
        ('.index("by_state", ["state"])', f"{ALL} return [steps, all.filter((one) => args.states.includes(one.state))];", RANGES),
        (
            '.searchIndex("by_text", { searchField: "text" })',
            f"{ALL} return [steps, all.filter((one) => one.text.includes(args.text))];",
            "or keep it, and let `asked` search by it",
        ),
        ('.searchIndex("by_text", { searchField: "text" })', "return steps;", ""),
    ],
    ids=["all-items", "nothing", "values", "text", "no-text"],
)
def test_help(index: str, body: str, said: str, tmp_path: Path) -> None:
    files = {
        "package.json": "{}",
        "convex/schema.ts": SCHEMA.replace("INDEX", index),
        "convex/steps.ts": STEPS.replace("BODY", body),
    }
    (found,) = [f for f in check([lay(tmp_path, files)]).result.findings if f.rule == "unused-index"]
    first, *rest = advice(found.found)
    assert first.startswith("drop index")
    assert "; ".join(rest) == said
