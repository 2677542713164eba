"""Types written in Python: which class an annotation names, alone or inside a list, an option, a queryset."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from querylint.frontends.flow.values import EITHER, NOTHING, ClassRef, Many, Val, many
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.modules import Definition
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.python.module import NOWHERE
from querylint.syntax.questions import callee_name, keyword, last_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

COLLECTIONS = frozenset(
    "list List Sequence Iterable Iterator Collection set Set frozenset FrozenSet Generator AsyncIterator AsyncIterable AsyncGenerator "
    "MutableSequence deque".split()
)
MAPS = frozenset("dict Dict Mapping MutableMapping defaultdict OrderedDict DefaultDict".split())
OPEN = frozenset("Optional Annotated ClassVar Final Required NotRequired ReadOnly Awaitable Coroutine InitVar".split())
CLASSES = frozenset(("Type", "type"))
VARIABLE = "TypeVar"
HEAD = Pattern(r"class\s+\w+\s*\[([^\[\]]*)\]")
LONGEST = 400  # characters of the head of a class


class Annotations:
    """The types of a project, each read once.

    Those of a generic class (`owner`, in whose body they stand) are read for the class of the object at hand (`within`), which may say what
    the type variables stand for.
    """

    def __init__(self, project: PythonProject) -> None:
        self.project = project
        self._known: dict[tuple[str, ...], Val] = {}
        self._within: ClassInfo | None = None
        self._owner: ClassInfo | None = None
        self._generic: dict[tuple[str, str], bool] = {}

    def value(self, path: str, text: str, within: ClassInfo | None = None, owner: ClassInfo | None = None) -> Val:
        """A value of the type that a text names in a module; nothing is known of it where the type says nothing."""
        within, owner = (within, owner) if within is not None and self._is_generic(within) else (None, None)
        key = (path, text, *(f"{one.path}::{one.name}" for one in (within, owner) if one is not None))
        if key not in self._known:
            self._known[key] = NOTHING
            try:
                node = ast.parse(text.strip(), NOWHERE, "eval").body
            except (SyntaxError, ValueError):
                return NOTHING
            before = self._within, self._owner
            self._within, self._owner = within, owner
            try:
                self._known[key] = self._read(path, node)
            finally:
                self._within, self._owner = before
        return self._known[key]

    def _read(self, path: str, node: ast.expr) -> Val:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.value(path, node.value, self._within, self._owner)
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
        if name in CLASSES:
            return self._class(path, parts[0])
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
        found = self._definition(path, node)
        if found is None:
            bound = self._bound(node.id, self._owner) if isinstance(node, ast.Name) else None
            return self.project.object(bound.path, bound.name) if bound is not None else NOTHING
        if found.external:
            for stack in self.project.stacks:
                made = stack.annotated(found.external, args)
                if made is not None:
                    return made
            return NOTHING
        if isinstance(found.node, tree.ClassDef):
            return self.project.object(found.path, found.name)
        bound = self._bound(found.name, self._owner) if _is_variable(found) else None
        return self.project.object(bound.path, bound.name) if bound is not None else NOTHING

    def _class(self, path: str, node: ast.expr) -> Val:
        """What `type[...]` names: a class of the project, or one of those that a type variable may stand for."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value.strip(), NOWHERE, "eval").body
            except (SyntaxError, ValueError):
                return NOTHING
        found = self._definition(path, node)
        if found is not None and isinstance(found.node, tree.ClassDef):
            return Val(shape=ClassRef(found.path, found.name))
        name = _dotted(node)
        bound = self._bound(name, self._owner) if found is None or _is_variable(found) else None
        if bound is not None:
            return Val(shape=ClassRef(bound.path, bound.name))
        above = self._above(name, found)
        if above is None:
            return NOTHING
        info = self.project.classes.get(above.path, above.name) if not above.external else None
        return next((v for stack in self.project.stacks if (v := stack.any_below(info, above.external)) is not None), NOTHING)

    def _is_generic(self, info: ClassInfo) -> bool:
        key = (info.path, info.name)
        if key not in self._generic:
            self._generic[key] = any(
                bool(self._parameters(owner)) or any(isinstance(base, tree.Index) for base in (owner.node.base, *owner.node.more))
                for owner in info.mro()
            )
        return self._generic[key]

    def _above(self, name: str, variable: Definition | None) -> Definition | None:
        """The class that a type variable is bound to: by `TypeVar("Row", bound=Base)`, or in `class Repository[Row: Base]`."""
        if variable is not None and isinstance(variable.node, tree.Call) and _is_variable(variable):
            limit = keyword(variable.node, "bound")
            return self.project.modules.reference(variable.path, _named(limit)) if limit is not None else None
        owners = [self._owner] if self._owner is not None else self._within.mro() if self._within is not None else []
        for owner in owners if variable is None else ():
            limits = self._parameters(owner)
            if name in limits:
                return self.project.modules.reference(owner.path, tree.Name(limits[name], 0, 0)) if limits[name] else None
        return None

    def _bound(self, variable: str, declaring: ClassInfo | None) -> ClassInfo | None:
        """What a type variable of a generic class stands for in the class at hand.

        `Notes(Repository[Note])` says it where it takes after that class; `Kept(Repository[Row])` hands on what it is told itself.
        """
        for below in self._within.mro() if self._within is not None else ():
            for base in (*((below.node.base,) if below.node.base is not None else ()), *below.node.more):
                if not isinstance(base, tree.Index):
                    continue
                generic = self.project.modules.reference(below.path, base.base)
                info = self.project.classes.get(generic.path, generic.name) if generic is not None and not generic.external else None
                if info is None or (declaring is not None and info is not declaring):
                    continue
                given = base.key.items if isinstance(base.key, tree.Array) else [base.key]
                part = next((part for name, part in zip(self._variables(info), given, strict=False) if name == variable), None)
                found = self.project.modules.reference(below.path, part) if part is not None else None
                if found is not None and isinstance(found.node, tree.ClassDef):
                    return self.project.classes.get(found.path, found.name)
                if isinstance(part, tree.Name) and (found is None or _is_variable(found)):
                    return self._bound(part.id, below)
        return None

    def _variables(self, info: ClassInfo | None) -> list[str]:
        """The type variables of a generic class, in their order."""
        if info is None:
            return []
        own = list(self._parameters(info))
        bases = (*((info.node.base,) if info.node.base is not None else ()), *info.node.more)
        indexed = sorted((b for b in bases if isinstance(b, tree.Index)), key=lambda b: last_name(b.base) != "Generic")
        keys = [key for base in indexed[:1] for key in (base.key.items if isinstance(base.key, tree.Array) else [base.key])]
        return own or [last_name(key) for key in keys]

    def _parameters(self, info: ClassInfo) -> dict[str, str]:
        """The type variables that the head of a class declares, each with what it is bound to: `class Repository[Row: Base]`."""
        source = self.project.modules.source(info.path) or b""
        head = HEAD.match(source[info.node.at : info.node.at + LONGEST].decode("utf-8", "replace"))
        parts = (part.partition(":") for part in head[1].split(",")) if head is not None else ()
        return {name.strip(): limit.partition("=")[0].strip() for name, _, limit in parts if name.strip()}

    def _definition(self, path: str, node: ast.expr) -> Definition | None:
        dotted = _dotted(node)
        if not dotted:
            return None
        head, *rest = dotted.split(".")
        expr: tree.Expr = tree.Name(head, 0, 0)
        for part in rest:
            expr = tree.Member(expr, part, 0, 0, 0)
        return self.project.modules.reference(path, expr)


def known(val: Val) -> bool:
    """Whether a type says anything."""
    return (val.shape is not None and val.shape is not EITHER) or val.doc_of is not None


def _is_variable(found: Definition) -> bool:
    return isinstance(found.node, tree.Call) and callee_name(found.node) == VARIABLE


def _named(node: tree.Expr) -> tree.Expr:
    """A class that is named, be it in quotes."""
    return tree.Name(text_of(node), node.at, node.end) if text_of(node) else node


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


__all__ = ["Annotations", "ClassRef", "known"]
