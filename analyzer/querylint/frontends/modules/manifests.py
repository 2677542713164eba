"""What the JSON manifests of a project say about imports: tsconfig.json, jsconfig.json and package.json."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property

from querylint.construction import dataclass
from querylint.pattern import Pattern

CONFIG_NAMES = ("tsconfig.json", "jsconfig.json")
DEEPEST = 10
_COMMENT = Pattern(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_TRAILING = Pattern(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)


def read_json(source: bytes | None) -> object:
    """JSON as people write it, with comments and trailing commas; None where it cannot be read."""
    if source is None:
        return None
    text = source.decode("utf-8-sig", "replace")
    text = _COMMENT.sub(lambda m: m[1] or " ", text)
    text = _TRAILING.sub(lambda m: m[1] or "", text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def join(folder: str, relative: str) -> str | None:
    """A path relative to a folder of the project, both with forward slashes; None where it leaves the project."""
    if relative.startswith("/"):
        return None
    path = posixpath.normpath(posixpath.join(folder, relative))
    if path == ".." or path.startswith("../"):
        return None
    return "" if path == "." else path


def folders_above(path: str) -> Iterator[str]:
    """The folder of a path and those above it, nearest first; the project root is the empty one."""
    while path:
        path = path.rpartition("/")[0]
        yield path


@dataclass(frozen=True, slots=True)
class PathMap:
    """How one tsconfig maps specifiers: `base` is the folder of `baseUrl`; a pattern is text before the star, text after it
    (None without a star) and the project paths that it may mean, with their own star."""

    base: str | None
    patterns: tuple[tuple[str, str | None, tuple[str, ...]], ...]

    def targets(self, specifier: str) -> Iterator[str]:
        """The project paths that a specifier may mean, best first."""
        matches: list[tuple[int, str, tuple[str, ...]]] = []
        for before, after, targets in self.patterns:
            if after is None:
                if specifier == before:
                    matches.append((len(before) + 1_000, "", targets))
            elif len(specifier) >= len(before) + len(after) and specifier.startswith(before) and specifier.endswith(after):
                matches.append((len(before), specifier[len(before) : len(specifier) - len(after)], targets))
        for _, middle, targets in sorted(matches, key=lambda match: -match[0]):
            for target in targets:
                yield target.replace("*", middle, 1)
        if self.base is not None:
            bare = join(self.base, specifier)
            if bare is not None:
                yield bare


class Manifests:
    """The manifests of one project, each read when first asked for."""

    def __init__(self, files: frozenset[str], read: Callable[[str], bytes | None]) -> None:
        self._files = files
        self._read = read
        # Where the caller lists the manifests among its files, nothing else need be tried on the disk.
        self._listed = any(path.endswith(".json") for path in files)
        self._json: dict[str, object] = {}
        self._maps: dict[str, tuple[PathMap, ...]] = {}

    def json(self, path: str) -> object:
        """One JSON file; None where it is missing or cannot be read."""
        if path not in self._json:
            missing = self._listed and path not in self._files
            self._json[path] = None if missing else read_json(self._read(path))
        return self._json[path]

    def asked(self) -> Collection[str]:
        """Those of the files that were asked for so far; that others are not there, the list of all files says."""
        return [path for path, found in self._json.items() if found is not None or path in self._files]

    def record(self, path: str) -> Mapping[str, object]:
        """One JSON file that should hold an object; empty where it does not."""
        found = self.json(path)
        return found if isinstance(found, dict) else {}

    def maps(self, folder: str) -> tuple[PathMap, ...]:
        """The path maps that govern a folder, nearest first."""
        if folder not in self._maps:
            own: list[PathMap] = []
            for name in CONFIG_NAMES:
                path = f"{folder}/{name}" if folder else name
                if isinstance(self.json(path), dict):
                    own += self._maps_of(path)
                    break
            above = self.maps(folder.rpartition("/")[0]) if folder else ()
            self._maps[folder] = (*own, *above)
        return self._maps[folder]

    def package(self, folder: str) -> str | None:
        """The nearest folder, from this one upward, that holds a package.json."""
        for above in (folder, *folders_above(folder)):
            if isinstance(self.json(f"{above}/package.json" if above else "package.json"), dict):
                return above
        return None

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file of the project, at any depth."""
        nearest = {path.rpartition("/")[0] for path in self._files}
        return frozenset(nearest.union(*map(folders_above, nearest)))

    @cached_property
    def packages(self) -> Mapping[str, str]:
        """The folders of the project's own packages, by name."""
        found: dict[str, str] = {}
        for folder in sorted(self.folders):
            name = self.record(f"{folder}/package.json" if folder else "package.json").get("name")
            if isinstance(name, str) and name:
                found.setdefault(name, folder)
        return found

    def _maps_of(self, path: str) -> list[PathMap]:
        """The map of one tsconfig and, as build tools split them, those of its references."""
        found = [self._map(path)]
        references = self.record(path).get("references")
        for reference in references if isinstance(references, list) else ():
            where = reference.get("path") if isinstance(reference, dict) else None
            target = join(posixpath.dirname(path), where) if isinstance(where, str) else None
            if target is not None:
                found.append(self._map(target if target.endswith(".json") else posixpath.join(target, "tsconfig.json")))
        return [one for one in found if one.base is not None or one.patterns]

    def _map(self, path: str) -> PathMap:
        leaf = posixpath.dirname(path)
        base: str | None = None
        paths: Mapping[object, object] | None = None
        paths_from = leaf
        for where in self._chain(path, set()):
            options = self.record(where).get("compilerOptions")
            if not isinstance(options, dict):
                continue
            folder = posixpath.dirname(where)
            url = options.get("baseUrl")
            if base is None and isinstance(url, str):
                base = _expand(url, folder, leaf)
            mapped = options.get("paths")
            if paths is None and isinstance(mapped, dict):
                paths, paths_from = mapped, folder
        patterns = []
        for pattern, targets in (paths or {}).items():
            if not isinstance(pattern, str) or not isinstance(targets, list):
                continue
            start = base if base is not None else paths_from
            resolved = (_expand(target, start, leaf) for target in targets if isinstance(target, str))
            before, star, after = pattern.partition("*")
            patterns.append((before, after if star else None, tuple(target for target in resolved if target is not None)))
        return PathMap(base, tuple(patterns))

    def _chain(self, path: str, seen: set[str]) -> Iterator[str]:
        """A tsconfig and what it extends, the nearest word first; of several, a later one overrides an earlier one."""
        if path in seen or len(seen) > DEEPEST:
            return
        seen.add(path)
        yield path
        extends = self.record(path).get("extends")
        parents: list[object] = extends if isinstance(extends, list) else [extends]
        for parent in reversed(parents):
            if not isinstance(parent, str) or not parent.startswith("."):
                continue
            target = join(posixpath.dirname(path), parent)
            if target is None:
                continue
            if not isinstance(self.json(target), dict):
                target = f"{target}.json"
            yield from self._chain(target, seen)


def _expand(target: str, folder: str, leaf: str) -> str | None:
    if target.startswith("${configDir}"):
        return join(leaf, target.removeprefix("${configDir}").lstrip("/") or ".")
    return join(folder, target)
