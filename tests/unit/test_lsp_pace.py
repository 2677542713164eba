"""When the server looks at the project."""

from __future__ import annotations

import asyncio
from threading import Event

from querylint.lsp.pace import Pace


def test_a_burst_of_edits_is_one_run() -> None:
    runs: list[Event] = []

    async def job(overtaken: Event) -> None:
        runs.append(overtaken)

    async def typing() -> None:
        pace = Pace(job)
        for _ in range(5):
            pace.nudge(0.05)
            await asyncio.sleep(0.01)
        await pace.settled()
        assert pace.idle

    asyncio.run(typing())
    assert len(runs) == 1
    assert not runs[0].is_set()


def test_an_edit_overtakes_a_run_and_brings_another() -> None:
    runs: list[Event] = []

    async def job(overtaken: Event) -> None:
        runs.append(overtaken)
        await asyncio.sleep(0.05)

    async def typing() -> None:
        pace = Pace(job)
        pace.nudge(0)
        await asyncio.sleep(0.02)
        pace.nudge(0)
        await pace.settled()

    asyncio.run(typing())
    assert [run.is_set() for run in runs] == [True, False]


def test_who_stops_waiting_does_not_stop_the_run() -> None:
    ended: list[bool] = []

    async def job(overtaken: Event) -> None:
        await asyncio.sleep(0.05)
        ended.append(True)

    async def leaving() -> None:
        pace = Pace(job)
        pace.nudge(0)
        waiting = asyncio.create_task(pace.settled())
        await asyncio.sleep(0.01)
        waiting.cancel()
        await pace.settled()

    asyncio.run(leaving())
    assert ended == [True]
