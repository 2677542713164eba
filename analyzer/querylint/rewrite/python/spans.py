"""Where the nodes of a tree of libcst lie, in bytes: what its `ByteSpanPositionProvider` says, at a fifth of the time.

Libcst asks for positions through a `MetadataWrapper`, which visits the whole tree twice more, once for visitors that there are none of; the
positions come from writing the code out once, as is done here.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import libcst as cst
from libcst.metadata.base_provider import BaseMetadataProvider
from libcst.metadata.span_provider import ByteSpanPositionProvider, CodeSpan, SpanProvidingCodegenState

Spans = dict[int, tuple[int, int]]


class _Writing(SpanProvidingCodegenState):
    """Counts the bytes of what is written, and notes of each node where its code begins and ends."""

    def __init__(self, module: cst.Module, provider: BaseMetadataProvider[CodeSpan]) -> None:
        super().__init__(module.default_indent, module.default_newline, provider)
        self.spans: Spans = {}
        self._begun: list[int] = []

    def add_indent_tokens(self) -> None:
        """The spaces and tabs in front of a line."""
        for token in self.indent_tokens:
            self.position += len(token)

    def add_token(self, value: str) -> None:
        """Some code."""
        self.position += len(value) if value.isascii() else len(value.encode())
        self.tokens.append(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        """A node begins, with the spaces that belong to it."""
        self._begun.append(self.position)

    def after_codegen(self, node: cst.CSTNode) -> None:
        """A node has ended; one that told its place more narrowly is left as it is."""
        start = self._begun.pop()
        self.spans.setdefault(id(node), (start, self.position))

    def record_syntactic_position(  # type: ignore[override]  # libcst names the kind of context manager that it happens to give
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> AbstractContextManager[None]:
        """A node tells its place without the spaces around it."""
        return _Narrow(self, node, start_node, end_node)


class _Narrow:
    """While it is open, the code of a node is written; libcst's own is a generator, which takes three times as long."""

    __slots__ = ("_end", "_node", "_start", "_writing", "_written")

    def __init__(self, writing: _Writing, node: cst.CSTNode, start: cst.CSTNode | None, end: cst.CSTNode | None) -> None:
        self._writing, self._node, self._start, self._end = writing, node, start, end
        self._written = 0

    def __enter__(self) -> None:
        self._written = self._writing.position

    def __exit__(self, *_: object) -> None:
        spans = self._writing.spans
        start = spans[id(self._start)][0] if self._start is not None else self._written
        end = spans[id(self._end)][1] if self._end is not None else self._writing.position
        spans[id(self._node)] = start, end


def spans_of(module: cst.Module) -> Spans:
    """The first byte of each node and the one after its last, by the node's id, without the brackets, comments and spaces around it.

    The ids are those of the nodes of `module`, which has to be kept as long. Raises RecursionError for code that is nested too deeply, and
    KeyError where that hits libcst while it closes a node.
    """
    writing = _Writing(module, ByteSpanPositionProvider())
    module._codegen(writing)
    return writing.spans
