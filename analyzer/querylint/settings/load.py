"""Find the settings file, check all of it, and lay the command line over it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from querylint.construction import dataclass
from querylint.errors import SettingsError
from querylint.result import Note, NoteKind
from querylint.rule import Severity
from querylint.settings.check import Checker
from querylint.settings.quoting import brief
from querylint.settings.values import Settings

_OWN = "querylint.toml"
_SHARED = "pyproject.toml"
_TABLE = ("tool", "querylint")
_SENTENCE = 200
"""Characters of what the parser says, which repeats names as long as they are."""
_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class _File:
    """A settings file: its table, where in the file that table is, and the file's text."""

    path: Path
    name: str
    text: str
    table: Mapping[str, Any]
    at: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def load(
    root: Path,
    explicit: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    *,
    rule_names: Collection[str] = (),
    patterns: Collection[str] = (),
) -> Settings:
    """The settings for a root.

    They come from the file that was named, or from the nearest folder upward that has `querylint.toml` or a `[tool.querylint]` in its
    `pyproject.toml`, but from no folder above the repository. `overrides` come from the command line, spelled as in the file, and
    replace the file's value key by key; None means not given. Rules selected there run even if the file ignores them.
    """
    file = _named(explicit, root) if explicit is not None else _nearest(root)
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    checker = Checker(frozenset(rule_names), frozenset(patterns))
    settings = Settings()
    if file is not None:
        values = checker.file(file.table, file.name, file.text, file.at)
        settings = replace(settings, origin=file.path, prefix=_prefix(file.path.parent, root), notes=file.notes, **values)
        if file.path.parent.resolve() == root.resolve():  # a file further up may speak of other projects
            settings = replace(settings, named=tuple(checker.named))
    values = checker.options(given)
    if checker.mistakes:
        raise SettingsError("\n".join(checker.mistakes))
    where = {**checker.places, **dict.fromkeys(given, "the command line")}
    return replace(_chosen(settings, values), **values, given=where)


def _chosen(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings of the file, with no word against the rules that the command line asks for by name."""
    asked = (values.get("select") or frozenset()) | values.get("extend_select", frozenset())
    severity: dict[str, Severity | None] = {
        name: chosen for name, chosen in settings.severity.items() if chosen is not None or name not in asked
    }
    return replace(settings, ignore=settings.ignore - asked, severity=severity)


def _named(path: Path, root: Path) -> _File:
    name = _shown(path, root)
    if not path.is_file():
        raise SettingsError(f"the settings file `{path}` does not exist")
    if path.name != _SHARED:
        text = _text(path, name)
        return _File(path, name, text, _parsed(text, name))
    file = _shared(path, root)
    if file is None:
        raise SettingsError(f"{name}: there is no [tool.querylint] in this file")
    return file


def _nearest(root: Path) -> _File | None:
    for folder in (root, *root.parents):
        own = folder / _OWN
        shared = _shared(folder / _SHARED, root)
        if own.is_file():
            name = _shown(own, root)
            text = _text(own, name)
            notes = () if shared is None else (_both(name, shared.name),)
            return _File(own, name, text, _parsed(text, name), notes=notes)
        if shared is not None:
            return shared
        if (folder / ".git").exists():
            return None
    return None


def _shared(path: Path, root: Path) -> _File | None:
    """The settings in a `pyproject.toml`; a file that does not speak of us is not ours to judge."""
    name = _shown(path, root)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if b"querylint" not in data:
        return None
    text = _decoded(data, name)
    tool = _parsed(text, name).get("tool")
    table = tool.get("querylint") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise SettingsError(f"{name}: `tool.querylint` must be a table")
    return _File(path, name, text, table, _TABLE)


def _both(own: str, shared: str) -> Note:
    return Note(NoteKind.HINT, f"`{own}` is used and [tool.querylint] in `{shared}` is not; keep one of them", shared)


def _text(path: Path, name: str) -> str:
    try:
        return _decoded(path.read_bytes(), name)
    except OSError as error:
        raise SettingsError(f"{name}: the file cannot be read ({(error.strerror or str(error)).lower()})") from None


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{name}:{line}: the file is not valid UTF-8") from None


def _parsed(text: str, name: str) -> dict[str, Any]:
    import tomllib  # most projects have no settings to parse

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _LINE.search(message)
        line = int(place[1]) if place else text.count("\n") + 1
        sentence = message[: place.start()] if place else message.removesuffix(" (at end of document)")
        raise SettingsError(f"{name}:{line}: this is not TOML: {sentence[:1].lower()}{brief(sentence[1:], _SENTENCE)}") from None
    except RecursionError:
        raise SettingsError(f"{name}: this cannot be read: its lists or tables are nested too deeply") from None
    except ValueError:  # of the interpreter, that turns no endless text into a number
        raise SettingsError(f"{name}: this cannot be read: a number in it has too many digits") from None


def _shown(path: Path, root: Path) -> str:
    try:
        return os.path.relpath(path, root).replace(os.sep, "/")
    except ValueError:
        return path.name


def _prefix(folder: Path, root: Path) -> str:
    """The way from the folder of the settings to the root; empty where the settings lie elsewhere."""
    try:
        path = root.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return ""
    return "" if path == "." else path
