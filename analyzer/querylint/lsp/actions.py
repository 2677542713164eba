"""What can be done about a finding at its place: its fix, over all its files, or a comment that silences it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from querylint.construction import dataclass
from querylint.lsp.diagnostics import Diagnoses
from querylint.patch import Fix, NewFile, Safety
from querylint.rule import Finding
from querylint.silencing import comment_for

_KIND = types.CodeActionKind.QuickFix.value


def wanted(only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether the client asks for actions of our kind."""
    return only is None or any(kind == _KIND or _KIND.startswith(f"{kind}.") for kind in map(_value, only))


def _value(kind: types.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


@dataclass(frozen=True, slots=True)
class Actions:
    """Turns findings into actions."""

    diagnoses: Diagnoses

    def at(self, path: str, asked: types.Range) -> list[types.CodeAction]:
        """What can be done about the findings on the lines that are asked about: fixes first, the safe before the others."""
        here = [
            (finding, diagnostic)
            for finding in self.diagnoses.seen.of(path)
            for diagnostic in [self.diagnoses.diagnostic(finding)]
            if diagnostic.range.start.line <= asked.end.line and asked.start.line <= diagnostic.range.end.line
        ]
        fixes = [action for finding, diagnostic in here for action in self._fix(finding, diagnostic)]
        fixes.sort(key=lambda action: not action.is_preferred)
        return [*fixes, *(action for finding, diagnostic in here for action in self._suppression(finding, diagnostic))]

    def _fix(self, finding: Finding, diagnostic: types.Diagnostic) -> Iterator[types.CodeAction]:
        fix = finding.fix
        if fix is None or fix.safety is Safety.DISPLAY:
            return
        edit = self._edits(fix)
        if edit is None:
            return
        safe = fix.safety is Safety.SAFE
        title = fix.title[:1].upper() + fix.title[1:] + ("" if safe else f" (unsafe: {'; '.join(fix.caveats) or 'review the result'})")
        yield types.CodeAction(title, types.CodeActionKind.QuickFix, [diagnostic], safe, edit=edit)

    def _suppression(self, finding: Finding, diagnostic: types.Diagnostic) -> Iterator[types.CodeAction]:
        seen = self.diagnoses.seen
        path = finding.found.span.path
        text = seen.texts.get(path)
        if text is None or finding.rule not in seen.rules:
            return
        reasoned = seen.settings.require_reason
        comment = comment_for([finding.rule], path, text.data, text.offsets(finding.found.span)[0], " -- " if reasoned else "")
        if comment is None:
            return
        at = text.position(comment[0])
        title = f"Suppress {finding.rule} with a comment" + (", then write the reason" if reasoned else "")
        edit = self._workspace_edit({path: [types.TextEdit(types.Range(at, at), comment[1])]})
        yield types.CodeAction(title, types.CodeActionKind.QuickFix, [diagnostic], False, edit=edit)

    def _edits(self, fix: Fix) -> types.WorkspaceEdit | None:
        """The edits of a fix for the client; None where the text of a file is not known, or the client cannot make a new one."""
        if fix.created and not self.diagnoses.abilities.creating:
            return None
        edits: dict[str, list[types.TextEdit]] = {}
        for edit in dict.fromkeys(fix.edits):
            place = self.diagnoses.place(edit.span)
            if place is None:
                return None
            edits.setdefault(edit.span.path, []).append(types.TextEdit(place, self._ended(edit.span.path, edit.text)))
        if not fix.created:
            return self._workspace_edit(edits)
        return types.WorkspaceEdit(document_changes=[*self._by_document(edits), *(c for file in fix.created for c in self._created(file))])

    def _created(self, file: NewFile) -> tuple[types.CreateFile, types.TextDocumentEdit]:
        """A new file, and its text put into it; one that is there by now is not written over.

        The text takes the place of the whole file, empty as it is: where it only came before the end, Neovim would end it twice.
        """
        uri = self.diagnoses.uri(file.path)
        put = types.TextEdit(types.Range(types.Position(0, 0), types.Position(1, 0)), file.text)
        document = types.OptionalVersionedTextDocumentIdentifier(uri, None)
        return types.CreateFile(uri, options=types.CreateFileOptions(overwrite=False)), types.TextDocumentEdit(document, [put])

    def _ended(self, path: str, text: str) -> str:
        """A text with the line ends of the file that it goes into."""
        data = self.diagnoses.seen.texts[path].data
        text = text.replace("\r\n", "\n")
        return text.replace("\n", "\r\n") if 2 * data.count(b"\r\n") > data.count(b"\n") else text

    def _workspace_edit(self, edits: dict[str, list[types.TextEdit]]) -> types.WorkspaceEdit:
        """With the versions that the edits were made for, so that a client refuses those of a text that has changed since."""
        uri = self.diagnoses.uri
        if not self.diagnoses.abilities.versioned:
            return types.WorkspaceEdit({uri(path): changes for path, changes in edits.items()})
        return types.WorkspaceEdit(document_changes=self._by_document(edits))

    def _by_document(self, edits: dict[str, list[types.TextEdit]]) -> list[types.TextDocumentEdit]:
        return [
            types.TextDocumentEdit(
                types.OptionalVersionedTextDocumentIdentifier(self.diagnoses.uri(path), self.diagnoses.seen.texts[path].version),
                list(changes),
            )
            for path, changes in edits.items()
        ]
