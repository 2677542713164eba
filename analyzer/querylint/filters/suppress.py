"""Silence findings where a comment says so, and say which comments do nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from querylint.construction import dataclass
from querylint.filters.comments import Comment, comments
from querylint.filters.identity import fingerprints
from querylint.remedy import Advice
from querylint.result import Suppressed
from querylint.rule import Finding, Found, Severity
from querylint.text import LineIndex

BAD = "bad-suppression"
UNUSED = "unused-suppression"
PATTERN = "suppression"
PSEUDO_RULES = frozenset({BAD, UNUSED})
"""Names under which this room reports; they are rules to the user, who may set their severity, but no module judges by them."""

_FORM = "ignore[rule-name] -- reason"


@dataclass(frozen=True, slots=True)
class Filtered:
    """What is left, with what is to be said about the comments themselves at the end, and what was silenced."""

    kept: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]


def apply(
    findings: Sequence[Finding],
    sources: Mapping[str, LineIndex],
    active_rules: Collection[str],
    known_rules: Collection[str],
    require_reason: bool = True,
) -> Filtered:
    """Silence what comments in the sources silence.

    It has to see every finding of the run and every file that was analysed, or it calls comments unused that are not: the floor of
    severity, `per-file-ignores`, the baseline and the choice of files come after it. A finding may be silenced where it is reported
    and at the access that it is about, the last point of its trail; there it is silenced for every caller. Fingerprints come before it,
    or silencing one finding would change the identity of its twin; the reports made here bear theirs already.
    """
    said = [comment for path in sorted(sources) for comment in comments(sources[path])]
    board = _Board(comment for comment in said if _sound(comment, require_reason))
    kept: list[Finding] = []
    suppressed: list[Suppressed] = []
    for finding in findings:
        reason = board.reason(finding)
        if reason is None:
            kept.append(finding)
        else:
            suppressed.append(Suppressed(finding, reason))
    reports: list[Finding] = []
    for comment in said:
        reports.extend(_bad(comment, frozenset(known_rules), require_reason))
        if _sound(comment, require_reason):
            reports.extend(_unused(comment, [name for name in comment.names if name in active_rules and not board.used(comment, name)]))
    return Filtered((*kept, *fingerprints(reports)), tuple(suppressed))


def _sound(comment: Comment, require_reason: bool) -> bool:
    """Whether a comment silences anything at all."""
    return comment.known and bool(comment.names) and (bool(comment.reason) or not require_reason)


class _Board:
    """The comments that count, by the place that they speak for, and which of their names were needed."""

    def __init__(self, said: Iterator[Comment]) -> None:
        self._by_place: dict[tuple[str, int | None], list[Comment]] = {}
        self._used: set[tuple[Comment, str]] = set()
        for comment in said:
            self._by_place.setdefault((comment.span.path, comment.covers), []).append(comment)

    def reason(self, finding: Finding) -> str | None:
        """Why a finding is silenced; None if it is not."""
        spans = [finding.found.span, *(point.span for point in finding.found.trail[-1:])]
        places = [(span.path, line) for span in spans for line in (span.line, None)]
        found = [comment for place in places for comment in self._by_place.get(place, ()) if finding.rule in comment.names]
        self._used.update((comment, finding.rule) for comment in found)
        return found[0].reason if found else None

    def used(self, comment: Comment, name: str) -> bool:
        return (comment, name) in self._used


def _bad(comment: Comment, known_rules: frozenset[str], require_reason: bool) -> Iterator[Finding]:
    """What is wrong with a comment, the first thing that keeps it from working, or else every name that no rule bears."""
    if not comment.known:
        yield _finding(BAD, comment, f"`{comment.verb}` is not a kind of suppression, so it silences nothing", f"write `{_FORM}`")
    elif not comment.names:
        yield _finding(BAD, comment, f"`{comment.verb}` names no rule in brackets, so it silences nothing", f"write `{_FORM}`")
    elif require_reason and not comment.reason:
        message = f"the suppression of {_listed(comment.names)} gives no reason, so it silences nothing"
        yield _finding(BAD, comment, message, "add `-- ` and the reason after the brackets")
    if comment.known:
        for name in comment.names:
            if name not in known_rules:
                close = _nearest(name, known_rules)
                offer = f"; did you mean `{close}`?" if close else ""
                yield _finding(BAD, comment, f"`{name}` is not a rule{offer}", f"write `{close}`" if close else "remove the name", (name,))


def _unused(comment: Comment, names: list[str]) -> Iterator[Finding]:
    if not names:
        return
    where = "in this file" if comment.covers is None else "here"
    whole = len(names) == len(comment.names)
    help = "remove the comment" if whole else f"remove {_listed(names)} from the comment"
    yield _finding(UNUSED, comment, f"there is nothing {where} for {_listed(names)} to suppress", help, tuple(names))


def _finding(rule: str, comment: Comment, message: str, advice: str, names: tuple[str, ...] | None = None) -> Finding:
    fields = comment.names if names is None else names
    found = Found(comment.span, message, remedy=Advice(advice), fields=fields, operation=comment.verb)
    return Finding(rule, PATTERN, Severity.WARNING, found)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _nearest(name: str, known: Collection[str]) -> str | None:
    import difflib  # only mistakes need it

    close = difflib.get_close_matches(name.lower().replace("_", "-"), sorted(known), n=1)
    return close[0] if close else None
