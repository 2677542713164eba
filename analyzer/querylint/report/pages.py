"""What the tool says about its rules: a page each, a table of all, and the files of the documentation that follow from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from querylint.errors import PathError
from querylint.report.paint import Paint
from querylint.report.prose import plain
from querylint.report.wording import rule_url
from querylint.rule import Rule

TABLE_START = "<!-- rules -->"
TABLE_END = "<!-- /rules -->"
PAGES_FOLDER = "docs/rules"
INDEX = "docs/rules.md"
OWN_PAGES = "analyzer/querylint/filters/own.py"


def rule_page(rule: Rule, source: str = "") -> str:
    """The page of a rule as Markdown; `source` is where it is written, if not in the rule's own module."""
    from querylint.report.templates import environment

    return environment(escapes=False).get_template("rule.md.j2").render(rule=rule, source=source) + "\n"


def rule_text(rule: Rule, paint: Paint) -> str:
    """The page of a rule for a terminal."""
    weakness = f" · CWE-{rule.cwe}" if rule.cwe else ""
    facts = f"{paint.severity(rule.severity.value, rule.severity)} · pattern {rule.pattern} · since {rule.since}{weakness}"
    return f"{paint.strong(rule.name)} · {facts}\n\n{plain(rule.doc, paint)}\n\n{rule_url(rule.name)}\n"


def rules_list(style: str, rules: Sequence[Rule], paint: Paint) -> str:
    """All rules as `text`, `json` or `markdown`."""
    match style:
        case "json":
            return rules_json(rules)
        case "markdown":
            return rules_table(rules)
    return rules_text(rules, paint)


def rules_text(rules: Sequence[Rule], paint: Paint) -> str:
    """All rules, a line each."""
    width = max((len(rule.name) for rule in rules), default=0)
    lines = [
        f"{paint.strong(f'{rule.name:<{width}}')}  {paint.severity(f'{rule.severity.value:<7}', rule.severity)}  {rule.summary}"
        for rule in by_name(rules)
    ]
    return "".join(f"{line}\n" for line in lines)


def rules_json(rules: Sequence[Rule]) -> str:
    """All rules with their pages, for programs."""
    listed = [
        {
            "name": rule.name,
            "pattern": rule.pattern,
            "severity": rule.severity.value,
            "since": rule.since,
            "cwe": rule.cwe or None,
            "summary": rule.summary,
            "url": rule_url(rule.name),
            "doc": rule.doc,
        }
        for rule in by_name(rules)
    ]
    return json.dumps({"version": 1, "rules": listed}, indent=2, ensure_ascii=False) + "\n"


def rules_table(rules: Sequence[Rule], folder: str = PAGES_FOLDER) -> str:
    """All rules as a Markdown table; `folder` is where their pages lie, seen from the page that the table stands on."""
    head = ["| rule | severity | what it finds |", "| --- | --- | --- |"]
    rows = [f"| [`{r.name}`]({folder}/{r.name}.md) | {r.severity.value} | {_cell(r.summary)} |" for r in by_name(rules)]
    return "".join(f"{line}\n" for line in [*head, *rows])


def with_table(page: str, rules: Sequence[Rule], folder: str = PAGES_FOLDER) -> str:
    """A page whose rule table, between its two markers, is up to date; a page without markers stays as it is."""
    before, start, rest = page.partition(TABLE_START)
    _, end, after = rest.partition(TABLE_END)
    return f"{before}{start}\n\n{rules_table(rules, folder)}\n{end}{after}" if end else page


def out_of_date(root: Path, rules: Sequence[Rule], own: Sequence[Rule] = ()) -> dict[Path, str | None]:
    """The files of the documentation that differ from what the rules say, with what they should hold; None where a rule is gone.

    `own` have pages, and no place in the table of rules.
    """
    folder, index = root / PAGES_FOLDER, root / INDEX
    if not folder.is_dir():
        raise PathError(f"`{PAGES_FOLDER}` does not exist here; run this from the root of querylint's own repository")
    wanted: dict[Path, str | None] = dict.fromkeys(sorted(folder.glob("*.md")))
    wanted |= {folder / f"{rule.name}.md": rule_page(rule) for rule in by_name(rules)}
    wanted |= {folder / f"{page.name}.md": rule_page(page, OWN_PAGES) for page in own}
    if index.is_file():
        wanted[index] = with_table(index.read_text(encoding="utf-8"), rules, folder.name)
    return {path: text for path, text in wanted.items() if text is None or not path.is_file() or path.read_text(encoding="utf-8") != text}


def by_name(rules: Sequence[Rule]) -> list[Rule]:
    """In alphabetical order."""
    return sorted(rules, key=lambda rule: rule.name)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
