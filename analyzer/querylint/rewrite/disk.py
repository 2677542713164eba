"""Files written together or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from querylint.errors import PathError


def replace_files(root: Path, before: Mapping[str, bytes | None], after: Mapping[str, bytes]) -> None:
    """Give the files of `after` their new content, provided that each still holds what `before` says: None for those that are not there.

    All new content is on the disk before the first file is replaced, and what was replaced is put back when a later one cannot be:
    nobody sees half of a change. Raises PathError, with every file as it was.
    """
    base = Path(os.path.realpath(root))
    targets = {path: _target(base, path) for path in sorted(after)}
    for path, target in targets.items():
        if _content(target, path) != before[path]:
            raise PathError(f"`{path}` has changed since it was analyzed; nothing was written")
    staged: dict[str, Path] = {}
    replaced: list[str] = []
    at = ""
    try:
        for at, target in targets.items():
            staged[at] = _stage(target, after[at])
        for at, target in targets.items():
            staged[at].replace(target)
            replaced.append(at)
    except OSError as error:
        kept = [path for path in replaced if not _put_back(targets[path], before[path])]
        outcome = f"{', '.join(f'`{path}`' for path in kept)} could not be put back" if kept else "nothing was written"
        raise PathError(f"`{at}` cannot be written ({(error.strerror or str(error)).lower()}); {outcome}") from None
    finally:
        for part in staged.values():
            with suppress(OSError):
                part.unlink()


def _target(base: Path, path: str) -> Path:
    """The file itself behind any links, which must lie in the project."""
    real = Path(os.path.realpath(base / path))
    if not real.is_relative_to(base):
        raise PathError(f"`{path}` is a link that leads out of the project; nothing was written")
    return real


def _content(target: Path, path: str) -> bytes | None:
    try:
        if not target.exists():
            return None
        return target.read_bytes()
    except OSError as error:
        raise PathError(f"`{path}` cannot be read again ({(error.strerror or str(error)).lower()}); nothing was written") from None


def _stage(target: Path, data: bytes) -> Path:
    """A file beside the target with its new content and its mode."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise
    return part


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _put_back(target: Path, data: bytes | None) -> bool:
    try:
        if data is None:
            target.unlink()
        else:
            _stage(target, data).replace(target)
    except OSError:
        return False
    return True
