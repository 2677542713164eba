"""Convex functions that one file defines and another passes on: clients reach them by the name of the file that exports them."""

from __future__ import annotations

from pathlib import Path

from laid import lay
from querylint import settings
from querylint.advise.audience import Audience, audience
from querylint.discover import Scope
from querylint.engine import Project
from querylint.ir import Program

SCHEMA = "export default defineSchema({ notes: defineTable({ text: v.string() }) });\n"
WRITES = """
import { mutation, internalMutation } from "./_generated/server";
export const create = mutation({ args: {}, handler: async (ctx) => { await ctx.db.insert("notes", { text: "" }); } });
export const forget = mutation({ args: {}, handler: async (ctx) => { await ctx.db.insert("notes", { text: "" }); } });
export const sweep = internalMutation({ args: {}, handler: async (ctx) => { await ctx.db.insert("notes", { text: "" }); } });
const hidden = mutation({ args: {}, handler: async (ctx) => { await ctx.db.insert("notes", { text: "" }); } });
export { hidden as shown };
"""
READS = 'import { query } from "./_generated/server";\n' + "".join(
    f"export const read{n} = query({{ args: {{}}, handler: async (ctx) => await ctx.db.query('notes').first() }});\n" for n in range(12)
)
PASSED = 'import * as writes from "./writes";\nexport { create } from "./writes";\nexport const tidy = writes.sweep;\n'
CLIENT = 'import { useQuery } from "convex/react";\nimport { api } from "../convex/_generated/api";\nexport function App() {\n' + (
    "".join(f"  useQuery(api.reads.read{n}, {{}});\n" for n in range(12))
    + "  useMutation(api.notes.create);\n  useMutation(api.writes.shown);\n}\n"
)
CRONS = (
    'import { cronJobs } from "convex/server";\nimport { internal } from "./_generated/api";\n'
    'const crons = cronJobs();\ncrons.daily("tidy", { hourUTC: 1, minuteUTC: 0 }, internal.notes.tidy);\nexport default crons;\n'
)


def program(folder: Path, passed: str = PASSED) -> Program:
    files = {
        "convex/schema.ts": SCHEMA, "convex/writes.ts": WRITES, "convex/reads.ts": READS, "convex/notes.ts": passed, "src/App.tsx": CLIENT,
        "convex/crons.ts": CRONS, "convex/_generated/server.js": "",
    }  # fmt: skip
    lay(folder, files)
    return Project(Scope(folder), settings.load(folder, rule_names=frozenset())).program()[0]


def whose(program: Program, name: str) -> Audience:
    return audience(program, program.functions[f"convex/writes.ts::{name}"])


def test_clients_ask_by_the_name_of_the_file_that_exports(tmp_path: Path) -> None:
    found = program(tmp_path)
    asked = {name: whose(found, name) for name in ("create", "forget", "sweep", "hidden")}
    assert asked == {"create": Audience.USERS, "forget": Audience.NOBODY, "sweep": Audience.BACKGROUND, "hidden": Audience.USERS}


def test_nobody_asks_what_nothing_passes_on(tmp_path: Path) -> None:
    found = program(tmp_path, 'export { shown } from "./writes";\n')
    assert {whose(found, "create"), whose(found, "sweep")} == {Audience.NOBODY}


def test_everything_of_a_module_passed_on(tmp_path: Path) -> None:
    assert whose(program(tmp_path, 'export * from "./writes";\n'), "create") is Audience.USERS


def test_a_function_outside_the_folder_gets_the_route_that_passes_it_on(tmp_path: Path) -> None:
    lay(tmp_path, {"shared/writes.ts": WRITES.replace("./_generated", "../convex/_generated")})
    found = program(tmp_path, 'export { create } from "../shared/writes";\n')
    function = found.functions["shared/writes.ts::create"]
    assert (function.route, audience(found, function)) == ("notes:create", Audience.USERS)
