"""The bytes of one file, or a sentence why there are none."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from querylint.result import Note, NoteKind

LIMIT = 5_000_000
"""Files with more bytes than this are not read: nobody wrote them by hand."""
HEAD = 8192
MOST_ZEROS = 32
"""A file whose first bytes (`HEAD`) hold more zeros than this is no text."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read(root: Path, path: str) -> tuple[bytes | None, Note | None]:
    """The content of a file and what is odd about it; a file that cannot be read is never an error."""
    try:
        # Opening a pipe waits for a writer unless it is opened without blocking.
        handle = os.open(os.path.join(root, path), _FLAGS)
    except OSError as error:
        return None, _unreadable(error, path)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return None, Note(NoteKind.READ, "this is not a regular file and is not read", path)
        if status.st_size > LIMIT:
            return None, _too_large(path)
        data = _drain(handle)
    except OSError as error:
        return None, _unreadable(error, path)
    finally:
        os.close(handle)
    if len(data) > LIMIT:
        return None, _too_large(path)
    return _text(data, path)


def _drain(handle: int) -> bytes:
    """All that the file holds, and no more than a little over the limit: it may grow while it is read."""
    pieces: list[bytes] = []
    left = LIMIT + 1
    while left > 0 and (piece := os.read(handle, min(left, 1 << 20))):
        pieces.append(piece)
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _text(data: bytes, path: str) -> tuple[bytes | None, Note | None]:
    if data.startswith(_UTF16):
        return None, Note(NoteKind.READ, "the file is encoded as UTF-16 and is not read; save it as UTF-8", path)
    if b"\0" in data[:HEAD] and (path.endswith(".py") or not _written(data[:HEAD])):  # Python reads none
        return None, Note(NoteKind.READ, "the file is not text and is not read", path)
    if data.isascii():
        return data, None
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return data, Note(NoteKind.READ, "the file is not valid UTF-8; it is read as far as it can be", path, line)
    return data, None


def _written(head: bytes) -> bool:
    """Whether a file that begins so, with a zero byte, is text all the same, as JavaScript may be: few zeros, and no broken letter."""
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if len(head) < HEAD or error.start < HEAD - 3:  # else the last letter is cut off
            return False
    return head.count(b"\0") <= MOST_ZEROS


def _unreadable(error: OSError, path: str) -> Note:
    if isinstance(error, FileNotFoundError):
        return Note(NoteKind.READ, "the file vanished before it was read", path)
    return Note(NoteKind.READ, f"the file cannot be read ({(error.strerror or str(error)).lower()})", path)


def _too_large(path: str) -> Note:
    return Note(NoteKind.LIMIT, f"the file is larger than {LIMIT // 1_000_000} MB and is not read", path)
