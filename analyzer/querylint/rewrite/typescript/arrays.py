"""Lists in code: whether an expression surely is one, how each of its items is mapped, and names that are not taken."""

from __future__ import annotations

import re
from itertools import count, islice
from typing import TYPE_CHECKING

from querylint.rewrite.typescript import chains
from querylint.rewrite.typescript.source import FUNCTIONS, Source, around, code, declarators, inner, names, walk

if TYPE_CHECKING:
    from tree_sitter import Node

MAKING = frozenset(
    "map filter slice concat flat flatMap sort toSorted reverse toReversed split collect take getAll from keys values entries".split()
)
PRIMARY = frozenset(("identifier", "member_expression", "call_expression", "array", "parenthesized_expression", "subscript_expression"))
_ARRAY = re.compile(r"v\s*\.\s*(?:optional\(\s*v\s*\.\s*)?array\(")
PARAMETERS = 2
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
    if node.type == "member_expression":
        return _is_page(file, node) or _of_arguments(file, node)
    if node.type != "identifier" or depth > 5:
        return False
    declarator = _declarator(node)
    if declarator is None:
        return _of_arguments(file, node)
    annotation, value = declarator.child_by_field_name("type"), declarator.child_by_field_name("value")
    if annotation is not None:
        text = file.text(annotation).lstrip(": ").strip()
        return text.endswith("[]") or text.startswith(("Array<", "ReadonlyArray<"))
    return value is not None and is_array(file, value, depth + 1)


def _is_page(file: Source, node: Node) -> bool:
    """Whether an expression is the rows of a page, `(await query.paginate(...)).page`, whether or not that has a name."""
    held, label = node.child_by_field_name("object"), node.child_by_field_name("property")
    if held is None or label is None or file.text(label) != "page":
        return False
    declarator = _declarator(held) if held.type == "identifier" else None
    value = declarator.child_by_field_name("value") if declarator is not None else held
    value = inner(value) if value is not None else held
    link = chains.link(file, inner(code(value)[0])) if value.type == "await_expression" else None
    return link is not None and link.name == "paginate"


def _of_arguments(file: Source, node: Node) -> bool:
    """Whether `args.name`, or a variable that is taken out of the arguments, is an array by the validator of its registered function."""
    handler = around(node, *FUNCTIONS)
    while handler is not None and not _handles(file, handler):
        handler = around(handler, *FUNCTIONS)
    given = handler.child_by_field_name("parameters") if handler is not None else None
    parameters = code(given) if given is not None else []
    if handler is None or len(parameters) != PARAMETERS:
        return False
    options = handler if handler.type == "method_definition" else handler.parent
    held = options.parent if options is not None else None
    listed = [value for one in held.named_children if (value := _value(file, one, "args")) is not None] if held is not None else []
    name = _argument(file, node, handler, parameters[1].child_by_field_name("pattern") or parameters[1])
    validators = [file.text(value) for one in listed for pair in one.named_children if (value := _value(file, pair, name)) is not None]
    return bool(name) and any(_ARRAY.match(text) is not None for text in validators)


def _argument(file: Source, node: Node, handler: Node, pattern: Node) -> str:
    """The name of the argument that an expression is, empty where it may be something else."""
    if node.type == "member_expression":
        held, label = node.child_by_field_name("object"), node.child_by_field_name("property")
        return file.text(label) if held is not None and label is not None and file.text(held) == file.text(pattern) else ""
    takers = [n for n in walk(handler) if n.type == "shorthand_property_identifier_pattern" and n.text == node.text]
    held = takers[0].parent if len(takers) == 1 and not declarators(handler, node) else None
    if held is None or held == pattern:
        return file.text(node) if held is not None else ""
    value = held.parent.child_by_field_name("value") if held.parent is not None and held.parent.type == "variable_declarator" else None
    return file.text(node) if value is not None and file.text(value) == file.text(pattern) else ""


def _value(file: Source, pair: Node, key: str) -> Node | None:
    """What a pair of an object holds under a key."""
    return pair.child_by_field_name("value") if pair.type == "pair" and _key(file, pair) == key else None


def _handles(file: Source, function: Node) -> bool:
    """Whether a function is the handler of a registered one."""
    return _key(file, function if function.type == "method_definition" else function.parent) == "handler"


def _key(file: Source, node: Node | None) -> str:
    """The key of a pair in an object, or the name of a method in it."""
    label = (
        node.child_by_field_name("key" if node.type == "pair" else "name")
        if node is not None and node.type in ("pair", "method_definition")
        else None
    )
    return file.text(label) if label is not None else ""


def _declarator(name: Node) -> Node | None:
    """The one declaration that a variable can come from; None where there are several in the function, or none."""
    function = around(name, *FUNCTIONS)
    found = declarators(function, name) if function is not None else []
    return found[0] if len(found) == 1 else None


def fresh(wanted: str, near: Node, skipped: int = 0) -> str:
    """A name that nothing in the function around bears; `skipped` of those that are free are left to others."""
    function = around(near, *FUNCTIONS, "program")
    taken = names(function) if function is not None else frozenset()
    numbered = (wanted if number == 1 else f"{wanted}{number}" for number in count(1))
    return next(islice((name for name in numbered if name not in taken), skipped, None))
