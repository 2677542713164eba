"""`querylint config` and `init`: the settings that hold here, and a first settings file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from querylint.cli.console import ExitCode, put, shown, write
from querylint.cli.progress import working
from querylint.errors import SettingsError
from querylint.report.snippet import printable
from querylint.report.wording import REPOSITORY, STACKS, count, listed

if TYPE_CHECKING:
    from querylint.result import Result

FOLDER = click.argument("folder", default=".", type=click.Path(path_type=Path))
NAME = "querylint.toml"


@click.command(short_help="Print the settings in effect, and where each comes from.")
@FOLDER
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="The settings file to use, instead of the nearest one in this or a parent folder.",
)
@click.option("--format", "style", type=click.Choice(("toml", "json")), default="toml", show_default=True)
def config(folder: Path, file: Path | None, style: str) -> int:
    """Print the settings in effect in FOLDER (default: here), and where each comes from."""
    from querylint import discover, engine
    from querylint.settings.listing import as_toml, listing

    rules = engine.load_rules()
    root = discover.locate((folder,)).root
    chosen = engine.settings_for(root, rules, file)
    items = listing(chosen)
    names = engine.names_of(rules)
    off = sorted(names - chosen.active(names))
    if style == "json":
        values = {item.key: {"value": item.value, "from": item.origin} for item in items}
        report = {"version": 1, "root": str(root), "file": str(chosen.origin) if chosen.origin else None, "settings": values, "off": off}
        import json

        put(json.dumps(report, indent=2, ensure_ascii=False) + "\n", machine=True)
        return ExitCode.CLEAN
    put(f"# Root of the project: {root}\n# Settings file: {shown(chosen.origin) if chosen.origin else 'none'}\n")
    shipped = {rule.name for rule in rules}
    put(f"# Rules: {len(shipped.difference(off))} of {len(shipped)} run{'; off: ' + ', '.join(off) if off else ''}\n\n{as_toml(items)}")
    return ExitCode.CLEAN


@click.command(short_help="Write a starter querylint.toml.")
@FOLDER
def init(folder: Path) -> int:
    """Write a starter querylint.toml for the project around FOLDER (default: here). Nothing is ever overwritten."""
    from querylint import discover, review

    root = discover.locate((folder,)).root
    path = shown(root / NAME)
    if path.exists():
        raise SettingsError(f"`{path}` exists and is left as it is; `querylint config` prints the settings in effect")
    with working():
        outcome = review.check((root,))
    if outcome.settings.origin is not None:
        raise SettingsError(f"`{shown(outcome.settings.origin)}` holds settings for this project already; `querylint config` prints them")
    write(path, first_settings(outcome.result))
    put(f"{path} written. Found here: {_found(outcome.result)}.\n")
    put(
        "Next: `querylint check` reports costly database access; "
        "`querylint baseline create` records it, so that only what is new is reported.\n"
    )
    return ExitCode.CLEAN


def first_settings(result: Result) -> str:
    """A settings file that changes nothing yet, with what could be said in comments, about what this project holds."""
    from querylint.settings.listing import key

    table = key(_questionable(result))
    return f"""\
# Settings of querylint. Every key may be left out: {REPOSITORY}/blob/main/docs/settings.md
# Found here: {_found(result)}.

fail-on = "warning"           # the lowest severity that makes `querylint check` exit with 1: error, warning, info, never
# show = "info"               # print hints too, which are true but small
# ignore = ["whole-rows"]     # rules to leave out; `querylint rules` lists them
# exclude = ["legacy/**"]     # in addition to what git ignores

# What only people know about the data: a small table may be read whole.
# [tables.{table}]
# rows = "small"              # or "large", "unbounded", or a number

# What fails a run of the whole project, whatever its baseline says.
# [gates]
# error = 0
# loop-read = 0
"""


def _found(result: Result) -> str:
    """Each schema in one breath; a folder's name cannot end the comment that it stands in."""
    stacks = [
        f"{STACKS.get(schema.stack, schema.stack)} in `{printable(schema.root) or '.'}` ({count(tables, 'table')})"
        for schema in result.schemas
        if (tables := sum(table.declared for table in schema.tables.values()))
    ]
    return listed(stacks) if stacks else "no database schema that querylint knows"


def _questionable(result: Result) -> str:
    """The table about whose size most is said."""
    counts = Counter(f.found.table for f in result.findings if f.found.table and {f.pattern, *f.found.also} & {"unbounded", "mem-filter"})
    if counts:
        return min(counts, key=lambda name: (-counts[name], name))
    return next((name for schema in result.schemas for name in sorted(schema.tables)), "kinds")
