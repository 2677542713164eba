"""Where the project begins, and which part of it the user named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from querylint.construction import dataclass
from querylint.errors import PathError

_STRONG = (".git", "convex.json", "querylint.toml")
_WEAK = ("package.json", "pyproject.toml", "tsconfig.json", "setup.py", "manage.py")
_CODE = frozenset(("ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"))
_SCHEMAS = frozenset(f"schema.{suffix}" for suffix in _CODE)

MARKERS = frozenset((*_STRONG, *_WEAK, *_SCHEMAS, "_generated", "convex", "pyproject.toml", ".gitignore"))
"""The names by which a folder is known to be a project, or a part of one."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The root that is analysed, and what the user named below it, relative and with forward slashes; no targets mean everything."""

    root: Path
    targets: tuple[str, ...] = ()


def locate(paths: Sequence[Path] = ()) -> Scope:
    """The project that the paths belong to; without paths, that of the current directory."""
    named = [_existing(path) for path in paths or (Path.cwd(),)]
    root = _common([_root(path) for path in named])
    targets = sorted({path.relative_to(root).as_posix() for path in named})
    return Scope(root, () if "." in targets else tuple(targets))


def within(path: str, targets: Sequence[str]) -> bool:
    """Whether a path is one of the targets or lies below one."""
    return not targets or any(not target or path == target or path.startswith(f"{target}/") for target in targets)


def lead(root: Path) -> str:
    """What leads from the top of the repository that a root lies in to the root: empty, or a path with a slash at its end."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    way = root.relative_to(top).as_posix()
    return "" if way == "." else f"{way}/"


def _existing(path: Path) -> Path:
    try:
        real = path.resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError):
        raise PathError(f"`{path}` does not exist") from None
    except (OSError, RuntimeError) as error:
        raise PathError(f"`{path}` cannot be read ({_reason(error)})") from None
    if not real.is_dir() and not real.is_file():
        raise PathError(f"`{path}` is neither a file nor a folder")
    return real


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or "it is a circle of links").lower()


def _root(path: Path) -> Path:
    """The root for one path: the folder itself where it looks like a project, else the nearest project around it."""
    start = path if path.is_dir() else path.parent
    return _around(start, named=path == start) or start


def _around(start: Path, *, named: bool) -> Path | None:
    """The nearest project folder at or above a folder.

    The functions of Convex are never a project of their own, whatever lies in their folder: their callers are outside it. The home
    directory counts only when it was named, since a stray `package.json` there would turn everything below it into one project.
    """
    found: Path | None = None
    inner: Path | None = None
    for folder in (start, *start.parents):
        if _too_wide(folder) and not (named and folder == start):
            break
        names = _names(folder)
        if any(name in names for name in _STRONG):
            return found or folder
        if _holds_functions(folder, names):
            inner, found = found or inner, None
        elif found is None and (any(name in names for name in _WEAK) or _has_convex(folder, names)):
            found = folder
    return found or inner


def _holds_functions(folder: Path, names: frozenset[str]) -> bool:
    if "_generated" in names:
        return True
    return not _SCHEMAS.isdisjoint(names) and (folder.name == "convex" or "package.json" not in names)


def _has_convex(folder: Path, names: frozenset[str]) -> bool:
    """Whether a folder of functions lies in a folder: not one that is full of other things."""
    if "convex" not in names or not (folder / "convex").is_dir():
        return False
    inside = _names(folder / "convex")
    return not inside or "_generated" in inside or any(name.rpartition(".")[2] in _CODE for name in inside)


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def _common(roots: list[Path]) -> Path:
    """The root that holds them all."""
    first = roots[0]
    if all(root == first for root in roots):
        return first
    try:
        shared = Path(os.path.commonpath(roots))
    except ValueError:
        shared = Path(first.anchor)
    if shared in roots:
        return shared
    if _too_wide(shared):
        apart = next(root for root in roots if root != first)
        raise PathError(f"`{first}` and `{apart}` do not belong to one project; check each separately")
    return _around(shared, named=False) or shared


def _too_wide(folder: Path) -> bool:
    """Whether a folder holds everything that the user has: a root there would be read for minutes."""
    try:
        home = Path.home().resolve()
    except (OSError, RuntimeError):
        return folder == Path(folder.anchor)
    return folder == home or folder in home.parents
