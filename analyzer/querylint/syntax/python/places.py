"""Where nodes of `ast` lie in the file, in bytes."""

from __future__ import annotations

import ast
import re

LINE_END = re.compile(rb"\r\n|\r|\n")
BOM = b"\xef\xbb\xbf"


class Names:
    """What the function that is being lowered binds, what it takes from outside by `global` and `nonlocal`, and whether it yields."""

    __slots__ = ("bound", "free", "yields")

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.free: set[str] = set()
        self.yields = False


class Places:
    """Byte offsets of one file. `ast` counts columns in bytes of UTF-8, and lines by any line end."""

    __slots__ = ("_starts", "names", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.names = Names()
        first = len(BOM) if text.startswith(BOM) else 0
        self._starts = [first, *(hit.end() for hit in LINE_END.finditer(text))]

    def of(self, node: ast.expr | ast.stmt | ast.arg | ast.excepthandler | ast.pattern) -> tuple[int, int]:
        """Where a node starts and ends."""
        starts = self._starts
        at = starts[node.lineno - 1] + node.col_offset
        if node.end_lineno is None or node.end_col_offset is None:
            return at, at
        return at, starts[node.end_lineno - 1] + node.end_col_offset

    def source(self, node: ast.expr | None) -> str:
        """The text of a node; empty where there is none."""
        if node is None:
            return ""
        at, end = self.of(node)
        return self.text[at:end].decode("utf-8", "replace")
