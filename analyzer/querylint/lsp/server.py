"""The language server: what the client says, and what it is told."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import blake2b
from threading import Event

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from querylint import __version__
from querylint.errors import QuerylintError
from querylint.filters import BASELINE_FILE
from querylint.lsp.actions import Actions, wanted
from querylint.lsp.analysis import Buffer, Overtaken, Seen, look
from querylint.lsp.diagnostics import SOURCE, Abilities, Diagnoses
from querylint.lsp.folders import Folder, Folders, path_of
from querylint.lsp.hover import hover
from querylint.lsp.pace import Pace
from querylint.result import NoteKind

TYPING = 0.3
"""How long the typing has to pause before the project is analyzed, in seconds."""

OPENING = 0.05
"""The same for what comes at once: opened files, saved settings."""

SETTINGS_FILES = ("querylint.toml", "pyproject.toml", BASELINE_FILE, ".gitignore")
SOURCES = "**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs,py,sql,html,jinja,jinja2,j2}"
WATCHED = (SOURCES, *(f"**/{name}" for name in ("package.json", "convex.json", *SETTINGS_FILES)))


def serve() -> None:
    """Serve one client over standard input and output, until it leaves."""
    session = Session()
    try:
        session.server.start_io()
    finally:
        session.end()


class Session:
    """One client. All of it runs on the event loop but `look`, which has a thread of its own."""

    def __init__(self) -> None:
        # Whole texts are asked for, since the library counts lines otherwise than the protocol where a text has form feeds.
        self.server = LanguageServer("querylint", __version__, types.TextDocumentSyncKind.Full)
        self.folders = Folders()
        self.abilities = Abilities()
        self.pulled = False
        self.pace = Pace(self._analyze)
        self.worker = ThreadPoolExecutor(1, "querylint")
        self.told: dict[str, str] = {}
        self._register()

    def _register(self) -> None:
        feature = self.server.feature  # it marks what it is given, and a method bears no mark: hence `partial`
        feature(types.INITIALIZE)(partial(self.initialize))
        feature(types.INITIALIZED)(partial(self.initialized))
        feature(types.SHUTDOWN)(partial(self.shutdown))
        feature(types.TEXT_DOCUMENT_DID_OPEN)(partial(self.opened))
        feature(types.TEXT_DOCUMENT_DID_CHANGE)(partial(self.changed))
        feature(types.TEXT_DOCUMENT_DID_SAVE)(partial(self.saved))
        feature(types.TEXT_DOCUMENT_DID_CLOSE)(partial(self.closed))
        feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)(partial(self.watched))
        feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(partial(self.regrouped))
        feature(types.TEXT_DOCUMENT_HOVER)(partial(self.hover))
        actions = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
        feature(types.TEXT_DOCUMENT_CODE_ACTION, actions)(partial(self.actions))

    def initialize(self, params: types.InitializeParams) -> None:
        """Learn what the client can do and which folders it has open.

        A client that pulls diagnostics and can be told to pull again gets none pushed, or it would show each twice.
        """
        client = params.capabilities
        encoding = self.server.workspace.position_encoding or types.PositionEncodingKind.Utf16
        self.abilities = Abilities.of(client, encoding, params.initialization_options)
        refresh = client.workspace and client.workspace.diagnostics and client.workspace.diagnostics.refresh_support
        self.pulled = bool(client.text_document and client.text_document.diagnostic and refresh)
        if self.pulled:
            options = types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier=SOURCE)
            self.server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)(partial(self.pull))
        opened = [folder.uri for folder in params.workspace_folders or ()] or [uri for uri in (self.server.workspace.root_uri,) if uri]
        self.folders = Folders(opened)

    def initialized(self, params: types.InitializedParams) -> None:
        """Ask to hear of files that change on the disk."""
        self._complain()
        workspace = self.server.client_capabilities.workspace
        if workspace and workspace.did_change_watched_files and workspace.did_change_watched_files.dynamic_registration:
            options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(glob) for glob in WATCHED])
            registration = types.Registration("querylint-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            self.server.client_register_capability(types.RegistrationParams([registration]))

    def shutdown(self, params: None) -> None:
        """The client leaves."""
        self.end()

    def end(self) -> None:
        """Let go of what still runs, whether the client has said goodbye or is simply gone."""
        self.pace.stop()
        self.worker.shutdown(wait=False, cancel_futures=True)

    def opened(self, params: types.DidOpenTextDocumentParams) -> None:
        """A file was opened."""
        self.pace.nudge(OPENING)

    def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        """A buffer was edited."""
        self.pace.nudge(TYPING)

    def saved(self, params: types.DidSaveTextDocumentParams) -> None:
        """A file was saved. The text of a buffer is known already; settings count as they are on the disk."""
        if params.text_document.uri.rpartition("/")[2] in SETTINGS_FILES:
            self.pace.nudge(OPENING)

    def closed(self, params: types.DidCloseTextDocumentParams) -> None:
        """A file was closed: nothing is shown for it, and its text is that on the disk again."""
        uri = params.text_document.uri
        if self.told.pop(uri, None) is not None and not self.pulled:
            self.server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        self.pace.nudge(OPENING)

    def watched(self, params: types.DidChangeWatchedFilesParams) -> None:
        """Files changed on the disk. What is open is known from its buffer."""
        documents = self._documents()
        if any(c.uri not in documents or c.uri.rpartition("/")[2] in SETTINGS_FILES for c in params.changes):
            self.pace.nudge(TYPING)

    def regrouped(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        """Folders came or went."""
        for gone in params.event.removed:
            self.folders.remove(gone.uri)
        for come in params.event.added:
            self.folders.add(come.uri)
        self._complain()
        self.pace.nudge(OPENING)

    async def pull(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        """What there is to say about a file, as soon as it is known."""
        await self.pace.settled()
        uri = params.text_document.uri
        items = self._diagnostics(uri)
        identity = self.told[uri] = _identity(items)
        if identity == params.previous_result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(identity)
        return types.RelatedFullDocumentDiagnosticReport(items, result_id=identity)

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        """What is found at a position, told at length: at once where the text is the one that was looked at."""
        uri = params.text_document.uri
        place = self._place(uri)
        document = self._documents().get(uri)
        if place is None or document is None or place[0].seen.versions.get(place[1]) != document.version:
            await self.pace.settled()
            place = self._place(uri)
        return hover(place[0], place[1], params.position) if place else None

    async def actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """What can be done about what is found there."""
        if not wanted(params.context.only):
            return []
        await self.pace.settled()
        place = self._place(params.text_document.uri)
        return Actions(place[0]).at(place[1], params.range) if place else []

    async def _analyze(self, overtaken: Event) -> None:
        """Look and tell. Nothing that goes wrong here ends the session."""
        try:
            await self._look_and_tell(overtaken)
        except Exception:
            self._log(f"this is a bug in querylint; please report it\n{traceback.format_exc()}")

    async def _look_and_tell(self, overtaken: Event) -> None:
        """Look at every project that has an open file, and tell the client."""
        loop = asyncio.get_running_loop()
        for folder, buffers in self._buffers():
            try:
                seen = await loop.run_in_executor(self.worker, _look, folder, buffers, self.abilities.encoding, overtaken)
            except QuerylintError as error:
                self._once(folder, str(error))
                continue
            if seen is None or overtaken.is_set():
                return
            folder.seen, folder.complaint = seen, ""
            for note in seen.notes:
                if note.kind is NoteKind.BUG:
                    self._log(note.message)
        self._tell()

    def _documents(self) -> dict[str, TextDocument]:
        """The open documents by the URIs that the client has given them; the library keeps them by unquoted ones."""
        return {document.uri: document for document in self.server.workspace.text_documents.values()}

    def _buffers(self) -> list[tuple[Folder, dict[str, Buffer]]]:
        """The open files of each project."""
        found: dict[int, tuple[Folder, dict[str, Buffer]]] = {}
        for uri, document in self._documents().items():
            path = path_of(uri)
            folder = self.folders.holding(path) if path is not None else None
            if path is None or folder is None:
                continue
            name = folder.relative(path)
            if name is not None:
                data = document.source.encode("utf-8", "replace")
                found.setdefault(id(folder), (folder, {}))[1][name] = Buffer(data, document.version)
        return list(found.values())

    def _tell(self) -> None:
        stale = False
        for uri, document in self._documents().items():
            items = self._diagnostics(uri)
            identity = _identity(items)
            if self.pulled:
                stale = stale or self.told.get(uri, identity) != identity
            elif self.told.get(uri) != identity:
                self.told[uri] = identity
                self.server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, items, document.version))
        if stale:
            self.server.workspace_diagnostic_refresh(None)

    def _diagnostics(self, uri: str) -> list[types.Diagnostic]:
        place = self._place(uri)
        return place[0].of(place[1]) if place else []

    def _place(self, uri: str) -> tuple[Diagnoses, str] | None:
        """What is known of the project of a file, and the name of the file in it; None for files outside."""
        path = path_of(uri)
        folder = self.folders.holding(path) if path is not None else None
        if path is None or folder is None or folder.seen is None:
            return None
        name = folder.relative(path)
        return None if name is None else (Diagnoses(folder.seen, self.abilities, self._namer(folder)), name)

    def _namer(self, folder: Folder) -> Callable[[str], str]:
        """What the client calls files: open ones as it has called them itself."""
        names = {path_of(uri): uri for uri in self._documents()}
        return lambda path: names.get(folder.root / path) or folder.uri(path)

    def _complain(self) -> None:
        for mistake in self.folders.mistakes:
            self._show(mistake)
        self.folders.mistakes.clear()

    def _once(self, folder: Folder, complaint: str) -> None:
        """Say what is wrong with the settings; what was seen before stays until it is mended."""
        if complaint != folder.complaint:
            folder.complaint = complaint
            self._show(complaint)

    def _show(self, sentence: str) -> None:
        self.server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"querylint: {sentence}"))

    def _log(self, sentence: str) -> None:
        self.server.window_log_message(types.LogMessageParams(types.MessageType.Error, f"querylint: {sentence}"))


def _look(folder: Folder, buffers: dict[str, Buffer], encoding: str, overtaken: Event) -> Seen | None:
    """One look, on the thread of the worker; None where it was broken off."""
    try:
        return look(folder.root, buffers, encoding, overtaken, folder.remembered)
    except Overtaken:
        return None


def _identity(items: list[types.Diagnostic]) -> str:
    return blake2b(repr(items).encode("utf-8", "replace"), digest_size=12).hexdigest()
