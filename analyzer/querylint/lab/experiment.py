"""Functions before and after a change, on as many sets of documents as are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from querylint.errors import LabError
from querylint.lab.compare import difference
from querylint.lab.process import Bench
from querylint.lab.trial import Case, Freedom, Outcome, Tally, Trial

LEARNING = range(1_000_003, 1_000_009)
"""Seeds of the cases in which a function is asked whom it looks for; always the same, so that one seed gives one case."""
NO_INDEX = "is not declared in the schema"
ENOUGH_REFUSALS = 3
MOST_TRACES = 60
MOST_KNOWN = 1000


class Experiment:
    """Trials on one bench. What the code was like before is bundled once for all that need the same modules."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._before: dict[tuple[tuple[str, ...], str | None], Path] = {}
        self._known: dict[str, dict[str, Any]] = {}

    def run(self, trial: Trial, seeds: range) -> Iterator[Outcome]:
        """What comes of each function of a trial; a project that cannot be bundled is a reason, no error."""
        try:
            pair = self._bundles(trial)
        except LabError as error:
            yield from (Outcome(function, reason=str(error)) for function in trial.functions)
            return
        for function in trial.functions:
            yield _Course(self, trial, function, *pair).run(seeds)
        pair[1].unlink(missing_ok=True)

    def was(self, bundle: Path, request: dict[str, object]) -> dict[str, Any]:
        """The answer of the code as it is, which many changes are compared with."""
        key = json.dumps([str(bundle), request])
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = self.bench.ask(bundle, request)
        return self._known[key]

    def _bundles(self, trial: Trial) -> tuple[Path, Path]:
        key = trial.modules, trial.schema
        if key not in self._before:
            self._before[key] = self.bench.bundle({}, trial.modules, trial.schema)
        return self._before[key], self.bench.bundle(trial.changed, trial.modules, trial.schema)


class _Course:
    """One function of one trial."""

    def __init__(self, experiment: Experiment, trial: Trial, function: str, before: Path, after: Path) -> None:
        self.experiment = experiment
        self.freedom: Freedom = trial.freedom
        self.function = function
        self.marks = trial.marks
        self.before = before
        self.after = after
        self.request: dict[str, object] = {
            "path": function, "tables": None if trial.tables is None else list(trial.tables), "odd": not trial.freedom.numbers,
            "words": list(trial.words), "people": [], "learn": False, "full": False, "hide": [],
        }  # fmt: skip

    def run(self, seeds: range) -> Outcome:
        """Compare case after case, up to the first difference."""
        self._learn()
        tally = Tally()
        refusals = 0
        for seed in seeds:
            was, now = self._pair(seed)
            what = self._different(was, now)
            if what:
                return self._outcome(tally, self._smallest(seed, what))
            if trouble := _trouble(was, now):
                tally.trouble(trouble)
                refusals += "refused" in was
                if refusals >= ENOUGH_REFUSALS:
                    break
                continue
            tally.cases += 1
            if was["error"] is not None:
                tally.errors += 1
                tally.trouble(f"every case fails, before as after: {was['error']}")
            else:
                tally.before += was["scanned"]
                tally.after += now["scanned"]
                tally.reached.update(now["reached"])
        return self._outcome(tally, None)

    def _learn(self) -> None:
        """Ask for whom and for what the function looks when somebody calls it."""
        people: dict[tuple[str, str, str], Any] = {}
        for seed in LEARNING:
            answer = self.experiment.was(self.before, {**self.request, "seed": seed, "learn": True})
            for trace in answer.get("learned", ()):
                people.setdefault((trace["table"], trace["field"], json.dumps([trace["claim"], trace["value"]])), trace)
            if "refused" in answer:
                break
        self.request["people"] = list(people.values())[:MOST_TRACES]

    def _pair(self, seed: int, hide: list[int] | None = None, *, full: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
        request = {**self.request, "seed": seed, "hide": hide or [], "full": full}
        return self.experiment.was(self.before, request), self.experiment.bench.ask(self.after, request)

    def _different(self, was: dict[str, Any], now: dict[str, Any]) -> str:
        if "refused" in was or was["touched"]:
            return ""
        if "refused" in now:
            return f"after the change it cannot be run: {now['refused']}"
        if now["touched"] or NO_INDEX in (was["error"] or ""):
            return ""
        return difference(was, now, self.freedom)

    def _smallest(self, seed: int, what: str) -> Case:
        """The case with as few documents as still show a difference: halves are left out first, single documents last."""
        hide: list[int] = []
        left = list(range(self._pair(seed)[0].get("rows", 0)))
        size = len(left)
        while size > 0:
            for start in range(0, len(left), size):
                part = left[start : start + size]
                if found := self._different(*self._pair(seed, sorted([*hide, *part]))):
                    hide += part
                    what = found
            left = [number for number in left if number not in hide]
            size = min(size // 2, len(left))
        was, now = self._pair(seed, hide, full=True)
        return Case(seed, what, was.get("documents", []), was.get("args"), was.get("caller"), _shown(was), _shown(now))

    def _outcome(self, tally: Tally, found: Case | None) -> Outcome:
        reason = tally.worst if found is None and tally.cases == tally.errors else ""
        if found is None and not reason and tally.before == 0:
            reason = "no case that succeeds reads a document"
            return Outcome(self.function, reason=reason)
        reached = frozenset(self.marks[number] for number in tally.reached)
        return Outcome(self.function, tally.cases, tally.errors, tally.before, tally.after, found, reason, reached)


def _trouble(was: dict[str, Any], now: dict[str, Any]) -> str:
    """Why a case tells nothing, empty where it tells something."""
    if "refused" in was:
        return str(was["refused"])
    if was["touched"] or now.get("touched"):
        return f"it reaches for {was['touched'] or now['touched']}"
    return f"before the change it fails: {was['error']}" if NO_INDEX in (was["error"] or "") else ""


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in ("result", "error", "stored", "scanned", "refused") if answer.get(key) is not None}
