"""Which function a call reaches, by the names of files and functions, and by the routes that remote callers use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from querylint.ir import Target, TargetKind
from querylint.ir.outline import Outline


class Routes:
    """All functions of a project by key, and those that remote callers reach by root and route."""

    def __init__(self, outlines: Iterable[Outline], aliases: Mapping[tuple[str, str], str]) -> None:
        self.keys: set[str] = set()
        own: dict[tuple[str, str], str] = {}
        for outline in outlines:
            self.keys.update(outline.keys)
            own |= {(root, route): key for root, route, key in outline.routes}
        self._routes = dict(aliases) | own
        self._roots: dict[str, list[str]] = {}
        for (_, route), key in self._routes.items():
            self._roots.setdefault(route, []).append(key)

    def callee(self, target: Target) -> str | None:
        """The key of the function that is called, if it is known."""
        if target.kind is TargetKind.FUNCTION:
            key = f"{target.module}::{target.name}"
            return key if key in self.keys else None
        return self.remote(target.module, target.name) if target.kind is TargetKind.ROUTE else None

    def remote(self, root: str, route: str) -> str | None:
        """The key of the function that a route leads to: that of the root, or the only one of that route."""
        key = self._routes.get((root, route), "")
        if key in self.keys:
            return key
        others = self._roots.get(route, [])
        return others[0] if len(others) == 1 else None
