"""Which files are about Convex: by where they lie, by their words, or because others name them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

from querylint.frontends.convex.roots import ConvexRoot, is_function_module
from querylint.frontends.convex.texts import Text
from querylint.ir import Role


def first_wave(
    files: Sequence[str],
    root: Callable[[str], ConvexRoot | None],
    role: Callable[[str], Role],
    read: Callable[[str], bytes | None],
    text: Callable[[str], Text],
    let_go: Callable[[str], None],
) -> list[str]:
    """The files that are lowered whatever others call. `let_go` is told of those outside of functions folders that are not about Convex.

    What Convex itself passes over (`posts.old.ts`) counts where some file names it, to import it or to export what it holds.
    """

    def stands_aside(path: str) -> bool:
        home = root(path)
        return home is not None and path != home.schema and not is_function_module(path, home) and role(path) is not Role.TEST

    unnamed = {path: posixpath.splitext(posixpath.basename(path))[0].encode() for path in files if stands_aside(path)}
    outside: set[str] = set()
    for path in files:
        source = (read(path) or b"") if unnamed else b""
        for other in [other for other, stem in unnamed.items() if stem in source and other != path]:
            del unnamed[other]
        if root(path) is None:
            if role(path) is not Role.TEST and text(path).relevant():
                outside.add(path)
            else:
                let_go(path)

    def wanted(path: str) -> bool:
        home = root(path)
        if home is None:
            return path in outside
        return role(path) is not Role.TEST and path != home.schema and path not in unnamed

    return [path for path in files if wanted(path)]
