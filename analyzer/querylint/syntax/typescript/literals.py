"""Names and constants as they are written: numbers, text with its escapes, templates with their holes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from querylint.syntax.tree import UNDEFINED, Expr, Literal, Member, Name, Opaque, Template
from querylint.syntax.typescript.lowering import Lowering, ReadExpr

if TYPE_CHECKING:
    from tree_sitter import Node

ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))")
SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
SIMPLE |= dict.fromkeys(("\n", "\r\n", "\r", "\u2028", "\u2029"), "")
BASES = {"x": 16, "o": 8, "b": 2}


def _name(low: Lowering, node: Node, depth: int) -> Expr:
    at, end = node.start_byte, node.end_byte
    if at == end:
        return Opaque([], at, end, True)
    letters = low.letters[at:end]
    return Name(letters if letters.isascii() else low.text(at, end), at, end)


def _string(low: Lowering, node: Node, depth: int) -> Expr:
    at, end = node.start_byte, node.end_byte
    return Literal(string_value(low, at, end), at, end)


def string_value(low: Lowering, at: int, end: int) -> str:
    """The text that a quoted string stands for."""
    closed = end - at > 1 and low.source[at] == low.source[end - 1]
    return _cooked(low, at + 1, end - 1 if closed else end)


def _cooked(low: Lowering, at: int, end: int) -> str:
    text = low.text(at, end)
    if "\\" not in text:
        return text
    text = ESCAPE.sub(_unescape, text)
    # Two halves of one character, each escaped, become that character; a lone half becomes a replacement mark.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _unescape(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    if digits is None:
        return SIMPLE.get(found[4], found[4])
    code = int(digits, 16) if len(digits) < 9 else 0x110000
    return chr(code) if code < 0x110000 else "\ufffd"


def _number(low: Lowering, node: Node, depth: int) -> Expr:
    at, end = node.start_byte, node.end_byte
    return Literal(number_value(low.text(at, end)), at, end)


def number_value(text: str) -> int | float | None:
    """The number that is written, or None for what is none."""
    text = text.replace("_", "").removesuffix("n").lower()
    try:
        if text[:1] == "0" and text[1:].isdigit():
            return int(text, 8 if text.strip("01234567") == "" else 10)
        if text[:1] == "0" and text[1:2] in BASES:
            return int(text[2:], BASES[text[1]])
        if text.isdigit() and len(text) < 400:
            return int(text)
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _template(low: Lowering, node: Node, depth: int) -> Expr:
    at, end = node.start_byte, node.end_byte
    parts = template_parts(low, node, depth)
    if not parts:
        return Literal("", at, end)
    if len(parts) == 1 and isinstance(only := parts[0], Literal) and only.at == at + 1:
        return Literal(only.value, at, end)
    return Template(parts, at, end)


def template_parts(low: Lowering, node: Node, depth: int) -> list[Expr]:
    """The text and the holes of a template in order, without empty text."""
    at, end = node.start_byte, node.end_byte
    if low.source[end - 1 : end] == b"`" and end - at > 1:
        end -= 1
    parts: list[Expr] = []
    begin = at + 1
    if low.source.find(b"${", begin, end) >= 0:
        for child in node.named_children:
            if child.type != "template_substitution":
                continue
            hole = child.start_byte
            if begin < hole:
                parts.append(Literal(_cooked(low, begin, hole), begin, hole))
            parts.append(low.inside(child, depth + 1))
            begin = child.end_byte
    if begin < end:
        parts.append(Literal(_cooked(low, begin, end), begin, end))
    return parts


def _regex(low: Lowering, node: Node, depth: int) -> Expr:
    return Opaque([], node.start_byte, node.end_byte)


def _true(low: Lowering, node: Node, depth: int) -> Expr:
    return Literal(True, node.start_byte, node.end_byte)


def _false(low: Lowering, node: Node, depth: int) -> Expr:
    return Literal(False, node.start_byte, node.end_byte)


def _null(low: Lowering, node: Node, depth: int) -> Expr:
    return Literal(None, node.start_byte, node.end_byte)


def _undefined(low: Lowering, node: Node, depth: int) -> Expr:
    return Literal(UNDEFINED, node.start_byte, node.end_byte)


def _meta(low: Lowering, node: Node, depth: int) -> Expr:
    at, end = node.start_byte, node.end_byte
    first, last = node.children[0], node.children[-1]
    return Member(Name(low.of(first), at, first.end_byte), low.of(last), at, end, last.start_byte)


def _dotted(low: Lowering, node: Node, depth: int) -> Expr:
    """`A.B` where only names may stand: a namespace, or the tag of an element."""
    base, name = node.children[0], node.children[-1]
    return Member(low.expr(base, depth + 1), low.of(name), node.start_byte, node.end_byte, name.start_byte)


READERS: dict[str, ReadExpr] = {
    "identifier": _name,
    "this": _name,
    "super": _name,
    "import": _name,
    "private_property_identifier": _name,
    "jsx_namespace_name": _name,
    "nested_identifier": _dotted,
    "meta_property": _meta,
    "string": _string,
    "number": _number,
    "template_string": _template,
    "regex": _regex,
    "true": _true,
    "false": _false,
    "null": _null,
    "undefined": _undefined,
}
