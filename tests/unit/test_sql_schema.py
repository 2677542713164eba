from __future__ import annotations

import time
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from querylint.ir import Schema
from querylint.syntax.sql import Definitions, read_schema, script_order


def defined(*texts: str) -> Schema:
    made = Definitions()
    for text in texts:
        made.script("schema.sql", text.encode())
    return made.schema("", "sql")


def indexes(schema: Schema, table: str) -> dict[str, str]:
    """Indexes by name: fields, with `-` for a field that runs downward, and their marks."""
    found = {}
    for index in schema.tables[table].indexes:
        fields = ", ".join(f"-{f}" if f in index.descending else f for f in index.fields)
        kind = index.kind.value
        all_marks = {"unique": index.unique, "implicit": index.implicit, kind: kind != "ordered", "partial": bool(index.partial)}
        marks = [mark for mark, on in all_marks.items() if on]
        found[index.name] = " ".join((f"({fields})", *marks))
    return found


def test_a_table_with_everything() -> None:
    schema = defined(
        """
        CREATE TABLE IF NOT EXISTS public.posts (
            id bigserial PRIMARY KEY,
            user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            slug varchar(20) NOT NULL UNIQUE,
            body text DEFAULT 'a, b; (c',
            tags text[],
            price numeric(10, 2) CHECK (price > 0),
            total int GENERATED ALWAYS AS (price * 2) STORED,
            key varchar(30), -- a column that is called like a keyword
            CONSTRAINT one_title UNIQUE (user_id, body),
            FOREIGN KEY (total) REFERENCES totals (id)
        );
        """
    )
    table = schema.tables["posts"]
    assert table.fields is not None
    assert {f.name: (f.type, f.nullable, f.target) for f in table.fields} == {
        "id": ("int64", False, None),
        "user_id": ("number", False, "users"),
        "slug": ("string", False, None),
        "body": ("string", True, None),
        "tags": ("array", True, None),
        "price": ("number", True, None),
        "total": ("number", True, "totals"),
        "key": ("string", True, None),
    }
    assert indexes(schema, "posts") == {
        "primary key": "(id) unique implicit",
        "posts_slug_key": "(slug) unique implicit",
        "one_title": "(user_id, body) unique",
    }
    assert table.span is not None
    assert table.span.line == 2


def test_indexes_of_many_kinds() -> None:
    schema = defined(
        "CREATE TABLE t (a int, b int, c text, PRIMARY KEY (a, b));",
        "CREATE INDEX i1 ON t (b DESC, c);",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i2 ON public.t USING btree (c);",
        "CREATE INDEX i3 ON t (lower(c));",
        "CREATE INDEX i4 ON t (b) WHERE c IS NULL;",
        "CREATE INDEX i5 ON t USING gin (c gin_trgm_ops);",
        "CREATE INDEX ON t (c text_pattern_ops, a) INCLUDE (b);",
        "CREATE INDEX i6 ON t USING hnsw (c vector_cosine_ops);",
    )
    assert indexes(schema, "t") == {
        "primary key": "(a, b) unique implicit",
        "i1": "(-b, c)",
        "i2": "(c) unique",
        "i3": "((lower(c)))",
        "i4": "(b) partial",
        "i5": "(c) search",
        "t_c_a_idx": "(c, a) search",
        "i6": "(c) vector",
    }
    assert schema.tables["t"].indexes[4].partial == "c IS NULL"


def test_the_words_of_mysql() -> None:
    schema = defined(
        """
        CREATE TABLE `t` (
          `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
          `a` varchar(255) CHARACTER SET utf8 DEFAULT 'it\\'s; fine',
          `b` tinyint(1),
          PRIMARY KEY (`id`),
          UNIQUE KEY `one` (`a`),
          KEY `two` (`a`(10),`id`),
          FULLTEXT KEY `three` (`a`)
        ) ENGINE=InnoDB AUTO_INCREMENT=5;
        ALTER TABLE `t` ADD INDEX `four` (`b`), ADD UNIQUE KEY `five` (`b`, `a`), DROP INDEX `one`;
        DROP INDEX `two` ON `t`;
        """
    )
    assert indexes(schema, "t") == {
        "primary key": "(id) unique implicit",
        "three": "(a) search",
        "four": "(b)",
        "five": "(b, a) unique",
    }


def test_a_dump_of_postgres() -> None:
    schema = defined(
        dedent("""
        SET client_encoding = 'UTF8';
        SELECT pg_catalog.set_config('search_path', '', false);
        \\connect shop
        CREATE FUNCTION public.f() RETURNS trigger AS $_$ BEGIN CREATE TABLE no (a int); END; $_$ LANGUAGE plpgsql;
        CREATE TABLE public.t (id integer NOT NULL, "userId" integer);
        CREATE SEQUENCE public.t_id_seq START WITH 1;
        COPY public.t (id, "userId") FROM stdin;
        1\t2;
        CREATE TABLE neither (a int);
        \\.
        ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);
        ALTER TABLE ONLY public.t ADD CONSTRAINT t_fk FOREIGN KEY ("userId") REFERENCES public.users(id);
        CREATE INDEX t_user ON public.t USING btree ("userId");
        """)
    )
    assert list(schema.tables) == ["t"]
    assert indexes(schema, "t") == {"primary key": "(id) unique implicit", "t_user": "(userId)"}
    assert schema.tables["t"].field("userId") is not None


def test_definitions_apply_in_order() -> None:
    schema = defined(
        "CREATE TABLE t (a int, b int UNIQUE); CREATE INDEX i ON t (a); CREATE INDEX j ON t (b, a);",
        "DROP INDEX i; ALTER TABLE t ADD COLUMN c int, ADD COLUMN d int; ALTER TABLE t DROP COLUMN b;",
        "ALTER TABLE t RENAME COLUMN c TO e; CREATE INDEX k ON T (E); ALTER INDEX k RENAME TO l;",
        "CREATE TABLE gone (a int); DROP TABLE IF EXISTS gone, other; CREATE TABLE new_t (x int); ALTER TABLE new_t RENAME TO u;",
    )
    assert sorted(schema.tables) == ["t", "u"]
    assert [f.name for f in schema.tables["t"].fields or ()] == ["a", "e", "d"]
    assert indexes(schema, "t") == {"l": "(E)"}


def test_what_is_added_before_its_table_is_there_waits_for_it() -> None:
    schema = defined(
        "CREATE INDEX i ON t (a); CREATE UNIQUE INDEX j ON t (b); CREATE INDEX k ON other (a); DROP INDEX j;",
        "ALTER TABLE t ADD COLUMN c int; CREATE TABLE t (a int, b int);",
    )
    assert [f.name for f in schema.tables["t"].fields or ()] == ["a", "b", "c"]
    assert indexes(schema, "t") == {"i": "(a)"}
    assert sorted(schema.tables) == ["t"]


def test_constraints_without_names_are_dropped_by_their_default_names() -> None:
    schema = defined("CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE); ALTER TABLE t DROP CONSTRAINT t_b_key, DROP CONSTRAINT t_pkey;")
    assert indexes(schema, "t") == {}


def test_tables_whose_keys_are_not_all_there() -> None:
    schema = defined(
        "CREATE TABLE a AS SELECT 1; CREATE TABLE b (LIKE a INCLUDING ALL); CREATE TABLE c PARTITION OF b FOR VALUES IN (1);"
        "CREATE VIRTUAL TABLE s USING fts5(x, y); CREATE TEMP TABLE gone (a int); CREATE VIEW v AS SELECT 1;"
        "CREATE TABLE d (a int) INHERITS (b);"
    )
    assert {n: t.indexes_known for n, t in schema.tables.items()} == {"a": False, "b": False, "c": False, "s": False, "d": False}


def test_comments_and_strings_define_nothing() -> None:
    schema = defined(
        "/* CREATE TABLE a (x int); */ -- CREATE TABLE b (x int);\nINSERT INTO c VALUES ('CREATE TABLE d (x int);');\n"
        "CREATE TABLE e (x int)"
    )
    assert list(schema.tables) == ["e"]


@pytest.mark.parametrize("mark", ["-- +goose Down", "-- migrate:down", "-- +migrate Down", "--//@UNDO", "-- Down"])
def test_the_part_that_undoes_a_migration_is_left_out(mark: str) -> None:
    assert list(defined(f"CREATE TABLE t (a int);\n{mark}\nDROP TABLE t;\n").tables) == ["t"]


def test_the_order_of_files() -> None:
    paths = [
        "m/V10__c.sql",
        "m/V2__b.sql",
        "m/U2__b.sql",
        "db/schema.sql",
        "x/0002_b.up.sql",
        "x/0002_b.down.sql",
        "x/0001_a.up.sql",
        "a.py",
        "down/1.sql",
    ]
    assert script_order(paths) == ["db/schema.sql", "m/V2__b.sql", "m/V10__c.sql", "x/0001_a.up.sql", "x/0002_b.up.sql"]


def test_a_folder_of_migrations() -> None:
    files = {
        "migrations/0001_init.sql": b"CREATE TABLE t (a int, b int);",
        "migrations/0002_index.sql": b"CREATE INDEX i ON t (a);",
        "migrations/0010_drop.sql": b"DROP INDEX i; CREATE INDEX j ON t (a, b);",
        "migrations/0010_drop.down.sql": b"DROP TABLE t;",
    }
    schema = read_schema(files, files.get, "", "sql")
    assert indexes(schema, "t") == {"j": "(a, b)"}
    assert schema.tables["t"].indexes[0].span is not None
    assert schema.tables["t"].indexes[0].span.path == "migrations/0010_drop.sql"


def test_tables_of_several_schemas_stay_apart() -> None:
    schema = defined(
        "CREATE TABLE public.t (a int); CREATE TABLE app.t (b int REFERENCES app.u (id)); CREATE INDEX i ON app.t (b);"
        "ALTER TABLE app.t RENAME TO v; CREATE TABLE gone.t (c int); DROP TABLE gone.t;"
    )
    assert sorted(schema.tables) == ["app.v", "t"]
    assert indexes(schema, "app.v") == {"i": "(b)"}
    field = schema.tables["app.v"].field("b")
    assert field is not None
    assert field.target == "app.u"


def test_names_outside_ascii() -> None:
    schema = defined("-- é\nCREATE TABLE größe (länge int, PRIMARY KEY (länge));")
    assert indexes(schema, "größe") == {"primary key": "(länge) unique implicit"}


@pytest.mark.parametrize("one", [True, False])
def test_ten_megabytes_of_rows_are_passed_over(one: bool) -> None:
    rows = [b"(%d, 'it''s a ; thing -- %d', 'more $text')" % (n, n) for n in range(220_000)]
    dump = b"INSERT INTO z VALUES " + b",".join(rows) + b";" if one else b"".join(b"INSERT INTO z VALUES " + r + b";\n" for r in rows)
    assert len(dump) > 8_000_000
    made = Definitions()
    begun = time.process_time()
    made.script("dump.sql", b"CREATE TABLE z (a int);\n" + dump + b"\nCREATE TABLE y (b int);")
    assert time.process_time() - begun < 4
    assert sorted(made.schema("", "sql").tables) == ["y", "z"]


WORDS = st.sampled_from(
    "CREATE TABLE INDEX UNIQUE ON ( ) , . ; ' \" ` -- /* */ $$ ALTER ADD COLUMN CONSTRAINT PRIMARY KEY FOREIGN REFERENCES DROP IF EXISTS "
    "NOT RENAME TO t a b int varchar(10) DEFAULT CHECK USING gin WHERE DESC LIKE COPY FROM stdin \\. \x1a 1 \n".split(" ")
)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=60))
def test_reading_never_raises(text: str) -> None:
    made = Definitions()
    made.script("x.sql", b"CREATE TABLE t (a int);" + text.encode("utf-8", "replace"))
    made.statement(f"CREATE {text}")
    made.statement(f"ALTER TABLE t {text}")
    made.schema("", "sql")
