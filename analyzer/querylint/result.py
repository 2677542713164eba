"""What one run of the analysis says: findings, notes, and what was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from querylint.construction import dataclass
from querylint.ir import Schema
from querylint.rule import Finding, Rule
from querylint.text import LineIndex


class NoteKind(Enum):
    """What a note is about. BUG is a failure of ours: the run cannot be trusted (exit code 2)."""

    PARSE = "parse"
    READ = "read"
    LIMIT = "limit"
    SCHEMA = "schema"
    HINT = "hint"
    BUG = "bug"


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """Something that the run could not see, or that its reader should know; never a finding."""

    kind: NoteKind = field(compare=False)
    message: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What was looked at, so that silence can be trusted. `unnamed` are the places (path and line) of the unresolved accesses."""

    roots: tuple[str, ...] = ()
    files: int = 0
    analysed: int = 0
    functions: int = 0
    reads: int = 0
    writes: int = 0
    tables: int = 0
    indexes: int = 0
    suppressed: int = 0
    unresolved: int = 0
    unnamed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What lies under the paths that a run was asked about: files by language, and how many of all of them access a database.

    `folders` says that nothing but folders was named, `whole` that they hold the whole project.
    """

    paths: tuple[str, ...]
    folders: bool
    python: int
    typescript: int
    others: int
    analysed: int
    whole: bool = True

    @property
    def files(self) -> int:
        """How many files of source there are."""
        return self.python + self.typescript + self.others


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that a comment silences, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Gate:
    """A criterion of the settings: at most `allowed` findings of a rule, a pattern or a severity in the whole project.

    `rules` says how many each rule found, the most first, where a rule or a pattern is counted: some patterns share the name of a rule.
    """

    name: str
    allowed: int
    found: int
    rules: tuple[tuple[str, int], ...] = ()

    @property
    def failed(self) -> bool:
        """Whether there are more than that."""
        return self.found > self.allowed


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a run. `sources` holds the text of the files that findings point into, by path.

    `known` are findings that are not reported, since they were there before: `against` says in what (a baseline file, a revision), and
    is empty where the run is compared with nothing. `gates` are those that were judged. `suppressed` are the findings that
    comments silence.
    """

    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    summary: Summary
    sources: Mapping[str, LineIndex]
    schemas: tuple[Schema, ...]
    rules: tuple[Rule, ...]
    known: tuple[Finding, ...] = ()
    against: str = ""
    gates: tuple[Gate, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether a bug of ours makes the run untrustworthy."""
        return any(note.kind is NoteKind.BUG for note in self.notes)
