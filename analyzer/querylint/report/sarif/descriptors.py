"""What the log says once about each rule and each kind of notification."""

from __future__ import annotations

from collections.abc import Sequence

from querylint.report.json import Json
from querylint.report.prose import plain, shortened
from querylint.report.sarif.taxonomy import relationship, tag
from querylint.report.wording import REPOSITORY, rule_url
from querylint.result import NoteKind
from querylint.rule import Finding, Rule, Severity

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
PROBLEM_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
TAGS = ("performance", "database")
MOST_DESCRIPTION = 1024
"""GitHub keeps no more of a description."""

NOTE_LEVELS = {
    NoteKind.PARSE: "warning",
    NoteKind.READ: "warning",
    NoteKind.LIMIT: "warning",
    NoteKind.SCHEMA: "warning",
    NoteKind.HINT: "note",
    NoteKind.BUG: "error",
}
NOTE_MEANINGS = {
    NoteKind.PARSE: "A file holds code that did not parse; the rest of it was analyzed.",
    NoteKind.READ: "A file could not be read and was left out.",
    NoteKind.LIMIT: "A limit was reached, and something was left out.",
    NoteKind.SCHEMA: "A database schema could not be read in full.",
    NoteKind.HINT: "A setting or a folder deserves a second look.",
    NoteKind.BUG: "A defect of querylint; the run cannot be trusted.",
}


def rule_descriptor(rule: Rule, weaknesses: list[int]) -> dict[str, Json]:
    """A rule with its page."""
    sections = [text for text in (rule.section("What it finds"), rule.section("Why it costs")) if text]
    description = shortened("\n\n".join(sections) or rule.summary or rule.name, MOST_DESCRIPTION)
    tags = [*TAGS, *([tag(rule.cwe)] if rule.cwe else [])]
    descriptor: dict[str, Json] = {
        **identity(rule.name),
        "shortDescription": {"text": shortened(f"{rule.summary or rule.name}.", MOST_DESCRIPTION)},
        "fullDescription": {"text": shortened(_sentence(plain(description)), MOST_DESCRIPTION), "markdown": description},
        "help": {"text": _sentence(plain(rule.doc) or rule.name), "markdown": rule.doc or rule.name},
        "helpUri": rule_url(rule.name),
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "tags": list[Json](tags),
            "precision": "high",
            "problem.severity": PROBLEM_SEVERITIES[rule.severity],
            "pattern": rule.pattern,
            "since": rule.since,
        },
    }
    if rule.cwe:
        descriptor["relationships"] = [relationship(weaknesses, rule.cwe)]
    return descriptor


def stray_descriptor(finding: Finding) -> dict[str, Json]:
    """A finding that no rule of the run made, such as a suppression that suppresses nothing."""
    words = f"{finding.rule.replace('-', ' ').capitalize()}."
    return {
        **identity(finding.rule),
        "shortDescription": {"text": words},
        "fullDescription": {"text": words, "markdown": words},
        "help": {"text": words, "markdown": words},
        "helpUri": f"{REPOSITORY}#readme",
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": {"tags": list[Json](TAGS), "precision": "high", "problem.severity": PROBLEM_SEVERITIES[finding.severity]},
    }


def notification_descriptor(kind: NoteKind) -> dict[str, Json]:
    """A kind of note; GitHub's checks want a help text on every descriptor."""
    meaning = NOTE_MEANINGS[kind]
    return {
        **identity(kind.value),
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": meaning, "markdown": meaning},
        "help": {"text": meaning, "markdown": meaning},
        "helpUri": f"{REPOSITORY}#readme",
        "defaultConfiguration": {"level": NOTE_LEVELS[kind]},
    }


def weaknesses_of(rules: Sequence[Rule]) -> list[int]:
    """The numbers of the weaknesses that these rules relate to."""
    return sorted({rule.cwe for rule in rules if rule.cwe})


def identity(name: str) -> dict[str, Json]:
    """The id, and `LoopRead` for `loop-read`; a name that repeats the id is not allowed."""
    pascal = "".join(word.capitalize() for word in name.split("-"))
    return {"id": name} if pascal.lower() == name else {"id": name, "name": pascal}


def _sentence(text: str) -> str:
    text = text.rstrip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
