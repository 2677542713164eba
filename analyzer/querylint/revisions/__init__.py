"""What git knows about the project: other states of it, laid out on disk, and the files that differ from them."""

from __future__ import annotations

from querylint.revisions.git import Repository, uncommitted
from querylint.revisions.snapshot import snapshot

__all__ = ["Repository", "snapshot", "uncommitted"]
