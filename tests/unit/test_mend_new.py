"""What a batch of fixes has brought: a finding is told by the code that it is about, so that none hides behind one that has vanished."""

from __future__ import annotations

from dataclasses import replace

from querylint.mend import Made, brought
from querylint.patch import Fix, Safety, TextEdit
from querylint.result import Result
from querylint.rule import Finding
from querylint.text import LineIndex
from report_sample import LOOP_READ, result

PATH = LOOP_READ.found.span.path


def state(text: str, *reads: str) -> Result:
    """A file, and a finding of one kind in one function for each of these stretches of it."""
    lines = LineIndex(PATH, text.encode())
    spans = (lines.span(text.index(read), text.index(read) + len(read)) for read in reads)
    found = [replace(LOOP_READ, found=replace(LOOP_READ.found, span=span), fingerprint=str(n)) for n, span in enumerate(spans)]
    return replace(result(*found), sources={PATH: lines})


def mending(finding: Finding, text: str, *more: tuple[int, int]) -> Made:
    span = finding.found.span
    places = [span, *(LineIndex(PATH, text.encode()).span(start, end) for start, end in more)]
    return Made(finding, Fix("do it", Safety.SAFE, tuple(TextEdit(place, "") for place in places)))


BEFORE = "first(); second(); third();"


def test_a_finding_that_came_is_new_though_another_went() -> None:
    before = state(BEFORE, "first()", "second()")
    after = state("third(); other();", "other()")
    made = mending(before.findings[0], BEFORE)
    assert brought([made], before, after) == list(after.findings)


def test_what_stays_is_not_new_wherever_it_has_moved_to() -> None:
    before = state(BEFORE, "first()", "second()")
    made = mending(before.findings[0], BEFORE)
    assert brought([made], before, state("  second (); third();", "second ()")) == []


def test_what_the_fix_has_rewritten_is_what_it_was() -> None:
    before = state(BEFORE, "first()", "second()")
    made = mending(before.findings[0], BEFORE, (9, 17))
    assert brought([made], before, state("all(second(), third());", "all(second(), third())")) == []


def test_the_finding_that_is_mended_makes_room_for_none() -> None:
    before = state(BEFORE, "first()")
    after = state("other(); third();", "other()")
    assert brought([mending(before.findings[0], BEFORE)], before, after) == list(after.findings)
