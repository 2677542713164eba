"""A function that cannot be analysed costs that function alone, and the run says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from querylint.engine import check
from querylint.frontends.flow import statements
from querylint.frontends.flow.state import State
from querylint.result import NoteKind
from querylint.syntax import tree

CONVEX = """
import { query } from "./_generated/server";

export const broken = query({ args: {}, handler: async (ctx) => { debugger_here(); return await ctx.db.query("posts").collect(); } });
export const sound = query({
  args: {},
  handler: async (ctx) => {
    const posts = await ctx.db.query("posts").take(5);
    for (const post of posts) { await ctx.db.get(post.author); }
  },
});
"""
DJANGO = """
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=20)


class Post(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)


def broken():
    debugger_here()
    return Post.objects.get(pk=1)


def sound():
    for post in Post.objects.all():
        print(post.author.name)
"""


@pytest.mark.parametrize(
    ("path", "source", "rule"), [("convex/posts.ts", CONVEX, "loop-read"), ("models.py", DJANGO, "lazy-loop")], ids=["convex", "django"]
)
@pytest.mark.parametrize(("error", "kind"), [(TypeError("no"), NoteKind.BUG), (RecursionError(), NoteKind.LIMIT)], ids=["defect", "depth"])
def test_the_others_are_still_judged(
    path: str, source: str, rule: str, error: Exception, kind: NoteKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(source)
    real = statements.STATEMENTS[tree.Do]

    def failing(state: State, node: tree.Do) -> None:
        call = node.value
        if isinstance(call, tree.Call) and isinstance(call.func, tree.Name) and call.func.id == "debugger_here":
            raise error
        real(state, node)

    monkeypatch.setitem(statements.STATEMENTS, tree.Do, failing)
    result = check([tmp_path]).result
    told = [note for note in result.notes if note.kind in (NoteKind.BUG, NoteKind.LIMIT)]
    assert [(note.kind, note.path) for note in told] == [(kind, path)]
    assert result.broken == (kind is NoteKind.BUG)
    if kind is NoteKind.BUG:
        said = r"broken cannot be analyzed: TypeError: no \(test_left_out\.py, line \d+, in failing\); please report it"
        assert re.fullmatch(said, told[0].message)
    assert rule in {finding.rule for finding in result.findings}
    assert "broken" not in {finding.found.function.rpartition("::")[2] for finding in result.findings}


COMPARED = """
class Player:
    def __init__(self, queue):
        self.queue = queue
        self.members = [self]

    def settled(self, groups):
        def alone(groups):
            for group in groups:
                if group[0].leader != self:
                    return False
                for one in group:
                    if one.members != [self] or one.key == (lambda: 1):
                        return False
            return True

        self.queue = groups
        while not alone(groups):
            Player(None)
"""
COMPARED_TYPESCRIPT = """
import { query } from "./_generated/server";

export const list = query({
  args: {},
  handler: async (ctx) => {
    const mine = { rank: 1, of: () => 2 };
    const alone = (row: any) => {
      if (row.first === mine) return false;
      if (row.second === mine.of) return false;
      return true;
    };
    return (await ctx.db.query("rows").collect()).filter((row) => alone(row));
  },
});
"""


@pytest.mark.parametrize(("path", "source"), [("convex/rows.ts", COMPARED_TYPESCRIPT), ("rows.py", f"{DJANGO}\n{COMPARED}")])
def test_what_is_compared_with_an_object_or_a_function(path: str, source: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(source)
    assert not check([tmp_path]).result.broken
