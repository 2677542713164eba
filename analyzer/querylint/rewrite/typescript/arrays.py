"""Lists in code: whether an expression surely is one, how each of its items is mapped, and names that are not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.rewrite.typescript import chains
from querylint.rewrite.typescript.source import FUNCTIONS, Source, around, code, inner, names, walk

if TYPE_CHECKING:
    from tree_sitter import Node

MAKING = frozenset(
    "map filter slice concat flat flatMap sort toSorted reverse toReversed split collect take getAll from keys values entries".split()
)
PRIMARY = frozenset(("identifier", "member_expression", "call_expression", "array", "parenthesized_expression", "subscript_expression"))
OF_OBJECTS = frozenset(("keys", "values", "entries"))


def each(file: Source, over: Node, callback: str) -> str:
    """The beginning of a call that maps every item: `xs.map(callback`, or `Array.from(xs, callback` where it may be any iterable."""
    text = file.text(over)
    if not is_array(file, over):
        return f"Array.from({text}, {callback}"
    return f"{text if over.type in PRIMARY else f'({text})'}.map({callback}"


def is_array(file: Source, node: Node, depth: int = 0) -> bool:
    """Whether an expression surely is an array."""
    node = inner(node)
    if node.type == "await_expression":
        return is_array(file, code(node)[0], depth)
    if node.type == "array":
        return True
    link = chains.link(file, node)
    if link is not None:
        holder = link.call.child_by_field_name("function")
        held = holder.child_by_field_name("object") if holder is not None else None
        return link.name in MAKING and (link.name not in OF_OBJECTS or (held is not None and file.text(held) == "Object"))
    if node.type != "identifier" or depth > 5:
        return False
    declarator = _declarator(file, node)
    if declarator is None:
        return False
    annotation, value = declarator.child_by_field_name("type"), declarator.child_by_field_name("value")
    if annotation is not None:
        text = file.text(annotation).lstrip(": ").strip()
        return text.endswith("[]") or text.startswith(("Array<", "ReadonlyArray<"))
    return value is not None and is_array(file, value, depth + 1)


def _declarator(file: Source, name: Node) -> Node | None:
    """The one declaration that a variable can come from; None where there are several in the function, or none."""
    function = around(name, *FUNCTIONS)
    if function is None:
        return None
    found = [
        n
        for n in walk(function)
        if n.type == "variable_declarator" and (held := n.child_by_field_name("name")) is not None and file.text(held) == file.text(name)
    ]
    return found[0] if len(found) == 1 else None


def fresh(wanted: str, near: Node) -> str:
    """A name that nothing in the function around bears."""
    function = around(near, *FUNCTIONS, "program")
    taken = names(function) if function is not None else frozenset()
    number = 1
    while (name := wanted if number == 1 else f"{wanted}{number}") in taken:
        number += 1
    return name
