"""`querylint rules`, `explain` and `docs`: what is written about the rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from querylint.cli.console import ExitCode, painter, put, write
from querylint.cli.options import COLORS
from querylint.errors import RuleNameError
from querylint.report.paint import Paint
from querylint.rule import Rule


@click.command()
@click.option("--format", "style", type=click.Choice(("text", "json", "markdown")), default="text", show_default=True)
@COLORS
def rules(style: str, color: str) -> int:
    """List the rules."""
    from querylint import engine
    from querylint.report import pages

    put(pages.rules_list(style, engine.load_rules(), painter(color)), machine=style != "text")
    return ExitCode.CLEAN


@click.command(short_help="Explain a rule: what it finds, why it matters, what to do.")
@click.argument("rule")
@COLORS
def explain(rule: str, color: str) -> int:
    """Print the page of RULE: what it finds, why it matters, what to do, when it stays silent; or list the rules of a pattern."""
    put(explanation(rule, painter(color)))
    return ExitCode.CLEAN


@click.command(hidden=True)
@click.option("--write/--check", "writing", default=False, help="Write the pages, or only say which are out of date.")
def docs(writing: bool) -> int:
    """Keep docs/rules and the table in docs/rules.md equal to the rules, from the root of querylint's own repository."""
    from querylint import engine
    from querylint.filters.own import OWN
    from querylint.report import pages

    stale = pages.out_of_date(Path(), engine.load_rules(), OWN)
    for path, text in stale.items() if writing else ():
        path.unlink() if text is None else write(path, text)
    put("".join(f"{path.as_posix()}: {'made again' if writing else 'out of date'}\n" for path in stale))
    return ExitCode.FINDINGS if stale and not writing else ExitCode.CLEAN


def explanation(name: str, paint: Paint) -> str:
    """The page of a rule, or the rules of a pattern; raises RuleNameError for what is neither."""
    from querylint import engine
    from querylint.report import pages

    known = engine.explained()
    family = [rule for rule in known if rule.pattern == name]
    if family and name not in {rule.name for rule in known}:
        return f"`{name}` is a pattern, which these rules belong to:\n\n{pages.rules_text(family, paint)}"
    return pages.rule_text(rule_named(name, known), paint)


def rule_named(name: str, known: Sequence[Rule]) -> Rule:
    """The rule of that name; raises RuleNameError, with the nearest name, where there is none."""
    by_name = {rule.name: rule for rule in known}
    if name not in by_name:
        from difflib import get_close_matches  # for mistakes only

        near = get_close_matches(name.lower().replace("_", "-"), by_name, n=1, cutoff=0.6)
        offer = f"did you mean `{near[0]}`?" if near else "`querylint rules` lists all of them"
        raise RuleNameError(f"there is no rule `{name}`; {offer}")
    return by_name[name]
