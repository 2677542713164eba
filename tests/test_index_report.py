"""The index advice in each of its formats, on the HookLabs backend, and the door that prints it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from laid import lay
from querylint import indexing
from querylint.cli import door
from querylint.report.indexes import render

ROOT = Path(__file__).parent.parent
APPS = ROOT / "fixtures/apps"
HOOKLABS = APPS / "hooklabs"
SCHEMA = json.loads((ROOT / "docs/schema/indexes-v1.json").read_text(encoding="utf-8"))


def _run(*args: str | Path) -> Result:
    return CliRunner().invoke(door, ["indexes", *map(str, args)], standalone_mode=False)


def _expected(name: str, text: str, update: bool) -> str:
    place = HOOKLABS / "expected" / name
    if update:
        place.write_text(text, encoding="utf-8")
    return place.read_text(encoding="utf-8")


@pytest.mark.parametrize(("style", "name"), [("text", "indexes.txt"), ("markdown", "indexes.md")])
def test_the_advice_for_hooklabs(style: str, name: str, request: pytest.FixtureRequest) -> None:
    text = render(style, indexing.indexes([HOOKLABS]))
    assert text == _expected(name, text, request.config.getoption("--update"))


def test_the_edits_for_hooklabs(request: pytest.FixtureRequest) -> None:
    done = _run("--diff", HOOKLABS)
    assert done.return_value == 1
    assert done.stdout == _expected("indexes.diff", done.stdout, request.config.getoption("--update"))
    assert "Would add 6 indexes and drop 9." in done.stderr


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("app", sorted(path.name for path in APPS.iterdir() if path.is_dir()))
def test_the_json_follows_its_schema(app: str) -> None:
    report = json.loads(render("json", indexing.indexes([APPS / app], every=True)))
    assert list(Draft202012Validator(SCHEMA).iter_errors(report)) == []
    for table in report["tables"]:
        ids = {query["id"] for query in table["queries"]}
        named = [*table["proof"], *table["spare"], *(i for index in table["indexes"] for i in index["serves"])]
        assert set(named) <= ids


def test_the_plan_of_the_owner_is_in_the_advice() -> None:
    report = json.loads(render("json", indexing.indexes([HOOKLABS])))
    added = {(t["table"], *i["fields"]) for t in report["tables"] for i in t["indexes"] if i["verdict"] == "add"}
    wanted = {("socialPosts", "userId", "status"), ("scheduledPosts", "status", "scheduledFor"), ("socialPosts", "userId", "createdAt")}
    assert wanted <= added


def test_nothing_to_do_is_said_and_ends_with_zero() -> None:
    done = _run(APPS / "hooklabs-optimized")
    assert done.return_value == 0
    assert "Every query has its index, and every index is needed." in done.stdout


def test_nothing_is_praised_where_nothing_was_seen(tmp_path: Path) -> None:
    (tmp_path / "empty.ts").write_text("export const a = 1;\n")
    for style in ("text", "markdown"):
        assert "Every query" not in render(style, indexing.indexes([tmp_path]))


def test_only_tables_that_are_asked_for() -> None:
    report = indexing.indexes([HOOKLABS / "convex/credits.ts"])
    assert {table.table.name for table in report.tables} == {"credits", "userCreditBalances"}


def test_applied_nothing_is_left(tmp_path: Path) -> None:
    shutil.copytree(HOOKLABS, tmp_path / "app")
    assert _run("--apply", tmp_path / "app").return_value == 0
    assert _run(tmp_path / "app").return_value == 0
    again = _run("--diff", tmp_path / "app")
    assert (again.return_value, again.stdout) == (0, "")


def test_adding_alone_drops_nothing_and_moves_no_query(tmp_path: Path) -> None:
    shutil.copytree(HOOKLABS, tmp_path / "app")
    done = _run("--diff", "--only", "add", tmp_path / "app")
    removed = [line for line in done.stdout.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert all(line.rstrip().endswith("// expect: index-unused") or ".index(" in line for line in removed)
    assert "convex/socialAccounts.ts" not in done.stdout
    assert '.index("byUserIdAndStatus"' in done.stdout


@pytest.mark.parametrize("args", [("--diff", "--apply"), ("--only", "add")])
def test_options_that_do_not_go_together(args: tuple[str, ...]) -> None:
    assert CliRunner().invoke(door, ["indexes", *args]).exit_code == 2


def _project(folder: Path, chain: str, *queries: str) -> Path:
    (folder / "convex").mkdir()
    (folder / "convex/schema.ts").write_text(
        'import { defineSchema, defineTable } from "convex/server";\nimport { v } from "convex/values";\n'
        f"export default defineSchema({{ posts: defineTable({{ kind: v.string(), at: v.number(), by: v.string() }}){chain} }});\n"
    )
    bodies = [f"export const q{n} = query({{ handler: async (ctx, args: any) => {text} }});\n" for n, text in enumerate(queries)]
    add = 'export const add = mutation((ctx) => ctx.db.insert("posts", { kind: "", at: 0, by: "" }));\n'
    (folder / "convex/posts.ts").write_text('import { mutation, query } from "./_generated/server";\n' + "".join(bodies) + add)
    return folder


SCAN = 'await ctx.db.query("posts").filter((q) => q.eq(q.field("kind"), args.kind)).collect()'
BOUND = 'await ctx.db.query("posts").withIndex("by_kind", (q) => q.eq("kind", args.kind)).take(9)'
TWICE = """{
  const base = args.new ? ctx.db.query("posts").withIndex("by_at") : ctx.db.query("posts").withIndex("by_kind", (q) => q.eq("kind", "a"));
  return await base.order("desc").take(9);
}"""


def test_a_query_that_passes_its_index_by_is_named_before_and_after_the_edits(tmp_path: Path) -> None:
    folder = _project(tmp_path, '.index("by_by", ["by"])', SCAN)
    done = _run("--apply", "--allow-dirty", folder)
    assert done.return_value == 0
    assert "These queries do not use their index yet: q0 (convex/posts.ts:2) by `by_kind`" in done.stderr
    said = _run(folder).stdout
    assert "No index is missing or unneeded. Still to be moved to its index: q0 (convex/posts.ts:2) by `by_kind`." in said


def test_a_query_that_reads_by_its_index_is_done(tmp_path: Path) -> None:
    assert "Every query has its index, and every index is needed." in _run(_project(tmp_path, '.index("by_kind", ["kind"])', BOUND)).stdout


def test_a_query_with_two_orders_is_one_query_of_the_proof(tmp_path: Path) -> None:
    chain = '.index("by_kind", ["kind"]).index("by_at", ["at"])'
    said = " ".join(_run("--all", _project(tmp_path, chain, TWICE)).stdout.split())
    assert "no single index can serve both of these 2 orders of 1 query: q0" in said
    assert said.partition("proof:")[2].count("q0 (") == 1


def test_the_readers_of_a_dropped_index_are_to_be_moved_first(tmp_path: Path) -> None:
    chain = '.index("by_kind", ["kind"]).index("by_kind_by", ["kind", "by"])'
    both = 'await ctx.db.query("posts").withIndex("by_kind_by", (q) => q.eq("kind", args.kind).eq("by", args.by)).take(9)'
    counted = BOUND.replace(".take(9)", ".collect()")
    said = " ".join(_run(_project(tmp_path, chain, both, f"({counted}).length")).stdout.split())
    assert "`by_kind_by` serves its queries as well: move q1 (convex/posts.ts:3) there first" in said


SCHEMA_OF_LOGS = (
    'import { defineSchema, defineTable } from "convex/server";\nimport { v } from "convex/values";\n'
    "export default defineSchema({ logs: defineTable({ kind: v.string() }) });\n"
)
READER = (
    'import { v } from "convex/values";\nimport { mutation, internalMutation, query } from "./_generated/server";\n'
    "export const of = query({ args: { kind: v.string() }, handler: (ctx, args) => "
    'ctx.db.query("logs").filter((q) => q.eq(q.field("kind"), args.kind)).collect() });\n'
)
ADDED = 'ctx.db.insert("logs", { kind: "x" })'


@pytest.mark.parametrize(
    ("writer", "words"),
    [
        ("", "price: no write of it is seen\n"),
        (f"export const add = mutation({{ args: {{}}, handler: (ctx) => {ADDED} }});\n", "price: each row that is written"),
        (
            f"export const fill = internalMutation({{ args: {{}}, handler: (ctx) => {ADDED} }});\n",
            "price: only 1 place in seeds, migrations",
        ),
        (
            "export const add = mutation({ args: { to: v.any() }, handler: (ctx, args) => ctx.db.insert(args.to, {}) });\n",
            "price: no write of it is seen; 1 place writes to an unknown table",
        ),
    ],
)
def test_what_is_said_of_writes_is_known(tmp_path: Path, writer: str, words: str) -> None:
    lay(tmp_path, {"convex/schema.ts": SCHEMA_OF_LOGS, "convex/logs.ts": READER + writer})
    assert words in render("text", indexing.indexes([tmp_path]))
