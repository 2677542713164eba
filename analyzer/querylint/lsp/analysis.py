"""One look at a project as it stands in the editor: what is on the disk, with the open buffers laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from threading import Event

from querylint import discover, engine, filters, looks, review
from querylint.construction import dataclass
from querylint.engine import Project
from querylint.frontends.kept import KeptParts
from querylint.ir import Program
from querylint.lsp.places import Text
from querylint.report.order import at_least
from querylint.result import Note, Result
from querylint.rule import Finding, Rule
from querylint.settings import Settings


class Overtaken(BaseException):
    """The run is of no use any more. No rule that fails may take it for a failure, hence no Exception."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """An open document: its text, and the version that the client gave it."""

    data: bytes
    version: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look has shown: the findings that are reported, the texts that they point into by path, the pages of the rules.

    `versions` are those of the buffers that it was shown in.
    """

    findings: tuple[Finding, ...]
    texts: Mapping[str, Text]
    versions: Mapping[str, int | None]
    rules: Mapping[str, Rule]
    settings: Settings
    notes: tuple[Note, ...]

    def of(self, path: str) -> list[Finding]:
        """What is reported in one file."""
        return [f for f in self.findings if f.found.span.path == path]


@dataclass(slots=True)
class Remembered:
    """What earlier looks at a project leave for the next one.

    `project` and `result` are the last analysis, the answer for as long as nothing of what it has read is another text. After an edit,
    `parts` are what need not be lowered again: at first those that runs of the command have kept. `edited` is what rewriters made of files.
    """

    project: _Attentive | None = None
    result: Result | None = None
    parts: KeptParts | None = None
    edited: Mapping[str, object] = field(default_factory=dict)

    def parts_of(self, root: Path) -> KeptParts:
        """The parts, with a place for trees, since nothing is parsed as often as what is being edited."""
        if self.parts is None:
            self.parts = looks.kept_of(root)
            self.parts.trees = {}
        return self.parts

    def tidy(self) -> None:
        """Forget what was kept of files that are gone, and the trees of texts that have changed: of each file the latest is left."""
        if self.parts is None:
            return
        if self.parts.trees is not None:
            latest = {path: (path, source) for path, source in self.parts.trees}
            self.parts.trees = {key: self.parts.trees[key] for key in latest.values()}
        if self.project is not None:
            self.parts.digests = {path: known for path, known in self.parts.digests.items() if path in self.project.contents}


def look(root: Path, buffers: Mapping[str, Buffer], encoding: str, overtaken: Event, remembered: Remembered | None = None) -> Seen:
    """Analyze a project. Raises QuerylintError for settings or a baseline that cannot be used, Overtaken once the event is set.

    Files that git or the settings leave out are left out though they are open. Where a file is only opened, closed or saved, or an edit is
    taken back, the answer is `remembered`; after another edit, what that leaves as it was. Fixes are made for the open files alone, since
    nobody can ask for others.
    """
    rules = engine.load_rules()
    chosen = engine.settings_for(root, rules)
    scope = discover.Scope(root)
    listed = frozenset(discover.discover(scope, chosen.exclude, prefix=chosen.prefix).files)
    unsaved = {
        path: buffer.data
        for path, buffer in buffers.items()
        if (path in listed or not (root / path).exists()) and len(buffer.data) <= discover.LIMIT
    }
    remembered = remembered or Remembered()
    project, result = _analyzed(_Attentive(scope, chosen, unsaved, overtaken, remembered), rules, remembered)
    new = at_least(filters.compare(result.findings, review.usual_baseline(root) or ()).new, chosen.show)
    fixed = {f.fingerprint: f for f in project.mended(f for f in new if f.found.span.path in buffers)}
    remembered.edited = project.edited
    findings = tuple(fixed.get(f.fingerprint, f) for f in new)
    texts = {
        path: Text(path, data, encoding, buffers[path].version if path in unsaved else None)
        for path in sorted({path for f in findings for path in (*engine.places(f), *(f.fix.paths if f.fix else ()))})
        if (data := project.read(path)) is not None
    }
    versions = {path: buffer.version for path, buffer in buffers.items()}
    return Seen(findings, texts, versions, {rule.name: rule for rule in rules}, chosen, result.notes)


def _analyzed(project: _Attentive, rules: tuple[Rule, ...], remembered: Remembered) -> tuple[_Attentive, Result]:
    """The project and what is found in it: those that are remembered, if the project is the same in every file that these have read."""
    last, result = remembered.project, remembered.result
    if last is not None and result is not None and last.same(project):
        last.attend(project)
        return last, result
    first = remembered.parts is None
    remembered.project = remembered.result = last = None  # not two programs in memory at once
    project.kept = parts = remembered.parts_of(project.scope.root)
    try:
        result = engine.run(project.whole, rules)
    finally:
        remembered.tidy()
    remembered.project, remembered.result = project, result
    if first:
        looks.keep(project.scope.root, parts)
    return project, result


class _Attentive(Project):
    """A project that is read and judged only as long as somebody waits for it."""

    def __init__(
        self, scope: discover.Scope, chosen: Settings, unsaved: Mapping[str, bytes], overtaken: Event, remembered: Remembered
    ) -> None:
        self._overtaken = overtaken
        super().__init__(scope, chosen, unsaved, disk=looks.Disk(parsed=dict(remembered.edited)))

    @property
    def edited(self) -> Mapping[str, object]:
        """What rewriters have made of files so far."""
        return self._disk.parsed

    def read(self, path: str) -> bytes | None:
        self._go_on()
        return super().read(path)

    def same(self, other: _Attentive) -> bool:
        """Whether another look at the project would see the same."""
        alike = self.settings == other.settings and self.found == other.found
        return alike and all(other.read(path) == data for path, data in list(self.contents.items()))

    def attend(self, other: _Attentive) -> None:
        """Go on for whoever waits for the other."""
        self._overtaken = other._overtaken

    def judge(self, program: Program, rules: Iterable[Rule]) -> list[Finding]:
        return super().judge(program, self._wanted(rules))

    def _wanted(self, rules: Iterable[Rule]) -> Iterator[Rule]:
        for rule in rules:
            self._go_on()
            yield rule

    def _go_on(self) -> None:
        if self._overtaken.is_set():
            raise Overtaken
