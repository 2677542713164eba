"""Classes of tables by the name that a file knows them by, imported where that leads in no circle."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator

import libcst as cst

from querylint.ir import Function, Table
from querylint.rewrite import Sources, Task
from querylint.rewrite.python.concrete import Tree
from querylint.rewrite.python.imports import Names, local_name, module_of, top_imports

MOST_FILES = 600
_MANAGER = re.compile(rb"^\s+(\w+)\s*(?::[^=\n]+)?=\s*[\w.]*(?:Manager\b|from_queryset\b|as_manager\b)", re.M)
_PLAIN = re.compile(rb"(?:@[^\n]*\n\s*)*class\s+\w+\((?:models\.)?Model\)")
_CLASS = re.compile(rb"\bclass\s+(\w+)")


def class_name(task: Task, tree: Tree, function: Function, table: str | None, names: Names) -> str | None:
    """What the class of a table is called in a file; None where it cannot be named there."""
    declared = task.program.table(function, table)
    span = declared.span if declared is not None else None
    data = task.sources.read(span.path) if span is not None else None
    found = _CLASS.search(data, span.start, span.end) if data is not None and span is not None else None
    if table is not None and declared is not None and span is None:
        return next((local_name(a) for a in _imports_of(tree) if a.name.value == table), None)  # a class of the framework
    if span is None or found is None:
        return None
    wanted = found[1].decode()
    if span.path == tree.path:
        return wanted
    if known := _known(tree, span.path, wanted):
        return known
    root = _root(task.sources, tree)
    if root is None or not span.path.startswith(root):
        return None
    module = _dotted(span.path[len(root) :])
    beside = any(isinstance(c, cst.ImportFrom) and module_of(c) == module for _, c in top_imports(tree))
    if not beside and _reaches(task.sources, root, span.path, tree.path):
        return None
    return names.of(module, wanted)


def plain_manager(task: Task, table: Table) -> bool:
    """Whether the class of a table has the manager that Django gives it, and no other, as far as the class itself says."""
    text = _text(task, table)
    return _PLAIN.match(text) is not None and _MANAGER.search(text) is None


def default_manager(task: Task, table: Table | None) -> str:
    """What the class of a table calls the manager that Django takes by itself."""
    text = _text(task, table)
    own = _MANAGER.search(text)
    first = own[1] if own is not None else b"objects" if _PLAIN.match(text) else b""
    return "objects" if first == b"objects" and b"default_manager_name" not in text else "_default_manager"


def _text(task: Task, table: Table | None) -> bytes:
    """The class of a table as it is written, empty where it is not found."""
    span = table.span if table is not None else None
    data = task.sources.read(span.path) if span is not None else None
    return data[span.start : span.end] if data is not None and span is not None else b""


def carried(sources: Sources, tree: Tree, there: Tree, wanted: str, prefix: str, names: Names) -> str | None:
    """What a name that another file has is called in this one; None where it cannot be named here.

    `prefix` is what this file calls the other one, if it does: through it every name of that can be reached.
    """
    root = _root(sources, there) or _root(sources, tree)
    found = _source(there, wanted, root) if root is not None else None
    if found is not None and root is not None:
        module, original = found
        for _, clause in top_imports(tree):
            if (
                isinstance(clause, cst.ImportFrom)
                and not isinstance(clause.names, cst.ImportStar)
                and _absolute(tree, clause, root) == module
            ):
                for alias in clause.names:
                    if alias.name.value == original:
                        return local_name(alias)
        path = _file(sources, root, module)
        if path is None or path == tree.path or not _reaches(sources, root, path, tree.path):
            return original if path == tree.path else names.of(module, original)
    return f"{prefix}.{wanted}" if prefix else None


def defined(sources: Sources, tree: Tree, wanted: str) -> tuple[str, str] | None:
    """The file of the project that a name of a file is imported from, and its name there."""
    root = _root(sources, tree)
    found = _source(tree, wanted, root) if root is not None else None
    path = _file(sources, root, found[0]) if found is not None and root is not None else None
    return (path, found[1]) if found is not None and path is not None and path != tree.path else None


def _source(tree: Tree, wanted: str, root: str) -> tuple[str, str] | None:
    """The module that a name of a file comes from, and its name there."""
    for _, clause in top_imports(tree):
        if isinstance(clause, cst.ImportFrom) and not isinstance(clause.names, cst.ImportStar):
            for alias in clause.names:
                if local_name(alias) == wanted and isinstance(alias.name, cst.Name):
                    return _absolute(tree, clause, root), alias.name.value
    defined = {s.name.value for s in tree.module.body if isinstance(s, cst.ClassDef | cst.FunctionDef)}
    return (_dotted(tree.path[len(root) :]), wanted) if wanted in defined and tree.path.startswith(root) else None


def _absolute(tree: Tree, clause: cst.ImportFrom, root: str) -> str:
    """The module that names are taken from, from the top."""
    written = module_of(clause)
    module = written.lstrip(".")
    level = len(written) - len(module)
    if not level:
        return module
    package = _dotted(tree.path[len(root) :]).split(".")
    if not tree.path.endswith("/__init__.py"):
        package = package[:-1]
    package = package[: len(package) - level + 1]
    return ".".join([*package, *([module] if module else [])])


def _imports_of(tree: Tree) -> Iterator[cst.ImportAlias]:
    for _, clause in top_imports(tree):
        if isinstance(clause, cst.ImportFrom) and not isinstance(clause.names, cst.ImportStar):
            yield from clause.names


def _known(tree: Tree, path: str, wanted: str) -> str:
    """What the file calls the class already, if it imports it."""
    stem = posixpath.basename(path).removesuffix(".py")
    near = {stem, posixpath.basename(posixpath.dirname(path))}
    for _, clause in top_imports(tree):
        if isinstance(clause, cst.ImportFrom) and not isinstance(clause.names, cst.ImportStar):
            for alias in clause.names:
                if alias.name.value == wanted and module_of(clause).rpartition(".")[2] in near:
                    return local_name(alias)
    return ""


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _root(sources: Sources, tree: Tree) -> str | None:
    """The folder that the absolute imports of a file start from, with a slash; None where it has none into the project."""
    folders = [""]
    for part in posixpath.dirname(tree.path).split("/"):
        if part:
            folders.append(f"{folders[-1]}{part}/")
    for _, clause in top_imports(tree):
        if isinstance(clause, cst.ImportFrom) and not clause.relative and clause.module is not None:
            for folder in reversed(folders):
                if _file(sources, folder, module_of(clause)) is not None:
                    return folder
    return None


def _file(sources: Sources, root: str, module: str) -> str | None:
    base = root + module.replace(".", "/")
    return next((path for path in (f"{base}.py", f"{base}/__init__.py") if sources.read(path) is not None), None)


def _reaches(sources: Sources, root: str, start: str, goal: str) -> bool:
    """Whether loading one file loads another: then neither can import the other at its top. Too many files count as yes."""
    waiting, seen = [start], {start}
    while waiting:
        path = waiting.pop()
        if path == goal or len(seen) > MOST_FILES:
            return True
        for module in _loads(sources, root, path):
            found = _file(sources, root, module)
            if found is not None and found not in seen:
                seen.add(found)
                waiting.append(found)
    return False


def _loads(sources: Sources, root: str, path: str) -> frozenset[str]:
    """The modules that a file imports when it is loaded, with the packages that they lie in."""
    key = f"imports of {path}"
    known = sources.parsed.get(key)
    if known is None:
        data = sources.read(path)
        try:
            package = _dotted(path[len(root) :]).split(".")
            if not path.endswith("/__init__.py"):
                package = package[:-1]
            modules = {m for m in _imports(ast.parse(data or b"").body, package) if m}
            known = frozenset(m.rsplit(".", n)[0] for m in modules for n in range(m.count(".") + 1))
        except (SyntaxError, ValueError):
            known = frozenset()
        sources.parsed[key] = known
    assert isinstance(known, frozenset)
    return known


def _imports(body: list[ast.stmt], package: list[str]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif (isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test)) or isinstance(node, ast.Try):
            yield from _imports([*node.body, *node.orelse], package)
