"""Small Convex projects for tests of schemas: dicts of paths and sources, read at once."""

from __future__ import annotations

from collections.abc import Mapping

from querylint.frontends.convex.roots import ConvexRoot
from querylint.frontends.convex.schema import read_schema
from querylint.frontends.modules import Modules
from querylint.ir import Field, Schema, Table
from querylint.result import Note

IMPORTS = """import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
"""
ENTS = """import { defineEnt, defineEntSchema } from "convex-ents";
import { v } from "convex/values";
"""


def read(files: Mapping[str, str], schema: str | None = "convex/schema.ts") -> tuple[Schema, tuple[Note, ...]]:
    modules = Modules(files, lambda path: files[path].encode() if path in files else None)
    return read_schema(modules, ConvexRoot("convex", schema))


def whole(source: str, **others: str) -> tuple[Schema, tuple[Note, ...]]:
    return read({"convex/schema.ts": source, **{f"convex/{name}.ts": text for name, text in others.items()}})


def schema(tables: str, before: str = "", **others: str) -> Schema:
    found, notes = whole(f"{IMPORTS}{before}\nexport default defineSchema({{ {tables} }});", **others)
    assert not notes
    assert found.complete
    return found


def table(tables: str, before: str = "", name: str = "t", **others: str) -> Table:
    return schema(tables, before, **others).tables[name]


def fields(validators: str, before: str = "") -> dict[str, Field]:
    found = table(f"t: defineTable({validators})", before).fields
    assert found is not None
    return {field.name: field for field in found}


def field(validator: str, before: str = "") -> Field:
    return fields(f"{{ f: {validator} }}", before)["f"]


def keys(found: Table) -> dict[str, tuple[str, ...]]:
    return {index.name: index.fields for index in found.indexes}


def ents(tables: str) -> Schema:
    found, notes = whole(f"{ENTS}export default defineEntSchema({{ {tables} }});")
    assert not notes
    assert found.complete
    return found
