"""An editor for tests: the client of pytest-lsp with the abilities of real ones, over the pipes of a server of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import attrs
from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

from git_project import environment

PUSHED = ("neovim@v0.11.0", "visual_studio_code", "emacs")
PULLED = "pulling"
PROFILES = (*PUSHED, PULLED)
PATIENCE = 30.0


def abilities(profile: str) -> types.ClientCapabilities:
    """What a recorded editor says of itself; `pulling` is Visual Studio Code as it is today."""
    if profile != PULLED:
        return client_capabilities(profile)
    able = client_capabilities("visual_studio_code")
    assert able.text_document is not None
    assert able.workspace is not None
    pull = types.DiagnosticClientCapabilities(related_document_support=False, related_information=True, code_description_support=True)
    return attrs.evolve(
        able,
        text_document=attrs.evolve(able.text_document, diagnostic=pull),
        workspace=attrs.evolve(able.workspace, diagnostics=types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)),
    )


class Editor:
    """An editor with a folder open."""

    started: types.InitializeResult

    def __init__(self, client: LanguageClient, folder: Path, pulling: bool) -> None:
        self.client = client
        self.folder = folder
        self.pulling = pulling
        self.versions: dict[str, int] = {}
        self.watched: list[str] = []

    def watch(self, params: types.RegistrationParams) -> None:
        for registration in params.registrations:
            self.watched += [watcher["globPattern"] for watcher in registration.register_options["watchers"]]

    def written(self, path: str) -> None:
        event = types.FileEvent(self.uri(path), types.FileChangeType.Changed)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    def uri(self, path: str) -> str:
        return (self.folder / path).as_uri()

    def path(self, uri: str) -> str:
        """What a file of the folder is called in it."""
        assert uri.startswith(f"{self.folder.as_uri()}/"), uri
        return unquote(uri.removeprefix(f"{self.folder.as_uri()}/"))

    def document(self, path: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(path))

    def open(self, path: str, text: str | None = None) -> None:
        said = (self.folder / path).read_bytes().decode() if text is None else text
        self.versions[path] = 1
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(self.uri(path), "any", 1, said)))

    def type(self, path: str, text: str) -> None:
        self.versions[path] += 1
        named = types.VersionedTextDocumentIdentifier(self.versions[path], self.uri(path))
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(named, [change]))

    def save(self, path: str) -> None:
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(self.document(path)))

    def close(self, path: str) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.document(path)))

    async def shown(self, path: str, wanted: list[str]) -> list[types.Diagnostic]:
        """The diagnostics of a file, once they are those of these rules."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            if self.pulling:
                items = await self.pull(path)
            else:
                items = list(self.client.diagnostics.get(self.uri(path), ()))
            if sorted(str(item.code) for item in items) == wanted and (self.pulling or self.uri(path) in self.client.diagnostics):
                return items
            assert asyncio.get_running_loop().time() < deadline, items
            await asyncio.sleep(0.05)

    async def pull(self, path: str) -> list[types.Diagnostic]:
        answer = await self.client.text_document_diagnostic_async(types.DocumentDiagnosticParams(self.document(path)))
        assert isinstance(answer, types.RelatedFullDocumentDiagnosticReport)
        return list(answer.items)

    async def hover(self, path: str, position: types.Position) -> types.Hover | None:
        return await self.client.text_document_hover_async(types.HoverParams(self.document(path), position))

    async def actions(self, path: str, place: types.Range, only: list[str] | None = None) -> list[types.CodeAction]:
        context = types.CodeActionContext([], only)
        answer = await self.client.text_document_code_action_async(types.CodeActionParams(self.document(path), place, context))
        return [action for action in answer or () if isinstance(action, types.CodeAction)]

    async def messages(self, number: int) -> list[str]:
        """What the server had to say to the person, once it was so much."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while len(self.client.messages) < number:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.05)
        return [message.message for message in self.client.messages]


@asynccontextmanager
async def opened(folder: Path, profile: str, *, root: bool = True, options: object = None) -> AsyncIterator[Editor]:
    client = make_test_lsp_client()
    await client.start_io(sys.executable, "-m", "querylint", "lsp", "--stdio", cwd=str(folder), env=environment())
    uri = folder.as_uri() if root else None
    folders = [types.WorkspaceFolder(uri, folder.name)] if uri else None
    editor = Editor(client, folder, profile == PULLED)
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(partial(editor.watch))
    asked = types.InitializeParams(abilities(profile), root_uri=uri, workspace_folders=folders, initialization_options=options)
    editor.started = await client.initialize_session(asked)
    yield editor
    await client.shutdown_session()
    await client.stop()


def session(folder: Path, profile: str, script: Callable[[Editor], Awaitable[Any]], *, root: bool = True, options: object = None) -> None:
    """Carry out a script in an editor of a profile."""

    async def whole() -> None:
        async with opened(folder, profile, root=root, options=options) as editor:
            await script(editor)

    asyncio.run(asyncio.wait_for(whole(), 120))
