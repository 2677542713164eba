"""Work shared out among processes: each helper is a copy of this process that does a part of a list and hands back bytes.

Helpers are only started where that is plain and safe: where the system can copy a process, and no other thread runs in this one. What a
helper does not hand back, for whatever reason, is left to whoever asked.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Sequence

from querylint.construction import dataclass

PROCESSES = "QUERYLINT_PROCESSES"
MOST = 4
WORTHWHILE = 400_000
"""Bytes of source: with less, starting a helper takes longer than it saves."""


@dataclass(frozen=True, slots=True)
class Helper:
    """One helper, and where it hands back what it has done."""

    process: int
    results: int


def shares(weights: Sequence[int]) -> list[range]:
    """The positions of a list in turns, one a process: about the same weight each; one share where helpers are not worth their start."""
    count = _processes() if sum(weights) >= WORTHWHILE else 1
    most = sum(weights) / count
    found: list[range] = []
    start, weight = 0, 0
    for place, more in enumerate(weights):
        weight += more
        if weight >= most * (len(found) + 1) and len(found) < count - 1:
            found.append(range(start, place + 1))
            start = place + 1
    return [*found, range(start, len(weights))]


def _processes() -> int:
    """How many processes may work at once: what QUERYLINT_PROCESSES says, or on Linux one a processor, up to four.

    Elsewhere libraries of the system may be in the way of a copied process, and only those who ask for it get one.
    """
    threading = sys.modules.get("threading")
    if not hasattr(os, "fork") or (threading is not None and threading.active_count() > 1):
        return 1
    chosen = os.environ.get(PROCESSES, "")
    if chosen.isdigit() and int(chosen):
        return int(chosen)
    return min(os.cpu_count() or 1, MOST) if sys.platform == "linux" else 1


def start(items: Sequence[str], work: Callable[[str], bytes]) -> Helper | None:
    """Have a helper do the work for each item; None where the system starts none."""
    try:
        results, into = os.pipe()
    except OSError:
        return None
    try:
        process = os.fork()
    except OSError:
        os.close(results)
        os.close(into)
        return None
    if process:
        os.close(into)
        return Helper(process, results)
    code = 1
    try:
        os.close(results)
        with open(into, "wb") as pipe:
            pipe.write(marshal.dumps([(item, work(item)) for item in items]))
        code = 0
    finally:
        os._exit(code)  # nothing of what this process would do after the work is for the helper to do


def finish(helper: Helper) -> dict[str, bytes]:
    """What a helper has made of each item; empty where it has failed."""
    with open(helper.results, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(helper.process, 0)
    return dict(marshal.loads(data)) if status == 0 else {}
