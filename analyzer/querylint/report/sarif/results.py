"""One finding as a SARIF result: message with links, places, the flow to it, and its identity."""

from __future__ import annotations

import re
from collections.abc import Mapping

from querylint.construction import dataclass
from querylint.ir import Schema
from querylint.patch import Fix, Safety, TextEdit
from querylint.remedy import AddIndex, PushDown
from querylint.report.json import Json
from querylint.report.order import rank
from querylint.report.sarif.descriptors import LEVELS
from querylint.report.sarif.places import Places
from querylint.report.wording import advice, function_name, only_a_hint
from querylint.rule import Finding, Found, Point

MOST_STEPS = 12
FIRST_STEPS = 4
BEGINNING: dict[str, Json] = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
LOOKS_LIKE_A_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")


@dataclass(frozen=True, slots=True)
class Results:
    """Turns findings into results of one run."""

    places: Places
    rule_indexes: Mapping[str, int]
    line_hashes: Mapping[tuple[str, int], str]
    schemas: tuple[Schema, ...]

    def result(self, finding: Finding) -> dict[str, Json]:
        """The whole result."""
        found = finding.found
        steps = _steps(found)
        declared = declaration(found, self.schemas)
        links = [*steps, *([declared] if declared else [])]
        result: dict[str, Json] = {
            "ruleId": finding.rule,
            "ruleIndex": self.rule_indexes[finding.rule],
            "level": LEVELS[finding.severity],
            "rank": rank(finding),
            "message": {"text": _text(found, steps, declared), "markdown": _markdown(found, steps, declared)},
            "locations": [self._primary(found)],
        }
        if links:
            result["relatedLocations"] = [{"id": number, **self._location(point)} for number, point in enumerate(links, 1)]
        if len(found.trail) > 1:
            result["codeFlows"] = [self._flow(found, steps)]
        if fingerprints := self._fingerprints(finding):
            result["partialFingerprints"] = fingerprints
        if finding.age:
            result["baselineState"] = finding.age.value
        if finding.fix is not None:
            result["fixes"] = [self._fix(finding.fix)]
        result["properties"] = _properties(finding)
        return result

    def _primary(self, found: Found) -> dict[str, Json]:
        location: dict[str, Json] = {"physicalLocation": self.places.primary(found.span)}
        if name := function_name(found):
            location["logicalLocations"] = [{"name": name, "fullyQualifiedName": found.function, "kind": "function"}]
        return location

    def _location(self, point: Point) -> dict[str, Json]:
        return {"physicalLocation": self.places.physical(point.span), "message": {"text": point.text}}

    def _flow(self, found: Found, steps: list[Point]) -> Json:
        points = steps if steps[-1].span == found.span else [*steps, Point(found.span, found.message)]
        locations: list[Json] = [{"location": self._location(point), "nestingLevel": level} for level, point in enumerate(points, 1)]
        return {"threadFlows": [{"locations": locations}]}

    def _fix(self, fix: Fix) -> Json:
        """Viewers show the description alone, so it says how far the fix may be trusted.

        A log knows replacements only: a new file is text put at the beginning of one that does not exist yet, and the description says so.
        """
        trust = "" if fix.safety is Safety.SAFE else f" ({fix.safety.value}: {'; '.join(fix.caveats) or 'look at the result'})"
        made = "".join(f"; new file {file.path}" for file in fix.created)
        new: dict[str, list[Json]] = {
            file.path: [{"deletedRegion": BEGINNING, "insertedContent": {"text": file.text}}] for file in fix.created
        }
        changes: list[Json] = [
            {
                "artifactLocation": self.places.file(path),
                "replacements": new.get(path) or [self._replacement(edit) for edit in fix.edits if edit.span.path == path],
            }
            for path in fix.paths
        ]
        return {"description": {"text": f"{fix.title}{made}{trust}"}, "artifactChanges": changes}

    def _replacement(self, edit: TextEdit) -> Json:
        region = self.places.physical(edit.span)["region"]
        return {"deletedRegion": region, **({"insertedContent": {"text": edit.text}} if edit.text else {})}

    def _fingerprints(self, finding: Finding) -> dict[str, Json]:
        span = finding.found.span
        known = {"querylint/v1": finding.fingerprint, "primaryLocationLineHash": self.line_hashes.get((span.path, span.line), "")}
        return {name: value for name, value in known.items() if value}


def declaration(found: Found, schemas: tuple[Schema, ...]) -> Point | None:
    """The table that an index is to be added to, where one schema alone declares it."""
    if not isinstance(found.remedy, AddIndex) and not (isinstance(found.remedy, PushDown) and found.remedy.create):
        return None
    tables = [schema.tables[found.remedy.table] for schema in schemas if found.remedy.table in schema.tables]
    if len(tables) != 1 or tables[0].span is None:
        return None
    return Point(tables[0].span, f"table `{tables[0].name}`")


def _steps(found: Found) -> list[Point]:
    """The trail without repeated points, its middle left out where it is very long."""
    points = list(dict.fromkeys(found.trail))
    return points if len(points) <= MOST_STEPS else [*points[:FIRST_STEPS], *points[FIRST_STEPS - MOST_STEPS :]]


def _text(found: Found, steps: list[Point], declared: Point | None) -> str:
    sentences = [f"{_unlinked(found.message)}."]
    if steps:
        sentences.append(f"Path: {', '.join(_link(point, number) for number, point in enumerate(steps, 1))}.")
    sentences += [f"{_unlinked(text)}." for text in _closing(found)]
    if declared:
        sentences.append(f"The index goes into {_link(declared, len(steps) + 1)}.")
    return " ".join(sentences)


def _markdown(found: Found, steps: list[Point], declared: Point | None) -> str:
    paragraphs = [f"{_unlinked(found.message)}."]
    if steps:
        paragraphs.append("\n".join(f"{number}. {_link(point, number)}" for number, point in enumerate(steps, 1)))
    paragraphs += [f"{_unlinked(text)}." for text in _closing(found)]
    if declared:
        paragraphs.append(f"The index goes into {_link(declared, len(steps) + 1)}.")
    return "\n\n".join(paragraphs)


def _closing(found: Found) -> list[str]:
    cost = [f"Cost: {found.cost.now}" + (f"; after the change: {found.cost.after}" if found.cost.after else "")] if found.cost else []
    return [
        *cost,
        *(f"Help: {text.rstrip('.')}" for text in advice(found)),
        *(text.replace("only", "Only", 1) for text in only_a_hint(found)),
    ]


def _link(point: Point, number: int) -> str:
    words = point.text.replace("[", "\\[").replace("]", "\\]")
    return f"[{words}]({number})"


def _unlinked(text: str) -> str:
    """Text in which brackets of the source cannot pass for a link."""
    return LOOKS_LIKE_A_LINK.sub(r"\\[", text)


def _properties(finding: Finding) -> dict[str, Json]:
    found = finding.found
    properties: dict[str, Json] = {
        "pattern": finding.pattern,
        "severity": finding.severity.value,
        "confidence": found.confidence.value,
    }
    known: dict[str, Json] = {
        "also": list(found.also),
        "table": found.table,
        "fields": list(found.fields),
        "operation": found.operation,
        "because": found.because,
        "severityBefore": finding.was.value if finding.was else None,
        "costNow": found.cost.now if found.cost else None,
        "costAfter": found.cost.after if found.cost else None,
    }
    return properties | {name: value for name, value in known.items() if value}
