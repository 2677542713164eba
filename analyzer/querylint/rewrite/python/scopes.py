"""Names in a stretch of code: which are bound, which are used, which may be changed in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import libcst as cst

from querylint.rewrite.python.concrete import links, method, walk

MUTATORS = frozenset(
    ("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popleft", "popitem", "remove", "reverse", "setdefault",
     "sort", "update")
)  # fmt: skip


def variables(node: cst.CSTNode) -> list[cst.Name]:
    """Every place below a node that names a variable, bound or used."""
    found: list[cst.Name] = []
    apart: set[cst.CSTNode] = set()
    for here in walk(node):
        if isinstance(here, cst.Attribute):
            apart.add(here.attr)
        elif isinstance(here, cst.Arg) and here.keyword is not None:
            apart.add(here.keyword)
        elif isinstance(here, cst.Name) and here not in apart:
            found.append(here)
    return found


@lru_cache(maxsize=1024)
def names(node: cst.CSTNode) -> frozenset[str]:
    """Every variable that is named below a node, bound or used."""
    return frozenset(here.value for here in variables(node))


def bound(node: cst.CSTNode) -> frozenset[str]:
    """The variables that code below a node binds: by assignment, loop, import, `with`, `except`, definition, `del`."""
    found: set[str] = set()
    for here in walk(node):
        if isinstance(here, cst.Assign):
            found |= _in_targets(target.target for target in here.targets)
        elif isinstance(here, cst.AnnAssign | cst.AugAssign | cst.NamedExpr | cst.For | cst.CompFor):
            found |= _in_targets([here.target])
        elif isinstance(here, cst.AsName):
            found |= _in_targets([here.name])
        elif isinstance(here, cst.FunctionDef | cst.ClassDef):
            found.add(here.name.value)
        elif isinstance(here, cst.Del):
            found |= names(here.target)
        elif isinstance(here, cst.ImportAlias):
            found |= names(here.name)
    return frozenset(found)


def _in_targets(targets: Iterable[cst.CSTNode]) -> set[str]:
    return {name for target in targets if not isinstance(target, cst.Attribute | cst.Subscript) for name in names(target)}


def changed(node: cst.CSTNode) -> frozenset[str]:
    """The variables whose values code below a node may change in place: assigned into, or told to by a method of collections."""
    return frozenset(_changed(node))


def _changed(node: cst.CSTNode) -> Iterator[str]:
    for here in walk(node):
        targets: list[cst.BaseExpression] = []
        if isinstance(here, cst.Assign):
            targets = [target.target for target in here.targets]
        elif isinstance(here, cst.AnnAssign | cst.AugAssign | cst.Del):
            targets = [here.target]
        elif isinstance(here, cst.Call) and method(here) in MUTATORS:
            targets = [here.func]
        for target in targets:
            base = links(target)[-1]
            if isinstance(target, cst.Attribute | cst.Subscript) and isinstance(base, cst.Name):
                yield base.value


def fresh(wanted: str, taken: frozenset[str]) -> str:
    """A name that nothing else has."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name


def snake(text: str) -> str:
    """A class's name as that of a variable."""
    out = "".join(f"_{c.lower()}" if c.isupper() and n and not text[n - 1].isupper() else c.lower() for n, c in enumerate(text))
    return out.strip("_").replace("__", "_")
