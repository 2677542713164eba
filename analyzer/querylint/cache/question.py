"""One run of the command as a question, and the answer that was kept for it."""

from __future__ import annotations

import os
import sys
import time

from querylint import __version__
from querylint.cache import place
from querylint.cache.digest import digest
from querylint.cache.entry import Entry, decode, encode
from querylint.cache.probes import holds

HEARD = (
    "CLICOLOR_FORCE", "COLUMNS", "DOMTERM", "FORCE_COLOR", "FORCE_HYPERLINK", "GITHUB_STEP_SUMMARY", "HOME", "KITTY_WINDOW_ID",
    "KONSOLE_VERSION", "LANG", "LC_ALL", "LC_CTYPE", "LINES", "NO_COLOR", "PYTHONIOENCODING", "PYTHONPATH", "PYTHONUTF8", "TERM",
    "TERM_PROGRAM", "USERPROFILE", "VTE_VERSION", "WT_SESSION",
)  # fmt: skip
"""The variables of the environment that a report may depend on."""

MOST_ANSWERS = 128
UNTRUSTED = 2
"""The exit code of a run whose report could not be given."""


class Question:
    """What was asked: the words of the command line, where it was typed, by which tool and for which reader. `began` is in nanoseconds."""

    __slots__ = ("began", "folder", "key")

    def __init__(self, args: list[str], folder: str) -> None:
        self.began = time.time_ns()
        self.folder = folder
        self.key = _key(args)

    @property
    def path(self) -> str:
        """The file of the answer."""
        return os.path.join(self.folder, f"{digest(self.key).hex()}.answer")

    def answered(self) -> int | None:
        """Say what was said to the same question before, if all that it depends on is as it was; the exit code, or None."""
        try:
            entry = self._kept()
            if entry is None:
                return None
            before = [probe.stamp for probes in (entry.files, entry.folders) for probe in probes]
            if not holds(entry, self.began):
                return None
            if before != [probe.stamp for probes in (entry.files, entry.folders) for probe in probes]:
                self.keep(entry)
        except Exception:  # whatever is wrong with what was kept, the question can still be answered by a run
            return None
        return entry.code if _said(entry) else UNTRUSTED

    def _kept(self) -> Entry | None:
        data = place.load(self.path)
        entry = decode(data) if data is not None else None
        return entry if entry is not None and entry.key == self.key else None

    def keep(self, entry: Entry) -> None:
        """Keep an answer, whole or not at all; where that cannot be done, the next run has to find it anew."""
        place.save(self.path, (encode(entry),), ".answer", MOST_ANSWERS)


def asked(args: list[str]) -> Question | None:
    """The question of a command line; None where no answers are kept."""
    folder = place.folder() if place.OFF not in args else None
    return Question(args, folder) if folder is not None else None


def _key(args: list[str]) -> bytes:
    out = sys.stdout
    terminal = out is not None and out.isatty()
    width = os.get_terminal_size(out.fileno()).columns if terminal else 0
    words = [
        __version__, sys.version, sys.prefix, sys.platform, os.path.dirname(__file__), os.getcwd(), str(terminal), str(width),
        str(getattr(out, "encoding", "")), *(f"{name}={os.environ.get(name)}" for name in HEARD), *args,
    ]  # fmt: skip
    return "\0".join(words).encode("utf-8", "surrogateescape")


def _said(entry: Entry) -> bool:
    """Print what was printed; whether it could be."""
    for stream, data in ((sys.stdout, entry.stdout), (sys.stderr, entry.stderr)):
        if data and stream is not None:
            try:
                stream.buffer.write(data)
                stream.flush()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            except OSError:  # a full disk, say
                return False
    return True
