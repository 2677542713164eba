"""`querylint check --watch`: once more whenever something has changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from querylint.cli.console import ExitCode, complain
from querylint.errors import QuerylintError

if TYPE_CHECKING:
    from watchfiles import Change

SETTLED = 200
"""Milliseconds of rest that make a change one: an editor or git writes several files at once."""


def again(paths: Sequence[Path], once: Callable[[], ExitCode]) -> ExitCode:
    """Check now and after every change below the root of the project, until the user interrupts; wrong settings wait to be mended."""
    code = ExitCode.CLEAN
    for _ in _changes(_root(paths)):
        if sys.stdout.isatty():
            click.clear()
        try:
            code = once()
        except QuerylintError as error:
            code = complain(str(error))
        click.echo("querylint: waiting for changes (Ctrl-C to stop)", err=True)
    return code


def _root(paths: Sequence[Path]) -> Path:
    from querylint import discover

    return discover.locate(paths).root


def _changes(root: Path) -> Iterator[None]:
    """Once at the start, and then for each change that may matter."""
    try:
        from watchfiles import DefaultFilter, watch
    except ImportError:
        raise click.UsageError("--watch needs the package watchfiles: pip install 'querylint[watch]'") from None
    usual = DefaultFilter()
    yield
    for _ in watch(root, watch_filter=lambda change, path: usual(change, path) and _matters(change, path), debounce=SETTLED):
        yield


def _matters(_change: Change, path: str) -> bool:
    from querylint import discover

    name = Path(path).name
    return discover.readable(Path(path).as_posix()) or name in ("querylint.toml", "pyproject.toml", ".gitignore", "querylint-baseline.json")
