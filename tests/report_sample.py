"""A result built by hand, with every kind of thing that a report has to show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from querylint.ir import Program, Schema, Table
from querylint.remedy import Batch, DropIndex, Gather, PushDown, Remedy
from querylint.result import Note, NoteKind, Result, Summary
from querylint.rule import Confidence, Cost, Finding, Found, Point, Rule, Severity
from querylint.text import LineIndex, Span

POSTS = """\
import { query } from "./_generated/server";
import { authorOf } from "./helpers";

export const list = query(async (ctx, args) => {
  const names = [];
  for (const id of args.ids) {
    const who = await authorOf(ctx, id);
    names.push(who.name);
  }
\tconst 제목 = "한국어 🎉 제목", posts = await ctx.db.query("posts").collect();
  return posts
    .filter((post) => post.author === args.author);
});
"""

HELPERS = """\
export async function authorOf(ctx, id) {
  return await ctx.db.get(id);
}
"""

SCHEMA = """\
export default defineSchema({
  posts: defineTable({ author: v.id("users") }).index("by_title", ["title"]),
});
"""

FILES = {"convex/posts.ts": POSTS, "convex/helpers.ts": HELPERS, "convex/schema.ts": SCHEMA}
SOURCES = {path: LineIndex(path, text.encode()) for path, text in FILES.items()}

DOC = """\
# A database read for every item of a loop

## What it finds
A read that waits inside a loop: one round trip for each item. See [the docs](https://docs.convex.dev/).

## Why it costs
A hundred items are a hundred round trips, one after another.

## Instead
Start all the reads, then wait for them together:

```ts
await Promise.all(ids.map((id) => ctx.db.get(id)));
```

## When it stays silent
Loops over a literal list, whose length the author wrote down.
"""


def _never(_program: Program) -> Iterator[Found]:
    return iter(())


def rule(name: str, severity: Severity = Severity.WARNING, pattern: str = "", cwe: int = 0, doc: str = DOC) -> Rule:
    return Rule(name, pattern or name, severity, "0.1.0", cwe, doc, _never)


RULES = (
    rule("loop-read", cwe=1050),
    rule("scan-filter", Severity.ERROR, cwe=1067),
    rule("index-unused", Severity.INFO, cwe=1089),
    rule("waterfall"),
)


def place(path: str, text: str) -> Span:
    """The span of the first occurrence of a text in one of the sample files."""
    source = SOURCES[path].source
    start = source.index(text.encode())
    return SOURCES[path].span(start, start + len(text.encode()))


def point(path: str, text: str, says: str) -> Point:
    return Point(place(path, text), says)


def finding(name: str, span: Span, message: str, severity: Severity = Severity.WARNING, remedy: Remedy | None = None) -> Finding:
    return Finding(name, name, severity, Found(span, message, remedy=remedy), fingerprint=f"{name}:{span.line}".encode().hex())


LOOP_READ = Finding(
    "loop-read",
    "loop-read",
    Severity.WARNING,
    Found(
        place("convex/posts.ts", "authorOf(ctx, id)"),
        "`users` is read once for every item of `args.ids[0]`",
        trail=(
            point("convex/posts.ts", "for (const id of args.ids)", "loop over `args.ids`, size unknown"),
            point("convex/posts.ts", "authorOf(ctx, id)", "calls `authorOf`"),
            point("convex/helpers.ts", "ctx.db.get(id)", "reads one row of `users` [by id](here)"),
        ),
        remedy=Gather(steps=(place("convex/helpers.ts", "ctx.db.get(id)"),), loop=place("convex/posts.ts", "for (const id of args.ids)")),
        function="convex/posts.ts::list",
        table="users",
        fields=("_id",),
        also=("waterfall",),
        cost=Cost("n reads, one after another", "n reads together"),
        operation="read",
    ),
    "0123456789abcdef0123456789abcdef",
)

SCAN = Finding(
    "scan-filter",
    "scan-filter",
    Severity.ERROR,
    Found(
        place("convex/posts.ts", 'ctx.db.query("posts").collect()'),
        "all rows of `posts` are read to keep those with one `author`",
        trail=(point("convex/posts.ts", "posts\n    .filter((post) => post.author === args.author)", "filtered in memory"),),
        remedy=PushDown("posts", "by_author", ("author",), create=True, keeps_order=False),
        confidence=Confidence.LIKELY,
        function="convex/posts.ts::list",
        table="posts",
        fields=("author",),
        cost=Cost("all rows of `posts`"),
    ),
    "fedcba9876543210fedcba9876543210",
)

UNUSED = Finding(
    "index-unused",
    "index-unused",
    Severity.INFO,
    Found(
        place("convex/schema.ts", '.index("by_title", ["title"])'),
        "no query uses index `by_title` of `posts`",
        remedy=DropIndex("posts", "by_title"),
        help="make sure that no other deployment reads it",
        table="posts",
        because="the table holds few rows",
    ),
    "00112233445566778899aabbccddeeff",
)

SEVERAL_LINES = Finding(
    "waterfall",
    "waterfall",
    Severity.WARNING,
    Found(
        place("convex/posts.ts", "posts\n    .filter((post) => post.author === args.author)"),
        "this waits for what it does not need",
        help="swap the two",
    ),
)

NOTES = (
    Note(NoteKind.PARSE, "this does not parse; the rest of the file was analyzed", "convex/broken.ts", 3),
    Note(NoteKind.HINT, "`convex/old` has no schema"),
)

SUMMARY = Summary(
    roots=("convex",), files=5, analysed=3, functions=2, reads=2, writes=0, tables=2, indexes=1, suppressed=2, unresolved=1,
    unnamed=("convex/posts.ts:7",),
)  # fmt: skip

SCHEMAS = (Schema("convex", "convex", {"posts": Table("posts", span=place("convex/schema.ts", "posts"))}, ("_creationTime",)),)

RESULT = Result((UNUSED, SCAN, SEVERAL_LINES, LOOP_READ), NOTES, SUMMARY, SOURCES, SCHEMAS, RULES)

NOTHING = replace(RESULT, findings=(), notes=())

BROKEN = replace(NOTHING, notes=(Note(NoteKind.BUG, "rule `loop-read` failed: KeyError: 'x'"),))

BATCHED = finding(
    "loop-read", place("convex/posts.ts", "names.push(who.name)"), "x is called per item", remedy=Batch(how="pass all the ids")
)


def result(*findings: Finding) -> Result:
    return replace(RESULT, findings=findings, notes=())


MANY = result(*(finding("loop-read", place("convex/posts.ts", "names.push(who.name)"), f"call {n}", remedy=Gather()) for n in range(30)))
