"""The index advice of a project, and the edits that carry it out, made in memory and checked by asking for the advice again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from querylint import discover
from querylint.advise.advisor import TableAdvice, advice
from querylint.construction import dataclass, replace
from querylint.engine import Project, hints, load_rules, settings_for, summary
from querylint.errors import PathError, QuerylintError
from querylint.garbage import undisturbed
from querylint.ir import Program
from querylint.judging import census
from querylint.patch import Fix, Safety
from querylint.report.indexes import IndexReport
from querylint.result import NoteKind
from querylint.revisions import uncommitted
from querylint.rewrite.disk import replace_files
from querylint.rewrite.edits import edited
from querylint.rewrite.indexes import Held, Order, changes
from querylint.settings import Size

LARGE_ROWS = 100_000
"""From here on Convex wants an index to be built before queries may read by it (convex-facts 2.13)."""


def indexes(paths: Sequence[Path], config: Path | None = None, *, every: bool = False) -> IndexReport:
    """Advise the indexes of the tables that the paths declare or ask; `every` serves also what alone is not worth an index.

    Raises QuerylintError for a path that does not exist and for settings that cannot be used.
    """
    with undisturbed():
        return _report(project_of(paths, config), every=every)


def project_of(paths: Sequence[Path], config: Path | None = None) -> Project:
    """The project that the paths belong to. Raises QuerylintError as `indexes` does."""
    scope = discover.locate(paths)
    return Project(scope, settings_for(scope.root, load_rules(), config))


def _report(project: Project, *, every: bool) -> IndexReport:
    program, lowered = project.program()
    mine = [
        table
        for table in advice(program, every=every).values()
        if table.table.name not in project.settings.ignore_tables and any(discover.within(p, project.scope.targets) for p in table.paths)
    ]
    mine.sort(key=_place)
    notes = {*project.notes, *lowered.notes, *hints(lowered, project.typescript)}
    seen = summary([census(program)], lowered, len(project.found.files))
    return IndexReport(tuple(mine), tuple(sorted(notes, key=lambda n: (n.path, n.line, n.message))), seen)


def _place(table: TableAdvice) -> tuple[str, int, str]:
    """Tables come as their edits do: by the file and the place where they are declared."""
    span = table.table.span
    return (span.path, span.start, table.table.name) if span is not None else ("", 0, table.table.name)


@dataclass(frozen=True, slots=True)
class Indexed:
    """Advice carried out, in memory. `before` holds None for files that are not there yet; nothing is on the disk until `write`.

    `report` is the advice, `rest` what is advised once it is carried out, `held` what must be done by hand, `program` the project as it is,
    `large` the tables that the settings call large.
    """

    root: Path
    report: IndexReport
    rest: IndexReport
    before: Mapping[str, bytes | None]
    after: Mapping[str, bytes]
    held: tuple[Held, ...]
    program: Program
    large: frozenset[str]

    def write(self) -> None:
        """Put the new content on the disk: all files or none. Raises PathError, with every file as it was."""
        if self.after:
            replace_files(self.root, self.before, self.after)


def carried_out(
    paths: Sequence[Path], config: Path | None = None, *, every: bool = False, order: Order | None = None, clean: bool = False
) -> Indexed:
    """Carry out the index advice in memory, and look at the project again as it would be.

    Edits after which a file no longer parses, or some index is advised anew, are a defect of ours: then nothing is changed. `clean` refuses
    files whose content no commit holds. Raises QuerylintError as `indexes` does, and PathError for such a file.
    """
    return carried_out_in(project_of(paths, config), every=every, order=order, clean=clean)


def carried_out_in(project: Project, *, every: bool = False, order: Order | None = None, clean: bool = False) -> Indexed:
    """The same for a project at hand, which is not read again."""
    with undisturbed():
        return _carried_out(project, order or Order(), every=every, clean=clean)


def _carried_out(project: Project, order: Order, *, every: bool, clean: bool) -> Indexed:
    report = _report(project, every=every)
    large = frozenset(n for n, f in project.settings.tables.items() if f.size is Size.LARGE or (f.rows or 0) >= LARGE_ROWS)
    made = changes(project.read, project.found.files, report.tables, replace(order, large=large))
    sources = {edit.span.path: project.read(edit.span.path) or b"" for edit in made.edits}
    after = {**edited(sources, [Fix("", Safety.UNSAFE, tuple(dict.fromkeys(made.edits)))]), **made.created}
    if clean and (dirty := uncommitted(project.scope.root, sources)):
        raise PathError(f"`{min(dirty)}` has changes that are not committed; commit or stash them, or give --allow-dirty")
    before: dict[str, bytes | None] = {path: sources.get(path) for path in after}
    rest = _report(Project(project.scope, project.settings, after), every=every) if after else report
    new = {(n.message, n.path) for n in rest.notes if n.kind is NoteKind.PARSE} - {(n.message, n.path) for n in report.notes}
    if new:
        raise QuerylintError(f"`{min(path for _, path in new)}` would no longer parse; nothing was changed, please report this")
    return Indexed(project.scope.root, report, rest, before, after, tuple(made.held), project.program()[0], large)
