"""`querylint check --add-ignores`: comments for all that would be reported, in every language, checked before they are written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from laid import lay
from querylint import cli

APPS = Path(__file__).parents[1] / "fixtures/apps"
REASON = "known since the start"

Door = Callable[..., tuple[int, str, str]]


@pytest.fixture
def door(capsys: pytest.CaptureFixture[str]) -> Door:
    def call(*args: str | Path) -> tuple[int, str, str]:
        code = cli.run(["check", *map(str, args)])
        return code, *capsys.readouterr()

    return call


def findings(door: Door, root: Path, *more: str) -> list[tuple[str, str]]:
    found = json.loads(door(root, "--format", "json", "--no-cache", *more)[1])["findings"]
    return [(f["rule"], f["path"]) for f in found]


@pytest.mark.parametrize("app", ["hooklabs", "newsroom-django", "ledger-sqlalchemy"])
def test_nothing_is_left_of_a_whole_application(app: str, door: Door, tmp_path: Path) -> None:
    root = tmp_path / "app"
    shutil.copytree(APPS / app, root)
    before = findings(door, root, "--show", "info")
    assert before
    code, out, _ = door(root, "--show", "info", "--add-ignores", REASON)
    assert (code, "not silenced" in out) == (0, False)
    assert f"{len(before)} findings silenced in " in out
    assert findings(door, root, "--show", "info") == []
    for path in root.rglob("*.*"):
        old = (APPS / app / path.relative_to(root)).read_bytes().splitlines()
        new = path.read_bytes().splitlines()
        assert [line for line in new if REASON.encode() not in line] == old, "comments on lines of their own, and nothing else"


SCHEMA = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ notes: defineTable({ text: v.string() }), tags: defineTable({ note: v.string() }) });
"""
NOTES = """\
import { query } from "./_generated/server";
export const all = query({ args: {}, handler: async (ctx) => {
\tconst notes = await ctx.db.query("notes").collect();
\treturn notes.filter((note) => note.text === "a");
} });
"""


def backend(root: Path, notes: str) -> Path:
    return lay(root, {"convex/schema.ts": SCHEMA, "convex/notes.ts": notes, "convex/_generated/server.d.ts": "export {};\n"})


def test_line_ends_a_byte_order_mark_and_tabs_stay(door: Door, tmp_path: Path) -> None:
    root = backend(tmp_path / "p", "")
    file = root / "convex/notes.ts"
    file.write_bytes(b"\xef\xbb\xbf" + NOTES.replace("\n", "\r\n").encode())
    (rule, _), *_ = findings(door, root)
    assert door(root, "--add-ignores", REASON)[0] == 0
    comment = f"\t// querylint: ignore[{rule}] -- {REASON}\r\n".encode()
    assert comment in file.read_bytes()
    assert file.read_bytes().replace(comment, b"") == b"\xef\xbb\xbf" + NOTES.replace("\n", "\r\n").encode()


def test_a_comment_that_speaks_for_the_line_gets_the_other_rule(door: Door, tmp_path: Path) -> None:
    words = "\t// querylint: ignore[waterfall] -- mine\n"
    root = backend(tmp_path / "p", NOTES.replace("\tconst", words + "\tconst"))
    assert door(root, "--select", "unbounded-read", "--add-ignores", REASON)[0] == 0
    text = (root / "convex/notes.ts").read_text()
    assert "ignore[waterfall, unbounded-read] -- mine" in text
    assert REASON not in text


def test_only_what_is_asked_for_is_silenced(door: Door, tmp_path: Path) -> None:
    root = tmp_path / "app"
    shutil.copytree(APPS / "hooklabs", root)
    code, out, _ = door(root / "convex/socialPosts.ts", "--select", "waterfall", "--add-ignores", REASON)
    assert (code, out.splitlines()[-1]) == (0, "1 finding silenced in 1 file.")
    changed = [p.name for p in root.rglob("*.ts") if p.read_bytes() != (APPS / "hooklabs" / p.relative_to(root)).read_bytes()]
    assert changed == ["socialPosts.ts"]


VIEWS = """\
from django.http import HttpResponse
from shop.models import Order

def total(request):
    text = \\
        "".join(order.shop.name for order in Order.objects.all())
    return HttpResponse(text)
"""
MODELS = """\
from django.db import models

class Shop(models.Model):
    name = models.TextField()

class Order(models.Model):
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE)
"""


def test_a_line_that_goes_on_from_the_one_above_is_left(door: Door, tmp_path: Path) -> None:
    root = lay(tmp_path / "p", {"shop/models.py": MODELS, "shop/views.py": VIEWS})
    (rule, path), *_ = findings(door, root)
    code, out, _ = door(root, "--add-ignores", REASON)
    assert code == 1
    assert f"{path}:6:" in out
    assert f"not silenced {rule}: no comment can stand above that line" in out
    assert (root / "shop/views.py").read_text() == VIEWS


@pytest.mark.parametrize("reason", ["", "  ", "-- ", "two\nlines", "it ends */ here", "and #} here"])
def test_a_reason_that_no_comment_can_hold(reason: str, door: Door, tmp_path: Path) -> None:
    root = backend(tmp_path / "p", NOTES)
    code, _, err = door(root, "--add-ignores", reason)
    assert (code, "takes a line of text" in err) == (2, True)
    assert (root / "convex/notes.ts").read_text() == NOTES


@pytest.mark.parametrize("more", [["--staged"], ["--watch"], ["--statistics"], ["--format", "json"], ["--output", "json=x.json"]])
def test_what_it_does_not_go_with(more: list[str], door: Door, tmp_path: Path) -> None:
    root = backend(tmp_path / "p", NOTES)
    code, _, err = door(root, "--add-ignores", REASON, *more)
    assert (code, "--add-ignores writes into the files on disk" in err or "--staged" in err) == (2, True)
