"""Everything that the report on a project needs, brought together: findings with their fixes, the index advice, the edits as diffs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from querylint import __version__, indexing, profiling, review
from querylint.engine import Outcome
from querylint.evidence.reading import read
from querylint.indexing import Indexed
from querylint.report.page.material import TITLE, ByHand, Material
from querylint.review import View
from querylint.rewrite.diff import unified
from querylint.rewrite.edits import edited


def survey(
    paths: Sequence[Path],
    config: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    view: View | None = None,
    title: str = TITLE,
    logs: Sequence[Path] = (),
) -> Material:
    """Look at the project that the paths belong to, and report on the paths, with what `logs` of the running system say.

    Raises QuerylintError for a path that does not exist, for settings or a baseline that cannot be used, and for a log that cannot be read.
    """
    evidence = read(logs) if logs else None
    outcome = review.check(paths, config, overrides, view, fixes=True)
    advised = indexing.carried_out_in(outcome.project or indexing.project_of(paths, config))
    tables = outcome.settings.tables
    return Material(
        outcome.result,
        advised.program,
        advised.report,
        __version__,
        outcome.settings.show,
        title,
        _fixes(outcome),
        _schema(advised),
        tuple(ByHand(held.table, held.index, held.reason) for held in advised.held),
        {name: facts.rows for name, facts in tables.items() if facts.rows is not None},
        advised.large,
        profiling.joined_to(outcome, evidence, advised.program) if evidence is not None else None,
    )


def _fixes(outcome: Outcome) -> dict[str, str]:
    """The unified diff of each fix, by the fingerprint of its finding."""
    sources = {path: source.source for path, source in outcome.result.sources.items()}
    return {
        finding.fingerprint: unified({**sources, **dict.fromkeys(file.path for file in fix.created)}, edited(sources, [fix]))
        for finding in outcome.result.findings
        if (fix := finding.fix) is not None and all(edit.span.path in sources for edit in fix.edits)
    }


def _schema(advised: Indexed) -> dict[str, str]:
    """The unified diff of the index advice, by file."""
    return {path: unified(advised.before, {path: data}) for path, data in advised.after.items()}
