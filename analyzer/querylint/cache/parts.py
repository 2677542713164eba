"""Parts of lowered projects in files of their own, one a project: bytes behind a checksum, and behind a sign of the code that made them.

The checksum finds damage only. That nobody else has written the file is for `place` to see to, and a digest of megabytes would take longer
than all that is done with them.
"""

from __future__ import annotations

import os
import sys
from binascii import crc32
from functools import cache
from importlib.machinery import PathFinder

from querylint import __version__
from querylint.cache import place
from querylint.cache.digest import SIZE, digest

MAGIC = b"querylint parts 2\n"
CHECKSUM = 4
SUFFIX = ".parts"
MOST_BYTES = 256_000_000
MOST_PROJECTS = 16
PARSERS = ("tree_sitter", "tree_sitter_typescript")


def load(folder: str, root: str) -> memoryview | None:
    """What was kept of the project below a root; None where nothing was, or other code kept it."""
    data = place.load(_path(folder, root), MOST_BYTES)
    middle = len(MAGIC) + SIZE
    start = middle + CHECKSUM
    if data is None or not data.startswith(MAGIC) or data[len(MAGIC) : middle] != _code(__version__):
        return None
    body = memoryview(data)[start:]
    return body if _checksum(body) == data[middle:start] else None


def save(folder: str, root: str, body: bytes) -> None:
    """Keep parts for the next run; where that cannot be done, it has to make them anew."""
    if len(body) < MOST_BYTES - 1000:
        place.save(_path(folder, root), (MAGIC, _code(__version__), _checksum(body), body), SUFFIX, MOST_PROJECTS)


def _checksum(body: bytes | memoryview) -> bytes:
    return crc32(body).to_bytes(CHECKSUM, "little")


def _path(folder: str, root: str) -> str:
    return os.path.join(folder, digest(os.fsencode(root)).hex() + SUFFIX)


@cache  # a run goes on with the code that it has loaded
def _code(version: str) -> bytes:
    """A sign of the code that lowers: this package as it lies on the disk, its parsers, and the interpreter (whose `marshal` writes)."""
    found = [version, sys.version]
    found += stamps(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for name in PARSERS:
        spec = PathFinder.find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            found += stamps(folder, (".py", ".so", ".pyd"))
    return digest("\n".join(found).encode("utf-8", "surrogateescape"))


def stamps(folder: str, endings: tuple[str, ...] = (".py",)) -> list[str]:
    """The code below a folder as it looks from outside: each file with its size and its time."""
    found = []
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.is_dir():
                    waiting.append(entry.path)
                elif entry.name.endswith(endings):
                    status = entry.stat()
                    found.append(f"{entry.path} {status.st_size} {status.st_mtime_ns}")
    return found
