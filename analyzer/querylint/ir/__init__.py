"""The shared language between front ends and rules: programs and their databases, in frozen values."""

from __future__ import annotations

from querylint.ir.access import Access, Bound, Op, Order, Plan, Predicate, Relation, Side, Terminal, Way
from querylint.ir.code import (
    Block,
    Branch,
    Call,
    Carried,
    Clock,
    Escape,
    Exit,
    ExitKind,
    Function,
    Kind,
    Loop,
    LoopKind,
    Mode,
    Outflow,
    Role,
    Step,
    Target,
    TargetKind,
    Use,
    Wait,
    Work,
)
from querylint.ir.program import Program
from querylint.ir.schema import Field, Index, IndexKind, Schema, Table
from querylint.ir.value import ITEM, NOT_LITERAL, UNKNOWN, Origin, Path, Root, Value

__all__ = [
    "ITEM", "NOT_LITERAL", "UNKNOWN", "Access", "Block", "Bound", "Branch", "Call", "Carried", "Clock", "Escape", "Exit", "ExitKind",
    "Field", "Function", "Index", "IndexKind", "Kind", "Loop", "LoopKind", "Mode", "Op", "Order", "Origin", "Outflow", "Path", "Plan",
    "Predicate", "Program", "Relation", "Role", "Root", "Schema", "Side", "Step", "Table", "Target", "TargetKind", "Terminal", "Use",
    "Value", "Wait", "Way", "Work",
]  # fmt: skip
