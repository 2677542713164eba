"""SARIF 2.1.0 for code hosts and editors: no clock, no machine path, so that equal runs give equal logs."""

from __future__ import annotations

import json

from querylint import __version__
from querylint.construction import dataclass
from querylint.report import Options
from querylint.report.json import Json
from querylint.report.order import by_cost, by_place, notes_by_place
from querylint.report.sarif.descriptors import (
    NOTE_LEVELS,
    notification_descriptor,
    rule_descriptor,
    stray_descriptor,
    weaknesses_of,
)
from querylint.report.sarif.places import ROOT, Places
from querylint.report.sarif.results import Results, declaration
from querylint.report.sarif.taxonomy import taxonomy
from querylint.report.wording import REPOSITORY, count, gate, rules_of
from querylint.result import Note, NoteKind, Result
from querylint.rule import Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

WITH_CONTEXT = 4_000
WITH_SNIPPETS = 8_000
MOST_RESULTS = 25_000
"""GitHub refuses a run with more, and a log over 10 MB of gzip: the lower steps keep the log under that."""


@dataclass(frozen=True, slots=True)
class _Size:
    findings: list[Finding]
    context: bool
    snippets: bool
    notes: tuple[Note, ...]


def render(result: Result, options: Options) -> str:
    """The log; findings of every severity are in it."""
    log: dict[str, Json] = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(result, options)]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _run(result: Result, options: Options) -> Json:
    size = _fitted(result)
    notes = notes_by_place([*result.notes, *size.notes])
    places = Places(_paths(result, size.findings, notes), result.sources, size.snippets, size.context, options.lead)
    rules = rules_of(result)
    weaknesses = weaknesses_of(list(rules.values()))
    strays = {finding.rule: finding for finding in size.findings if finding.rule not in rules}
    descriptors = {name: rule_descriptor(rule, weaknesses) for name, rule in rules.items()}
    descriptors |= {name: stray_descriptor(finding) for name, finding in sorted(strays.items())}
    kinds = [kind for kind in NoteKind if any(note.kind is kind for note in notes)]
    results = Results(
        places,
        {name: index for index, name in enumerate(descriptors)},
        places.line_hashes(finding.found.span for finding in size.findings),
        result.schemas,
    )
    driver: dict[str, Json] = {
        "name": "querylint",
        "semanticVersion": __version__,
        "informationUri": REPOSITORY,
        "rules": list(descriptors.values()),
        "notifications": [notification_descriptor(kind) for kind in kinds],
    }
    run: dict[str, Json] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": _category(result, options.lead)},
        "invocations": [
            {
                "executionSuccessful": not result.broken,
                "exitCode": options.exit_code,
                **_failed_gates(result),
                "toolExecutionNotifications": [_notification(note, kinds, places) for note in notes],
            }
        ],
        "originalUriBaseIds": {
            ROOT: {"description": {"text": "The top of the repository, or the root of the project where there is none."}}
        },
        "artifacts": places.artifacts(),
        "columnKind": "utf16CodeUnits",
        "results": [results.result(finding) for finding in size.findings],
    }
    if weaknesses:
        driver["supportedTaxonomies"] = [{"name": "CWE", "index": 0}]
        run["taxonomies"] = [taxonomy(weaknesses)]
    return run


def _failed_gates(result: Result) -> dict[str, Json]:
    """Why the exit code is what it is, where gates made it so."""
    failed = [gate(judged) for judged in result.gates if judged.failed]
    return {"exitCodeDescription": " ".join(failed)} if failed else {}


def _fitted(result: Result) -> _Size:
    """What code hosts accept: first the context goes, then the snippets, then the cheapest results."""
    every = [*result.findings, *result.known]
    total = len(every)
    kept = by_place(by_cost(every)[:MOST_RESULTS])
    notes = []
    if total > WITH_CONTEXT:
        gone = "source snippets" if total > WITH_SNIPPETS else "surrounding lines"
        notes.append(Note(NoteKind.LIMIT, f"{count(total, 'result')}: {gone} were left out to keep the log within what code hosts accept"))
    if total > MOST_RESULTS:
        notes.append(Note(NoteKind.LIMIT, f"{count(total - MOST_RESULTS, 'result')} of the least weight were left out; JSON has them all"))
    return _Size(kept, total <= WITH_CONTEXT, total <= WITH_SNIPPETS, tuple(notes))


def _paths(result: Result, findings: list[Finding], notes: list[Note]) -> tuple[str, ...]:
    paths = {note.path for note in notes if note.path}
    for finding in findings:
        found = finding.found
        declared = declaration(found, result.schemas)
        paths |= {found.span.path, *(point.span.path for point in found.trail), *([declared.span.path] if declared else [])}
        paths |= set(finding.fix.paths) if finding.fix is not None else set()
    return tuple(sorted(paths))


def _category(result: Result, lead: str) -> str:
    """What lies before the last slash keeps the alerts of two projects of one repository apart."""
    roots = result.summary.roots
    return f"querylint/{lead}{roots[0].strip('/')}/" if len(roots) == 1 and roots[0] not in ("", ".") else f"querylint/{lead}"


def _notification(note: Note, kinds: list[NoteKind], places: Places) -> Json:
    notification: dict[str, Json] = {
        "descriptor": {"id": note.kind.value, "index": kinds.index(note.kind)},
        "level": NOTE_LEVELS[note.kind],
        "message": {"text": f"{note.message.rstrip('.')}."},
    }
    if note.path:
        place: dict[str, Json] = {"artifactLocation": places.file(note.path)}
        if note.line:
            place["region"] = {"startLine": note.line}
        notification["locations"] = [{"physicalLocation": place}]
    return notification
