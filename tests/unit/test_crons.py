"""Crons: the platform asks `crons.ts` for them, and nothing starts those that another file registers."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint import settings
from querylint.advise.audience import Audience, audience
from querylint.discover import Scope
from querylint.engine import Project

NOTES = """
import { internalMutation } from "./_generated/server";
export const tidy = internalMutation({ args: {}, handler: async (ctx) => { await ctx.db.insert("notes", { text: "" }); } });
"""
CRONS = """
import { cronJobs } from "convex/server";
import { internal } from "./_generated/api";
const crons = cronJobs();
crons.interval("tidy", { minutes: [5, (60)][0] }, internal.notes.tidy, {});
export default crons;
"""
BASE = {
    "convex/schema.ts": "export default defineSchema({ notes: defineTable({ text: v.string() }) });\n",
    "convex/notes.ts": NOTES,
    "convex/_generated/server.js": "",
}


def whose(folder: Path, files: dict[str, str]) -> Audience:
    lay(folder, BASE | files)
    program = Project(Scope(folder), settings.load(folder, rule_names=frozenset())).program()[0]
    return audience(program, program.functions["convex/notes.ts::tidy"])


@pytest.mark.parametrize(
    "files",
    [
        {"convex/crons.ts": CRONS},
        {"convex/jobs.ts": CRONS, "convex/crons.ts": 'export { default } from "./jobs";\n'},
        {"convex/jobs.ts": CRONS, "convex/crons.ts": 'import jobs from "./jobs";\nexport default jobs;\n'},
        {"convex/jobs.ts": CRONS + "export const refs = [internal.notes.tidy];\n"},
        {"convex/jobs.ts": CRONS.replace('"tidy"', '"tidy :( hourly"') + "export const refs = [internal.notes.tidy];\n"},
        {"convex/jobs.ts": CRONS.replace("{});", "{}); // don't (") + "export const refs = [internal.notes.tidy];\n"},
        {"convex/jobs.ts": CRONS.replace("{});", "{} /* ( */); ") + "export const refs = [internal.notes.tidy];\n"},
    ],
    ids=["crons.ts", "exported from it", "imported by it", "named elsewhere", "after a text", "after a remark", "after a comment"],
)
def test_a_cron_that_runs_or_another_name_leads_to_a_function(tmp_path: Path, files: dict[str, str]) -> None:
    assert whose(tmp_path, files) is Audience.BACKGROUND


@pytest.mark.parametrize("path", ["convex/jobs.ts", "convex/lib/crons.ts", "lib/crons.ts"])
def test_a_cron_of_another_file_starts_nothing(tmp_path: Path, path: str) -> None:
    assert whose(tmp_path, {path: CRONS.replace("./_generated", "../convex/_generated" if path.startswith("lib") else "./_generated")}) is (
        Audience.NOBODY
    )
