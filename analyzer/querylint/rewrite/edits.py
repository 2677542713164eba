"""Edits of several files: which of them get in each other's way, and what the files become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from querylint.patch import Fix, NewFile, TextEdit
from querylint.rewrite.migrations import joined


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
    """Whether a new file has to be written anew once the other is there: revisions of one line, or two files of one name."""
    if one == other or not (one.path == other.path or one.sequence == other.sequence != ""):
        return False
    return joined((one, other)) is None


def edited(sources: Mapping[str, bytes], fixes: Sequence[Fix]) -> dict[str, bytes]:
    """The new content of every file that the fixes touch or make. They must not clash."""
    by_path: dict[str, set[TextEdit]] = {}
    for fix in fixes:
        for edit in fix.edits:
            by_path.setdefault(edit.span.path, set()).add(edit)
    new = {file.path: file.text.encode() for file in _created(fixes)}
    return {**{path: _file(sources[path], edits) for path, edits in by_path.items()}, **new}


def _created(fixes: Sequence[Fix]) -> Iterator[NewFile]:
    """The new files, those of one sequence as one."""
    by_sequence: dict[str, list[NewFile]] = {}
    for file in (file for fix in fixes for file in fix.created):
        by_sequence.setdefault(file.sequence or file.path, []).append(file)
    for files in by_sequence.values():
        one = joined(files)
        yield from files if one is None else (one,)


def placed(sources: Mapping[str, bytes], fix: Fix) -> dict[str, list[tuple[int, int, int]]]:
    """Where the texts of a fix stand in the new content of its files, as ranges of bytes, each with the line of its edit.

    An empty range is where text is gone.
    """
    found: dict[str, list[tuple[int, int, int]]] = {}
    for path in {edit.span.path for edit in fix.edits}:
        shift = 0
        for edit, text in _texts(sources[path], {e for e in fix.edits if e.span.path == path}):
            start = edit.span.start + shift
            found.setdefault(path, []).append((start, start + len(text), edit.span.line))
            shift += len(text) - (edit.span.end - edit.span.start)
    return found


def _file(data: bytes, edits: Iterable[TextEdit]) -> bytes:
    for edit, text in reversed(_texts(data, edits)):
        data = data[: edit.span.start] + text + data[edit.span.end :]
    return data


def _texts(data: bytes, edits: Iterable[TextEdit]) -> list[tuple[TextEdit, bytes]]:
    """The edits of a file in their order, with what each writes: lines end as they do in the file."""
    line_end = b"\r\n" if 2 * data.count(b"\r\n") > data.count(b"\n") else b"\n"
    ordered = sorted(edits, key=lambda e: (e.span.start, e.span.end, e.text))
    return [(e, e.text.encode("utf-8", "surrogatepass").replace(b"\r\n", b"\n").replace(b"\n", line_end)) for e in ordered]
