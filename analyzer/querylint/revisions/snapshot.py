"""Another state of the project laid out in a temporary folder, so that it is analyzed like any other folder."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from querylint.revisions.git import Entry, Repository


@contextmanager
def snapshot(
    repository: Repository, commit: str, root: Path, wanted: Callable[[str], bool], ambient: Collection[str] = ()
) -> Iterator[Path]:
    """The folder that stands for `root` as a commit or the index holds it; it is gone when the context ends.

    `wanted` tells by its path whether a file below the root is needed, or one on the way to it. `ambient` names folders that are seldom
    committed but tell what the folder around them is: they are laid out, empty, wherever the work tree has them.
    """
    from tempfile import TemporaryDirectory  # which loads every way of compressing files

    way = root.relative_to(repository.top).as_posix()
    lead = "" if way == "." else f"{way}/"
    entries = [
        entry for entry in repository.entries(commit) if _concerns(entry.path, lead) and _harmless(entry.path) and wanted(entry.path)
    ]
    with TemporaryDirectory(prefix="querylint-") as name:
        top = Path(name).resolve()
        (top / ".git").mkdir()
        (top / way).mkdir(parents=True, exist_ok=True)
        _fill(top, repository, entries)
        for folder in {posixpath.dirname(entry.path) for entry in entries}:
            for inner in ambient:
                if (repository.top / folder / inner).is_dir():
                    (top / folder / inner).mkdir(exist_ok=True)
        yield top / way


def _fill(top: Path, repository: Repository, entries: list[Entry]) -> None:
    """Write the files, then the links, so that nothing is ever written through a link."""
    for folder in {posixpath.dirname(entry.path) for entry in entries}:
        (top / folder).mkdir(parents=True, exist_ok=True)
    links = []
    for entry, data in repository.contents(entries):
        if entry.link:
            links.append((entry.path, os.fsdecode(data)))
        else:
            (top / entry.path).write_bytes(data)
    for path, target in links:
        if not target.startswith("/") and _harmless(posixpath.normpath(posixpath.join(posixpath.dirname(path), target))):
            (top / path).symlink_to(target)


def _concerns(path: str, lead: str) -> bool:
    """Whether a file lies below the root, or in a folder on the way to it."""
    folder = posixpath.dirname(path)
    return path.startswith(lead) or not folder or lead.startswith(f"{folder}/")


def _harmless(path: str) -> bool:
    parts = path.split("/")
    return bool(path) and not path.startswith("/") and not {"..", ".git", ""}.intersection(parts)
