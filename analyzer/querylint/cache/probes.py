"""What an answer depends on, looked at: files, folders, the folders around a project, and links."""

from __future__ import annotations

import os

from querylint.cache.digest import SIZE, digest
from querylint.cache.entry import UNKNOWN, Entry, Filter, Probe, Stamp

RACE = 2_000_000_000
"""Nanoseconds: file systems are no more exact than that about the time of a change."""

MISSING = b"\0" * SIZE
UNREAD = b"\1" * SIZE
"""The digests of a file that is not there, and of one that is there and was not read: too large, no text, no rights."""


def stamp(path: str) -> Stamp | None:
    """How a file or a folder looks from outside; None where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def content(path: str) -> bytes:
    """The digest of what a file holds."""
    try:
        with open(path, "rb", buffering=0) as file:
            return digest(file.read())
    except (OSError, ValueError):
        return MISSING


def listing(path: str, counting: Filter) -> bytes:
    """The digest of the names in a folder that count, with what each is."""
    found = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                name = entry.name
                if entry.is_symlink():
                    found.append(f"{name}\0l{os.readlink(entry.path)}")
                elif entry.is_dir(follow_symlinks=False):
                    if name not in counting.passed:
                        found.append(f"{name}\0d")
                elif counts(name, counting):
                    found.append(f"{name}\0f" if entry.is_file(follow_symlinks=False) else f"{name}\0o")
    except (OSError, ValueError):
        return MISSING
    return digest("\0\0".join(sorted(found)).encode("utf-8", "surrogateescape"))


def counts(name: str, counting: Filter) -> bool:
    """Whether a file of this name makes a difference; one that cannot be printed is always spoken of."""
    return name.rpartition(".")[2] in counting.suffixes or name in counting.names or ".sql." in name or not name.isascii()


def marks(path: str, markers: frozenset[str]) -> bytes:
    """The digest of the names in a folder that make it a project, or part of one."""
    try:
        names = sorted(markers.intersection(os.listdir(path)))
    except (OSError, ValueError):
        return MISSING
    return digest("\0".join(names).encode())


def holds(entry: Entry, now: int) -> bool:
    """Whether all that an answer depends on is as it was. Stamps of what only looks changed are brought up to date."""
    return (
        all(os.path.realpath(path) == real for path, real in entry.links)
        and all(marks(probe.path, entry.markers) == probe.digest for probe in entry.ancestors)
        and all(_folder_holds(probe, entry.filter, now) for probe in entry.folders)
        and all(_file_holds(probe, now) for probe in entry.files)
    )


def _folder_holds(probe: Probe, counting: Filter, now: int) -> bool:
    seen = stamp(probe.path)
    if seen == probe.stamp:
        return True
    if listing(probe.path, counting) != probe.digest:
        return False
    probe.stamp = settled(seen, now)
    return True


def _file_holds(probe: Probe, now: int) -> bool:
    seen = stamp(probe.path)
    if seen is None:
        return probe.digest == MISSING
    if seen == probe.stamp:
        return True
    if probe.digest in (MISSING, UNREAD) or content(probe.path) != probe.digest:
        return False
    probe.stamp = settled(seen, now)
    return True


def settled(seen: Stamp | None, now: int) -> Stamp:
    """A stamp that can be relied on: that of something that changed within the last two seconds may hide a further change."""
    return UNKNOWN if seen is None or max(seen[1], seen[2]) > now - RACE else seen
