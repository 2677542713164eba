"""Stands in for the engine where the door alone is under test; `python fake_engine.py NAME ARGS` runs the door on a sample result."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import querylint
from querylint.errors import PathError, QuerylintError
from querylint.result import Result
from querylint.review import View
from querylint.rule import Rule, Severity


@dataclass
class FakeSettings:
    show: Severity = Severity.WARNING
    fail_on: Severity | None = Severity.WARNING


@dataclass
class FakeOutcome:
    result: Result
    settings: FakeSettings
    lead: str = ""
    project: None = None
    part: None = None


@dataclass
class FakeEngine(ModuleType):
    """What the door asks of the engine and of the review."""

    result: Result
    raises: BaseException | None = None
    asked: list[tuple[tuple[Path, ...], Path | None, dict[str, object]]] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    fixes: list[bool] = field(default_factory=list)
    View = View

    def __post_init__(self) -> None:
        super().__init__("querylint.engine")

    def load_rules(self) -> tuple[Rule, ...]:
        return self.result.rules

    def explained(self) -> tuple[Rule, ...]:
        return self.result.rules

    def check(
        self,
        paths: Sequence[Path],
        config: Path | None,
        overrides: Mapping[str, object],
        view: View,
        *,
        fixes: bool = False,
        parts: bool = False,
    ) -> FakeOutcome:
        self.asked.append((tuple(paths), config, dict(overrides)))
        self.views.append(view)
        self.fixes.append(fixes)
        if self.raises:
            raise self.raises
        for path in paths:
            if not path.exists():
                raise PathError(f"`{path}` does not exist")
        known = {rule.name for rule in self.result.rules}
        for name in [*self._named(overrides, "select"), *self._named(overrides, "ignore")]:
            if name not in known:
                raise QuerylintError(f"`{name}` is not a rule; did you mean `loop-read`?\nanother mistake")
        levels: dict[object, Severity | None] = {severity.value: severity for severity in Severity}
        settings = FakeSettings()
        settings.show = levels[overrides.get("show", "warning")] or Severity.WARNING
        settings.fail_on = (levels | {"never": None})[overrides.get("fail-on", "warning")]
        return FakeOutcome(self.result, settings)

    @staticmethod
    def _named(overrides: Mapping[str, object], key: str) -> list[str]:
        given = overrides.get(key, [])
        assert isinstance(given, list)
        return given


def main() -> None:
    """Run the door in this process: `slow` waits to be interrupted, anything else is the name of a sample."""
    import report_sample
    from querylint.cli import main as door

    class Slow(FakeEngine):
        def check(
            self,
            paths: Sequence[Path],
            config: Path | None,
            overrides: Mapping[str, object],
            view: View,
            *,
            fixes: bool = False,
            parts: bool = False,
        ) -> FakeOutcome:
            import time

            print("waiting", file=sys.stderr, flush=True)
            time.sleep(30)
            raise AssertionError

    name = sys.argv.pop(1)
    engine = Slow(report_sample.RESULT) if name == "slow" else FakeEngine(getattr(report_sample, name))
    sys.modules |= {"querylint.engine": engine, "querylint.review": engine}
    querylint.engine = querylint.review = engine  # type: ignore[attr-defined,assignment]
    door()


if __name__ == "__main__":
    main()
