"""The lab set up for a project: what it runs with, and what of a backend goes into a bundle."""

from __future__ import annotations

import os
import re
from pathlib import Path

from querylint import discover
from querylint.cache import place
from querylint.construction import dataclass
from querylint.errors import LabError
from querylint.ir import Kind
from querylint.lab import packages
from querylint.lab.process import Bench, Site
from querylint.project import Project
from querylint.rewrite import LANGUAGES

CODE = re.compile(r"^[^.]+\.[cm]?[jt]sx?$")
NODE = re.compile(rb"^\s*(?:(?://[^\n]*\n|/\*.*?\*/)\s*)*['\"]use node['\"]", re.DOTALL)
RUNNABLE = (Kind.QUERY, Kind.MUTATION, Kind.ACTION)
"""What can be called."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Node, and the folders where packages may be: the one that the user has `given`, and where `--install` has `kept` them."""

    node: packages.Node
    given: Path | None
    kept: Path | None


def tools_of(given: Path | None, *, install: bool) -> Tools:
    """What there is on this machine, after an installation where that is asked for; raises LabError where something is missing."""
    folder = place.folder()
    kept = Path(folder) / "lab" if folder is not None else None
    if install:
        if kept is None:
            raise LabError("the cache folder is turned off; use `npm install --prefix DIR` and --packages DIR instead")
        packages.install(kept)
    return Tools(packages.node(), given, kept)


def bench(project: Project, tools: Tools, root: str) -> Bench:
    """A bench for one backend of a project; raises LabError where a package is missing."""
    top = Path(os.path.realpath(project.scope.root))
    lead = discover.lead(project.scope.root)
    outer = top.parents[lead.count("/") - 1] if lead else top
    around = _upward(top / root, outer)
    return Bench(tools.node, packages.find(around, tools.given, tools.kept), Site(top, root, around))


def modules(project: Project, root: str, *, nodes: bool) -> tuple[str, ...]:
    """The files of a backend that may hold functions; those that Convex runs in Node only where actions are tried."""
    lead = f"{root}/" if root else ""
    found = []
    for path in project.found.files:
        inside = path.startswith(lead) and path.endswith(LANGUAGES["typescript"]) and "_generated/" not in path
        if inside and CODE.match(path.rpartition("/")[2]) and (data := project.read(path)) is not None and (nodes or not NODE.match(data)):
            found.append(path)
    return tuple(found)


def _upward(folder: Path, top: Path) -> tuple[Path, ...]:
    """A folder and those that it lies in, up to the top."""
    above = [folder, *folder.parents]
    return tuple(above[: above.index(top) + 1]) if top in above else (folder,)
