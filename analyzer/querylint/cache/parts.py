"""Parts of lowered projects in files of their own, one a project: bytes behind a digest, and behind a sign of the code that made them."""

from __future__ import annotations

import os
import sys

from querylint import __version__
from querylint.cache import place
from querylint.cache.digest import SIZE, digest

MAGIC = b"querylint parts 1\n"
SUFFIX = ".parts"
MOST_BYTES = 256_000_000
MOST_PROJECTS = 16
PARSERS = ("tree_sitter", "tree_sitter_typescript", "tree_sitter_python")


def load(folder: str, root: str) -> bytes | None:
    """What was kept of the project below a root; None where nothing was, or other code kept it."""
    data = place.load(_path(folder, root), MOST_BYTES)
    start = len(MAGIC) + 2 * SIZE
    if data is None or not data.startswith(MAGIC) or data[len(MAGIC) : len(MAGIC) + SIZE] != _code():
        return None
    body = data[start:]
    return body if digest(body) == data[len(MAGIC) + SIZE : start] else None


def save(folder: str, root: str, body: bytes) -> None:
    """Keep parts for the next run; where that cannot be done, it has to make them anew."""
    if len(body) < MOST_BYTES - 1000:
        place.save(_path(folder, root), b"".join((MAGIC, _code(), digest(body), body)), SUFFIX, MOST_PROJECTS)


def _path(folder: str, root: str) -> str:
    return os.path.join(folder, digest(os.fsencode(root)).hex() + SUFFIX)


def _code() -> bytes:
    """A sign of the code that lowers: this package as it lies on the disk, its parsers, and the interpreter (whose `marshal` writes)."""
    found = [__version__, sys.version]
    found += stamps(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return digest("\n".join(found).encode("utf-8", "surrogateescape"))


def stamps(folder: str) -> list[str]:
    """The code below a folder as it looks from outside: each file with its size and its time."""
    found = []
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.is_dir():
                    waiting.append(entry.path)
                elif entry.name.endswith(".py"):
                    status = entry.stat()
                    found.append(f"{entry.path} {status.st_size} {status.st_mtime_ns}")
    return found
