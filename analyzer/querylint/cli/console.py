"""What every command says and writes, and how: exit codes, standard output, complaints, files written whole."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from enum import IntEnum
from pathlib import Path

import click

from querylint.errors import PathError
from querylint.report import paint


class ExitCode(IntEnum):
    """What the exit code says; UNTRUSTED covers wrong usage, wrong settings, a missing path and a bug of ours."""

    CLEAN = 0
    FINDINGS = 1
    UNTRUSTED = 2
    INTERRUPTED = 130


def is_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


def painter(color: str) -> paint.Paint:
    """The colors that `--color` asks for."""
    return paint.Paint(paint.wanted(color, os.environ, is_terminal()))


def put(text: str, machine: bool = False) -> bytes:
    """Print to standard output, in UTF-8 for programs, in what the terminal can show for people; gives back what was printed."""
    encoding = "utf-8" if machine else getattr(sys.stdout, "encoding", None) or "utf-8"
    data = text.encode(encoding, "backslashreplace")
    try:
        click.echo(data, nl=False)
    except BrokenPipeError:
        # Whoever read us has seen enough; what Python flushes at the end must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return data


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all; a pipe or a device is written straight to."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        path = path.resolve()
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.write_bytes(data)
            part.replace(path)
        finally:
            with suppress(OSError):
                part.unlink()
    except OSError as error:
        raise PathError(f"`{path}` cannot be written ({(error.strerror or str(error)).lower()})") from None


def shown(path: Path) -> Path:
    """A path as somebody would write it from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def complain(message: str) -> ExitCode:
    """Say on standard error why the run cannot be trusted."""
    for line in message.splitlines():
        click.echo(f"querylint: {line}", err=True)
    return ExitCode.UNTRUSTED


def finish_what_was_cut_off(paths: tuple[Path, ...]) -> None:
    """Before a command writes: end a change of the project that another process had to leave in the middle."""
    from querylint import discover
    from querylint.rewrite.disk import recover

    if recover(discover.locate(paths).root):
        click.echo("querylint: an earlier change was interrupted; it is now complete", err=True)
