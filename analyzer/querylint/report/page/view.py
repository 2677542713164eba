"""The whole page as values: what the templates of both formats print, and nothing that they would have to work out."""

from __future__ import annotations

from querylint.construction import dataclass
from querylint.patch import Safety
from querylint.report.order import at_least, notes_by_place
from querylint.report.page.advised import Advised, Tally, advised, tally
from querylint.report.page.findings import SAFETY, Told, lines_of, told
from querylint.report.page.material import ByHand, Material
from querylint.report.page.matrix import Matrix, matrix
from querylint.report.page.measured import MeasuredView, measured, ranked
from querylint.report.page.paths import Chain, chains
from querylint.report.page.roadmap import Phase, roadmap
from querylint.report.page.sizes import number
from querylint.report.wording import count, gate, looked_at, noted, rules_of, verdict
from querylint.rule import Finding

COSTLIEST = 10


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one rule beyond the costliest."""

    rule: str
    summary: str
    findings: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Aside:
    """A finding that is not reported: silenced for a reason, or known already."""

    rule: str
    place: str
    message: str
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """The page, section by section."""

    title: str
    version: str
    verdict: str
    looked_at: str
    facts: tuple[str, ...]
    gates: tuple[str, ...]
    measured: MeasuredView | None
    costliest: tuple[Told, ...]
    others: tuple[Group, ...]
    matrix: Matrix
    indexes: tuple[Advised, ...]
    tables: int
    schema: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    by_hand: tuple[ByHand, ...]
    chains: tuple[Chain, ...]
    phases: tuple[Phase, ...]
    suppressed: tuple[Aside, ...]
    known: tuple[Aside, ...]
    against: str
    unseen: tuple[str, ...]
    hidden: int
    show: str
    sizes: tuple[tuple[str, str], ...]
    safety: tuple[str, ...]


def view(material: Material) -> View:
    """The page on a project."""
    result = material.result
    everything = ranked(result.findings, material.profile)
    findings = at_least(everything, material.show)
    field = matrix(material.program, everything)
    numbers = tally(material)
    return View(
        material.title,
        material.version,
        verdict(result),
        looked_at(result),
        _facts(findings, field, numbers),
        tuple(gate(judged) for judged in result.gates),
        measured(material.profile, material.show),
        tuple(told(finding, material) for finding in findings[:COSTLIEST]),
        _groups([f for f in everything if f not in findings[:COSTLIEST]], material),
        field,
        advised(material),
        result.summary.tables,
        tuple((path, lines_of(diff)) for path, diff in sorted(material.schema.items())),
        material.by_hand,
        chains(material.program, findings),
        roadmap(material, everything),
        tuple(_aside(s.finding, s.reason) for s in result.suppressed),
        tuple(_aside(finding, "") for finding in result.known),
        result.against,
        _unseen(material),
        len(everything) - len(findings),
        material.show.value,
        tuple((name, number(rows)) for name, rows in sorted(material.rows.items())),
        tuple(SAFETY.values()),
    )


def _facts(findings: list[Finding], field: Matrix, numbers: Tally) -> tuple[str, ...]:
    """What a reader takes along who reads nothing else."""
    said = []
    if field.endpoints:
        what = "endpoint" if field.registered else "function that nobody calls"
        several = "endpoints" if field.registered else "functions that nobody calls"
        of = count(len(field.endpoints), what, several)
        said.append(f"Of {of} with database access, {field.flagged} lead{'s' if field.flagged == 1 else ''} to a warning or an error.")
    if numbers.tables:
        added = count(numbers.added, "new index", "new indexes")
        gone = f"{count(numbers.dropped, 'index', 'indexes')} can be dropped"
        serves = f" would serve {count(numbers.served, 'query', 'queries')} that scan or sort today" if numbers.served else ""
        needed = f"{added}{serves}" if serves else f"{added} {'is' if numbers.added == 1 else 'are'} needed"
        parts = ([needed] if numbers.added else []) + ([gone] if numbers.dropped else [])
        said.append(f"In {count(numbers.tables, 'table')}, {', and '.join(parts)}.")
    fixes = [finding.fix.safety for finding in findings if finding.fix is not None]
    if fixes:
        safe = fixes.count(Safety.SAFE)
        said.append(
            f"{count(len(fixes), 'finding')} come{'s' if len(fixes) == 1 else ''} with a ready-made edit, {safe} of them safe to apply."
        )
    return tuple(said)


def _groups(findings: list[Finding], material: Material) -> tuple[Group, ...]:
    pages = rules_of(material.result)
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    return tuple(
        Group(rule, pages[rule].summary if rule in pages else rule, tuple(told(finding, material) for finding in members))
        for rule, members in by_rule.items()
    )


def _aside(finding: Finding, reason: str) -> Aside:
    return Aside(finding.rule, str(finding.found.span), finding.found.message, reason)


def _unseen(material: Material) -> tuple[str, ...]:
    """What the run could not see, or that its reader should know."""
    seen = material.result.summary
    said = []
    if seen.unresolved:
        noun = count(seen.unresolved, "access names its table", "accesses name their tables")
        said.append(f"{noun} at run time: no rule and no index advice covers {'it' if seen.unresolved == 1 else 'them'}.")
    return (*said, *map(noted, notes_by_place({*material.result.notes, *material.indexes.notes})))
