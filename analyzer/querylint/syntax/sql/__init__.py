"""SQL as text in programs and files: what a statement says, and what a script defines."""

from __future__ import annotations

from querylint.syntax.sql.cursor import qualified
from querylint.syntax.sql.read import read
from querylint.syntax.sql.schema import PRIMARY, Definitions, read_schema, script_order
from querylint.syntax.sql.script import definitions, statements
from querylint.syntax.sql.statement import (
    Assignment,
    Column,
    Condition,
    Join,
    Operand,
    OperandKind,
    Operation,
    OrderTerm,
    Output,
    Statement,
    TableUse,
)
from querylint.syntax.tree import HOLE

__all__ = [
    "HOLE", "PRIMARY", "Assignment", "Column", "Condition", "Definitions", "Join", "Operand", "OperandKind", "Operation", "OrderTerm",
    "Output", "Statement", "TableUse", "definitions", "qualified", "read", "read_schema", "script_order", "statements",
]  # fmt: skip
