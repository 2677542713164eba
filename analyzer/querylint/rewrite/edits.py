"""Edits of several files: which of them get in each other's way, and what the files become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from querylint.patch import Fix, NewFile, TextEdit


def without_conflicts(fixes: Sequence[Fix]) -> list[int]:
    """The positions of the fixes that can be made together; of two that clash the earlier in the sequence wins."""
    taken: list[int] = []
    made: dict[str, list[TextEdit]] = {}
    new: list[NewFile] = []
    for number, fix in enumerate(fixes):
        if any(_clash(edit, other) for edit in fix.edits for other in made.get(edit.span.path, ())):
            continue
        if any(_follow(file, other) for file in fix.created for other in new):
            continue
        taken.append(number)
        new += fix.created
        for edit in fix.edits:
            made.setdefault(edit.span.path, []).append(edit)
    return taken


def _clash(one: TextEdit, other: TextEdit) -> bool:
    """Whether two edits cannot both be made: they share text, or insert at the same place."""
    if one == other and one.shared:
        return False
    a, b = one.span, other.span
    if a.start == a.end or b.start == b.end:
        return a.start <= b.end and b.start <= a.end
    return a.start < b.end and b.start < a.end


def _follow(one: NewFile, other: NewFile) -> bool:
    """Whether a new file has to be written anew once the other is there: migrations of one app, or two files of one name."""
    return one != other and (one.path == other.path or (one.sequence == other.sequence != ""))


def edited(sources: Mapping[str, bytes], fixes: Sequence[Fix]) -> dict[str, bytes]:
    """The new content of every file that the fixes touch or make. They must not clash."""
    by_path: dict[str, set[TextEdit]] = {}
    for fix in fixes:
        for edit in fix.edits:
            by_path.setdefault(edit.span.path, set()).add(edit)
    new = {file.path: file.text.encode() for fix in fixes for file in fix.created}
    return {**{path: _file(sources[path], edits) for path, edits in by_path.items()}, **new}


def _file(data: bytes, edits: Iterable[TextEdit]) -> bytes:
    line_end = b"\r\n" if 2 * data.count(b"\r\n") > data.count(b"\n") else b"\n"
    for edit in sorted(edits, key=lambda e: (e.span.start, e.span.end), reverse=True):
        text = edit.text.encode("utf-8", "surrogatepass").replace(b"\r\n", b"\n").replace(b"\n", line_end)
        data = data[: edit.span.start] + text + data[edit.span.end :]
    return data
