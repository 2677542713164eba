"""One Python file as its author wrote it: libcst's tree, with comments and spaces, by place in bytes."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterator
from functools import cache, cached_property, lru_cache

import libcst as cst

from querylint.patch import TextEdit
from querylint.rewrite import Sources, Task, Unfit
from querylint.rewrite.file import File
from querylint.rewrite.python.spans import spans_of
from querylint.text import Span

_SPACE = re.compile(
    r"whitespace|^(?:lpar|rpar|lbracket|rbracket|lbrace|rbrace|comma|semicolon|newline|leading_lines|lines_after|header|footer)"
)
_PLAIN = frozenset({str, bool, int, type(None), cst.MaybeSentinel})
UNPARSED = "its file does not parse, or its code is nested too deeply"
SPLIT = "the place of the finding is not an expression by itself"
_ENDLESS = re.compile(rb"(?:\.[ \t]*+\w++[ \t]*+){1000}")
"""A name of so many parts, each of which is a level to libcst: to Python's own parser one in an import has no depth, and passes."""
_ROOM = 256 * 1024 * 1024
"""Bytes of stack for libcst's parser, which is native and ends the process where it runs out: enough for what Python's own lets pass."""
_LONG_QUOTES = re.compile(rb"\"\"\"|\'\'\'")
_BOM = b"\xef\xbb\xbf"


class Tree(File):
    """A parsed file. Raises ValueError for one that does not parse, is not in UTF-8 or is nested too deeply."""

    def __init__(self, path: str, data: bytes) -> None:
        super().__init__(path, data)
        if _ENDLESS.search(data):
            raise ValueError(UNPARSED)
        try:
            self.module = _with_room(data)
        except (cst.ParserSyntaxError, SyntaxError) as error:  # the latter where the first lines are in no encoding that they name
            raise ValueError(str(error)) from error
        if self.module.encoding not in ("utf-8", "utf-8-sig"):
            raise ValueError(self.module.encoding)
        self._skipped = len(_BOM) if data.startswith(_BOM) else 0
        try:
            self._spans = spans_of(self.module)
        except (RecursionError, KeyError):  # a sum of some hundred terms is as deep; libcst may end by its own `finally` then
            raise ValueError(UNPARSED) from None

    def bounds(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where a node begins and ends, without the brackets, comments and spaces around it."""
        start, end = self._spans[id(node)]
        return start + self._skipped, end + self._skipped

    def placed(self, node: cst.CSTNode) -> bool:
        """Whether a node has a place of its own."""
        return id(node) in self._spans

    def start(self, node: cst.CSTNode) -> int:
        """Where a node begins."""
        return self.bounds(node)[0]

    def end(self, node: cst.CSTNode) -> int:
        """Where a node ends."""
        return self.bounds(node)[1]

    @cached_property
    def _variables(self) -> frozenset[cst.Name]:
        """Every place that names a variable."""
        nodes = list(walk(self.module))
        apart = {n.attr for n in nodes if isinstance(n, cst.Attribute)} | {n.keyword for n in nodes if isinstance(n, cst.Arg)}
        return frozenset(n for n in nodes if isinstance(n, cst.Name) and n not in apart)

    @cached_property
    def functions(self) -> tuple[cst.FunctionDef, ...]:
        """Every function that the file defines, whatever it stands in."""
        return tuple(n for n in walk(self.module) if isinstance(n, cst.FunctionDef))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every variable that the file names."""
        return frozenset(n.value for n in self._variables)

    def taken(self, scope: cst.CSTNode) -> frozenset[str]:
        """The names that a new variable of a function cannot have: those that it uses, and those of the file's top level."""
        if not isinstance(scope, cst.FunctionDef):
            return self.names
        apart = [s for s in self.module.body if isinstance(s, cst.FunctionDef | cst.ClassDef)]
        elsewhere = {n for statement in apart for n in walk(statement)} - set(walk(scope))
        return frozenset({n.value for n in self._variables - elsewhere} | {s.name.value for s in apart})

    def text(self, node: cst.CSTNode) -> str:
        """The source of a node, its line ends as `\\n`."""
        start, end = self.bounds(node)
        return self.between(start, end)

    def between(self, start: int, end: int) -> str:
        """The source between two byte offsets, its line ends as `\\n`."""
        return self.data[start:end].decode().replace("\r\n", "\n")

    def outer(self, node: cst.BaseExpression) -> tuple[int, int]:
        """Where an expression begins and ends with the brackets around it."""
        start, end = self.bounds(node)
        if node.lpar:
            start = self.start(node.lpar[0])
            end = self.end(node.rpar[-1])
        return start, end

    def way(self, start: int, end: int) -> list[cst.CSTNode]:
        """The nodes that cover a stretch, the module first."""
        found: list[cst.CSTNode] = [self.module]
        while True:
            inner = next((child for child in children(found[-1]) if self._covers(child, start, end)), None)
            if inner is None:
                return found
            found.append(inner)

    def _covers(self, node: cst.CSTNode, start: int, end: int) -> bool:
        if id(node) not in self._spans:
            return False
        mine, last = self.outer(node) if isinstance(node, cst.BaseExpression) else self.bounds(node)
        return mine <= start and end <= last and mine < last

    def expression(self, start: int, most: int) -> tuple[cst.BaseExpression, list[cst.CSTNode]] | None:
        """The longest expression that begins at a place and does not end after another, and what it stands in, the module first."""
        way = self.way(start, start + 1)
        for number, node in enumerate(way):
            if isinstance(node, cst.BaseExpression) and self.start(node) == start and self.end(node) <= most:
                return node, way[:number]
        return None

    def exactly(self, span: Span) -> tuple[cst.BaseExpression, list[cst.CSTNode]] | None:
        """The expression of a place, and what it stands in."""
        found = self.expression(span.start, span.end)
        return found if found is not None and self.end(found[0]) == span.end else None

    def replaced(self, node: cst.CSTNode, text: str) -> TextEdit:
        """An edit that puts a text in the place of a node."""
        return self.edit(*self.bounds(node), text)

    def quoted(self, text: str) -> str:
        """A text between the quotation marks that the file prefers."""
        plain = _LONG_QUOTES.sub(b"", self.data)
        mark = "'" if plain.count(b"'") > plain.count(b'"') else '"'
        return f"{mark}{text}{mark}"

    def line_start(self, offset: int) -> int:
        """Where the line of an offset begins."""
        return self.data.rfind(b"\n", 0, offset) + 1

    def next_line(self, offset: int) -> int:
        """Where the line after that of an offset begins."""
        end = self.data.find(b"\n", offset)
        return len(self.data) if end < 0 else end + 1


def _with_room(data: bytes) -> cst.Module:
    """A file parsed in a thread of its own, with more stack than a program begins with. Raises ParserSyntaxError or, for its encoding,
    SyntaxError.
    """
    made: list[cst.Module] = []
    failed: list[Exception] = []

    def parse() -> None:
        try:
            made.append(cst.parse_module(data))
        except Exception as error:  # raised again where it is waited for
            failed.append(error)

    usual = threading.stack_size(_ROOM)
    try:
        thread = threading.Thread(target=parse)
        thread.start()
    finally:
        threading.stack_size(usual)
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


@lru_cache(maxsize=24)
def _parsed(path: str, data: bytes) -> Tree | None:
    """Findings come file by file, so that few trees are wanted at a time; each takes some megabytes."""
    try:
        return Tree(path, data)
    except ValueError:
        return None


def tree_of(sources: Sources, path: str) -> Tree | None:
    """The parsed file of a path; None where it does not parse or is nested too deeply."""
    data = sources.read(path)
    return _parsed(path, data) if data is not None else None


def read_of(task: Task, loop: Span) -> tuple[Tree, cst.BaseExpression, list[cst.CSTNode]] | Unfit:
    """The file, the expression of the finding and the way to it, for a read that a loop of the same file repeats."""
    tree = tree_of(task.sources, task.found.span.path)
    if tree is None:
        return Unfit(UNPARSED)
    if loop.path != tree.path:
        return Unfit("the loop is in another file than the read")
    place = tree.exactly(task.found.span)
    return Unfit(SPLIT) if place is None else (tree, *place)


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and all below it that is code: neither spaces nor comments."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(children(here))


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What is right below a node and is code."""
    for name in _parts(type(node)):
        held = getattr(node, name)
        kind = type(held)
        if kind in _PLAIN:  # asked first, since libcst's classes are abstract ones, of which to be one is slow to tell
            continue
        if kind is tuple or kind is list:
            yield from held
        elif isinstance(held, cst.CSTNode):
            yield held


@cache
def _parts(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a kind of node that hold code; libcst's own list of children copies every node that it passes."""
    return tuple(f.name for f in dataclasses.fields(kind) if not _SPACE.search(f.name))


def around(way: list[cst.CSTNode], *kinds: type[cst.CSTNode]) -> cst.CSTNode | None:
    """The nearest node of a kind on a way."""
    return next((node for node in reversed(way) if isinstance(node, kinds)), None)


def method(node: cst.CSTNode) -> str:
    """The name of the method that a node calls, empty where it calls none."""
    return node.func.attr.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else ""


def links(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """The expressions of a chain `a.b(...).c[0]`, the longest first."""
    found = [node]
    while True:
        here = found[-1]
        if isinstance(here, cst.Call):
            found.append(here.func)
        elif isinstance(here, cst.Attribute | cst.Subscript):
            found.append(here.value)
        elif isinstance(here, cst.Await):
            found.append(here.expression)
        else:
            return found


def name(node: cst.CSTNode) -> str:
    """A dotted name, empty for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        before = name(node.value)
        return f"{before}.{node.attr.value}" if before else ""
    return ""
