"""Functions run on databases of several sizes: first what they look for, then the call that each is measured by, then the measuring."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from querylint.evidence.costs import OVER, Call, Cost, Sample, cost_of
from querylint.lab.process import Bench

WORLDS = 3
"""Databases that a call is looked for on; which values stand in a row differs from one to the next."""
VARIANTS = 4
"""Sets of arguments that are tried: without what may be left out, with all of it, and two with some of it and other choices."""
PASSES = 4
"""How often functions are asked what they look for, since each may go further when its caller is known."""
MOST_CONSTANTS = 8
"""Values of one field that rows are made to have since some function looks for them."""
MIDDLE = 1
"""The place of the size, among those that are measured, on which the dearest call is looked for."""


LAYING = 120
"""Seconds that it may take to fill a database."""
MOST_LAID = 60_000
"""Rows of one database; where all tables together would have more, only those are laid that the functions of one file use."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A function by its route, and the tables that it uses, as far as they are known."""

    function: str
    near: tuple[str, ...]

    @property
    def module(self) -> str:
        """The module that it stands in."""
        return self.function.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Setting:
    """The databases: so many tables, how many rows these have, of some `most` so many; `words` are texts that fields are compared with."""

    tables: int
    sizes: tuple[int, ...]
    most: Mapping[str, int]
    words: Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Scales:
    """What functions of one backend take: those that are `wanted` of its `subjects`, all of which say what there is to be found.

    `step` is called after each step. `lost` are functions that cannot be run, with the reason.
    """

    bench: Bench
    setting: Setting
    subjects: Sequence[Subject]
    wanted: Sequence[Subject]
    step: Callable[[], None]
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    constants: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: dict[str, str] = field(default_factory=dict)

    def calls(self, bundle: Path) -> dict[str, Call | str]:
        """The dearest call of each function that succeeds, or why none does; one that fails on larger tables may do so on small ones."""
        self._learn(bundle)
        found: dict[str, Call | str] = {}
        for rows in (self.setting.sizes[: MIDDLE + 1][-1], self.setting.sizes[0]):
            for world in range(WORLDS):
                for subject in self.wanted:
                    if not isinstance(found.get(subject.function), Call):
                        call = self._dearest(bundle, subject, world, rows)
                        found[subject.function] = call if isinstance(call, Call) else found.get(subject.function, call)
        for _ in self.wanted:
            self.step()
        return found

    def measured(
        self, bundle: Path, calls: Mapping[str, Call], same: Mapping[str, tuple[Sample, ...]] | None = None
    ) -> dict[str, tuple[Sample, ...]]:
        """What each call takes, from the smallest size to the largest; one that fails at one size is not made at larger ones.

        `same` holds what functions took that should take the same: where they do at all sizes but the largest, that one is left out.
        """
        samples: dict[str, list[Sample]] = {name: [] for name in calls}
        for rows in self.setting.sizes:
            last = rows == self.setting.sizes[-1] and len(self.setting.sizes) > 1
            for world in range(WORLDS):
                for subject in self.wanted:
                    call = calls.get(subject.function)
                    if call is None or call.world != world:
                        continue
                    before = samples[subject.function]
                    known = (same or {}).get(subject.function, ())
                    if last and tuple(before) == known[:-1]:
                        before.append(known[-1])
                    else:
                        before.append(self._sample(bundle, subject, call, rows, before[-1] if before else None))
                    self.step()
        return {name: tuple(found) for name, found in samples.items()}

    def _dearest(self, bundle: Path, subject: Subject, world: int, rows: int) -> Call | str:
        """The dearest of the calls that succeed on one database, or the commonest reason why none does."""
        best: tuple[float, Call] | None = None
        troubles: Counter[str] = Counter()
        tried: list[str] = []
        for variant in range(VARIANTS):
            answer = self._ask(bundle, subject, world, rows, variant, tried)
            if "repeated" in answer:
                continue
            trouble = _trouble(answer)
            if trouble and trouble != OVER:
                troubles[trouble] += 1
            elif best is None or _dear(answer) > best[0]:
                best = _dear(answer), Call(world, variant, json.loads(answer["args"]))
            if "refused" in answer:
                break
            tried.append(answer["args"])
        return best[1] if best is not None else troubles.most_common(1)[0][0]

    def _sample(self, bundle: Path, subject: Subject, call: Call, rows: int, before: Sample | None) -> Sample:
        if before is not None and before.cost is None:
            return Sample(rows, None, before.trouble)
        answer = self._ask(bundle, subject, call.world, rows, call.variant)
        trouble = _trouble(answer)
        return Sample(rows, None, trouble) if trouble else Sample(rows, cost_of(answer))

    def _learn(self, bundle: Path) -> None:
        """Ask for whom and for what functions look, until they look for nothing new."""
        for turn in range(PASSES):
            known = len(self.people) + len(self.keys)
            new = list(self._looks(bundle, turn))
            for answer in new:
                self._note(answer)
            self.step()
            if turn > 0 and len(self.people) + len(self.keys) == known:
                return

    def _looks(self, bundle: Path, turn: int) -> Iterator[dict[str, Any]]:
        for subject in self.subjects:
            tried: list[str] = []
            for variant in range(VARIANTS if turn else 1):
                answer = self._ask(
                    bundle, subject, 0, self.setting.sizes[0], variant, tried, learn="known" if turn else "stranger", turn=turn
                )
                yield answer
                if "refused" in answer:
                    break
                tried += [answer["args"]] if "args" in answer else []

    def _note(self, answer: Mapping[str, Any]) -> None:
        for trace in answer.get("learned", ()):
            sign = json.dumps([trace["table"], trace["field"], trace["claim"], trace["value"], trace["sole"], trace["range"]])
            place = trace["table"], trace["field"]
            if sign in self.people or (trace["claim"] is None and (trace["range"] or self.constants[place] >= MOST_CONSTANTS)):
                continue
            self.constants[place] += trace["claim"] is None
            self.people[sign] = trace
        for key in answer.get("keys", ()):
            self.keys.setdefault(json.dumps(key), key)

    def _ask(
        self, bundle: Path, subject: Subject, world: int, rows: int, variant: int, tried: Sequence[str] = (), *, learn: str | None = None,
        turn: int = PASSES,
    ) -> dict[str, Any]:  # fmt: skip
        if subject.function in self.lost:
            return {"refused": self.lost[subject.function]}
        tables = self._tables(subject, rows)
        key = f"{world} {rows} {turn} {'' if tables is None else subject.module}"
        request: dict[str, object] = {
            "path": subject.function, "key": key, "plan": None, "variant": variant, "near": list(subject.near), "learn": learn,
            "tried": list(tried),
        }  # fmt: skip
        answer = self.bench.ask(bundle, {"measure": request})
        if answer.get("unlaid"):
            laid = self.bench.ask(bundle, {"measure": {**request, "plan": self._plan(world, rows, tables)}}, LAYING)
            answer = laid if "refused" in laid else self.bench.ask(bundle, {"measure": request})
        if "refused" in answer:
            self.lost[subject.function] = answer["refused"]
        return answer

    def _plan(self, world: int, rows: int, tables: list[str] | None) -> dict[str, object]:
        """How a database is laid; that may be long, so it is said only where it is not laid."""
        return {
            "world": world, "size": rows, "most": dict(self.setting.most), "people": list(self.people.values()), "tables": tables,
            "keys": list(self.keys.values()), "words": {name: list(words) for name, words in self.setting.words.items()},
        }  # fmt: skip

    def _tables(self, subject: Subject, rows: int) -> list[str] | None:
        """The tables that are laid for a function; None for all."""
        if self.setting.tables * rows <= MOST_LAID:
            return None
        own = {table for other in self.subjects if other.module == subject.module for table in other.near}
        return sorted(own | {trace["table"] for trace in self.people.values() if trace["claim"] is not None})


def _trouble(answer: Mapping[str, Any]) -> str:
    """Why a call tells nothing, empty where it tells what it takes."""
    if "refused" in answer:
        return str(answer["refused"])
    if answer["limit"]:
        return OVER
    if answer["touched"]:
        return f"it reaches for {answer['touched']}"
    return f"it fails: {' '.join(str(answer['error']).split())}" if answer["error"] is not None else ""


def _dear(answer: Mapping[str, Any]) -> float:
    """What calls are compared by; one that is over the limit is the dearest."""
    cost: Cost = cost_of(answer)
    return float("inf") if answer["limit"] else cost.documents + cost.trips / 1_000_000
