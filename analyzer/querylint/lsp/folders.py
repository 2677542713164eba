"""Which projects the client has open, and what their files are called on either side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from urllib.parse import urlsplit

from pygls import uris

from querylint import discover
from querylint.construction import dataclass
from querylint.errors import QuerylintError
from querylint.lsp.analysis import Remembered, Seen


def path_of(uri: str) -> Path | None:
    """The file that a URI names, by its real folder; None for what is no file."""
    if urlsplit(uri).scheme != "file":
        return None
    name = uris.to_fs_path(uri)
    if not name:
        return None
    try:
        path = Path(name)
        return path.parent.resolve() / path.name
    except (OSError, RuntimeError, ValueError):
        return None


@dataclass(slots=True)
class Folder:
    """One project: its root as the analysis names it, the same folder as the client names it, and what was last seen in it.

    `remembered` belongs to the thread that looks.
    """

    root: Path
    named: Path
    seen: Seen | None = None
    complaint: str = ""
    remembered: Remembered = field(default_factory=Remembered)

    def relative(self, path: Path) -> str | None:
        """The name of a file within the project; None for one that lies outside."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else None

    def uri(self, path: str) -> str:
        """What the client calls a file of the project."""
        return uris.from_fs_path(str(self.named / path)) or ""


class Folders:
    """The projects of a session. Without a folder of the client's, a file that is opened brings its project."""

    def __init__(self, opened: Iterable[str] = ()) -> None:
        self.all: list[Folder] = []
        self.mistakes: list[str] = []
        self._given = False
        for uri in opened:
            self._given = True
            self.add(uri)

    def add(self, uri: str) -> None:
        """A folder of the client's. One that holds everything the user has is left alone: it would be read for minutes."""
        path = path_of(uri)
        if path is not None:
            self._locate(path, Path(uris.to_fs_path(uri) or ""))

    def remove(self, uri: str) -> None:
        """Forget a folder of the client's."""
        path = path_of(uri)
        self.all = [folder for folder in self.all if path is None or not path.resolve().is_relative_to(folder.root)]

    def holding(self, path: Path) -> Folder | None:
        """The innermost project that a file lies in."""
        if not self._given and not any(folder.relative(path) for folder in self.all):
            self._locate(path if path.exists() else path.parent)
        return max((f for f in self.all if path.is_relative_to(f.root)), key=lambda f: len(f.root.parts), default=None)

    def _locate(self, path: Path, named: Path | None = None) -> None:
        try:
            root = discover.locate((path,)).root
        except QuerylintError as error:
            self.mistakes.append(str(error))
            return
        home = Path.home().resolve()
        if root == home or root in home.parents:
            self.mistakes.append(f"`{root}` is not analyzed, because it holds more than one project: open the folder of one project")
        elif all(folder.root != root for folder in self.all):
            here = named is not None and root == path.resolve()
            self.all.append(Folder(root, named if here and named is not None else root))
