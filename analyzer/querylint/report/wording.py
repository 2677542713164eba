"""Words that every format shares: counts, the advice on a finding, what was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from querylint.remedy import sentence
from querylint.result import Gate, Note, Part, Result, Summary
from querylint.rule import Finding, Found, Rule, Severity

WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.INFO)
NOUNS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "hint"}
ONE = {Severity.ERROR: "an error", Severity.WARNING: "a warning", Severity.INFO: "a hint"}

REPOSITORY = "https://github.com/querylint/querylint"
RULE_PAGES = f"{REPOSITORY}/blob/main/docs/rules"


def rule_url(name: str) -> str:
    """Where the page of a rule is read."""
    return f"{RULE_PAGES}/{name}.md"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 table`, `2 tables`, `2 indexes`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


MOST_PATHS = 3
"""How many paths a sentence names."""

STACKS = {"convex": "Convex", "django": "Django", "sqlalchemy": "SQLAlchemy", "dbapi": "DB-API"}
"""What stacks are called."""


def listed(parts: list[str]) -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def advice(found: Found) -> tuple[str, ...]:
    """What to do about it: the remedy in a sentence, then what the rule adds in its own words."""
    sentences = (sentence(found.remedy, found.stack) if found.remedy else "", found.help)
    return tuple(dict.fromkeys(text for text in sentences if text))


def message(finding: Finding) -> str:
    """What happens there, and that it was less severe before."""
    return finding.found.message + (f" (was {ONE[finding.was]})" if finding.was is not None else "")


def details(finding: Finding, lead: str = "") -> list[str]:
    """The way to a finding, what it costs and what to do, each in a line of its own; `lead` goes before every path."""
    found = finding.found
    way = [f"path: {point.text} (`{lead}{point.span.path}:{point.span.line}:{point.span.column}`)" for point in found.trail]
    cost = [f"cost: {found.cost.now}" + (f"; after the change: {found.cost.after}" if found.cost.after else "")] if found.cost else []
    return [*way, *cost, *(f"help: {text}" for text in advice(found)), *only_a_hint(found)]


def only_a_hint(found: Found) -> tuple[str, ...]:
    """Why it is no more than a hint, where it is one."""
    return (f"only a hint: {found.because}",) if found.because else ()


def function_name(found: Found) -> str:
    """What its author calls the function that the finding lies in, qualified by class or enclosing function; empty at top level."""
    return found.function.rpartition("::")[2]


def noted(note: Note) -> str:
    """A note behind its place, as far as it has one."""
    where = f"{note.path}:{note.line}: " if note.path and note.line else f"{note.path}: " if note.path else ""
    return where + note.message


def by_severity(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many findings each severity has, the worst first."""
    counts = Counter(finding.severity for finding in findings)
    return {severity: counts[severity] for severity in WORST_FIRST}


def numbers(severities: Iterable[Severity | None]) -> str:
    """`3 findings: 1 error, 2 hints`; None is a severity that nobody knows."""
    counts = Counter(severities)
    parts = [count(counts[severity], NOUNS[severity]) for severity in WORST_FIRST if counts[severity]]
    parts += [f"{counts[None]} of unknown severity"] if counts[None] else []
    return count(counts.total(), "finding") + (f": {', '.join(parts)}" if parts else "")


def rules_of(result: Result) -> dict[str, Rule]:
    """The rules that ran, by name, in alphabetical order."""
    return {rule.name: rule for rule in sorted(result.rules, key=lambda rule: rule.name)}


def verdict(result: Result, where: str = "") -> str:
    """What was found, in one sentence; `where` names the part of the project that was asked about."""
    if result.broken:
        return "A part of querylint failed, so this report is incomplete."
    new = "new " if result.against else ""
    parts = [count(number, f"{new}{NOUNS[severity]}") for severity, number in by_severity(result.findings).items() if number]
    aside = f", {result.summary.suppressed} suppressed" if result.summary.suppressed else ""
    aside += f", {len(result.known)} known from {result.against}" if result.known else ""
    worse = sum(1 for finding in result.findings if finding.was is not None)
    aside = f", {worse} of them less severe before{aside}" if worse else aside
    place = f" in {where}" if where else ""
    return f"Found {listed(parts)}{place}{aside}." if parts else f"Found nothing {new}to report{place}{aside}."


def gate(judged: Gate) -> str:
    """How a gate was passed or not, in one sentence."""
    allowed = "none" if judged.allowed == 0 else f"at most {judged.allowed}"
    of = f" ({', '.join(f'{number} {name}' for name, number in judged.rules)})" if len(judged.rules) > 1 else ""
    return f"Gate `{judged.name}` {'failed' if judged.failed else 'passed'}: {judged.found} found{of}, {allowed} allowed."


def looked_at(result: Result) -> str:
    """What the run saw, in one sentence, so that silence can be trusted."""
    return scope(result.summary)


def named(paths: tuple[str, ...]) -> str:
    """The paths as their user knows them."""
    return " and ".join("the current folder" if path == "." else f"`{path}`" for path in paths)


def asked_about(part: Part | None) -> str:
    """The paths of a run that was asked about a part of the project only; empty where it was asked about all of it."""
    if part is None or part.whole:
        return ""
    return named(part.paths) if len(part.paths) <= MOST_PATHS else f"the {len(part.paths)} paths given"


def nothing_there(part: Part) -> str:
    """That no file under the paths has to do with a database, and what was looked at, in one sentence."""
    kinds = f"{part.python} Python and {count(part.typescript, 'TypeScript or JavaScript file')}"
    others = f" and {count(part.others, 'template or SQL file', 'templates and SQL files')}" if part.others else ""
    return f"nothing in {named(part.paths)} accesses a database: looked at {kinds}{others}"


def scope(seen: Summary) -> str:
    """What was looked at, in one sentence."""
    if not seen.files:
        return "There was no TypeScript, JavaScript or Python file to look at."
    if not seen.analysed:
        which = "The only file does not use" if seen.files == 1 else f"None of the {seen.files} files uses"
        return f"{which} a database in a way that querylint knows; is this the root of the project?"
    where = listed([f"`{root}`" if root not in ("", ".") else "the project root" for root in seen.roots]) if seen.roots else ""
    files = count(seen.files, "file") + (f" ({seen.analysed} with database code)" if seen.analysed != seen.files else "")
    parts = [
        count(seen.functions, "function"),
        count(seen.reads, "read"),
        count(seen.writes, "write"),
        count(seen.tables, "table"),
        count(seen.indexes, "index", "indexes"),
    ]
    return f"Looked at {files}{' in ' + where if where else ''}: {listed(parts)}."
