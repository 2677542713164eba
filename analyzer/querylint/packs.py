"""Which packs of rules are installed."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

ENTRY_POINTS = "entry_points.txt"


def packs(group: str) -> set[str]:
    """The packages that are named as entry points of a group.

    `importlib.metadata` knows that too, but loads parsers of mails and archives to say so, which takes longer than to judge a small
    project. It is asked only where packages may be installed in archives, or in a way of their own.
    """
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path):
        return _asked(group)
    found: dict[str, set[str]] = {}
    for folder in dict.fromkeys(sys.path):
        path = folder or os.curdir
        if os.path.isfile(path):
            return _asked(group)
        try:
            names = sorted(name for name in os.listdir(path) if name.endswith((".dist-info", ".egg-info", ".egg")))
        except OSError:
            continue
        for name in names:
            if name.endswith(".egg"):
                return _asked(group)
            package = name.rpartition(".")[0].partition("-")[0].lower().replace(".", "_")
            if package not in found:  # what comes first on the way hides what comes later
                found[package] = _named(os.path.join(path, name, ENTRY_POINTS), group)
    return set().union(*found.values())


def _named(path: str, group: str) -> set[str]:
    """The values in one section of a file of entry points."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError):
        return set()
    found = set()
    inside = False
    for line in lines:
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith("#"):
            found.add(line.partition("=")[2].strip())
    return found


def _asked(group: str) -> set[str]:
    from importlib.metadata import entry_points

    return {point.value for point in entry_points(group=group)}
