"""Findings as diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lsprotocol import types

from querylint.construction import dataclass
from querylint.lsp.analysis import Seen
from querylint.remedy import DropIndex
from querylint.report.wording import advice, details, message, only_a_hint, rule_url
from querylint.rule import Finding, Severity
from querylint.text import Span

SOURCE = "querylint"

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the client can do, of what matters here. `diagnostics_in_hover`: it says so itself, since the protocol has no word for it."""

    encoding: str = types.PositionEncodingKind.Utf16
    related: bool = False
    links: bool = False
    tags: bool = False
    versioned: bool = False
    markdown: bool = False
    creating: bool = False
    diagnostics_in_hover: bool = False

    @classmethod
    def of(cls, client: types.ClientCapabilities, encoding: str, options: object = None) -> Abilities:
        """What a client says of itself, by its capabilities and by the options of its own that it starts the server with."""
        documents = client.text_document
        shown = documents and (documents.publish_diagnostics or documents.diagnostic)
        edits = client.workspace and client.workspace.workspace_edit
        hover = (documents and documents.hover and documents.hover.content_format) or ()
        return cls(
            encoding,
            bool(shown and shown.related_information),
            bool(shown and shown.code_description_support),
            bool(shown and shown.tag_support and types.DiagnosticTag.Unnecessary in shown.tag_support.value_set),
            bool(edits and edits.document_changes),
            types.MarkupKind.Markdown in hover,
            # Neovim makes files, and says so, without a word of changes by document, which is where the protocol has them.
            bool(edits and types.ResourceOperationKind.Create in (edits.resource_operations or ())),
            isinstance(options, Mapping) and options.get("diagnosticsInHover") is True,
        )


@dataclass(frozen=True, slots=True)
class Diagnoses:
    """Turns what was seen in one project into diagnostics; `uri` names a file for the client."""

    seen: Seen
    abilities: Abilities
    uri: Callable[[str], str]

    def of(self, path: str) -> list[types.Diagnostic]:
        """What there is to say about one file."""
        return [self.diagnostic(finding) for finding in self.seen.of(path)]

    def diagnostic(self, finding: Finding) -> types.Diagnostic:
        """One finding. Where the client does not show the way to it apart, the message tells it."""
        found = finding.found
        shown = self.abilities.related
        lines = [*(f"help: {text}" for text in advice(found)), *only_a_hint(found)] if shown else details(finding)
        related = [
            types.DiagnosticRelatedInformation(types.Location(self.uri(point.span.path), place), point.text)
            for point in dict.fromkeys(found.trail)
            if (place := self.place(point.span)) is not None
        ]
        return types.Diagnostic(
            self.place(found.span) or types.Range(types.Position(0, 0), types.Position(0, 0)),
            "\n".join([message(finding), *lines]),
            _SEVERITIES[finding.severity],
            finding.rule,
            types.CodeDescription(rule_url(finding.rule)) if self.abilities.links and finding.rule in self.seen.rules else None,
            SOURCE,
            [types.DiagnosticTag.Unnecessary] if self.abilities.tags and isinstance(found.remedy, DropIndex) else None,
            related if shown and related else None,
        )

    def place(self, span: Span) -> types.Range | None:
        """A span as the client counts it; None for a file whose text is not known."""
        text = self.seen.texts.get(span.path)
        return None if text is None else text.range(span)
