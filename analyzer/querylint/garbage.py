"""When cyclic garbage is looked for: not during a look at a project, nor after each, but once enough may have gathered."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from querylint.construction import dataclass

GROWTH = 1.5
"""How many times what was left after the last search a process may hold before it searches again."""


@dataclass(slots=True)
class _Heap:
    """How many looks go on, whether the search was on before, and how many blocks of memory were left once the first of all was over."""

    looks: int = 0
    collecting: bool = False
    settled: int = 0


_LOCK = Lock()
_HEAP = _Heap()


@contextmanager
def undisturbed() -> Iterator[None]:
    """No search for garbage: trees and values live to the end of a look, and looking for garbage among them took a fifth of it.

    Nor are they looked through once the last look is over: that took longer than a second look at a project of which little has changed.
    Who looks again and again has the garbage of earlier looks removed before one of the next.
    """
    with _LOCK:
        if not _HEAP.looks:
            _HEAP.collecting = gc.isenabled()
            gc.disable()
            _sweep()
        _HEAP.looks += 1
    try:
        yield
    finally:
        with _LOCK:
            _HEAP.looks -= 1
            if not _HEAP.looks:
                _HEAP.settled = _HEAP.settled or sys.getallocatedblocks()
                if _HEAP.collecting:
                    gc.freeze()
                    gc.enable()


def _sweep() -> None:
    """Remove garbage, if there may be much."""
    if _HEAP.settled and sys.getallocatedblocks() > _HEAP.settled * GROWTH:
        gc.unfreeze()
        gc.collect()
        _HEAP.settled = sys.getallocatedblocks()
