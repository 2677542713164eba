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
  pages: defineTable({ noteId: v.id("notes") }).index("by_note", ["noteId"]),
});
"""
ALL = 'const notes = await ctx.db.query("notes").collect();'

MINE = 'await ctx.db.query("notes").withIndex("by_owner", (q) => q.eq("owner", me)).collect()'
PAGES = 'await ctx.db.query("pages").withIndex("by_note", (q) => q.eq("noteId", n._id)).collect()'


@pytest.mark.parametrize(
    ("rule", "body", "said"),
    [
        ("unbounded-read", f"{ALL} return notes.find((n) => n.owner === me);", "bind owner in the range of index `by_owner`"),
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
            "loop-read",
            f"{ALL} let all = []; for (const n of notes) all.push({PAGES}); return all;",
            "keep what is needed on the row of `notes`",
        ),
    ],
)
def test_advice(tmp_path: Path, rule: str, body: str, said: str) -> None:
    notes = (
        'import { query } from "./_generated/server";\nimport { v } from "convex/values";\n'
        "function passes(n: any, owner: string): boolean { return n.owner === owner; }\n"
        f"export const get = query({{ args: {{ me: v.string() }}, handler: async (ctx, {{ me }}) => {{ {body} }} }});\n"
    )
    lay(tmp_path, {"convex/schema.ts": SCHEMA, "convex/notes.ts": notes})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == rule]
    assert found.remedy is not None
    words = sentence(found.remedy)
    assert said in words
    assert ("undefined" in words) is ("undefined" in said)


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
        ('f"SELECT {name} FROM stats WHERE player = $1", player', "read what all the rounds ask of these rows by one statement"),
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
