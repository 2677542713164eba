"""`querylint check`: report what is costly."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from shutil import get_terminal_size

import click
from click.core import ParameterSource

from querylint.cli.console import ExitCode, complain, is_terminal, put, write
from querylint.cli.options import COLORS, SEVERITIES, names, outputs_given
from querylint.report import FORMATS, MACHINE_FORMATS, Options, paint, render, wording
from querylint.result import Result
from querylint.rule import Severity

FULL_AT_TERMINAL = 20
"""How many findings a person gets in full at once; the rest take one line each."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print findings.")
@click.option("--output", "outputs", multiple=True, callback=outputs_given, metavar="FORMAT=PATH", help="Write a file too (repeatable).")
@click.option("--select", multiple=True, callback=names, metavar="RULES", help="Run only these rules (comma or repeated).")
@click.option("--ignore", multiple=True, callback=names, metavar="RULES", help="Leave these rules out (comma or repeated).")
@click.option("--show", type=SEVERITIES, help="The least severity to print.  [default: warning]")
@click.option("--fail-on", type=click.Choice(("error", "warning", "info", "never")), help="Exit with 1 from here on.  [default: warning]")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option("--config", type=click.Path(path_type=Path), help="The settings file, instead of the nearest one upward.")
@COLORS
@click.option("--statistics", is_flag=True, help="Print how often each rule reports instead of the findings.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings and nothing else.")
@click.pass_context
def check(
    ctx: click.Context, paths: tuple[Path, ...], style: str, outputs: list[tuple[str, Path]], select: list[str] | None, color: str,
    ignore: list[str] | None, show: str | None, fail_on: str | None, exit_zero: bool, config: Path | None, statistics: bool, quiet: bool,
) -> int:  # fmt: skip
    """Report what is costly in PATHS (default: here).

    Exit code 0: nothing to report; 1: findings at or over --fail-on; 2: the run cannot be trusted.
    """
    if statistics and style != "text":
        raise click.UsageError("--statistics goes with --format text only", ctx)
    from querylint import engine

    given = {"select": select, "ignore": ignore, "show": show, "fail-on": fail_on}
    given = {key: value for key, value in given.items() if value is not None}
    fixes = any(kind in MACHINE_FORMATS for kind in (style, *(kind for kind, _ in outputs)))
    outcome = engine.check(paths or (Path(),), config, given, fixes=fixes)
    result, code = outcome.result, _verdict(outcome.result, None if exit_zero else outcome.settings.fail_on)
    options = Options(show=outcome.settings.show, quiet=quiet, statistics=statistics, exit_code=code)
    for kind, path in outputs:
        write(path, render(kind, result, replace(options, quiet=False, statistics=False)))
    if terminal := is_terminal():
        chosen = ctx.get_parameter_source("style") is not ParameterSource.DEFAULT
        options = replace(options, by_cost=True, full=None if chosen else FULL_AT_TERMINAL, width=max(60, get_terminal_size().columns))
    options = replace(options, color=paint.wanted(color, os.environ, terminal))
    put(render(style, result, options), machine=style in MACHINE_FORMATS)
    _explain_silence(result, style, quiet)
    return code


def _verdict(result: Result, fail_on: Severity | None) -> ExitCode:
    if result.broken:
        return ExitCode.UNTRUSTED
    failing = fail_on is not None and any(finding.severity.rank >= fail_on.rank for finding in result.findings)
    return ExitCode.FINDINGS if failing else ExitCode.CLEAN


def _explain_silence(result: Result, style: str, quiet: bool) -> None:
    """Say beside a report that has no room for it what the run looked at, and that it cannot be trusted."""
    if style == "concise" and not quiet:
        click.echo(f"{wording.verdict(result)} {wording.looked_at(result)}", err=True)
    if result.broken:
        complain("the run cannot be trusted, since a part of querylint failed; the notes say which")
