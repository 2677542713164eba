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


def _lay(folder: Path, code: str) -> None:
    convex = folder / "convex"
    convex.mkdir()
    (convex / "schema.ts").write_text(SCHEMA)
    (convex / "notes.ts").write_text(f'import {{ query }} from "./_generated/server";\nimport {{ v }} from "convex/values";\n{code}')


def test_who_scans_for_the_row_of_each_id_is_told_to_get_it(tmp_path: Path) -> None:
    _lay(
        tmp_path,
        'export const some = query({ args: { ids: v.array(v.id("notes")) }, handler: async (ctx, { ids }) => {\n'
        "  const found = [];\n  for (const id of ids) {\n"
        f'    const note = await ctx.db.query("notes").filter((q) => {ALONE}).first();\n    if (note) found.push(note.owner);\n  }}\n'
        "  return found;\n} });\n",
    )
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "loop-read"]
    assert found.remedy is not None
    assert sentence(found.remedy).startswith("get each document by its id")
    assert found.cost is not None
    assert (found.cost.now, found.cost.after) == ("n × rows(notes)", "1 document for each item")


@pytest.mark.parametrize(("test", "kept"), [(ALONE, False), (OWNED, True)])
def test_who_reads_by_id_is_told_to_keep_what_else_the_filter_asks(tmp_path: Path, test: str, kept: bool) -> None:
    _lay(
        tmp_path,
        'export const get = query({ args: { id: v.id("notes"), me: v.string() }, handler: async (ctx, { id, me }) =>\n'
        f'  await ctx.db.query("notes").filter((q) => {test}).first(),\n}});\n',
    )
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "filter-beside-index"]
    assert found.remedy is not None
    said = sentence(found.remedy)
    assert "ctx.db.get(id)" in said
    assert ("and test there what else the filter asks" in said) is kept
