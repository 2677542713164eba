"""Functions run on databases of several sizes: first what they look for, then the call that each is measured by, then the measuring."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from querylint.lab.costs import Call, Cost, Sample, cost_of
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
OVER = "it reads more than Convex allows one transaction (32,000 documents, 16 MiB)"


@dataclass(frozen=True, slots=True)
class Subject:
    """A function by its route, and the tables that it uses, as far as they are known."""

    function: str
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """The databases: how many rows their tables have, of some tables `most` so many; `words` are texts that fields are compared with."""

    sizes: tuple[int, ...]
    most: Mapping[str, int]
    words: Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Scales:
    """What functions of one backend take. `step` is called after each of the `steps` that all of it takes at most."""

    bench: Bench
    setting: Setting
    subjects: Sequence[Subject]
    step: Callable[[], None]
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    constants: Counter[tuple[str, str]] = field(default_factory=Counter)

    def calls(self, bundle: Path) -> dict[str, Call | str]:
        """The dearest call of each function that succeeds, or why none does."""
        self._learn(bundle)
        rows = self.setting.sizes[: MIDDLE + 1][-1]
        found: dict[str, list[tuple[float, Call]]] = {subject.function: [] for subject in self.subjects}
        troubles: dict[str, Counter[str]] = {subject.function: Counter() for subject in self.subjects}
        for world in range(WORLDS):
            for subject in self.subjects:
                for variant in range(VARIANTS):
                    answer = self._ask(bundle, subject, world, rows, variant, full=True)
                    if trouble := _trouble(answer):
                        troubles[subject.function][trouble] += 1
                        if "refused" in answer:
                            break
                    if not trouble or trouble == OVER:
                        found[subject.function].append((_dear(answer), Call(world, variant, answer.get("args"))))
                self.step()
        return {name: max(tried, key=lambda one: one[0])[1] if tried else _worst(troubles[name]) for name, tried in found.items()}

    def measured(self, bundle: Path, calls: Mapping[str, Call]) -> dict[str, tuple[Sample, ...]]:
        """What each call takes, from the smallest size to the largest. A function that takes too long at one size is not run at larger ones."""
        samples: dict[str, list[Sample]] = {name: [] for name in calls}
        for rows in self.setting.sizes:
            for world in range(WORLDS):
                for subject in self.subjects:
                    call = calls.get(subject.function)
                    if call is None or call.world != world:
                        continue
                    before = samples[subject.function]
                    before.append(self._sample(bundle, subject, call, rows, before[-1] if before else None))
                    self.step()
        return {name: tuple(found) for name, found in samples.items()}

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
            for variant in range(VARIANTS if turn else 1):
                answer = self._ask(bundle, subject, 0, self.setting.sizes[0], variant, learn="known" if turn else "stranger", turn=turn)
                yield answer
                if "refused" in answer:
                    break

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
        self, bundle: Path, subject: Subject, world: int, rows: int, variant: int, *, full: bool = False, learn: str | None = None, turn: int = PASSES
    ) -> dict[str, Any]:  # fmt: skip
        plan = {
            "world": world, "size": rows, "most": dict(self.setting.most), "people": list(self.people.values()),
            "keys": list(self.keys.values()), "words": {name: list(words) for name, words in self.setting.words.items()},
        }  # fmt: skip
        request = {
            "path": subject.function, "key": f"{world} {rows} {turn}", "plan": plan, "variant": variant, "near": list(subject.near),
            "learn": learn, "full": full,
        }  # fmt: skip
        return self.bench.ask(bundle, {"measure": request})




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


def _worst(troubles: Counter[str]) -> str:
    """The commonest reason."""
    return troubles.most_common(1)[0][0] if troubles else "no call was tried"
