"""Which contestants meet on which tree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Contestant
from benchmarks.peers import Peers
from benchmarks.trees import Tree

QUERYLINT = (str(Path(sys.executable).with_name("querylint")), "check", "--format", "concise", "--quiet")
COLD = "querylint, cold"
WARM = "querylint, nothing changed"
CHANGED = "querylint, one file changed"
EDITED = b"// a line of the benchmark %s\n"


def cold(tree: Tree) -> Contestant:
    """No kept answer."""
    return Contestant(COLD, (*QUERYLINT, "--no-cache", "."), tree.path)


def warm(tree: Tree, cache: Path) -> Contestant:
    """The answer of a run before, which is not measured."""
    environment = {"QUERYLINT_CACHE_DIR": str(cache)}
    return Contestant(WARM, (*QUERYLINT, "."), tree.path, environment, lambda: _asked(tree, environment))


def _asked(tree: Tree, environment: dict[str, str]) -> None:
    subprocess.run((*QUERYLINT, "."), cwd=tree.path, env={**os.environ, **environment}, check=False, capture_output=True)


def changed(tree: Tree, cache: Path) -> Contestant:
    """One source ends in a comment that it had at no run before."""
    source = next(file for file in sorted(tree.path.rglob("*.ts")) if b"ctx.db" in file.read_bytes())
    plain = re.sub(EDITED % rb"\d+", b"", source.read_bytes())

    def edit() -> None:
        source.write_bytes(plain + EDITED % str(time.time_ns()).encode())

    return Contestant(CHANGED, (*QUERYLINT, "."), tree.path, {"QUERYLINT_CACHE_DIR": str(cache)}, edit)


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
