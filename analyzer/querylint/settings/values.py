"""The settings as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.evidence.budget import Budget
from querylint.result import Note
from querylint.rule import Severity

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Size(Enum):
    """How large a table gets: SMALL can be read whole, LARGE cannot, UNBOUNDED grows with use."""

    SMALL = "small"
    LARGE = "large"
    UNBOUNDED = "unbounded"


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What only people know about a table: its size, and the number of its rows where they gave one."""

    name: str
    rows: int | None
    size: Size


@dataclass(frozen=True, slots=True)
class Named:
    """A table or a glob that a settings file names, under which key and where."""

    key: str
    name: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a run.

    `select` is None where every rule runs. `severity` maps a rule to its new severity, None for off. `fail_on` is None for never.
    `gates` say how many findings of a rule, a pattern or a severity the whole project may have, `budget` what a function of the running
    system may take.
    `prefix` leads from the folder of the settings file, which its globs are relative to, to the root of the analysis. `given` says for
    each key that was set where that happened; `origin` is the settings file, and `named` what it names that may not be there.
    """

    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    extend_select: frozenset[str] = frozenset()
    severity: Mapping[str, Severity | None] = field(default_factory=dict)
    fail_on: Severity | None = Severity.WARNING
    show: Severity = Severity.WARNING
    exclude: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, frozenset[str]], ...] = ()
    tables: Mapping[str, TableFacts] = field(default_factory=dict)
    ignore_tables: frozenset[str] = frozenset()
    include_tests: bool = False
    require_reason: bool = True
    gates: Mapping[str, int] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    origin: Path | None = None
    prefix: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    named: tuple[Named, ...] = ()

    def active(self, rule_names: frozenset[str]) -> frozenset[str]:
        """The rules that run."""
        chosen = rule_names if self.select is None else self.select | self.extend_select
        off = {name for name, severity in self.severity.items() if severity is None}
        return (chosen & rule_names) - self.ignore - off

    def severity_of(self, rule: str, own: Severity) -> Severity:
        """The severity of a finding, given what its rule says."""
        return self.severity.get(rule) or own

    def ignored_in(self, path: str) -> frozenset[str]:
        """The rules that `per-file-ignores` switches off for a file, by its path relative to the root."""
        whole = f"{self.prefix}/{path}" if self.prefix else path
        return frozenset(rule for glob, rules in self.per_file_ignores if _spec(glob).match_file(whole) for rule in rules)

    def matches(self, glob: str, paths: Iterable[str]) -> bool:
        """Whether a glob of `per-file-ignores` matches any of the paths, which are relative to the folder of the settings."""
        return any(_spec(glob).match_file(path) for path in paths)


@lru_cache(maxsize=256)
def _spec(glob: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # its import costs more than reading all the settings

    return GitIgnoreSpec.from_lines([glob])
