# long: one command, on real Node; its cases share what is installed for them
"""`querylint verify`, with the real Node and convex-test: what it finds out, what it cannot, and what the code on trial cannot do."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab_packages import LAB, installed
from laid import lay
from querylint import cli
from querylint.lab import packages, process
from querylint.lab.experiment import Experiment
from querylint.lab.marks import marked
from querylint.lab.process import Bench, Site
from querylint.lab.trial import Freedom, Outcome, Trial
from querylint.rewrite.typescript import gather, hoist, memory_filter, push_down, ranges
from querylint.verification import freedom
from tools import needs

pytestmark = needs("node", "npm")

SERVER = 'import { query, mutation, action, internalMutation } from "./_generated/server";\nimport { v } from "convex/values";\n'
SCHEMA = """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  users: defineTable({ name: v.string(), externalId: v.string() }).index("by_external", ["externalId"]),
  posts: defineTable({ userId: v.id("users"), title: v.string(), rank: v.optional(v.number()) }).index("by_user", ["userId"]),
  likes: defineTable({ postId: v.id("posts"), weight: v.union(v.number(), v.null()) }).index("by_post", ["postId"]),
});
"""
POSTS = (
    SERVER
    + """
async function me(ctx) {
  const identity = await ctx.auth.getUserIdentity();
  if (identity === null) throw new Error("Not signed in");
  const user = await ctx.db.query("users").withIndex("by_external", (q) => q.eq("externalId", identity.subject)).unique();
  if (user === null) throw new Error("No such user");
  return user;
}

export const mine = query({
  args: {},
  handler: async (ctx) => {
    const user = await me(ctx);
    return await ctx.db.query("posts").filter((q) => q.eq(q.field("userId"), user._id)).collect();
  },
});

export const owned = query({
  args: {},
  handler: async (ctx) => {
    const identity = await ctx.auth.getUserIdentity();
    if (identity === null) return [];
    return await ctx.db.query("posts").withIndex("by_user", (q) => q.eq("userId", identity.subject)).collect();
  },
});

export const page = query({
  args: { postId: v.id("posts") },
  handler: async (ctx, args) => {
    const post = await ctx.db.get(args.postId);
    if (post === null) return null;
    const author = await ctx.db.get(post.userId);
    const likes = await ctx.db.query("likes").withIndex("by_post", (q) => q.eq("postId", post._id)).collect();
    return { post, author, likes };
  },
});

export const clear = mutation({
  args: { userId: v.id("users") },
  handler: async (ctx, args) => {
    const posts = await ctx.db.query("posts").withIndex("by_user", (q) => q.eq("userId", args.userId)).collect();
    for (const post of posts) await ctx.db.delete(post._id);
    return posts.length;
  },
});

export const later = mutation({
  args: { postId: v.id("posts") },
  handler: async (ctx, args) => {
    if ((await ctx.db.get(args.postId)) !== null) await ctx.scheduler.runAfter(1000, "posts:clear", { userId: "x" });
  },
});

export const full = query({
  args: { postId: v.id("posts") },
  handler: async (ctx, args) => {
    const few = await ctx.db.query("likes").take(3);
    if (few.length < 4) return few.length;
    const post = await ctx.db.get(args.postId);
    const likes = await ctx.db.query("likes").withIndex("by_post", (q) => q.eq("postId", args.postId)).collect();
    return { post, likes };
  },
});

export const ranked = query({
  args: {},
  handler: async (ctx) => (await ctx.db.query("posts").collect()).filter((post) => post.rank > 1).map((post) => post._id),
});
"""
)
ESCAPES = (
    SERVER
    + """
import pad from "a-package-that-is-not-there";
import secret from "../../secret";

const tried = (what) => { try { return String(what()); } catch (error) { return `refused: ${error.message}`; } };
export const environment = query({ args: {}, handler: async () => JSON.stringify(process.env) });
export const evaluation = query({
  args: {},
  handler: async () => [tried(() => eval("1 + 1")), tried(() => TextEncoder.constructor("return process")().version)],
});
const named = ["node:", "fs"].join("");
const whole = async (what) => { try { return typeof (await what()); } catch (error) { return `refused: ${error.message}`; } };
export const host = query({ args: {}, handler: async () => [typeof lab, await whole(() => import(named))] });
export const network = action({
  args: {},
  handler: async () => { try { await fetch("https://example.com"); } catch { return "hidden"; } },
});
export const padded = query({ args: {}, handler: async () => pad("x") });
export const outside = query({ args: {}, handler: async () => secret.length });
export const files = action({ args: {}, handler: async () => (await import("node:fs")).readFileSync("/etc/passwd", "utf8") });
export const endless = query({ args: {}, handler: async () => { for (;;); } });
const aDay = () => new Promise((then) => setTimeout(() => then(Date.now()), 86_400_000));
export const waiting = action({ args: {}, handler: async () => await aDay() });
"""
)
NONE = Freedom()
FILES = {"convex/schema.ts": SCHEMA, "convex/posts.ts": POSTS, "convex/escapes.ts": ESCAPES}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    lay(folder, {"secret.ts": "export default 'of somebody else';\n"})
    return lay(folder / "project", FILES)


@pytest.fixture(scope="module")
def bench(project: Path) -> Iterator[Bench]:
    with Bench(packages.node(), packages.find([project], installed(), None), Site(project, "convex", (project,))) as made:
        yield made


@pytest.fixture(scope="module")
def lab(bench: Bench) -> Experiment:
    return Experiment(bench)


def tried(lab: Experiment, function: str, old: str = "", new: str = "", seeds: range = range(12), allowed: Freedom = NONE) -> Outcome:
    """One function before and after a piece of its file is replaced."""
    path = f"convex/{function.partition(':')[0]}.ts"
    assert old in FILES[path]
    changed = {path: FILES[path].replace(old, new, 1).encode()}
    asked = Trial((function,), changed, ("convex/posts.ts", "convex/escapes.ts"), "convex/schema.ts", allowed)
    return next(lab.run(asked, seeds))


def answer(bench: Bench, function: str) -> dict[str, Any]:
    """What one call of a function of the project gives."""
    bundle = bench.bundle({}, ("convex/escapes.ts",), "convex/schema.ts")
    request = {
        "path": function,
        "seed": 1,
        "tables": None,
        "odd": True,
        "words": [],
        "people": [],
        "learn": False,
        "full": False,
        "hide": [],
    }
    return bench.ask(bundle, request)


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def verify(*args: str | Path) -> int:
    return cli.run(["verify", *map(str, args)])


def test_right_fixes_are_verified_and_nothing_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(project.parent)
    assert verify(project, "--packages", installed(), "--unsafe", "--only", "posts:mine", "--only", "page", "--cases", "16") == 0
    out = capsys.readouterr().out
    assert "verified filter-beside-index" in out
    assert "verified waterfall" in out
    assert "2 fixes verified, 0 with a difference, 0 that could not be run." in out
    assert contents(project.parent) == before


def test_a_fix_that_no_case_runs_is_not_verified(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(project, "--packages", installed(), "--unsafe", "--only", "posts:full", "--cases", "16") == 0
    out = capsys.readouterr().out
    line = FILES["convex/posts.ts"].partition("few.length;\n")[0].count("\n") + 2  # and the one after it, which is read with it
    assert "not run waterfall" in out
    assert f"no case that succeeds runs the changed lines convex/posts.ts:{line}, convex/posts.ts:{line + 1}" in out
    assert "0 fixes verified, 0 with a difference, 1 that could not be run." in out


@pytest.mark.parametrize(
    ("code", "new", "expected"),
    [
        ("import x from 'y';\nf(1);\n", "import", "import x from 'y';\nf(1);\n"),  # no function runs it
        ("function f() {\n  a();\n  b(new);\n}", "new", "function f() {\n  a();\n  ;reached(0);b(new);\n}"),
        ("function f() {\n  if (a) b(new);\n}", "new", "function f() {\n  ;reached(0);if (a) b(new);\n}"),
        ("function f() {\n  if (a) { b(); c(new) }\n}", "new", "function f() {\n  if (a) { b(); ;reached(0);c(new) }\n}"),
        ("const f = () => {\n  a()\n  const b = 1, c = new\n}", "new", "const f = () => {\n  a()\n  ;reached(0);const b = 1, c = new\n}"),
        ("const f = () => g(new);", "new", "const f = () => g(new);"),
    ],
)
def test_marks_stand_before_the_statement_that_is_new(code: str, new: str, expected: str) -> None:
    at = code.index(new)
    files, lines = marked({"convex/a.ts": code.encode()}, {"convex/a.ts": [(at, at + len(new), 7)]})
    assert files["convex/a.ts"].decode() == expected
    assert lines == ("convex/a.ts:7",) * expected.count("reached")


def test_json_tells_what_was_scanned(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(project, "--packages", installed(), "--unsafe", "--only", "posts:mine", "--cases", "16", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    [fix] = told["fixes"]
    [function] = fix["functions"]
    assert (fix["state"], function["name"], function["cases"]) == ("verified", "posts:mine", 16)
    assert function["errors"] < 16  # some of the callers are users of the project
    assert function["scanned"]["after"] < function["scanned"]["before"]


def test_a_wrong_fix_is_found_out_with_the_case_that_shows_it(lab: Experiment) -> None:
    outcome = tried(lab, "posts:page", "return { post, author, likes };", "return { post, author, likes: likes.slice(0, 1) };")
    case = outcome.difference
    assert case is not None
    assert case.what == "the results differ"
    assert [len(rows) for table, rows in case.documents if table == "likes"] == [2]  # no more than it takes
    assert len(case.before["result"]["likes"]) == 2
    again = tried(lab, "posts:page", "likes };", "likes: likes.slice(0, 1) };", range(case.seed, case.seed + 1))
    assert again.difference == case


@pytest.mark.parametrize(
    ("function", "old", "new", "what"),
    [
        ("posts:clear", "await ctx.db.delete(post._id)", "if (post.rank) await ctx.db.delete(post._id)", "the stored documents differ"),
        ("posts:later", "runAfter(1000", "runAfter(2000", "the stored documents differ"),
        ("posts:mine", "No such user", "Nobody", "the errors differ"),
        ("posts:mine", 'throw new Error("No such user")', "return { _id: null }", "only one of them fails"),
        ("posts:page", 'withIndex("by_post", (q) => q.eq("postId", post._id))', 'filter((q) => q.eq(q.field("postId"), post._id))', "more"),
    ],
)  # fmt: skip
def test_what_else_may_differ(lab: Experiment, function: str, old: str, new: str, what: str) -> None:
    case = tried(lab, function, old, new, range(24)).difference
    assert case is not None
    assert case.what.startswith(what)


def test_callers_may_be_known_by_the_id_of_their_row(lab: Experiment) -> None:
    outcome = tried(lab, "posts:owned")
    assert outcome.verified
    assert outcome.before > 0


def test_missing_fields_and_other_types_are_tried(lab: Experiment) -> None:
    """A filter of JavaScript knows no row without a rank; a range of an index begins below all numbers."""
    case = tried(lab, "posts:ranked", "post.rank > 1", "!(post.rank <= 1)", range(24)).difference
    assert case is not None
    assert any("rank" not in row for _, rows in case.documents for row in rows)


def test_caveats_allow_what_they_say(lab: Experiment) -> None:
    old, new = 'ctx.db.query("posts").collect()', 'ctx.db.query("posts").order("desc").collect()'
    assert tried(lab, "posts:ranked", old, new).difference is not None
    assert tried(lab, "posts:ranked", old, new, allowed=Freedom(order=True)).verified
    assert tried(lab, "posts:mine", "No such user", "Nobody", allowed=Freedom(errors=True)).verified
    assert freedom([ranges.NEW_INDEX]) == Freedom()
    assert freedom([ranges.OTHER_ORDER]) == Freedom(order=True, errors=True)
    assert freedom([push_down.CURSORS]) == Freedom(pages=True)
    assert freedom([gather.SEVERAL_ERRORS]) == Freedom(errors=True)
    assert freedom([memory_filter.NUMBERS, hoist.EMPTY]) == Freedom(numbers=True, reads=True)


def test_a_function_that_is_broken_by_a_fix_is_told(lab: Experiment) -> None:
    case = tried(lab, "posts:page", "export const page", "throw new Error('broken'); export const page").difference
    assert case is not None
    assert case.what == "after the change it cannot be run: `posts` cannot be loaded: broken"


def test_secrets_of_the_environment_are_not_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_KEY", "a secret")
    bench._host.stop()  # it would be another process that was started before
    assert "a secret" not in str(answer(bench, "escapes:environment")["result"])
    assert set(packages.surroundings()) <= {"SYSTEMROOT", "WINDIR"}


def test_nothing_leads_out_of_the_context(bench: Bench) -> None:
    told = answer(bench, "escapes:evaluation")["result"]
    assert isinstance(told, list)
    assert [text.startswith("refused: Code generation from strings disallowed") for text in told] == [True, True]
    hidden, imported = answer(bench, "escapes:host")["result"]
    assert hidden == "undefined"
    assert imported.startswith("refused: A dynamic import callback was not specified")


DOORS = """
const doors = [
  () => fetch("http://127.0.0.1:9"), () => new WebSocket("ws://127.0.0.1:9"), () => process.binding("tcp_wrap"),
  () => require("node:net").connect(9), () => new (require("node:net").Socket)().connect(9), () => require("node:tls").connect(9),
  () => require("node:http").get("http://127.0.0.1:9"), () => require("node:dgram").createSocket("udp4"),
  () => require("node:dns").lookup("a.example", () => 0),
];
console.log(JSON.stringify(doors.map((door) => { try { door(); return "open"; } catch (error) { return error.message; } })));
process.exit();
"""


def test_the_process_itself_has_no_network(bench: Bench) -> None:
    """What is done before anything of the project runs, for code that would find its way into Node."""
    command = [*bench._host.command[:-1], "--eval", f"require({json.dumps(str(bench.folder / 'host.cjs'))});{DOORS}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert set(json.loads(done.stdout)) == {"out of reach: the network"}, done.stderr


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("escapes:network", "it reaches for the network"),
        ("escapes:files", "it reaches for `fs` of Node"),
        ("escapes:padded", "it reaches for the package `a-package-that-is-not-there`, which is not installed"),
        ("escapes:outside", "it reaches for `../../secret`, which lies outside of the project"),
    ],
)
def test_what_reaches_out_cannot_be_run(lab: Experiment, function: str, reason: str) -> None:
    outcome = tried(lab, function, seeds=range(2))
    assert (outcome.verified, outcome.reason) == (False, reason)


def test_a_case_that_takes_too_long_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SECONDS", 4)
    assert answer(bench, "escapes:endless") == {"refused": "it takes more than 4 seconds"}
    monkeypatch.setattr(process, "SECONDS", 20)
    assert answer(bench, "escapes:waiting")["error"] is None  # the next process is there, and its clock goes on by itself


def test_without_node_it_says_so(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    assert verify(project, "--packages", LAB) == 2
    assert "the functions are run under Node, which is not on the PATH" in capsys.readouterr().err


def test_without_the_packages_it_says_how_to_get_them(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUERYLINT_CACHE_DIR", str(tmp_path))
    assert verify(project) == 2
    told = capsys.readouterr().err
    assert "`npm install --save-dev convex@1.48.0 convex-test@0.0.60`" in told
    assert told.count("\n") == 1
    assert verify(project, "--packages", tmp_path) == 2
    assert f"`{tmp_path}` holds no node_modules" in capsys.readouterr().err


def test_the_packages_are_those_of_these_tests() -> None:
    pinned = json.loads((LAB / "package.json").read_bytes())["devDependencies"]
    assert {name: pinned[name] for name in packages.PINNED} == packages.PINNED


def test_an_old_convex_is_not_taken(tmp_path: Path) -> None:
    lay(tmp_path, {"node_modules/convex/package.json": '{"version": "1.17.0"}'})
    assert packages.find([tmp_path], installed(), None).convex == LAB
    lay(tmp_path, {"node_modules/convex/package.json": '{"version": "1.60.0"}'})
    assert packages.find([tmp_path], installed(), None).convex == tmp_path


def test_only_something_that_has_a_fix_can_be_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(project, "--packages", installed(), "--only", "posts:nothing") == 2
    assert "no fix belongs to `posts:nothing`" in capsys.readouterr().err


def test_python_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = """
from django.db import models

class Author(models.Model):
    name = models.TextField()

class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE)

def names():
    return [book.author.name for book in Book.objects.order_by("id")]
"""
    lay(tmp_path, {"shop/models.py": shop})
    assert verify(tmp_path, "--packages", installed()) == 0
    assert "There is no fix to verify.\n`verify` runs only Convex functions: 1 fix of Python code skipped.\n" in capsys.readouterr().out


def test_install_keeps_the_packages_outside_of_the_project(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed()  # where these cannot be had, the others cannot either
    monkeypatch.setenv("QUERYLINT_CACHE_DIR", str(tmp_path))
    assert verify(project, "--install", "--only", "posts:page", "--cases", "8") == 0
    assert "1 fix verified" in capsys.readouterr().out
    assert (tmp_path / "lab/node_modules/convex-test").is_dir()
    assert not (project / "node_modules").exists()
