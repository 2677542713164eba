"""The answer of a check kept for the next run that asks the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from querylint.cache.question import Question
from querylint.cache.record import Said, Seen, entry

if TYPE_CHECKING:
    from querylint.engine import Outcome, Project

SETTINGS = ("querylint.toml", "pyproject.toml", ".gitignore", os.path.join(".git", "info", "exclude"))


def keep(question: Question | None, said: Said, outcome: Outcome, paths: Sequence[Path], baseline: Path | None) -> None:
    """Keep what was said, if nothing has changed meanwhile and nothing was written besides."""
    project = outcome.project
    if question is None or project is None or os.environ.get("GITHUB_STEP_SUMMARY"):
        return
    made = entry(question, said, _seen(project, outcome, paths, baseline))
    if made is not None and not project.moved():
        question.keep(made)


def _seen(project: Project, outcome: Outcome, paths: Sequence[Path], baseline: Path | None) -> Seen:
    from querylint import discover

    root = str(project.scope.root)
    found = project.found
    packages = {rule.check.__module__.partition(".")[0] for rule in outcome.result.rules}
    return Seen(
        root,
        project.digests(),
        (*found.folders, *found.environments),
        [os.path.join(root, link) for link in found.links],
        _settings(project, outcome, baseline),
        {os.path.abspath(path if path.is_dir() else path.parent) for path in paths}
        | {os.path.abspath(path) for path in paths if path.is_symlink()},
        {"querylint", "querylint_templates", *packages},
        discover.MARKERS,
        discover.counting(),
    )


def _settings(project: Project, outcome: Outcome, baseline: Path | None) -> list[str]:
    from querylint.filters import BASELINE_FILE

    root = project.scope.root
    around = [str(folder / name) for folder in (root, *root.parents) for name in SETTINGS]
    below = [os.path.join(root, folder, ".gitignore") for folder in project.found.folders]
    own = [os.path.abspath(path) for path in (outcome.settings.origin, baseline, root / BASELINE_FILE) if path is not None]
    return [*around, *(path for path in below if os.path.lexists(path)), *own]
