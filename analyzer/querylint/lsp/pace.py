"""When to analyze: a while after the last edit, one run at a time, and anew where an edit came in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event

Job = Callable[[Event], Awaitable[None]]


class Pace:
    """Runs a job as often as it must. The job gets an event that is set when a newer nudge has overtaken it, and raises nothing."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._due = 0.0
        self._wanted = 0
        self._overtaken = Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def nudge(self, delay: float) -> None:
        """Ask for a run in `delay` seconds, counted from the last nudge."""
        self._wanted += 1
        self._overtaken.set()
        self._due = asyncio.get_running_loop().time() + delay
        if self.idle:
            self._task = asyncio.create_task(self._run())

    @property
    def idle(self) -> bool:
        """Whether the last run saw everything there is to see."""
        return self._task is None or self._task.done()

    async def settled(self) -> None:
        """Wait until it is idle."""
        while self._task is not None and not self._task.done():
            await asyncio.shield(self._task)

    def stop(self) -> None:
        """Let a run end early, and start no other."""
        self._stopped = True
        self._overtaken.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        seen = -1
        while seen != self._wanted:
            while (wait := self._due - loop.time()) > 0:
                await asyncio.sleep(wait)
            if self._stopped:
                return
            seen = self._wanted
            self._overtaken = Event()
            await self._job(self._overtaken)
