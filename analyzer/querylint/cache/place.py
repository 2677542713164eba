"""Where answers are kept: the cache folder of the user, outside of any project, so that nobody else can put answers there."""

from __future__ import annotations

import os
import sys

OFF = "--no-cache"
FOLDER = "QUERYLINT_CACHE_DIR"
MOST_BYTES = 64_000_000


def folder() -> str | None:
    """The folder of the answers: what QUERYLINT_CACHE_DIR says (empty for none), or one in the cache folder of the user."""
    chosen = os.environ.get(FOLDER)
    if chosen is not None:
        return chosen or None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
    return os.path.join(base, "querylint") if os.path.isabs(base) else None


def load(path: str, most: int = MOST_BYTES) -> bytes | None:
    """The bytes that were kept; None for anything but a plain file of our own of a sensible size."""
    try:
        handle = os.open(path, os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_NONBLOCK") | _flag("O_CLOEXEC") | _flag("O_BINARY"))
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(handle)
        if status.st_mode & 0o170000 != 0o100000 or status.st_size > most or not _ours(status):
            return None
        pieces = []
        while piece := os.read(handle, 1 << 24):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError:
        return None
    finally:
        os.close(handle)


def save(path: str, pieces: tuple[bytes, ...], suffix: str, most: int) -> None:
    """Keep bytes, whole or not at all; of the files with the suffix only the latest `most` stay."""
    part = f"{path}.{os.getpid()}.part"
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _flag("O_BINARY"), 0o600)
        try:
            with open(handle, "wb") as file:
                file.writelines(pieces)
            os.replace(part, path)
        finally:
            if os.path.lexists(part):
                os.unlink(part)
        with os.scandir(folder) as entries:
            kept = [(entry.stat(follow_symlinks=False).st_mtime_ns, entry.path) for entry in entries if entry.name.endswith(suffix)]
        for _, old in sorted(kept)[:-most]:
            os.unlink(old)
    except OSError:
        return


def _ours(status: os.stat_result) -> bool:
    """Whether nobody but the user (and the administrator) can have written a file."""
    if sys.platform == "win32":
        return True
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & 0o022


def _flag(name: str) -> int:
    flag = getattr(os, name, 0)
    return flag if isinstance(flag, int) else 0
