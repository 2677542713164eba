"""What the logs of the running system say about a project: read both, and join them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from querylint import discover, review
from querylint.construction import replace
from querylint.engine import Outcome
from querylint.errors import EvidenceError
from querylint.evidence.budget import Budget
from querylint.evidence.placing import Shape
from querylint.evidence.profile import Order, Profile, earlier, joined
from querylint.evidence.reading import Evidence, read
from querylint.ir import Program
from querylint.review import View
from querylint.syntax.sql import Operation
from querylint.syntax.sql import read as read_statement

COLUMNS = re.compile(r"^SELECT (?:DISTINCT )?[^()]*? FROM ", re.IGNORECASE)
"""The columns that a statement gives, where it counts nothing: what it asks does not hang on them, and they may be hundreds."""


def profile(
    logs: Sequence[Path], paths: Sequence[Path], config: Path | None = None, overrides: Mapping[str, object] | None = None,
    given: IO[bytes] | None = None, budget: Budget | None = None, order: Order = Order.TIME, against: Sequence[Path] = (),
) -> tuple[Profile, Outcome]:  # fmt: skip
    """Measure by the logs (`-` is `given`) the functions of the project that the paths belong to; what the baseline lists costs as well.

    `against` are logs of another run, which this one is compared with. `budget` adds to that of the settings. Raises EvidenceError for a
    log that cannot be read, and QuerylintError as `review.check` does.
    """
    if [str(path) for path in (*logs, *against)].count("-") > 1:
        raise EvidenceError("standard input (`-`) can be read once")
    evidence = read(logs, given)
    other = earlier(read(against, given)) if against else None
    outcome = review.check(paths, config, overrides, View(without_baseline=True))
    assert outcome.project is not None  # it is read from the disk as it is
    return replace(joined_to(outcome, evidence, outcome.project.program()[0], budget, order), earlier=other), outcome


def joined_to(outcome: Outcome, evidence: Evidence, program: Program, budget: Budget | None = None, order: Order = Order.TIME) -> Profile:
    """What was measured, joined to the findings of a run and the program that they were found in."""
    limits = outcome.settings.budget if budget is None else outcome.settings.budget.joined(budget)
    targets = outcome.project.scope.targets if outcome.project is not None else ()
    return joined(evidence, program, outcome.result.findings, limits, order, partial(discover.within, targets=targets), _shape)


def _shape(text: str) -> Shape | None:
    """What a statement of SQL asks; None for what is none of the program's own, or cannot be read."""
    said = read_statement(COLUMNS.sub("SELECT * FROM ", text))
    table = said.table
    if said.operation not in (Operation.READ, Operation.WRITE) or table is None or table.name is None or table.derived:
        return None
    columns = {c.column.name.lower() for c in said.on(table) if c.column is not None and c.column.name is not None}
    others = [c for c in said.conditions if c.column is not None and not said.belongs(c.column, table)]
    verb = "select" if said.operation is Operation.READ else {"upsert": "insert", "replace": "insert"}.get(said.verb, said.verb)
    return Shape(table.name.lower(), verb, frozenset(columns), bool(others), said.counts)
