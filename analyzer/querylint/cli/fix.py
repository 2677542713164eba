"""`querylint fix`: carry out what `check` advises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from querylint.cli.console import ExitCode, complain, finish_what_was_cut_off, painter, put
from querylint.cli.options import COLORS, CONFIG, SEVERITIES, names
from querylint.cli.progress import working
from querylint.cli.reporting import refuse_empty
from querylint.patch import NO_FIX
from querylint.report import wording
from querylint.report.paint import Paint
from querylint.report.snippet import printable

if TYPE_CHECKING:
    from querylint.mend import Left, Made, Mended
    from querylint.patch import Fix
    from querylint.rule import Finding


@click.command(short_help="Apply the fixes that `check` suggests.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--diff", "only_show", is_flag=True, help="Print what would change, and change nothing.")
@click.option("--unsafe", is_flag=True, help="Also make fixes that may change what the code does; each says how.")
@click.option(
    "--select", multiple=True, callback=names, metavar="RULES", help="Fix only findings of these rules (comma-separated or repeated)."
)
@click.option(
    "--ignore", multiple=True, callback=names, metavar="RULES", help="Do not fix findings of these rules (comma-separated or repeated)."
)
@click.option("-i", "--interactive", is_flag=True, help="Show each fix and ask.")
@click.option("--show", type=SEVERITIES, help="The lowest severity to fix.  [default: warning]")
@click.option("--allow-dirty", is_flag=True, help="Also change files with uncommitted changes.")
@click.option("--no-baseline", "without_baseline", is_flag=True, help="Also fix what the baseline lists.")
@CONFIG
@COLORS
@click.pass_context
def fix(
    ctx: click.Context, paths: tuple[Path, ...], only_show: bool, unsafe: bool, select: list[str] | None, ignore: list[str] | None,
    interactive: bool, show: str | None, allow_dirty: bool, without_baseline: bool, config: Path | None, color: str,
) -> int:  # fmt: skip
    """Fix what `check` finds in PATHS (default: here).

    Each fix is applied as a whole or not at all, across all its files, and only if a second analysis confirms that the finding is gone
    and there is no new one. No formatter is run.

    Exit code 0: nothing is left at or above the `fail-on` of the settings; 1: something is, or --diff would change something; 2: the
    run cannot be trusted.
    """
    if interactive and only_show:
        raise click.UsageError("--interactive and --diff cannot be combined", ctx)
    from querylint import mend
    from querylint.rewrite.diff import unified

    paint = painter(color)
    choice = mend.Choice(
        unsafe=unsafe,
        select=frozenset(select) if select is not None else None,
        ignore=frozenset(ignore or ()),
        clean=not allow_dirty and not only_show,
        without_baseline=without_baseline,
        accept=_Asking(paint) if interactive else None,
    )
    if not only_show:
        finish_what_was_cut_off(paths or (Path(),))
    with working(quiet=interactive):
        mended = mend.mend(paths or (Path(),), config, {"show": show} if show is not None else {}, choice)
    refuse_empty(mended.result.summary, paths or (Path(),))
    if only_show:
        put(painted(unified(mended.before, mended.after), paint))
    else:
        mended.write()
    click.echo(_report(mended, paint, only_show=only_show), nl=False, err=only_show)
    if mended.result.broken:
        return complain("the run cannot be trusted, because a part of querylint failed; `querylint check` says which")
    fail_on = mended.settings.fail_on
    failing = fail_on is not None and any(left.finding.severity.rank >= fail_on.rank for left in mended.left)
    return ExitCode.FINDINGS if failing or (only_show and mended.after) else ExitCode.CLEAN


class _Asking:
    """Asks about one fix after the other."""

    def __init__(self, paint: Paint) -> None:
        self.paint = paint
        self.standing = ""

    def __call__(self, finding: Finding, fix: Fix, before: Mapping[str, bytes | None], after: Mapping[str, bytes]) -> bool:
        """Whether the person wants this fix."""
        from querylint.rewrite.diff import unified

        if self.standing:
            return self.standing == "a"
        click.echo(f"{_place(finding, self.paint)} {self.paint.strong(finding.rule)} {printable(finding.found.message)}")
        click.echo(f"  {_order(fix)}")
        for caveat in fix.caveats:
            click.echo(f"  note: {printable(caveat)}")
        click.echo(painted(unified(before, after), self.paint), nl=False)
        answer = str(click.prompt("Make this fix? (y)es, (n)o, (a)ll, (q)uit", type=click.Choice(("y", "n", "a", "q")), show_choices=False))
        if answer in ("a", "q"):
            self.standing = answer
        return answer in ("y", "a")


def _report(mended: Mended, paint: Paint, *, only_show: bool) -> str:
    verb = "would fix" if only_show else "fixed"
    said: dict[str, int] = {}
    lines = [line for made in mended.made for line in _made(made, verb, paint, said)]
    told = [left for left in mended.left if left.reason != NO_FIX]
    lines += [line for left in told for line in _left(left, paint, said, only_show=only_show)]
    if said:
        lines += ["", "Notes:", *(f"  ({number}) {printable(caveat)}" for caveat, number in said.items())]
    return "\n".join([*lines, *([""] if lines else []), _summary(mended, verb)]) + "\n"


def _made(made: Made, verb: str, paint: Paint, said: dict[str, int]) -> list[str]:
    head = f"{_place(made.finding, paint, made.line, made.column)} {verb} {paint.strong(made.finding.rule)}: {_order(made.fix)}"
    return [head, *_minded(made.fix, said)]


def _minded(fix: Fix | None, said: dict[str, int]) -> list[str]:
    """What is to be minded of a fix, by the numbers under which the end of the report says it once for all fixes."""
    numbers = sorted(said.setdefault(caveat, len(said) + 1) for caveat in fix.caveats) if fix is not None else []
    return [f"    note {' '.join(f'({number})' for number in numbers)}"] if numbers else []


def _left(left: Left, paint: Paint, said: dict[str, int], *, only_show: bool) -> list[str]:
    place = _place(left.finding, paint, *((left.line, left.column) if only_show else ()))
    head = f"{place} not fixed {paint.strong(left.finding.rule)}: {printable(left.reason)}"
    return [head, *_minded(left.waiting, said)]


def _order(fix: Fix) -> str:
    return printable(fix.title)


def _place(finding: Finding, paint: Paint, line: int = 0, column: int = 0) -> str:
    """Where a finding is; `line` and `column` are other numbers than those of the files as they have become."""
    span = finding.found.span
    return paint.strong(printable(f"{span.path}:{line or span.line}:{column or span.column}:"))


def _summary(mended: Mended, verb: str) -> str:
    files = f" in {wording.count(len(mended.after), 'file')}" if mended.after else ""
    parts = [f"{verb.capitalize()} {wording.count(len(mended.made), 'finding')}{files}"]
    waiting = sum(left.waiting is not None for left in mended.left)
    none = sum(left.reason == NO_FIX for left in mended.left)
    refused = len(mended.left) - waiting - none
    if waiting:
        parts.append(f"{waiting} more with --unsafe")
    if refused:
        parts.append(f"{refused} not fixed, for the reasons above")
    if none:
        parts.append(f"{none} without an automatic fix")
    return "; ".join(parts) + "."


def painted(diff: str, paint: Paint) -> str:
    """A diff in colors."""
    return "\n".join(_colored(line, paint) for line in diff.split("\n"))


def _colored(line: str, paint: Paint) -> str:
    if line.startswith(("---", "+++")):
        return paint.strong(line)
    return paint.removed(line) if line.startswith("-") else paint.added(line) if line.startswith("+") else line
