from __future__ import annotations

from pathlib import Path

import pytest

from querylint import engine
from querylint.remedy import sentence

SCHEMA = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ notes: defineTable({ owner: v.string() }) });
"""
ALONE = 'q.eq(q.field("_id"), id)'
OWNED = f'q.and({ALONE}, q.eq(q.field("owner"), me))'


@pytest.mark.parametrize(("test", "kept"), [(ALONE, False), (OWNED, True)])
def test_who_reads_by_id_is_told_to_keep_what_else_the_filter_asks(tmp_path: Path, test: str, kept: bool) -> None:
    folder = tmp_path / "convex"
    folder.mkdir()
    (folder / "schema.ts").write_text(SCHEMA)
    (folder / "notes.ts").write_text(
        'import { query } from "./_generated/server";\nimport { v } from "convex/values";\n'
        'export const get = query({ args: { id: v.id("notes"), me: v.string() }, handler: async (ctx, { id, me }) =>\n'
        f'  await ctx.db.query("notes").filter((q) => {test}).first(),\n}});\n'
    )
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "filter-beside-index"]
    assert found.remedy is not None
    said = sentence(found.remedy)
    assert "ctx.db.get(id)" in said
    assert ("and test there what else the filter asks" in said) is kept
