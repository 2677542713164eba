"""Node, and the packages that the lab is made of: where they are, and how to get them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from querylint.errors import LabError

PINNED = {"convex": "1.48.0", "convex-test": "0.0.60"}
"""What `install` installs; esbuild comes with convex."""

OLDEST_NODE = (20, 0)
PERMISSION = (22, 13)
"""The version from which Node's permission model is no experiment."""


@dataclass(frozen=True, slots=True)
class Node:
    """The program, and its version."""

    path: str
    version: tuple[int, ...]

    @property
    def shut_in(self) -> str:
        """The option that takes files, programs and addons away from a process."""
        return "--permission" if self.version >= PERMISSION else "--experimental-permission"


@dataclass(frozen=True, slots=True)
class Packages:
    """The folders in whose `node_modules` the packages lie, and the folder of esbuild itself."""

    convex: Path
    convex_test: Path
    esbuild: Path


def node() -> Node:
    """Node as the PATH has it; raises LabError where there is none that will do."""
    path = shutil.which("node")
    if path is None:
        raise LabError("the functions are run under Node, which is not on the PATH; install Node 20 or newer")
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=30, env=surroundings())
    except (OSError, subprocess.TimeoutExpired):
        raise LabError(f"`{path} --version` gives no answer") from None
    version = tuple(int(part) for part in re.findall(r"\d+", done.stdout)[:3])
    if version < OLDEST_NODE:
        raise LabError(f"Node has to be 20 or newer, which can be shut in; `{path}` is {done.stdout.strip() or 'no Node'}")
    return Node(path, version)


def find(project: Sequence[Path], given: Path | None, kept: Path | None) -> Packages:
    """The packages, in the folders of the project (the nearest first), in the folder that was `given`, or where `install` has `kept` them.

    The project's own convex is taken where convex-test can work with it. Raises LabError, with the command that supplies what is missing.
    """
    named, given = given, given.resolve() if given is not None else None
    if given is not None and not (given / "node_modules").is_dir():
        raise LabError(f"`{named}` holds no node_modules; `npm install --prefix {named} {wanted()}` makes them")
    own = [given] if given is not None else []
    extra = [*own, *([kept] if kept is not None and (kept / "node_modules").is_dir() else [])]
    test = _holding("convex-test", [*own, *project, *extra])
    esbuild = _holding("esbuild", [*extra, *project])
    if test is None or esbuild is None:
        raise LabError(_missing("convex-test" if test is None else "esbuild"))
    least = _least(test / "node_modules/convex-test")
    convex = next((folder for folder in [*project, *extra] if _version(folder / "node_modules/convex") >= least), None)
    if convex is None:
        raise LabError(_missing(f"convex {'.'.join(map(str, least))} or newer"))
    return Packages(convex, test, esbuild / "node_modules/esbuild")


def install(folder: Path) -> None:
    """Put the pinned packages into a folder, by npm, without running any of their scripts; raises LabError."""
    npm = shutil.which("npm")
    if npm is None:
        raise LabError("--install needs npm, which is not on the PATH")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": PINNED}), encoding="utf-8")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"npm could not install {wanted()}: {done.stderr.strip()[-300:] or 'it does not say why'}")


def wanted() -> str:
    """The packages as npm is asked for them."""
    return " ".join(f"{name}@{version}" for name, version in PINNED.items())


def surroundings() -> dict[str, str]:
    """The whole environment of the processes: what Windows cannot start a program without, and nothing else."""
    return {name: os.environ[name] for name in ("SYSTEMROOT", "WINDIR") if name in os.environ}


def _missing(what: str) -> str:
    return (
        f"the package {what} is needed, which is not there; `npm install --save-dev {wanted()}` adds it to the project, and "
        "the option --install keeps it outside of the project, in your cache folder"
    )


def _holding(package: str, folders: Sequence[Path]) -> Path | None:
    return next((folder for folder in folders if (folder / "node_modules" / package / "package.json").is_file()), None)


def _version(package: Path) -> tuple[int, ...]:
    return _numbers(_manifest(package).get("version"))


def _least(convex_test: Path) -> tuple[int, ...]:
    peers = _manifest(convex_test).get("peerDependencies")
    return _numbers(peers.get("convex") if isinstance(peers, dict) else None)


def _manifest(package: Path) -> dict[str, object]:
    try:
        found = json.loads((package / "package.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _numbers(text: object) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3]) if isinstance(text, str) else ()
