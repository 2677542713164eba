"""Results to text: one module a format, loaded when asked; only the door prints."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from querylint.construction import dataclass
from querylint.result import Result
from querylint.rule import Severity

FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "rdjson", "sonarqube", "azure", "markdown", "agent")
MACHINE_FORMATS = frozenset(FORMATS) - {"text", "concise"}
FIX_FORMATS = frozenset({"json", "sarif", "agent"})
"""Those that say which findings can be fixed; the others need no edits to be made up."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a reader wants the result: colored, with links to the pages of rules, so wide.

    `show` is the least severity that people see (JSON and SARIF carry everything). `full` is how many findings are printed in full, the
    rest taking one line each; None prints all of them in full. `by_cost` puts the dearest first instead of going by place.
    `lead` leads from the top of the repository, which code hosts go by, to the root that paths are relative to. `where` names the part of
    the project that the findings lie in, where it is not all of it.
    """

    color: bool = False
    links: bool = False
    width: int = 100
    show: Severity = Severity.WARNING
    full: int | None = None
    by_cost: bool = False
    quiet: bool = False
    statistics: bool = False
    exit_code: int = 0
    lead: str = ""
    where: str = ""


class Format(Protocol):
    """What the module of a format offers."""

    def render(self, result: Result, options: Options) -> str:
        """The whole report, ending in a line end unless it is empty."""
        ...


def render(name: str, result: Result, options: Options) -> str:
    """The result in the named format, one of `FORMATS`."""
    return cast("Format", import_module(f"querylint.report.{name}")).render(result, options)
