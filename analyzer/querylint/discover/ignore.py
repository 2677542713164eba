"""Ignore files as git reads them, compiled once and asked entry by entry.

A walk asks about one entry of one folder at a time and never enters what is ignored, so a pattern has to match the entry itself and
nothing below it. Libraries that match whole paths answer another question (`*` and `!*/` together lose every folder there), and
importing one costs more than the walk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field

from querylint.construction import dataclass
from querylint.pattern import Pattern

_GLOB = re.compile(r"[*?\[\\]")
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9", "graph": r"\x21-\x7e",
    "lower": "a-z", "print": r"\x20-\x7e", "punct": r"!-/:-@\[-`{-~", "space": r"\s", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Matcher:
    """Patterns of one kind: plain names, plain paths, and globs over either."""

    names: frozenset[str]
    paths: frozenset[str]
    name_glob: Pattern[str] | None
    path_glob: Pattern[str] | None

    def hit(self, path: str, name: str) -> bool:
        if name in self.names or path in self.paths:
            return True
        if self.name_glob is not None and self.name_glob.fullmatch(name):
            return True
        return self.path_glob is not None and self.path_glob.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class _Layer:
    """Neighboring patterns of one polarity; among them the order does not matter."""

    negated: bool
    files: _Matcher
    folders: _Matcher


@dataclass(frozen=True, slots=True)
class Patterns:
    """One ignore file. `any` holds all its patterns, whatever they say; `cut` is how much of a path leads to its folder."""

    layers: tuple[_Layer, ...]
    any: _Layer
    cut: int = 0

    def verdict(self, path: str, name: str, folder: bool) -> bool | None:
        """True for ignored, False for expressly not ignored, None for not mentioned; the last pattern that matches decides."""
        path = path[self.cut :]
        if not (self.any.folders if folder else self.any.files).hit(path, name):
            return None
        for layer in self.layers:
            if (layer.folders if folder else layer.files).hit(path, name):
                return not layer.negated
        return None


Chain = tuple[Patterns, ...]
"""Ignore files that have a say in a folder, the nearest first."""


def ignored(chain: Chain, path: str, name: str, folder: bool) -> bool:
    """Whether an entry is ignored; the nearest file that mentions it decides."""
    for patterns in chain:
        verdict = patterns.verdict(path, name, folder)
        if verdict is not None:
            return verdict
    return False


def compile_lines(lines: Iterable[str], cut: int = 0) -> Patterns:
    """The patterns of an ignore file, or of a list of globs in the same language."""
    drafts: list[_Draft] = []
    every = _Draft(negated=False)
    for line in lines:
        text = _trimmed(line)
        if not text or text.startswith("#"):
            continue
        negated = text.startswith("!")
        if not drafts or drafts[-1].negated != negated:
            drafts.append(_Draft(negated))
        for draft in (drafts[-1], every):
            draft.add(text.removeprefix("!"))
    return Patterns(tuple(draft.finished() for draft in reversed(drafts)), every.finished(), cut)


def compile_text(data: bytes, cut: int = 0) -> Patterns:
    """The patterns of an ignore file's content."""
    return compile_lines(data.decode("utf-8-sig", "surrogateescape").split("\n"), cut)


@dataclass(slots=True)
class _Kind:
    """Patterns while they are collected."""

    names: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    name_globs: list[str] = field(default_factory=list)
    path_globs: list[str] = field(default_factory=list)

    def matcher(self, other: _Kind | None = None) -> _Matcher:
        kinds = (self, other) if other else (self,)
        return _Matcher(
            frozenset(name for kind in kinds for name in kind.names),
            frozenset(path for kind in kinds for path in kind.paths),
            _any(glob for kind in kinds for glob in kind.name_globs),
            _any(glob for kind in kinds for glob in kind.path_globs),
        )


@dataclass(slots=True)
class _Draft:
    negated: bool
    both: _Kind = field(default_factory=_Kind)
    folders: _Kind = field(default_factory=_Kind)

    def add(self, pattern: str) -> None:
        kind = self.both
        if pattern.endswith("/"):
            kind, pattern = self.folders, pattern[:-1]
        by_path = "/" in pattern
        pattern = pattern.removeprefix("/")
        if not pattern:
            return
        if not _GLOB.search(pattern):
            (kind.paths if by_path else kind.names).add(pattern)
        elif (regex := _translated(pattern, by_path)) is not None:
            (kind.path_globs if by_path else kind.name_globs).append(regex)

    def finished(self) -> _Layer:
        return _Layer(self.negated, self.both.matcher(), self.both.matcher(self.folders))


def _any(regexes: Iterable[str]) -> Pattern[str] | None:
    joined = "|".join(regexes)
    return Pattern(joined, re.DOTALL) if joined else None


def _trimmed(line: str) -> str:
    """A line without its line end and trailing spaces; a backslash keeps one space."""
    line = line.removesuffix("\r")
    bare = line.rstrip(" ")
    slashes = len(bare) - len(bare.rstrip("\\"))
    return f"{bare} " if slashes % 2 and bare != line else bare


def _translated(glob: str, by_path: bool) -> str | None:
    """A glob as a regular expression; None where git says that it never matches."""
    out: list[str] = []
    at, end = 0, len(glob)
    while at < end:
        char = glob[at]
        if char == "*":
            after = at
            while after < end and glob[after] == "*":
                after += 1
            free = by_path and after - at > 1 and (at == 0 or glob[at - 1] == "/")
            if free and after == end:
                out.append(".+")
            elif free and glob[after] == "/":
                out.append("(?:.*/)?")
                after += 1
            else:
                out.append("[^/]*")
            at = after
        elif char == "?":
            out.append("[^/]")
            at += 1
        elif char == "[":
            charset = _charset(glob, at + 1)
            if charset is None:
                return None
            regex, at = charset
            out.append(regex)
        elif char == "\\":
            if at + 1 == end:
                return None
            out.append(re.escape(glob[at + 1]))
            at += 2
        else:
            out.append(re.escape(char))
            at += 1
    return "".join(out)


def _charset(glob: str, at: int) -> tuple[str, int] | None:
    """A bracket expression from behind its opening bracket, and where it ends; None if it never ends."""
    negated = glob[at : at + 1] in ("!", "^")
    at += negated
    pieces: list[str] = []
    first = True
    while first or glob[at : at + 1] != "]":
        first = False
        if glob.startswith("[:", at) and (close := glob.find(":]", at)) > 0:
            if (known := _CLASSES.get(glob[at + 2 : close])) is None:
                return None
            pieces.append(known)
            at = close + 2
            continue
        low, at = _char(glob, at)
        if not low:
            return None
        if glob[at : at + 1] == "-" and glob[at + 1 : at + 2] not in ("]", ""):
            high, at = _char(glob, at + 1)
            if not high:
                return None
            if low <= high:
                pieces.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            pieces.append(re.escape(low))
    inside = "".join(pieces)
    if negated:
        return f"[^/{inside}]", at + 1
    return (f"(?!/)[{inside}]" if inside else "(?!)"), at + 1


def _char(glob: str, at: int) -> tuple[str, int]:
    """One character of a bracket expression, and where the next one is; nothing at the end of the glob."""
    if glob[at : at + 1] == "\\":
        at += 1
    return glob[at : at + 1], at + 1
