"""The door: parse the command line, call the engine, print, exit. What is heavy is imported where it is used."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from enum import IntEnum
from pathlib import Path
from shutil import get_terminal_size
from typing import NoReturn

import click
from click.core import ParameterSource

from querylint import __version__
from querylint.errors import PathError, QuerylintError, RuleNameError
from querylint.report import FORMATS, MACHINE_FORMATS, Options, paint, render, wording
from querylint.result import Result
from querylint.rule import Rule, Severity

FULL_AT_TERMINAL = 20
"""How many findings a person gets in full at once; the rest take one line each."""


class ExitCode(IntEnum):
    """What the exit code says; UNTRUSTED covers wrong usage, wrong settings, a missing path and a bug of ours."""

    CLEAN = 0
    FINDINGS = 1
    UNTRUSTED = 2
    INTERRUPTED = 130


class Door(click.Group):
    """A group in which `check` may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front of anything that is neither a command nor a question to the group itself."""
        first = args[0] if args else ""
        if first not in self.commands and first not in ("-h", "--help", "--version"):
            near = get_close_matches(first, self.commands, n=1)
            if near and not first.startswith("-") and not Path(first).exists():
                raise click.UsageError(f"`{first}` is neither a path nor a command; did you mean `{near[0]}`?", ctx)
            args = ["check", *args]
        return super().parse_args(ctx, args)


def _outputs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, Path]]:
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


def _names(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> list[str] | None:
    return [name.strip() for value in values for name in value.split(",") if name.strip()] or None


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="querylint", message="%(prog)s %(version)s")
def door() -> None:
    """Find costly database access in Convex and Python code, and what to do about it.

    `querylint PATH` is short for `querylint check PATH`.
    """


SEVERITIES = click.Choice(("error", "warning", "info"))
COLORS = click.option("--color", type=click.Choice(("always", "never", "auto")), default="auto", help="When to use color.")


@door.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print findings.")
@click.option("--output", "outputs", multiple=True, callback=_outputs, metavar="FORMAT=PATH", help="Write a file too (repeatable).")
@click.option("--select", multiple=True, callback=_names, metavar="RULES", help="Run only these rules (comma or repeated).")
@click.option("--ignore", multiple=True, callback=_names, metavar="RULES", help="Leave these rules out (comma or repeated).")
@click.option("--show", type=SEVERITIES, help="The least severity to print.  [default: warning]")
@click.option("--fail-on", type=click.Choice(("error", "warning", "info", "never")), help="Exit with 1 from here on.  [default: warning]")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option("--config", type=click.Path(path_type=Path), help="The settings file, instead of the nearest one upward.")
@COLORS
@click.option("--statistics", is_flag=True, help="Print how often each rule reports instead of the findings.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings and nothing else.")
@click.pass_context
def check(
    ctx: click.Context, paths: tuple[Path, ...], style: str, outputs: list[tuple[str, Path]], select: list[str] | None, color: str,
    ignore: list[str] | None, show: str | None, fail_on: str | None, exit_zero: bool, config: Path | None, statistics: bool, quiet: bool,
) -> int:  # fmt: skip
    """Report what is costly in PATHS (default: here).

    Exit code 0: nothing to report; 1: findings at or over --fail-on; 2: the run cannot be trusted.
    """
    if statistics and style != "text":
        raise click.UsageError("--statistics goes with --format text only", ctx)
    from querylint import engine

    given = {"select": select, "ignore": ignore, "show": show, "fail-on": fail_on}
    outcome = engine.check(paths or (Path(),), config, {key: value for key, value in given.items() if value is not None})
    result, code = outcome.result, _verdict(outcome.result, None if exit_zero else outcome.settings.fail_on)
    options = Options(show=outcome.settings.show, quiet=quiet, statistics=statistics, exit_code=code)
    for kind, path in outputs:
        _write(path, render(kind, result, replace(options, quiet=False, statistics=False)))
    if terminal := _is_terminal():
        chosen = ctx.get_parameter_source("style") is not ParameterSource.DEFAULT
        options = replace(options, by_cost=True, full=None if chosen else FULL_AT_TERMINAL, width=max(60, get_terminal_size().columns))
    options = replace(options, color=paint.wanted(color, os.environ, terminal))
    _print(render(style, result, options), machine=style in MACHINE_FORMATS)
    _explain_silence(result, style, quiet)
    return code


@door.command()
@click.option("--format", "style", type=click.Choice(("text", "json", "markdown")), default="text", show_default=True)
@COLORS
def rules(style: str, color: str) -> int:
    """List the rules."""
    from querylint import engine
    from querylint.report import pages

    _print(pages.rules_list(style, engine.load_rules(), _paint(color)), machine=style != "text")
    return ExitCode.CLEAN


@door.command()
@click.argument("rule")
@COLORS
def explain(rule: str, color: str) -> int:
    """Print the page of RULE: what it finds, why that costs, what to do, when it stays silent."""
    from querylint import engine
    from querylint.report import pages

    _print(pages.rule_text(_rule_named(rule, engine.load_rules()), _paint(color)))
    return ExitCode.CLEAN


@door.command(hidden=True)
@click.option("--write/--check", default=False, help="Write the pages, or only say which are out of date.")
def docs(write: bool) -> int:
    """Keep docs/rules and the rule table of README.md equal to the rules, from the root of querylint's own repository."""
    from querylint import engine
    from querylint.report import pages

    stale = pages.out_of_date(Path(), engine.load_rules())
    for path, text in stale.items() if write else ():
        path.unlink() if text is None else _write(path, text)
    _print("".join(f"{path.as_posix()}: {'made again' if write else 'out of date'}\n" for path in stale))
    return ExitCode.FINDINGS if stale and not write else ExitCode.CLEAN


def main() -> NoReturn:
    """The entry point of the command."""
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Carry out a command line and say how it went; mistakes and mishaps end here, each as a sentence."""
    try:
        code = door.main(list(args), prog_name="querylint", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "querylint"
        return _complain(f"{error.format_message()}\n`{command} --help` lists what there is")
    except click.ClickException as error:
        return _complain(error.format_message())
    except QuerylintError as error:
        return _complain(str(error))
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except Exception:
        import traceback

        return _complain(f"{traceback.format_exc()}this is a defect of querylint; please report it with the lines above")
    return int(code or ExitCode.CLEAN)


def _verdict(result: Result, fail_on: Severity | None) -> ExitCode:
    if result.broken:
        return ExitCode.UNTRUSTED
    failing = fail_on is not None and any(finding.severity.rank >= fail_on.rank for finding in result.findings)
    return ExitCode.FINDINGS if failing else ExitCode.CLEAN


def _explain_silence(result: Result, style: str, quiet: bool) -> None:
    """Say beside a report that has no room for it what the run looked at, and that it cannot be trusted."""
    if style == "concise" and not quiet:
        click.echo(f"{wording.verdict(result)} {wording.looked_at(result)}", err=True)
    if result.broken:
        _complain("the run cannot be trusted, since a part of querylint failed; the notes say which")


def _rule_named(name: str, known: Sequence[Rule]) -> Rule:
    by_name = {rule.name: rule for rule in known}
    if name not in by_name:
        near = get_close_matches(name.lower().replace("_", "-"), by_name, n=1, cutoff=0.5)
        offer = f"did you mean `{near[0]}`?" if near else "`querylint rules` lists all of them"
        raise RuleNameError(f"there is no rule `{name}`; {offer}")
    return by_name[name]


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _paint(color: str) -> paint.Paint:
    return paint.Paint(paint.wanted(color, os.environ, _is_terminal()))


def _print(text: str, machine: bool = False) -> None:
    encoding = "utf-8" if machine else getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace"), nl=False)
    except BrokenPipeError:
        # Whoever read us has seen enough; what Python flushes at the end must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(path: Path, text: str) -> None:
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


def _complain(message: str) -> ExitCode:
    for line in message.splitlines():
        click.echo(f"querylint: {line}", err=True)
    return ExitCode.UNTRUSTED
