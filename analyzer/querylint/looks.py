"""What one look at a project leaves for the next: parts on the disk of the user's cache, files and edits in the memory of one run."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from querylint import discover
from querylint.cache import place
from querylint.construction import dataclass
from querylint.frontends.kept import KeptParts
from querylint.result import Note


@dataclass(slots=True)
class Disk:
    """What lies on the disk, and what rewriters made of it, for the looks of one run while nobody else changes the disk.

    `read` holds files as they were read, each with the note that it left; `parsed` what rewriters made of files.
    """

    read: dict[str, tuple[bytes | None, Note | None]] = field(default_factory=dict)
    found: discover.Discovery | None = None
    parsed: dict[str, object] = field(default_factory=dict)


def kept_of(root: Path) -> KeptParts:
    """The parts that earlier runs have kept of a project, if there are any and the user wants any kept."""
    from querylint.cache import parts

    folder = place.folder()
    data = parts.load(folder, str(root)) if folder is not None else None
    return KeptParts.load(data) if data is not None else KeptParts()


def keep(root: Path, kept: KeptParts) -> None:
    """Keep parts of a project for later runs, unless they have them already."""
    from querylint.cache import parts

    folder = place.folder()
    if folder is not None and kept.grown:
        parts.save(folder, str(root), kept.dump())
