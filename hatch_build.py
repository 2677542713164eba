"""The build of the wheel. With QUERYLINT_COMPILE=1 in the environment, what a run spends its time in is compiled, by mypyc.

A compiled wheel finds what an interpreted one finds, sooner; it holds the same sources, and beside them the modules made from them. mypyc
is fast where classes are its own. Those that `dataclass` makes are not, since their constructors and comparisons are written at run time.
So each dataclass of the compiled modules is first written out, in a copy (`written_out`).
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = {"querylint": "analyzer", "querylint_rules": "rules", "querylint_templates": "reports_templates"}
"""Where the packages of the wheel lie."""
COMPILED = (
    "querylint/text.py querylint/remedy.py querylint/result.py querylint/rule.py querylint/syntax querylint/ir "
    "querylint/frontends/helpers.py querylint/frontends/kept.py querylint/frontends/lowered.py querylint/frontends/packed.py "
    "querylint/frontends/flow querylint/frontends/modules querylint/frontends/convex querylint/frontends/templates "
    "querylint/frontends/python querylint/link querylint/advise querylint_rules"
).split()
"""The modules, and the packages with all their modules, in which nearly all of the time goes by."""
NEEDED = ("mypy>=1.15", "setuptools>=75", "tree-sitter>=0.25,<0.27")
CONSTRUCTION = re.compile(r"^from querylint\.construction import (dataclass|dataclass, replace|replace)$", re.MULTILINE)


class CompiledBuild(BuildHookInterface[Any]):
    """Adds the compiled modules to a wheel, where they are asked for."""

    PLUGIN_NAME = "custom"
    folder: Path | None = None

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling."""
        return [*NEEDED] if asked_for() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless the wheel is one that only points at this checkout."""
        if version == "editable" or not asked_for():
            return
        self.folder = Path(tempfile.mkdtemp(prefix="querylint-compiled-"))
        made = compiled(Path(self.root), self.folder / "packages")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"].update({str(made / name): name for name in libraries(made)})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take what was laid out away."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def asked_for() -> bool:
    """Whether the wheel is to be a compiled one."""
    return os.environ.get("QUERYLINT_COMPILE") == "1"


def compiled(root: Path, folder: Path) -> Path:
    """Lay the packages out in a folder, with compiled modules beside the sources. Raises CalledProcessError where that fails."""
    shutil.rmtree(folder, ignore_errors=True)
    laid_out(root, folder)
    _run(folder, "build_ext").check_returncode()
    return folder


def laid_out(root: Path, folder: Path) -> None:
    """Lay the packages out in a folder, with the dataclasses of what is compiled written out."""
    for package, place in SOURCES.items():
        shutil.copytree(root / place / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in modules(folder):
        path.write_text(written_out(path.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copy(root / "pyproject.toml", folder / "mypy.toml")  # under its own name setuptools would read it too


def translated(folder: Path) -> subprocess.CompletedProcess[str]:
    """Only translate what was laid out into C, which shows what mypyc makes of it."""
    return _run(folder, "")


def _run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    wanted = [str(path.relative_to(folder)) for path in modules(folder)]
    return subprocess.run([sys.executable, __file__, command, *wanted], cwd=folder, check=False, text=True, capture_output=not command)


def modules(folder: Path) -> Iterator[Path]:
    """The sources that are compiled, in order."""
    for name in COMPILED:
        yield from sorted((folder / name).rglob("*.py")) if (folder / name).is_dir() else [folder / name]


def libraries(folder: Path) -> list[str]:
    """The compiled modules in a folder, but for what was left of making them."""
    found = (path.relative_to(folder) for kind in ("*.so", "*.pyd") for path in folder.rglob(kind))
    return sorted(str(path) for path in found if path.parts[0] != "build")


# Writing dataclasses out.


def written_out(text: str) -> str:
    """A module with its dataclasses as plain classes, with the methods that `dataclass` would give them.

    A method that holds nothing but its docstring says what it gives, too: mypyc takes it for abstract, and what its caller does then is
    anything. Raises ValueError for what it cannot do: a class inside another, and a field that may be None and is made anew for each
    object.
    """
    lines = text.splitlines(keepends=True)
    edits: list[tuple[int, int, str]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            options = _options(node)
            if options is not None:
                edits += _plain(node, options)
            edits += _answered(node)
    # Of what comes to one place, what was found last is put there last, and so comes first: the end of a method before that of its class.
    for start, end, new in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        lines[start:end] = [new]
    named = CONSTRUCTION.search(text)
    if named is None:
        return "".join(lines)
    imported = named[1].replace("dataclass", "described")
    return CONSTRUCTION.sub(f"from querylint.native import {imported}", "".join(lines))


def _answered(node: ast.ClassDef) -> Iterator[tuple[int, int, str]]:
    """The edits by which the empty methods of a class return None, unless it is a protocol, whose methods have no bodies."""
    if any("Protocol" in ast.unparse(base) for base in node.bases):
        return
    for item in node.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and len(item.body) == 1 and ast.get_docstring(item) is not None:
            end = item.body[0].end_lineno or item.lineno
            yield end, end, f"{' ' * item.body[0].col_offset}return None\n"


def _options(node: ast.ClassDef) -> Mapping[str, bool] | None:
    """What a class says to `dataclass`; None for one that is no dataclass."""
    for made in node.decorator_list:
        if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == "dataclass":
            return {keyword.arg: ast.literal_eval(keyword.value) for keyword in made.keywords if keyword.arg is not None}
    return None


class _Field:
    """One field of a dataclass, as it is declared."""

    def __init__(self, node: ast.AnnAssign, name: str) -> None:
        self.name = name
        self.type = ast.unparse(node.annotation)
        self.default = ast.unparse(node.value) if node.value is not None else ""
        self.made = ""
        self.init = self.compared = self.shown = True
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "field":
            said = {keyword.arg: keyword.value for keyword in node.value.keywords}
            self.default = ast.unparse(said.pop("default")) if "default" in said else ""
            self.made = _called(said.pop("default_factory")) if "default_factory" in said else ""
            self.init, self.compared, self.shown = (_said(said.pop(word, None)) for word in ("init", "compare", "repr"))
            if said or (self.made and self.init and self.type.endswith("| None")):
                raise ValueError(f"line {node.lineno}: a field that cannot be written out")

    @property
    def parameter(self) -> str:
        """It, as a parameter of the constructor."""
        if self.made:
            return f"{self.name}: {self.type} | None = None"
        return f"{self.name}: {self.type}" + (f" = {self.default}" if self.default else "")

    @property
    def settings(self) -> list[str]:
        """The lines of the constructor that set it."""
        if not self.init:
            return [f"self.{self.name} = {self.made or self.default}"]
        if not self.made:
            return [f"self.{self.name} = {self.name}"]
        return [f"if {self.name} is None:", f"    self.{self.name} = {self.made}", "else:", f"    self.{self.name} = {self.name}"]


def _called(node: ast.expr) -> str:
    return ast.unparse(node.body) if isinstance(node, ast.Lambda) else f"{ast.unparse(node)}()"


def _said(node: ast.expr | None) -> bool:
    return node is None or bool(ast.literal_eval(node))


def _plain(node: ast.ClassDef, options: Mapping[str, bool]) -> Iterator[tuple[int, int, str]]:
    """The edits that make a plain class of a dataclass: lines from, lines to, and what comes there."""
    if node.col_offset:
        raise ValueError(f"line {node.lineno}: a dataclass inside another thing")
    fields: list[_Field] = []
    last = node.body[0].lineno - 1
    for item in node.body:
        if (
            isinstance(item, ast.AnnAssign)
            and isinstance(item.target, ast.Name)
            and not ast.unparse(item.annotation).startswith("ClassVar")
        ):
            fields.append(_Field(item, item.target.id))
            yield item.lineno - 1, item.end_lineno or item.lineno, f"    {item.target.id}: {fields[-1].type}\n"
        if not isinstance(item, ast.AnnAssign | ast.Assign | ast.Expr):
            break
        last = item.end_lineno or item.lineno
    first = min(decorator.lineno for decorator in node.decorator_list)
    yield first - 1, node.lineno - 1, ""
    rows = "".join(f"({f.name!r}, {f.type!r}, {f.init}), " for f in fields)
    yield node.end_lineno or node.lineno, node.end_lineno or node.lineno, f"\n\ndescribed({node.name}, ({rows}))\n"
    own = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    yield last, last, "".join(f"    {line}\n" for line in _methods(node.name, fields, own, options))


def _methods(name: str, fields: list[_Field], own: set[str], options: Mapping[str, bool]) -> Iterator[str]:
    compared = [f.name for f in fields if f.compared]
    if fields:
        yield f"def __init__(self, {', '.join(f.parameter for f in fields if f.init)}) -> None:"
        for f in fields:
            yield from (f"    {line}" for line in f.settings)
        if "__post_init__" in own:
            yield "    self.__post_init__()"
    if options.get("eq", True):
        if "__eq__" not in own:
            yield "def __eq__(self, other: object) -> bool:"
            yield "    if type(other) is not type(self):"
            yield "        return NotImplemented"
            yield f"    assert isinstance(other, {name})"
            yield "    return " + (" and ".join(f"self.{field} == other.{field}" for field in compared) or "True")
        if "__hash__" not in own and options.get("frozen"):
            yield "def __hash__(self) -> int:"
            yield f"    return hash({_tuple('self', compared)})"
    if options.get("order"):
        for method, sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">=")):
            yield f"def __{method}__(self, other: {name}) -> bool:"
            yield f"    return {_tuple('self', compared)} {sign} {_tuple('other', compared)}"
    if "__repr__" not in own:
        yield "def __repr__(self) -> str:"
        yield f'    return f"{name}({", ".join(f"{f.name}={{self.{f.name}!r}}" for f in fields if f.shown)})"'


def _tuple(owner: str, names: list[str]) -> str:
    return "(" + "".join(f"{owner}.{name}, " for name in names) + ")"


# Compiling: a process of its own, in the folder of the copy.


def main(command: str, names: list[str]) -> None:
    """Translate the modules of those names, and do what a command of setuptools says with them."""
    from concurrent.futures import ThreadPoolExecutor

    from mypyc.build import mypycify
    from setuptools import setup
    from setuptools.command.build_ext import build_ext

    class BuildAtOnce(build_ext):
        """Compiles the sources of a library on all processors at once."""

        def build_extensions(self) -> None:
            one_by_one = self.compiler.compile

            def compile_all(sources: list[str], *args: Any, **keywords: Any) -> list[str]:
                with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                    return [made for done in pool.map(lambda source: one_by_one([source], *args, **keywords), sources) for made in done]

            self.compiler.compile = compile_all
            super().build_extensions()

    sys.path.insert(0, os.getcwd())
    extensions = mypycify(
        ["--config-file=mypy.toml", *names], opt_level=os.environ.get("MYPYC_OPT_LEVEL", "2"), debug_level="0", multi_file=True
    )
    if command:
        given = ["--quiet", command, "--inplace"]
        setup(name="querylint", ext_modules=extensions, cmdclass={"build_ext": BuildAtOnce}, script_args=given)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
