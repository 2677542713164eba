"""What a run has looked at, written down beside what it said."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from querylint.cache.entry import UNKNOWN, Entry, Filter, Probe
from querylint.cache.probes import MISSING, UNREAD, content, listing, marks, settled, stamp
from querylint.cache.question import Question

CLOCK = 50_000_000
"""Nanoseconds by which the clock of a file system may be behind ours."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a run printed, and how it ended."""

    stdout: bytes
    stderr: bytes
    code: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run looked at.

    `read` are the digests of the files of the project by path below the `root` (None where a file was not read), `folders` those that were
    walked, `links` the listed files that are links. `settings` are the other files that had a say, there or not. `targets` are the paths
    that the user named. `packages` are the prefixes of the modules whose code made the answer. `markers` are the names that make a folder a
    project, `filter` the names that count in any folder.
    """

    root: str
    read: Mapping[str, bytes | None]
    folders: Collection[str]
    links: Collection[str]
    settings: Collection[str]
    targets: Collection[str]
    packages: Collection[str]
    markers: frozenset[str]
    filter: Filter


def entry(question: Question, said: Said, seen: Seen) -> Entry | None:
    """The answer to keep; None where something changed while the question was being answered."""
    files = [*_sources(seen, question.began), *_others(seen, question.began)]
    if any(probe is None for probe in files):
        return None
    folders = [_folder(path, seen.filter, question.began) for path in _folders(seen)]
    around = [Probe(path, UNKNOWN, marks(path, seen.markers)) for path in sorted(_above((seen.root, *seen.targets, os.getcwd())))]
    links = {path: os.path.realpath(path) for path in (*seen.links, *seen.targets, os.getcwd())}
    known = [probe for probe in files if probe is not None]
    return Entry(
        question.key, said.stdout, said.stderr, said.code, known, folders, around, sorted(links.items()), seen.markers, seen.filter
    )


def _sources(seen: Seen, began: int) -> Iterable[Probe | None]:
    """The files of the project by what was read of them, which must be what is there."""
    for path, what in sorted(seen.read.items()):
        whole = os.path.join(seen.root, path)
        probe = Probe(whole, settled(stamp(whole), began), UNREAD if what is None else what)
        # By content, whatever the stamp: folders can be renamed into place, and clocks of file systems be behind.
        yield probe if what is None or content(whole) == what else None


def _others(seen: Seen, began: int) -> Iterable[Probe | None]:
    """Settings and the code of the tool, which must not have changed since the run began."""
    for path in sorted({*seen.settings, *_code(seen.packages)}):
        now = stamp(path)
        late = now is not None and max(now[1], now[2]) > began - CLOCK
        yield None if late else Probe(path, settled(now, began), MISSING if now is None else content(path))


def _code(packages: Collection[str]) -> set[str]:
    """The files of the packages that were loaded, with the library that the code of a compiled one lies in."""
    return {
        file
        for name, module in list(sys.modules.items())
        if (name.partition(".")[0] in packages or name.endswith("__mypyc")) and isinstance(file := getattr(module, "__file__", None), str)
    }


def _folders(seen: Seen) -> list[str]:
    """The folders of the project, and those that modules may come from."""
    here = os.getcwd()
    project = {os.path.join(seen.root, folder) if folder else seen.root for folder in seen.folders}
    functions = {os.path.join(folder, "convex") for folder in _above((seen.root, *seen.targets))}
    modules = {path for path in sys.path if path and path != here and os.path.isdir(path)}
    packages = {
        folder
        for name in seen.packages
        if (module := sys.modules.get(name)) is not None
        for folder in map(str, getattr(module, "__path__", ()))
    }
    return sorted(project | functions | modules | packages)


def _folder(path: str, counting: Filter, began: int) -> Probe:
    now = stamp(path)
    return Probe(path, settled(now, began), listing(path, counting))


def _above(paths: Iterable[str]) -> set[str]:
    """Folders, and all that they lie in."""
    found: set[str] = set()
    for path in paths:
        here = os.path.realpath(path)
        while here not in found:
            found.add(here)
            here = os.path.dirname(here)
    return found
