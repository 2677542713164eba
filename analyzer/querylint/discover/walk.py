"""One walk over the project: which files there are to read, and what was passed over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from querylint.cache.entry import Filter
from querylint.construction import dataclass, replace
from querylint.discover.ignore import Chain, Patterns, compile_lines, compile_text, ignored
from querylint.discover.scope import Scope, within
from querylint.result import Note, NoteKind

_SUFFIXES = frozenset({"ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "py", "pyi", "sql"})
_TEMPLATES = frozenset({"html", "htm", "djhtml", "jinja", "jinja2", "j2"})
# Templates of mails and feeds bear the endings of what they make; their folder tells them.
_TEMPLATES_OF_FOLDERS = frozenset({"txt", "ltxt", "xml", "md", "mjml", "eml", "rss", "svg", "csv"})
_TEMPLATE_FOLDERS = frozenset({"templates", "jinja2"})
_CONFIGS = frozenset({"convex.json", "package.json", "jsconfig.json"})
_VENDORED = (".d.ts", ".d.mts", ".d.cts", ".min.js", ".min.mjs", ".min.cjs", ".bundle.js")
_GENERATED = "_generated"
_SKIPPED = frozenset({
    ".git", ".hg", ".svn", ".jj", "node_modules", "bower_components", "jspm_packages", ".yarn", ".pnpm-store", _GENERATED,
    ".venv", "venv", "site-packages", "__pypackages__", ".tox", ".nox", ".eggs", ".direnv",
    "dist", "build", "out", "coverage", "htmlcov", ".next", ".nuxt", ".svelte-kit", ".output", ".turbo", ".vercel", ".netlify", ".wrangler",
    ".expo", ".angular", ".astro", ".docusaurus", ".vinxi", ".tanstack", ".serverless", ".terraform", ".parcel-cache", ".cache",
    "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache", ".ipynb_checkpoints",
    ".querylint_cache",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Discovery:
    """What the walk found, all relative to the root, with forward slashes and sorted.

    `files` are sources and the configuration that front ends need, `folders` those that were walked (the root is the empty string),
    `generated` the folders that hold a `_generated` folder, which itself is never read, `environments` the folders that were passed over
    because of what lies in them, `idle` the excluding globs that left out nothing, `links` the files that are links.
    """

    root: Path
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    environments: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def discover(scope: Scope, excludes: Sequence[str] = (), force_exclude: bool = True, prefix: str = "") -> Discovery:
    """List the files of a project.

    What git ignores, what `excludes` match and what is built, installed or generated is left out. What the user named is listed though
    git ignores it, and though `excludes` match it unless `force_exclude` says otherwise. `prefix` leads from the folder that the
    globs are relative to (that of the settings file) to the root.
    """
    walk = _Walk(scope, compile_lines(excludes), force_exclude, f"{prefix}/" if prefix else "")
    walk.run()
    idle = tuple(glob for glob in excludes if not glob.startswith("!") and not walk.hit(glob))
    return replace(walk.finished(), idle=idle) if idle else walk.finished()


def counting() -> Filter:
    """The names that make a difference to a walk, in whichever folder."""
    suffixes = _SUFFIXES | _TEMPLATES | _TEMPLATES_OF_FOLDERS | {"json"}
    return Filter(suffixes, frozenset({".git", ".gitignore", "pyvenv.cfg"}), _SKIPPED - {".git", _GENERATED})


class _Way(IntEnum):
    """How a folder is walked: in full; or only toward what was named below it, because it is ignored, or because nobody wrote it."""

    OPEN = 0
    IGNORED = 1
    SKIPPED = 2


class _Walk:
    def __init__(self, scope: Scope, excludes: Patterns, force: bool, prefix: str) -> None:
        self.scope = scope
        self.excludes = excludes
        self.force = force
        self.prefix = prefix
        self.targets = frozenset(target for target in scope.targets if target)
        self.ways = frozenset(way for target in self.targets for way in _toward(target))
        self.files: list[str] = []
        self.folders: list[str] = []
        self.generated: list[str] = []
        self.links: list[str] = []
        self.passed: list[str] = []
        self.left_out: list[tuple[str, str, bool]] = []
        self.notes: list[Note] = []
        self.environments: list[str] = []
        self.lead, self.outer = _outer(scope.root)

    def run(self) -> None:
        todo: list[tuple[str, Chain, _Way]] = [("", self.outer, _Way.OPEN)]
        while todo:
            folder, chain, way = todo.pop()
            entries = self.listing(folder)
            names = {entry.name for entry in entries}
            if _installed(folder, names) and folder not in self.ways:
                self.environments.append(folder)
                continue
            self.folders.append(folder)
            if folder and ".git" in names:
                chain = ()
            if ".gitignore" in names:
                chain = (*self.patterns(folder), *chain)
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_symlink():
                    self.link(entry.name, path, chain, way)
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name == _GENERATED and way is _Way.OPEN:
                        self.generated.append(folder)
                    below = self.enter(entry.name, path, chain, way)
                    if below is not None:
                        todo.append((path, chain, below))
                elif self.wanted(entry.name, path, chain, way) and entry.is_file(follow_symlinks=False):
                    self.files.append(path)

    def listing(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(os.path.join(self.scope.root, folder)) as entries:
                listed = list(entries)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            self.notes.append(Note(NoteKind.READ, f"the folder cannot be read ({reason})", folder or "."))
            return []
        if all(entry.name.isascii() for entry in listed):
            return listed
        printable = [entry for entry in listed if _printable(entry.name)]
        if len(printable) < len(listed):
            self.notes.append(Note(NoteKind.READ, "names in this folder are not valid UTF-8; they are skipped", folder or "."))
        return printable

    def patterns(self, folder: str) -> Chain:
        """The ignore file of a folder; none where it cannot be read."""
        try:
            with open(os.path.join(self.scope.root, folder, ".gitignore"), "rb") as file:
                return (compile_text(file.read(), len(self.lead) + (len(folder) + 1 if folder else 0)),)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            self.notes.append(
                Note(NoteKind.READ, f"the ignore file cannot be read ({reason})", f"{folder}/.gitignore" if folder else ".gitignore")
            )
            return ()

    def enter(self, name: str, path: str, chain: Chain, way: _Way) -> _Way | None:
        """How to walk a folder; None for not at all."""
        named = path in self.ways
        if (way is not _Way.OPEN and not named) or name == ".git":
            return None
        excluded = self.excluded(path, name, True)
        if excluded and (self.force or not named):
            return None
        if path in self.targets:
            return _Way.OPEN
        if name in _SKIPPED:
            return _Way.SKIPPED if named else None
        if excluded or ignored(chain, self.lead + path, name, True):
            return max(way, _Way.IGNORED) if named else None
        return way

    def wanted(self, name: str, path: str, chain: Chain, way: _Way) -> bool:
        """Whether a file is listed, going by its name."""
        named = path in self.targets
        if not readable(path) or (way is not _Way.OPEN and not named):
            return False
        if self.excluded(path, name, False) and (self.force or not named):
            return False
        if way is _Way.SKIPPED or name.endswith(_VENDORED):
            if named:
                self.passed.append(path)
            return False
        return named or not ignored(chain, self.lead + path, name, False)

    def excluded(self, path: str, name: str, folder: bool) -> bool:
        out = bool(self.excludes.layers) and self.excludes.verdict(self.prefix + path, name, folder) is True
        if out:
            self.left_out.append((self.prefix + path, name, folder))
        return out

    def hit(self, glob: str) -> bool:
        """Whether a glob alone leaves out something; of folders that are never read, nobody says it does not."""
        one = compile_lines((glob,))
        return not _SKIPPED.isdisjoint(glob.split("/")) or any(one.verdict(*left) for left in self.left_out)

    def link(self, name: str, path: str, chain: Chain, way: _Way) -> None:
        """Remember a link that may stand for a file.

        Links to folders are never followed: what lies inside the root is walked by its own name, and circles end.
        """
        if self.wanted(name, path, chain, way):
            self.links.append(path)

    def finished(self) -> Discovery:
        root = str(self.scope.root)
        listed = set(self.files)
        links: list[str] = []
        for link in sorted(self.links):
            real = _inside(root, link)
            if real is not None and real not in listed:
                listed.add(real)
                links.append(link)
        self.files += links
        self.files.sort()
        self.explain()
        return Discovery(
            self.scope.root, tuple(self.files), tuple(sorted(self.folders)), tuple(sorted(self.generated)),
            tuple(sorted(self.notes, key=lambda note: (note.path, note.message))), tuple(sorted(self.environments)),
            links=tuple(links),
        )  # fmt: skip

    def explain(self) -> None:
        """Say why nothing is said about what was named."""
        if self.passed:
            first, many = min(self.passed), len(self.passed)
            others = f" (of the files that were named, {many} are)" if many > 1 else ""
            self.notes.append(Note(NoteKind.HINT, f"this file is generated, built or vendored and is not read{others}", first))
        for target in self.targets - set(self.files) - set(self.passed):
            if os.path.isdir(os.path.join(self.scope.root, target)):
                if not any(within(file, (target,)) for file in self.files):
                    self.notes.append(Note(NoteKind.HINT, "this folder holds nothing to read, or is excluded", target))
            elif not readable(target):
                self.notes.append(
                    Note(NoteKind.HINT, "this file is neither TypeScript, JavaScript, Python, SQL nor a template and is not read", target)
                )


def _installed(folder: str, names: set[str]) -> bool:
    """Whether a folder is an environment of Python, or where `pip install --target` has put packages, which names each beside it."""
    return "pyvenv.cfg" in names or (folder != "" and any(name.endswith(".dist-info") for name in names))


def _toward(target: str) -> list[str]:
    """A target and the folders that lead to it."""
    parts = target.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def readable(path: str) -> bool:
    """Whether a file is of a kind that some front end reads, going by its path."""
    *folders, name = path.split("/")
    suffix = name.rpartition(".")[2]
    return (
        suffix in _SUFFIXES
        or ".sql." in name  # one script for each database: full.sql.postgres
        or name in _CONFIGS
        or (name.startswith("tsconfig") and name.endswith(".json"))
        or suffix in _TEMPLATES
        or (suffix in _TEMPLATES_OF_FOLDERS and not _TEMPLATE_FOLDERS.isdisjoint(folders))
    )


def source(path: str) -> bool:
    """Whether a readable file holds code, not only settings of a project."""
    name = path.rpartition("/")[2]
    return name not in _CONFIGS and not (name.startswith("tsconfig") and name.endswith(".json"))


def _printable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _inside(root: str, link: str) -> str | None:
    """What a link stands for, relative to the root; None where it leads outside, to no file, or to what is never read."""
    base = os.path.realpath(root)
    real = os.path.realpath(os.path.join(root, link))
    if not real.startswith(os.path.join(base, "")) or not os.path.isfile(real):
        return None
    path = os.path.relpath(real, base).replace(os.sep, "/")
    return None if any(part in _SKIPPED for part in path.split("/")) else path


def _outer(root: Path) -> tuple[str, Chain]:
    """The path from the top of the repository to the root, and the ignore files on it that have a say below the root."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return "", ()
    chain = _file(top / ".git" / "info" / "exclude", 0)
    parts = root.relative_to(top).parts
    cut = 0
    for count, part in enumerate(parts, 1):
        chain = (*_file(top.joinpath(*parts[: count - 1]) / ".gitignore", cut), *chain)
        path = "/".join(parts[:count])
        if ignored(chain, path, part, True):
            # The user chose a root that its repository ignores; what ignores it cannot decide about what it holds.
            return f"{'/'.join(parts)}/", ()
        cut = len(path) + 1
    return ("/".join(parts) + "/" if parts else ""), chain


def _file(path: Path, cut: int) -> Chain:
    try:
        return (compile_text(path.read_bytes(), cut),)
    except OSError:
        return ()
