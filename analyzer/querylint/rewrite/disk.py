"""Files written together or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from querylint.errors import PathError
from querylint.rewrite import journal
from querylint.rewrite.journal import Journal, Step, digest


def replace_files(root: Path, before: Mapping[str, bytes | None], after: Mapping[str, bytes]) -> None:
    """Give the files of `after` their new content, provided that each still holds what `before` says: None for those that are not there.

    All new content is on the disk before the first file is replaced, and what was replaced is put back when a later one cannot be. One that
    is killed meanwhile leaves a journal, by which the next run finishes the change. Raises PathError, with every file as it was.
    """
    base = Path(os.path.realpath(root))
    targets = {path: _target(base, path) for path in sorted(after)}
    with journal.held(base) as note:
        note.recover()
        for path, target in targets.items():
            if _content(target, path) != before[path]:
                raise PathError(f"`{path}` has changed since it was analyzed; nothing was written")
        steps = {path: _step(base, target, before[path], after[path]) for path, target in targets.items()}
        _replace(note, targets, steps, before, after)


def recover(root: Path) -> bool:
    """Finish a change that was cut off, or take it back where no file had been replaced yet; whether there was one.

    Raises PathError while another process is at it.
    """
    base = Path(os.path.realpath(root))
    if not journal.left(base):
        return False
    with journal.held(base) as note:
        return note.recover()


def _step(base: Path, target: Path, old: bytes | None, new: bytes) -> Step:
    path, part = (place.relative_to(base).as_posix() for place in (target, _part_of(target)))
    return Step(path, part, None if old is None else digest(old), digest(new))


def _part_of(target: Path) -> Path:
    """Where a file is written that is to take the place of another: beside it, by a name that nothing has."""
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")


def _replace(
    note: Journal, targets: Mapping[str, Path], steps: Mapping[str, Step], before: Mapping[str, bytes | None], after: Mapping[str, bytes]
) -> None:
    staged: dict[str, Path] = {}
    replaced: list[str] = []
    at = next(iter(targets), "")
    try:
        note.begin(steps)
        for at, target in targets.items():
            staged[at] = note.base / steps[at].part
            _stage(staged[at], target, after[at])
        for at, target in targets.items():
            staged[at].replace(target)
            replaced.append(at)
    except OSError as error:  # anything else that ends this leaves it to the journal
        kept = [path for path in replaced if not _put_back(targets[path], before[path])]
        for part in staged.values():
            with suppress(OSError):
                part.unlink()
        outcome = f"{', '.join(f'`{path}`' for path in kept)} could not be put back" if kept else "nothing was written"
        raise PathError(f"`{at}` cannot be written ({(error.strerror or str(error)).lower()}); {outcome}") from None


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


def _stage(part: Path, target: Path, data: bytes) -> None:
    """Write the file that is to take the target's place, with the target's mode. What is there already is not written through."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _put_back(target: Path, data: bytes | None) -> bool:
    try:
        if data is None:
            target.unlink()
        else:
            part = _part_of(target)
            _stage(part, target, data)
            part.replace(target)
    except OSError:
        return False
    return True
