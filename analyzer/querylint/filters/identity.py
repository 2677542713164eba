"""The identity of a finding: what it is about, not where it stands, so that it survives edits elsewhere in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from querylint.construction import replace
from querylint.rule import Finding

# `hashlib` loads a whole library of ciphers. Its own sums are in `_sha2` from Python 3.12 on, and were in `_sha256` before.
try:
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import sha256

_LENGTH = 32


def fingerprints(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings in the order given, each with its fingerprint.

    Findings that are about the same thing in the same function are numbered in the order of the source. Neither lines nor columns nor
    messages count, and neither does the trail: another caller of a helper does not make another finding of it.
    """
    seen: Counter[str] = Counter()
    stamped: dict[int, Finding] = {}
    for number in sorted(range(len(findings)), key=lambda index: _place(findings[index])):
        finding = findings[number]
        about = _about(finding)
        digest = sha256(f"{about}\0{seen[about]}".encode("utf-8", "surrogatepass")).hexdigest()
        seen[about] += 1
        stamped[number] = replace(finding, fingerprint=digest[:_LENGTH])
    return tuple(stamped[number] for number in range(len(findings)))


def _about(finding: Finding) -> str:
    found = finding.found
    function = found.function.partition("::")[2]
    return "\0".join((finding.rule, found.span.path, function, found.operation, found.table or "", "\1".join(sorted(found.fields))))


def _place(finding: Finding) -> tuple[str, int, int, int, int]:
    span = finding.found.span
    return span.path, span.line, span.column, span.end_line, span.end_column
