"""A note on the disk of the files that are being replaced, by which a change that was cut off is finished, or taken back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from querylint.construction import dataclass
from querylint.errors import PathError

JOURNAL = ".querylint-journal"
"""The name of the note, at the root of the project; it is there only while files are replaced."""

MOST_BYTES = 10_000_000
BUSY = "another querylint is writing to this project; nothing was written"
FOREIGN = f"`{JOURNAL}` was not written by querylint; check it and delete it. Nothing was written"


class ForeignJournalError(PathError):
    """There is a note that querylint did not write: it is left for somebody to look at."""


@dataclass(frozen=True, slots=True)
class Step:
    """One file to replace: `part` lies beside it with the new content. Digests are hexadecimal SHA-256; None stands for no file."""

    path: str
    part: str
    before: str | None
    after: str


class Journal:
    """The note, held by one process at a time."""

    def __init__(self, base: Path, descriptor: int) -> None:
        self.base = base
        self._descriptor = descriptor

    def begin(self, steps: Mapping[str, Step]) -> None:
        """Put down what is about to be done, before anything is done."""
        rows = [[s.path, s.part, s.before, s.after] for s in steps.values()]
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, json.dumps({"version": 1, "steps": rows}).encode())
        os.fsync(self._descriptor)

    def recover(self) -> bool:
        """Finish what an earlier process began, or take it back where no file had been replaced; whether there was anything.

        What somebody has edited since is left alone. Raises PathError for a note that is not ours.
        """
        steps = self._steps()
        found = [(s, _inside(self.base, s.path), _inside(self.base, s.part)) for s in steps]
        whole = all(_held_by(part) == s.after or _held_by(target) == s.after for s, target, part in found)
        begun = any(_held_by(target) == s.after and _held_by(part) is None for s, target, part in found)
        for step, target, part in found:
            if (whole or begun) and _held_by(part) == step.after and _held_by(target) == step.before:
                part.replace(target)
            elif _held_by(part) is not None:
                part.unlink()
        os.ftruncate(self._descriptor, 0)
        return bool(steps)

    def _steps(self) -> list[Step]:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            data = file.read(MOST_BYTES)
        try:
            rows = json.loads(data)["steps"] if data else []
            steps = [Step(*row) for row in rows]
        except (ValueError, KeyError, TypeError):
            return []  # cut off while it was written: nothing had been done yet
        if not all(_ours(step) for step in steps):
            raise ForeignJournalError(FOREIGN)
        return steps


@contextmanager
def held(base: Path) -> Iterator[Journal]:
    """The journal of a project, for this process alone. Raises PathError while another holds it, and where it cannot be written."""
    path = base / JOURNAL
    descriptor = _locked(path)
    try:
        yield Journal(base, descriptor)
        path.unlink(missing_ok=True)
    except ForeignJournalError:
        raise
    except Exception:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def left(base: Path) -> bool:
    """Whether a change was cut off here."""
    return os.path.lexists(base / JOURNAL)


def digest(data: bytes) -> str:
    """The hexadecimal SHA-256 of a content."""
    from hashlib import sha256  # a library of ciphers, for who writes only

    return sha256(data).hexdigest()


def _held_by(path: Path) -> str | None:
    """The digest of what a file holds, None where there is none."""
    try:
        return digest(path.read_bytes())
    except OSError:
        return None


def _locked(path: Path) -> int:
    """The open note, locked. One that was deleted before the lock came is no longer the note."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError as error:
            raise PathError(f"`{JOURNAL}` cannot be written ({(error.strerror or str(error)).lower()}); nothing was written") from None
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            raise PathError(BUSY) from None
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False)):
                return descriptor
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: a lock on the first byte, which also ends with the process
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _ours(step: Step) -> bool:
    texts = (step.path, step.part, step.after, "" if step.before is None else step.before)
    return all(isinstance(text, str) for text in texts) and Path(step.part).parent == Path(step.path).parent and step.part.endswith(".part")


def _inside(base: Path, path: str) -> Path:
    place = Path(os.path.realpath(base / path))
    if not place.is_relative_to(base):
        raise ForeignJournalError(FOREIGN)
    return place
