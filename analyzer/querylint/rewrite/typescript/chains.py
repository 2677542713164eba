"""Chains of calls, `a.b(...).c(...)`: their links, and a link put in or taken out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.patch import TextEdit
from querylint.rewrite.typescript.source import Source, code

if TYPE_CHECKING:
    from tree_sitter import Node

_REMARK = re.compile(rb"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/)(?=[ \t]*\r?(?:\n|$))")
_SPACE = b" \t\r\n"
_LINT = re.compile(r"^/[/*]\s*(?:(?:eslint|oxlint)-disable-next-line|biome-ignore)\b")
_DIRECTIVE = re.compile(_LINT.pattern + r"|^/[/*]\s*@ts-(?:expect-error|ignore)\b")


@dataclass(frozen=True, slots=True)
class Link:
    """One call of a chain: its method, the call up to its closing parenthesis, and what it is given."""

    name: str
    label: Node
    call: Node
    arguments: tuple[Node, ...]

    @property
    def dot(self) -> Node:
        """The dot before the method's name."""
        method = self.call.child_by_field_name("function")
        assert method is not None
        return next(child for child in method.children if child.type in (".", "?."))


def link(file: Source, node: Node) -> Link | None:
    """A node as a link, if it is a call of a method."""
    callee = node.child_by_field_name("function") if node.type == "call_expression" else None
    label = callee.child_by_field_name("property") if callee is not None and callee.type == "member_expression" else None
    given = node.child_by_field_name("arguments") if label is not None else None
    if label is None or given is None:
        return None
    return Link(file.text(label), label, node, tuple(code(given)))


def links(file: Source, node: Node) -> list[Link]:
    """The links of a chain that ends with a node, the first first."""
    found: list[Link] = []
    here: Node | None = node
    while here is not None:
        one = link(file, here)
        if one is not None:
            found.insert(0, one)
            here = here.child_by_field_name("function")
        elif here.type == "member_expression":
            here = here.child_by_field_name("object")
        else:
            break
    return found


def whole(node: Node) -> Node:
    """The longest chain that a node begins."""
    while (parent := node.parent) is not None:
        if node not in (parent.child_by_field_name("object"), parent.child_by_field_name("function")):
            break
        node = parent
    return node


def without(file: Source, one: Link) -> TextEdit:
    """A link taken out; comments above it stay, but for directives to a checker about its line. A remark behind it goes when the link has
    its line for itself."""
    start, end = _before_directives(file, one), one.call.end_byte
    remark = _REMARK.match(file.data, end)
    if remark is not None and file.line_start(one.dot.start_byte) != one.dot.start_byte:
        end = remark.end()
    method = one.call.child_by_field_name("function")
    before = next((c for c in method.children if c.type == "comment" and c.end_byte == start), None) if method is not None else None
    if before is not None and file.text(before).startswith("//") and file.data[end:].lstrip(b" \t")[:1] not in (b"\r", b"\n"):
        start = one.dot.start_byte  # what follows on the line must not end up behind the comment
    return file.edit(start, end, "")


def unlinted(file: Source, one: Link) -> list[TextEdit]:
    """The directives to a linter about the line of a link taken out, where another call takes its place."""
    start, end = _before_directives(file, one, _LINT), _end_before(file, one.dot.start_byte)
    return [file.edit(start, end, "")] if start < end else []


def _end_before(file: Source, at: int) -> int:
    """Where what stands before a place ends, but for white space."""
    return len(file.data[:at].rstrip(_SPACE))


def _before_directives(file: Source, one: Link, kind: re.Pattern[str] = _DIRECTIVE) -> int:
    """Where what stands before a link ends, but for white space and directives to a checker about the line of the link."""
    start = _end_before(file, one.dot.start_byte)
    method = one.call.child_by_field_name("function")
    for comment in reversed([c for c in method.children if c.type == "comment"] if method is not None else []):
        if comment.end_byte != start or not kind.search(file.text(comment)):
            break
        start = _end_before(file, comment.start_byte)
    return start


def gap(file: Source, one: Link) -> str:
    """The white space before the dot of a link: how the chain is broken into lines."""
    text = file.between(_end_before(file, one.dot.start_byte), one.dot.start_byte)
    return text if not text.strip() else ""


def quote(file: Source, near: Node | None = None) -> str:
    """The quotation mark that a text literal nearby has, or most of the file's."""
    if near is not None and near.type == "string":
        return file.text(near)[0]
    return "'" if file.data.count(b"'") > file.data.count(b'"') else '"'
