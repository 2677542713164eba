"""The report as Markdown: for summaries of CI jobs, comments and chats. Nothing that a source holds can become markup."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from querylint.report import Options
from querylint.report.order import at_least, by_cost, notes_by_place
from querylint.report.wording import details, gate, looked_at, message, rule_url, rules_of, verdict
from querylint.result import Result
from querylint.rule import Finding, Rule

IN_FULL = 10
MARKUP = re.compile(r"[\\`*_\[\]#|~@$]|(?<=www)\.|:(?=\S)|^[-+=>]|(?<=^\d)[.)]")


def render(result: Result, options: Options) -> str:
    """The verdict, the ten costliest findings, and a table of the others."""
    return fitted(result, options, None)


def fitted(result: Result, options: Options, room: int | None) -> str:
    """The report in at most so many bytes of UTF-8: findings that do not fit are left out whole, the cheapest first, and counted."""
    findings = by_cost(at_least(result.findings, options.show))
    pages = rules_of(result)
    before = "\n".join(_opening(result, findings, pages))
    after = "\n".join(_closing(result))
    left = None if room is None else room - len((before + after).encode()) - 500
    full, left = _taken(findings[:IN_FULL], left, lambda finding: _full(finding, pages, options.lead))
    rest, _ = _taken(findings[IN_FULL:] if len(full) == len(findings[:IN_FULL]) else [], left, lambda finding: _row(finding, options.lead))
    cut = len(findings) - len(full) - len(rest)
    parts = [before, *(["### The costliest", *full] if full else []), *_table(rest)]
    parts += [f"{cut} findings did not fit here and were left out."] if cut else []
    return "\n\n".join([*parts, after]) + "\n"


def _opening(result: Result, findings: list[Finding], pages: dict[str, Rule]) -> list[str]:
    lines = ["## querylint", "", f"**{prose(verdict(result))}** {prose(looked_at(result))}"]
    lines += [line for judged in result.gates if judged.failed for line in ("", f"**{prose(gate(judged))}**")]
    if findings:
        counts = Counter((finding.rule, finding.severity) for finding in findings)
        lines += ["", "| findings | severity | rule | what it finds |", "| ---: | --- | --- | --- |"]
        for (name, severity), number in sorted(counts.items(), key=lambda item: (-item[0][1].rank, -item[1], item[0][0])):
            page = pages.get(name)
            rule = f"[`{name}`]({rule_url(name)})" if page else f"`{name}`"
            lines.append(f"| {number} | {severity.value} | {rule} | {prose(page.summary) if page else ''} |")
    return lines


def _full(finding: Finding, pages: dict[str, Rule], lead: str) -> str:
    found = finding.found
    name = f"[`{finding.rule}`]({rule_url(finding.rule)})" if finding.rule in pages else f"`{finding.rule}`"
    head = f"- **{finding.severity.value}** {name} {code(f'{lead}{found.span.path}:{found.span.line}:{found.span.column}')}"
    return "  \n  ".join([head, prose(message(finding)), *(prose(line) for line in details(finding, lead))])


def _row(finding: Finding, lead: str) -> str:
    span = finding.found.span
    place = code(f"{lead}{span.path}:{span.line}").replace("|", "\\|")
    return f"| {finding.severity.value} | `{finding.rule}` | {place} | {prose(message(finding))} |"


def _table(rows: list[str]) -> list[str]:
    if not rows:
        return []
    head = "| severity | rule | place | |\n| --- | --- | --- | --- |"
    return [f"<details><summary>{len(rows)} more</summary>", "\n".join([head, *rows]), "</details>"]


def _closing(result: Result) -> list[str]:
    notes = notes_by_place(result.notes)
    places = (f"{note.path}:{note.line}" if note.line else note.path for note in notes)
    return [f"- note: {code(place) + ' ' if place else ''}{prose(note.message)}" for note, place in zip(notes, places, strict=True)]


def _taken(findings: list[Finding], room: int | None, render: Callable[[Finding], str]) -> tuple[list[str], int | None]:
    """What of the findings fits, and what room is left."""
    taken: list[str] = []
    for finding in findings:
        text = render(finding)
        if room is not None:
            room -= len(text.encode()) + 2
            if room < 0:
                break
        taken.append(text)
    return taken, room


def prose(text: str) -> str:
    """Text in which only its pairs of backticks mean something."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:  # the last one opens and never closes
        parts[-2:] = [f"{parts[-2]}`{parts[-1]}"]
    return "".join(code(part).replace("|", "\\|") if number % 2 else _escaped(part) for number, part in enumerate(parts))


def code(text: str) -> str:
    """A piece of code, whatever it holds."""
    text = " ".join(text.split())
    if not text:
        return "` `"
    ends = fence(text)
    return f"{ends} {text} {ends}" if text.startswith("`") or text.endswith("`") else f"{ends}{text}{ends}"


def fence(text: str, least: int = 1) -> str:
    """So many backticks that nothing in the text ends what they open."""
    return "`" * max(least, 1 + max(map(len, re.findall("`+", text)), default=0))


def _escaped(text: str) -> str:
    return MARKUP.sub(r"\\\g<0>", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
