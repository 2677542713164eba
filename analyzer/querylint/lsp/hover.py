"""What a finding is told as where the pointer rests on it."""

from __future__ import annotations

from lsprotocol import types

from querylint.lsp.diagnostics import Diagnoses
from querylint.report.prose import plain
from querylint.report.wording import advice, message, only_a_hint, rule_url
from querylint.rule import Finding


def hover(diagnoses: Diagnoses, path: str, position: types.Position) -> types.Hover | None:
    """The findings at a position, each with its way, its cost, what to do, and why; None where there is none, as others may know more."""
    here = [(f, place) for f in diagnoses.seen.of(path) if (place := diagnoses.place(f.found.span)) and _holds(place, position)]
    if not here:
        return None
    pages = "\n\n---\n\n".join(_page(diagnoses, finding) for finding, _ in here)
    if diagnoses.abilities.markdown:
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, pages), here[0][1])
    return types.Hover(types.MarkupContent(types.MarkupKind.PlainText, plain(pages)), here[0][1])


def _holds(place: types.Range, position: types.Position) -> bool:
    start, at, end = ((p.line, p.character) for p in (place.start, position, place.end))
    return start <= at <= end


def _page(diagnoses: Diagnoses, finding: Finding) -> str:
    """What there is to say; less what the diagnostic says, where that stands beside it anyway."""
    found = finding.found
    beside = diagnoses.abilities.diagnostics_in_hover
    rule = diagnoses.seen.rules.get(finding.rule)
    parts = [f"**{finding.rule}** ({finding.severity.value})" + ("" if beside else f": {message(finding)}")]
    if found.trail and not beside:
        parts.append("\n".join(f"{n}. {p.text} (`{p.span}`)" for n, p in enumerate(dict.fromkeys(found.trail), 1)))
    if found.cost:
        parts.append(f"Cost: {found.cost.now}" + (f"; after the change: {found.cost.after}" if found.cost.after else ""))
    if not beside:
        parts += [*(f"Help: {text}" for text in advice(found)), *(text.replace("only", "Only", 1) for text in only_a_hint(found))]
    if rule is not None:
        parts += [rule.section("What it finds"), f"[The page of {rule.name}]({rule_url(rule.name)})"]
    return "\n\n".join(part for part in parts if part)
