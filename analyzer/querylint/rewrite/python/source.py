"""One Python file with its syntax tree, and edits of lists, calls and classes in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from querylint.patch import TextEdit
from querylint.rewrite import Sources
from querylint.rewrite.file import File
from querylint.syntax.python.module import NOWHERE
from querylint.text import Span

_SEPARATOR = re.compile(rb"[ \t]*,[ \t]*(?:#[^\n]*)?(?:\r?\n[ \t]*)?")


class PythonSource(File):
    """A parsed file."""

    def __init__(self, path: str, data: bytes) -> None:
        super().__init__(path, data)
        self.tree = ast.parse(data, NOWHERE)
        self._starts = [0, *(match.end() for match in re.finditer(rb"\n", data))]

    def start(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias) -> int:
        """The byte offset where a node begins."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias) -> int:
        """The byte offset where a node ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def unit(self) -> str:
        """One step of indentation."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.body:
                outer, inner = node.col_offset, node.body[0].col_offset
                if inner > outer and node.body[0].lineno > node.lineno:
                    return "\t" if self.indent(self.start(node.body[0])).endswith("\t") else " " * (inner - outer)
        return "    "

    def quote(self) -> str:
        """The quotation mark that most texts of the file have."""
        return "'" if self.data.count(b"'") > self.data.count(b'"') else '"'

    def class_at(self, span: Span) -> ast.ClassDef | None:
        """The class that is defined at a place."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef) and span.line <= node.lineno <= span.end_line and self.end(node) == span.end:
                return node
        return None

    def call_at(self, span: Span) -> ast.Call | None:
        """The call that stands at a place."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and self.start(node) == span.start and self.end(node) == span.end:
                return node
        return None

    def appended(self, node: ast.List | ast.Tuple, item: str, *, before: ast.expr | None = None) -> TextEdit:
        """An item put at the end of a list or a tuple, or before one of its members."""
        if before is not None:
            at = self.start(before)
            broken = self.data[:at].rstrip(b" \t").endswith(b"\n")
            return self.edit(at, at, f"{item},\n{self.indent(at)}" if broken else f"{item}, ")
        close = self.end(node) - 1
        if not node.elts:
            return self.edit(close, close, item if isinstance(node, ast.List) else f"{item},")
        last = node.elts[-1]
        after = self.end(last)
        comma = _SEPARATOR.match(self.data, after)
        if last.lineno != node.lineno and self.data[: self.start(last)].rstrip(b" \t").endswith(b"\n"):
            space = f"\n{self.indent(self.start(last))}"
            stop = after + len(comma[0].rstrip(b" \t\r\n")) if comma else after
            return self.edit(stop, stop, f"{'' if comma else ','}{space}{item},")
        if comma is not None and not self.data[after:close].strip(b", \t\r\n"):
            return self.edit(after, close, f", {item}")
        return self.edit(after, after, f", {item}")

    def without_all(self, items: Sequence[ast.expr], gone: Sequence[ast.expr], close: int) -> list[TextEdit]:
        """Several members taken out: those at the end, behind which no comma stands, go together."""
        comma = re.compile(rb"\s*,").match(self.data, self.end(items[-1]))
        stay = len(items)
        if comma is None or comma.end() > close:
            while stay and items[stay - 1] in gone:
                stay -= 1
        if stay == len(items):
            return [self.without(items, one, close) for one in gone]
        start = self.end(items[stay - 1]) if stay else self.start(items[0])
        alone = sum(item not in gone for item in items) == 1
        last = self.edit(start, self.end(items[-1]), "," if alone else "")
        return [*(self.without(items, one, close) for one in gone if one in items[:stay]), last]

    def without(self, items: Sequence[ast.expr], gone: ast.expr, close: int) -> TextEdit:
        """A member taken out of a list, a tuple or the arguments of a call, with its comma and, if it has one for itself, its line.

        A comment above that line goes as well where it can be about nothing else.
        """
        start, end = self.start(gone), self.end(gone)
        comma = re.compile(rb"\s*,").match(self.data, end)
        number = list(items).index(gone)
        if comma is not None and comma.end() <= close:
            end = comma.end()
            begin = self.data.rfind(b"\n", 0, start) + 1
            line = re.compile(rb"[ \t]*(?:#[^\n]*)?\n").match(self.data, end)
            if not self.data[begin:start].strip() and line is not None:
                first = self.data[:begin].rstrip(b" \t\r\n").endswith((b"[", b"("))
                blank = re.compile(rb"[ \t]*\r?\n").match(self.data, line.end()) if first else None
                begin = self._own_comment(begin, line.end(), close)
                return self.edit(begin, blank.end() if blank is not None else line.end(), "")
            gap = re.compile(rb"[ \t]*").match(self.data, end)
            return self.edit(start, gap.end() if gap is not None and number < len(items) - 1 else end, "")
        if number > 0:
            start = self.end(items[number - 1])
        return self.edit(start, end, "," if number == 1 and self.data[start - 1 : start] != b"," and len(items) == 2 else "")

    def _own_comment(self, begin: int, end: int, close: int) -> int:
        """Where the comment above a line begins which a blank line, another comment or nothing follows; else the line itself."""
        below = self.data[end:close].partition(b"\n")[0].strip()
        while not below or below.startswith(b"#"):
            above = self.data.rfind(b"\n", 0, max(begin - 1, 0)) + 1
            if above >= begin or not self.data[above:begin].strip().startswith(b"#"):
                break
            begin = above
        return begin

    def without_keyword(self, call: ast.Call, flag: ast.keyword) -> TextEdit:
        """A keyword taken out of a call, with its comma."""
        given = sorted([*call.args, *(k.value for k in call.keywords)], key=self.start)
        number = given.index(flag.value)
        if number > 0:
            return self.edit(self.end(given[number - 1]), self.end(flag), "")
        following = next((k for k in call.keywords if k is not flag), None)
        return self.edit(self.start(flag), self.start(following) if following is not None else self.end(flag), "")


def python_source(sources: Sources, path: str) -> PythonSource | None:
    """The parsed file of a path; None where it does not parse or is nested too deeply."""
    known = sources.parsed.get(path)
    if known is None:
        data = sources.read(path)
        if data is None:
            return None
        try:
            known = PythonSource(path, data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two of code that is nested too deeply
            return None
        sources.parsed[path] = known
    assert isinstance(known, PythonSource)
    return known


def text_of(node: ast.expr | None) -> str | None:
    """The text that a literal holds."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def word_of(call: ast.Call) -> str:
    """The name of what is called, without what it is taken from; empty where it has none."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def assigned(body: Sequence[ast.stmt], name: str) -> ast.expr | None:
    """What a name is given in a body."""
    for node in reversed(body):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return node.value
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return node.value
    return None
