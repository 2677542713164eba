"""Which findings of two looks at a project are about the same thing, and where one was in the first of them."""

from __future__ import annotations

from collections.abc import Mapping

from querylint.engine import Project
from querylint.result import Result
from querylint.rewrite.lines import line_before
from querylint.rule import Finding
from querylint.text import Span

Identity = tuple[str, str, str, str, str, tuple[str, ...]]


def identity(finding: Finding) -> Identity:
    """What a finding is about, without its place: its twins in the same function count together."""
    found = finding.found
    return finding.rule, found.span.path, found.function, found.operation, found.table or "", tuple(sorted(found.fields))


def text_of(result: Result, finding: Finding) -> str:
    """The code that a finding is about, without its white space."""
    span = finding.found.span
    source = result.sources.get(span.path)
    return "".join(source.text(span.start, span.end).split()) if source is not None else ""


class Places:
    """Where findings were before anything was edited. `disk` is the project as it was then, `first` what was found in it."""

    def __init__(self, disk: Project, first: Result) -> None:
        self._disk = disk
        self._spans: dict[tuple[Identity, str], list[Span]] = {}
        for finding in first.findings:
            self._spans.setdefault((identity(finding), text_of(first, finding)), []).append(finding.found.span)

    def of(self, finding: Finding, now: Result, edited: Mapping[str, bytes]) -> tuple[int, int]:
        """Line and column of a finding of the edited files: those of the nearest that was about the same code, else what has become of
        its line.
        """
        span = finding.found.span
        after, before = edited.get(span.path), self._disk.read(span.path)
        line = line_before(before, after, span.line) if after is not None and before is not None else span.line
        twins = self._spans.get((identity(finding), text_of(now, finding)), [])
        was = min(twins, key=lambda twin: abs(twin.line - line), default=None)
        return (was.line, was.column) if was is not None else (line, span.column)
