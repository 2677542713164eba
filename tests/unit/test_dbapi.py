"""What the DB-API stack makes of programs: the steps, in the text form of the shared language."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from querylint import settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.ir import Access, Program
from querylint.ir.dump import dump


def program(folder: Path, code: str, **files: str) -> Program:
    """A project of one module, and of other files (`schema_sql` is schema.sql)."""
    (folder / "app.py").write_text(dedent(code), encoding="utf-8")
    for name, text in files.items():
        (folder / name.replace("_sql", ".sql")).write_text(dedent(text), encoding="utf-8")
    return Project(Scope(folder), settings.load(folder)).program()[0]


def accesses(found: Program, name: str = "f") -> list[str]:
    """The reads and writes of a function, each on a line."""
    lines = dump(found.functions[f"app.py::{name}"]).splitlines()
    return [line.split("#", 1)[1].split(" ", 1)[1].partition(" needs")[0] for line in lines if " read " in line or " write " in line]


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        ('cur.execute("SELECT a FROM t WHERE b = %s", (x,))\n    return cur.fetchone()', "read t by planner where index:b= -> row one"),
        ('cur.execute("SELECT a FROM t")\n    return cur.fetchall()', "read t by planner -> rows all"),
        ('cur.execute("SELECT a FROM t")\n    return list(cur)', "read t by planner -> rows all"),
        ('cur.execute("SELECT a FROM t")\n    return [r[0] for r in cur]', "read t by planner -> rows all"),
        ('cur.execute("SELECT a FROM t")\n    return cur.fetchmany(5)', "read t by planner -> rows page"),
        ('return cur.execute("SELECT a FROM t LIMIT 5").fetchall()', "read t by planner -> rows limit 5"),
        ('return cur.execute("SELECT count(*) FROM t").fetchone()[0]', "read t by planner -> count all"),
        ('return cur.execute("SELECT a FROM t WHERE b = ?", [x]).fetchone()', "read t by planner where index:b= -> row one"),
        ('cur.execute("INSERT INTO t (a, b) VALUES (?, ?)", (x, 1))', "write t by planner (a, b) -> nothing one"),
        ('cur.executemany("INSERT INTO t (a) VALUES (?)", [(y,) for y in x])', "write t by planner (a) -> nothing all"),
        ('execute_values(cur, "INSERT INTO t (a) VALUES %s", x)', "write t by planner (a) -> nothing all"),
        (
            'sql = "SELECT a FROM t"\n    sql += " WHERE b = ?"\n    cur.execute(sql, (x,))\n    return cur.fetchall()',
            "read t by planner where index:b= -> rows all",
        ),
        (
            'cur.execute("SELECT a FROM " + "t" + " WHERE b = %s" % 1)\n    return cur.fetchall()',
            "read t by planner where index:b=1 -> rows all",
        ),
        (
            'cur.execute("SELECT a FROM {} WHERE b = ?".format("t"), (x,))\n    return cur.fetchall()',
            "read t by planner where index:b= -> rows all",
        ),
        (
            'cur.execute(f"SELECT a FROM {TABLE} WHERE b = ?", (x,))\n    return cur.fetchall()',
            "read t by planner where index:b= -> rows all",
        ),
        (
            'cur.execute(dedent("""\\\n        SELECT a FROM t WHERE b = 2"""))\n    return cur.fetchall()',
            "read t by planner where index:b=2 -> rows all",
        ),
        ('cur.execute("CREATE TABLE z (a int)")', ""),
        ('cur.execute("PRAGMA user_version")\n    return cur.fetchone()', ""),
        ('cur.execute("SELECT a FROM t WHERE s = 1 FOR UPDATE SKIP LOCKED")\n    return cur.fetchone()', ""),
        ('cur.execute("SELECT a FROM sqlite_master")\n    return cur.fetchone()', ""),
        ('cur.execute("SELECT a FROM t")\n    cur.close()', ""),
        ('log.execute("nothing of that kind")', ""),
        ('print("SELECT a FROM t")', ""),
    ],
)
def test_what_a_statement_becomes(body: str, steps: str, tmp_path: Path) -> None:
    head = "import psycopg2\nfrom textwrap import dedent\nfrom psycopg2.extras import execute_values\nTABLE = 't'\n\n"
    code = f"{head}def f(cur, x, log):\n    {body}\n"
    assert "; ".join(accesses(program(tmp_path, code))) == steps


def test_a_choice_of_texts_is_several_plans(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        """
        import psycopg2

        def f(cur, x, late):
            sql = "SELECT a FROM t WHERE b = %s"
            if late:
                sql += " AND c > now()"
            cur.execute(sql, (x,))
            return cur.fetchall()
        """,
    )
    assert accesses(found) == ["read t by planner where index:b= and filter:c> | by planner where index:b= -> rows limit"]


def test_row_after_row_is_one_read_of_all(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        """
        import psycopg2

        def f(cur):
            cur.execute("SELECT a FROM t")
            while True:
                row = cur.fetchone()
                if row is None:
                    break
                print(row)
        """,
    )
    assert accesses(found) == ["read t by planner -> rows all"]


def test_asyncpg_and_pools(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        """
        import asyncpg

        async def f(pool, x):
            async with pool.acquire() as conn:
                await conn.execute("UPDATE t SET a = $2 WHERE id = $1", x, 5)
                one = await conn.fetchrow("SELECT * FROM t WHERE id = $1", x)
                return await conn.fetchval("SELECT a FROM t WHERE id = $1 AND a = $2", one["id"], 7)
        """,
        schema_sql="CREATE TABLE t (id int PRIMARY KEY, a int);",
    )
    assert accesses(found) == [
        "write t by key where index:id= (a) -> nothing one",
        "read t by key where index:id= -> row one",
        "read t by key where index:id= and index:a=7 -> row one",
    ]


def test_a_connection_that_fetches_by_a_named_text_runs_a_statement_whatever_it_has_run_before(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        """
        from databases import Database

        async def f(db: Database, ident: int):
            await db.execute(query="UPDATE teams SET seen = 1 WHERE id = :id", values={"id": ident})
            return await db.fetch_all(query="SELECT name FROM members WHERE team_id = :id", values={"id": ident})
        """,
    )
    assert accesses(found) == [
        "write teams by planner where index:id= (seen) -> nothing one",
        "read members by planner where index:team_id= -> rows all",
    ]


def test_functions_of_the_program_that_pass_sql_on(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        """
        import sqlite3

        class Store:
            def _run(self, sql, args=()):
                return self.db.execute(sql, args)

            def all(self, query, args=()):
                return self._run(query, args).fetchall()

            def one(self, query, args=()):
                return self._run(query, args).fetchone()

        def query_db(query, args=(), one=False):
            cur = get_db().execute(query, args)
            rows = cur.fetchall()
            return (rows[0] if rows else None) if one else rows

        def f(x):
            store = Store()
            store.all("SELECT a FROM t WHERE b = ?", (x,))
            store.one("SELECT a FROM t WHERE c = ?", (x,))
            query_db("SELECT a FROM t WHERE d = ?", [x])
            query_db("SELECT a FROM t WHERE e = ?", [x], one=True)
        """,
    )
    assert accesses(found) == [
        "read t by planner where index:b= -> rows all",
        "read t by planner where index:c= -> row one",
        "read t by planner where index:d= -> rows all",
        "read t by planner where index:e= -> row one",
    ]


def test_callbacks_of_twisted_pools(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        """
        from twisted.enterprise import adbapi

        class Store:
            def f(self, x):
                def txn_of(txn, name):
                    txn.execute("SELECT a FROM t WHERE b = ?", (name,))
                    return txn.fetchall()

                self.pool.runQuery("SELECT a FROM u WHERE b = ?", (x,))
                self.pool.runInteraction(self._insert, x)
                return self.pool.runInteraction(txn_of, x)

            def _insert(self, txn, x):
                txn.execute("INSERT INTO v (a) VALUES (?)", (x,))
        """,
    )
    assert accesses(found, "Store.f") == ["read u by planner where index:b= -> rows all", "read t by planner where index:b= -> rows all"]
    key = "app.py::Store.f"
    assert any(effect.access.table == "v" for effect in found.effects[key])


def test_tables_that_a_caller_names(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        """
        import sqlite3

        def get(db, table, key):
            return db.execute(f"SELECT * FROM {table} WHERE id = ?", (key,)).fetchone()

        def f(db, keys):
            return [get(db, "users", key) for key in keys]
        """,
    )
    (effect,) = found.effects["app.py::f"]
    assert isinstance(effect.access, Access)
    assert effect.access.table == "users"


def test_columns_by_place_and_by_name(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        """
        import sqlite3

        def f(db):
            rows = db.execute("SELECT id, state FROM t").fetchall()
            first = [r for r in rows if r[1] == "new"]
            second = [r for r in rows if r["state"] == "old"]
            third = [i for i, state in rows if state == "done"]
            return first, second, third
        """,
    )
    text = dump(found.functions["app.py::f"])
    assert [word in text for word in ("memory:state='new'", "memory:state='old'", "memory:state='done'")] == [True, True, True]


def test_schemas_of_programs_and_scripts_come_together(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        """
        import sqlite3

        def f(db):
            db.executescript("CREATE TABLE notes (id INTEGER PRIMARY KEY, author TEXT); CREATE INDEX notes_author ON notes (author);")
            return db.execute("SELECT author FROM Notes WHERE ID = 1").fetchone()
        """,
        schema_sql="CREATE TABLE users (id int PRIMARY KEY);",
    )
    (schema,) = found.schemas.values()
    assert sorted(schema.tables) == ["notes", "users"]
    assert schema.facts.embedded
    assert accesses(found) == ["read notes by key where index:id=1 -> row one"]
