"""Types written in Python: which class an annotation names, alone or inside a list, an option, a queryset."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from querylint.frontends.flow.values import EITHER, NOTHING, ClassRef, Many, Val, many
from querylint.syntax import tree
from querylint.syntax.python.module import NOWHERE

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

COLLECTIONS = frozenset(
    "list List Sequence Iterable Iterator Collection set Set frozenset FrozenSet Generator AsyncIterator AsyncIterable AsyncGenerator "
    "MutableSequence deque".split()
)
MAPS = frozenset("dict Dict Mapping MutableMapping defaultdict OrderedDict DefaultDict".split())
OPEN = frozenset("Optional Annotated ClassVar Final Required NotRequired ReadOnly Awaitable Coroutine Type type InitVar".split())


class Annotations:
    """The types of a project, each read once."""

    def __init__(self, project: PythonProject) -> None:
        self.project = project
        self._known: dict[tuple[str, str], Val] = {}

    def value(self, path: str, text: str) -> Val:
        """A value of the type that a text names in a module; nothing is known of it where the type says nothing."""
        key = (path, text)
        if key not in self._known:
            self._known[key] = NOTHING
            try:
                node = ast.parse(text.strip(), NOWHERE, "eval").body
            except (SyntaxError, ValueError):
                return NOTHING
            self._known[key] = self._read(path, node)
        return self._known[key]

    def _read(self, path: str, node: ast.expr) -> Val:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.value(path, node.value)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._named(path, node, ())
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            left, right = self._read(path, node.left), self._read(path, node.right)
            return left if not known(right) else right if not known(left) else NOTHING
        if isinstance(node, ast.Subscript):
            return self._subscript(path, node)
        return NOTHING

    def _subscript(self, path: str, node: ast.Subscript) -> Val:
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id if isinstance(node.value, ast.Name) else ""
        values = tuple(self._read(path, part) for part in parts)
        if name in COLLECTIONS:
            return Val(shape=Many(values[0]))
        if name in ("tuple", "Tuple"):
            return Val(shape=Many(values[0])) if len(parts) == 2 and isinstance(parts[1], ast.Constant) else many(values)
        if name in MAPS:
            return Val(shape=Many(values[-1], None, True))
        if name in OPEN:
            return values[-1] if name == "Coroutine" else values[0]
        if name == "Union":
            found = [v for v in values if known(v)]
            return found[0] if len(found) == 1 else NOTHING
        return self._named(path, node.value, values)

    def _named(self, path: str, node: ast.expr, args: tuple[Val, ...]) -> Val:
        dotted = _dotted(node)
        if not dotted:
            return NOTHING
        head, *rest = dotted.split(".")
        expr: tree.Expr = tree.Name(head, 0, 0)
        for part in rest:
            expr = tree.Member(expr, part, 0, 0, 0)
        found = self.project.modules.reference(path, expr)
        if found is None:
            return NOTHING
        if found.external:
            for stack in self.project.stacks:
                made = stack.annotated(found.external, args)
                if made is not None:
                    return made
            return NOTHING
        if isinstance(found.node, tree.ClassDef):
            return self.project.object(found.path, found.name)
        return NOTHING


def known(val: Val) -> bool:
    """Whether a type says anything."""
    return (val.shape is not None and val.shape is not EITHER) or val.doc_of is not None


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


__all__ = ["Annotations", "ClassRef", "known"]
