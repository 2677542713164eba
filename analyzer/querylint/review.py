"""What is to be said about a state of the project: all of it, one part, what changed, or what was not there before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from querylint import discover, engine, filters, looks
from querylint.engine import Outcome, Project
from querylint.errors import BaselineError, PathError, RevisionError
from querylint.filters import BASELINE_FILE, Known
from querylint.result import Gate, Note, NoteKind, Result
from querylint.revisions import Repository, snapshot
from querylint.revisions.git import INDEX
from querylint.rule import Finding, Rule, Severity
from querylint.settings import Settings

AMBIENT = ("_generated",)
"""Folders that are often left out of git, and by which front ends know what a folder holds."""

SETTINGS_FILES = (".gitignore", "querylint.toml", "pyproject.toml", BASELINE_FILE)


@dataclass(frozen=True, slots=True)
class View:
    """Which state is looked at, and what of it is reported.

    `staged` looks at the index and reports what touches staged files. `changed` reports what touches changed files: those among the
    paths that are files, and what git calls changed below those that are folders. `since` reports what was not there where the current
    commit and that one parted ways. `baseline` is the file to use instead of the usual one; `without_baseline` uses none. `strict` fails
    where the baseline lists what is no more. `unsaved` is a file and the text to read instead of it.
    """

    since: str | None = None
    staged: bool = False
    changed: bool = False
    baseline: Path | None = None
    without_baseline: bool = False
    strict: bool = False
    unsaved: tuple[Path, bytes] | None = None


def check(
    paths: Sequence[Path],
    config: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    view: View | None = None,
    *,
    fixes: bool = False,
    parts: bool = False,
) -> Outcome:
    """Analyze the project that the paths belong to and report what the view asks for; `fixes` asks for edits as well.

    `parts` takes what has not changed since an earlier run from what that has kept, and keeps parts for later runs.

    Raises QuerylintError for a path or a revision that does not exist, and for settings or a baseline that cannot be used.
    """
    return _Review(paths, view or View(), fixes, parts).outcome(config, overrides)


@dataclass
class _Review:
    paths: Sequence[Path]
    view: View
    fixes: bool = False
    parts: bool = False
    rules: tuple[Rule, ...] = field(default_factory=engine.load_rules)

    @cached_property
    def scope(self) -> discover.Scope:
        if self.view.unsaved is None:
            return discover.locate(self.paths)
        path = self.view.unsaved[0]
        scope = discover.locate((path if path.exists() else path.parent,))
        return replace(scope, targets=(_relative(path, scope.root),))

    @cached_property
    def repository(self) -> Repository:
        return Repository.around(self.scope.root)

    def outcome(self, config: Path | None, overrides: Mapping[str, object] | None) -> Outcome:
        with ExitStack() as stack:
            root = self.scope.root
            if self.view.staged:
                root = stack.enter_context(self._laid_out(INDEX))
            chosen = engine.settings_for(root, self.rules, config, overrides)
            unsaved = {} if self.view.unsaved is None else {self.scope.targets[0]: self.view.unsaved[1]}
            scope = replace(self.scope, root=root, targets=() if self.view.changed else self.scope.targets)
            kept = looks.kept_of(self.scope.root) if self.parts else None
            project = Project(scope, chosen, unsaved, kept)
            result = engine.run(partial(project.whole, fixes=self.fixes), self.rules)
            if kept is not None:
                looks.keep(self.scope.root, kept)
            result = self._compared(result, chosen, root)
            git = self.view.since is not None or self.view.staged or self.view.changed
            alone = not git and self.view.unsaved is None
            part = None if self.view.changed or self.view.staged or self.view.unsaved is not None else project.part(self.paths)
            return Outcome(self._asked_for(result, chosen), chosen, discover.lead(self.scope.root), project if alone else None, part)

    def _laid_out(self, commit: str) -> AbstractContextManager[Path]:
        return snapshot(self.repository, commit, self.scope.root, _needed, AMBIENT)

    def _earlier(self, commit: str, chosen: Settings) -> list[Known]:
        """What was found at a commit, by today's rules and settings."""
        with self._laid_out(commit) as root:
            found = engine.run(Project(discover.Scope(root), chosen).whole, self.rules).findings
        return [Known.of(finding) for finding in found]

    def _compared(self, result: Result, chosen: Settings, root: Path) -> Result:
        """The result with what was there before set apart, and with the gates that it has to pass."""
        findings = result.findings
        partial = bool(self.scope.targets) or self.view.changed or self.view.staged or self.view.since is not None
        gates = [] if partial else [_gate(findings, name, most, chosen.show) for name, most in chosen.gates.items()]
        against: list[str] = []
        known: dict[str, Finding] = {}
        fresh: dict[str, Finding] = {}
        if self.view.since is not None:
            base = self.repository.merge_base(self.view.since)
            compared = filters.compare(findings, self._earlier(base, chosen) if findings else [])
            known |= {f.fingerprint: f for f in compared.old}
            fresh |= {f.fingerprint: f for f in compared.new}
            against.append(f"`{self.view.since}`")
        baseline = self._baseline(root)
        notes = list(result.notes)
        if baseline is not None:
            name, entries = baseline
            compared = filters.compare(findings, entries)
            known |= {f.fingerprint: f for f in compared.old}
            fresh |= {f.fingerprint: f for f in compared.new if f.was is not None or f.fingerprint not in fresh}
            against.append(f"`{name}`")
            stale = [e for e in compared.gone if e.rule in chosen.active(engine.names_of(self.rules))]
            if self.view.strict:
                gates.append(Gate(filters.STALE, 0, len(stale)))
            elif stale and not partial:
                notes.append(Note(NoteKind.HINT, f"{_entries(len(stale))} no longer found: `querylint baseline prune` removes them", name))
            unsaid = sum(1 for e, _ in compared.matched if e.severity is None)
            if unsaid and not partial:
                notes.append(Note(NoteKind.HINT, _UNSAID.format(entries=_entries(unsaid)), name))
        new = [fresh.get(f.fingerprint, f) for f in findings if f.fingerprint not in known]
        old = [known[f.fingerprint] for f in findings if f.fingerprint in known]
        return replace(result, findings=tuple(new), known=tuple(old), against=" and ".join(against), notes=tuple(notes), gates=tuple(gates))

    def _baseline(self, root: Path) -> tuple[str, tuple[Known, ...]] | None:
        if self.view.without_baseline:
            return None
        if self.view.baseline is not None:
            return self.view.baseline.name, read_baseline(self.view.baseline)
        entries = usual_baseline(root)
        return None if entries is None else (BASELINE_FILE, entries)

    def _asked_for(self, result: Result, chosen: Settings) -> Result:
        targets = self.scope.targets
        if self.view.unsaved is not None:  # an editor asks about one file and takes every line of the answer to be about it
            return engine.narrowed(result, lambda f: f.found.span.path in targets)
        if not self.view.changed and not self.view.staged:
            return engine.narrowed(result, lambda f: any(discover.within(path, targets) for path in engine.places(f)))
        touched = self._touched()
        notes = [note for note in result.notes if not note.path or note.path in touched]
        if not touched:
            what = "is staged" if self.view.staged else "has changed"
            notes.append(Note(NoteKind.HINT, f"no file of the project {what}, so nothing is reported"))
        result = replace(result, notes=tuple(notes))
        elsewhere = {f.fingerprint for f in self._broken_by_schema(result, touched, chosen)}
        return engine.narrowed(result, lambda f: f.fingerprint in elsewhere or not touched.isdisjoint(engine.places(f)))

    def _touched(self) -> frozenset[str]:
        """The files whose findings are asked for, relative to the root."""
        targets = self.scope.targets
        root = self.scope.root
        if self.view.staged:
            return frozenset(path for path in self._own(self.repository.staged()) if discover.within(path, targets))
        named = {target for target in targets if not (root / target).is_dir()}
        folders = [target for target in targets if target not in named]
        if targets and not folders:
            return frozenset(named)
        return frozenset(named) | {path for path in self._own(self.repository.changed()) if discover.within(path, folders)}

    def _own(self, paths: Iterable[str]) -> set[str]:
        """Those of the repository's paths that lie in the project, relative to its root."""
        way = self.scope.root.relative_to(self.repository.top).as_posix()
        lead = "" if way == "." else f"{way}/"
        return {path.removeprefix(lead) for path in paths if path.startswith(lead)}

    def _broken_by_schema(self, result: Result, touched: frozenset[str], chosen: Settings) -> list[Finding]:
        """What a changed schema made wrong in files that did not change: an index that is gone, say."""
        tables = {t.name for s in result.schemas for t in s.tables.values() if t.span is not None and t.span.path in touched}
        suspects = [f for f in result.findings if f.found.table in tables and touched.isdisjoint(engine.places(f))]
        if not suspects:
            return []
        try:
            head = self.repository.head()
        except RevisionError:
            return []
        new = filters.compare([*result.findings, *result.known], self._earlier(head, chosen) if head is not None else []).new
        identities = {f.fingerprint for f in new}
        return [f for f in suspects if f.fingerprint in identities]


def usual_baseline(root: Path) -> tuple[Known, ...] | None:
    """The entries of the baseline that a project keeps in its root, None where it keeps none; raises BaselineError."""
    path = root / BASELINE_FILE
    return read_baseline(path) if path.is_file() else None


def read_baseline(path: Path) -> tuple[Known, ...]:
    """The entries of a baseline file; raises BaselineError for one that is not there or cannot be used."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise BaselineError(f"there is no baseline `{path}`; `querylint baseline create` makes one") from None
    except OSError as error:
        raise BaselineError(f"the baseline `{path}` cannot be read ({(error.strerror or str(error)).lower()})") from None
    except UnicodeDecodeError:
        raise BaselineError(f"{path.name}: the file is not valid UTF-8") from None
    return filters.parse(text, path.name)


def _needed(path: str) -> bool:
    *folders, name = path.split("/")
    return (name in SETTINGS_FILES or discover.readable(path)) and "node_modules" not in folders


def _relative(path: Path, root: Path) -> str:
    try:
        return (path.parent.resolve() / path.name).relative_to(root).as_posix()
    except ValueError:
        raise PathError(f"`{path}` leads out of the project") from None


def _gate(findings: Iterable[Finding], name: str, most: int, show: Severity) -> Gate:
    """What a gate counts: of a severity all findings, of a rule or a pattern those that are printed."""
    if name in {severity.value for severity in Severity}:
        return Gate(name, most, sum(1 for f in findings if name == f.severity.value))
    counts = Counter(f.rule for f in findings if f.severity.rank >= show.rank and name in (f.rule, f.pattern, *f.found.also))
    return Gate(name, most, counts.total(), tuple(counts.most_common()))


_UNSAID = "{entries} without a severity, and are assumed to have been as severe as now: `querylint baseline update` adds it"


def _entries(number: int) -> str:
    return f"{number} {'entry is' if number == 1 else 'entries are'}"


__all__ = ["View", "check", "read_baseline", "usual_baseline"]
