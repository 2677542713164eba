"""`querylint baseline`: what was there when querylint came, so that only what is new is reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from querylint import __version__
from querylint.cli.console import ExitCode, put, shown, write
from querylint.cli.options import CONFIG, names
from querylint.cli.progress import working
from querylint.errors import BaselineError
from querylint.report.wording import count

if TYPE_CHECKING:
    from querylint.engine import Outcome
    from querylint.filters import Compared, Known

FILE = click.option("--baseline", "file", type=click.Path(path_type=Path), metavar="FILE", help="Instead of querylint-baseline.json.")
FOLDER = click.argument("folder", default=".", type=click.Path(path_type=Path))


@click.group()
def baseline() -> None:
    """Adopt querylint in an old project: list what is there now, report only what is new.

    `check` uses querylint-baseline.json in the root of the project by itself. Entries go by what they are about, not by lines.
    """


@baseline.command()
@FOLDER
@FILE
@CONFIG
def create(folder: Path, file: Path | None, config: Path | None) -> int:
    """List everything that is found now in the project around FOLDER (default: here)."""
    from querylint import filters

    path = _path(folder, file)
    if path.exists():
        raise BaselineError(f"`{path}` exists; `querylint baseline update --accept-new` adds what is new, and deleting it starts afresh")
    findings = _checked(folder, config).result.findings
    write(path, filters.text_of(filters.Known.of(finding, __version__) for finding in findings))
    put(f"{path}: {_listed(len(findings))}. `querylint check` now reports what is new; commit the file.\n")
    return ExitCode.CLEAN


@baseline.command()
@FOLDER
@FILE
@CONFIG
@click.option("--accept-new", is_flag=True, help="Add what is new.")
def update(folder: Path, file: Path | None, config: Path | None, accept_new: bool) -> int:
    """Follow what was renamed, and remove what is no more; add what is new only with --accept-new."""
    from querylint import filters

    path, compared, resting = _compared(folder, file, config)
    kept = [*resting, *(replace(filters.Known.of(finding, entry.since), id=finding.fingerprint) for entry, finding in compared.matched)]
    moved = sum(1 for entry, finding in compared.matched if entry.id != finding.fingerprint)
    added = [filters.Known.of(finding, __version__) for finding in compared.new] if accept_new else []
    write(path, filters.text_of([*kept, *added]))
    put(f"{path}: {_listed(len(kept) + len(added))}; {len(compared.gone)} removed, {moved} renamed, {len(added)} added.\n")
    if compared.new and not accept_new:
        put(f"{count(len(compared.new), 'finding')} not in the baseline: mend, or add with --accept-new.\n")
    return ExitCode.CLEAN


@baseline.command()
@FOLDER
@FILE
@CONFIG
def prune(folder: Path, file: Path | None, config: Path | None) -> int:
    """Remove what is no more, and change nothing else."""
    from querylint import filters

    path, compared, resting = _compared(folder, file, config)
    kept = [*resting, *(entry for entry, _ in compared.matched)]
    write(path, filters.text_of(kept))
    put(f"{path}: {_listed(len(kept))}; {len(compared.gone)} removed.\n")
    return ExitCode.CLEAN


@baseline.command()
@FOLDER
@FILE
@CONFIG
@click.option("--format", "style", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--rule", "rules", multiple=True, callback=names, metavar="RULES", help="Only these (comma or repeated).")
def show(folder: Path, file: Path | None, config: Path | None, style: str, rules: list[str] | None) -> int:
    """Say what the baseline lists, and what of it is still found."""
    from querylint import filters

    _, compared, resting = _compared(folder, file, config)
    rows = [(entry, finding.age.value if finding.age else "", finding.found.span.line) for entry, finding in compared.matched]
    rows += [(entry, "absent", 0) for entry in compared.gone] + [(entry, "not looked for", 0) for entry in resting]
    rows = sorted((row for row in rows if rules is None or row[0].rule in rules), key=lambda row: (row[0].path, row[2], row[0].rule))
    if style == "json":
        listed = [{"rule": e.rule, "path": e.path, "function": e.function, "line": n or None, "state": s, "id": e.id} for e, s, n in rows]
        put(json.dumps({"version": 1, "findings": listed}, indent=2, ensure_ascii=False) + "\n", machine=True)
        return ExitCode.CLEAN
    for entry, state, line in rows:
        put(f"{entry.path}{f':{line}' if line else ''}: {entry.rule}{f' in {entry.function}' if entry.function else ''} ({state})\n")
    summary = ", ".join(f"{number} {rule}" for rule, number in filters.by_rule(row[0] for row in rows).items())
    gone = f", of which {len(compared.gone)} are no more found" if compared.gone else ""
    put(f"{_listed(len(rows))}{gone}{': ' + summary if summary else ''}.\n")
    return ExitCode.CLEAN


def _path(folder: Path, file: Path | None) -> Path:
    """The baseline of a project, as its user would write it from here."""
    if file is not None:
        return file
    from querylint import discover, filters

    return shown(discover.locate((folder,)).root / filters.BASELINE_FILE)


def _checked(folder: Path, config: Path | None) -> Outcome:
    """Everything in the whole project, whatever the severity."""
    from querylint import discover, review

    with working():
        outcome = review.check((discover.locate((folder,)).root,), config, {}, review.View(without_baseline=True))
    if outcome.result.broken:
        raise BaselineError(
            "a part of querylint failed, so what is found is not all: no baseline is written (`querylint check` says which)"
        )
    return outcome


def _compared(folder: Path, file: Path | None, config: Path | None) -> tuple[Path, Compared, list[Known]]:
    """The baseline of a project against what is found, and apart the entries of rules that do not run now."""
    from querylint import engine, filters, review

    path = _path(folder, file)
    entries = review.read_baseline(path)
    outcome = _checked(folder, config)
    active = outcome.settings.active(engine.names_of(engine.load_rules()))
    resting = [entry for entry in entries if entry.rule not in active]
    return path, filters.compare(outcome.result.findings, [entry for entry in entries if entry.rule in active]), resting


def _listed(number: int) -> str:
    return f"{count(number, 'finding')} listed"
