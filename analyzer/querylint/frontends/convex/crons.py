"""Crons: which files may register them. The platform asks `crons.ts` of a functions folder alone; what others register starts nothing."""

from __future__ import annotations

import re
from collections.abc import Collection

from querylint.frontends.convex.roots import ConvexRoot, root_of, route_of
from querylint.frontends.modules import Modules
from querylint.pattern import Pattern

MODULE = "crons"
MOST_FILES = 50
MADE = Pattern(rb"(?<![\w.])cronJobs\s*\(\s*\)")
# Parentheses, and where others may stand that are none: in texts and comments.
TOKENS = Pattern(rb"""[()]|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|//[^\n]*|/\*.*?\*/""", re.DOTALL)
REGISTERED = Pattern(rb"\.\s*(?:interval|cron|hourly|daily|weekly|monthly)\s*\(")


def registers(source: bytes) -> bool:
    """Whether a file makes a table of crons."""
    return b"cronJobs" in source and MADE.search(source) is not None


def run(path: str, files: Collection[str], root: ConvexRoot | None, modules: Modules) -> bool:
    """Whether the crons of a file run: the platform asks that file, or one that it asks imports or hands on what stands there."""
    if root is None or route_of(path, root) == MODULE:
        return root is not None
    asked = [p for p in files if p.startswith(root.folder) and root_of(p, (root,)) is root and route_of(p, root) == MODULE]
    seen: set[str] = set()
    while asked and len(seen) < MOST_FILES:
        here = asked.pop()
        seen.add(here)
        asked += [p for p in _named(here, modules) if p not in seen]
    return path in seen or bool(asked)


def _named(path: str, modules: Modules) -> list[str]:
    """The files that a module imports, or exports from."""
    module = modules.module(path)
    if module is None:
        return []
    sources = [i.source for i in module.imports if not i.type_only]
    sources += [e.source for e in module.exports if e.source is not None]
    return [p for source in sources if (p := modules.resolve(path, source)) is not None]


def without(source: bytes) -> bytes:
    """A source in which what registers a cron has no arguments."""
    kept: list[bytes] = []
    last = 0
    for call in REGISTERED.finditer(source):
        if call.start() < last:
            continue
        end = _closed(source, call.end())
        if end is None:
            continue
        kept.append(source[last : call.end()])
        last = end
    return b"".join((*kept, source[last:]))


def _closed(source: bytes, at: int) -> int | None:
    """Where the parenthesis that was opened before a place is closed again, if it is."""
    depth = 1
    for token in TOKENS.finditer(source, at):
        depth += {b"(": 1, b")": -1}.get(token.group(), 0)
        if not depth:
            return token.end()
    return None
