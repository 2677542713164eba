"""What the report is made of: everything that one survey of a project brought to light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from querylint.construction import dataclass
from querylint.evidence.profile import Profile
from querylint.ir import Program
from querylint.report.indexes import IndexReport
from querylint.result import Result
from querylint.rule import Severity

TITLE = "Database access report"


@dataclass(frozen=True, slots=True)
class ByHand:
    """A change of an index that no edit makes, and why."""

    table: str
    index: str
    reason: str


@dataclass(frozen=True, slots=True)
class Material:
    """The findings with their fixes, the program that they were found in, and the index advice.

    `fixes` holds the unified diff of a finding's fix by its fingerprint, `schema` that of the index advice by file. `rows` are the sizes
    of tables that the settings state, `large` the tables whose indexes are to be staged. `show` is the least severity that is told in
    full; what lies below it is counted. `profile` is what was measured in the running system, where there are logs of it.
    """

    result: Result
    program: Program
    indexes: IndexReport
    version: str
    show: Severity = Severity.WARNING
    title: str = TITLE
    fixes: Mapping[str, str] = field(default_factory=dict)
    schema: Mapping[str, str] = field(default_factory=dict)
    by_hand: tuple[ByHand, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    large: frozenset[str] = frozenset()
    profile: Profile | None = None
