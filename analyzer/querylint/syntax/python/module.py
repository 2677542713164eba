"""One Python file as a module of the plain tree."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import warnings

from querylint.syntax import tree
from querylint.syntax.python.places import Places
from querylint.syntax.python.statements import block, imports

OLD = re.compile(rb"(?m)^\s*(?:print\s+[\"'\w]|except\s+[\w.]+\s*,\s*\w+\s*:|raise\s+\w+\s*,\s*[\"'\w]|exec\s+[\"'])")

NOWHERE = os.devnull
"""The name that sources go by in the parser: for the text of an error it opens the file of that name, wherever the process stands."""


class UnreadableError(Exception):
    """A file that does not parse: what to tell the user, and the line."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def lower_module(path: str, source: bytes) -> tree.Module:
    """The file in the plain tree. Raises UnreadableError where it does not parse."""
    try:
        parsed = _parsed(source)
    except SyntaxError as error:
        old = OLD.search(source) is not None
        words = "this file is written in Python 2 and is not analyzed" if old else "syntax error; the file is not analyzed"
        raise UnreadableError(words, error.lineno or 0) from None
    except (ValueError, RecursionError, MemoryError):
        raise UnreadableError("this file cannot be parsed and is not analyzed", 0) from None
    places = Places(source)
    found: list[tree.Import] = []
    body: list[tree.Stmt] = []
    try:
        _gather(places, parsed.body, found, body)
    except RecursionError:
        raise UnreadableError("this file is nested too deeply to be analyzed", 0) from None
    return tree.Module(path, found, [], body)


def _parsed(source: bytes) -> ast.Module:
    """The tree of a source, be it written for a newer Python than the one that runs. Raises what `ast.parse` raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source, NOWHERE)
        except SyntaxError:
            from querylint.syntax.python.newer import older

            written = older(source)
            if written != source:
                with contextlib.suppress(SyntaxError):
                    return ast.parse(written, NOWHERE)
            raise


def _gather(p: Places, nodes: list[ast.stmt], found: list[tree.Import], body: list[tree.Stmt]) -> None:
    """Statements of the top level. What an `if`, a `try` or a `with` around imports, classes and functions declares is declared."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.extend(imports(p, node))
        elif isinstance(node, ast.If | ast.Try | ast.With) and _declares(node):
            _gather(p, node.body, found, body)
            for handler in node.handlers if isinstance(node, ast.Try) else ():
                _gather(p, handler.body, found, body)
            _gather(p, _otherwise(node) if not isinstance(node, ast.With) else [], found, body)
            _gather(p, node.finalbody if isinstance(node, ast.Try) else [], found, body)
        else:
            body.extend(block(p, [node]))


def _otherwise(node: ast.If | ast.Try) -> list[ast.stmt]:
    """The statements of an `else`, without the names that a call imports lazily there: type checkers are told what they stand for.

    `if TYPE_CHECKING: from shop import models`, `else: models = Lazy("shop.models")`.
    """
    if not isinstance(node, ast.If) or not _for_checkers(node.test):
        return node.orelse
    told = {alias.asname or alias.name for n in node.body if isinstance(n, ast.Import | ast.ImportFrom) for alias in n.names}
    return [n for n in node.orelse if not (isinstance(n, ast.Assign) and isinstance(n.value, ast.Call) and _names(n) <= told)]


def _for_checkers(test: ast.expr) -> bool:
    return (test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else "") == "TYPE_CHECKING"


def _names(node: ast.Assign) -> set[str]:
    """The names that an assignment gives a value; something else counts as a name that nothing has."""
    return {target.id if isinstance(target, ast.Name) else "" for target in node.targets}


def _declares(node: ast.If | ast.Try | ast.With) -> bool:
    return any(isinstance(n, ast.Import | ast.ImportFrom | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) for n in ast.walk(node))
