"""One trial: a repository is written to a folder of its own, the whole tool runs over it, and what it must never do is watched for."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from fuzz.repositories import Repository, invented
from laid import lay
from querylint import review
from querylint.errors import QuerylintError
from querylint.report import FORMATS, Options, render
from querylint.result import NoteKind
from querylint.rewrite.edits import edited
from querylint.rule import Severity

SECONDS = 5.0
LONGEST = 400
PLACED = re.compile(r"[^:]+:\d+: \S")
OPTIONS = Options(color=True, links=True, show=Severity.INFO, full=3, by_cost=True, statistics=True)
RUNNING = frozenset(
    ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.connect", "socket.bind", "ctypes.dlopen")
)
CHANGING = frozenset(
    ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "shutil.rmtree")
)


os.environ["QUERYLINT_PROCESSES"] = "1"  # what helpers do would go unseen


class Overdue(BaseException):
    """The tool took longer than it may; no `except Exception` of the tool takes it away."""


@dataclass
class Watch:
    """What the interpreter reports while a trial runs. `own` are the folders that Python itself is read from."""

    folder: str = ""
    own: tuple[str, ...] = ()
    offences: tuple[str, ...] = ()

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if not self.folder:
            return
        if event in RUNNING or event in CHANGING:
            self.offences += (f"{event} {args!r:.200}",)
        elif event == "open" and isinstance(args[0], (str, bytes)):
            path = args[0].decode() if isinstance(args[0], bytes) else args[0]
            writes = isinstance(args[1], str) and bool(set(args[1]) & set("wax+"))
            if writes or not (path.startswith((self.folder, *self.own)) or _declared(path, self.folder)):
                self.offences += (f"open {path} {args[1]!r}",)


def _declared(path: str, folder: str) -> bool:
    """Whether a path is a settings file in a folder above: the nearest one upward holds."""
    place = Path(path)
    return place.name in ("pyproject.toml", "querylint.toml") and place.parent in Path(folder).parents


WATCH = Watch()
_hooked: list[Watch] = []


@contextmanager
def watched(folder: Path) -> Iterator[Watch]:
    """Watch what is opened, changed and run; the hook stays in the interpreter, as such hooks do, and is idle in between."""
    if not _hooked:
        sys.addaudithook(WATCH)
        _hooked.append(WATCH)
    WATCH.own = tuple({sys.prefix, sys.base_prefix, *(entry for entry in sys.path if entry), "/usr", "/etc/", "/proc/", "/sys/", "/dev/"})
    WATCH.offences = ()
    WATCH.folder = str(folder)
    keeps, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the byte code of a module that comes up is the interpreter's affair
    try:
        yield WATCH
    finally:
        WATCH.folder = ""
        sys.dont_write_bytecode = keeps


@contextmanager
def hurried(seconds: float) -> Iterator[None]:
    """Raise Overdue in what takes more processor time, or waits ten times as long for something."""

    def overdue(number: int, frame: FrameType | None) -> None:
        raise Overdue

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, 10 * seconds))
    before = {number: signal.signal(number, overdue) for number, _, _ in timers}
    for _, timer, allowed in timers:
        signal.setitimer(timer, allowed)
    try:
        yield
    finally:
        for number, timer, _ in timers:
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def tried(repository: Repository, folder: Path, seconds: float = SECONDS) -> list[str]:
    """What went wrong with a repository, each in one line; a refusal in clear sentences is no failure."""
    lay(folder, repository)
    with watched(folder) as watch:
        try:
            with hurried(seconds):
                wrong = _run(folder)
        except Overdue:
            wrong = [f"took more than {seconds:.0f} s: {_place()}"]
        except QuerylintError as error:
            wrong = [] if clear(str(error)) else [f"an error that is not clear: {str(error)[:300]!r}"]
        except Exception:
            wrong = [f"raised {traceback.format_exc().strip().splitlines()[-1]} {_place()}"]
    return wrong + [f"forbidden: {offence}" for offence in watch.offences]


def clear(error: str) -> bool:
    """Whether an error is one sentence, or several with a line and a place each, none of them longer than a reader bears."""
    lines = error.strip().splitlines()
    return all(len(line) <= LONGEST and (len(lines) == 1 or PLACED.match(line)) for line in lines)


def _run(folder: Path) -> list[str]:
    outcome = review.check((folder,), fixes=True)
    wrong = [f"{note.message} ({note.path}:{note.line})" for note in outcome.result.notes if note.kind is NoteKind.BUG]
    for style in FORMATS:
        render(style, outcome.result, OPTIONS)
    sources = {path: source.source for path, source in outcome.result.sources.items()}
    for finding in outcome.result.findings:
        if finding.fix is not None and all(path in sources for path in finding.fix.paths):
            edited(sources, [finding.fix])
    return wrong


def _place() -> str:
    """The innermost place of ours in the error that is being handled."""
    frames = [line.strip() for line in traceback.format_exc().splitlines() if line.strip().startswith("File") and "querylint" in line]
    return frames[-1] if frames else ""


def chunk(start: int, count: int) -> list[tuple[int, str]]:
    """The failures of the seeds from `start` on."""
    failures: list[tuple[int, str]] = []
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    for seed in range(start, start + count):
        folder = Path(tempfile.mkdtemp(prefix="querylint-fuzz-", dir=base))
        try:
            failures += [(seed, wrong) for wrong in tried(invented(seed), folder)]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return failures
