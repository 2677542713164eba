"""The trees that are read: public packages as their authors published them, and copies of them up to a size."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CONVEX = (
    "@convex-dev/agent", "@convex-dev/aggregate", "@convex-dev/workflow", "@convex-dev/workpool", "@convex-dev/rate-limiter",
    "@convex-dev/migrations", "@convex-dev/action-cache", "@convex-dev/persistent-text-streaming", "@convex-dev/presence",
    "@convex-dev/prosemirror-sync", "@convex-dev/r2", "@convex-dev/rag", "@convex-dev/resend", "@convex-dev/sharded-counter",
)  # fmt: skip
"""npm packages that ship the sources of their Convex functions."""

BESIDE = (
    "viem", "ox", "effect", "rxjs", "@wagmi/core", "wagmi", "@reduxjs/toolkit", "@trpc/server", "@trpc/client", "@tanstack/router-core",
    "@tanstack/react-router", "@tanstack/query-core", "@tanstack/react-query",
)  # fmt: skip
"""npm packages that ship their TypeScript and have nothing to do with Convex."""

DJANGO = ("django-oscar", "wagtail")
"""PyPI packages that are whole Django applications."""

BUILT = ("dist", "node_modules", "build", "esm", "cjs", "_esm", "_cjs", "_types")
COMPILED = frozenset(("esm5", "esm2015", "umd"))
CODE = frozenset((".ts", ".tsx", ".js", ".jsx", ".mts", ".mjs", ".cts", ".cjs", ".py"))
LINTERS = ("eslint.config.", ".eslintrc", ".oxlintrc", "ruff.toml", ".ruff.toml", "biome.json")


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder of sources, and how many files and lines of code it holds."""

    name: str
    path: Path
    files: int
    lines: int


def tree(name: str, path: Path) -> Tree:
    """A folder, counted."""
    sources = [file for file in path.rglob("*") if file.suffix in CODE and file.is_file() and not set(BUILT) & set(file.parts)]
    return Tree(name, path, len(sources), sum(file.read_bytes().count(b"\n") for file in sources))


def convex(folder: Path) -> Tree:
    """The sources of the components that Convex publishes, each as an application of its own."""
    made = folder / "convex-components"
    if not made.exists():
        for package in CONVEX:
            _unpacked(_packed_by_npm(package, folder / "packages"), made / package.rpartition("/")[2])
        _finished(made)
    return tree("Convex components (npm)", made)


def monorepo(folder: Path) -> Tree:
    """The same components among the packages of a larger repository, most of which is none of their business."""
    made = folder / "monorepo"
    if not made.exists():
        for group, packages in (("backend", CONVEX), ("packages", BESIDE)):
            for package in packages:
                name = package.removeprefix("@").replace("/", "-")
                _unpacked(_packed_by_npm(package, folder / "packages"), made / group / name)
        for path in made.rglob("*"):
            if path.is_file() and (path.name.endswith((".d.ts", ".d.mts", ".d.cts")) or path.parts[-2] in COMPILED):
                path.unlink()
        _finished(made)
    return tree("monorepo (npm)", made)


def django(folder: Path) -> Tree:
    """Django applications from PyPI."""
    made = folder / "django-applications"
    if not made.exists():
        packages = folder / "packages"
        packages.mkdir(parents=True, exist_ok=True)
        for package in DJANGO:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", package]
            subprocess.run([*command, "-d", str(packages)], check=True)
            with zipfile.ZipFile(next(packages.glob(f"{package.replace('-', '_')}-*.whl"))) as wheel:
                code = [name for name in wheel.namelist() if ".dist-info/" not in name]  # by which a folder shows that pip has filled it
                wheel.extractall(made / package, code)
        _finished(made)
    return tree("Django applications (PyPI)", made)


def scaled(seed: Tree, files: int, folder: Path) -> Tree:
    """A folder of about so many files: the seed again and again, each copy beside the others."""
    made = folder / f"{seed.path.name}-{files}"
    if not made.exists():
        for number in range(max(1, round(files / seed.files))):
            shutil.copytree(seed.path, made / f"copy{number}", ignore=shutil.ignore_patterns(".git"))
        _finished(made)
    return tree(f"{files // 1000} k files", made)


def _packed_by_npm(package: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True)
    return folder / done.stdout.strip().splitlines()[-1]


def _unpacked(archive: Path, target: Path) -> None:
    """The one folder of an archive, under the name of the target."""
    with tarfile.open(archive) as packed:
        plain = [one for one in packed if one.isreg() and not one.name.startswith("/") and ".." not in one.name.split("/")]
        packed.extractall(target.with_suffix(".part"), plain)
    (inner,) = target.with_suffix(".part").iterdir()
    inner.rename(target)
    target.with_suffix(".part").rmdir()


def _finished(made: Path) -> None:
    """A repository of its own, without what is built from its sources and what tells linters how to look at it: all are to look alike."""
    for path in sorted(made.rglob("*"), reverse=True):
        if path.is_dir() and path.name in BUILT:
            shutil.rmtree(path)
        elif path.is_file() and path.name.startswith(LINTERS):
            path.unlink()
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "the tree")):
        subprocess.run(("git", *words), cwd=made, check=True, capture_output=True)
