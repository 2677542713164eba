"""Projects on the disk, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def lay(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write each file below `root` with the folders that it lies in, as it is given: no line end is changed. Returns `root`."""
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
    return root
