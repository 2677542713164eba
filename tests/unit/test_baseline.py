"""Telling new findings from known ones, for any findings there could be."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from querylint.filters import Known, compare, fingerprints, parse, text_of
from querylint.rule import Age, Finding, Found, Severity
from querylint.text import Span

NAMES = st.sampled_from(["a", "b", "c"])


@st.composite
def findings(draw: st.DrawFn) -> list[Finding]:
    """Findings of a run, with their fingerprints, at lines of their own."""
    drawn = draw(st.lists(st.tuples(NAMES, NAMES, NAMES, NAMES, st.lists(NAMES, max_size=2)), max_size=8))
    made = [
        Finding(
            rule, rule, Severity.WARNING, Found(Span(path, n, 1, n, 2), "m", function=f"{path}::{name}", table=table, fields=tuple(fields))
        )
        for n, (rule, path, name, table, fields) in enumerate(drawn, 1)
    ]
    return list(fingerprints(made))


def known(of: list[Finding]) -> list[Known]:
    return [Known.of(finding, "0.1.0") for finding in of]


@given(findings())
def test_what_was_there_is_known_and_a_file_says_it_as_well(now: list[Finding]) -> None:
    compared = compare(now, parse(text_of(known(now)), "x.json"))
    assert (compared.new, compared.gone) == ((), ())
    assert [f.age for f in compared.old] == [Age.UNCHANGED] * len(now)


@given(findings(), findings())
def test_every_finding_is_new_or_known_and_every_entry_serves_once(now: list[Finding], before: list[Finding]) -> None:
    compared = compare(now, known(before))
    assert Counter(f.fingerprint for f in (*compared.new, *compared.old)) == Counter(f.fingerprint for f in now)
    assert len(compared.old) == len(compared.matched)
    entries = [entry for entry, _ in compared.matched]
    assert Counter((*entries, *compared.gone)) == Counter(known(before))
    assert all(entry.subject == Known.of(finding).subject for entry, finding in compared.matched)
    assert all(entry.path == f.found.span.path or entry.function == Known.of(f).function for entry, f in compared.matched)


@given(findings(), st.permutations(range(8)))
def test_the_order_of_the_entries_does_not_matter_to_what_is_new(now: list[Finding], order: list[int]) -> None:
    entries = known(now)[: len(now) // 2]
    turned = [entries[n] for n in order if n < len(entries)]
    assert compare(now, entries).new == compare(now, turned).new
    assert text_of(entries) == text_of(turned)


@given(findings())
def test_lines_and_messages_do_not_count(now: list[Finding]) -> None:
    moved = [
        replace(f, found=replace(f.found, message="other", span=replace(f.found.span, line=f.found.span.line + 7, column=9))) for f in now
    ]
    assert [f.fingerprint for f in fingerprints(moved)] == [f.fingerprint for f in now]
