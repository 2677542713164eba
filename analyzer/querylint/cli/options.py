"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from querylint.report import FORMATS

if TYPE_CHECKING:
    from querylint.evidence.budget import Budget
    from querylint.review import View

SEVERITIES = click.Choice(("error", "warning", "info"))
CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="The settings file to use, instead of the nearest one in this or a parent folder."
)
SINCE = click.option("--since", metavar="REF", help="Report only what is new since the current branch left REF.")
BASELINE = click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="The baseline to use, instead of querylint-baseline.json."
)
PACKAGES = click.option("--packages", type=click.Path(path_type=Path), metavar="DIR", help="A folder whose node_modules holds convex-test.")
INSTALL = click.option("--install", is_flag=True, help="First install convex and convex-test into your cache folder, with npm.")
NO_BASELINE = click.option("--no-baseline", "without_baseline", is_flag=True, help="Also report what the baseline lists.")
COLORS = click.option("--color", type=click.Choice(("always", "never", "auto")), default="auto", help="When to use color.")


def outputs_given(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, Path]]:
    """The files of `--output FORMAT=PATH`; raises click.BadParameter for one that cannot be written."""
    outputs = []
    for value in values:
        style, _, name = value.partition("=")
        path = Path(name)
        if style not in FORMATS or not name:
            raise click.BadParameter(f"`{value}` is not FORMAT=PATH with one of the formats {', '.join(FORMATS)}.", ctx, param)
        if not path.parent.is_dir() or path.is_dir():
            problem = f"the folder `{path.parent}` does not exist" if not path.parent.is_dir() else f"`{path}` is a folder"
            raise click.BadParameter(f"{problem}.", ctx, param)
        outputs.append((style, path))
    return outputs


def names(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> list[str] | None:
    """Names that are given by commas, by repetition, or by both."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()] or None


def budget_given(ctx: click.Context, given: tuple[str, ...], measures: Collection[str]) -> Budget:
    """The limits of `--budget MEASURE=MOST`; raises click.BadParameter for one that is none, or is of none of the measures."""
    from querylint.evidence.budget import Budget

    limits: dict[str, float] = {}
    for text in given:
        name, _, most = text.partition("=")
        try:
            limits[name] = float(most)
        except ValueError:
            limits[name] = -1.0
        if name not in measures or not 0 <= limits[name] < float("inf"):
            raise click.BadParameter(
                f"`{text}` is not MEASURE=MOST with one of {', '.join(measures)} and a number.", ctx, param_hint="--budget"
            )
    return Budget(limits)


def VIEW(command: Callable[..., int]) -> Callable[..., int]:  # noqa: N802  # it is used like COLORS, a constant
    """The options that say which state of the project is looked at, and what of it is reported."""
    for option in reversed(_VIEW):
        command = option(command)
    return command


def view_of(ctx: click.Context, given: Mapping[str, Any], paths: tuple[Path, ...]) -> tuple[View, tuple[Path, ...]]:
    """What the options of `VIEW` ask for, and the paths without the `-` that stands for standard input."""
    from querylint.review import View

    given = dict(given)
    name = given.pop("stdin_filename")
    if name is None:
        return View(**given), paths
    if given["staged"] or given["changed"] or paths not in ((), (Path("-"),)):
        raise click.UsageError("--stdin-filename cannot be combined with other paths, --staged or --changed", ctx)
    if not name.parent.is_dir():
        raise click.BadParameter(f"the folder `{name.parent}` does not exist.", ctx, param_hint="'--stdin-filename'")
    return View(**given, unsaved=(name, sys.stdin.buffer.read())), ()


_VIEW = (
    SINCE,
    click.option(
        "--staged",
        is_flag=True,
        help="Check what is staged in git, and report what touches staged files; with --since HEAD, only what is new there.",
    ),
    click.option("--changed", is_flag=True, help="Report what touches changed files: PATHS, or what has changed according to git."),
    BASELINE,
    NO_BASELINE,
    click.option("--baseline-strict", "strict", is_flag=True, help="Exit with 1 if the baseline lists findings that are gone."),
    click.option(
        "--stdin-filename", type=click.Path(path_type=Path), metavar="PATH", help="Read this file's text from standard input (for editors)."
    ),
)
