from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from querylint.ir import Relation
from querylint.syntax.sql import HOLE, Column, Condition, OperandKind, Operation, Statement, read


def said(statement: Statement) -> str:
    """The conditions in one line: `user_id = ?0 and (a = 'x' or b > 1)`."""
    return " and ".join(_condition(c) for c in statement.conditions)


def _condition(c: Condition) -> str:
    if c.relation is Relation.ANY:
        return "(" + " or ".join(" and ".join(_condition(x) for x in arm) for arm in c.arms) + ")"
    name = "*" if c.column is None else ".".join(p for p in (c.column.of, c.column.name or "{}") if p)
    operand = "" if c.operand is None else f" {_operand(c)}"
    return f"{name} {c.relation.value}{operand}"


def _operand(c: Condition) -> str:
    operand = c.operand
    assert operand is not None
    if operand.kind is OperandKind.PLACEHOLDER:
        return f"?{operand.key}"
    if operand.kind is OperandKind.LITERAL:
        return repr(operand.literal)
    if operand.kind is OperandKind.COLUMN:
        assert operand.column is not None
        return ".".join(p for p in (operand.column.of, operand.column.name) if p)
    return operand.kind.value if not operand.items else f"list of {len(operand.items)}"


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("SELECT * FROM t WHERE id = ?", "id = ?0"),
        ("SELECT * FROM t WHERE a = %s AND b = %s", "a = ?0 and b = ?1"),
        ("SELECT * FROM t WHERE a = %(x)s AND b > :y", "a = ?x and b > ?y"),
        ("SELECT * FROM t WHERE b = $2 AND a = $1", "b = ?1 and a = ?0"),
        ("SELECT * FROM t WHERE 5 < a", "a > 5"),
        ("SELECT * FROM t WHERE u.a = 'x' AND a IS NULL AND b IS NOT NULL", "u.a = 'x' and a = None and b != None"),
        ("SELECT * FROM t WHERE a IN (?, ?)", "a in list of 2"),
        ("SELECT * FROM t WHERE a IN %s", "a in ?0"),
        ("SELECT * FROM t WHERE a = ANY($1)", "a in ?0"),
        ("SELECT * FROM t WHERE a NOT IN (1, 2)", "a other"),
        ("SELECT * FROM t WHERE a IN (SELECT b FROM u)", "a in subquery"),
        ("SELECT * FROM t WHERE a BETWEEN ? AND ?", "a >= ?0 and a <= ?1"),
        ("SELECT * FROM t WHERE a = 1 OR (a = 2 AND b < 3)", "(a = 1 or a = 2 and b < 3)"),
        ("SELECT * FROM t WHERE (a, b) = (?, ?)", "a = ?0 and b = ?1"),
        ("SELECT * FROM t WHERE (a, b) > (?, ?)", "a > ?0"),
        ("SELECT * FROM t WHERE active AND NOT deleted", "active = True and deleted != True"),
        ("SELECT * FROM t WHERE lower(a) = ?", "* other"),
        ("SELECT * FROM t WHERE a LIKE 'x%'", "a other"),
        ("SELECT * FROM t WHERE a::text = %s", "* other"),
        ("SELECT * FROM t WHERE a = b + 1", "a other other"),
        ("SELECT * FROM t WHERE a > now() - interval '1 day'", "a > other"),
        ("SELECT * FROM t WHERE 1=1 AND a = 2", "a = 2"),
        ("SELECT * FROM t WHERE data->>'k' = ?", "* other"),
        ("SELECT * FROM t WHERE t MATCH ?", "t search"),
        ("DELETE FROM t WHERE id = ?", "id = ?0"),
        ("UPDATE t SET a = ? WHERE id = ?", "id = ?1"),
        (f"SELECT * FROM t WHERE {HOLE}", "* other"),
        (f"SELECT * FROM t WHERE {HOLE} = ?", "{} = ?0"),
        (f"SELECT * FROM t WHERE a = '{HOLE}'", "a = hole"),
        (f"SELECT * FROM t WHERE a IN ({HOLE})", "a in list of 1"),
        (f"SELECT * FROM t WHERE a {HOLE} ? AND b = ?", "a other and b = ?1"),
        ("SELECT * FROM t WHERE a = '?' AND b = ?", "a = '?' and b = ?0"),
        ("SELECT * FROM t -- where a = ?\nWHERE b = ?", "b = ?0"),
        ("SELECT * FROM t WHERE a = %s AND data ? 'key' AND b LIKE '%%x'", "a = ?0 and data other and b other"),
    ],
)
def test_conditions(text: str, conditions: str) -> None:
    assert said(read(text)) == conditions


@pytest.mark.parametrize(
    ("text", "operation", "verb"),
    [
        ("select 1", Operation.READ, "select"),
        ("  -- a word\n SELECT 1", Operation.READ, "select"),
        ("WITH x AS (SELECT 1) DELETE FROM t", Operation.WRITE, "delete"),
        ("INSERT INTO t (a) VALUES (?)", Operation.WRITE, "insert"),
        ("INSERT OR IGNORE INTO t (a) VALUES (?)", Operation.WRITE, "insert"),
        ("INSERT IGNORE INTO t (a) VALUES (%s)", Operation.WRITE, "insert"),
        ("REPLACE INTO t (a) VALUES (?)", Operation.WRITE, "upsert"),
        ("INSERT INTO t (a) VALUES (?) ON CONFLICT (a) DO UPDATE SET b = 1", Operation.WRITE, "upsert"),
        ("INSERT INTO t (a) VALUES (%s) ON DUPLICATE KEY UPDATE a = 2", Operation.WRITE, "upsert"),
        ("TRUNCATE t", Operation.WRITE, "truncate"),
        ("CREATE TABLE t (a int)", Operation.DDL, "create"),
        ("PRAGMA journal_mode = WAL", Operation.OTHER, "pragma"),
        ("BEGIN", Operation.OTHER, "begin"),
        ("SELECT FROM WHERE ((", Operation.READ, "select"),
        ("not sql at all", Operation.UNKNOWN, ""),
        ("", Operation.UNKNOWN, ""),
        (HOLE, Operation.UNKNOWN, ""),
        (f"{HOLE} WHERE a = 1", Operation.UNKNOWN, ""),
    ],
)
def test_what_a_statement_does(text: str, operation: Operation, verb: str) -> None:
    found = read(text)
    assert (found.operation, found.verb) == (operation, verb)


def test_a_select_in_full() -> None:
    found = read("SELECT DISTINCT p.id, p.title AS t, count(*) AS n FROM posts AS p WHERE p.user_id = ? GROUP BY p.id "
                 "ORDER BY p.created_at DESC, p.id LIMIT 10 OFFSET :skip")  # fmt: skip
    assert found.table is not None
    assert (found.table.name, found.table.alias, found.single) == ("posts", "p", True)
    assert found.outputs is not None
    outputs = [(o.label, o.column and o.column.name, o.aggregate) for o in found.outputs]
    assert outputs == [("id", "id", None), ("t", "title", None), ("n", None, "count")]
    assert found.distinct
    assert found.grouped == (Column("id", "p"),)
    assert [(t.column and t.column.name, t.descending) for t in found.order] == [("created_at", True), ("id", False)]
    assert found.limit is not None
    assert found.limit.literal == 10
    assert found.offset is not None
    assert found.offset.key == "skip"
    assert not found.counts


def test_joins_and_whose_conditions_are_whose() -> None:
    found = read(
        "SELECT * FROM posts p LEFT JOIN users u ON u.id = p.user_id JOIN tags USING (post_id) WHERE u.name = ? AND p.x = 1 AND y = 2"
    )
    assert [(j.table.name, j.kind) for j in found.joins] == [("users", "left"), ("tags", "inner")]
    assert said(Statement(Operation.READ, conditions=found.joins[0].on)) == "u.id = p.user_id"
    posts, users, _ = found.tables
    assert [c.column.name for c in found.on(posts) if c.column] == ["x"]
    assert [c.column.name for c in found.on(users) if c.column] == ["name"]
    assert not found.single


def test_subqueries_and_names_made_by_with() -> None:
    found = read("WITH recent AS (SELECT id FROM posts WHERE a = 1) SELECT * FROM recent WHERE id IN (SELECT post_id FROM likes)")
    assert found.table is not None
    assert found.table.derived
    assert [s.table.name for s in found.subqueries if s.table] == ["likes", "posts"] or [
        s.table.name for s in found.subqueries if s.table
    ] == ["posts", "likes"]
    assert not found.single


def test_counts_and_probes() -> None:
    assert read("SELECT COUNT(*) FROM t WHERE a = ?").counts
    assert read("SELECT coalesce(sum(a), 0) FROM t").aggregates[0].aggregate == "sum"
    assert read("SELECT EXISTS (SELECT 1 FROM t WHERE a = ?)").probes
    assert not read("SELECT a, COUNT(*) FROM t GROUP BY a").counts


def test_a_union_is_several_reads() -> None:
    found = read("SELECT a FROM t UNION ALL SELECT b FROM u ORDER BY 1 LIMIT 5")
    assert found.combined
    assert found.partial
    assert [t.name for t in found.tables] == ["t", "u"]
    assert found.limit is not None


def test_what_a_write_sets() -> None:
    inserted = read("INSERT INTO t (a, b) VALUES (?, 2) RETURNING id")
    assert inserted.assignments is not None
    assert [(a.column, a.operand.kind.value) for a in inserted.assignments] == [("a", "placeholder"), ("b", "literal")]
    assert inserted.rows == 1
    assert inserted.returning
    assert read("INSERT INTO t (a, b) VALUES %s").rows is None
    assert read("INSERT INTO t (a, b) VALUES (1, 2), (3, 4)").rows == 2
    updated = read("UPDATE t SET a = a + 1, b = %s WHERE id = %s")
    assert updated.assignments is not None
    assert [a.column for a in updated.assignments] == ["a", "b"]
    assert read(f"UPDATE t SET {HOLE} WHERE id = ?").assignments is None
    assert read(f"INSERT INTO t ({HOLE}) VALUES ({HOLE})").assignments is None


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT * FROM {HOLE} WHERE a = ?",
        f"SELECT * FROM {HOLE}_log WHERE a = ?",
        f'SELECT * FROM "{HOLE}" WHERE a = ?',
        f"SELECT * FROM `{HOLE}` WHERE a = ?",
        f"INSERT INTO {HOLE} (a) VALUES (?)",
        f"DELETE FROM {HOLE}",
        f"UPDATE {HOLE} SET a = 1",
    ],
)
def test_a_table_pasted_in_is_unknown(text: str) -> None:
    found = read(text)
    assert found.table is not None
    assert found.table.name is None
    assert not found.table.derived


def test_a_clause_pasted_in_leaves_the_rest_readable() -> None:
    found = read(f"SELECT a FROM t {HOLE} ORDER BY x {HOLE} LIMIT 3")
    assert found.partial
    assert found.table is not None
    assert found.table.name == "t"
    assert found.limit is not None
    assert read(f"SELECT {HOLE} FROM t").outputs is None
    assert read(f"SELECT a FROM t ORDER BY {HOLE}").order[0].column is None


def test_locking_reads() -> None:
    assert read("SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED").locking


def test_the_parser_library_loads_only_for_sql() -> None:
    code = (
        "import sys, querylint.syntax.sql as s; s.read('PRAGMA x'); s.Definitions().statement('CREATE TABLE t (a int)');"
        "assert 'sqlglot' not in sys.modules; s.read('SELECT 1'); assert 'sqlglot' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


WORDS = st.sampled_from(
    "SELECT FROM WHERE AND OR NOT IN ( ) , . * = < > ? %s %(a)s :a $1 ' \" ` -- /* */ ; :: INSERT INTO VALUES UPDATE SET DELETE JOIN ON "
    "USING LIMIT OFFSET ORDER BY DESC GROUP HAVING UNION ALL WITH AS t a b 1 'x' NULL IS BETWEEN LIKE ANY EXISTS CASE WHEN END RETURNING "
    "CONFLICT DO FOR LOCKED CREATE TABLE INDEX [ ] $$ \x1a \n ARRAY CAST".split(" ")
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60))
def test_reading_never_raises(text: str) -> None:
    assert isinstance(read(text), Statement)


@settings(max_examples=80, deadline=None)
@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_reading_never_raises_on_what_starts_well(text: str) -> None:
    assert read(f"SELECT a FROM t WHERE {text}").operation is Operation.READ


def test_which_hole_holds_the_name_of_a_table() -> None:
    found = read(f"SELECT {HOLE} FROM {HOLE} WHERE a = ?")
    assert found.table is not None
    assert found.table.hole == 1
    assert read(f"SELECT * FROM {HOLE}_log").tables[0].hole is None
    assert read("SELECT * FROM information_schema.tables").tables[0].space == "information_schema"


def test_a_long_text_may_begin_with_a_comment() -> None:
    columns = ", ".join(f"column_{n}" for n in range(300))
    found = read(f"\n-- what is open\n/* don't */ (SELECT {columns} FROM posts WHERE author = %s)")
    assert found.operation is Operation.READ
    assert [use.name for use in found.tables] == ["posts"]
    assert said(found) == "author = ?0"


def test_dots_in_what_is_stored_are_no_calls() -> None:
    prose = " ".join(f"see a{number}.b(c)" for number in range(60))
    found = read(f"insert into notes (id, body) values (1, '{prose}')")
    assert [table.name for table in found.tables] == ["notes"]
