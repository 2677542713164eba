"""The bytes of files that are not about Convex are let go, and read again by whoever asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint import settings
from querylint.cache.digest import digest
from querylint.discover import Scope
from querylint.engine import Project
from querylint.frontends.kept import KeptParts
from querylint.looks import Disk

FILES = {
    "convex/_generated/server.d.ts": "",
    "convex/posts.ts": """import { query } from "./_generated/server";
import { shown } from "../lib/shown";
export const list = query({ args: {}, handler: async (ctx) => shown(await ctx.db.query("posts").collect()) });
""",
    "lib/shown.ts": "export function shown(rows) { return rows.filter((row) => row.title); }\n",
    "lib/plain.ts": "export const plain = 1;\n",
    "lib/route.ts": "export const route = (api) => api.posts.list;\n",
    "lib/plain.test.ts": "import { plain } from './plain';\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return lay(tmp_path, FILES)


@pytest.mark.parametrize("kept", [None, KeptParts()])
def test_bytes_are_let_go_and_digests_stay(root: Path, kept: KeptParts | None) -> None:
    project = Project(Scope(root), settings.Settings(), kept=kept)
    program, lowered = project.program()
    assert {"lib/plain.ts", "lib/route.ts"}.isdisjoint(project.contents)
    assert {"convex/posts.ts", "lib/shown.ts"} <= set(project.contents)  # what a function calls was read again
    assert "posts:list" in program.mentioned
    assert "lib/shown.ts" in lowered.analysed
    assert project.digests()["lib/plain.ts"] == digest(FILES["lib/plain.ts"].encode())
    assert project.read("lib/plain.ts") == FILES["lib/plain.ts"].encode()


def test_bytes_that_other_looks_use_stay(root: Path) -> None:
    project = Project(Scope(root), settings.Settings(), disk=Disk())
    project.program()
    assert "lib/plain.ts" in project.contents


def test_bytes_beside_an_unsaved_text_stay(root: Path) -> None:
    project = Project(Scope(root), settings.Settings(), {"lib/plain.ts": b"export const plain = 2;"})
    project.program()
    assert project.contents["lib/plain.ts"] == b"export const plain = 2;"
    assert "lib/route.ts" in project.contents
