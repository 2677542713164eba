"""Parts of a project that have nothing to do with one another: each is linked and judged by itself, and is to be judged anew only where
something in it has changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from querylint.construction import dataclass
from querylint.ir.outline import Outline
from querylint.link.routes import Routes


@dataclass(frozen=True, slots=True)
class Island:
    """Files that call one another, or whose functions share a schema, and the roots of these schemas."""

    paths: tuple[str, ...]
    roots: tuple[str, ...]


def islands(outlines: Mapping[str, Outline], schemas: Collection[str], routes: Routes) -> list[Island]:
    """The islands of a project, each in the order of its files.

    Where functions that no schema governs access a database or subscribe to answers, they may mean any, and all is one.
    """
    land = _Land()
    anywhere = ("anywhere", "")
    for root in schemas:
        land.join(("root", root), ("root", root))
    for path, outline in outlines.items():
        here = ("file", path)
        land.join(here, here)
        for root in outline.roots:
            if root in schemas:
                land.join(here, ("root", root))
        if any(root not in schemas for root in (*outline.asking, *outline.watching)):
            land.join(here, anywhere)
        for other in (*outline.modules, *outline.before):
            if other in outlines:
                land.join(here, ("file", other))
        for root, route in outline.remote:
            key = routes.remote(root, route)
            if key is not None:
                land.join(here, ("file", key.partition("::")[0]))
    if anywhere in land:
        for root in schemas:
            land.join(("root", root), anywhere)
    return land.islands(outlines)


class _Land:
    """Things that are joined, two at a time."""

    def __init__(self) -> None:
        self._above: dict[tuple[str, str], tuple[str, str]] = {}

    def __contains__(self, one: tuple[str, str]) -> bool:
        return one in self._above

    def join(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        """Two things are of one island."""
        top = self._top(one)
        self._above[top] = self._top(other)

    def _top(self, one: tuple[str, str]) -> tuple[str, str]:
        above = self._above
        above.setdefault(one, one)
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    def islands(self, paths: Collection[str]) -> list[Island]:
        """Files and roots by the island that they lie on."""
        found: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
        for path in paths:
            found.setdefault(self._top(("file", path)), ([], []))[0].append(path)
        for kind, name in sorted(self._above):
            if kind == "root":
                found.setdefault(self._top((kind, name)), ([], []))[1].append(name)
        return [Island(tuple(files), tuple(roots)) for files, roots in found.values()]
