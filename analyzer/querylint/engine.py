"""The rules that are installed, the settings they run under, and one run of them over a project."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from querylint import discover, filters, settings
from querylint.construction import dataclass
from querylint.garbage import undisturbed
from querylint.packs import packs
from querylint.project import Project, hints, narrowed, places, summary
from querylint.result import Part, Result
from querylint.rule import Rule
from querylint.settings import Settings

BUILT_IN = "querylint_rules"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, and the settings that it was made under.

    `lead` leads from the top of the repository to the root of the project. `project` is what was read, where it is the project on disk
    and the result depends on nothing else. `part` is what was asked about, None where that is what has changed or an unsaved file.
    """

    result: Result
    settings: Settings
    lead: str = ""
    project: Project | None = None
    part: Part | None = None


def load_rules(group: str = "querylint.rules") -> tuple[Rule, ...]:
    """Every rule of every installed pack; the built-in pack is found by its name in a bare clone too."""
    rules: dict[str, Rule] = {}
    for package in sorted({*packs(group), BUILT_IN}):
        for info in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            module = importlib.import_module(info.name)
            rules |= {r.name: r for r in vars(module).values() if isinstance(r, Rule)}
    return tuple(rules[name] for name in sorted(rules))


def explained() -> tuple[Rule, ...]:
    """Everything that has a page: the rules, and what is said of suppressions and baselines."""
    from querylint.filters.own import OWN

    return (*load_rules(), *OWN)


def check(paths: Sequence[Path], config: Path | None = None, overrides: Mapping[str, object] | None = None) -> Outcome:
    """Analyze the project that the paths belong to and report on the paths.

    Raises QuerylintError for a path that does not exist and for settings that cannot be used.
    """
    rules = load_rules()
    scope = discover.locate(paths)
    chosen = settings_for(scope.root, rules, config, overrides)
    return Outcome(run(Project(scope, chosen).check, rules), chosen, discover.lead(scope.root))


def settings_for(root: Path, rules: Sequence[Rule], config: Path | None = None, overrides: Mapping[str, object] | None = None) -> Settings:
    """The settings of a project, checked against the names of the rules; raises SettingsError."""
    return settings.load(root, config, overrides, rule_names=names_of(rules), patterns={r.pattern for r in rules})


def names_of(rules: Iterable[Rule]) -> frozenset[str]:
    """The names that a user may call rules by."""
    return frozenset(r.name for r in rules) | filters.PSEUDO_RULES


def run(check: Callable[[Sequence[Rule], frozenset[str]], Result], rules: Sequence[Rule]) -> Result:
    """Check a project by its `check` or its `whole`, without looking for garbage meanwhile."""
    with undisturbed():
        return check(rules, names_of(rules))


__all__ = [
    "Outcome",
    "Project",
    "check",
    "explained",
    "hints",
    "load_rules",
    "names_of",
    "narrowed",
    "places",
    "run",
    "settings_for",
    "summary",
]
