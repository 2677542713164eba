# long: one table of what each finding tells, with the few lines of code that it is told of
"""What a finding tells its reader to do: the index that stands ready, the total that needs every row, where a range is to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laid import lay
from querylint import engine
from querylint.remedy import sentence

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  notes: defineTable({
    owner: v.string(), team: v.string(), closedAt: v.optional(v.number()), seen: v.object({ at: v.optional(v.number()) }),
  }).index("by_owner", ["owner"]).index("by_closed", ["closedAt"]),
  marks: defineTable({ noteId: v.id("notes"), tags: v.array(v.string()), kind: v.string() }).index("by_note", ["noteId"]),
  pages: defineTable({ noteId: v.id("notes"), text: v.string() }).index("by_note", ["noteId"])
    .searchIndex("by_text", { searchField: "text" }),
});
"""
ALL = 'const notes = await ctx.db.query("notes").collect();'

MARKS = 'const marks = await ctx.db.query("marks").collect();'
MINE = 'await ctx.db.query("notes").withIndex("by_owner", (q) => q.eq("owner", me)).collect()'
PAGES = 'await ctx.db.query("pages").withIndex("by_note", (q) => q.eq("noteId", n._id)).collect()'


@pytest.mark.parametrize(
    ("rule", "body", "said"),
    [
        ("unbounded-read", f"{ALL} return notes.find((n) => n.owner === me);", "bind owner in the range of index `by_owner`"),
        (
            "unbounded-read",
            f"{ALL} return notes.filter((n) => n.owner === me || n.team === me);",
            "run one query per alternative, by `by_owner` and an index to add on (team), with Promise.all",
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.filter((n) => n.owner === me || n.owner === 'all');",
            "run one query per alternative, by `by_owner`, with Promise.all",
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const since = new Date(me); return notes.filter((n) => {{"
                " const made = new Date(n._creationTime); return made >= since && n.team === me; });"
            ),
            "add an index on (team) of notes and bind team, _creationTime in its range",  # each index ends with the time of creation
        ),
        (
            "unbounded-read",
            f"{ALL} const since = new Date(me); return notes.filter((n) => new Date(n._creationTime) >= since);",
            "bind _creationTime in the range of index `by_creation_time`",
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.find((n) => n.team === me);",
            "add an index on (team) of notes and bind its fields in a range",
        ),
        (
            "unbounded-read",
            f"{ALL} return [notes.length, notes.filter((n) => n.owner === me).length];",
            "keep a running count or total for `notes`",
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.filter((n) => passes(n, me)).length;",
            "count in batches",  # what the caller asks for differs from call to call
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.filter((n) => isOf(n, me)).length;",
            "bind owner in the range of index `by_owner`",  # what the caller asks for differs from call to call
        ),
        (
            "unbounded-read",
            f"{ALL} for (const n of notes) await ctx.scheduler.runAfter(0, internal.notes.drop, {{ id: n._id }}); return notes.length;",
            "bound the read",  # the rows are needed, whatever is counted besides
        ),
        (
            "unbounded-read",
            f"{ALL} return (await ctx.db.query('pages').take(50)).map((p) => notes.find((n) => n.owner === p.noteId));",
            "read the rows of each item by an index",  # what is matched with other rows needs them all
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const byId = new Map(notes.map((n) => [n._id, n]));"
                " return (await ctx.db.query('pages').take(50)).map((p) => byId.get(p.noteId)?.team);"
            ),
            "get the rows by the ids that the other rows hold",
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const byOwner = new Map(notes.map((n) => [n.owner, n]));"
                " return (await ctx.db.query('pages').take(50)).map((p) => byOwner.get(p.noteId)?.team);"
            ),
            "ask for the rows of the items at hand by an index on owner",
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const byId = new Map(notes.map((n) => [n._id, n]));"
                " for (const n of notes) console.log(n.team); return byId.get(me)?.team;"
            ),
            "bound the read",  # they are gone through besides
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.sort((a, b) => b.team.localeCompare(a.team) || b._creationTime - a._creationTime).slice(0, 5);",
            "add an index on (team) and read with .order(...).take(n)",
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.sort((a, b) => b.team.localeCompare(a.team) || b.owner.localeCompare(a.owner)).slice(0, 5);",
            "add an index on (team, owner) and read with .order(...).take(n)",
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const top = notes.sort((a, b) => a.closedAt! - b.closedAt!).slice(0, 5);"
                " return [top, notes.reduce((sum, n) => sum + n.closedAt!, 0)];"
            ),
            "keep the totals as rows change",
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.reduce((max, n) => Math.max(max, n.closedAt!), 0);",
            'read by index `by_closed` one row from its end: .order("desc").first()',
        ),
        (
            "aggregate-in-memory",
            (
                'const mine = await ctx.db.query("notes").withIndex("by_owner", (q) => q.eq("owner", me)).collect();'
                " return Math.max(...mine.filter((n) => n.team === me).map((n) => n.closedAt!));"
            ),
            'add an index on (owner, team, closedAt) and read by it one row from its end: .order("desc").first()',
        ),
        (
            "unbounded-read",
            f"{ALL} for (const n of notes.filter((n) => n._creationTime < Date.now() - 1000)) await ctx.db.patch(n._id, {{ team: me }});",
            "bound the read",  # all rows but the newest are older
        ),
        (
            "unbounded-read",
            f"{ALL} return [notes.filter((n) => n.owner === 'me'), notes.filter((n) => n.owner !== 'me')];",
            "read in pages with .paginate(), each part with its own range",  # together the two show every row
        ),
        (
            "unbounded-read",
            f"{ALL} return me ? notes.filter((n) => n.owner === 'me') : notes.filter((n) => n.owner !== 'me');",
            "bind owner in the range of index `by_owner`",  # one of the two at a time
        ),
        (
            "unbounded-read",
            f"{ALL} return [notes.filter((n) => n.owner === 'me'), notes.filter((n) => n.owner === 'you')];",
            "bind owner in the range of index `by_owner`",
        ),
        (
            "unbounded-read",
            (
                f"{ALL} let closed = 0; const shown = await Promise.all(notes.map(async (n) => {{ if (n.closedAt) closed += 1;"
                " return { id: n._id, team: n.team }; })); return { shown, closed };"
            ),
            "keep the totals as rows change, and read the rows themselves in pages",
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const ours = notes.filter((n) => n.team === me);"
                " return [...ours.filter((n) => n.owner === 'me'), ...ours.filter((n) => !['me', 'you'].includes(n.owner))];"
            ),
            "add an index on (team) of notes",  # of what one filter tests the other shows the rest
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const ours = notes.filter((n) => n.team === me);"
                " return [ours.length, ours.filter((n) => n.owner === 'me').length, ours.filter((n) => n.owner === 'you').length];"
            ),
            "add an index on (team) of notes",  # their number is that of all owners
        ),
        (
            "unbounded-read",
            f"const mine = {MINE}; const ids = new Set(mine.map((n) => n._id)); {MARKS} return marks.filter((m) => ids.has(m.noteId));",
            "read the range of each of the values of noteId that are looked for, by index `by_note`, together with Promise.all",
        ),
        (
            "unbounded-read",
            f"{MARKS} return marks.filter((m) => [me, 'other'].includes(m.kind));",
            "by an index to add on (kind) of marks",
        ),
        (
            "unbounded-read",
            f"{MARKS} const low = me.toLowerCase(); return marks.filter((m) => m.kind?.toLowerCase().includes(low)).slice(0, 5);",
            "add a search index on kind, and read by it",
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.filter((n) => n.team.includes(me) || n.owner.trim().toUpperCase().includes(me));",
            "add a search index on team and one on owner",
        ),
        (
            "unbounded-read",
            'return (await ctx.db.query("pages").collect()).filter((p) => p.text.includes(me));',
            "read by search index `by_text`",
        ),
        (
            "unbounded-read",
            f"{MARKS} return marks.filter((m) => !m.kind.includes(me));",
            "bound the read",  # no index finds what lacks a text
        ),
        (
            "unbounded-read",
            f"{MARKS} return marks.filter((m) => m.tags.includes(me));",
            "keep one row for each member of tags in a separate table",
        ),
        (
            "unbounded-read",
            f"{MARKS} return [marks.filter((m) => m.tags.includes(me)), marks];",
            "bound the read",  # all of them are shown besides
        ),
        ("unbounded-read", f"{ALL} return notes.length > 3;", "read at most 4 rows with .take(4)"),
        (
            "unbounded-read",
            f"{ALL} return me ? notes.filter((n) => n.team.includes(me)) : notes;",
            "add a search index on team, and read by it: it finds the rows by their words; where it is not tested, read in pages",
        ),
        (
            "unbounded-read",
            f"let {ALL[6:]} if (me) notes = notes.filter((n) => n.owner === me); return notes;",
            "of index `by_owner` instead of testing it in memory; where it is not tested, read in pages with .paginate()",
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.sort((a, b) => b.team.localeCompare(a.team)).findIndex((n) => n._id === me) + 1;",
            "keep the rows in the aggregate component, keyed by what they are sorted by",
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.sort((a, b) => b.team.localeCompare(a.team)).find((n) => passes(n, me));",
            "bound the read",  # the first in that order which passes
        ),
        ("unbounded-read", f"{ALL} return [notes.slice(0, 20), notes.length > 20];", "read at most 21 rows with .take(21)"),
        ("unbounded-read", f"{ALL} return [notes.slice(0, 20), notes.length];", "keep the totals as rows change"),
        (
            "unbounded-read",
            f"{ALL} if (notes.length > 100) console.log('many'); let all = ''; for (const n of notes) all += `${{n.team}};`; return all;",
            "read the rows themselves in pages",  # each of them is used
        ),
        (
            "unbounded-read",
            f"{ALL} let all = ''; for (const n of notes) {{ all += n.team; all = all + n.owner; }} return all;",
            "bound the read",  # a text is no total
        ),
        (
            "unbounded-read",
            f"{ALL} let all = 0; for (const n of notes) all += n.closedAt; return all;",
            "keep a running count or total",
        ),
        (
            "unbounded-read",
            f"{ALL} if (notes.length > 50) for (const n of notes) await ctx.db.patch(n._id, {{ team: me }}); return null;",
            "bound the read",
        ),
        ("unbounded-read", f"{ALL} return notes.length < 5 ? 'few' : 'many';", "read at most 6 rows with .take(6)"),
        ("unbounded-read", f"{ALL} if (notes.length === 1) return 'alone'; return notes.length > 1;", "read at most 2 rows with .take(2)"),
        (
            "unbounded-read",
            f"{ALL} return notes.length > 100000;",
            "keep a running count or total for `notes`",
        ),  # a transaction reads fewer
        (
            "filter-in-memory",
            (
                f"{MARKS} const ids = new Set((await ctx.db.query('pages').take(50)).map((p) => p._id));"
                " return marks.filter((m) => ids.has(m._id));"
            ),
            "get the rows by these ids with Promise.all",
        ),
        (
            "filter-in-memory",
            f"{MARKS} return marks.filter((m) => [me, 'other'].includes(m.kind));",
            "read one range for each value with Promise.all",
        ),
        ("unbounded-read", f"{ALL} return [notes.length > 3, notes.length];", "keep a running count or total for `notes`"),
        (
            "aggregate-in-memory",
            'return (await ctx.db.query("notes").withIndex("by_closed", (q) => q.gte("closedAt", 5)).collect()).length >= 10;',
            "read at most 11 rows with .take(11)",
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const shown = notes.filter((n) => n.owner === me).map((n) => ({{ ...n, mine: true }}));"
                " return { shown, number: shown.length };"
            ),
            "bind owner in the range of index `by_owner`",  # what is made of the rows has been filtered as they have
        ),
        (
            "unbounded-read",
            f"{ALL} return [notes.filter((n) => n.team === me).length, notes.filter((n) => n.closedAt > Number(me)).length];",
            "keep totals as rows change, one for each value or period that is asked for",
        ),
        (
            "unbounded-read",
            (
                f"{ALL} return notes.map((n) => ({{ ...n, mine: true }})).sort((a, b) => {{ const first = a.team.localeCompare(b.team);"
                " if (first !== 0) return first; return a.owner.localeCompare(b.owner); }).slice(0, 5);"
            ),
            "add an index on (team, owner) and read with .order(...).take(n)",
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const ranked = notes.map((n) => ({{ ...n, team: n.owner + me, rank: n.owner.length }}));"
                " return ranked.sort((a, b) => b.rank - a.rank).slice(0, 5);"
            ),
            "bound the read",  # no row has the rank
        ),
        (
            "unbounded-read",
            (
                f"{ALL} const ranked = notes.map((n) => ({{ ...n, team: n.owner + me }}));"
                " return ranked.sort((a, b) => a.team.localeCompare(b.team)).slice(0, 5);"
            ),
            "bound the read",  # what is called so is not what the row has
        ),
        (
            "unbounded-read",
            f"{ALL} return notes.map((n) => ({{ ...n, title: n.team }})).sort((a, b) => a.title.localeCompare(b.title)).slice(0, 5);",
            "add an index on (team) and read with .order(...).take(n)",  # by the name that the row has
        ),
        (
            "aggregate-in-memory",
            'return (await ctx.db.query("notes").withIndex("by_closed", (q) => q.gte("closedAt", Date.now() - 3600000)).collect()).length;',
            "keep totals per day or hour as rows change and add up those of the window, or use the aggregate component keyed by `closedAt`",
        ),
        (
            "aggregate-in-memory",
            'return (await ctx.db.query("notes").withIndex("by_closed", (q) => q.gte("closedAt", 5)).collect()).length;',
            "keep a running count or total for `notes`",
        ),
        (
            "filter-beside-index",
            'return await ctx.db.query("notes").filter((q) => q.lt(q.field("closedAt"), 5)).take(3);',
            "bind closedAt in the range of index `by_closed`",  # the filter lets rows without a value pass as well
        ),
        (
            "filter-in-memory",
            f"return ({MINE}).filter((n) => n.closedAt < 5);",
            'begin the range with .gt("closedAt", undefined)',
        ),
        (
            "filter-in-memory",
            f"return ({MINE}).filter((n) => n.seen.at < 5);",
            'begin the range with .gt("seen.at", undefined)',
        ),
        (
            "filter-beside-index",
            'return await ctx.db.query("notes").filter((q) => q.gt(q.field("closedAt"), 5)).take(3);',
            "bind closedAt in the range of index `by_closed`",
        ),
        (
            "sort-in-memory",
            f"return ({MINE}).sort((a, b) => b.closedAt - a.closedAt || b.team.localeCompare(a.team)).slice(0, 5);",
            'by_owner_and_closed_and_team` on notes (owner, closedAt, team), bind owner in its range, and read with .order("desc")',
        ),
        (
            "sort-in-memory",
            (
                f"const mine = {MINE};"
                " return mine.sort((a, b) => Number(b.closedAt) - Number(a.closedAt) || b._creationTime - a._creationTime).slice(0, 5);"
            ),
            'on notes (owner, closedAt), bind owner in its range, and read with .order("desc")',
        ),
        (
            "query-per-item",
            (
                f"const mine = {MINE}; return await Promise.all(mine.map((n) =>"
                " ctx.db.query('marks').filter((q) => q.eq(q.field('kind'), n.team)).first()));"
            ),
            "bind an index range for each item, or read the table once before the loop",
        ),
        (
            "sort-in-memory",
            (
                f"return ({MINE}).sort((a, b) => {{ if (a.team !== b.team) return a.team < b.team ? -1 : 1;"
                " return b.closedAt - a.closedAt; }).slice(0, 5);"
            ),
            "bind owner in its range, and read in its order by team, closedAt",
        ),
        (
            "sort-in-memory",
            f"return ({MINE}).sort((a, b) => (me === 'team' ? a.team.localeCompare(b.team) : b.closedAt - a.closedAt)).slice(0, 5);",
            "give each order that is offered its own index",
        ),
        (
            "loop-read",
            f"{ALL} let all = []; for (const n of notes) all.push({PAGES}); return all;",
            "keep what is needed on the row of `notes`",
        ),
    ],
)
def test_advice(tmp_path: Path, rule: str, body: str, said: str) -> None:
    notes = (
        'import { query } from "./_generated/server";\nimport { v } from "convex/values";\n'
        'function passes(n: any, owner: string): boolean { return n.owner.split(",")[0] === owner; }\n'
        "function isOf(n: any, owner: string): boolean { return n.owner === owner; }\n"
        f"export const get = query({{ args: {{ me: v.string() }}, handler: async (ctx, {{ me }}) => {{ {body} }} }});\n"
    )
    lay(tmp_path, {"convex/schema.ts": SCHEMA, "convex/notes.ts": notes})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == rule]
    assert found.remedy is not None
    words = sentence(found.remedy)
    assert said in words
    assert ("undefined" in words) is ("undefined" in said)


def test_what_nearly_every_row_passes_bounds_nothing_unless_its_index_stands(tmp_path: Path) -> None:
    schema = """\
    import { defineSchema, defineTable } from "convex/server";
    import { v } from "convex/values";
    export default defineSchema({
      clients: defineTable({ name: v.string(), isActive: v.boolean() }),
      guests: defineTable({ name: v.string(), isActive: v.boolean() }).index("by_active", ["isActive"]),
    });
    """
    code = """\
    import { mutation, query } from "./_generated/server";
    import { v } from "convex/values";
    export const add = mutation({ args: { name: v.string(), isActive: v.boolean() }, handler: async (ctx, args) => {
      await ctx.db.insert("clients", args);
      await ctx.db.insert("guests", args);
    } });
    export const all = query({ args: {}, handler: async (ctx) => {
      const names = [];
      for (const client of await ctx.db.query("clients").collect()) {
        if (!client.isActive) continue;
        names.push(client.name);
      }
      for (const guest of await ctx.db.query("guests").collect()) {
        if (!guest.isActive) continue;
        names.push(guest.name);
      }
      return names;
    } });
    """
    lay(tmp_path, {"convex/schema.ts": schema, "convex/clients.ts": code})
    found = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "unbounded-read"]
    told = {f.table: sentence(f.remedy) for f in found if f.remedy is not None}
    assert "bound the read with an index range" in told["clients"]
    assert "bind isActive in the range of index `by_active`" in told["guests"]


def test_an_index_that_no_name_comes_near_is_to_be_declared(tmp_path: Path) -> None:
    notes = (
        'import { query } from "./_generated/server";\n'
        "export const late = query((ctx, { team }) =>\n"
        '  ctx.db.query("notes").withIndex("teamAndDate", (q) => q.eq("team", team).gt("closedAt", 5)).collect());\n'
    )
    lay(tmp_path, {"convex/schema.ts": SCHEMA, "convex/notes.ts": notes})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "unknown-index"]
    assert found.message == "`notes` has no index `teamAndDate`, so the query throws"
    assert found.help == "declare it in the schema (team, closedAt), or use one that exists (`by_owner`, `by_closed`)"


def test_an_unused_index_is_read_in_its_order_where_a_query_sorts_and_cuts(tmp_path: Path) -> None:
    notes = (
        'import { query } from "./_generated/server";\n'
        f"export const last = query(async (ctx) => {{ {ALL} return notes.sort((a, b) => a.closedAt - b.closedAt).slice(0, 5); }});\n"
    )
    lay(tmp_path, {"convex/schema.ts": SCHEMA, "convex/notes.ts": notes})
    found = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "unused-index" and "closedAt" in f.found.fields]
    assert [sentence(f.remedy) for f in found if f.remedy is not None] == ["use index `by_closed`, and read in its order by closedAt"]


def test_an_unused_index_is_told_by_the_sort_that_waits_for_it_not_by_the_read_beside_it(tmp_path: Path) -> None:
    schema = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  moves: defineTable({ item: v.string(), at: v.number(), seq: v.number() })
    .index("by_item", ["item"]).index("by_item_at", ["item", "at"]).index("by_item_seq", ["item", "seq"]),
});
"""
    moves = """\
import { v } from "convex/values";
import { mutation, query } from "./_generated/server";
export const add = mutation({ args: { item: v.string(), at: v.number() }, handler: async (ctx, { item, at }) =>
  await ctx.db.insert("moves", { item, at, seq: at }),
});
export const newest = query({ args: { item: v.string(), most: v.number() }, handler: async (ctx, { item, most }) => {
  const moves = await ctx.db.query("moves").withIndex("by_item", (q) => q.eq("item", item)).collect();
  moves.sort((a, b) => b.at - a.at);
  return moves.slice(0, most);
} });
export const since = query({ args: { item: v.string(), seq: v.number() }, handler: async (ctx, { item, seq }) =>
  await ctx.db.query("moves").withIndex("by_item_seq", (q) => q.eq("item", item).gt("seq", seq)).take(50),
});
"""
    lay(tmp_path, {"convex/schema.ts": schema, "convex/moves.ts": moves})
    (found,) = (f.found for f in engine.check([tmp_path]).result.findings if f.rule == "unused-index")
    assert found.message.endswith("though `newest` sorts by `at` without it")
    assert found.remedy is not None
    assert sentence(found.remedy) == "bind item in the range of index `by_item_at`, and read in its order by at"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rows.sort(key=lambda row: row['closed'], reverse=True)\n    return rows[:5]", "let the query sort by `closed`"),
        ("return [dict(row) for row in rows if row['owner'] == 'me']", "let the query test `owner`"),
    ],
)
def test_where_the_database_picks_the_index_the_query_is_to_say_it(tmp_path: Path, line: str, said: str) -> None:
    head = "import sqlite3\n\n\ndef notes(conn: sqlite3.Connection):\n"
    code = f'{head}    rows = conn.execute("SELECT * FROM notes").fetchall()\n    {line}\n'
    lay(tmp_path, {"schema.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT, closed INTEGER);", "app.py": code})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "unbounded-read"]
    assert found.remedy is not None
    assert sentence(found.remedy, found.stack).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('f"SELECT {name} FROM stats WHERE player = $1", player', "read what all iterations need of these rows with one statement"),
        ('"SELECT hp FROM stats WHERE player = $1", name', "read the rows of all items with `player IN (...)`"),
        ('f"SELECT {name} FROM stats WHERE player = $1 LIMIT $2", player, name', "read the rows of all items with one query"),
    ],
)
def test_rounds_that_ask_other_columns_of_the_same_rows(tmp_path: Path, text: str, said: str) -> None:
    head = "import asyncpg\n\n\nasync def stats(conn: asyncpg.Connection, player: int, names: list[str]):\n    for name in names:\n"
    lay(tmp_path, {"app.py": f"{head}        print(await conn.fetch({text}))\n"})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "loop-read"]
    assert found.remedy is not None
    assert sentence(found.remedy, found.stack).startswith(said)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("found.extend(rows)", "replace the loop by one query"),
        ("found += rows", "replace the loop by one query"),
        ("for row in rows:\n            found.append(row)", "replace the loop by one query"),
        ("found.append((user, rows))", "read the rows for all the items"),
        ("found.append(rows)", "read the rows for all the items"),
        ("if set(row.id for row in rows) <= wanted:\n            found.append(user)", "read the rows for all the items"),
        (
            "lines = []\n        for row in rows:\n            lines.append(row)\n        found.append({'lines': lines})",
            "read the rows for all the items",
        ),
    ],
)
def test_one_query_gives_the_same_list_only_where_the_rounds_put_the_rows_into_it(tmp_path: Path, body: str, said: str) -> None:
    model = (
        "from sqlalchemy import Column, Integer\nfrom sqlalchemy.orm import declarative_base\n\nBase = declarative_base()\n\n\n"
        "class Note(Base):\n    __tablename__ = 'notes'\n    id = Column(Integer, primary_key=True)\n"
        "    owner = Column(Integer, index=True)\n"
    )
    code = (
        "from models import Note\n\n\ndef notes(session, users: list[int], wanted: set[int]):\n    found = []\n    for user in users:\n"
        f"        rows = session.query(Note).filter(Note.owner == user).all()\n        {body}\n    return found\n"
    )
    lay(tmp_path, {"models.py": model, "app.py": code})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "loop-read"]
    assert found.remedy is not None
    assert sentence(found.remedy, found.stack).startswith(said)


def test_the_column_by_which_a_helper_asks_for_what_a_round_hands_it(tmp_path: Path) -> None:
    code = (
        "import psycopg\n\n\ndef member(cur: psycopg.Cursor, user: int, room: int):\n"
        "    cur.execute('SELECT * FROM members WHERE gone = false AND user_id = %s AND room_id = %s', (user, room))\n"
        "    return cur.fetchone()\n\n\n"
        "def members(cur: psycopg.Cursor, user: int, rooms: list[int]):\n    return [member(cur, user, room) for room in rooms]\n"
    )
    lay(tmp_path, {"app.py": code})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "loop-read"]
    assert found.remedy is not None
    assert sentence(found.remedy, found.stack).startswith("read the rows of all items with `room_id IN (...)`")


def test_a_screen_that_counts_what_it_shows_wants_the_rows(tmp_path: Path) -> None:
    notes = (
        'import { query } from "./_generated/server";\nimport { v } from "convex/values";\n'
        f"export const get = query({{ args: {{ me: v.string() }}, handler: async (ctx, {{ me }}) => {{ {ALL}"
        " return notes.filter((n) => n.team.length > me.length); } });\n"
    )
    screen = (
        'import { useQuery } from "convex/react";\nimport { api } from "../convex/_generated/api";\n'
        "export function Notes({ me }: { me: string }) {\n  const notes = useQuery(api.notes.get, { me }) ?? [];\n"
        "  return <div><b>{notes.length}</b>{notes.map((n) => <p key={n._id}>{n.team}</p>)}</div>;\n}\n"
    )
    lay(tmp_path, {"convex/schema.ts": SCHEMA, "convex/notes.ts": notes, "src/Notes.tsx": screen})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "unbounded-read"]
    assert found.remedy is not None
    assert sentence(found.remedy).startswith("bound the read")


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        ("for await (const part of await answer(me))", "gather what comes in, and hand it on to one mutation now and then"),
        ("for (const part of me.split(','))", "pass all the items to one mutation"),
    ],
)
def test_what_comes_in_one_by_one_is_gathered(tmp_path: Path, loop: str, said: str) -> None:
    notes = (
        'import { action, internalMutation } from "./_generated/server";\nimport { internal } from "./_generated/api";\n'
        'import { v } from "convex/values";\nimport { answer } from "model";\n'
        "export const put = internalMutation({ args: { team: v.string() }, handler: async (ctx, { team }) => {"
        ' await ctx.db.insert("notes", { owner: team, team, seen: {} }); } });\n'
        "export const get = action({ args: { me: v.string() }, handler: async (ctx, { me }) => {"
        f" {loop} await ctx.runMutation(internal.notes.put, {{ team: part }}); }} }});\n"
    )
    lay(tmp_path, {"convex/schema.ts": SCHEMA, "convex/notes.ts": notes})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "call-per-item"]
    assert found.remedy is not None
    assert said in sentence(found.remedy)


@pytest.mark.parametrize(
    ("author", "said"),
    [
        ("me", "keep what is needed on the item itself"),  # who writes a remark is not who has written the essay
        ("essay.author", "read the range of `by_author` that holds the rows of all items once"),
    ],
)
def test_what_others_leave_is_in_no_range_of_the_author(tmp_path: Path, author: str, said: str) -> None:
    schema = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
const author = v.id("users");
export default defineSchema({
  users: defineTable({ name: v.string() }),
  essays: defineTable({ author }).index("by_author", ["author"]),
  remarks: defineTable({ essay: v.id("essays"), author }).index("by_essay", ["essay"]).index("by_author", ["author"]),
});
"""
    essays = f"""\
import {{ mutation, query }} from "./_generated/server";
import {{ v }} from "convex/values";
export const add = mutation({{ args: {{ id: v.id("essays"), me: v.id("users") }}, handler: async (ctx, {{ id, me }}) => {{
  const essay = await ctx.db.get(id);
  if (essay) await ctx.db.insert("remarks", {{ essay: id, author: {author} }});
}} }});
export const write = mutation({{ args: {{ me: v.id("users") }}, handler: (ctx, {{ me }}) => ctx.db.insert("essays", {{ author: me }}) }});
export const list = query({{ args: {{ me: v.id("users") }}, handler: async (ctx, {{ me }}) => {{
  const essays = await ctx.db.query("essays").withIndex("by_author", (q) => q.eq("author", me)).collect();
  return await Promise.all(essays.map((e) => ctx.db.query("remarks").withIndex("by_essay", (q) => q.eq("essay", e._id)).collect()));
}} }});
"""
    lay(tmp_path, {"convex/schema.ts": schema, "convex/essays.ts": essays})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "query-per-item"]
    assert found.remedy is not None
    assert said in sentence(found.remedy)


def test_only_what_a_filter_tests_is_bound_in_a_longer_index(tmp_path: Path) -> None:
    schema = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  loans: defineTable({ state: v.string(), due: v.number() }).index("by_state", ["state"]).index("by_state_due", ["state", "due"]),
});
"""
    loans = """\
import { query } from "./_generated/server";
export const late = query((ctx, { state, now }) =>
  ctx.db.query("loans").withIndex("by_state_due", (q) => q.eq("state", state).lt("due", now)).collect());
export const all = query(async (ctx, { state }) => {
  const loans = await ctx.db.query("loans").collect();
  return loans.filter((loan) => loan.state === state);
});
"""
    lay(tmp_path, {"convex/schema.ts": schema, "convex/loans.ts": loans})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "filter-in-memory"]
    assert found.remedy is not None
    assert sentence(found.remedy) == "bind state in the range of index `by_state_due`; rows then come in the order of the index"


def test_an_index_to_add_keeps_all_of_its_fields(tmp_path: Path) -> None:
    schema = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  loans: defineTable({ state: v.string(), due: v.number() }).index("by_state", ["state"]),
});
"""
    loans = """\
import { mutation, query } from "./_generated/server";
export const lend = mutation((ctx, { due }) => ctx.db.insert("loans", { state: "out", due }));
export const next = query(async (ctx, { state }) => {
  const loans = await ctx.db.query("loans").filter((q) => q.eq(q.field("state"), state)).collect();
  return loans.sort((a, b) => a.due - b.due)[0];
});
export const all = query(async (ctx, { state }) => {
  const loans = await ctx.db.query("loans").filter((q) => q.eq(q.field("state"), state)).collect();
  return loans.reduce((sum, loan) => sum + loan.due, 0);
});
"""
    lay(tmp_path, {"convex/schema.ts": schema, "convex/loans.ts": loans})
    told = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "filter-beside-index"]
    assert len(told) == 2
    assert all(f.remedy and "index `by_state_and_due` on loans (state, due)" in sentence(f.remedy) for f in told)


def test_an_index_to_add_in_the_place_of_one_that_stands_is_said_to_be_that(tmp_path: Path) -> None:
    schema = """\
    import { defineSchema, defineTable } from "convex/server";
    import { v } from "convex/values";
    export default defineSchema({
      posts: defineTable({ team: v.string(), state: v.string(), text: v.string() })
        .index("by_team", ["team"]).index("by_team_state", ["team", "state"]),
    });
    """
    code = """\
    import { query } from "./_generated/server";
    export const open = query(async (ctx, { team }) => await ctx.db.query("posts")
      .withIndex("by_team", (q) => q.eq("team", team)).filter((q) => q.eq(q.field("state"), "open")).collect());
    export const every = query(async (ctx, { state }) =>
      await ctx.db.query("posts").filter((q) => q.eq(q.field("state"), state)).collect());
    export const mine = query(async (ctx, { team }) => await ctx.db.query("posts").withIndex("by_team", (q) => q.eq("team", team)).take(9));
    """
    lay(tmp_path, {"convex/schema.ts": schema, "convex/posts.ts": code})
    found = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "filter-beside-index"]
    said = [sentence(f.remedy) for f in found if f.remedy is not None]
    assert len(said) == 1
    assert said[0].startswith("add index `by_state_team` on posts (state, team) in the place of `by_team_state`, as the smallest set of")
