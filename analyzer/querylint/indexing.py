"""The index advice of a project, and the edits that carry it out, made in memory and checked by asking for the advice again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from querylint import discover, filters, settings
from querylint.advise.advisor import advice
from querylint.engine import Project, hints, load_rules, summary
from querylint.report.indexes import IndexReport


def indexes(paths: Sequence[Path], config: Path | None = None, *, every: bool = False) -> IndexReport:
    """Advise the indexes of the tables that the paths declare or ask; `every` serves also what alone is not worth an index.

    Raises QuerylintError for a path that does not exist and for settings that cannot be used.
    """
    return _report(_project(paths, config), every=every)


def _project(paths: Sequence[Path], config: Path | None) -> Project:
    scope = discover.locate(paths)
    names = frozenset(rule.name for rule in load_rules()) | filters.PSEUDO_RULES
    return Project(scope, settings.load(scope.root, config, {}, rule_names=names))


def _report(project: Project, *, every: bool) -> IndexReport:
    program, lowered = project.program()
    mine = [
        table
        for table in advice(program, every=every).values()
        if table.table.name not in project.settings.ignore_tables and any(discover.within(p, project.scope.targets) for p in table.paths)
    ]
    notes = {*project.notes, *lowered.notes, *hints(program, lowered)}
    seen = summary(program, lowered, len(project.found.files))
    return IndexReport(tuple(mine), tuple(sorted(notes, key=lambda n: (n.path, n.line, n.message))), seen)
