"""What was measured, as the page shows it."""

from __future__ import annotations

from collections.abc import Iterable

from querylint.construction import dataclass
from querylint.evidence.profile import Profile
from querylint.report.order import by_cost
from querylint.report.profile.wording import (
    HEAD,
    STATEMENTS,
    abridged,
    facts,
    head,
    left_out,
    over,
    read_by_one,
    row,
    shown_of,
    shown_of_statements,
    statement_facts,
    statement_row,
    trouble,
)
from querylint.rule import Finding, Severity

MOST = 20
"""How many functions the page lists."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that the platform reports, or that is over budget: how severe, of which function, and what."""

    severity: str
    function: str
    text: str


@dataclass(frozen=True, slots=True)
class MeasuredView:
    """The section: what was measured, a row for each of the dearest functions, what the platform reports, what the logs do not show."""

    head: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int
    statement_columns: tuple[str, ...]
    statements: tuple[tuple[str, ...], ...]
    reported: tuple[Line, ...]
    over: tuple[Line, ...]
    left_out: tuple[str, ...]


def measured(profile: Profile | None, show: Severity) -> MeasuredView | None:
    """The section; None where there are no logs."""
    if profile is None:
        return None
    ranked = (*profile.functions, *profile.foreign)
    found, statements = shown_of(profile, show), shown_of_statements(profile, show)
    return MeasuredView(
        head(profile),
        HEAD,
        tuple(row(profile, m, found) for m in profile.functions[:MOST]),
        max(len(profile.functions) - MOST, 0) + max(len(profile.statements) - MOST, 0),
        STATEMENTS,
        tuple(statement_row(profile, one, statements) for one in profile.statements[:MOST]),
        tuple(Line(severity.value, str(m.name), text) for m in ranked for severity, text in trouble(m)),
        tuple(Line("error", abridged(e.name), over(e)) for e in profile.excess),
        tuple(left_out(profile, show)),
    )


def cost_of(profile: Profile | None, finding: Finding) -> str:
    """What the dearest function that leads to a finding costs, and how much of its table one run reads; empty where no log tells it."""
    attributed = next((a for a in profile.attributed if a.finding is finding), None) if profile is not None else None
    if profile is None or attributed is None:
        return ""
    if not attributed.functions:
        asked = attributed.statements[0]
        return f"`{abridged(asked.text)}`: {statement_facts(profile, asked)}"
    dearest = attributed.functions[0]
    read = read_by_one(attributed)
    return f"`{dearest.name}`: {facts(profile, dearest)}{f'; {read}' if read else ''}"


def ranked(findings: Iterable[Finding], profile: Profile | None) -> list[Finding]:
    """Findings with the dearest first: as they were measured, then by what their rules say of their cost."""
    ordered = by_cost(findings)
    if profile is None:
        return ordered
    places = {id(a.finding): place for place, a in enumerate(profile.attributed)}
    return sorted(ordered, key=lambda finding: places.get(id(finding), len(places)))
