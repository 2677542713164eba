"""The door: parse the command line, call the engine, print, exit. What is heavy is imported where it is used, each command when called."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn, cast

import click

from querylint import __version__
from querylint.cache.question import Question
from querylint.cli.console import ExitCode, complain
from querylint.errors import QuerylintError

COMMANDS = {
    "baseline": "baseline",
    "check": "check",
    "completion": "completion",
    "config": "config",
    "docs": "pages",
    "explain": "pages",
    "fix": "fix",
    "indexes": "indexes",
    "init": "config",
    "lsp": "lsp",
    "mcp": "mcp",
    "measure": "measure",
    "profile": "profile",
    "report": "report",
    "rules": "pages",
    "verify": "verify",
}
"""The module of each command."""

ROOM = (1 << 17) + 1
"""Entries of 8 bytes: just over a megabyte, for which a chunk of two is taken."""

LASTING = frozenset(("lsp", "mcp", "--watch"))
"""Words of command lines that end only when the user says so."""


class Door(click.Group):
    """A group in which `check` may be left out."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        module = COMMANDS.get(cmd_name)
        return None if module is None else cast("click.Command", getattr(import_module(f"querylint.cli.{module}"), cmd_name))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front of anything that is neither a command nor a question to the group itself."""
        first = args[0] if args else ""
        if ctx.resilient_parsing and not args:  # a shell asks which commands there are
            return super().parse_args(ctx, args)
        if first not in COMMANDS and first not in ("-h", "--help", "--version"):
            from difflib import get_close_matches  # for mistakes only

            near = get_close_matches(first, COMMANDS, n=1)
            if near and not first.startswith("-") and not Path(first).exists():
                raise click.UsageError(f"`{first}` is neither a path nor a command; did you mean `{near[0]}`?", ctx)
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="querylint", message="%(prog)s %(version)s")
def door() -> None:
    """Find costly database access in Convex and Python code, and what to do about it.

    `querylint PATH` is short for `querylint check PATH`.
    """


def main(question: Question | None = None) -> NoReturn:
    """The entry point of the command; the answer to a `question` is kept for the next run."""
    args = sys.argv[1:]
    if LASTING.isdisjoint(args):
        gc.disable()  # what a single run makes it keeps to its end, and looking through all of it once more is a twentieth of the run
    code = _with_room(lambda: run(args, question))
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError, AttributeError):
        sys.exit(code)
    os._exit(code)  # everything is written: taking the program apart piece by piece would only cost time


def _with_room(work: Callable[[], int]) -> int:
    """Do something with enough room for the frames of deep calls below it.

    CPython (3.11 on) keeps frames in chunks of 16 KB, which it takes from the system and gives back whenever a call crosses the end of one:
    200,000 times in a large project, a tenth of the run. A frame that says it needs much gets a chunk of its size and more, and
    those below it use the rest; memory that nobody touches costs nothing.
    """
    return work()


_with_room.__code__ = _with_room.__code__.replace(co_stacksize=ROOM)


def run(args: Sequence[str], question: Question | None = None) -> int:
    """Carry out a command line and say how it went; mistakes and mishaps end here, each as a sentence."""
    try:
        code = door.main(list(args), prog_name="querylint", standalone_mode=False, obj=question)
    except click.exceptions.NoArgsIsHelpError as error:  # a group alone, such as `querylint baseline`
        click.echo(error.format_message(), err=True)
        return ExitCode.UNTRUSTED
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "querylint"
        return complain(f"{error.format_message()}\nsee `{command} --help`")
    except click.ClickException as error:
        return complain(error.format_message())
    except QuerylintError as error:
        return complain(str(error))
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except Exception:
        import traceback

        return complain(f"{traceback.format_exc()}this is a bug in querylint; please report it with the lines above")
    return int(code or ExitCode.CLEAN)
