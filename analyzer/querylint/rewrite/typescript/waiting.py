"""Statements that wait for one thing and name it: `const name = await value`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.rewrite.typescript.source import code, inner, own

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(frozen=True, slots=True)
class Named:
    """A declaration of one pattern: what it waits for, by the whole `await`."""

    statement: Node
    kind: str
    pattern: Node
    waiting: Node

    @property
    def value(self) -> Node:
        """What is waited for."""
        return code(self.waiting)[0]


def named(statement: Node) -> Named | None:
    """A statement as such a declaration; none with a declared type, which a pattern of several could not bear."""
    declared = declarator(statement)
    if declared is None or declared.child_by_field_name("type") is not None:
        return None
    pattern, value = declared.child_by_field_name("name"), declared.child_by_field_name("value")
    waiting = inner(value) if value is not None and value.type == "parenthesized_expression" else value
    if pattern is None or waiting is None or waiting.type != "await_expression" or waits(code(waiting)[0]):
        return None
    return Named(statement, statement.children[0].type, pattern, waiting)


def declarator(statement: Node) -> Node | None:
    """The one declarator of a `const` or `let`."""
    declared = code(statement) if statement.type == "lexical_declaration" else []
    return declared[0] if len(declared) == 1 else None


def waits(node: Node) -> bool:
    """Whether anything in a node waits, functions that it defines aside."""
    return any(part.type in ("await_expression", "yield_expression") for part in own(node))
