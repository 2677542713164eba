"""One look at a project as it stands in the editor: what is on the disk, with the open buffers laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from threading import Event

from querylint import discover, engine, filters, review
from querylint.construction import dataclass
from querylint.engine import Project
from querylint.ir import Program
from querylint.lsp.places import Text
from querylint.report.order import at_least
from querylint.result import Note
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


def look(root: Path, buffers: Mapping[str, Buffer], encoding: str, overtaken: Event) -> Seen:
    """Analyze a project. Raises QuerylintError for settings or a baseline that cannot be used, Overtaken once the event is set.

    Files that git or the settings leave out are left out though they are open.
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
    project = _Attentive(scope, chosen, unsaved, overtaken)
    result = engine.run(partial(project.whole, fixes=True), rules)
    new = filters.compare(result.findings, review.usual_baseline(root) or ()).new
    findings = tuple(at_least(new, chosen.show))
    texts = {
        path: Text(path, data, encoding, buffers[path].version if path in unsaved else None)
        for path in sorted({path for f in findings for path in (*engine.places(f), *(f.fix.paths if f.fix else ()))})
        if (data := project.read(path)) is not None
    }
    versions = {path: buffer.version for path, buffer in buffers.items()}
    return Seen(findings, texts, versions, {rule.name: rule for rule in rules}, chosen, result.notes)


class _Attentive(Project):
    """A project that is read and judged only as long as somebody waits for it."""

    def __init__(self, scope: discover.Scope, chosen: Settings, unsaved: Mapping[str, bytes], overtaken: Event) -> None:
        self._overtaken = overtaken
        super().__init__(scope, chosen, unsaved)

    def read(self, path: str) -> bytes | None:
        self._go_on()
        return super().read(path)

    def judge(self, program: Program, rules: Iterable[Rule]) -> list[Finding]:
        return super().judge(program, self._wanted(rules))

    def _wanted(self, rules: Iterable[Rule]) -> Iterator[Rule]:
        for rule in rules:
            self._go_on()
            yield rule

    def _go_on(self) -> None:
        if self._overtaken.is_set():
            raise Overtaken
