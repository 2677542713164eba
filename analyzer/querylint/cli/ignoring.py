"""`querylint check --add-ignores`: comments for all that would be reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from querylint.cli.console import ExitCode, finish_what_was_cut_off, put
from querylint.cli.progress import working
from querylint.cli.reporting import refuse_empty
from querylint.report.paint import Paint
from querylint.report.snippet import printable
from querylint.report.wording import count

if TYPE_CHECKING:
    from querylint.review import View
    from querylint.rule import Finding
    from querylint.silencing import Silenced


def ignoring(
    paths: tuple[Path, ...], config: Path | None, overrides: Mapping[str, object], view: View, reason: str, paint: Paint
) -> ExitCode:
    """Write the comments, and say what they silence and what none could.

    Exit code 0: nothing is left at or above `fail-on`; 1: something is. Raises UsageError for a reason that cannot stand in a comment.
    """
    from querylint import silencing

    if not silencing.fits(reason):
        raise click.UsageError("--add-ignores takes a line of text, without `*/` and `#}`", click.get_current_context())
    finish_what_was_cut_off(paths)
    with working(quiet=False):
        silenced = silencing.silence(paths, config, overrides, view, reason)
    refuse_empty(silenced.result.summary, paths)
    silenced.write()
    put(_said(silenced, paint))
    least = silenced.settings.fail_on
    failing = least is not None and any(finding.severity.rank >= least.rank for finding in silenced.left)
    return ExitCode.FINDINGS if failing else ExitCode.CLEAN


def _said(silenced: Silenced, paint: Paint) -> str:
    lines = [f"{_place(f, paint)} silenced {paint.strong(f.rule)}" for f in silenced.hushed]
    lines += [f"{_place(f, paint)} not silenced {paint.strong(f.rule)}: no comment can stand above that line" for f in silenced.left]
    files = f" in {count(len(silenced.after), 'file')}" if silenced.after else ""
    rest = f", {count(len(silenced.left), 'is', 'are')} left" if silenced.left else ""
    return "\n".join([*lines, *([""] if lines else []), f"{count(len(silenced.hushed), 'finding')} silenced{files}{rest}."]) + "\n"


def _place(finding: Finding, paint: Paint) -> str:
    span = finding.found.span
    return paint.faint(printable(f"{span.path}:{span.line}:{span.column}:"))
