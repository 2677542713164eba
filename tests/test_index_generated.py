"""Generated Convex projects: carried out, the advice is silent, every read by an index is still one, and the indexes are proven few."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from laid import lay
from querylint import indexing
from querylint.discover import Scope
from querylint.engine import Project, load_rules
from querylint.settings import load

FIELDS = ("a", "b", "c", "n")
TYPES = {"n": "v.number()"}
RULES = load_rules()
NAMES = frozenset(rule.name for rule in RULES)
UNKNOWN = [rule for rule in RULES if rule.name == "unknown-index"]

keys = st.permutations(FIELDS).flatmap(lambda order: st.integers(1, 3).map(lambda size: tuple(order[:size])))


@st.composite
def queries(draw: st.DrawFn, indexes: list[tuple[str, ...]]) -> str:
    ends = st.sampled_from((".collect()", ".first()", ".unique()", '.order("desc").take(50)', ".take(50)"))
    filters = draw(st.lists(st.sampled_from(FIELDS), max_size=2, unique=True))
    tested = ", ".join(f'q.eq(q.field("{name}"), args.{name})' for name in filters)
    kept = f".filter((q) => q.and({tested}))" if filters else ""
    read = ""
    if indexes and draw(st.booleans()):
        key = draw(st.sampled_from(indexes))
        bound = key[: draw(st.integers(1, len(key)))]
        read = f'.withIndex("by_{"_".join(key)}", (q) => q' + "".join(f'.eq("{name}", args.{name})' for name in bound) + ")"
    rows = f'await ctx.db.query("events"){read}{kept}{draw(ends)}'
    return draw(st.sampled_from((f"{{ return {rows}; }}", f"{{ const rows = {rows}; return rows === null; }}")))


@st.composite
def projects(draw: st.DrawFn) -> dict[str, str]:
    indexes = draw(st.lists(keys, max_size=4, unique=True))
    bodies = draw(st.lists(queries(indexes), min_size=1, max_size=5))
    declared = "".join(f'\n    .index("by_{"_".join(key)}", [{", ".join(f"{name!r}" for name in key)}])' for key in indexes)
    fields = ", ".join(f"{name}: {TYPES.get(name, 'v.string()')}" for name in FIELDS)
    functions = "".join(
        f"export const q{n} = query({{ args: {{}}, handler: async (ctx, args) => {body} }});\n" for n, body in enumerate(bodies)
    )
    insert = 'export const add = mutation({ args: {}, handler: async (ctx, args) => ctx.db.insert("events", args) });\n'
    return {
        "convex/schema.ts": 'import { defineSchema, defineTable } from "convex/server";\nimport { v } from "convex/values";\n'
        f"export default defineSchema({{\n  events: defineTable({{ {fields} }}){declared},\n}});\n",
        "convex/events.ts": f'import {{ mutation, query }} from "./_generated/server";\n{functions}{insert}',
    }


def _unknown(folder: Path) -> list[str]:
    return [f.found.message for f in Project(Scope(folder), load(folder, rule_names=NAMES)).check(UNKNOWN, NAMES).findings]


@settings(max_examples=60, deadline=None)
@given(projects())
def test_carried_out_the_advice_is_silent(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = lay(Path(name), files)
        done = indexing.carried_out([folder])
        assert all(len(table.apart) <= len(table.indexes) and table.least for table in done.report.tables)
        assert not done.held
        assert not done.rest.changed, [(i.verdict, i.name) for table in done.rest.changed for i in table.indexes]
        done.write()
        assert _unknown(folder) == []
