"""The fields that validators describe, in Convex tables and in ents."""

from __future__ import annotations

import pytest

from convex_schemas import IMPORTS, ents, field, fields, keys, read, table, whole
from querylint.ir import Field, Index


@pytest.mark.parametrize(
    ("validator", "expected"),
    [
        ("v.string()", Field("f", "string")),
        ("v.number()", Field("f", "number")),
        ("v.float64()", Field("f", "number")),
        ("v.int64()", Field("f", "int64")),
        ("v.bigint()", Field("f", "int64")),
        ("v.boolean()", Field("f", "boolean")),
        ("v.bytes()", Field("f", "bytes", large=True)),
        ("v.null()", Field("f", "null", nullable=True)),
        ("v.any()", Field("f", "any", nullable=True)),
        ('v.literal("a")', Field("f", "literal", values=("a",))),
        ("v.literal(external)", Field("f", "literal")),
        ('v.union(v.literal("a"), v.string())', Field("f", "union")),
        ('v.id("users")', Field("f", "id", target="users")),
        ("v.array(v.string())", Field("f", "array")),
        ('v.array(v.id("users"))', Field("f", "array", target="users")),
        ('v.array(v.union(v.id("users"), v.null()))', Field("f", "array", target="users")),
        ("v.object({ a: v.string() })", Field("f", "object", parts=(Field("a", "string"),))),
        ("v.object({ a: v.string(), ...external })", Field("f", "object")),
        (
            "v.union(v.object({ a: v.null() }), v.object({}))",
            Field("f", "object", parts=(Field("a", "null", optional=True, nullable=True),)),
        ),
        ("v.record(v.string(), v.number())", Field("f", "record")),
        ("v.optional(v.string())", Field("f", "string", optional=True)),
        ("v.string().optional()", Field("f", "string", optional=True)),
        ('v.optional(v.id("users"))', Field("f", "id", optional=True, target="users")),
        ('v.nullable(v.id("users"))', Field("f", "id", nullable=True, target="users")),
        ("v.union(v.null(), v.number())", Field("f", "number", nullable=True)),
        ('v.optional(v.union(v.id("users"), v.null()))', Field("f", "id", optional=True, nullable=True, target="users")),
        ('v.union(v.literal("a"), v.literal("b"))', Field("f", "literal", values=("a", "b"))),
        ('v.union(v.literal("a"), v.union(v.literal("b"), v.null()))', Field("f", "literal", nullable=True, values=("a", "b"))),
        ("v.union(v.string(), v.number())", Field("f", "union")),
        ('v.union(v.id("users"), v.id("teams"))', Field("f", "id")),
        ('v.union(v.id("users"), v.string())', Field("f", "union")),
        ("v.union(v.string(), v.any())", Field("f", "any", nullable=True)),
        ("external", Field("f", "any", optional=True, nullable=True)),
        ("zodToConvex(z.string())", Field("f", "any", optional=True, nullable=True)),
        ("v.optional(external)", Field("f", "any", optional=True, nullable=True)),
        ("v.mystery()", Field("f", "any", optional=True, nullable=True)),
        ("status", Field("f", "literal", values=("a", "b"))),
        ("role", Field("f", "literal", values=("a", "b"))),
        ("one.fields.inner", Field("f", "number")),
        ("flag ? v.string() : v.optional(v.string())", Field("f", "string", optional=True)),
    ],
)
def test_the_field_of_a_validator(validator: str, expected: Field) -> None:
    before = """import { external } from "pkg";
    const STATES = ["a", "b"] as const;
    const status = v.union(...STATES.map((s) => v.literal(s)));
    const role = literals("a", "b");
    const one = v.object({ inner: v.number() });
    const flag = process.env.X;
    import { literals } from "convex-helpers/validators";"""
    assert field(validator, before) == expected


@pytest.mark.parametrize(
    ("validator", "expected"),
    [
        ("nullable(v.string())", Field("f", "string", nullable=True)),
        ("deprecated", Field("f", "any", optional=True, nullable=True)),
        ('brandedString("email")', Field("f", "string")),
        ("pretendRequired(v.string())", Field("f", "string", optional=True)),
        ("string", Field("f", "string")),
        ('id("users")', Field("f", "id", target="users")),
        ('typedV(s).id("users")', Field("f", "id", target="users")),
    ],
)
def test_validators_of_convex_helpers(validator: str, expected: Field) -> None:
    before = 'import { nullable, deprecated, brandedString, pretendRequired, string, id, typedV } from "convex-helpers/validators";'
    assert field(validator, before) == expected


@pytest.mark.parametrize(
    ("validator", "choices"),
    [
        ("v.boolean()", 2),
        ('v.optional(v.union(v.literal("a"), v.literal("b"), v.null()))', 4),
        ('v.union(v.literal("a"), v.literal("a"))', 1),
        ("v.literal(external)", None),
        ("v.string()", None),
    ],
)
def test_how_many_values_a_field_may_take(validator: str, choices: int | None) -> None:
    assert field(validator, 'import { external } from "pkg";').choices == choices


@pytest.mark.parametrize(
    "document",
    [
        "{ a: v.string(), b: v.optional(v.number()) }",
        "v.object({ a: v.string(), b: v.optional(v.number()) })",
        "shared",
        "{ ...shared }",
        "{ a: v.string(), ...rest }",
        "v.object(shared)",
        "whole",
        "whole.fields",
        "v.object({ a: v.string() }).extend(rest)",
        "v.object({ ...shared, c: v.any() }).omit('c')",
        "v.object({ ...shared, c: v.any() }).pick('a', 'b')",
        "{ a: v.string(), ...v.object({ b: v.number() }).partial().fields }",
        "{ a: v.string(), ...partial({ b: v.number() }) }",
        "addFieldsToValidator(v.object({ a: v.string() }), rest)",
        "make()",
    ],
)
def test_the_forms_of_a_document(document: str) -> None:
    before = """import { partial, addFieldsToValidator } from "convex-helpers/validators";
    const rest = { b: v.optional(v.number()) };
    const shared = { a: v.string(), ...rest };
    const whole = v.object(shared);
    function make() { return whole; }"""
    assert list(fields(document, before).values()) == [Field("a", "string"), Field("b", "number", optional=True)]


def test_a_document_of_several_forms_has_the_fields_of_all() -> None:
    found = fields('v.union(v.object({ k: v.literal("a"), x: v.string(), n: v.number() }), v.object({ k: v.literal("b"), n: v.string() }))')
    assert list(found.values()) == [Field("k", "literal", values=("a", "b")), Field("x", "string", optional=True), Field("n", "union")]


@pytest.mark.parametrize(
    "document",
    [
        "zodToConvex(User)",
        "v.any()",
        "fields",
        "{ ...fields }",
        "{ ...f(), a: v.string() }",
        "v.union(v.object({}), fields)",
        "v.object(fields)",
        "whole.omit(name())",
        "",
    ],
)
def test_a_document_that_cannot_be_read(document: str) -> None:
    before = (
        'import { zodToConvex } from "convex-helpers/server/zod"; import { fields } from "pkg"; const whole = v.object({ a: v.string() });'
    )
    found = table(f't: defineTable({document}).index("a", ["a"])', before)
    assert found.fields is None
    assert found.indexes_known
    assert keys(found) == {"a": ("a",)}


def test_fields_imported_from_another_package_of_the_project() -> None:
    files = {
        "convex/schema.ts": f'{IMPORTS}import {{ fields }} from "@w/shared"; export default defineSchema({{ t: defineTable(fields) }});',
        "packages/shared/package.json": '{"name": "@w/shared", "main": "dist/index.js"}',
        "packages/shared/src/index.ts": 'export * from "./fields";',
        "packages/shared/src/fields.ts": 'import { v } from "convex/values"; export const fields = { a: v.string() };',
    }
    assert read(files)[0].tables["t"].fields == (Field("a", "string"),)


def test_an_ent() -> None:
    found = ents(
        'users: defineEnt({ name: v.string() }).field("email", v.string(), { unique: true })'
        '.field("age", v.number(), { index: true }).field("plan", v.string(), { default: "free" })'
    )
    users = found.tables["users"]
    assert users.fields == (
        Field("name", "string"),
        Field("email", "string"),
        Field("age", "number"),
        Field("plan", "string", optional=True),
    )
    assert users.indexes == (Index("email", ("email",), unique=True, implicit=True), Index("age", ("age",), implicit=True))


def test_an_ent_with_an_index() -> None:
    found = ents('t: defineEnt({ a: v.string() }).index("by_a", ["a"]).searchIndex("s", { searchField: "a" })').tables["t"]
    assert [(index.name, index.implicit) for index in found.indexes] == [("by_a", False), ("s", False)]


def test_an_edge_is_a_field_and_an_index() -> None:
    found = ents('users: defineEnt({}).edges("posts", { ref: true }), posts: defineEnt({}).edge("user")').tables
    assert found["posts"].fields == (Field("userId", "id", target="users"),)
    assert found["posts"].indexes == (Index("userId", ("userId",), implicit=True),)
    assert found["users"].fields == ()
    assert list(found) == ["users", "posts"]


def test_an_edge_with_options() -> None:
    found = ents(
        'users: defineEnt({}).edges("posts", { ref: "ownerId" }), '
        'posts: defineEnt({}).edge("owner", { to: "users", field: "ownerId", optional: true })'
    ).tables
    assert found["posts"].fields == (Field("ownerId", "id", optional=True, target="users"),)
    assert keys(found["posts"]) == {"ownerId": ("ownerId",)}


def test_an_edge_from_one_to_one_is_held_once() -> None:
    found = ents('users: defineEnt({}).edge("profile", { ref: true }), profiles: defineEnt({}).edge("user")').tables
    assert found["users"].fields == ()
    assert found["profiles"].indexes == (Index("userId", ("userId",), unique=True, implicit=True),)


def test_edges_from_many_to_many_have_a_table() -> None:
    found = ents('messages: defineEnt({}).edges("tags"), tags: defineEnt({}).edges("messages")').tables
    joined = found["messages_to_tags"]
    assert joined.fields == (Field("messagesId", "id", target="messages"), Field("tagsId", "id", target="tags"))
    assert keys(joined) == {
        "messagesId": ("messagesId",),
        "tagsId": ("tagsId",),
        "messagesId_tagsId": ("messagesId", "tagsId"),
        "tagsId_messagesId": ("tagsId", "messagesId"),
    }
    assert all(index.implicit for index in joined.indexes)
    assert list(found) == ["messages", "tags", "messages_to_tags"]


def test_edges_from_a_table_to_itself() -> None:
    found = ents('users: defineEnt({}).edges("friends", { to: "users" })').tables
    assert keys(found["users_friends"]) == {"aId": ("aId",), "bId": ("bId",), "aId_bId": ("aId", "bId")}


def test_edges_with_an_inverse() -> None:
    found = ents('users: defineEnt({}).edges("followers", { to: "users", inverse: "followees" })').tables
    assert set(keys(found["users_followees_to_followers"])) == {
        "followeesId",
        "followersId",
        "followeesId_followersId",
        "followersId_followeesId",
    }


def test_edges_with_a_named_table() -> None:
    found = ents(
        'a: defineEnt({}).edges("b", { table: "links", field: "left" }), b: defineEnt({}).edges("a", { table: "links", field: "right" })'
    ).tables
    assert set(keys(found["links"])) == {"left", "right", "left_right", "right_left"}


def test_soft_deletion_is_a_field() -> None:
    assert ents('t: defineEnt({}).deletion("soft")').tables["t"].fields == (Field("deletionTime", "number", optional=True),)


def test_ents_of_tables() -> None:
    source = f'{IMPORTS}import {{ defineEntSchema, defineEntFromTable, defineEntsFromTables }} from "convex-ents";'
    source += 'import { authTables } from "@convex-dev/auth/server";'
    found, _ = whole(
        source
        + 'export default defineEntSchema({ ...defineEntsFromTables(authTables), t: defineEntFromTable(defineTable({})).edge("user") });'
    )
    assert found.tables["authSessions"].library == "@convex-dev/auth"
    assert keys(found.tables["t"]) == {"userId": ("userId",)}
