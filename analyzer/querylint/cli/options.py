"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from querylint.report import FORMATS

SEVERITIES = click.Choice(("error", "warning", "info"))
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
