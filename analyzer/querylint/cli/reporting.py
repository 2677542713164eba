"""What is done with the outcome of a check: files written, the report printed, the exit code settled."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from querylint.cache.record import Said
from querylint.cli.console import ExitCode, complain, is_terminal, put, write
from querylint.construction import dataclass, replace
from querylint.errors import PathError
from querylint.report import MACHINE_FORMATS, Options, paint, render, wording
from querylint.result import Part, Result, Summary
from querylint.rule import Severity

if TYPE_CHECKING:
    from querylint.engine import Outcome

FULL_AT_TERMINAL = 20
"""How many findings a person gets in full at once; the rest take one line each."""

SUMMARY_BYTES = 900_000
"""GitHub drops a step's summary of more than 1 MiB, without failing the step."""


@dataclass(frozen=True, slots=True)
class Printing:
    """How the user wants to be told. `chosen` says that he named the format himself, and so wants all of it."""

    style: str
    outputs: tuple[tuple[str, Path], ...] = ()
    color: str = "auto"
    statistics: bool = False
    quiet: bool = False
    exit_zero: bool = False
    chosen: bool = False


def refuse_nothing(part: Part | None) -> None:
    """Raise PathError where there is no file to look at in the folders that were named: nobody means that.

    Files that were named one by one may all be of other kinds, since hooks name whatever has changed.
    """
    if part is not None and part.folders and not part.files:
        raise PathError(_nothing(part.paths))


def refuse_empty(summary: Summary, paths: Sequence[Path]) -> None:
    """The same for commands that look at the project as a whole and know no part of it."""
    if not summary.files and all(path.is_dir() for path in paths):
        raise PathError(_nothing(tuple(str(path) for path in paths)))


def _nothing(paths: tuple[str, ...]) -> str:
    return f"there is no Python, TypeScript or JavaScript file under {wording.named(paths)} that is not ignored or excluded"


def say(outcome: Outcome, printing: Printing) -> Said:
    """Write the files, print the report, and return what was printed and what the exit code has to be."""
    result, code = outcome.result, verdict(outcome.result, outcome.settings.fail_on, printing.exit_zero)
    options = Options(
        show=outcome.settings.show, quiet=printing.quiet, statistics=printing.statistics, exit_code=code, lead=outcome.lead,
        where=wording.asked_about(outcome.part),
    )  # fmt: skip
    for kind, path in printing.outputs:
        write(path, render(kind, result, replace(options, quiet=False, statistics=False)))
    if terminal := is_terminal():
        from shutil import get_terminal_size  # which loads every way of compressing files

        full = None if printing.chosen else FULL_AT_TERMINAL
        options = replace(options, by_cost=True, full=full, width=max(60, get_terminal_size().columns))
    options = replace(options, color=paint.wanted(printing.color, os.environ, terminal), links=paint.links_wanted(os.environ, terminal))
    said = put(render(printing.style, result, options), machine=printing.style in MACHINE_FORMATS)
    if printing.style == "github" and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        _summarize(Path(summary), result, options)
    beside = "".join(f"{line}\n" for line in _beside(result, outcome.part, printing))
    click.echo(beside, err=True, nl=False)
    if result.broken:
        complain("the run cannot be trusted, because a part of querylint failed; the notes say which")
    return Said(said, beside.encode("utf-8", "backslashreplace"), code)


def _summarize(path: Path, result: Result, options: Options) -> None:
    """Add the report to the summary of the job; a summary that cannot be written fails no run."""
    from querylint.report.markdown import fitted

    try:
        with path.open("ab") as file:
            file.write(fitted(result, options, SUMMARY_BYTES).encode("utf-8", "backslashreplace"))
    except OSError as error:
        click.echo(f"querylint: the job summary cannot be written ({(error.strerror or str(error)).lower()})", err=True)


def verdict(result: Result, fail_on: Severity | None, exit_zero: bool = False) -> ExitCode:
    """What the exit code of a run has to be."""
    if result.broken:
        return ExitCode.UNTRUSTED
    if exit_zero:
        return ExitCode.CLEAN
    failing = fail_on is not None and any(finding.severity.rank >= fail_on.rank for finding in result.findings)
    return ExitCode.FINDINGS if failing or any(gate.failed for gate in result.gates) else ExitCode.CLEAN


def _beside(result: Result, part: Part | None, printing: Printing) -> Iterator[str]:
    """What a report that has no room for it leaves unsaid: what the run looked at, and the gates that are not met."""
    said = printing.style == "text" and not result.summary.analysed  # which looked_at says of the whole project
    if part is not None and not part.analysed and not printing.quiet and not said:
        yield f"querylint: {wording.nothing_there(part)}"
    if printing.style == "concise" and not printing.quiet:
        yield from (wording.gate(gate) for gate in result.gates if gate.failed)
        yield f"{wording.verdict(result, wording.asked_about(part))} {wording.looked_at(result)}"
