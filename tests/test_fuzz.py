"""A short run of the fuzz harness, and the shapes that once stopped tools of this kind: one sentence or a note each, and an end."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from fuzz.mutations import MUTATIONS, mutated
from fuzz.repositories import Repository, invented, originals, sources
from fuzz.trial import clear, hurried, tried, watched
from laid import lay
from querylint import review

SEEDS = range(60)
DEEP = 100_000
TS_HEAD = b'import { query } from "./_generated/server";\n'
SCHEMA = b'import { defineSchema, defineTable } from "convex/server";\nexport default defineSchema({ posts: defineTable({}) });\n'
DJANGO = b"from django.db import models\n\n\nclass Post(models.Model):\n    title = models.CharField(max_length=9)\n\n"
LAZY = (
    b"    author = models.ForeignKey('Author', on_delete=models.CASCADE)\n\n\nclass Author(models.Model):\n    name = models.TextField()\n"
    b"\n\ndef names():\n    return [post.author.name for post in Post.objects.all()]\n"
)
HOSTILE: dict[str, Repository] = {
    "brackets": {"convex/a.ts": TS_HEAD + b"export const a = " + b"(" * DEEP, "m.py": DJANGO + b"x = " + b"[" * DEEP},
    "closed brackets": {"convex/a.ts": TS_HEAD + b"const a = " + b"[" * DEEP + b"]" * DEEP, "m.py": b"x = " + b"(" * 90 + b")" * 90},
    "one line of 10 MB": {"convex/a.ts": TS_HEAD + b"const a = [" + b"ctx.db.query('posts')," * 450_000 + b"];"},
    "a chain": {"convex/a.ts": TS_HEAD + b"const a = x" + b".then(f)" * 20_000, "m.py": DJANGO + b"x = Post.objects" + b".all()" * 20_000},
    "a sum": {"convex/a.ts": TS_HEAD + b"const a = 1" + b" + 1" * 50_000, "m.py": DJANGO + b"x = 1" + b" + 1" * 50_000},
    "a ladder": {
        "convex/a.ts": TS_HEAD + b"if (a) {} " + b"else if (b) {} " * 20_000,
        "m.py": b"if a:\n    pass\n" + b"elif b:\n    pass\n" * 9_000,
    },
    "imports in a circle": {
        "convex/a.ts": TS_HEAD + b'export * from "./b";\nimport { x } from "./b";\nexport const y = x;\n',
        "convex/b.ts": TS_HEAD + b'export * from "./a";\nimport { y } from "./a";\nexport const x = y;\n',
        "app/__init__.py": b"from app.b import *\n",
        "app/b.py": DJANGO + b"from app import *\nfrom app.b import Post as Post\n",
    },
    "types in a circle": {
        "convex/a.ts": TS_HEAD + b"type A = B; type B = A; type C = C[]; interface D extends D {}\nlet x: A; let y: C; let z: D;\n"
    },
    "calls in a circle": {
        "convex/a.ts": TS_HEAD
        + b"async function f(ctx) { for (const p of await ctx.db.query('posts').collect()) { await g(ctx); await f(ctx); } }\n"
        + b"async function g(ctx) { await f(ctx); }\nexport const h = query({ handler: async (ctx) => f(ctx) });\n",
        "m.py": DJANGO + b"def f():\n    for p in Post.objects.all():\n        g()\n        f()\n\n\ndef g():\n    return f()\n",
    },
    "classes in a circle": {"m.py": DJANGO + b"class A(B):\n    pass\n\n\nclass B(A):\n    pass\n\n\nclass Post(Post):\n    pass\n"},
    "templates in a circle": {
        "app/views.py": b"from django.shortcuts import render\nfrom m import Post\n\n\n"
        b"def v(r):\n    return render(r, 'a.html', {'posts': Post.objects.all()})\n",
        "m.py": DJANGO,
        "app/templates/a.html": b"{% extends 'a.html' %}{% include 'b.html' %}{% for p in posts %}{% include 'a.html' %}{% endfor %}",
        "app/templates/b.html": b"{% include 'a.html' %}{% macro m() %}{{ m() }}{% endmacro %}",
    },
    "an object that is put into itself": {
        "convex/a.ts": TS_HEAD
        + b"export const f = query(async (ctx, args) => {\n  const o = {}, out = {};\n"
        + b"  if (args.a) { o.p = { ...o, n: 1 }; o.q = [o, out]; out[args.k] = o; } else o[args.k] = out;\n" * 60
        + b"  return [await ctx.db.query('posts').collect(), o];\n});\n",
        "m.py": DJANGO
        + b"def f(o, a, out):\n"
        + b"    if a.b:\n        o['p'] = {**o, 'n': 1}\n        out[a.k] = o\n    else:\n        o[a.k] = out\n" * 60
        + b"    return list(Post.objects.all()), o\n",
    },
    "settings of TypeScript": {
        "tsconfig.json": b'{"extends": ["./tsconfig.json", "../../../etc/passwd"], '
        b'"compilerOptions": {"baseUrl": "/", "paths": {"*": ["/etc/*", 3, null]}}}',
        "convex/a.ts": TS_HEAD
        + b'import { x } from "passwd";\nimport y from "../../../../etc/passwd";\nexport const a = query(async (ctx) => x(y));\n',
    },
    "settings of Convex": {"convex.json": b'{"functions": "../../../../etc"}', "convex/a.ts": TS_HEAD, "package.json": b"[" * 5000},
    "a schema that is none": {"convex/schema.ts": b"export default defineSchema(defineSchema(defineSchema));", "convex/a.ts": TS_HEAD},
    "a sum between two reads": {
        "convex/schema.ts": SCHEMA,
        "convex/a.ts": TS_HEAD
        + b"export const f = query(async (ctx, args) => {\n  const a = await ctx.db.get(args.a);\n  const n = 1"
        + b" + 1" * 5_000
        + b";\n  const b = await ctx.db.get(args.b);\n  return [a, b, n];\n});\n",
    },
    "brackets around a read that has a fix": {
        "convex/schema.ts": SCHEMA,
        "convex/a.ts": TS_HEAD
        + b"export const f = query(async (ctx, args) => {\n  const a = await ctx.db.get(args.a);\n  const b = "
        + b"(" * DEEP
        + b"await ctx.db.get(args.b)"
        + b")" * DEEP
        + b";\n  return [a, b];\n});\n",
    },
    "a name of many parts, beside a loop that has a fix": {"m.py": b"from a" + b".a" * 10_000 + b" import x\n" + DJANGO + LAZY},
    "a condition of many parts, beside a loop that has a fix": {
        "m.py": DJANGO + LAZY + b"\n\ndef odd(x):\n    return x" + b" and x" * 15_000
    },
    "a registered function that leads back to itself": {
        "convex/schema.ts": SCHEMA,
        "convex/a.ts": TS_HEAD
        + b"async function some(rows, most) {\n  const found = [];\n  for await (const row of rows) {\n"
        + b"    const inner = query({ args: {}, handler: async (ctx) => {\n"
        + b"      return [await some(ctx.db.query('posts'), 9), await some(ctx.db.query('posts'), 10)];\n    } });\n"
        + b"    found.push(row);\n  }\n  return found;\n}\n"
        + b"export const all = query({ args: {}, handler: async (ctx) => some(ctx.db.query('posts'), 10) });\n",
    },
    "a model that is got by a call, in a project of two stacks": {
        "m.py": DJANGO + LAZY,
        "admin.py": b"from django.contrib import admin\nfrom elsewhere import chosen\nfrom m import Post\n\n\n"
        b"class PostAdmin(admin.ModelAdmin):\n    list_display = ('title', 'author')\n\n\nadmin.site.register(chosen(), PostAdmin)\n",
        "store.py": b"from sqlalchemy import select\n\n\ndef f(session):\n    return session.scalars(select(1)).all()\n",
    },
    "a query that is begun by no query": {
        "convex/schema.ts": b'import { defineSchema, defineTable } from "convex/server";\nimport { v } from "convex/values";\n'
        b"export default defineSchema({ posts: defineTable({ a: v.string(), b: v.optional(v.string()) }).index('by_a', ['a'])\n"
        b"  .index('by_a_and_b', ['a', 'b']) });\n",
        "convex/a.ts": TS_HEAD
        + b"export const f = query({ args: { a: v.string(), b: v.optional(v.string()) }, handler: async (ctx, args) => {\n"
        + b"  let posts = (ctx.db.query('posts').withIndex)('posts').withIndex('by_a', (q) => q.eq('a', args.a));\n"
        + b"  if (args.b) posts = posts.filter((q) => q.eq(q.field('b'), args.b));\n  return await posts.take(10);\n} });\n",
    },
    "methods in SQL": {
        "app.py": b"import psycopg2\n\n\ndef f(cur, a):\n    cur.execute('SELECT a FROM t WHERE a" + b"?.b()" * 2_000 + b" = %s', (a,))\n"
    },
    "a row as its own key": {
        "convex/a.ts": TS_HEAD
        + b"async function f(ctx) { return await ctx.db.query('posts').first(); }\n"
        + b"async function g(ctx, row) { await ctx.db.patch(row, {}); await ctx.db.get(row); }\n"
        + b"export const h = mutation(async (ctx) => { const a = await f(ctx); await ctx.db.delete(a); await g(ctx, await f(ctx)); });\n"
    },
    "addresses in a circle": {"app/urls.py": b"urlpatterns = urlpatterns + [include('app.urls')]\n", "m.py": DJANGO},
    "openings in SQL": {"app.py": b"import sqlite3\n", "schema.sql": b"CREATE TABLE t (id integer, " + b"[a" * 800_000 + b"/*" * 800_000},
    "no text": {"convex/a.ts": bytes(range(256)) * 40, "convex/schema.ts": SCHEMA, "m.py": bytes(range(255, -1, -1)) * 40},
}


MANY: dict[str, Repository] = {
    "calls in one loop": {
        "convex/schema.ts": SCHEMA,
        "convex/a.ts": TS_HEAD
        + b"export const a = query(async (ctx, args) => {\n  for (const i of args.all) {\n    await ctx.db.get(i);\n"
        + b"    x = x(x);\n" * 3_000
        + b"  }\n});\n",
    },
    "calls between what does not parse": {
        "convex/schema.ts": SCHEMA,
        "convex/a.ts": TS_HEAD + b"export const a = query(async (ctx, args) => {\n" + b"  x(x) +* 3;\n" * 15_000 + b"});\n",
    },
    "functions inside of one": {
        "m.py": DJANGO
        + b"def make(app):\n"
        + b"".join(b"    def f%d(a):\n        return a, Post.objects.first()\n" % n for n in range(1_000))
    },
}


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_befalls_a_source_the_run_ends_well(seed: int, tmp_path: Path) -> None:
    assert tried(invented(seed), tmp_path, seconds=30) == []


@pytest.mark.parametrize("shape", HOSTILE)
def test_hostile_shapes_end_in_a_note_or_in_silence(shape: str, tmp_path: Path) -> None:
    assert tried(HOSTILE[shape], tmp_path, seconds=60) == []


@pytest.mark.parametrize("shape", MANY)
def test_what_there_is_much_of_is_not_compared_with_itself(shape: str, tmp_path: Path) -> None:
    assert tried(MANY[shape], tmp_path, seconds=7) == []


def test_reads_of_one_function_are_compared_within_bounds(tmp_path: Path) -> None:
    read = b"    x = await ctx.db.query('posts').withIndex('by_id', (q) => q.eq('id', i)).first();\n"
    head, tail = b"export const a = query(async (ctx, args) => {\n  for (const i of args.all) {\n", b"  }\n});\n"
    lay(tmp_path, {"convex/schema.ts": SCHEMA, "convex/a.ts": TS_HEAD + head + read * 500 + tail})
    with hurried(7):
        assert review.check((tmp_path,)).result.findings


def test_reads_behind_many_others_are_compared_too(tmp_path: Path) -> None:
    chain = b"".join(b"    const a%d = await ctx.db.get(%s);\n" % (n, b"a%d.next" % (n - 1) if n else b"args.id") for n in range(60))
    free = b"".join(
        b"    const b%d = await ctx.db.query('posts').withIndex('by_id', (q) => q.eq('id', %d)).collect();\n" % (n, n) for n in range(4)
    )
    used = b"    return [a59, b0, b1, b2, b3];\n"
    head, tail = b"export const a = query(async (ctx, args) => {\n", b"});\n"
    lay(tmp_path, {"convex/schema.ts": SCHEMA, "convex/a.ts": TS_HEAD + head + chain + free + used + tail})
    assert "waterfall" in {finding.rule for finding in review.check((tmp_path,)).result.findings}


def test_the_same_seed_gives_the_same_repository() -> None:
    assert invented(7) == invented(7)
    assert len(originals()) > 300
    assert {len(mutated(b"const a = 1;\n" * 9, Random(n), sources(), most=500)) <= 500 for n in range(50)} == {True}
    assert all(callable(mutation) for mutation in MUTATIONS)


def test_mistakes_may_be_many_if_each_has_its_line_and_is_short() -> None:
    mistake = "querylint.toml:3: `show` must be true or false, not 1"
    assert clear(mistake)
    assert clear("no such folder")
    assert clear(f"{mistake}\n{mistake}")
    assert not clear(f"{mistake}\nand that is not all")
    assert not clear(mistake + "1" * 400)


def test_the_watch_sees_what_is_forbidden(tmp_path: Path) -> None:
    inside, outside = tmp_path / "project", tmp_path / "elsewhere"
    inside.mkdir()
    outside.write_text("secret")
    with watched(inside) as watch:
        outside.read_text()
        (inside / "made").write_text("x")
    assert [offence.split()[0] for offence in watch.offences] == ["open", "open"]


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "project"
    (inside / "convex").mkdir(parents=True)
    outside = tmp_path / "secret.ts"
    outside.write_bytes(TS_HEAD + b"export const a = 1;\n")
    (inside / "convex" / "a.ts").symlink_to(outside)
    (inside / "convex" / "b.ts").write_bytes(TS_HEAD)
    with watched(inside) as watch:
        review.check((inside,))
    assert watch.offences == ()
