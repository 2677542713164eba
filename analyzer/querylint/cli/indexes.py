"""`querylint indexes`: the fewest indexes that serve every query."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from querylint.cli.console import ExitCode, is_terminal, put, write
from querylint.cli.options import COLORS
from querylint.report import paint
from querylint.report.indexes import FORMATS, render


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print the advice.")
@click.option("--output", type=click.Path(path_type=Path), metavar="PATH", help="Write it to a file instead.")
@click.option(
    "--show", type=click.Choice(("warning", "info")), default="warning", help="`info` serves also what alone is not worth an index."
)
@click.option("--all", "everything", is_flag=True, help="Show tables too for which there is nothing to do.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is advised.")
@click.option("--config", type=click.Path(path_type=Path), help="The settings file, instead of the nearest one upward.")
@COLORS
def indexes(
    paths: tuple[Path, ...], style: str, output: Path | None, show: str, everything: bool, exit_zero: bool, config: Path | None, color: str
) -> int:
    """Say which indexes the tables of PATHS (default: here) need: what to keep, add and drop, why, and why fewer cannot do.

    Exit code 0: nothing to change; 1: something is advised; 2: the run cannot be trusted.
    """
    from querylint import indexing

    report = indexing.indexes(paths or (Path(),), config, every=show == "info")
    colored = output is None and paint.wanted(color, os.environ, is_terminal())
    text = render(style, replace(report, all=everything, color=colored))
    if output is not None:
        write(output, text)
    else:
        put(text, machine=style != "text")
    return ExitCode.FINDINGS if report.changed and not exit_zero else ExitCode.CLEAN
