"""How a rule is declared, and what it hands back."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from enum import Enum

from querylint.construction import dataclass, replace
from querylint.ir import Program
from querylint.patch import Fix
from querylint.remedy import Remedy
from querylint.text import Span


class Severity(Enum):
    """How much a finding matters.

    ERROR fails at run time or grows without bound on a path users hit; WARNING is a cost worth an edit; INFO is true, small, or
    depends on sizes that the source does not show.
    """

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for info, 2 for error."""
        return ("info", "warning", "error").index(self.value)


class Confidence(Enum):
    """How sure the analysis is of what it says."""

    SURE = "sure"
    LIKELY = "likely"


@dataclass(frozen=True, slots=True)
class Point:
    """One place on the way to a finding, and what happens there."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What is paid now and after the remedy, in words or formulas over table sizes."""

    now: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check yields.

    `message` says what happens, in the present tense, with names in backticks and no full stop. `trail` leads from the entry to the
    place; `also` names further patterns that the same cause covers; `severity` overrides the rule's own, and `because` says in a clause
    why it is only a hint, where it is. `function` is the key of the function that the place lies in; `stack`, which the engine fills in,
    says in whose words the remedy is told.
    """

    span: Span
    message: str
    trail: tuple[Point, ...] = ()
    remedy: Remedy | None = None
    severity: Severity | None = None
    confidence: Confidence = Confidence.SURE
    function: str = ""
    table: str | None = None
    fields: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    cost: Cost | None = None
    operation: str = ""
    help: str = ""
    stack: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """How severe something is by its circumstances, None for as severe as its rule says, and why where that makes it a hint."""

    severity: Severity | None = None
    because: str = ""


def hint(because: str, otherwise: Severity | None = None) -> Weight:
    """A hint where there is a reason, else the other severity."""
    return Weight(Severity.INFO, because) if because else Weight(otherwise)


def demoted(found: Found, because: str) -> Found:
    """A finding as a hint; where it is one already, for the reason that it has."""
    if found.severity is Severity.INFO and found.because:
        return found
    return replace(found, severity=Severity.INFO, because=because)


class Age(Enum):
    """Whether a finding was there before: in the baseline, or at the revision that the run is compared with.

    UPDATED is one that was, in a function or a file of another name, or less severe.
    """

    NEW = "new"
    UNCHANGED = "unchanged"
    UPDATED = "updated"


@dataclass(frozen=True, slots=True)
class Finding:
    """A `Found` stamped by the engine: rule, pattern, final severity, and an identity that survives edits elsewhere in the file.

    `fix` carries out its remedy; where none is offered although one was asked for, `unfit` says why. `age` is None where the run is
    compared with nothing. `was` is the severity that it had there, where that was a lesser one: it counts as new then.
    """

    rule: str
    pattern: str
    severity: Severity
    found: Found
    fingerprint: str = ""
    fix: Fix | None = None
    unfit: str = ""
    age: Age | None = None
    was: Severity | None = None


def lowered(finding: Finding, because: str) -> Finding:
    """A finding as a hint, for a reason."""
    return replace(finding, severity=Severity.INFO, found=demoted(finding.found, because))


Check = Callable[[Program], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name and page come from its module, its pattern is the family of problem that it belongs to.

    `cwe` is the number of the weakness that it relates to (ux.md 1.2), 0 for none.
    """

    name: str
    pattern: str
    severity: Severity
    since: str
    cwe: int
    doc: str
    check: Check

    @property
    def summary(self) -> str:
        """The first heading of the page."""
        return self.doc.partition("\n")[0].lstrip("# ")

    def section(self, heading: str) -> str:
        """The text under one heading of the page, empty if it has none."""
        _, found, rest = self.doc.partition(f"## {heading}\n")
        return rest.partition("\n## ")[0].strip() if found else ""


def rule(*, pattern: str, severity: Severity, since: str = "0.1.0", cwe: int = 0) -> Callable[[Check], Rule]:
    """Turn a check into a `Rule`; its name and its page come from the module."""

    def declare(check: Check) -> Rule:
        module = sys.modules[check.__module__]
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        return Rule(name, pattern, severity, since, cwe, inspect.cleandoc(module.__doc__ or ""), check)

    return declare
