# long: one command, on real Node; its cases share one run of a small project
"""`querylint measure`, with the real Node and convex-test: numbers that are known by hand, the same in each run, and what fails a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lab_packages import installed
from laid import lay
from querylint import cli
from querylint.evidence.costs import Cost, Growth, Sample, exponent, growth
from querylint.lab import process
from tools import needs

pytestmark = needs("node", "npm")

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs/schema/measure-v1.json").read_text(encoding="utf-8"))
TABLES = """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  users: defineTable({ name: v.string(), handle: v.string() }).index("by_handle", ["handle"]),
  posts: defineTable({ authorId: v.id("users"), title: v.string(), rank: v.number() }).index("by_author", ["authorId"]),
  likes: defineTable({ postId: v.id("posts"), userId: v.id("users"), kind: v.union(v.literal("up"), v.literal("down")) })
    .index("by_post", ["postId"])
    .index("by_post_user", ["postId", "userId"]),
  kinds: defineTable({ name: v.string() }),
});
"""
CODE = """
import { action, mutation, query } from "./_generated/server";
import { api } from "./_generated/api";
import { v } from "convex/values";

export const one = query({ args: { id: v.id("posts") }, handler: async (ctx, args) => await ctx.db.get(args.id) });

export const authors = query({
  args: {},
  handler: async (ctx) => {
    const posts = await ctx.db.query("posts").collect();
    const names = [];
    for (const post of posts) {
      const author = await ctx.db.get(post.authorId);
      names.push(author?.name);
    }
    return names;
  },
});

export const together = query({
  args: {},
  handler: async (ctx) => {
    const posts = await ctx.db.query("posts").collect();
    return await Promise.all(posts.map((post) => ctx.db.get(post.authorId)));
  },
});

export const pairs = query({
  args: {},
  handler: async (ctx) => {
    const posts = await ctx.db.query("posts").collect();
    let sum = 0;
    for (const post of posts) {
      const likes = await ctx.db.query("likes").filter((q) => q.eq(q.field("postId"), post._id)).collect();
      sum += likes.length;
    }
    return sum;
  },
});

export const two = query({
  args: { postId: v.id("posts"), userId: v.id("users") },
  handler: async (ctx, args) => {
    const post = await ctx.db.get(args.postId);
    const user = await ctx.db.get(args.userId);
    return { post, user };
  },
});

export const filtered = query({
  args: { authorId: v.id("users") },
  handler: async (ctx, args) => {
    const posts = await ctx.db.query("posts").collect();
    return posts.filter((post) => post.authorId === args.authorId);
  },
});

export const latest = query({ args: {}, handler: async (ctx) => await ctx.db.query("posts").order("desc").take(3) });

export const page = query({
  args: { paginationOpts: v.object({ numItems: v.number(), cursor: v.union(v.string(), v.null()) }) },
  handler: async (ctx, args) => await ctx.db.query("posts").paginate(args.paginationOpts),
});

export const kinds = query({ args: {}, handler: async (ctx) => await ctx.db.query("kinds").collect() });

export const liked = query({
  args: { postId: v.id("posts"), userId: v.id("users") },
  handler: async (ctx, args) =>
    await ctx.db.query("likes").withIndex("by_post_user", (q) => q.eq("postId", args.postId).eq("userId", args.userId)).unique(),
});

export const unsure = query({
  args: {},
  handler: async (ctx) => {
    const identity = await ctx.auth.getUserIdentity();
    const users = await ctx.db.query("users").collect();
    if (users.every((user) => user.handle !== identity?.subject)) throw new Error("No such user");
  },
});

export const mine = query({
  args: {},
  handler: async (ctx) => {
    const identity = await ctx.auth.getUserIdentity();
    if (identity === null) throw new Error("Not signed in");
    const user = await ctx.db.query("users").withIndex("by_handle", (q) => q.eq("handle", identity.subject)).unique();
    if (user === null) throw new Error("No such user");
    return await ctx.db.query("posts").withIndex("by_author", (q) => q.eq("authorId", user._id)).collect();
  },
});

export const rename = mutation({
  args: { authorId: v.id("users") },
  handler: async (ctx, args) => {
    const posts = await ctx.db.query("posts").withIndex("by_author", (q) => q.eq("authorId", args.authorId)).collect();
    await Promise.all(posts.map((post) => ctx.db.patch(post._id, { title: "new" })));
  },
});

export const clear = mutation({
  args: {},
  handler: async (ctx) => {
    for (const post of await ctx.db.query("posts").collect()) await ctx.db.delete(post._id);
    await ctx.db.insert("kinds", { name: "last" });
    await ctx.scheduler.runAfter(0, api.posts.clear, {});
  },
});

export const relay = action({
  args: {},
  handler: async (ctx) => {
    await Promise.all([ctx.runQuery(api.posts.authors, {}), ctx.runQuery(api.posts.latest, {})]);
    await ctx.runMutation(api.posts.clear, {});
  },
});

export const forbidden = query({ args: {}, handler: async () => { throw new Error("Only for admins"); } });
export const outside = action({ args: {}, handler: async () => await fetch("https://example.com") });
"""
FILES = {"convex/schema.ts": TABLES, "convex/posts.ts": CODE}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay(tmp_path_factory.mktemp("project"), FILES)


def measure(*args: str | Path) -> int:
    return cli.run(["measure", "--packages", str(installed()), *map(str, args)])


@pytest.fixture(scope="module")
def told(project: Path) -> dict[str, Any]:
    """The numbers of the whole project, as JSON."""
    return _told(project, "--unsafe", "--show", "info")


def _told(*args: str | Path) -> dict[str, Any]:
    path = Path(args[0]) / "out.json"
    with pytest.MonkeyPatch.context() as patch:
        written: list[str] = []
        patch.setattr("querylint.cli.measure.put", lambda text, machine=False: written.append(text))
        assert measure(*args, "--format", "json") == 0
    path.write_text(written[0], encoding="utf-8")
    told: dict[str, Any] = json.loads(written[0])
    jsonschema.validate(told, SCHEMA)
    return told


def function(told: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in told["functions"] if one["name"] == f"posts:{name}")


def series(told: dict[str, Any], name: str, measure: str, state: str = "before") -> list[int]:
    return [size[state][measure] for size in function(told, name)["sizes"]]


def words(told: dict[str, Any], name: str, measure: str, state: str = "before") -> str:
    return str(function(told, name)["growth"][state][measure]["words"])


def test_a_read_in_a_loop_costs_a_round_trip_for_each_row_and_none_when_it_is_gathered(told: dict[str, Any]) -> None:
    assert series(told, "authors", "documents") == [20, 200, 2000]
    assert series(told, "authors", "calls") == [11, 101, 1001]
    assert series(told, "authors", "roundTrips") == [11, 101, 1001]
    assert series(told, "authors", "documents", "after") == [20, 200, 2000]
    assert series(told, "authors", "calls", "after") == [11, 101, 1001]
    assert series(told, "authors", "roundTrips", "after") == [2, 2, 2]
    assert series(told, "together", "roundTrips") == [2, 2, 2]
    assert words(told, "authors", "roundTrips") == "with the rows"
    assert words(told, "authors", "roundTrips", "after") == "does not grow"
    assert words(told, "authors", "documents", "after") == "with the rows"


def test_reads_that_need_not_wait_take_one_round_trip_after_the_fix(told: dict[str, Any]) -> None:
    assert series(told, "two", "roundTrips") == [2, 2, 2]
    assert series(told, "two", "roundTrips", "after") == [1, 1, 1]
    assert series(told, "two", "documents") == series(told, "two", "documents", "after") == [2, 2, 2]


def test_a_filter_in_memory_reads_all_and_a_range_what_is_asked_for(told: dict[str, Any]) -> None:
    """Of the rows that point to a user, a half points to the first, and the user who is asked for is the first."""
    assert series(told, "filtered", "documents") == [10, 100, 1000]
    after = series(told, "filtered", "documents", "after")
    assert [1 + rows // 2 for rows in (10, 100, 1000)] == after  # the first odd row points to it as well
    assert all(now < was for now, was in zip(series(told, "filtered", "bytes", "after"), series(told, "filtered", "bytes"), strict=True))


def test_what_filters_before_it_is_read_is_billed_and_ends_at_the_limit_of_convex(told: dict[str, Any]) -> None:
    few, more, most = (size["before"] for size in function(told, "pairs")["sizes"])
    assert (few["documents"], more["documents"]) == (10 + 10 * 10, 100 + 100 * 100)
    assert most == {"reason": "it reads more than Convex allows one transaction (32,000 documents, 16 MiB)"}
    assert words(told, "pairs", "documents") == "with their square"
    assert words(told, "pairs", "roundTrips") == "with the rows"
    assert function(told, "pairs")["sizes"][2]["after"]["documents"] == 2000  # with an index: each post, each like


@pytest.mark.parametrize(("name", "documents", "trips"), [("one", 1, 1), ("latest", 3, 1), ("page", 5, 1), ("liked", 1, 1)])
def test_what_does_not_grow(told: dict[str, Any], name: str, documents: int, trips: int) -> None:
    assert series(told, name, "documents") == [documents] * 3
    assert series(told, name, "roundTrips") == [trips] * 3
    assert words(told, name, "documents") == words(told, name, "bytes") == "does not grow"


def test_callers_own_rows(told: dict[str, Any]) -> None:
    assert series(told, "mine", "documents") == [1 + 6, 1 + 51, 1 + 501]
    assert series(told, "mine", "roundTrips") == [2, 2, 2]


def test_documents_that_are_written_are_read_first_one_after_another(told: dict[str, Any]) -> None:
    """`patch` reads what it changes, and Convex does not put writes together, however they are begun; what is written is taken back."""
    assert series(told, "rename", "documents") == [12, 102, 1002]
    assert series(told, "rename", "roundTrips") == [7, 52, 502]
    assert series(told, "clear", "documents") == [20, 200, 2000]
    assert series(told, "clear", "calls") == [13, 103, 1003]  # a query, the deletions, an insertion, a scheduled function
    assert series(told, "clear", "roundTrips") == [11, 101, 1001]  # what is inserted or scheduled waits for nothing
    assert series(told, "page", "documents") == [5, 5, 5]  # which comes after it


def test_an_action_counts_its_own_calls_and_all_documents(told: dict[str, Any]) -> None:
    assert series(told, "relay", "documents") == [20 + 3 + 20, 200 + 3 + 200, 2000 + 3 + 2000]
    assert series(told, "relay", "calls") == [3, 3, 3]
    assert series(told, "relay", "roundTrips") == [2, 2, 2]


def test_bytes_are_those_of_convex(told: dict[str, Any]) -> None:
    name, id = 2 + len("name 0"), 2 + 32  # of a text, a byte for its type and one for its end
    kind = 2 + len("name") + 1 + name + len("_id") + 1 + id + len("_creationTime") + 1 + 9
    assert series(told, "kinds", "bytes") == [kind * 10, kind * 100, kind * 1000]


def test_what_cannot_be_run_is_told_with_the_reason(told: dict[str, Any]) -> None:
    assert function(told, "forbidden")["reason"] == "it fails: Only for admins"
    assert function(told, "outside")["reason"] == "it reaches for the network"
    assert function(told, "outside")["sizes"] == []


def test_each_run_gives_the_same(project: Path, told: dict[str, Any]) -> None:
    assert _told(project, "--unsafe", "--show", "info") == told


def test_a_part_is_measured_as_the_whole_is(project: Path, told: dict[str, Any]) -> None:
    """Only `mine` asks the database by which field callers are known, and `unsure` fails where they are not."""
    some = _told(project, "--only", "posts:[au]*", "--only", "unsure", "--unsafe", "--show", "info")
    assert [one["name"] for one in some["functions"]] == ["posts:authors", "posts:unsure"]
    assert [function(some, name) for name in ("authors", "unsure")] == [function(told, name) for name in ("authors", "unsure")]
    assert series(some, "unsure", "documents") == [10, 100, 1000]


def test_small_tables_stay_small(project: Path, tmp_path: Path) -> None:
    settings = tmp_path / "querylint.toml"
    settings.write_text('[tables.kinds]\nrows = "small"\n[tables.posts]\nrows = 50\n', encoding="utf-8")
    told = _told(project, "--config", settings, "--only", "posts:kinds", "--only", "posts:together")
    assert series(told, "kinds", "documents") == [10, 10, 10]
    assert series(told, "together", "documents") == [20, 100, 100]


def test_the_text_names_what_grows_and_what_the_fixes_bring(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(project, "--unsafe", "--top", "3") == 0
    out = capsys.readouterr().out
    assert "Measured 15 of 17 functions on tables of 10, 100 and 1,000 rows; at 1,000 rows, before → after 4 fixes:\n" in out
    assert "over the limit → 2,000" in out
    assert "    posts:forbidden: it fails: Only for admins\n" in out
    assert "Only 3 of 15 functions are shown: --top 15 shows all.\n" in out
    assert measure(project, "--unsafe", "--only", "authors") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "posts:authors {}"
    assert lines[6].split() == ["1,000", "rows", "2,000", *lines[6].split()[3:5], "1,001", "1,001", "→", "2", "(<", "0.01", "×)"]
    assert lines[7].endswith("with the rows → does not grow")


def test_two_states_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = lay(tmp_path / "app", FILES)
    _told(app, "--rows", "10,100")
    slower = CODE.replace(
        'ctx.db.query("posts").order("desc").take(3)', '(await ctx.db.query("posts").order("desc").collect()).slice(0, 3)'
    )
    lay(app, {"convex/posts.ts": slower.replace("export const kinds", "export const names")})
    asked = (app, "--rows", "10,100", "--against", app / "out.json")
    assert measure(*asked) == 0
    out = capsys.readouterr().out
    assert "Compared with out.json:\n" in out
    assert "3 → 100 (33 ×)" in out
    assert "does not grow → with the rows\n" in out
    assert "Only now: posts:names.\nOnly then: posts:kinds.\n" in out
    assert measure(*asked, "--fail-on-growth", "rows", "--only", "latest") == 1
    assert "error posts:latest: documents read grow with the rows, which did not grow in out.json\n" in capsys.readouterr().out
    assert measure(*asked, "--fail-on-growth", "square") == 0
    told = _told(*asked)
    assert [one["name"] for one in told["against"]["changed"]] == ["posts:latest", "posts:relay"]
    assert told["against"]["onlyNow"] == [{"backend": "convex", "name": "posts:names"}]


def test_growth_and_budgets_fail_a_run(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(project, "--only", "one", "--fail-on-growth", "rows") == 0
    assert measure(project, "--only", "pairs", "--fail-on-growth", "square", "--rows", "10,50") == 1
    assert "error posts:pairs: documents read grow with their square\n" in capsys.readouterr().out
    assert measure(project, "--only", "authors", "--fail-on-growth", "square") == 0
    assert measure(project, "--only", "authors", "--budget", "round-trips=1000", "--budget", "documents=2000") == 1
    assert "error posts:authors: round trips at 1,000 rows: 1,001, of 1,000 allowed\n" in capsys.readouterr().out
    settings = tmp_path / "querylint.toml"
    settings.write_text('[budget]\ndocuments = 5000\nround-trips = 5000\n"posts:latest" = { documents = 2 }\n', encoding="utf-8")
    assert measure(project, "--config", settings, "--only", "latest", "--only", "pairs") == 1
    out = capsys.readouterr().out
    assert "error posts:latest: documents read at 1,000 rows: 3, of 2 allowed\n" in out
    assert "error posts:pairs: documents read at 1,000 rows: more than Convex allows, of 5,000 allowed\n" in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--only", "posts:nothing"), "no function of Convex is called `posts:nothing`"),
        (("--rows", "10,x"), "`10,x` is not one to 5 numbers, separated by commas."),
        (("--rows", "10,100000"), "a table gets from 1 to 10,000 rows."),
        (("--budget", "p95=3"), "`p95=3` is not MEASURE=MOST with one of documents, round-trips and a number."),
        (("--against", "nothing.json"), "`nothing.json` cannot be read (no such file or directory)"),
        (("--against", str(ROOT / "docs/schema/check-v1.json")), "does not hold what `querylint measure --format json` writes"),
    ],
)
def test_what_cannot_be_asked(project: Path, args: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(project, *args) == 2
    assert message in capsys.readouterr().err


def test_without_packages_or_functions_it_says_so(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUERYLINT_CACHE_DIR", str(tmp_path / "cache"))
    assert cli.run(["measure", str(project)]) == 2
    assert "the package convex-test is needed, which is not there; `npm install --save-dev convex@" in capsys.readouterr().err
    lay(tmp_path, {"app/models.py": "x = 1\n"})
    assert measure(tmp_path / "app") == 2
    assert "there is no function of Convex to measure" in capsys.readouterr().err


def test_a_function_that_never_ends_is_given_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process, "SECONDS", 3)
    endless = "export const endless = query({ args: {}, handler: async () => { for (;;); } });\n"
    app = lay(tmp_path, {**FILES, "convex/posts.ts": CODE + endless})
    assert measure(app, "--only", "endless", "--only", "one") == 0
    assert "    posts:endless: it takes more than 3 seconds\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((5, 5, 5), Growth.NONE), ((0, 0), Growth.NONE), ((5, 6, 8), Growth.NONE), ((10, 32, 100), Growth.SLOWER),
        ((12, 102, 1002), Growth.ROWS), ((10, 50, 50), Growth.NONE), ((10, 300, 9500), Growth.FASTER),
        ((110, 10_100), Growth.SQUARE), ((1000, 1_000_000), Growth.MORE), ((7,), None),
    ],
)  # fmt: skip
def test_growth_in_words(values: tuple[int, ...], expected: Growth | None) -> None:
    samples = [Sample(10 ** (n + 1), Cost(value, 0, 0, 0)) for n, value in enumerate(values)]
    assert growth(exponent([*samples, Sample(10_000, None, "it fails")], "documents")) is expected


def test_the_page_shows_what_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/measure.md").read_text(encoding="utf-8")
    shown = page.partition("```text\n")[2].partition("```")[0]
    assert measure(ROOT / "fixtures/apps/hooklabs", "--unsafe", "--top", "9") == 0
    assert capsys.readouterr().out == shown


def test_an_optimized_application_takes_less(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The two applications that we have: the second is the first with its defects mended by hand. Its counters cost a few reads a write."""
    assert measure(ROOT / "fixtures/apps/hooklabs", "--format", "json") == 0
    base = tmp_path / "base.json"
    base.write_text(capsys.readouterr().out, encoding="utf-8")
    assert measure(ROOT / "fixtures/apps/hooklabs-optimized", "--against", base, "--fail-on-growth", "rows", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, SCHEMA)
    costs = {one["name"]: (one["then"], one["now"]) for one in told["against"]["changed"]}
    changes = {name: now["documents"] - then["documents"] for name, (then, now) in costs.items()}
    assert sum(change < -200 for change in changes.values()) >= 12
    assert max(changes.values()) <= 4
    assert costs["aiGenerations:getPersonaPerformance"][0]["roundTrips"] > 1000
    assert costs["aiGenerations:getPersonaPerformance"][1]["roundTrips"] == 2


def test_rows_without_a_text_are_in_no_search_index_and_elements_need_their_runtime(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  notes: defineTable({ text: v.optional(v.string()) }).searchIndex("by_text", { searchField: "text" }),
});
"""
    code = """
import { action, query } from "./_generated/server";
export const found = query({
  args: {},
  handler: async (ctx) => await ctx.db.query("notes").withSearchIndex("by_text", (q) => q.search("text", "people")).take(4),
});
export const mail = action({ args: {}, handler: async (ctx) => String(<p>{await ctx.auth.getUserIdentity()}</p>) });
"""
    app = lay(tmp_path, {"convex/schema.ts": schema, "convex/notes.tsx": code})
    assert measure(app) == 0
    out = capsys.readouterr().out
    assert "\nnotes:found          4            1  does not grow\n" in out
    assert "    notes:mail: it reaches for the package `react/jsx-runtime`, which is not installed\n" in out
