"""A small Convex project in a git repository of its own, for tests of what depends on git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from laid import lay
from querylint import review
from querylint.rule import Severity

ROOT = Path(__file__).parents[1]
PYTHONPATH = os.pathsep.join(str(ROOT / folder) for folder in ("analyzer", "rules", "reports_templates"))
OUTSIDE = ("GIT_", "PRE_COMMIT", "GITHUB_", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")

SCHEMA = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  posts: defineTable({ author: v.id("users"), title: v.string() }).index("by_author", ["author"]),
  users: defineTable({ name: v.string() }),
});
"""

HELPERS = """\
export async function nameOf(ctx: any, id: any) {
  return "somebody";
}
"""

READING_HELPERS = """\
export async function nameOf(ctx: any, id: any) {
  return (await ctx.db.get("users", id))!.name;
}
"""

POSTS = """\
import { v } from "convex/values";
import { query } from "./_generated/server";
import { nameOf } from "./helpers";

export const names = query({
  args: { ids: v.array(v.id("users")) },
  handler: async (ctx, args) => {
    const names = [];
    for (const id of args.ids) {
      names.push(await nameOf(ctx, id));
    }
    return names;
  },
});

export const byAuthor = query({
  args: { author: v.id("users") },
  handler: async (ctx, args) => {
    return await ctx.db.query("posts").withIndex("by_author", (q) => q.eq("author", args.author)).take(10);
  },
});
"""

OLD_SIN = """\
import { query } from "./_generated/server";

export const everything = query(async (ctx) => {
  const posts = await ctx.db.query("posts").collect();
  return posts.filter((post) => post.title === "x");
});
"""


class GitProject:
    """A work tree with helpers to change and commit it, and to run querylint in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.write({
            "package.json": '{"dependencies": {"convex": "^1.17.0"}}',
            ".gitignore": "convex/_generated/\nnode_modules/\n",
            "convex/schema.ts": SCHEMA,
            "convex/helpers.ts": HELPERS,
            "convex/posts.ts": POSTS,
            "convex/_generated/server.ts": "export const query: any = null;\n",
        })  # fmt: skip
        self.commit("a clean project")

    @classmethod
    def at(cls, folder: Path) -> GitProject:
        """The helpers for a folder that is there already, a repository or not."""
        project = cls.__new__(cls)
        project.folder = folder
        return project

    def write(self, files: dict[str, str]) -> None:
        lay(self.folder, files)

    def git(self, *args: str) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *args], cwd=self.folder, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stage(self, files: dict[str, str]) -> None:
        self.write(files)
        self.git("add", *files)

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def querylint(self, *args: str, stdin: str | None = None, cwd: str = ".", **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "querylint", *args],
            cwd=self.folder / cwd,
            env=environment() | extra,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )

    def reported(self, *paths: str, **view: Any) -> list[str]:
        """The rules and files of what a check reports, in order."""
        result = review.check([self.folder / path for path in paths or (".",)], view=review.View(**view)).result
        return [f"{f.rule} {f.found.span.path}" for f in result.findings if f.severity.rank >= Severity.WARNING.rank]

    def unsaved(self, path: str, text: str) -> list[str]:
        """What an editor hears of a text that is not saved."""
        return self.reported(unsaved=(self.folder / path, text.encode()))


def environment() -> dict[str, str]:
    """The environment without what this run of the tests may itself be told by git, by a hook or by CI."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
    return kept | {"PYTHONPATH": PYTHONPATH, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
