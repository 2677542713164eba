"""SQLAlchemy's names: packages, column types, methods of queries, results, sessions and rows."""

from __future__ import annotations

import re

from querylint.ir import Relation
from querylint.pattern import Pattern

PACKAGES = ("sqlalchemy", "sqlmodel", "flask_sqlalchemy", "flask_sqlalchemy_lite", "quart_sqlalchemy", "fastapi_sqlalchemy")
PLAIN = ("typing", "abc.", "enum.", "collections", "dataclasses", "pydantic", "flask_login", "flask_user", "builtins")
ROOTS = frozenset(("DeclarativeBase", "DeclarativeBaseNoMeta"))
BASES = frozenset("DeclarativeBase DeclarativeBaseNoMeta MappedAsDataclass SQLModel".split())
BASE_MAKERS = frozenset("declarative_base automap_base generate_base".split())
COLUMNS = frozenset("Column mapped_column Field".split())
RELATIONS = frozenset("relationship relation dynamic_loader Relationship".split())
TOTALS = frozenset("count sum min max avg array_agg string_agg group_concat json_agg jsonb_agg bool_and bool_or stddev variance".split())
"""Functions that make one value of all the rows of a group."""
UNFOLDING = Pattern(r"unnest|_series|_elements|_each|_table|_populate_recordset")
"""Functions that make several rows of one value."""
EXTENSIONS = frozenset("SQLAlchemy".split())
PARTIAL = Pattern(r"_(?:where|using|ops|length|include)$")
TYPES = {
    "String": "string", "Text": "string", "Unicode": "string", "UnicodeText": "string", "VARCHAR": "string", "TEXT": "string",
    "CITEXT": "string", "UUID": "string", "Uuid": "string", "Enum": "string", "str": "string",
    "Integer": "number", "BigInteger": "number", "SmallInteger": "number", "Float": "number", "Numeric": "number", "INTEGER": "number",
    "BIGINT": "number", "Double": "number", "Date": "number", "DateTime": "number", "Time": "number", "Interval": "number",
    "TIMESTAMP": "number", "int": "number", "float": "number", "datetime": "number", "date": "number", "Decimal": "number",
    "Boolean": "boolean", "BOOLEAN": "boolean", "bool": "boolean", "JSON": "object", "JSONB": "object", "HSTORE": "object",
    "ARRAY": "array", "LargeBinary": "bytes", "BLOB": "bytes", "BYTEA": "bytes", "bytes": "bytes",
}  # fmt: skip
FEW = frozenset("Enum Boolean BOOLEAN bool Literal".split())
UUIDS = ("UUID", "GUID")
LARGE = frozenset("Text UnicodeText TEXT LargeBinary BLOB BYTEA JSON JSONB ARRAY bytes".split())

# Relations: how they are loaded unless a query says otherwise.
AHEAD_JOINED = frozenset(("joined", "False"))
AHEAD_BATCHED = frozenset(("selectin", "subquery"))
SILENT = frozenset(("raise", "raise_on_sql", "noload", "None"))
QUERIED = frozenset(("dynamic", "write_only"))

# Loader options.
JOINED = frozenset("joinedload joinedload_all eagerload eagerload_all contains_eager contains_alias".split())
BATCHED = frozenset("selectinload selectinload_all subqueryload subqueryload_all".split())
FORBIDDEN = frozenset("raiseload noload".split())
COLUMN_OPTIONS = frozenset("load_only defer undefer undefer_group".split())
LOADERS = (
    JOINED
    | BATCHED
    | FORBIDDEN
    | COLUMN_OPTIONS
    | frozenset("lazyload lazyload_all immediateload defaultload Load with_loader_criteria selectin_polymorphic with_expression".split())
)

# Queries and statements.
KEEPING = frozenset(
    "options distinct with_for_update execution_options select_from join outerjoin group_by having correlate correlate_except with_hint "
    "prefix_with suffix_with populate_existing enable_eagerloads enable_assertions autoflush with_session params add_entity "
    "join_from outerjoin_from yield_per reset_joinpoint with_labels set_label_style apply_labels with_lockmode tuples "
    "add_cte with_statement_hint merge_all select_entity_from execution_option".split()
)
LOCKING = frozenset(("with_for_update", "with_lockmode"))
FILTERS = frozenset("filter where filter_by having".split())
BOUND = frozenset("bindparams columns execution_options params".split())  # of a statement that is written as text
JOINS = frozenset("join outerjoin join_from outerjoin_from".split())
UNIONS = frozenset("union union_all intersect intersect_all except_ except_all from_statement from_self".split())
WINDOWS = frozenset("limit offset slice fetch".split())
COLUMNS_OF = frozenset("with_entities with_only_columns add_columns add_column values".split())
BUILDERS = FILTERS | KEEPING | UNIONS | WINDOWS | COLUMNS_OF | frozenset(("order_by",))
SUBQUERIES = frozenset("subquery cte scalar_subquery as_scalar exists lateral alias label".split())
FROM = frozenset("subquery cte lateral alias".split())
"""Subqueries that rows are selected from."""
ALL = frozenset("all fetchall partitions mappings".split())
ONE = frozenset("first one one_or_none fetchone get get_or_404 first_or_404 one_or_404 scalar scalar_one scalar_one_or_none".split())
PAGES = frozenset(("paginate",))
RESULT_SHAPES = frozenset("scalars mappings unique columns tuples yield_per freeze partitions".split())
EXECUTORS = frozenset("execute scalars scalar stream stream_scalars exec fetch_all fetch_one fetch_val iterate first_or_404 one_or_404 "
                      "paginate".split())  # fmt: skip
ROW_WRITES = frozenset("add add_all delete merge refresh expunge expire flush commit bulk_save_objects bulk_insert_mappings "
                       "bulk_update_mappings rollback".split())  # fmt: skip
BULK = frozenset("bulk_save_objects bulk_insert_mappings bulk_update_mappings".split())
SESSION = Pattern(r"(?:^|_)(?:db_?)?(?:session|sess)$|^db$|DBSession|^Session$", re.IGNORECASE)
SESSIONS = frozenset("Session AsyncSession scoped_session async_scoped_session SQLAlchemySession".split())
CONNECTIONS = frozenset("Connection AsyncConnection Engine AsyncEngine".split())
MAKERS = frozenset("sessionmaker async_sessionmaker create_session".split())

EFFECTS = ("requests.", "httpx.", "aiohttp.", "urllib", "smtplib.", "boto3.", "subprocess.", "socket.", "time.sleep", "asyncio.sleep")

GROWING = frozenset("append extend add update insert".split())

# Expressions.
COMPARED = {
    "in_": Relation.IN, "__eq__": Relation.EQ, "__ne__": Relation.NE, "between": Relation.GTE, "is_": Relation.EQ,
}  # fmt: skip
ORDERED = frozenset("desc asc nullslast nullsfirst nulls_last nulls_first label".split())
HTTP = frozenset("get post put patch delete head options route websocket view_config api_route".split())
