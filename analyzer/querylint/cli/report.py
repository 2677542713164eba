"""`querylint report`: one document on the whole project, to read and to hand on."""

from __future__ import annotations

from pathlib import Path

import click

from querylint.cli.console import ExitCode, complain, is_terminal, put, write
from querylint.cli.options import BASELINE, CONFIG, NO_BASELINE, SEVERITIES, SINCE
from querylint.cli.progress import working
from querylint.cli.reporting import refuse_empty
from querylint.report.page import FORMATS


@click.command(short_help="Write a report as an HTML page or as Markdown.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "style", type=click.Choice(FORMATS), default="html", show_default=True, help="An HTML page, or Markdown for a wiki."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to FILE instead of standard output.")
@click.option("--title", help="The title of the report.")
@click.option("--show", type=SEVERITIES, help="The lowest severity that is shown in full.  [default: warning]")
@click.option(
    "--logs", multiple=True, type=click.Path(path_type=Path), metavar="LOG",
    help="A log of the running system, as `querylint profile` reads it: the costliest are then those that were measured (repeatable).",
)  # fmt: skip
@SINCE
@BASELINE
@NO_BASELINE
@CONFIG
@click.pass_context
def report(
    ctx: click.Context, paths: tuple[Path, ...], style: str, output: Path | None, title: str | None, show: str | None,
    logs: tuple[Path, ...], since: str | None, baseline: Path | None, without_baseline: bool, config: Path | None,
) -> int:  # fmt: skip
    """Write a report on PATHS (default: here): the verdict, the costliest findings, endpoints and tables, indexes, a roadmap.

    The page is one file that needs no network. Exit code 0: the report was written, whatever it says; 2: the run cannot be trusted.
    """
    if style == "html" and output is None and is_terminal():
        raise click.UsageError("an HTML page needs a file: `querylint report -o report.html`, or `--format markdown` to read it here", ctx)
    from querylint.report import page
    from querylint.report.page.material import TITLE
    from querylint.review import View
    from querylint.survey import survey

    with working():
        asked = {"show": show} if show is not None else {}
        view = View(since=since, baseline=baseline, without_baseline=without_baseline)
        material = survey(paths or (Path(),), config, asked, view, title or TITLE, logs)
        refuse_empty(material.result.summary, paths or (Path(),))
        text = page.render(style, material)
    if output is None:
        put(text, machine=True)
    else:
        write(output, text)
        click.echo(f"Wrote {output}", err=True)
    if material.result.broken:
        return complain("the run cannot be trusted, because a part of querylint failed; the report says which")
    return ExitCode.CLEAN
