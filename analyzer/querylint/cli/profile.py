"""`querylint profile`: what the logs of the running system say, joined to what is found in its code."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from querylint.cli.console import ExitCode, complain, painter, put
from querylint.cli.options import COLORS, CONFIG, SEVERITIES, budget_given
from querylint.cli.progress import working

ORDERS = ("time", "documents", "calls", "p95")


@click.command(short_help="Join logs of the running system to the findings, the costliest first.")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="LOG...")
@click.option(
    "--project", "paths", multiple=True, type=click.Path(path_type=Path), metavar="PATH",
    help="The project that ran, or a part of it (repeatable).  [default: here]",
)  # fmt: skip
@click.option("--by", "order", type=click.Choice(ORDERS), default="time", show_default=True, help="What is ranked by.")
@click.option(
    "--against", multiple=True, type=click.Path(path_type=Path), metavar="LOG",
    help="A log of another run, such as one before a change, to compare with (repeatable).",
)  # fmt: skip
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="How many functions and statements are shown.")
@click.option("--show", type=SEVERITIES, help="The lowest severity of the findings.  [default: warning]")
@click.option(
    "--budget", "limits", multiple=True, metavar="MEASURE=MOST",
    help="What a function or a statement may take at most (repeatable): mean, p50, p95 or p99 in milliseconds; of functions also documents "
    "read by one run, failures or conflicts in percent.",
)  # fmt: skip
@click.option("--format", "style", type=click.Choice(("text", "json")), default="text", show_default=True, help="The output format.")
@CONFIG
@COLORS
@click.pass_context
def profile(
    ctx: click.Context, logs: tuple[Path, ...], paths: tuple[Path, ...], order: str, against: tuple[Path, ...], top: int,
    show: str | None, limits: tuple[str, ...], style: str, config: Path | None, color: str,
) -> int:  # fmt: skip
    """Read LOGs of the running system (`-` for standard input), and rank functions, statements and the findings there by what they cost.

    \b
    A LOG is a file, also a .gz, of
      npx convex logs --history 10000 --jsonl     runs of Convex functions
      npx convex insights --details --json        what Convex has noticed in 72 hours
      a log stream (webhook, Axiom, ...)          events in JSON, one per line or in arrays
      pg_stat_statements (psql --csv)             statements of PostgreSQL
      log_min_duration_statement                  the log of PostgreSQL, plain, csvlog or jsonlog
      events_statements_summary_by_digest         statements of MySQL (mysql --batch, or CSV); its slow query log

    No server is asked, and nothing is sent. Exit code 0: all keep to their budget, or there is none; 1: something exceeds it; 2: a LOG
    cannot be read.
    """
    from querylint.evidence.budget import MEASURES
    from querylint.evidence.profile import Order
    from querylint.profiling import profile as measure
    from querylint.report.profile import as_json, as_text
    from querylint.rule import Severity

    paint = painter(color)
    budget = budget_given(ctx, limits, MEASURES)
    with working():
        given = sys.stdin.buffer if sys.stdin is not None else None
        asked = {"show": show} if show is not None else {}
        measured, outcome = measure(logs, paths or (Path(),), config, asked, given, budget, Order(order), against)
    least = Severity(show) if show is not None else outcome.settings.show
    put(as_json(measured) if style == "json" else as_text(measured, paint, top, least), machine=style == "json")
    if outcome.result.broken:
        return complain("the run cannot be trusted, because a part of querylint failed; `querylint check` says which")
    return ExitCode.FINDINGS if measured.excess else ExitCode.CLEAN
