"""Which contestants meet on which tree."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Contestant
from benchmarks.peers import Peers
from benchmarks.trees import Tree

HERE = Path(sys.executable)
COLD = "querylint, cold"
WARM = "querylint, nothing changed"
CHANGED = "querylint, one file changed"
MOVED = "querylint, one file changed, its functions moved"
EDITED = b"// a line of the benchmark %s\n"


def cold(tree: Tree, python: Path = HERE) -> Contestant:
    """No kept answer."""
    return Contestant(COLD + _whose(python), (*_querylint(python), "--no-cache", "."), tree.path)


def _querylint(python: Path) -> tuple[str, ...]:
    """The command, as an interpreter has it installed."""
    return (str(python.with_name("querylint")), "check", "--format", "concise", "--quiet")


def _whose(python: Path) -> str:
    """The environment of an interpreter, where it is not the one that runs the races."""
    return "" if python == HERE else f" ({python.parent.parent.name})"


def warm(tree: Tree, cache: Path) -> Contestant:
    """The answer of a run before, which is not measured."""
    environment = {"QUERYLINT_CACHE_DIR": str(cache)}
    return Contestant(WARM, (*_querylint(HERE), "."), tree.path, environment, lambda: _asked(tree, environment))


def _asked(tree: Tree, environment: dict[str, str], python: Path = HERE) -> None:
    subprocess.run((*_querylint(python), "."), cwd=tree.path, env={**os.environ, **environment}, check=False, capture_output=True)


def changed(tree: Tree, cache: Path, python: Path = HERE, *, moved: bool = False) -> Contestant:
    """One source has a comment that it had at no run before: at its end, or at its start, which moves all that it holds."""
    source = next(file for file in sorted(tree.path.rglob("*.ts")) if b"ctx.db" in file.read_bytes())
    plain = re.sub(EDITED % rb"\d+", b"", source.read_bytes())
    environment = {"QUERYLINT_CACHE_DIR": str(cache)}
    rounds = itertools.count(1)

    def edit() -> None:
        if not cache.exists():
            _asked(tree, environment, python)
        added = EDITED % str(time.time_ns()).encode()
        source.write_bytes(added * next(rounds) + plain if moved else plain + added)

    name = (MOVED if moved else CHANGED) + _whose(python)
    return Contestant(name, (*_querylint(python), "."), tree.path, environment, edit)


def typescript(tree: Tree, peers: Peers) -> list[Contestant]:
    """The linters of TypeScript."""
    found = []
    if oxlint := peers.tool("oxlint"):
        found.append(Contestant("oxlint (native, default rules)", (oxlint, "."), tree.path))
    if ast_grep := peers.tool("ast-grep"):
        found.append(Contestant("ast-grep (one rule)", (ast_grep, "run", "-p", "$A.collect()", "-l", "ts", "."), tree.path))
    return found


def eslint(tree: Tree, peers: Peers) -> list[Contestant]:
    """ESLint, which takes so long that fewer rounds have to do."""
    command = peers.eslint()
    if command is None:
        return []
    return [Contestant("ESLint + typescript-eslint + Convex plugin", command, tree.path, {"NODE_OPTIONS": "--max-old-space-size=4096"})]


def python(tree: Tree, peers: Peers) -> list[Contestant]:
    """The linters of Python."""
    found = []
    if ruff := peers.tool("ruff"):
        found.append(Contestant("ruff (default rules)", (ruff, "check", "--isolated", "--no-cache", "."), tree.path))
    if djch := peers.tool("djch"):
        found.append(Contestant("djch", (djch, "check"), tree.path))
    if django_lsp := peers.tool("django-lsp"):
        found.append(Contestant("django-lsp check", (django_lsp, "check", "."), tree.path))
    return found


def click(tree: Tree) -> Contestant:
    """What any command line of Python takes to start."""
    return Contestant('python -c "import click"', (sys.executable, "-c", "import click"), tree.path)


def git(tree: Tree) -> Contestant:
    """`git status`."""
    return Contestant("git status", ("git", "status", "--short"), tree.path)
