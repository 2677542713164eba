"""The names of indexes in TypeScript: declarations taken out of a schema, and the name that a query reads by changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from querylint.patch import TextEdit
from querylint.rewrite import Sources
from querylint.rewrite.typescript import chains
from querylint.rewrite.typescript.source import Source, around, located
from querylint.text import Span

if TYPE_CHECKING:
    from tree_sitter import Node

METHODS = frozenset(("index", "searchIndex", "vectorIndex"))
READERS = frozenset(("withIndex", "withSearchIndex"))
_REMARK = rb"//[^\r\n]*|/\*[^\r\n]*?\*/"
_TAIL = re.compile(rb"[ \t]*(" + _REMARK + rb")?[ \t]*([,;]?)[ \t]*(" + _REMARK + rb")?[ \t]*(?=\r?\n|$)")
_SPACE = b" \t\r\n"


def declaration(file: Source, start: int, end: int, name: str) -> chains.Link | None:
    """The call that declares the index, in a chain on what declares the table."""
    node = file.at(start, end)
    while node is not None and node.type != "program":
        link = chains.link(file, node)
        if link is not None and link.name in METHODS and link.arguments and file.text(link.arguments[0])[1:-1] == name:
            return link
        node = around(node, "call_expression", "statement_block", "program")
    return None


def dropped(file: Source, gone: Sequence[chains.Link], put: TextEdit | None = None) -> list[TextEdit]:
    """Declarations taken out, each with the remark behind it and those right above it; `put` takes the place of the last of its chain.

    A remark above stays where the next declaration follows at once: it may head them both.
    """
    edits: list[TextEdit] = []
    for run in _runs(gone):
        fits = put is not None and put.span.path == file.path and put.span.start == run[-1].call.end_byte
        edits.append(_without(file, run, put.text if put is not None and fits else ""))
        put = None if fits else put
    return [*edits, put] if put is not None else edits


def _runs(gone: Sequence[chains.Link]) -> Iterator[list[chains.Link]]:
    """Links that follow one another in a chain."""
    run: list[chains.Link] = []
    for link in sorted(gone, key=lambda one: one.call.end_byte):
        if run and _before(link) != run[-1].call.end_byte:
            yield run
            run = []
        run.append(link)
    if run:
        yield run


def _before(link: chains.Link) -> int:
    """Where the chain before a link ends."""
    method = link.call.child_by_field_name("function")
    owner = method.child_by_field_name("object") if method is not None else None
    assert owner is not None
    return owner.end_byte


def _without(file: Source, run: Sequence[chains.Link], put: str) -> TextEdit:
    data, dot = file.data, run[0].dot.start_byte
    begin, end = _before(run[0]), run[-1].call.end_byte
    if file.line_start(dot) == dot:
        return file.edit(begin, end, put)
    lead, line, above = data[begin:dot].partition(b"\n")
    tail = _TAIL.match(data, end)
    mark = tail[2] if tail is not None else b""
    end = tail.end() if tail is not None else end
    follows = data[end:].lstrip(_SPACE)[:1] == b"."
    kept = lead.rstrip() + ((line + above).rstrip() if follows and not mark else b"")
    if tail is None and kept and not put:
        kept += line + above[len(above.rstrip(b" \t")) :]  # what follows on the line must not end up behind a remark
    text = kept.decode() + put + mark.decode() if put else mark.decode() + kept.decode()
    return file.edit(begin, end, text)


def renamed(sources: Sources, span: Span, old: str, new: str, *, shared: bool = False) -> TextEdit | None:
    """The name by which the query at a place reads, changed; None where it is not written down there."""
    place = located(sources, span)
    if place is None:
        return None
    file, node = place
    name = _named(file, node, old)
    return file.edit(name.start_byte + 1, name.end_byte - 1, new, shared=shared) if name is not None else None


def _named(file: Source, node: Node, index: str) -> Node | None:
    for link in chains.links(file, chains.whole(node)):
        name = link.arguments[0] if link.name in READERS and link.arguments else None
        if name is not None and name.type == "string" and file.text(name)[1:-1] == index:
            return name
    return None
