"""Rounds of a loop that do nothing but fill one list: every path of a round ends with a push, or without one."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.rewrite.typescript import chains
from querylint.rewrite.typescript.layout import raised
from querylint.rewrite.typescript.source import FUNCTIONS, LOOPS, Source, code, names, walk

if TYPE_CHECKING:
    from tree_sitter import Node

_ITEM = re.compile(r"^:\s*(?:(?:Readonly)?Array<(.+)>|(.+?)\[\])$", re.DOTALL)


@dataclass(slots=True)
class Filled:
    """A list that a loop fills: where it is declared empty, and the statements that push to it.

    `always` says that every round pushes exactly one item, as its last deed; `closed` that every path ends with a return once pushes are
    returns. `item` is the type of an item where it is written down.
    """

    name: str
    declaration: Node
    kind: str
    annotation: str = ""
    item: str = ""
    pushes: list[Node] = field(default_factory=list)
    always: bool = False
    closed: bool = False


def filled(file: Source, loop: Node, statements: tuple[Node, ...]) -> Filled | None:
    """The list that the rounds fill, if that is all that they do."""
    name = next((name for s in statements for part in walk(s) if (name := _pushed_to(file, part))), "")
    declaration = _declared_empty(file, loop, name) if name else None
    if declaration is None:
        return None
    declarator = code(declaration)[0]
    annotation = declarator.child_by_field_name("type")
    text = file.text(annotation) if annotation is not None else ""
    item = _ITEM.match(text)
    grouped = (item[1] or _grouped(item[2])) if item is not None else ""
    found = Filled(name, declaration, declaration.children[0].type, text, grouped)
    if not _ends(file, statements, found, last=True):
        return None
    mentions = sum(n.type == "identifier" and file.text(n) == name for s in statements for n in walk(s))
    mentions += sum(n.type == "shorthand_property_identifier" and file.text(n) == name for s in statements for n in walk(s))
    if mentions != len(found.pushes) or not found.pushes or name in names_of_head(loop):
        return None
    skips = any(part.type == "continue_statement" for s in statements for part in walk(s, lambda n: n.type not in FUNCTIONS))
    found.always = len(found.pushes) == 1 and found.pushes[0] == statements[-1] and not skips
    found.closed = _returns(statements, found)
    return found


def names_of_head(loop: Node) -> frozenset[str]:
    """The variables in the head of a loop."""
    return frozenset(n for field in ("left", "right") if (part := loop.child_by_field_name(field)) is not None for n in names(part))


def _grouped(text: str) -> str:
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def _pushed_to(file: Source, node: Node) -> str:
    """The name of the list that a call pushes one item to."""
    link = chains.link(file, node)
    callee = node.child_by_field_name("function") if link is not None else None
    held = callee.child_by_field_name("object") if callee is not None else None
    if link is None or link.name != "push" or held is None or held.type != "identifier" or len(link.arguments) != 1:
        return ""
    return "" if link.arguments[0].type == "spread_element" else file.text(held)


def _declared_empty(file: Source, loop: Node, name: str) -> Node | None:
    """`const name = [];` before the loop in the same block, with nothing in between that looks at it."""
    here = loop.prev_named_sibling
    while here is not None:
        declarators = [n for n in code(here) if n.type == "variable_declarator"] if here.type == "lexical_declaration" else []
        if any(_bears(file, one, name) for one in declarators):
            value = declarators[0].child_by_field_name("value")
            empty = value is not None and value.type == "array" and not value.named_children
            return here if empty and len(declarators) == 1 else None
        if here.type != "comment" and name in names(here):
            return None
        here = here.prev_named_sibling
    return None


def _bears(file: Source, declarator: Node, name: str) -> bool:
    held = declarator.child_by_field_name("name")
    return held is not None and held.type == "identifier" and file.text(held) == name


def _ends(file: Source, statements: tuple[Node, ...], found: Filled, *, last: bool) -> bool:
    """Whether pushes stand only where a path of a round ends; those are gathered."""
    for number, statement in enumerate(statements):
        following = statements[number + 1] if number + 1 < len(statements) else None
        ending = (last and following is None) or (following is not None and following.type == "continue_statement")
        if _is_push(file, statement, found.name):
            if not ending:
                return False
            found.pushes.append(statement)
        elif statement.type == "if_statement":
            for arm in _arms(statement):
                if not _ends(file, arm, found, last=last and following is None):
                    return False
    return True


def _arms(statement: Node) -> list[tuple[Node, ...]]:
    then, other = statement.child_by_field_name("consequence"), statement.child_by_field_name("alternative")
    arms = (then, code(other)[0] if other is not None and code(other) else None)
    return [tuple(code(arm)) if arm.type == "statement_block" else (arm,) for arm in arms if arm is not None]


def _is_push(file: Source, statement: Node, name: str) -> bool:
    inside = code(statement) if statement.type == "expression_statement" else []
    return len(inside) == 1 and _pushed_to(file, inside[0]) == name


def _returns(statements: tuple[Node, ...], found: Filled) -> bool:
    """Whether every path through statements ends with a push, a skip or an error."""
    if not statements:
        return False
    end = statements[-1]
    if end in found.pushes or end.type in ("continue_statement", "throw_statement"):
        return True
    if end.type != "if_statement":
        return False
    arms = _arms(end)
    return len(arms) == 2 and all(_returns(arm, found) for arm in arms)


def rewritten(
    file: Source, body: Node, statements: tuple[Node, ...], pushes: list[Node], *, flat: bool = True
) -> str:  # fmt: skip
    """The statements of a round as they stand in a callback: pushes and skips have become returns."""
    changes: list[tuple[int, int, str]] = []
    for statement in statements:
        for part in walk(statement, lambda n: n.type not in FUNCTIONS):
            if part in pushes:
                changes.append(_returned(file, part, flat=flat))
            elif part.type == "continue_statement" and _of_round(part, body):
                changes.append(_skipped(file, part, pushes))
    start = _first(file, body, statements[0])
    text, at = "", start
    for begin, end, new in sorted(changes):
        text += file.between(at, begin) + new
        at = end
    end = statements[-1].end_byte
    behind = statements[-1].next_sibling
    while behind is not None and behind.type == "comment" and b"\n" not in file.data[end : behind.start_byte]:
        end = behind.end_byte
        behind = behind.next_sibling
    return text + file.between(at, end)


def _first(file: Source, body: Node, statement: Node) -> int:
    """Where the text of a round begins: its first comment or statement."""
    return next(child.start_byte for child in body.named_children if child.start_byte <= statement.start_byte)


def _of_round(skip: Node, body: Node) -> bool:
    """Whether a `continue` ends the round and not that of a loop inside it."""
    up = skip.parent
    while up is not None and up != body:
        if up.type in LOOPS:
            return False
        up = up.parent
    return True


def _returned(file: Source, statement: Node, *, flat: bool) -> tuple[int, int, str]:
    call = code(statement)[0]
    link = chains.link(file, call)
    assert link is not None
    given = raised(file, link.arguments[0], statement)
    end = ";" if file.text(statement).endswith(";") else ""
    return statement.start_byte, statement.end_byte, f"return [{given}]{end}" if flat else f"return {given}{end}"


def _skipped(file: Source, skip: Node, pushes: list[Node]) -> tuple[int, int, str]:
    """A `continue`; one right after a push has nothing left to do."""
    before = skip.prev_named_sibling
    while before is not None and before.type == "comment":
        before = before.prev_named_sibling
    if before is not None and before in pushes:
        start = len(file.data[: skip.start_byte].rstrip())
        return start, skip.end_byte, ""
    return skip.start_byte, skip.end_byte, "return [];" if file.text(skip).endswith(";") else "return []"
