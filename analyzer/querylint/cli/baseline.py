"""`querylint baseline`: what was there when querylint came, so that only what is new is reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from querylint import __version__
from querylint.cli.console import ExitCode, put, shown, write
from querylint.cli.options import CONFIG, names
from querylint.cli.progress import working
from querylint.cli.reporting import refuse_nothing
from querylint.errors import BaselineError
from querylint.report.wording import count, numbers

if TYPE_CHECKING:
    from querylint.engine import Outcome
    from querylint.filters import Compared, Known
    from querylint.rule import Finding, Severity

FILE = click.option(
    "--baseline", "file", type=click.Path(path_type=Path), metavar="FILE", help="The file to use instead of querylint-baseline.json."
)
FOLDER = click.argument("folder", default=".", type=click.Path(path_type=Path))


@click.group(short_help="Record what is found today, so that only what is new is reported.")
def baseline() -> None:
    """Adopt querylint in an existing project: record what is found now, and report only what is new.

    `check` uses querylint-baseline.json in the root of the project automatically. Entries are matched by what they are about, not by line.
    """


@baseline.command(short_help="Record everything that is found now.")
@FOLDER
@FILE
@CONFIG
def create(folder: Path, file: Path | None, config: Path | None) -> int:
    """Record everything that is found now in the project around FOLDER (default: here)."""
    from querylint import filters

    path = _path(folder, file)
    if path.exists():
        raise BaselineError(f"`{path}` exists; `querylint baseline update --accept-new` adds what is new; to start over, delete the file")
    findings = _checked(folder, config).result.findings
    write(path, filters.text_of(filters.Known.of(finding, __version__) for finding in findings))
    put(f"{path} {_listed(finding.severity for finding in findings)}. `querylint check` now reports what is new; commit the file.\n")
    return ExitCode.CLEAN


@baseline.command(short_help="Follow renames, remove what is gone, optionally add what is new.")
@FOLDER
@FILE
@CONFIG
@click.option("--accept-new", is_flag=True, help="Add what is new.")
def update(folder: Path, file: Path | None, config: Path | None, accept_new: bool) -> int:
    """Follow renames and lower severities, and remove what is gone; add what is new or more severe only with --accept-new."""
    from querylint import filters

    path, compared, resting = _compared(folder, file, config)
    followed = [(filters.Known.of(finding, entry.since), finding.was) for entry, finding in compared.matched]
    kept = [*resting, *(now if was is None or accept_new else replace(now, severity=was) for now, was in followed)]
    moved = sum(1 for entry, finding in compared.matched if entry.id != finding.fingerprint)
    fresh = [finding for finding in compared.new if finding.was is None]
    added = [filters.Known.of(finding, __version__) for finding in fresh] if accept_new else []
    write(path, filters.text_of([*kept, *added]))
    said = _listed(entry.severity for entry in [*kept, *added])
    put(f"{path} {said}; {len(compared.gone)} removed, {moved} renamed, {len(added)} added.\n")
    if compared.new and not accept_new:
        worse = len(compared.new) - len(fresh)
        put(f"Not in the baseline: {numbers(f.severity for f in compared.new)}{f' ({worse} less severe there)' if worse else ''}. ")
        put("Fix them, or add them with --accept-new.\n")
    return ExitCode.CLEAN


@baseline.command()
@FOLDER
@FILE
@CONFIG
def prune(folder: Path, file: Path | None, config: Path | None) -> int:
    """Remove entries that are gone, and change nothing else."""
    from querylint import filters

    path, compared, resting = _compared(folder, file, config)
    kept = [*resting, *(entry for entry, _ in compared.matched)]
    write(path, filters.text_of(kept))
    put(f"{path} {_listed(entry.severity for entry in kept)}; {len(compared.gone)} removed.\n")
    return ExitCode.CLEAN


@baseline.command()
@FOLDER
@FILE
@CONFIG
@click.option("--format", "style", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--rule", "rules", multiple=True, callback=names, metavar="RULES", help="Show only these (comma-separated or repeated).")
def show(folder: Path, file: Path | None, config: Path | None, style: str, rules: list[str] | None) -> int:
    """Show what the baseline lists, and what of it is still found."""
    from querylint import filters

    path, compared, resting = _compared(folder, file, config)
    rows = [(entry, _state(finding), finding.found.span.line) for entry, finding in compared.matched]
    rows += [(entry, "absent", 0) for entry in compared.gone] + [(entry, "not looked for", 0) for entry in resting]
    rows = sorted((row for row in rows if rules is None or row[0].rule in rules), key=lambda row: (row[0].path, row[2], row[0].rule))
    if style == "json":
        listed = [
            {
                "rule": e.rule, "path": e.path, "function": e.function, "line": n or None, "state": s, "id": e.id,
                "severity": e.severity.value if e.severity is not None else None,
            }
            for e, s, n in rows
        ]  # fmt: skip
        import json

        put(json.dumps({"version": 1, "findings": listed}, indent=2, ensure_ascii=False) + "\n", machine=True)
        return ExitCode.CLEAN
    for entry, state, line in rows:
        severity = f" {entry.severity.value}" if entry.severity is not None else ""
        where = f" in {entry.function}" if entry.function else ""
        put(f"{entry.path}{f':{line}' if line else ''}:{severity} {entry.rule}{where} ({state})\n")
    summary = ", ".join(f"{number} {rule}" for rule, number in filters.by_rule(row[0] for row in rows).items())
    absent = sum(1 for _, state, _ in rows if state == "absent")
    gone = f", of which {count(absent, 'is', 'are')} no longer found" if absent else ""
    put(f"{path} {_listed(entry.severity for entry, _, _ in rows)}{gone}{'. By rule: ' + summary if summary else ''}.\n")
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
            "a part of querylint failed, so the findings are incomplete: no baseline is written (`querylint check` says which)"
        )
    refuse_nothing(outcome.part)
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


def _state(finding: Finding) -> str:
    """How a listed finding is found now."""
    if finding.was is not None:
        return f"now {finding.severity.value}"
    return finding.age.value if finding.age else ""


def _listed(severities: Iterable[Severity | None]) -> str:
    return f"lists {numbers(severities)}"
