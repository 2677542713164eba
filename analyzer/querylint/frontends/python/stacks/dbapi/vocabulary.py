"""The words of database drivers: which method runs SQL, what it hands out, and which module speaks which dialect."""

from __future__ import annotations

from querylint.frontends.python.stacks.dbapi.fetching import Fetch

CURSORS = frozenset(("execute", "execute_async"))
"""Methods that run a text and leave the rows in a cursor."""

READS = {
    "fetch": Fetch.ROWS, "fetchrow": Fetch.ROW, "fetchval": Fetch.VALUE, "fetch_all": Fetch.ROWS, "fetch_one": Fetch.ROW,
    "fetch_val": Fetch.VALUE, "fetchone": Fetch.ROW, "fetchall": Fetch.ROWS, "iterate": Fetch.BATCHES, "cursor": Fetch.BATCHES,
    "runQuery": Fetch.ROWS, "run_query": Fetch.ROWS, "query_all": Fetch.ROWS, "query_one": Fetch.ROW, "select_one": Fetch.ROW,
    "execute_fetchall": Fetch.ROWS, "execute_insert": Fetch.NOTHING, "runOperation": Fetch.NOTHING, "query": Fetch.ROWS,
    "select": Fetch.ROWS, "read_sql": Fetch.ROWS, "read_sql_query": Fetch.ROWS, "all_dict": Fetch.ROWS,
    "one": Fetch.ROW, "all": Fetch.ROWS, "run": Fetch.NOTHING,
}  # fmt: skip
"""Methods that run a text and hand the rows out themselves."""

BATCHES = frozenset(("executemany", "execute_values", "execute_batch", "execute_many", "execute_write_many", "copy_records_to_table"))
"""Ways to run one text for many sets of values."""

SCRIPTS = frozenset(("executescript", "execute_script", "execute_write_script"))
FIRST_IS_CURSOR = frozenset(("execute_values", "execute_batch"))

RUNNERS = frozenset(
    (
        "runInteraction",
        "runWithConnection",
        "run_interaction",
        "run_in_transaction",
        "execute_fn",
        "execute_write_fn",
        "execute_isolated_fn",
    )
)
"""Methods that run a function of the program with a cursor or a connection in front of its arguments."""

OPENING = frozenset(
    ("cursor", "acquire", "connection", "getconn", "get_connection", "get_cursor", "begin", "transaction", "connect", "cursor_to_dict")
)
QUIET = frozenset(
    ("commit", "rollback", "close", "release", "mogrify", "set_trace_callback", "create_function", "setinputsizes", "nextset")
)
SAME_TEXT = frozenset(("dedent", "cleandoc", "text", "SQL", "str", "sql_text"))
VALUES = ("args", "params", "parameters", "values", "vars", "bindings", "arglist", "argslist", "sqlparams", "data")
TEXTS = ("sql", "query", "statement", "stmt", "operation", "q", "command")

DRIVERS = {
    b"sqlite3": "sqlite", b"aiosqlite": "sqlite", b"apsw": "sqlite", b"asyncpg": "postgres", b"psycopg": "postgres",
    b"psycopg2": "postgres", b"pg8000": "postgres", b"duckdb": "postgres", b"pymysql": "mysql", b"MySQLdb": "mysql",
    b"aiomysql": "mysql", b"asyncmy": "mysql", b"mysql.connector": "mysql", b"adbapi": "", b"databases": "", b"oracledb": "",
    b"pyodbc": "",
}  # fmt: skip
"""Modules by which a program reaches a database without an object mapper, and the dialect of each."""

ROUTES = frozenset(("route", "get", "post", "put", "patch", "delete", "head", "websocket", "api_route"))
"""Decorators by which web frameworks bind a function to a path."""

SYSTEM_SPACES = frozenset(("information_schema", "pg_catalog", "sys", "performance_schema", "mysql"))
SYSTEM_TABLES = ("sqlite_", "pg_", "pragma_")
