"""`querylint check`: report what is costly."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from querylint.cache import place
from querylint.cache.question import Question
from querylint.cli.console import ExitCode, painter
from querylint.cli.ignoring import ignoring
from querylint.cli.keeping import keep
from querylint.cli.options import COLORS, CONFIG, SEVERITIES, VIEW, names, outputs_given, view_of
from querylint.cli.progress import working
from querylint.cli.reporting import Printing, refuse_nothing, say
from querylint.cli.watching import again
from querylint.report import FIX_FORMATS, FORMATS

NO_CACHE = click.option(place.OFF, is_flag=True, expose_value=False, help="Neither use nor keep cached results.")
"""`cache` looks for it before click does, so that there is nothing left to do for it here."""


@click.command(short_help="Report costly database access.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True, help="The output format.")
@click.option("--output", "outputs", multiple=True, callback=outputs_given, metavar="FORMAT=PATH", help="Also write a file (repeatable).")
@click.option("--select", multiple=True, callback=names, metavar="RULES", help="Run only these rules (comma-separated or repeated).")
@click.option("--ignore", multiple=True, callback=names, metavar="RULES", help="Skip these rules (comma-separated or repeated).")
@click.option("--show", type=SEVERITIES, help="The lowest severity to print.  [default: warning]")
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning", "info", "never")),
    help="The lowest severity that makes the exit code 1.  [default: warning]",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@CONFIG
@VIEW
@COLORS
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
@click.option(
    "--add-ignores", "reason", metavar="REASON", help="Silence what would be reported: write comments with this reason into the files."
)
@click.option("--statistics", is_flag=True, help="Print counts per rule instead of the findings.")
@NO_CACHE
@click.option("-q", "--quiet", is_flag=True, help="Print findings and nothing else.")
def check(
    paths: tuple[Path, ...], style: str, outputs: list[tuple[str, Path]], select: list[str] | None, color: str,
    ignore: list[str] | None, show: str | None, fail_on: str | None, exit_zero: bool, config: Path | None, statistics: bool, quiet: bool,
    watch: bool, reason: str | None, **view: object,
) -> int:  # fmt: skip
    """Report costly database access in PATHS (default: here).

    Exit code 0: nothing to report; 1: findings at or above --fail-on, or a failed gate; 2: the run cannot be trusted, or there is no
    source file in PATHS.
    """
    ctx = click.get_current_context()
    if statistics and style != "text":
        raise click.UsageError("--statistics works only with --format text", ctx)
    wanted, paths = view_of(ctx, view, paths)
    from querylint import review

    if watch and wanted.unsaved is not None:
        raise click.UsageError("--watch cannot read standard input", ctx)
    asked = {"select": select, "ignore": ignore, "show": show, "fail-on": fail_on}
    given = {key: value for key, value in asked.items() if value is not None}
    if reason is not None:
        if watch or statistics or outputs or style != "text" or wanted.staged or wanted.unsaved is not None:
            raise click.UsageError("--add-ignores writes into the files on disk, and can print only text", ctx)
        return ignoring(paths or (Path(),), config, given, wanted, reason, painter(color))
    chosen = ctx.get_parameter_source("style") is not ParameterSource.DEFAULT
    fixes = any(kind in FIX_FORMATS for kind in (style, *(kind for kind, _ in outputs)))
    printing = Printing(style, tuple(outputs), color, statistics, quiet, exit_zero, chosen)

    question = ctx.find_object(Question)

    def once() -> ExitCode:
        with working(quiet):
            outcome = review.check(paths or (Path(),), config, given, wanted, fixes=fixes, parts=question is not None)
        refuse_nothing(outcome.part)
        said = say(outcome, printing)
        if not (outputs or watch or outcome.result.broken):
            keep(question, said, outcome, paths or (Path(),), wanted.baseline)
        return ExitCode(said.code)

    return again(paths or (Path(),), once) if watch else once()
