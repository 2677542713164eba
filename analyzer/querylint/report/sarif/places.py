"""Files, regions and links of the log: relative URIs, columns in UTF-16 units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from urllib.parse import quote

from querylint.report.columns import utf16_column
from querylint.report.json import Json
from querylint.report.sarif.line_hash import line_hashes_at
from querylint.text import LineIndex, Span

ROOT = "%SRCROOT%"
CONTEXT_LINES = 2
MOST_SNIPPET = 2000
"""Longer text, as in minified files, is left out."""


@dataclass(frozen=True)
class Places:
    """The files that a log refers to, and the text of those that are known; only these are listed as artifacts.

    `lead` leads from the top of the repository, which the log's paths are relative to, to the root of the project.
    """

    paths: tuple[str, ...]
    sources: Mapping[str, LineIndex]
    snippets: bool = True
    context: bool = True
    lead: str = ""

    @cached_property
    def _indexes(self) -> dict[str, int]:
        return {path: index for index, path in enumerate(path for path in self.paths if path in self.sources)}

    def artifacts(self) -> list[Json]:
        """The files whose text is known, each with its hash."""
        return [self._artifact(path) for path in self._indexes]

    def file(self, path: str) -> dict[str, Json]:
        """A reference to a file."""
        listed = {"index": self._indexes[path]} if path in self._indexes else {}
        return {"uri": uri(self.lead + path), "uriBaseId": ROOT, **listed}

    def physical(self, span: Span) -> dict[str, Json]:
        """A place on the way to a finding."""
        return {"artifactLocation": self.file(span.path), "region": self._region(span)}

    def primary(self, span: Span) -> dict[str, Json]:
        """The place of a finding, with its text and the lines around it as far as the size of the log allows."""
        place = self.physical(span)
        source = self.sources.get(span.path)
        if source is None or not self.snippets:
            return place
        text = source.text(span.start, span.end)
        if not 0 < len(text) <= MOST_SNIPPET:
            return place
        place["region"] = {**self._region(span), "snippet": {"text": text}}
        if self.context:
            first = max(1, span.line - CONTEXT_LINES)
            last = min(source.position(len(source.source.rstrip(b"\r\n")))[0], span.end_line + CONTEXT_LINES)
            around = "\n".join(source.line(number) for number in range(first, last + 1))
            if len(around) <= 2 * MOST_SNIPPET:
                place["contextRegion"] = {"startLine": first, "endLine": last, "snippet": {"text": around}}
        return place

    def line_hashes(self, spans: Iterable[Span]) -> dict[tuple[str, int], str]:
        """GitHub's line hash of each path and line."""
        wanted: dict[str, set[int]] = {}
        for span in spans:
            wanted.setdefault(span.path, set()).add(span.line)
        hashes = {}
        for path, lines in wanted.items():
            if source := self.sources.get(path):
                text = source.source.decode("utf-8", "replace")
                hashes.update({(path, line): value for line, value in line_hashes_at(text, lines).items()})
        return hashes

    def _region(self, span: Span) -> dict[str, Json]:
        return {
            "startLine": span.line,
            "startColumn": self._column(span.path, span.line, span.column),
            "endLine": span.end_line,
            "endColumn": self._column(span.path, span.end_line, span.end_column),
        }

    def _column(self, path: str, line: int, column: int) -> int:
        source = self.sources.get(path)
        return utf16_column(source.line(line), column) if source else column

    def _artifact(self, path: str) -> Json:
        data = self.sources[path].source
        return {
            "location": {"uri": uri(self.lead + path), "uriBaseId": ROOT},
            "length": len(data),
            "hashes": {"sha-256": sha256(data).hexdigest()},
        }


def uri(path: str) -> str:
    """A relative path as a URI reference; a colon in its first segment is no scheme."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")
