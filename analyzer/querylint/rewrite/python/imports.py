"""Names that an edit needs, and the imports that bring them into a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

import libcst as cst

from querylint.construction import dataclass
from querylint.patch import TextEdit
from querylint.rewrite.python.calls import behind
from querylint.rewrite.python.concrete import Tree, name


@dataclass(frozen=True, slots=True)
class Brought:
    """How a name is called in a file, and the edit that brings it there if it is not there yet."""

    local: str
    edits: tuple[TextEdit, ...] = ()


@dataclass(slots=True)
class Names:
    """The names that an edit needs, and what brings them into the file."""

    tree: Tree
    edits: list[TextEdit] = field(default_factory=list)

    def of(self, module: str, wanted: str) -> str | None:
        """How a name of a module is called here; None where that cannot be."""
        found = bring(self.tree, module, wanted)
        if found is None:
            return None
        self.edits += [edit for edit in found.edits if edit not in self.edits]
        return found.local


def bring(tree: Tree, module: str, wanted: str) -> Brought | None:
    """A name of a module; None where the file calls something else so."""
    found = _imported(tree, module, wanted)
    if found:
        return Brought(found)
    if wanted in tree.names:
        return None
    statements = list(top_imports(tree))
    for _, clause in statements:
        if isinstance(clause, cst.ImportFrom) and module_of(clause) == module and not isinstance(clause.names, cst.ImportStar):
            return Brought(wanted, (_listed(tree, clause, wanted),))
    at = _line(tree, module, statements)
    return Brought(wanted, (tree.edit(at, at, f"from {module} import {wanted}\n", shared=True),))


def _line(tree: Tree, module: str, statements: list[tuple[cst.SimpleStatementLine, cst.Import | cst.ImportFrom]]) -> int:
    """Where an import of a module belongs: among those of its package, in their order."""
    package = module.partition(".")[0]
    same = [(s, module_of(c)) for s, c in statements if isinstance(c, cst.ImportFrom) and module_of(c).partition(".")[0] == package]
    later = next((s for s, other in same if other > module), None)
    if later is not None:
        return tree.line_start(tree.start(later))
    if not statements:
        return _head(tree)
    return tree.next_line(tree.end(same[-1][0] if same else statements[-1][0]))


def _rank(wanted: str) -> tuple[int, str]:
    """Where a name stands in a sorted list: constants, classes, the rest."""
    return (0 if wanted.isupper() and len(wanted) > 1 else 1 if wanted[:1].isupper() else 2), wanted.lower()


def top_imports(tree: Tree) -> Iterator[tuple[cst.SimpleStatementLine, cst.Import | cst.ImportFrom]]:
    """The imports at the top level of a file."""
    for statement in tree.module.body:
        if isinstance(statement, cst.SimpleStatementLine):
            for part in statement.body:
                if isinstance(part, cst.Import | cst.ImportFrom):
                    yield statement, part


def module_of(clause: cst.ImportFrom) -> str:
    """The module that names are taken from, as it is written."""
    return "." * len(clause.relative) + (name(clause.module) if clause.module is not None else "")


def _imported(tree: Tree, module: str, wanted: str) -> str:
    """What a name of a module is called in a file, empty where it is not imported."""
    parent, _, last = module.rpartition(".")
    for _, clause in top_imports(tree):
        if isinstance(clause, cst.ImportFrom):
            for alias in clause.names if not isinstance(clause.names, cst.ImportStar) else ():
                if module_of(clause) == module and alias.name.value == wanted:
                    return local_name(alias)
                if parent and module_of(clause) == parent and alias.name.value == last:
                    return f"{local_name(alias)}.{wanted}"
            continue
        for alias in clause.names:
            if name(alias.name) == module:
                return f"{local_name(alias) if alias.asname is not None else module}.{wanted}"
    return ""


def local_name(alias: cst.ImportAlias) -> str:
    """What an imported name is called in the file."""
    return name(alias.asname.name) if alias.asname is not None else name(alias.name)


def _listed(tree: Tree, clause: cst.ImportFrom, wanted: str) -> TextEdit:
    listed = clause.names
    assert not isinstance(listed, cst.ImportStar)
    ranks = [_rank(name(alias.name)) for alias in listed]
    later = next((alias for alias, rank in zip(listed, ranks, strict=True) if rank > _rank(wanted)), None)
    if later is not None and ranks == sorted(ranks):
        start = tree.start(later)
        apart = not tree.data[tree.line_start(start) : start].strip()
        return tree.edit(start, start, f"{wanted},\n{tree.indent(start)}" if apart else f"{wanted}, ", shared=True)
    last = listed[-1]
    end = tree.end(last.asname if last.asname is not None else last.name)
    return behind(tree, (tree.start(last), end), tree.end(clause) - 1, [wanted], shared=True)


def _head(tree: Tree) -> int:
    """Where the first statement may stand: behind the docstring."""
    body = tree.module.body
    if body and tree.module.get_docstring() is not None:
        return tree.next_line(tree.end(body[0]))
    return tree.start(body[0]) if body else len(tree.data)
