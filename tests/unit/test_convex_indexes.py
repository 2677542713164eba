"""The indexes of Convex tables, and where indexes and tables are written."""

from __future__ import annotations

import pytest

from convex_schemas import IMPORTS, keys, schema, table, whole
from querylint.ir import IndexKind


def test_an_index_with_a_list() -> None:
    assert table('t: defineTable({}).index("by_a_b", ["a", "b.c"])').indexes[0].fields == ("a", "b.c")


def test_an_index_with_options() -> None:
    found = table('t: defineTable({}).index("x", { fields: ["a"], staged: true }).index("y", { fields: ["b"] })')
    assert [(index.name, index.fields, index.staged) for index in found.indexes] == [("x", ("a",), True), ("y", ("b",), False)]


def test_an_index_of_constants() -> None:
    before = 'const KEYS = ["a", "b"] as const; const N = "a";'
    assert keys(table("t: defineTable({}).index(`by_${N}`, [...KEYS, 'c'])", before)) == {"by_a": ("a", "b", "c")}


def test_a_search_index() -> None:
    found = table(
        't: defineTable({}).searchIndex("s", { searchField: "body", filterFields: ["a", "b"] }).searchIndex("u", { searchField: "x" })'
    )
    assert [(index.kind, index.fields, index.filter_fields) for index in found.indexes] == [
        (IndexKind.SEARCH, ("body",), ("a", "b")),
        (IndexKind.SEARCH, ("x",), ()),
    ]


def test_a_vector_index_marks_its_field() -> None:
    found = table(
        "t: defineTable({ e: v.array(v.float64()), a: v.string() })"
        '.vectorIndex("v", { vectorField: "e", dimensions: SIZE, filterFields: ["a"] })',
        'import { SIZE } from "pkg";',
    )
    assert [(index.kind, index.fields, index.filter_fields) for index in found.indexes] == [(IndexKind.VECTOR, ("e",), ("a",))]
    assert [one.large for one in found.fields or ()] == [True, False]


def test_staged_validators_change_no_index() -> None:
    assert table("t: defineTable({}).staged({})").indexes_known


@pytest.mark.parametrize(
    "call",
    [
        'index(name(), ["a"])',
        'index("x", keys())',
        'index("x", [key()])',
        'index("x", [])',
        'index("x")',
        'searchIndex("x", options())',
        "vectorIndex()",
    ],
)
def test_an_index_that_cannot_be_read(call: str) -> None:
    found, notes = whole(f'{IMPORTS}export default defineSchema({{\n t: defineTable({{}}).{call}.index("b", ["b"]) }});')
    assert keys(found.tables["t"]) == {"b": ("b",)}
    assert not found.tables["t"].indexes_known
    assert found.complete
    assert [note.line for note in notes] == [4]


def test_an_index_that_a_helper_gives_to_several_tables_is_nobodys() -> None:
    found = schema('a: f(defineTable({})).index("own", ["own"]), b: f(defineTable({}))', 'const f = (t) => t.index("by_org", ["org"]);')
    assert [(index.name, index.implicit) for index in found.tables["a"].indexes] == [("by_org", True), ("own", False)]
    assert [(index.name, index.implicit) for index in found.tables["b"].indexes] == [("by_org", True)]


def test_the_span_of_an_index_is_its_call() -> None:
    tables = 't: defineTable({})\n    .index("by_a", [\n      "a",\n    ])\n    .index("b", ["b"])'
    source = f"{IMPORTS}export default defineSchema({{\n  {tables},\n}});"
    found, _ = whole(source)
    spans = [index.span for index in found.tables["t"].indexes]
    assert [source.encode()[span.start : span.end].decode() for span in spans if span] == [
        'index("by_a", [\n      "a",\n    ])',
        'index("b", ["b"])',
    ]
    assert [(span.line, span.column) for span in spans if span] == [(5, 6), (8, 6)]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("things: defineTable({ things: v.string() })", "things: defineTable({ things: v.string() })"),
        ("'things': defineTable({})", "'things': defineTable({})"),
        ("a: defineTable({}), /* things: */ things /* x */ : (defineTable({}) as any)", "defineTable({})"),
        ("things: withOrg(defineTable({})).index('a', ['a'])", "things: withOrg(defineTable({})"),
        ("otherthings: defineTable({}), things:\n\n defineTable({})", "things:\n\n defineTable({})"),
    ],
)
def test_the_span_of_a_table_is_its_key_through_its_call(entry: str, text: str) -> None:
    source = f"{IMPORTS}const withOrg = (t) => t; export default defineSchema({{ {entry} }});"
    span = whole(source)[0].tables["things"].span
    assert span is not None
    assert source.encode()[span.start : span.end].decode().endswith(text)


def test_the_span_of_a_shorthand_table_is_its_call() -> None:
    source = f"{IMPORTS}const t = defineTable({{}}); export default defineSchema({{ t }});"
    span = whole(source)[0].tables["t"].span
    assert span is not None
    assert source[span.start : span.end] == "defineTable({})"


def test_tables_that_one_call_makes_are_placed_by_their_keys() -> None:
    source = f"{IMPORTS}const make = () => defineTable({{}}); export default defineSchema({{ a: make(), b: make() }});"
    spans = [one.span for one in whole(source)[0].tables.values()]
    assert [source[span.start : span.end] for span in spans if span] == ["a: make()", "b: make()"]


def test_columns_count_characters() -> None:
    found, _ = whole(f'{IMPORTS}export default defineSchema({{ /* 가격 */ t: defineTable({{}}).index("a", ["a"]) }});')
    span = found.tables["t"].span
    assert span is not None
    assert (span.column, span.end - span.start) == (40, len("t: defineTable({})"))


def test_the_span_of_the_schema_is_its_call() -> None:
    found = schema("")
    assert found.span is not None
    assert found.span.line == 4
