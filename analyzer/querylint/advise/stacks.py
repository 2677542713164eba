"""The part of a schema that one stack declares, where a project has several."""

from __future__ import annotations

from querylint.construction import replace
from querylint.ir import Program, Schema


def declaring(program: Program, schema: Schema, table: str) -> Schema:
    """A schema as the stack that declares a table has it: with its name, what is true of it, and its tables alone.

    It is the whole schema where no other stack declares any.
    """
    declared = schema.tables.get(table)
    stack = (declared.stack if declared is not None else "") or schema.stack
    return program.once(("schema of a stack", schema.root, stack), lambda: _part(schema, stack))


def _part(schema: Schema, stack: str) -> Schema:
    mine = {name: table for name, table in schema.tables.items() if (table.stack or schema.stack) == stack}
    if stack == schema.stack and len(mine) == len(schema.tables):
        return schema
    facts = next((dialect.facts for dialect in schema.others.values() if dialect.stack == stack and stack != schema.stack), schema.facts)
    return replace(schema, stack=stack, tables=mine, facts=facts)
