"""A finding as the page shows it: the place, the way there, what it costs and what to do, with the edit where there is one."""

from __future__ import annotations

from collections.abc import Mapping

from querylint.construction import dataclass, replace
from querylint.patch import Safety
from querylint.remedy import Advice, Batch, Chunk, Limit, Narrow, PushDown, Remedy, Stage, stage
from querylint.report.page.material import Material
from querylint.report.page.measured import cost_of
from querylint.report.page.sizes import sized
from querylint.report.snippet import Row, RowKind, near, snippet
from querylint.report.wording import advice, function_name, message
from querylint.rule import Finding

WIDE = 110
"""How many characters of a source line are shown."""

SAFETY = {
    Safety.SAFE: "safe: the same rows, in the same order, with the same errors",
    Safety.UNSAFE: "review it first",
    Safety.DISPLAY: "shown only; apply it by hand",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One place on the way to a finding. `shown` says that the snippet shows it as well."""

    place: str
    text: str
    shown: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """A fix: what it does, how far it may be trusted and why not further, and its unified diff."""

    title: str
    safety: str
    caveats: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in words. `now` and `after` are formulas, `now_sized` and `after_sized` the same with the sizes that are stated."""

    anchor: str
    rule: str
    severity: str
    confidence: str
    message: str
    place: str
    function: str
    table: str
    now: str
    after: str
    now_sized: str
    after_sized: str
    advice: tuple[str, ...]
    because: str
    measured: str
    effort: str
    snippet: tuple[Row, ...]
    way: tuple[Step, ...]
    edit: Edit | None

    @property
    def gutter(self) -> int:
        """How many digits the longest line number of the snippet has."""
        return max((len(str(row.number)) for row in self.snippet if row.number is not None), default=1)


def anchor(finding: Finding) -> str:
    """The name by which links of the page reach a finding."""
    return f"f-{finding.fingerprint[:20]}"


def effort(remedy: Remedy | None) -> str:
    """`small` for one statement, `medium` where a function or its callers change their form, `large` where stored data does."""
    if stage(remedy) is Stage.DATA:
        return "large"
    match remedy:
        case None | Batch() | Chunk() | Narrow() | Advice() | PushDown(create=True) | Limit(paginate=True):
            return "medium"
    return "small"


def told(finding: Finding, material: Material) -> Told:
    """A finding as the page shows it."""
    found = finding.found
    source = material.result.sources.get(found.span.path)
    now, after = (found.cost.now, found.cost.after) if found.cost is not None else ("", "")
    return Told(
        anchor(finding),
        finding.rule,
        finding.severity.value,
        found.confidence.value,
        message(finding),
        str(found.span),
        function_name(found),
        found.table or "",
        now,
        after,
        sized(now, material.rows),
        sized(after, material.rows),
        advice(found),
        found.because,
        cost_of(material.profile, finding),
        effort(found.remedy),
        unindented(snippet(source, found.span, found.trail, WIDE)) if source is not None else (),
        tuple(Step(str(p.span), p.text, near(p, found.span)) for p in found.trail),
        _edit(finding, material.fixes),
    )


def unindented(rows: list[Row]) -> tuple[Row, ...]:
    """The rows of a snippet without the indentation that all its lines share, which a narrow page has no room for."""
    lines = [row.body for row in rows if row.kind is RowKind.SOURCE and row.body]
    shared = min((len(line) - len(line.lstrip(" ")) for line in lines), default=0)
    return tuple(row if row.kind is RowKind.GAP else replace(row, body=row.body[shared:]) for row in rows)


def _edit(finding: Finding, diffs: Mapping[str, str]) -> Edit | None:
    diff = diffs.get(finding.fingerprint, "")
    if finding.fix is None or not diff:
        return None
    return Edit(finding.fix.title, SAFETY[finding.fix.safety], finding.fix.caveats, lines_of(diff))


def lines_of(diff: str) -> tuple[tuple[str, str], ...]:
    """The lines of a unified diff, each with what it is: `file`, `hunk`, `add`, `del` or `same`."""
    return tuple((_kind(line), line) for line in diff.splitlines())


def _kind(line: str) -> str:
    if line.startswith(("--- ", "+++ ")):
        return "file"
    return {"@": "hunk", "+": "add", "-": "del"}.get(line[:1], "same")
