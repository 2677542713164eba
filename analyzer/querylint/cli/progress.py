"""A sign of life on standard error, where a person waits at a terminal for longer than a moment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

AFTER = 0.5
"""Seconds that pass in silence."""

EVERY = 0.1
FRAMES = "|/-\\"


@contextmanager
def working(quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show that something is being done, and what, as far as it is said; what was shown is gone when it is done."""
    said = ["querylint is reading the project"]

    def say(what: str) -> None:
        said[0] = what

    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield say
        return
    done = Event()
    sign = Thread(target=_turn, args=(done, said), daemon=True)
    sign.start()
    try:
        yield say
    finally:
        done.set()
        sign.join()


def _turn(done: Event, said: list[str]) -> None:
    if done.wait(AFTER):
        return
    turn = 0
    while True:
        sys.stderr.write(f"\r{FRAMES[turn % len(FRAMES)]} {said[0]} ({AFTER + turn * EVERY:.0f} s)\x1b[K")
        sys.stderr.flush()
        turn += 1
        if done.wait(EVERY):
            break
    sys.stderr.write("\r\x1b[2K")
    sys.stderr.flush()
