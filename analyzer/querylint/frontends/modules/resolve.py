"""Which file of the project an import means."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from querylint.frontends.modules.manifests import Manifests, folders_above, join
from querylint.pattern import Pattern

SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_SOURCES_OF = {".js": (".ts", ".tsx"), ".jsx": (".tsx", ".ts"), ".mjs": (".mts",), ".cjs": (".cts",)}
_BUILT = Pattern(r"^(?:\./)?(?:dist|build|lib|out|esm|cjs|module|types|\.output)(?:/(?:esm|cjs|types|src|module|commonjs|node))?/")
_GENERATED = Pattern(r"(?:^|/)_generated/([^/]+?)(?:\.d)?(?:\.[cm]?[jt]s)?$")
# A project's own `convex/server.ts` must not stand in for the package, nor source code for what front ends know by name.
_PACKAGE = Pattern(
    r"^(?:convex/(?:server|values|browser|nextjs|react|react-clerk|react-auth0|react-internal)(?:\.js)?|convex-(?:helpers|ents)(?:/.*)?)$"
)
ALIASES = ("@/", "~/", "#/", "$lib/", "@convex/", "~convex/", "$convex/", "convex/")


def generated_name(specifier: str) -> str | None:
    """`_generated/server` and the like for a specifier of Convex's generated code, however it is reached."""
    found = _GENERATED.search(specifier)
    return f"_generated/{found[1]}" if found else None


class Resolver:
    """Imports to files, for one project."""

    def __init__(self, files: frozenset[str], read: Callable[[str], bytes | None]) -> None:
        self._files = files
        self.manifests = Manifests(files, read)
        self._found: dict[tuple[str, str], str | None] = {}

    def resolve(self, importer: str, specifier: str) -> str | None:
        """The project path of an import; None for packages, generated code, and what is not code."""
        key = (posixpath.dirname(importer), specifier)
        if key not in self._found:
            found = None
            if specifier and generated_name(specifier) is None and not _PACKAGE.match(specifier):
                bases = self._bases(importer, specifier.partition("?")[0])
                found = next((path for base in bases if (path := self._file(base)) is not None), None)
            self._found[key] = found
        return self._found[key]

    def generated_folder(self, importer: str, specifier: str) -> str | None:
        """The functions folder whose `_generated` an import names, where the project has code below it."""
        if generated_name(specifier) is None:
            return None
        for base in self._bases(importer, specifier):
            folder = base.rpartition("_generated/")[0].rstrip("/")
            if folder in self.manifests.folders:
                return folder
        return None

    def _bases(self, importer: str, specifier: str) -> Iterator[str]:
        """The paths, with or without a suffix, that a specifier may mean, best first."""
        folder = posixpath.dirname(importer)
        if specifier in (".", "..") or specifier.startswith(("./", "../")):
            target = join(folder, specifier)
            if target is not None:
                yield target
            return
        for mapped in self.manifests.maps(folder):
            yield from mapped.targets(specifier)
        if specifier.startswith("#"):
            yield from self._subpath_imports(folder, specifier)
        yield from self._own_package(specifier)
        yield from self._aliased(folder, specifier)

    def _subpath_imports(self, folder: str, specifier: str) -> Iterator[str]:
        package = self.manifests.package(folder)
        if package is not None:
            imports = self.manifests.record(posixpath.join(package, "package.json")).get("imports")
            for target in _matches(imports, specifier):
                yield from self._sources(package, target)

    def _own_package(self, specifier: str) -> Iterator[str]:
        parts = specifier.split("/")
        size = 2 if specifier.startswith("@") else 1
        name, rest = "/".join(parts[:size]), "/".join(parts[size:])
        package = self.manifests.packages.get(name)
        if package is None:
            return
        manifest = self.manifests.record(posixpath.join(package, "package.json"))
        exports = manifest.get("exports")
        if isinstance(exports, str | list) or (isinstance(exports, dict) and not any(_text(key).startswith(".") for key in exports)):
            exports = {".": exports}
        for target in _matches(exports, f"./{rest}" if rest else "."):
            yield from self._sources(package, target)
        if not rest:
            for key in ("source", "types", "typings", "module", "main"):
                named = manifest.get(key)
                if isinstance(named, str):
                    yield from self._sources(package, named)
        for guess in (rest, f"src/{rest}") if rest else ("src", ""):
            yield posixpath.join(package, guess).rstrip("/")

    def _sources(self, package: str, target: str) -> Iterator[str]:
        """What a manifest names, then the source that it may have been built from."""
        direct = join(package, target)
        if direct is not None:
            yield direct
        if _BUILT.match(target):
            inner = _bare(_BUILT.sub("", target))
            for start in ("src/", ""):
                source = join(package, start + inner)
                if source is not None:
                    yield source

    def _aliased(self, folder: str, specifier: str) -> Iterator[str]:
        """The aliases that everybody uses, whether or not a manifest that we can read says so."""
        alias = next((alias for alias in ALIASES if specifier.startswith(alias)), None)
        if alias is None:
            return
        rest = specifier.removeprefix(alias)
        inner = {"$lib/": ("src/lib/",)}.get(alias, ("convex/", "src/convex/") if "convex" in alias else ("", "src/"))
        nearest = self.manifests.package(folder)
        for above in (folder, *folders_above(folder)):
            if nearest is None or above == nearest or not above or nearest.startswith(above + "/"):
                for start in inner:
                    target = join(above, start + rest)
                    if target is not None:
                        yield target

    def _file(self, base: str) -> str | None:
        """The file that a path without certain suffix means, as TypeScript and bundlers look for it."""
        files = self._files
        stem, suffix = posixpath.splitext(base)
        for source in _SOURCES_OF.get(suffix, ()):
            if stem + source in files:
                return stem + source
        if suffix in SUFFIXES and base in files:
            return base
        for tail in SUFFIXES:
            if base + tail in files:
                return base + tail
        index = f"{base}/index" if base else "index"
        return next((index + tail for tail in SUFFIXES if index + tail in files), None)


def _matches(mapping: object, key: str) -> Iterator[str]:
    """The targets that an `exports` or `imports` field of a package.json has for a key, the longest pattern first."""
    if not isinstance(mapping, dict):
        return
    if key in mapping:
        yield from _leaves(mapping[key], 0)
        return
    patterns = sorted((pattern for pattern in mapping if isinstance(pattern, str) and "*" in pattern), key=len, reverse=True)
    for pattern in patterns:
        before, _, after = pattern.partition("*")
        if key.startswith(before) and key.endswith(after) and len(key) >= len(before) + len(after):
            middle = key[len(before) : len(key) - len(after)]
            for target in _leaves(mapping[pattern], 0):
                yield target.replace("*", middle, 1)


def _leaves(target: object, depth: int) -> Iterator[str]:
    """Every file that a conditional target may mean."""
    if isinstance(target, str):
        yield target
    elif depth < 10:
        inner = target.values() if isinstance(target, dict) else target if isinstance(target, list) else ()
        for one in inner:
            yield from _leaves(one, depth + 1)


def _bare(path: str) -> str:
    return re.sub(r"(?:\.d)?\.[cm]?[jt]sx?$", "", path)


def _text(key: object) -> str:
    return key if isinstance(key, str) else ""
