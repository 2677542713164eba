"""Where the templates of a project lie, and which file a name stands for."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection

from querylint.frontends.templates.relevance import Relevance
from querylint.frontends.templates.replays import Replays
from querylint.syntax.templates import READERS, Dialect, Page, dialect_of
from querylint.text import LineIndex, Span

FOLDERS = frozenset(("templates", "jinja2"))
# The usual language of a project shows in a few of its files.
SAMPLE = 30


class PageLines(LineIndex):
    """The lines of a template, which many views render: the same places are asked for again and again."""

    __slots__ = ("_spans",)

    def __init__(self, path: str, source: bytes) -> None:
        super().__init__(path, source)
        self._spans: dict[tuple[int, int], Span] = {}

    def span(self, start: int, end: int) -> Span:
        """The span between two byte offsets, the same one each time."""
        found = self._spans.get((start, end))
        if found is None:
            found = self._spans[start, end] = super().span(start, end)
        return found


class Templates:
    """The templates of a project, each read once.

    A name is looked up below every folder that frameworks look into (`templates` and `jinja2`, of the project and of its packages), then
    as the end of any path. Of several files of one name the one nearest to who asks is taken, as each package comes with its own.
    """

    def __init__(self, files: Collection[str], read: Callable[[str], bytes | None]) -> None:
        self.read = read
        self.relevance = Relevance()
        self.replays = Replays()
        self.files = [f for f in files if not f.endswith((".py", ".pyi"))]
        self._named: dict[str, list[str]] | None = None
        self._last: dict[str, list[str]] = {}
        self._pages: dict[str, Page | None] = {}
        self._lines: dict[str, LineIndex] = {}
        self._usual: Dialect | None = None
        self._sampled = False

    # Names.

    def find(self, name: str, near: str) -> str | None:
        """The file that a name stands for; `near` is the file that names it."""
        named = self._index()
        package, colon, rest = name.partition(":")
        if colon:
            return self._nearest(self._ending(f"{package.replace('.', '/')}/{rest}"), near)
        if name.startswith(("./", "../")):
            name = self._relative(name, near)
        name = posixpath.normpath(name.lstrip("/"))
        found = named.get(name) or self._beside(name, near) or self._ending(name)
        return self._nearest(found, near)

    def _index(self) -> dict[str, list[str]]:
        if self._named is None:
            self._named = {}
            for path in self.files:
                parts = path.split("/")
                self._last.setdefault(parts[-1], []).append(path)
                for number, part in enumerate(parts[:-1], 1):
                    if part in FOLDERS:
                        self._named.setdefault("/".join(parts[number:]), []).append(path)
        return self._named

    def _ending(self, end: str) -> list[str]:
        """The files whose path ends so."""
        self._index()
        return [path for path in self._last.get(end.rpartition("/")[2], ()) if path == end or path.endswith(f"/{end}")]

    def _beside(self, name: str, near: str) -> list[str]:
        path = posixpath.join(posixpath.dirname(near), name)
        return [path] if path in self._last.get(name.rpartition("/")[2], ()) else []

    def _relative(self, name: str, near: str) -> str:
        """`./row.html` and `../row.html` start from the folder of the template that says so."""
        parts = near.split("/")
        last = max((n for n, part in enumerate(parts[:-1]) if part in FOLDERS), default=-1)
        return posixpath.normpath(posixpath.join("/".join(parts[last + 1 : -1]), name))

    def _nearest(self, found: list[str], near: str) -> str | None:
        return min(found, key=lambda path: (-_shared(path, near), path.count("/"), path)) if found else None

    # Pages.

    def page(self, path: str) -> Page | None:
        """A template read into the tree; None where there is no such file."""
        if path not in self._pages:
            source = self.read(path)
            self._pages[path] = None
            if source is not None:
                self._lines[path] = PageLines(path, source)
                self._pages[path] = READERS[dialect_of(path, source, self._usually())](path, source)
        return self._pages[path]

    def is_page(self, path: str) -> bool:
        """Whether a path is that of a template that was read."""
        return path in self._pages

    def lines(self, path: str) -> LineIndex:
        """The lines of a template that was read."""
        return self._lines[path]

    def seen(self) -> list[Page]:
        """The templates that were read so far."""
        return [page for page in self._pages.values() if page is not None]

    def _usually(self) -> Dialect | None:
        """The language that most templates of the project are written in."""
        if not self._sampled:
            self._sampled = True
            self._index()
            those = sorted({path for found in (self._named or {}).values() for path in found})
            counts: dict[Dialect, int] = {}
            for path in those[:: max(1, len(those) // SAMPLE)]:
                source = self.read(path)
                if source is not None and b"{%" in source:
                    dialect = dialect_of(path, source)
                    counts[dialect] = counts.get(dialect, 0) + 1
            self._usual = max(counts, key=lambda d: counts[d]) if counts else None
        return self._usual


def _shared(path: str, near: str) -> int:
    """How many folders two paths have in common, from the root on."""
    count = 0
    for mine, other in zip(path.split("/")[:-1], near.split("/")[:-1], strict=False):
        if mine != other:
            break
        count += 1
    return count
