"""`querylint verify`: run what fixes would change, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from querylint.cli.console import ExitCode, complain, painter, put
from querylint.cli.options import COLORS, CONFIG, INSTALL, NO_BASELINE, PACKAGES, SEVERITIES, names

if TYPE_CHECKING:
    from querylint.verification import Verified


@click.command(short_help="Run Convex functions before and after their fixes, and compare.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--select", multiple=True, callback=names, metavar="RULES", help="Try only fixes for these rules (comma-separated or repeated)."
)
@click.option("--only", multiple=True, metavar="PLACE", help="Try only the fixes at FILE:LINE or in a function of that name (repeatable).")
@click.option("--unsafe", is_flag=True, help="Also try fixes that may change what the code does, allowing the changes that they announce.")
@click.option("--cases", type=click.IntRange(1, 100_000), default=30, show_default=True, help="How many cases each function is run on.")
@click.option(
    "--seed",
    type=click.IntRange(0, 1_000_000),
    default=0,
    show_default=True,
    help="The seed of the first case; the same seed gives the same case.",
)
@click.option("--show", type=SEVERITIES, help="The lowest severity of the findings.  [default: warning]")
@PACKAGES
@INSTALL
@click.option("--format", "style", type=click.Choice(("text", "json")), default="text", show_default=True, help="The output format.")
@NO_BASELINE
@CONFIG
@COLORS
def verify(
    paths: tuple[Path, ...], select: list[str] | None, only: tuple[str, ...], unsafe: bool, cases: int, seed: int, show: str | None,
    packages: Path | None, install: bool, style: str, without_baseline: bool, config: Path | None, color: str,
) -> int:  # fmt: skip
    """Run the Convex functions that the fixes in PATHS (default: here) would change, before and after each fix, and compare.

    This runs code of the project, which only `measure` does as well: under Node and convex-test, on random documents made from the schema,
    in a process without network, files, programs or environment, as far as Node can prevent them. For code that you do not trust, use a
    container. Nothing is written to the project.

    Exit code 0: no fix makes a difference; 1: one does; 2: it cannot be tried, because Node or a package is missing.
    """
    from querylint import verification
    from querylint.report import verified

    paint = painter(color)
    choice = verification.Choice(
        cases, seed, unsafe, frozenset(select) if select else None, only, packages, install, without_baseline=without_baseline
    )

    def told(check: Verified) -> None:
        if style == "text":
            put(verified.text(check, paint))

    done = verification.verify(paths or (Path(),), config, {"show": show} if show is not None else {}, choice, told)
    put(verified.as_json(done) if style == "json" else verified.summary(done), machine=style == "json")
    if done.broken:
        return complain("the run cannot be trusted, because a part of querylint failed; `querylint check` says which")
    return ExitCode.FINDINGS if any(check.state == "differs" for check in done.checks) else ExitCode.CLEAN
