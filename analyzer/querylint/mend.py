"""Fixes made and checked: applied in memory, analyzed again, and kept only where the finding is gone and no new one has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import partial
from pathlib import Path

from querylint import discover, engine, filters, review
from querylint.construction import dataclass, replace
from querylint.engine import Project
from querylint.filters import Known
from querylint.frontends.kept import KeptParts
from querylint.likeness import Identity, Places, identity, text_of
from querylint.looks import Disk
from querylint.patch import Fix, Safety
from querylint.report.order import by_cost, by_place
from querylint.result import NoteKind, Result
from querylint.revisions import uncommitted
from querylint.rewrite import edits
from querylint.rewrite.disk import replace_files
from querylint.rule import Finding, Rule
from querylint.settings import Settings

MOST_RUNS = 100
"""How often the project is analyzed before the rest is left for another run."""

STAYED = "the finding would still be there"
DIRTY = "has changes that are not committed; commit or stash them, or give --allow-dirty"

Accept = Callable[[Finding, Fix, Mapping[str, bytes | None], Mapping[str, bytes]], bool]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which fixes are wanted.

    `accept` is asked before each, with the files that it touches before and after. `clean` refuses files whose content no commit holds.
    `without_baseline` wants what the baseline of the project lists, too.
    """

    unsafe: bool = False
    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    clean: bool = False
    without_baseline: bool = False
    accept: Accept | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A fix that was made, for a finding as it stood when it was made; `line` and `column` are where that was before all fixes."""

    finding: Finding
    fix: Fix
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """A finding that is still there, and why; `waiting` is a fix that the user may still ask for, `line` and `column` as in `Made`."""

    finding: Finding
    reason: str
    waiting: Fix | None = None
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Mended:
    """What came of it. `before` and `after` hold the files that change, None before for a new one; nothing is on the disk until `write`."""

    root: Path
    settings: Settings
    made: tuple[Made, ...]
    left: tuple[Left, ...]
    before: Mapping[str, bytes | None]
    after: Mapping[str, bytes]
    result: Result

    def write(self) -> None:
        """Put the new content on the disk: all files or none. Raises PathError, with every file as it was."""
        if self.after:
            replace_files(self.root, self.before, self.after)


def mend(paths: Sequence[Path], config: Path | None, overrides: Mapping[str, object], choice: Choice) -> Mended:
    """Make every fix that is wanted and holds, in memory."""
    rules = engine.load_rules()
    scope = discover.locate(paths)
    named = {key: sorted(value) for key, value in (("select", choice.select), ("ignore", choice.ignore)) if value}
    engine.settings_for(scope.root, rules, config, {**overrides, **named})  # complains of rules that do not exist
    chosen = engine.settings_for(scope.root, rules, config, overrides)
    known = () if choice.without_baseline else review.usual_baseline(scope.root) or ()
    return _Mender(scope, chosen, choice, rules, known).run()


@dataclass(frozen=True, slots=True)
class State:
    """What the project has become by some fixes more."""

    made: list[Made]
    unsaved: dict[str, bytes]
    project: Project
    result: Result


@dataclass(slots=True)
class _Mender:
    """One run. `unsaved` is what the files have become so far, `refused` why fixes are not tried again, by what they would do.

    `tried` is how many fixes had been made when one did not hold: it is tried again once there are more.
    """

    scope: discover.Scope
    settings: Settings
    choice: Choice
    rules: Sequence[Rule]
    known: Sequence[Known]
    unsaved: dict[str, bytes] = field(default_factory=dict)
    refused: dict[tuple[object, ...], str] = field(default_factory=dict)
    tried: dict[tuple[object, ...], int] = field(default_factory=dict)
    asked: set[tuple[object, ...]] = field(default_factory=set)
    dirty: dict[str, bool] = field(default_factory=dict)
    runs: int = 0
    kept: KeptParts = field(default_factory=lambda: KeptParts(trees={}))
    disk: Disk = field(default_factory=Disk)

    def run(self) -> Mended:
        """Fix after fix until none is left that helps."""
        project, result = self._look(self.unsaved)
        disk = project
        places = Places(project, result)
        made: list[Made] = []
        while self.runs < MOST_RUNS:
            batch = self._batch(project, result)
            if not batch and not self._again(len(made)):
                break
            held = self._hold(batch, project, result, len(made))
            if held is not None:
                for one in held.made:
                    line, column = places.of(one.finding, result, self.unsaved)
                    made.append(replace(one, line=line, column=column))
                self.unsaved, project, result = held.unsaved, held.project, held.result
        before = {path: disk.read(path) for path in self.unsaved}
        after = {path: data for path, data in self.unsaved.items() if data != before[path]}
        chosen = [finding for finding in by_place(result.findings) if self._chosen(finding)]
        left = tuple(self._left(finding, *places.of(finding, result, self.unsaved)) for finding in chosen)
        return Mended(self.scope.root, self.settings, tuple(made), left, {path: before[path] for path in after}, after, result)

    def _again(self, made: int) -> bool:
        """Whether there are fixes that did not hold when the project was not yet what it is by now: they may be tried once more."""
        again = [key for key, before in self.tried.items() if before < made and self.refused.pop(key, None) is not None]
        self.tried = {key: before for key, before in self.tried.items() if key not in again}
        return bool(again)

    def _look(self, unsaved: Mapping[str, bytes]) -> tuple[Project, Result]:
        """The project as it would be, and what is found in it but for what its baseline lists."""
        self.runs += 1
        project = Project(replace(self.scope, targets=()), self.settings, unsaved, self.kept, self.disk)
        result = engine.run(partial(project.whole, fixes=True, wanted=self._chosen), self.rules)
        compared = filters.compare(result.findings, self.known)
        return project, replace(result, findings=compared.new, known=compared.old)

    def _chosen(self, finding: Finding) -> bool:
        """Whether the user wants to hear of it."""
        if finding.severity.rank < self.settings.show.rank or finding.rule in self.choice.ignore:
            return False
        if self.choice.select is not None and finding.rule not in self.choice.select:
            return False
        return any(discover.within(path, self.scope.targets) for path in engine.places(finding))

    def _batch(self, project: Project, result: Result) -> list[Made]:
        """The fixes to try next: the costlier of two that clash; the other waits for the next pass."""
        wanted = [Made(f, f.fix) for f in by_cost(result.findings) if f.fix is not None and self._chosen(f) and self._hindrance(f) == ""]
        wanted = [wanted[number] for number in edits.without_conflicts([made.fix for made in wanted])]
        accept = self.choice.accept
        if accept is None:
            return wanted
        for made in wanted:
            key = _deed(made)
            if key in self.asked:
                return [made]
            before = {path: project.read(path) for path in made.fix.paths}
            there = {path: data for path, data in before.items() if data is not None}
            if accept(made.finding, made.fix, before, edits.edited(there, [made.fix])):
                self.asked.add(key)
                return [made]
            self.refused[key] = "you skipped it"
        return []

    def _hindrance(self, finding: Finding) -> str:
        """Why a fix is not made, empty if nothing stands in its way."""
        fix = finding.fix
        if fix is None:
            return finding.unfit
        if fix.safety is Safety.DISPLAY:
            return f"a person has to do it: {fix.title}"
        if fix.safety is Safety.UNSAFE and not self.choice.unsafe:
            return f"needs --unsafe: {fix.title}"
        refused = self.refused.get(_deed(Made(finding, fix)))
        if refused is not None:
            return refused
        changed = [path for path in fix.paths if path not in self.unsaved and self._is_dirty(path)] if self.choice.clean else []
        return f"`{changed[0]}` {DIRTY}" if changed else ""

    def _is_dirty(self, path: str) -> bool:
        if path not in self.dirty:
            self.dirty[path] = bool(uncommitted(self.scope.root, [path]))
        return self.dirty[path]

    def _hold(self, batch: list[Made], project: Project, result: Result, before: int) -> State | None:
        """The largest part of a batch that holds, and what the project has become; None where all that was tried was refused.

        What had to be left out of a batch that holds is tried again when nothing else is left, and not with each batch in between.
        """
        dropped: list[tuple[Made, str]] = []
        while batch:
            state = self._made(batch, project, self.unsaved)
            suspects = _failing(batch, result, state.result)
            finished = self._finished(state, result) if suspects else state
            if finished is not None:
                self._refuse(dropped, before)
                return finished
            doubtful = {_deed(made) for made, _ in suspects}
            sound = [made for made in batch if _deed(made) not in doubtful]
            if sound:
                dropped += suspects
                batch = sound
                continue
            useless = all(reason == STAYED for _, reason in suspects)
            apart = _in_files_apart(batch) if useless else batch[: len(batch) // 2]
            if len(batch) == 1 or len(apart) == len(batch):
                self._refuse(suspects, before)
                return None
            batch = apart
        return None

    def _refuse(self, suspects: Iterable[tuple[Made, str]], before: int) -> None:
        for made, reason in suspects:
            self.refused[_deed(made)] = reason
            self.tried[_deed(made)] = before

    def _made(self, batch: list[Made], project: Project, unsaved: Mapping[str, bytes]) -> State:
        sources = {path: data for made in batch for path in made.fix.paths if (data := project.read(path)) is not None}
        changed = {**unsaved, **edits.edited(sources, [made.fix for made in batch])}
        return State(batch, changed, *self._look(changed))

    def _finished(self, state: State, before: Result) -> State | None:
        """Where fixes bring findings that have fixes of their own (an index that its last reader has left), both together may hold."""
        new = {id(finding) for finding in _new(state.made, before, state.result)}
        follow = [made for made in self._batch(state.project, state.result) if id(made.finding) in new]
        if not follow or self.choice.accept is not None:
            return None
        second = self._made(follow, state.project, state.unsaved)
        both = State([*state.made, *follow], second.unsaved, second.project, second.result)
        return None if _failing(state.made, before, both.result) else both

    def _left(self, finding: Finding, line: int, column: int) -> Left:
        reason = self._hindrance(finding)
        waiting = finding.fix if finding.fix is not None and finding.fix.safety is Safety.UNSAFE and not self.choice.unsafe else None
        return Left(finding, reason or "its fix waits for the next run", waiting, line, column)


def _in_files_apart(batch: list[Made]) -> list[Made]:
    """The fixes of a batch of which no two touch the same file: each stands or falls by itself."""
    taken: set[str] = set()
    found: list[Made] = []
    for made in batch:
        if taken.isdisjoint(made.fix.paths):
            taken.update(made.fix.paths)
            found.append(made)
    return found


def _deed(made: Made) -> tuple[object, ...]:
    """What a fix does, wherever it has moved to."""
    edits_made = tuple((edit.span.path, edit.text, edit.span.end - edit.span.start) for edit in made.fix.edits)
    return (*identity(made.finding), made.fix.title, edits_made)


def _failing(batch: list[Made], before: Result, after: Result) -> list[tuple[Made, str]]:
    """The fixes that do not do what they promise, or may be the cause of something new; why, for the user."""
    if after.broken and not before.broken:
        return [(made, "its result makes a part of querylint fail") for made in batch]
    if broken := _unparsed(after) - _unparsed(before):
        return _touching(batch, broken, "its result does not parse")
    was = Counter(identity(finding) for finding in before.findings)
    now = Counter(identity(finding) for finding in after.findings)
    fixed = Counter(identity(made.finding) for made in batch)
    stayed = [made for made in batch if now[key := identity(made.finding)] > was[key] - fixed[key]]
    if stayed:
        return [(made, STAYED) for made in stayed]
    new = _new(batch, before, after)
    if not new:
        return []
    words = f"it would bring a new finding: {new[0].rule} in {new[0].found.span}"
    near = [made for made in batch if any(_near(made.finding, other) for other in new)]
    return [(made, words) for made in near or batch]


def _new(batch: list[Made], before: Result, after: Result) -> list[Finding]:
    """Findings that a batch brings, if they are as severe as what it mends.

    What is said of the very read that a fix has made better, in the place of the finding that is gone and no more severe, is not new: one
    cause is told at a time.
    """
    fresh = {id(finding) for finding in brought(batch, before, after)}
    floor = min(made.finding.severity.rank for made in batch)
    room = Counter(_read(made.finding) for made in batch)
    new: list[Finding] = []
    for finding in after.findings:
        if finding.severity.rank < floor or id(finding) not in fresh:
            continue
        worst = max((m.finding.severity.rank for m in batch if _read(m.finding) == _read(finding)), default=-1)
        if finding.found.function and finding.severity.rank <= worst and room[_read(finding)] > 0:
            room[_read(finding)] -= 1
        else:
            new.append(finding)
    return new


def brought(batch: list[Made], before: Result, after: Result) -> list[Finding]:
    """Findings that were not there before. Of those about the same thing in one function each stands for one whose code reads the same, or
    for one whose code the batch has changed: none for one that has vanished elsewhere.
    """
    mended = Counter((identity(made.finding), made.finding.fingerprint) for made in batch)
    read = Counter((identity(finding), text_of(before, finding)) for finding in before.findings)
    left: list[Finding] = []
    for finding in after.findings:
        key = (identity(finding), text_of(after, finding))
        if read[key] > 0:
            read[key] -= 1
        else:
            left.append(finding)
    changed: Counter[Identity] = Counter()
    for finding in reversed(before.findings):
        key = (identity(finding), text_of(before, finding))
        if read[key] > 0:
            read[key] -= 1
            mine = mended[identity(finding), finding.fingerprint] > 0
            changed[identity(finding)] += not mine and any(_edits(made.fix, finding) for made in batch)
    new: list[Finding] = []
    for finding in left:
        if changed[identity(finding)] > 0:
            changed[identity(finding)] -= 1
        else:
            new.append(finding)
    return new


def _edits(fix: Fix, finding: Finding) -> bool:
    """Whether a fix changes the code that a finding is about."""
    span = finding.found.span
    return any(e.span.path == span.path and e.span.start <= span.end and span.start <= e.span.end for e in fix.edits)


def _read(finding: Finding) -> tuple[str, str | None]:
    """Whose reads of which table a finding is about."""
    return finding.found.function, finding.found.table


def _unparsed(result: Result) -> Counter[str]:
    """How many places of each file did not parse."""
    return Counter(note.path for note in result.notes if note.kind is NoteKind.PARSE)


def _touching(batch: list[Made], paths: Iterable[str], reason: str) -> list[tuple[Made, str]]:
    wanted = set(paths)
    touching = [made for made in batch if wanted & set(made.fix.paths)]
    return [(made, reason) for made in touching or batch]  # none touches a file that several have made together


def _near(one: Finding, other: Finding) -> bool:
    """Whether a change for one finding may well have brought the other."""
    a, b = one.found, other.found
    return (a.function == b.function and a.function != "") or (a.table == b.table and a.table is not None)
