"""What was there before: findings matched with those of a baseline or of an earlier revision.

A finding is known if its fingerprint is. What is left on both sides is matched once more without the path, or without the function, so
that renaming a file or a function makes nothing new; of each old finding only one can come out of that, so that mending one place
while making the same mistake in another is not missed. One that is more severe than it was is new again: a hint that has become an
error is not what somebody agreed to live with. Of an old finding without a severity it is assumed that it was as severe as it is now.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from querylint.construction import dataclass
from querylint.errors import BaselineError
from querylint.rule import Age, Finding, Severity

BASELINE_FILE = "querylint-baseline.json"
STALE = "stale-baseline"
"""The gate that fails where the baseline lists what is no more found."""
VERSION = 1
SEVERITIES = tuple(severity.value for severity in Severity)

_ABOUT = "findings that existed when querylint was adopted; maintained by `querylint baseline`"


@dataclass(frozen=True, slots=True)
class Known:
    """One finding as it was: its identity, what it was about, and how severe, which files of an early querylint do not say.

    `since` is the version of querylint that first listed it.
    """

    id: str
    rule: str
    path: str
    function: str
    table: str
    fields: tuple[str, ...]
    operation: str
    since: str
    severity: Severity | None = None

    @classmethod
    def of(cls, finding: Finding, since: str = "") -> Known:
        """What is kept of a finding."""
        found = finding.found
        function = found.function.partition("::")[2]
        fields = tuple(sorted(found.fields))
        table, kind = found.table or "", found.operation
        return cls(finding.fingerprint, finding.rule, found.span.path, function, table, fields, kind, since, finding.severity)

    @property
    def subject(self) -> tuple[str, ...]:
        """What it is about, wherever it stands."""
        return (self.rule, self.table, self.operation, *self.fields)


@dataclass(frozen=True, slots=True)
class Compared:
    """Findings by age, and the known ones that are no more. `matched` leads from the known ones that are still there to their findings.

    A finding that is more severe than it was is both: new, and matched with what it was.
    """

    new: tuple[Finding, ...]
    old: tuple[Finding, ...]
    gone: tuple[Known, ...]
    matched: tuple[tuple[Known, Finding], ...]


def compare(findings: Sequence[Finding], known: Collection[Known]) -> Compared:
    """Tell new findings from those that are known; order is kept, and each finding gets its age."""
    left: defaultdict[str, list[Known]] = defaultdict(list)
    for entry in known:
        left[entry.id].append(entry)
    pairs: dict[int, tuple[Known, Age]] = {}
    for number, finding in enumerate(findings):
        if left[finding.fingerprint]:
            pairs[number] = (left[finding.fingerprint].pop(0), Age.UNCHANGED)
    waiting = [entry for entries in left.values() for entry in entries]
    for place in ("path", "function"):
        _move(findings, waiting, place, pairs)
    aged = [_aged(finding, *pairs[number]) if number in pairs else replace(finding, age=Age.NEW) for number, finding in enumerate(findings)]
    return Compared(
        tuple(finding for number, finding in enumerate(aged) if number not in pairs or finding.was is not None),
        tuple(finding for number, finding in enumerate(aged) if number in pairs and finding.was is None),
        tuple(sorted(waiting, key=_order)),
        tuple((pairs[number][0], aged[number]) for number in sorted(pairs)),
    )


def _aged(finding: Finding, entry: Known, age: Age) -> Finding:
    if entry.severity is not None and entry.severity.rank < finding.severity.rank:
        return replace(finding, age=Age.UPDATED, was=entry.severity)
    return replace(finding, age=age)


def _move(findings: Sequence[Finding], waiting: list[Known], place: str, pairs: dict[int, tuple[Known, Age]]) -> None:
    """Pair what differs in one more thing than its path, or than its function; where that leaves a choice, the first of each are taken."""
    by_key: defaultdict[tuple[str, ...], list[Known]] = defaultdict(list)
    for entry in waiting:
        by_key[getattr(entry, place), *entry.subject].append(entry)
    for number, finding in enumerate(findings):
        now = Known.of(finding)
        candidates = by_key[getattr(now, place), *now.subject]
        if number not in pairs and candidates:
            entry = candidates.pop(0)
            waiting.remove(entry)
            pairs[number] = (entry, Age.UPDATED)


def parse(text: str, name: str) -> tuple[Known, ...]:
    """The entries of a baseline file; raises BaselineError, with the file's name, for one that cannot be used."""
    try:
        data = json.loads(text)
    except ValueError as error:
        place = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        hint = "; is there a merge conflict in it?" if "<<<<<<<" in text else ""
        raise BaselineError(f"{name}{place}: this is not JSON{hint}") from None
    version = data.get("version") if isinstance(data, dict) else None
    if version != VERSION:
        found = (
            f"is of version {version}, which this querylint does not know" if isinstance(version, int) else "is not a querylint baseline"
        )
        raise BaselineError(f"{name}: this {found}; `querylint baseline create` makes one")
    rows = data.get("findings")
    if not isinstance(rows, list):
        raise BaselineError(f"{name}: `findings` must be a list")
    return tuple(_entry(row, name, number) for number, row in enumerate(rows, 1))


def text_of(entries: Iterable[Known]) -> str:
    """The baseline file: one finding a line, sorted, so that it merges well and equal findings give equal files."""
    rows = [
        json.dumps(
            {
                "id": e.id, "rule": e.rule, "path": e.path, "function": e.function, "table": e.table, "fields": list(e.fields),
                "operation": e.operation, "since": e.since, **({"severity": e.severity.value} if e.severity is not None else {}),
            },
            ensure_ascii=False,
        )
        for e in sorted(entries, key=_order)
    ]  # fmt: skip
    body = "\n" + ",\n".join(f"    {row}" for row in rows) + "\n  " if rows else ""
    return f'{{\n  "version": {VERSION},\n  "about": {json.dumps(_ABOUT)},\n  "findings": [{body}]\n}}\n'


def by_rule(entries: Iterable[Known]) -> dict[str, int]:
    """How many entries each rule has, the most frequent first."""
    counts = Counter(entry.rule for entry in entries)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _entry(row: Any, name: str, number: int) -> Known:
    if not isinstance(row, dict):
        raise BaselineError(f"{name}: finding {number} must be a table of keys and values")
    texts = {key: row.get(key, "") for key in ("id", "rule", "path", "function", "table", "operation", "since")}
    fields = row.get("fields", [])
    wrong = next((key for key, value in texts.items() if not isinstance(value, str)), None)
    if wrong or not texts["id"] or not texts["rule"] or not isinstance(fields, list) or not all(isinstance(f, str) for f in fields):
        raise BaselineError(f"{name}: finding {number} is incomplete or wrong (`{wrong or 'id, rule and fields'}`)")
    severity = row.get("severity")
    if severity is not None and severity not in SEVERITIES:
        raise BaselineError(
            f"{name}: finding {number} is of the severity {json.dumps(severity)}; it must be one of {', '.join(SEVERITIES)}"
        )
    return Known(fields=tuple(fields), severity=None if severity is None else Severity(severity), **texts)


def _order(entry: Known) -> tuple[str, str, str, str]:
    return entry.path, entry.function, entry.rule, entry.id
