"""`querylint measure`: what Convex functions take on generated databases of several sizes, before and after their fixes."""

from __future__ import annotations

from pathlib import Path

import click

from querylint.cli.console import ExitCode, complain, painter, put
from querylint.cli.options import COLORS, CONFIG, INSTALL, NO_BASELINE, PACKAGES, SEVERITIES, budget_given
from querylint.cli.progress import working

MOST_ROWS = 10_000
MOST_SIZES = 5


def sizes_given(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
    """The sizes of `--rows`; raises click.BadParameter for what is no list of them."""
    parts = [part.strip() for part in value.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts) or len(parts) > MOST_SIZES:
        raise click.BadParameter(f"`{value}` is not one to {MOST_SIZES} numbers, separated by commas.", ctx, param)
    sizes = tuple(sorted({int(part) for part in parts}))
    if not 1 <= sizes[0] <= sizes[-1] <= MOST_ROWS:
        raise click.BadParameter(f"a table gets from 1 to {MOST_ROWS:,} rows.", ctx, param)
    return sizes


@click.command(short_help="Run Convex functions on databases of three sizes, and count what they read.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--only", multiple=True, metavar="GLOB", help="Measure only functions of that name, such as posts:* (repeatable).")
@click.option(
    "--rows", "sizes", default="10,100,1000", show_default=True, callback=sizes_given, metavar="N,...", help="The rows of each table."
)
@click.option("--unsafe", is_flag=True, help="Also make fixes that may change what the code does.")
@click.option("--against", type=click.Path(path_type=Path), metavar="FILE", help="The JSON of another run, to compare with.")
@click.option(
    "--fail-on-growth", "limit", type=click.Choice(("rows", "square")),
    help="Exit with 1 where documents or round trips of a function grow with the rows (rows), or faster than the rows (square); with "
    "--against, only where they grow faster than there.",
)  # fmt: skip
@click.option(
    "--budget", "limits", multiple=True, metavar="MEASURE=MOST",
    help="What a function may take at most on the largest tables: documents or round-trips (repeatable).",
)  # fmt: skip
@click.option("--show", type=SEVERITIES, help="The lowest severity of the findings that are fixed.  [default: warning]")
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="How many functions are shown.")
@PACKAGES
@INSTALL
@click.option("--format", "style", type=click.Choice(("text", "json")), default="text", show_default=True, help="The output format.")
@NO_BASELINE
@CONFIG
@COLORS
@click.pass_context
def measure(
    ctx: click.Context, paths: tuple[Path, ...], only: tuple[str, ...], sizes: tuple[int, ...], unsafe: bool, against: Path | None,
    limit: str | None, limits: tuple[str, ...], show: str | None, top: int, packages: Path | None, install: bool, style: str,
    without_baseline: bool, config: Path | None, color: str,
) -> int:  # fmt: skip
    """Run the Convex functions in PATHS (default: here) on generated databases of three sizes, before and after their fixes, and count.

    Counted are the documents that are read, as Convex bills them, their bytes, the calls of the database and the round trips, and how each
    grows with the rows. No time is measured. The same code gives the same numbers.

    Like `verify`, this runs code of the project: under Node and convex-test, in a process without network, files, programs or environment,
    as far as Node can prevent them. For code that you do not trust, use a container. Nothing is written to the project.

    Exit code 0: all keep to what is asked of them; 1: something is over budget, or grows faster than it may; 2: it cannot be measured.
    """
    from querylint import measuring
    from querylint.evidence.budget import OF_SCALES
    from querylint.evidence.costs import Growth
    from querylint.report import measured

    paint = painter(color)
    slowest = {None: None, "rows": Growth.ROWS, "square": Growth.FASTER}[limit]
    budget = budget_given(ctx, limits, OF_SCALES)
    choice = measuring.Choice(
        sizes, unsafe, only, packages, install, without_baseline=without_baseline, against=against, budget=budget, slowest=slowest
    )
    asked: dict[str, object] = {"show": show} if show is not None else {}
    with working() as say:
        done = measuring.measure(
            paths or (Path(),), config, asked, choice, lambda n, every: say(f"querylint is measuring, step {n} of {every}")
        )
    put(measured.as_json(done) if style == "json" else measured.text(done, paint, top, detailed=bool(only)), machine=style == "json")
    if done.broken:
        return complain("the run cannot be trusted, because a part of querylint failed; `querylint check` says which")
    return ExitCode.FINDINGS if done.failed else ExitCode.CLEAN
