"""Text that is put in: indented like the code around it, with the comments of what it replaces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.patch import TextEdit
from querylint.rewrite.typescript.source import Source, walk

if TYPE_CHECKING:
    from tree_sitter import Node

_BLANK_LINE = re.compile(rb"[ \t]*\r?\n")
WIDTH = 80
"""Longer lists are broken into lines; it is the width of most formatters."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece of text and the comments that go above it, each a line without its indentation."""

    text: str
    comments: tuple[str, ...] = ()


def moved(file: Source, node: Node, deeper: str) -> str:
    """The text of a node, one step deeper than it stands; texts over several lines are left as they are."""
    text = file.text(node)
    if not deeper or _holds_text_of_lines(file, node):
        return text
    first, *rest = text.split("\n")
    return "\n".join([first, *(deeper + line if line.strip() else line for line in rest)])


def raised(file: Source, node: Node, place: Node) -> str:
    """The text of a node that takes the place of one around it: its lines as much less deep as its first one is."""
    text = file.text(node)
    deep, shallow = file.indent(node.start_byte), file.indent(place.start_byte)
    if not deep.startswith(shallow) or _holds_text_of_lines(file, node):
        return text
    return text.replace(f"\n{deep}", f"\n{shallow}")


def _holds_text_of_lines(file: Source, node: Node) -> bool:
    """Whether there is a text over several lines in it, whose lines mean what they hold."""
    return any(part.type == "template_string" and "\n" in file.text(part) for part in walk(node))


def comments_of(file: Source, statement: Node) -> tuple[list[Node], list[Node]]:
    """The comments right above a statement, and those behind it on its last line."""
    above: list[Node] = []
    here = statement
    while (before := here.prev_sibling) is not None and before.type == "comment":
        gap = file.data[before.end_byte : here.start_byte]
        if gap.count(b"\n") != 1 or (file.line_start(before.start_byte) == before.start_byte and before.start_point[1] > 0):
            break
        above.insert(0, before)
        here = before
    behind: list[Node] = []
    here = statement
    while (after := here.next_sibling) is not None and after.type == "comment" and b"\n" not in file.data[here.end_byte : after.start_byte]:
        behind.append(after)
        here = after
    return above, behind


def said(file: Source, comments: list[Node]) -> tuple[str, ...]:
    """Comments as lines."""
    return tuple(line.strip() for comment in comments for line in file.text(comment).split("\n"))


def with_comments(file: Source, statement: Node) -> tuple[str, ...]:
    """A statement to be put elsewhere at the same depth, its comments before it."""
    above, behind = comments_of(file, statement)
    return (*said(file, above), *said(file, behind), file.text(statement))


def removed(file: Source, statements: list[Node]) -> list[TextEdit]:
    """Statements and their comments taken out, with the lines that become empty. What touches is one edit."""
    stretches: list[tuple[int, int]] = []
    for statement in sorted(statements, key=lambda s: s.start_byte):
        above, behind = comments_of(file, statement)
        first, last = (above or [statement])[0], (behind or [statement])[-1]
        start, end = file.line_start(first.start_byte), file.line_end(last.end_byte)
        if first.start_point[1] > 0 and start == first.start_byte:  # it shares its first line with something else
            end = last.end_byte
        if stretches and not file.data[stretches[-1][1] : start].strip():
            start = stretches.pop()[0]
        stretches.append((start, end))
    return [file.edit(_before_blank(file.data, start, end), _past_blank(file.data, start, end), "") for start, end in stretches]


def _before_blank(data: bytes, start: int, end: int) -> int:
    """The start of a stretch, with the blank line before it where the block ends right after it."""
    before = _line_before(data, start)
    blank = before is not None and before > 0 and not data[before : start - 1].removesuffix(b"\r").strip(b" \t")
    closes = data[end:].lstrip(b" \t")[:1] in (b"}", b")", b"]")
    return before if before is not None and blank and closes else start


def _past_blank(data: bytes, start: int, end: int) -> int:
    """The end of a stretch, with the blank line after it where another one, or the beginning of a block, comes before it."""
    before = _line_before(data, start)
    after = _BLANK_LINE.match(data, end)
    line = data[before : start - 1].rstrip() if before is not None else b"."
    return after.end() if after is not None and (not line or line.endswith((b"{", b"(", b"["))) else end


def _line_before(data: bytes, start: int) -> int | None:
    """Where the line before the one that begins here begins; None where no line begins here."""
    return data.rfind(b"\n", 0, start - 1) + 1 if start > 0 and data[start - 1 : start] == b"\n" else None


def list_of(file: Source, items: list[Placed], indent: str, unit: str, head: str, tail: str) -> str:
    """`head[items]tail` on one line where it fits and nobody has comments, else with one item a line."""
    line = f"{head}[{', '.join(item.text for item in items)}]{tail}"
    if "\n" not in line and len(indent) + len(line) <= WIDTH and not any(item.comments for item in items):
        return line
    inner = indent + unit
    commas = [","] * (len(items) - 1) + [file.list_comma]
    lines = [f"{inner}{line}" for item, comma in zip(items, commas, strict=True) for line in (*item.comments, f"{item.text}{comma}")]
    return "\n".join([f"{head}[", *lines, f"{indent}]{tail}"])


def taken_apart(file: Source, patterns: list[str], indent: str, unit: str, head: str, tail: str) -> str:
    """`head[patterns]tail`, the patterns line by line where that is too long; they are one step deeper than they stood."""
    line = f"{head}[{', '.join(patterns)}]{tail}"
    if "\n" not in line and len(indent) + len(line) < file.width:
        return line
    listed = f",\n{indent}{unit}".join(patterns)
    return f"{head}[\n{indent}{unit}{listed}{file.list_comma}\n{indent}]{tail}"


def deeper(file: Source, text: str, body: Node, unit: str) -> list[str]:
    """The statements of a block as lines, one step deeper than they stand; texts over several lines are left as they are."""
    first = next(child for child in body.named_children)
    still = _holds_text_of_lines(file, body)
    lines = (file.indent(first.start_byte) + text).split("\n")
    return lines if still else [unit + line if line.strip() else line for line in lines]


def all_of(file: Source, start: str, lines: list[str], indent: str, unit: str, *, flat: bool) -> str:
    """`await Promise.all(items.map(async (item) => {...}))`, laid flat where each item gives a list."""
    close = f"}}){file.call_comma}"
    if not flat:
        return "\n".join(["await Promise.all(", f"{indent}{unit}{start}", *lines, f"{indent}{unit}{close}", f"{indent})"])
    deep = [unit + line if line.strip() else line for line in lines]
    inside = [f"{indent}{unit}await Promise.all(", f"{indent}{unit * 2}{start}", *deep, f"{indent}{unit * 2}{close}", f"{indent}{unit})"]
    return "\n".join(["(", *inside, f"{indent}).flat()"])
