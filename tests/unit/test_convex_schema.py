"""How schemas are exported, and how their tables are put together."""

from __future__ import annotations

import pytest

from convex_schemas import IMPORTS, keys, read, schema, table, whole
from querylint.frontends.convex.roots import ConvexRoot
from querylint.frontends.convex.schema import read_schema
from querylint.frontends.modules import Modules
from querylint.ir import Field, Index
from querylint.result import NoteKind


def test_a_plain_schema() -> None:
    found = schema('users: defineTable({ name: v.string() }).index("by_name", ["name"]), posts: defineTable({})')
    assert (found.root, found.stack, found.tail) == ("convex", "convex", ("_creationTime",))
    assert found.complete
    assert found.validated
    assert list(found.tables) == ["users", "posts"]
    assert found.tables["posts"].fields == ()


@pytest.mark.parametrize(
    "export",
    [
        "export default defineSchema({ t: defineTable({}) });",
        "const schema = defineSchema({ t: defineTable({}) }); export default schema;",
        "export const schema = defineSchema({ t: defineTable({}) }); export { schema as default };",
        "export default defineSchema({ t: defineTable({}) }) satisfies S;",
        "export default (defineSchema({ t: defineTable({}) }) as any);",
        "const tables = { t: defineTable({}) }; export default defineSchema(tables);",
        "function make() { return defineSchema({ t: defineTable({}) }) } export default make();",
        "const wrap = (s) => s; export default wrap(defineSchema({ t: defineTable({}) }));",
        "export default defineSchema(Object.freeze({ t: defineTable({}) }));",
        "const old = defineSchema({ u: defineTable({}) }); export default defineSchema({ t: defineTable({}) });",
    ],
)
def test_how_a_schema_is_exported(export: str) -> None:
    found, notes = whole(IMPORTS + export)
    assert list(found.tables) == ["t"]
    assert found.complete
    assert notes == ()


def test_a_schema_in_another_file() -> None:
    found, _ = whole('export { default } from "./tables";', tables=f"{IMPORTS}export default defineSchema({{ t: defineTable({{}}) }});")
    assert list(found.tables) == ["t"]


def test_a_schema_exported_by_name_only_is_still_read() -> None:
    found, _ = whole(f"{IMPORTS}export const schema = defineSchema({{ t: defineTable({{}}) }});")
    assert list(found.tables) == ["t"]


def test_a_namespace_import_of_the_package() -> None:
    found, _ = whole('import * as c from "convex/server"; export default c.defineSchema({ t: c.defineTable({}) });')
    assert list(found.tables) == ["t"]


def test_a_required_package() -> None:
    source = 'const { defineSchema, defineTable } = require("convex/server"); module.exports = defineSchema({ t: defineTable({}) });'
    found, _ = read({"convex/schema.js": source}, "convex/schema.js")
    assert list(found.tables) == ["t"]


def test_names_of_the_package_may_be_changed() -> None:
    found, _ = whole('import { defineSchema as s, defineTable as t } from "convex/server"; export default s({ t: t({}) });')
    assert list(found.tables) == ["t"]


def test_the_tables_of_another_schema_may_be_spread() -> None:
    base = f"{IMPORTS}export default defineSchema({{ u: defineTable({{}}) }});"
    found = schema("...base.tables, t: defineTable({})", 'import base from "./base";', base=base)
    assert list(found.tables) == ["u", "t"]


def test_options_of_a_schema() -> None:
    found, notes = whole(f"{IMPORTS}export default defineSchema({{}}, {{ schemaValidation: false }});")
    assert (found.validated, found.complete) == (False, True)
    found, notes = whole(f"{IMPORTS}export default defineSchema({{}}, {{ strictTableNameTypes: false }});")
    assert (found.validated, found.complete) == (True, False)
    found, notes = whole(f"{IMPORTS}export default defineSchema({{}}, {{ schemaValidation: process.env.X === '1' }});")
    assert found.validated is False
    assert notes == ()


def test_a_root_without_a_schema() -> None:
    found, notes = read({"convex/a.ts": ""}, None)
    assert (found.root, found.tables, found.complete, notes) == ("convex", {}, False, ())


@pytest.mark.parametrize("source", ["export const x = 1;", "", "export default {}", "export default make()", "const = ("])
def test_a_schema_file_that_is_no_schema(source: str) -> None:
    found, notes = whole(source)
    assert (found.tables, found.complete) == ({}, False)
    assert [(note.kind, note.path, note.line) for note in notes] == [(NoteKind.SCHEMA, "convex/schema.ts", 1)]


def test_a_schema_file_that_cannot_be_read() -> None:
    found, notes = read_schema(Modules(["convex/schema.ts"], lambda path: None), ConvexRoot("convex", "convex/schema.ts"))
    assert (found.tables, found.complete, len(notes)) == ({}, False, 1)


def test_a_schema_file_that_does_not_parse_is_read_as_far_as_can_be() -> None:
    found, _ = whole(f"{IMPORTS}export default defineSchema({{ t: defineTable({{ a: v.string() }}) }}); const = (")
    assert list(found.tables) == ["t"]
    assert not found.complete


def test_a_schema_wrapped_by_a_package() -> None:
    found, notes = whole(
        f'{IMPORTS}import {{ withTenants }} from "pkg";\nexport default withTenants(defineSchema({{ t: defineTable({{}}) }}));'
    )
    assert list(found.tables) == ["t"]
    assert not found.complete
    assert [note.line for note in notes] == [4]


def test_a_schema_made_by_a_package() -> None:
    found, notes = whole(
        f'{IMPORTS}import {{ make }} from "pkg"; export default make({{ t: defineTable({{ a: v.string() }}).index("a", ["a"]) }});'
    )
    assert keys(found.tables["t"]) == {"a": ("a",)}
    assert not found.tables["t"].indexes_known
    assert not found.complete
    assert notes


def test_a_schema_of_models_of_a_package() -> None:
    source = (
        'import { defineZodSchema } from "zodvex/server"; import { User } from "./user"; export default defineZodSchema({ users: User });'
    )
    found, _ = whole(source, user='import { defineZodModel } from "zodvex"; export const User = defineZodModel("users", {});')
    assert found.tables["users"].fields is None
    assert not found.tables["users"].indexes_known
    assert not found.complete


def test_a_schema_made_by_a_function_that_is_not_understood() -> None:
    source = f"{IMPORTS}function makeSchema(tables) {{ return new Builder(tables).build(); }}\n"
    found, notes = whole(source + 'export default makeSchema({ t: defineTable({}).index("a", ["a"]) });')
    assert keys(found.tables["t"]) == {"a": ("a",)}
    assert not found.complete
    assert [note.line for note in notes] == [4]


def test_a_table_in_a_constant() -> None:
    assert keys(table("t", 'const t = defineTable({ a: v.string() }).index("by_a", ["a"]);')) == {"by_a": ("a",)}


def test_a_table_in_another_file() -> None:
    other = f"{IMPORTS}export const things = defineTable({{ a: v.string() }}).index('by_a', ['a']);"
    found = table("t: things", 'import { things } from "./other";', other=other)
    assert keys(found) == {"by_a": ("a",)}
    assert found.span is not None
    assert (found.span.path, found.span.line) == ("convex/other.ts", 3)


def test_a_table_of_a_namespace() -> None:
    other = f"{IMPORTS}export const things = defineTable({{}});"
    assert table("t: other.things", 'import * as other from "./other";', other=other).fields == ()


def test_tables_that_are_static_members_of_classes() -> None:
    users = (
        f"{IMPORTS}export class User {{ static NAME = 'users'; name = 'u'; static Table = defineTable({{ name: v.string() }})"
        '.index("by_name", ["name"]); static make() {} }'
    )
    found, notes = whole('import { User } from "./users";' + IMPORTS + "export default defineSchema({ t: User.Table });", users=users)
    assert keys(found.tables["t"]) == {"by_name": ("name",)}
    assert notes == ()
    missing, notes = whole('import { User } from "./users";' + IMPORTS + "export default defineSchema({ t: User.Other });", users=users)
    assert missing.tables["t"].fields is None
    assert [note.kind for note in notes] == [NoteKind.SCHEMA]


def test_a_table_that_is_a_default_export() -> None:
    assert table("t: things", 'import things from "./other";', other=f"{IMPORTS}export default defineTable({{ a: v.string() }});").fields


def test_tables_spread_from_another_file() -> None:
    other = f"{IMPORTS}export const all = {{ a: defineTable({{}}), b: defineTable({{}}) }};"
    assert list(schema("...all, t: defineTable({})", 'import { all } from "./other";', other=other).tables) == ["a", "b", "t"]


def test_tables_spread_from_nested_records() -> None:
    before = "const a = { x: defineTable({}) }; const b = { ...a, y: defineTable({}) } as const;"
    assert list(schema("...b", before).tables) == ["x", "y"]


def test_tables_from_assigned_records() -> None:
    found, _ = whole(f"{IMPORTS}export default defineSchema(Object.assign({{}}, {{ a: defineTable({{}}) }}, {{ b: defineTable({{}}) }}));")
    assert list(found.tables) == ["a", "b"]


@pytest.mark.parametrize(
    "spread",
    [
        "...(dev ? { a: defineTable({}) } : { b: defineTable({}) })",
        "...(dev ? { a: defineTable({}), b: defineTable({}) } : {})",
        "...(dev && { a: defineTable({}), b: defineTable({}) })",
    ],
)
def test_both_arms_of_a_condition_count(spread: str) -> None:
    assert sorted(schema(spread, "const dev = process.env.DEV;").tables) == ["a", "b"]


def test_a_table_with_several_forms_has_the_indexes_of_all() -> None:
    found = table(
        't: dev ? base.index("a", ["a"]) : base.index("b", ["b"])',
        "const dev = process.env.DEV; const base = defineTable({ a: v.string() });",
    )
    assert keys(found) == {"a": ("a",), "b": ("b",)}


def test_a_condition_that_is_constant_is_decided() -> None:
    assert list(schema("...(ON ? { a: defineTable({}) } : { b: defineTable({}) })", "const ON = false;").tables) == ["b"]


def test_a_later_definition_wins() -> None:
    found = table('...base, t: defineTable({ b: v.string() }).index("b", ["b"])', 'const base = { t: defineTable({}).index("a", ["a"]) };')
    assert keys(found) == {"b": ("b",)}


def test_names_of_tables_may_be_computed() -> None:
    assert list(
        schema("[NAME]: defineTable({}), [`${NAME}_log`]: defineTable({}), 'quoted-name': defineTable({})", 'const NAME = "t";').tables
    ) == ["t", "t_log", "quoted-name"]


def test_the_helper_table_of_convex_helpers() -> None:
    before = 'import { Table } from "convex-helpers/server"; const Users = Table("users", { name: v.string() });'
    found = table('t: Users.table.index("by_name", ["name"]), u: defineTable({ user: Users._id, ...Users.withoutSystemFields })', before)
    assert keys(found) == {"by_name": ("name",)}
    assert found.fields == (Field("name", "string"),)
    assert table("t: defineTable({ user: Users._id })", before).fields == (Field("user", "id", target="users"),)


def test_a_helper_that_adds_an_index() -> None:
    before = 'const withOrg = (t) => t.index("by_org", ["org"]);'
    assert keys(table('t: withOrg(defineTable({ org: v.string() })).index("a", ["a"])', before)) == {"by_org": ("org",), "a": ("a",)}


def test_a_helper_that_makes_a_table() -> None:
    before = "function make(extra) { const shared = { org: v.string() }; let t = defineTable({ ...shared, ...extra }); "
    before += "t = t.index('org', ['org']); return t; }"
    found = table("t: make({ a: v.number() })", before)
    assert found.fields == (Field("org", "string"), Field("a", "number"))
    assert keys(found) == {"org": ("org",)}


def test_a_helper_that_adds_indexes_in_a_loop() -> None:
    before = "function by(t, names) { for (const n of names) { t = t.index(`by_${n}`, [n]); } return t; }"
    assert keys(table("t: by(defineTable({}), ['a', 'b'])", before)) == {"by_a": ("a",), "by_b": ("b",)}


def test_a_helper_that_changes_a_table_in_place() -> None:
    before = 'function more(t) { t.index("a", ["a"]); return t; }'
    assert keys(table("t: more(defineTable({}))", before)) == {"a": ("a",)}


def test_a_helper_that_makes_many_tables() -> None:
    before = "const tables = Object.fromEntries(['a', 'b'].map((n) => [n, defineTable({ x: v.string() })]));"
    assert list(schema("...tables", before).tables) == ["a", "b"]


def test_a_helper_with_an_option() -> None:
    before = "const make = (f, { soft = true } = {}) => soft ? defineTable({ ...f, deletedAt: v.optional(v.number()) }) : defineTable(f);"
    assert [one.name for one in table("t: make({ a: v.string() })", before).fields or ()] == ["a", "deletedAt"]
    assert [one.name for one in table("t: make({ a: v.string() }, { soft: false })", before).fields or ()] == ["a"]


def test_the_validator_of_another_table() -> None:
    found = table("u: base, t: defineTable({ ...base.validator.fields, b: v.string() })", "const base = defineTable({ a: v.number() });")
    assert found.fields == (Field("a", "number"), Field("b", "string"))


def test_a_table_of_an_unknown_call() -> None:
    found, notes = whole(f'{IMPORTS}import {{ make }} from "pkg";\nexport default defineSchema({{ t: make("x") }});')
    assert found.tables["t"].fields is None
    assert not found.tables["t"].indexes_known
    assert found.complete
    assert [(note.path, note.line) for note in notes] == [("convex/schema.ts", 4)]


def test_a_table_wrapped_by_an_unknown_call() -> None:
    found, _ = whole(
        f'{IMPORTS}import {{ wrap }} from "pkg"; '
        'export default defineSchema({ t: wrap(defineTable({}).index("a", ["a"])).index("b", ["b"]) });'
    )
    assert keys(found.tables["t"]) == {"a": ("a",), "b": ("b",)}
    assert found.tables["t"].fields is None
    assert not found.tables["t"].indexes_known


def test_an_index_on_an_unknown_table() -> None:
    found, _ = whole(f'{IMPORTS}import {{ Model }} from "pkg"; export default defineSchema({{ t: Model.table.index("a", ["a"]) }});')
    assert keys(found.tables["t"]) == {"a": ("a",)}
    assert not found.tables["t"].indexes_known


def test_a_method_that_is_not_known() -> None:
    found = table('t: defineTable({}).index("a", ["a"]).mystery()')
    assert keys(found) == {"a": ("a",)}
    assert not found.indexes_known


def test_an_unknown_spread_leaves_the_schema_incomplete() -> None:
    found, notes = whole(
        f'{IMPORTS}import {{ gameTables }} from "game-kit";\nexport default defineSchema({{ t: defineTable({{}}),\n ...gameTables }});'
    )
    assert list(found.tables) == ["t"]
    assert not found.complete
    assert [(note.kind, note.line) for note in notes] == [(NoteKind.SCHEMA, 5)]
    assert "game-kit" in notes[0].message


def test_a_spread_of_tables_through_an_unknown_call() -> None:
    found, notes = whole(f'{IMPORTS}import {{ f }} from "pkg"; export default defineSchema({{ ...f({{ t: defineTable({{}}) }}) }});')
    assert list(found.tables) == ["t"]
    assert not found.complete
    assert notes


def test_a_table_with_an_unknown_name_leaves_the_schema_incomplete() -> None:
    found, notes = whole(f"{IMPORTS}export default defineSchema({{ [name()]: defineTable({{}}) }});")
    assert (found.tables, found.complete, len(notes)) == ({}, False, 1)


def test_tables_that_are_filled_in_later_leave_the_schema_incomplete() -> None:
    for filling in ("tables.u = defineTable({});", "for (const n of names) tables[n] = defineTable({});", "Object.assign(tables, more);"):
        found, _ = whole(f"{IMPORTS}const tables: any = {{ t: defineTable({{}}) }}; {filling} export default defineSchema(tables);")
        assert "t" in found.tables
        assert not found.complete


def test_files_that_import_one_another() -> None:
    other = (
        f'{IMPORTS}import schema from "./schema"; export const things = defineTable({{ a: v.string() }}); export type S = typeof schema;'
    )
    assert table("t: things", 'import { things } from "./other";', other=other).fields == (Field("a", "string"),)


def test_the_tables_of_convex_auth() -> None:
    found = schema("...authTables, t: defineTable({})", 'import { authTables } from "@convex-dev/auth/server";')
    assert list(found.tables) == [
        "users",
        "authSessions",
        "authAccounts",
        "authRefreshTokens",
        "authVerificationCodes",
        "authVerifiers",
        "authRateLimits",
        "t",
    ]
    users = found.tables["users"]
    assert (users.library, users.indexes_known, users.span) == ("@convex-dev/auth", False, None)
    assert users.index("email") == Index("email", ("email",), implicit=True)
    assert found.tables["authSessions"].field("userId") == Field("userId", "id", target="users")
    assert found.tables["t"].library is None


def test_a_table_of_a_library_that_the_app_defines_again() -> None:
    users = 'users: defineTable({ ...authTables.users.validator.fields, role: v.string() }).index("email", ["email"])'
    found = table(f"...authTables, {users}", 'import { authTables } from "@convex-dev/auth/server";', "users")
    assert (found.library, found.indexes_known) == (None, True)
    assert [one.name for one in found.fields or ()][-1] == "role"
    assert [(index.name, index.implicit) for index in found.indexes] == [("email", True)], "the library reads by it"


def test_a_table_of_the_app_before_the_spread_of_a_library() -> None:
    found = table("users: defineTable({}), ...authTables", 'import { authTables } from "@convex-dev/auth/server";', "users")
    assert found.library == "@convex-dev/auth"


def test_tables_of_convex_helpers() -> None:
    before = 'import { rateLimitTables } from "convex-helpers/server/rateLimit";'
    before += 'import { migrationsTable } from "convex-helpers/server/migrations";'
    found = schema("...rateLimitTables, migrations: migrationsTable", before)
    assert {name: (one.library, keys(one)) for name, one in found.tables.items()} == {
        "rateLimits": ("convex-helpers", {"name": ("name", "key")}),
        "migrations": ("convex-helpers", {"name": ("name",)}),
    }


def test_a_table_of_an_unknown_library() -> None:
    found, _ = whole(f'{IMPORTS}import {{ logTable }} from "@kit/log/server"; export default defineSchema({{ logs: logTable }});')
    assert (found.tables["logs"].library, found.tables["logs"].indexes_known) == ("@kit/log", False)
