"""What is said to a read of a whole table: what every call asks of the rows, not what some calls ask, nor what rows ask of one another."""

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
  branches: defineTable({ name: v.string() }),
  parcels: defineTable({
    branch: v.id("branches"), label: v.string(), note: v.string(), mail: v.optional(v.string()), weight: v.number(), state: v.string(),
  }).index("by_branch", ["branch"]),
});
"""
PARCELS = """
import { mutation, query } from "./_generated/server";
import { v } from "convex/values";

export const add = mutation(async (ctx, args) => {
  await ctx.db.insert("parcels", { branch: args.branch, label: "", note: "", weight: 1, state: args.state });
});
export const asked = query({
  args: { branches: v.array(v.id("branches")), text: v.string(), least: v.optional(v.number()), word: v.optional(v.string()) },
  handler: async (ctx, args) => {
    const all = await ctx.db.query("parcels").collect();
    BODY
  },
});
"""
OF_BRANCHES = "all.filter((one) => args.branches.includes(one.branch))"
WORDS = "one.label.toLowerCase().includes(args.word) || one.note.includes(args.word)"
RANGES = "read the range of each of the values of branch that are looked for, by index `by_branch`, together with Promise.all"


def _said(folder: Path, body: str, others: dict[str, str]) -> list[str]:
    files = {"package.json": "{}", "convex/schema.ts": SCHEMA, "convex/parcels.ts": PARCELS.replace("BODY", body), **others}
    found = check([lay(folder, files)]).result.findings
    return ["; ".join(advice(f.found)) for f in found if f.rule == "unbounded-read"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return all.length === 0;", "read one row with .first()"),
        ("return all.length === 0 ? null : all[0];", "read one row with .first()"),
        ("return [all[0], all[1]];", "bound the read with an index range, .take(n) or .paginate()"),
        (f"let found = {OF_BRANCHES}; if (args.word) found = found.filter((one) => {WORDS}); return found;", RANGES),
        (f"return {OF_BRANCHES}.filter((one) => one.state === 'sent');", RANGES),
        (
            (
                "let found = all.filter((one) => one.label.includes(args.text) || one.note.includes(args.text));"
                "if (args.least) found = found.filter((one) => one.weight >= args.least); return found;"
            ),
            "add a search index on label and one on note, and read by it: it finds the rows by their words",
        ),
        (
            (
                "return all.filter((one) => one.label.includes(args.text) || one.note.includes(args.text)"
                " || (one.mail && one.mail.includes(args.text)));"
            ),
            "add a field that joins label, note, mail, and a search index on it, and read by that: it finds the rows by their words",
        ),
        (
            "const kept = new Set(); all.forEach((one) => { if (one.label.includes(args.text)) kept.add(one.note); }); return [...kept];",
            "add a search index on label, and read by it: it finds the rows by their words",
        ),
        (
            (
                "const kept = new Map(); for (const one of all) { const old = kept.get(one.state);"
                "if (!old || one._creationTime > old._creationTime) kept.set(one.state, one); } return [...kept.values()];"
            ),
            "bound the read with an index range, .take(n) or .paginate()",
        ),
        (
            "let found = all; if (args.least) found = found.filter((one) => one.weight >= args.least); return found;",
            (
                "add an index on (weight) of parcels and bind its fields in a range instead of testing them in memory; "
                "where it is not tested, read in pages with .paginate()"
            ),
        ),
    ],
    ids=[
        "none-at-all",
        "the-first",
        "first-two",
        "ids-before-words",
        "ids-before-state",
        "words-before-some",
        "three-texts",
        "each",
        "newest-of-each",
        "some-only",
    ],
)
def test_remedy(body: str, said: str, tmp_path: Path) -> None:
    assert _said(tmp_path, body, {}) == [said]


def test_a_screen_that_counts_what_has_been_cut_wants_no_counter(tmp_path: Path) -> None:
    body = "return all.sort((a, b) => b.weight - a.weight).slice(0, 50);"
    screen = """
import { useQuery } from "convex/react";
import { api } from "../convex/_generated/api";

export function Panel() {
  const rows = useQuery(api.parcels.asked, {});
  return <div>{rows?.length} {rows?.map((row) => <p key={row._id}>{row.label}</p>)}</div>;
}
"""
    assert _said(tmp_path, body, {"src/Panel.tsx": screen}) == ["add an index on (weight) and read with .order(...).take(n)"]


def test_a_field_that_is_named_as_the_code_runs_is_in_no_index(tmp_path: Path) -> None:
    body = "return all.filter((one) => one[args.word] === args.text).sort((a, b) => a.weight - b.weight);"
    schema = (
        'import { defineSchema, defineTable } from "convex/server";\nexport default defineSchema({ parcels: defineTable(anything) });\n'
    )
    assert _said(tmp_path, body, {"convex/schema.ts": schema}) == ["bound the read with an index range, .take(n) or .paginate()"]


def test_a_component_has_no_pages(tmp_path: Path) -> None:
    config = 'import { defineComponent } from "convex/server";\nexport default defineComponent("parcels");\n'
    said = _said(tmp_path, "return all;", {"convex/convex.config.ts": config})
    assert said == [
        (
            "bound the read with an index range, .take(n) or .paginate(); "
            "a component has no .paginate(): `paginator` of convex-helpers reads pages there"
        )
    ]


def test_a_range_of_a_field_that_may_be_missing_begins_where_it_is_there(tmp_path: Path) -> None:
    schema = SCHEMA.replace("weight: v.number()", "weight: v.optional(v.number())")
    said = _said(tmp_path, "return all.filter((one) => one.weight !== undefined && one.weight < 5);", {"convex/schema.ts": schema})
    assert said == [
        (
            "add an index on (weight) of parcels and bind its fields in a range instead of testing them in memory; "
            'begin the range with .gt("weight", undefined), as rows without a value come first in it'
        )
    ]
