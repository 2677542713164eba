"""Index advice and its edits on small Convex projects."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint import indexing
from querylint.errors import PathError
from querylint.rewrite.indexes import Order

READ = 'import { query } from "./_generated/server";\n'
SCHEMA = 'import { defineSchema, defineTable } from "convex/server";\nimport { v } from "convex/values";\n'


def registered(name: str, body: str) -> str:
    return f"export const {name} = query({{ args: {{}}, handler: async (ctx, args) => {body} }});\n"


def convex(folder: Path, tables: str, *queries: str, settings: str = "") -> Path:
    bodies = "".join(
        f"export const q{n} = query({{ args: {{}}, handler: async (ctx, args) => {body} }});\n" for n, body in enumerate(queries)
    )
    files = {"convex/schema.ts": f"{SCHEMA}export default defineSchema({{\n{tables}}});\n", "convex/rows.ts": READ + bodies}
    return lay(folder, {**files, **({"querylint.toml": settings} if settings else {})})


def after(folder: Path, order: Order | None = None) -> dict[str, str]:
    """The files that change, as they become."""
    return {path: data.decode() for path, data in indexing.carried_out([folder], order=order).after.items()}


INSERT = 'ctx.db.insert("rows", args)'
BY_KIND = 'await ctx.db.query("rows").filter((q) => q.eq(q.field("kind"), args.kind)).collect()'
FIELDS = "owner: v.string(), kind: v.string(), at: v.number()"


TABLE = f"  rows: defineTable({{ {FIELDS} }})"
FORMS = [
    pytest.param("", ",\n", '\n    .index("by_kind", ["kind"]),\n', id="the first one"),
    pytest.param(
        "byOwner", ".index('byOwner', ['owner']),\n", ".index('byOwner', ['owner'])\n    .index('byKind', ['kind']),\n", id="quotes"
    ),
    pytest.param("by_owner", '\n\t.index("by_owner", ["owner"])\n', '\n\t.index("by_kind", ["kind"])\n', id="tabs"),
    pytest.param(
        "of", '\n    .index("of", ["owner"]) // one\n,\n', '.index("of", ["owner"])\n    .index("by_kind", ["kind"]) // one\n', id="remark"
    ),
]


@pytest.mark.parametrize(("name", "rest", "wanted"), FORMS)
def test_an_index_is_added_as_the_schema_is_written(name: str, rest: str, wanted: str, tmp_path: Path) -> None:
    mine = f'await ctx.db.query("rows").withIndex("{name}", (q) => q.eq("owner", args.owner)).first()'
    changed = after(convex(tmp_path, TABLE + rest, BY_KIND, INSERT, *([mine] if name else [])))
    assert wanted in changed["convex/schema.ts"]


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    folder = convex(tmp_path, f"{TABLE},\n", BY_KIND, INSERT)
    schema = folder / "convex/schema.ts"
    schema.write_bytes(schema.read_bytes().replace(b"\n", b"\r\n"))
    changed = after(folder)["convex/schema.ts"]
    assert changed.count("\n") == changed.count("\r\n")


def test_an_index_that_comes_takes_the_place_of_one_that_goes(tmp_path: Path) -> None:
    table = f'  rows: defineTable({{ {FIELDS} }})\n    .index("by_at", ["at"]), // times\n'
    assert '})\n    .index("by_kind", ["kind"]),\n' in after(convex(tmp_path, table, BY_KIND, INSERT))["convex/schema.ts"]


def test_a_query_moves_to_the_longer_index(tmp_path: Path) -> None:
    table = f'  rows: defineTable({{ {FIELDS} }})\n    .index("by_owner", ["owner"])\n    .index("by_owner_kind", ["owner", "kind"]),\n'
    count = '(await ctx.db.query("rows").withIndex("by_owner", (q) => q.eq("owner", args.owner)).collect()).length'
    one = 'await ctx.db.query("rows").withIndex("by_owner_kind", (q) => q.eq("owner", args.owner).eq("kind", args.kind)).unique()'
    changed = after(convex(tmp_path, table, count, one, INSERT))
    assert '"by_owner"' not in changed["convex/schema.ts"]
    assert 'withIndex("by_owner_kind", (q) => q.eq("owner", args.owner)).collect()' in changed["convex/rows.ts"]


def test_the_order_of_creation_that_a_query_shows_keeps_its_index(tmp_path: Path) -> None:
    table = f'  rows: defineTable({{ {FIELDS} }})\n    .index("by_owner", ["owner"])\n    .index("by_owner_kind", ["owner", "kind"]),\n'
    latest = 'await ctx.db.query("rows").withIndex("by_owner", (q) => q.eq("owner", args.owner)).order("desc").take(9)'
    one = 'await ctx.db.query("rows").withIndex("by_owner_kind", (q) => q.eq("owner", args.owner).eq("kind", args.kind)).unique()'
    assert after(convex(tmp_path, table, latest, one, INSERT)) == {}


def test_a_range_in_written_order_is_not_turned_around(tmp_path: Path) -> None:
    table = f'  rows: defineTable({{ {FIELDS} }})\n    .index("by_owner_kind", ["owner", "kind"])\n    .index("by_kind", ["kind"]),\n'
    both = 'await ctx.db.query("rows").withIndex("by_owner_kind", (q) => q.eq("owner", args.owner).eq("kind", args.kind)).unique()'
    some = '(await ctx.db.query("rows").withIndex("by_kind", (q) => q.eq("kind", args.kind)).collect()).length'
    (table_advice,) = indexing.indexes([convex(tmp_path, table, both, some, INSERT)]).tables
    assert not table_advice.changes
    assert (len(table_advice.apart), table_advice.reordered) == (2, 1)


def test_a_large_table_gets_its_index_staged_and_keeps_the_old_one_meanwhile(tmp_path: Path) -> None:
    table = f'  rows: defineTable({{ {FIELDS} }})\n    .index("by_owner", ["owner"]),\n'
    count = '(await ctx.db.query("rows").withIndex("by_owner", (q) => q.eq("owner", args.owner)).collect()).length'
    mine = 'await ctx.db.query("rows").withIndex("by_owner", (q) => q.eq("owner", args.owner))'
    late = f'{mine}.filter((q) => q.gt(q.field("at"), args.at)).collect()'
    folder = convex(tmp_path, table, count, late, INSERT, settings="[tables.rows]\nrows = 500000\n")
    done = indexing.carried_out([folder])
    text = done.after["convex/schema.ts"].decode()
    assert '.index("by_owner", ["owner"])' in text
    assert '.index("by_owner_and_at", { fields: ["owner", "at"], staged: true })' in text
    assert not done.rest.changed


def test_a_small_table_is_left_alone(tmp_path: Path) -> None:
    table = f"  rows: defineTable({{ {FIELDS} }}),\n"
    assert after(convex(tmp_path, table, BY_KIND, INSERT, settings="[tables.rows]\nrows = 50\n")) == {}


def test_a_table_that_a_helper_makes_is_left_to_its_author(tmp_path: Path) -> None:
    helper = f"const table = () => defineTable({{ {FIELDS} }});\n"
    schema = f"{SCHEMA}{helper}export default defineSchema({{ rows: table(), more: table() }});\n"
    files = {"convex/schema.ts": schema, "convex/rows.ts": READ + registered("q", BY_KIND) + registered("p", INSERT)}
    done = indexing.carried_out([lay(tmp_path, files)])
    assert not done.after
    assert [held.index for held in done.held] == ["by_kind"]


def test_a_file_that_was_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    folder = convex(tmp_path, f"  rows: defineTable({{ {FIELDS} }}),\n", BY_KIND, INSERT)
    done = indexing.carried_out([folder])
    (folder / "convex/schema.ts").write_text("export default 1;\n")
    with pytest.raises(PathError, match="has changed"):
        done.write()
    assert (folder / "convex/schema.ts").read_text() == "export default 1;\n"


REMARKS = [
    pytest.param(
        '\n    .index("by_owner", ["owner"]) // kept\n    .index("by_at", ["at"]), // goes\n', ", // kept\n", id="behind the last one"
    ),
    pytest.param(
        '\n    .index("by_at", ["at"]) // goes\n    .index("by_owner", ["owner"]), // kept\n', ", // kept\n", id="behind the first one"
    ),
    pytest.param(
        '\n    // goes\n    .index("by_at", ["at"])\n    // kept\n    .index("by_owner", ["owner"]),\n', "\n    // kept\n", id="above"
    ),
    pytest.param(
        '\n    // kept: both\n    .index("by_at", ["at"])\n    .index("by_owner", ["owner"]),\n', "\n    // kept: both\n", id="above both"
    ),
    pytest.param(
        '\n    .index("by_owner", ["owner"])\n    // goes\n    .index("by_at", ["at"]) /* goes */,\n', '["owner"]),\n', id="a block"
    ),
    pytest.param(
        '.index("by_at", ["at"]).index("by_owner", ["owner"]), // kept\n', '}).index("by_owner", ["owner"]), // kept\n', id="one line"
    ),
]


@pytest.mark.parametrize(("chain", "stays"), REMARKS)
def test_a_remark_goes_with_its_index(tmp_path: Path, chain: str, stays: str) -> None:
    reads = 'await ctx.db.query("rows").withIndex("by_owner", (q) => q.eq("owner", args.owner)).take(5)'
    text = after(convex(tmp_path, TABLE + chain, INSERT, reads))["convex/schema.ts"]
    assert stays in text
    assert "goes" not in text
    assert "by_at" not in text
