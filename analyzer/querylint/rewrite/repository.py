"""What git knows of the files that are to be changed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

_LIMIT = 30
"""Seconds after which git is given up on."""


def uncommitted(root: Path, paths: Iterable[str]) -> frozenset[str]:
    """Those of the files whose content no commit holds, which a change would therefore lose. None outside of a repository."""
    wanted = sorted(paths)
    if not wanted:
        return frozenset()
    prefix = _git(root, "rev-parse", "--show-prefix")
    status = _git(root, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching", "--", *wanted)
    if prefix is None or status is None:
        return frozenset()
    inside = prefix.decode("utf-8", "surrogateescape").rstrip("\n")
    named = [entry[3:].decode("utf-8", "surrogateescape") for entry in status.split(b"\0") if entry]
    dirty = {name[len(inside) :] for name in named if name.startswith(inside)}
    return frozenset(path for path in wanted if any(path == name or (name.endswith("/") and path.startswith(name)) for name in dirty))


def _git(root: Path, *args: str) -> bytes | None:
    command = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--literal-pathspecs", *args)
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
