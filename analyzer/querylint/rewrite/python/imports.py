"""Names that an edit needs, and the imports that bring them into a file."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import field

import libcst as cst

from querylint.construction import dataclass
from querylint.patch import TextEdit
from querylint.rewrite.python.calls import behind
from querylint.rewrite.python.concrete import Tree, name, walk
from querylint.rewrite.python.scopes import variables

_IMPORT = re.compile(r"(\n?)from (\S+) import (\w+)\n(\n?)")


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

    def taken_from(self, start: int, end: int) -> str:
        """The names that were to be brought into an import, without the edits that would have done so; empty where there are none."""
        mine = [edit for edit in self.edits if start < edit.span.start and edit.span.end <= end]
        self.edits = [edit for edit in self.edits if edit not in mine]
        return ", ".join(sorted({part.strip() for edit in mine for part in edit.text.split(",") if part.strip()}, key=_rank))


def merged(edits: Iterable[TextEdit]) -> tuple[TextEdit, ...]:
    """Edits of which those that insert at the same place are one."""
    found: dict[tuple[int, int], list[TextEdit]] = {}
    for edit in edits:
        found.setdefault((edit.span.start, edit.span.end), []).append(edit)
    return tuple(TextEdit(same[0].span, _joined([e.text for e in same]), all(e.shared for e in same)) for same in found.values())


def _joined(texts: list[str]) -> str:
    """Insertions as one: imports from one module in one statement, names that are added to one in their order."""
    parsed = [m for text in texts if (m := _IMPORT.fullmatch(text)) is not None]
    if len(parsed) < len(texts):
        return "".join(sorted(texts, key=str.lower) if all(text.startswith(",") or text.endswith(", ") for text in texts) else texts)
    modules: dict[str, list[str]] = {}
    for _, module, given, _ in (m.groups() for m in parsed):
        modules.setdefault(module, []).append(given)
    lines = [f"from {module} import {', '.join(sorted(given, key=_rank))}\n" for module, given in sorted(modules.items())]
    return max(m[1] for m in parsed) + "".join(lines) + max(m[4] for m in parsed)


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
    at, before, after = _place(tree, module, statements)
    return Brought(wanted, (tree.edit(at, at, f"{before}from {module} import {wanted}\n{after}", shared=True),))


_Statement = tuple[cst.SimpleStatementLine, cst.Import | cst.ImportFrom]


def _place(tree: Tree, module: str, statements: list[_Statement]) -> tuple[int, str, str]:
    """Where an import of a module belongs, and the blank lines before and after it: among those of its package, else in its section."""
    if not statements:
        return _head(tree), "", ""
    package = module.partition(".")[0]
    alike: list[_Statement] = [(s, c) for s, c in statements if isinstance(c, cst.ImportFrom) and module_of(c).partition(".")[0] == package]
    section = _section(tree, module)
    alike = alike or [(s, c) for s, c in statements if _section(tree, _first(c)) == section]
    if alike:
        later = next((s for s, c in alike if isinstance(c, cst.ImportFrom) and module_of(c).lower() > module.lower()), None)
        return (tree.line_start(tree.start(later)) if later is not None else tree.next_line(tree.end(alike[-1][0]))), "", ""
    following = next((s for s, c in statements if _section(tree, _first(c)) > section), None)
    if following is not None:
        at = tree.line_start(tree.start(following))
        while tree.data[tree.line_start(at - 1) : at].strip().startswith(b"#") and at > _head(tree):
            at = tree.line_start(at - 1)
        return at, "", "\n"
    return tree.next_line(tree.end(statements[-1][0])), "\n", ""


def _first(clause: cst.Import | cst.ImportFrom) -> str:
    """The module that a statement names, the first where it names several."""
    return module_of(clause) if isinstance(clause, cst.ImportFrom) else name(clause.names[0].name)


def _section(tree: Tree, module: str) -> int:
    """The section that an import belongs to, in the order of sections: the future, the standard library, others, the project, relative."""
    package = module.partition(".")[0]
    if not package:
        return 4
    if package == "__future__":
        return 0
    if package in sys.stdlib_module_names:
        return 1
    return 3 if package in tree.path.removesuffix(".py").split("/") else 2


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


def known(tree: Tree, module: str, wanted: str) -> frozenset[str]:
    """All that a name of a module is called in a file; none where it is not imported."""
    return frozenset(_known(tree, module, wanted))


def _imported(tree: Tree, module: str, wanted: str) -> str:
    """What a name of a module is called in a file, empty where it is not imported; by itself rather than through its module."""
    known = list(_known(tree, module, wanted))
    return next((text for text in known if "." not in text), known[0] if known else "")


def _known(tree: Tree, module: str, wanted: str) -> Iterator[str]:
    parent, _, last = module.rpartition(".")
    for _, clause in top_imports(tree):
        if isinstance(clause, cst.ImportFrom):
            for alias in clause.names if not isinstance(clause.names, cst.ImportStar) else ():
                if module_of(clause) == module and alias.name.value == wanted:
                    yield local_name(alias)
                if parent and module_of(clause) == parent and alias.name.value == last:
                    yield f"{local_name(alias)}.{wanted}"
            continue
        for alias in clause.names:
            if name(alias.name) == module:
                yield f"{local_name(alias) if alias.asname is not None else module}.{wanted}"


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


def released(tree: Tree, gone: Iterable[cst.CSTNode], written: Iterable[TextEdit], brought: Names) -> tuple[TextEdit, ...]:
    """What becomes of the imports of names that code which goes away used: those that nothing else needs go, too.

    Another use keeps an import in its place, by an edit that changes nothing: two fixes that each take one of two uses away are then made
    one after the other, of which the second takes the import away. A name that is `brought` into an import that loses its only one takes
    the place of that.
    """
    apart = {n for node in gone for n in walk(node)}
    wanted = {n.value for n in apart if isinstance(n, cst.Name)}
    texts = [edit.text for edit in (*written, *brought.edits)]
    edits: list[TextEdit] = []
    imported = {n for statement, _ in top_imports(tree) for n in walk(statement)}
    used = {n.value for n in variables(tree.module) if n not in apart and n not in imported}
    for statement, clause in top_imports(tree):
        if not isinstance(clause, cst.ImportFrom) or isinstance(clause.names, cst.ImportStar) or tree.path.endswith("__init__.py"):
            continue
        for alias in clause.names:
            local = local_name(alias)
            if local not in wanted or any(re.search(rf"\b{local}\b", text) for text in texts):
                continue
            if local in used or re.search(rb"[\"']" + local.encode() + rb"[\"']", tree.data):
                edits.append(tree.replaced(alias, tree.text(alias)))
            elif len(clause.names) == 1 and (instead := brought.taken_from(*tree.bounds(clause))):
                edits.append(tree.replaced(alias, instead))
            else:
                edits.append(_without(tree, statement, clause, alias))
    return tuple(edits)


def _without(tree: Tree, statement: cst.SimpleStatementLine, clause: cst.ImportFrom, alias: cst.ImportAlias) -> TextEdit:
    """An import without one of its names, or without all of it where that is the only one."""
    assert not isinstance(clause.names, cst.ImportStar)
    if len(clause.names) == 1:
        return tree.edit(tree.line_start(tree.start(statement)), tree.next_line(tree.end(clause)), "")
    number = list(clause.names).index(alias)
    if number + 1 < len(clause.names):
        return tree.edit(tree.start(alias), tree.start(clause.names[number + 1]), "")
    before = clause.names[number - 1]
    return tree.edit(
        tree.end(before.name if before.asname is None else before.asname),
        tree.end(alias.name if alias.asname is None else alias.asname),
        "",
    )
