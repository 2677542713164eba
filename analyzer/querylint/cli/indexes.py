"""`querylint indexes`: the fewest indexes that serve every query."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from querylint.cli.console import ExitCode, finish_what_was_cut_off, is_terminal, painter, put, write
from querylint.cli.fix import painted
from querylint.cli.options import COLORS, CONFIG
from querylint.cli.progress import working
from querylint.cli.reporting import refuse_empty
from querylint.report import paint
from querylint.report.indexes import FORMATS, render
from querylint.report.wording import count

if TYPE_CHECKING:
    from querylint.indexing import Indexed
    from querylint.report.indexes import IndexReport


@click.command(short_help="Recommend indexes: which to add, keep and drop, and why.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True, help="The output format.")
@click.option("--output", type=click.Path(path_type=Path), metavar="PATH", help="Write it to a file instead.")
@click.option(
    "--show",
    type=click.Choice(("warning", "info")),
    default="warning",
    help="`info` also serves queries that are not worth an index on their own.",
)
@click.option("--all", "everything", is_flag=True, help="Also show tables that need no change.")
@click.option("--diff", "only_show", is_flag=True, help="Print the edits that follow the advice, and change nothing.")
@click.option("--apply", "carry_out", is_flag=True, help="Make these edits.")
@click.option("--only", type=click.Choice(("add", "drop")), help="Only add, or only drop: deploy one before the other.")
@click.option("--allow-dirty", is_flag=True, help="Also change files with uncommitted changes.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is advised.")
@CONFIG
@COLORS
@click.pass_context
def indexes(
    ctx: click.Context, paths: tuple[Path, ...], style: str, output: Path | None, show: str, everything: bool, only_show: bool,
    carry_out: bool, only: str | None, allow_dirty: bool, exit_zero: bool, config: Path | None, color: str,
) -> int:  # fmt: skip
    """Recommend indexes for the tables in PATHS (default: here): what to keep, add and drop, why, and why fewer are not enough.

    Exit code 0: nothing to change, or everything was changed; 1: changes are advised; 2: the run cannot be trusted.
    """
    if only_show and carry_out:
        raise click.UsageError("--diff and --apply cannot be combined", ctx)
    if only and not (only_show or carry_out):
        raise click.UsageError("--only needs --diff or --apply", ctx)
    from querylint import indexing

    given = paths or (Path(),)
    if only_show or carry_out:
        from querylint.rewrite.indexes import Order

        if carry_out:
            finish_what_was_cut_off(given)
        order = Order(add=only != "drop", drop=only != "add")
        with working():
            done = indexing.carried_out(given, config, every=show == "info", order=order, clean=carry_out and not allow_dirty)
        refuse_empty(done.report.summary, given)
        code = _shown(done, painter(color), output) if only_show else _made(done)
    else:
        with working():
            report = indexing.indexes(given, config, every=show == "info")
        refuse_empty(report.summary, given)
        colored = output is None and paint.wanted(color, os.environ, is_terminal())
        text = render(style, replace(report, all=everything, color=colored))
        _put(text, output, machine=style != "text")
        code = ExitCode.FINDINGS if report.changed else ExitCode.CLEAN
    return ExitCode.CLEAN if exit_zero else code


def _put(text: str, output: Path | None, *, machine: bool) -> None:
    if output is not None:
        write(output, text)
    else:
        put(text, machine=machine)


def _shown(done: Indexed, colors: paint.Paint, output: Path | None) -> ExitCode:
    from querylint.rewrite.diff import unified

    text = unified(done.before, done.after)
    _put(text if output is not None else painted(text, colors), output, machine=output is not None)
    _told(done, made=False)
    return ExitCode.FINDINGS if done.report.changed else ExitCode.CLEAN


def _made(done: Indexed) -> ExitCode:
    done.write()
    _told(done, made=True)
    return ExitCode.FINDINGS if done.held or done.rest.changed else ExitCode.CLEAN


def _told(done: Indexed, *, made: bool) -> None:
    """Say on standard error what is left to do by hand, and in which order to deploy."""
    from querylint.report.indexes import shortened
    from querylint.report.indexes.wording import steps

    for held in done.held:
        click.echo(f"{held.table}: `{held.index}` is left to you: {held.reason}", err=True)
    before, after = (_verdicts(report) for report in (done.report, done.rest))
    added, dropped = before[0] - after[0], before[1] - after[1]
    add, drop = ("Added", "dropped") if made else ("Would add", "drop")
    click.echo(f"{add} {count(added, 'index', 'indexes')} and {drop} {dropped}.", err=True)
    if made and (waiting := done.rest.waiting):
        click.echo(f"These queries do not use their index yet: {shortened(waiting)}", err=True)
    if todo := steps(done.report.tables):
        click.echo("Deploy in this order:", err=True)
    for number, step in enumerate(todo, 1):
        click.echo(f"{number}. {step}", err=True)


def _verdicts(report: IndexReport) -> tuple[int, int]:
    found = [i.verdict.value for table in report.tables for i in table.indexes]
    return found.count("add"), found.count("drop")
