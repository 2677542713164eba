"""What the settings name and the project does not have: tables and globs that change nothing, each with the nearest thing there is."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from querylint.result import Note, NoteKind
from querylint.settings.quoting import brief
from querylint.settings.values import Settings

TABLES = frozenset(("tables", "ignore-tables"))
GLOBS = "per-file-ignores"
EXCLUDED = "exclude"


def unmatched(
    settings: Settings, tables: Collection[str], files: Collection[str], folders: Collection[str], idle: Collection[str]
) -> list[Note]:
    """A note for each; `idle` are the globs of `exclude` that left nothing out."""
    notes = []
    for named in settings.named:
        name, known = named.name, tables
        if named.key in TABLES:
            if name in tables:
                continue
            problem = f"no table `{brief(name)}` was found"
        else:
            if name not in idle if named.key == EXCLUDED else settings.matches(name, files):
                continue
            missing = "no file that is read" if named.key == GLOBS else "nothing that would be read"
            problem = f"`{brief(name)}` matches {missing}"
            known = {*files, *folders}
        near = _nearest(name.strip("/*") if known is not tables else name, known)
        ending = name[len(name.rstrip("/*")) :] if known is not tables else ""
        offer = f"; did you mean `{near}{ending}`?" if near else ""
        notes.append(Note(NoteKind.HINT, f"`{named.key}`: {problem}, so this changes nothing{offer}", named.path, named.line))
    return notes


def _nearest(name: str, known: Collection[str]) -> str | None:
    folded = {other.casefold(): other for other in sorted(known) if other}
    close = get_close_matches(name.casefold(), folded, n=1)
    return folded[close[0]] if close else None
