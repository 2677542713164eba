"""Processes run in turns, with what each took: CPU, time on the clock, memory at its highest."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Contestant:
    """A command and where it runs. `before` is done ahead of every run and not measured; `codes` are the exit codes of a good run."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    codes: Sequence[int] = (0, 1)


@dataclass(frozen=True, slots=True)
class Took:
    """What one process took: seconds of CPU with its children, seconds on the clock, megabytes at its highest."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All runs of one contestant; none where it did not end in time or failed, and then `failure` says how."""

    name: str
    runs: tuple[Took, ...] = ()
    failure: str = ""

    @property
    def middle(self) -> Took:
        """The medians."""
        return Took(median(r.cpu for r in self.runs), median(r.wall for r in self.runs), median(r.peak for r in self.runs))


def run(one: Contestant, limit: float) -> Took | str:
    """One run, or in words why there was none; what it prints is thrown away."""
    if one.before is not None:
        one.before()
    started = time.monotonic()
    process = subprocess.Popen(
        one.command, cwd=one.folder, env={**os.environ, **one.environment}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        wall = time.monotonic() - started
        if ended:
            break
        if wall > limit:
            os.killpg(process.pid, signal.SIGKILL)
            os.wait4(process.pid, 0)
            process.returncode = -signal.SIGKILL
            return f"did not end within {limit:g} s"
        time.sleep(min(0.02, wall / 50))
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in one.codes:
        return f"ended with exit code {code}"
    return Took(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def in_turns(contestants: Sequence[Contestant], rounds: int, limit: float, tell: Callable[[str], None]) -> list[Measured]:
    """Every contestant once a round, forward and backward by turns, so that what else the machine does meets all alike."""
    runs: dict[str, list[Took]] = {one.name: [] for one in contestants}
    failed: dict[str, str] = {}
    for number in range(rounds):
        for one in contestants if number % 2 == 0 else reversed(contestants):
            if one.name not in failed:
                took = run(one, limit)
                tell(
                    f"  {number + 1}/{rounds} {one.name}: {took if isinstance(took, str) else f'{took.cpu:.2f} s CPU, {took.peak:.0f} MB'}"
                )
                if isinstance(took, str):
                    failed[one.name] = took
                else:
                    runs[one.name].append(took)
    return [Measured(one.name, tuple(runs[one.name]) if one.name not in failed else (), failed.get(one.name, "")) for one in contestants]


def ratio(one: Measured, other: Measured) -> float:
    """How much more CPU one took than the other: the median over the rounds."""
    return median(a.cpu / b.cpu for a, b in zip(one.runs, other.runs, strict=True))
