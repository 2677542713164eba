# long: one project from discovery to filters; its parts are rooms of their own.
"""One project on disk: discovered, lowered, judged island by island, filtered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from querylint import discover, filters, rewrite
from querylint.cache.digest import digest
from querylint.errors import mishap
from querylint.frontends.kept import KeptParts
from querylint.frontends.lowered import FrontEnd, Lowered, Make, together
from querylint.ir import IndexKind, Program, Role, Schema
from querylint.judging import Archipelago, Census, Judged, judged, once_for_each_choice
from querylint.looks import Disk
from querylint.patch import Fix
from querylint.remedy import UNPAGED, by_pages
from querylint.result import Note, NoteKind, Part, Result, Summary
from querylint.rewrite import journal
from querylint.rule import Finding, Found, Rule, demoted
from querylint.settings import Settings, Size
from querylint.text import LineIndex

SMALL_ROWS = 100


def front_ends_for(found: discover.Discovery, release: Callable[[str], None] | None = None) -> list[Make]:
    """What reads a project; what there is nothing to read for is not even loaded. `release` lets the bytes of a file go."""
    made: list[Make] = []
    if found.generated or any(file.endswith((*rewrite.LANGUAGES["typescript"], "convex.json")) for file in found.files):
        from querylint.frontends.convex.frontend import ConvexFrontEnd

        made.append(partial(ConvexFrontEnd, release=release))
    if any(file.endswith(rewrite.LANGUAGES["python"]) for file in found.files):
        from querylint.frontends.python.frontend import PythonFrontEnd

        made.append(PythonFrontEnd)
    return made


def narrowed(result: Result, keep: Callable[[Finding], bool]) -> Result:
    """A result with the findings that are to be kept, and the sources that these need."""
    findings, known = (tuple(f for f in fs if keep(f)) for fs in (result.findings, result.known))
    shown = {path for f in (*findings, *known) for path in (*places(f), *(f.fix.paths if f.fix is not None else ()))}
    sources = {path: source for path, source in result.sources.items() if path in shown}
    suppressed = tuple(silenced for silenced in result.suppressed if keep(silenced.finding))
    return replace(result, findings=findings, known=known, suppressed=suppressed, sources=sources)


def places(finding: Finding) -> set[str]:
    """The files that a finding speaks of: its own, and those of the way to it."""
    return {finding.found.span.path, *(point.span.path for point in finding.found.trail)}


class Project:
    """One project on disk, read once. `unsaved` holds texts that stand in for files, or for files that are not there yet, by path.

    `kept` are parts of earlier looks at the same project: what nothing has changed of is taken from there, and what this look lowers goes
    there. Whoever looks again and again (an editor, a run that makes fixes) hands the same object to each look; `disk` is what other
    looks have read, while nobody else changes the disk.
    """

    def __init__(
        self,
        scope: discover.Scope,
        chosen: Settings,
        unsaved: Mapping[str, bytes] | None = None,
        kept: KeptParts | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.kept = kept
        self.scope = scope
        self.settings = chosen
        self._disk = disk or Disk()
        self._alone = disk is None and not unsaved
        self._read: dict[str, bytes | None] = dict(unsaved or {})
        self._released: dict[str, bytes] = {}
        self._land: Archipelago | None = None
        self._roles: dict[str, Role] = {}
        found = self._disk.found or self._discovered()
        self._disk.found = found
        self.found = replace(found, files=tuple(sorted({*found.files, *filter(discover.readable, self._read)})))
        self.notes: list[Note] = [*self.found.notes, *chosen.notes]
        self._listed = frozenset(self.found.files)
        if journal.left(scope.root):
            self.notes.append(Note(NoteKind.HINT, "a change of the project was cut off here; `querylint fix` finishes it", journal.JOURNAL))

    def read(self, path: str) -> bytes | None:
        """A file's bytes; one that cannot be read leaves a note."""
        if path not in self._listed:
            return None
        if path not in self._read:
            if path not in self._disk.read:
                self._disk.read[path] = discover.read(self.scope.root, path)
            data, note = self._disk.read[path]
            self._read[path] = data
            if note is not None:
                self.notes.append(note)
        return self._read[path]

    def release(self, path: str) -> None:
        """Let go of the bytes of a file, unless other looks use them: whoever asks for them after all has them read again."""
        data = self._read.get(path)
        if data is not None and self._alone:
            self._released[path] = self.kept.digest(path, data) if self.kept is not None else digest(data)
            if self.kept is not None:
                self.kept.forget(path)
            del self._read[path], self._disk.read[path]

    def _discovered(self) -> discover.Discovery:
        return discover.discover(self.scope, self.settings.exclude, prefix=self.settings.prefix)

    @property
    def contents(self) -> Mapping[str, bytes | None]:
        """The files that were read and not released, each with its bytes, or None where it could not be read."""
        return self._read

    def digests(self) -> dict[str, bytes | None]:
        """The digests of the files that were read, None where one could not be read."""
        kept = self.kept if self.kept is not None else KeptParts()
        known = {path: None if data is None else kept.digest(path, data) for path, data in self._read.items()}
        return self._released | known

    def moved(self) -> bool:
        """Whether there are other files by now than those that were found."""
        return self._discovered() != self.found

    @property
    def typescript(self) -> bool:
        """Whether there is TypeScript or JavaScript, of which some could be of Convex."""
        return any(file.endswith(rewrite.LANGUAGES["typescript"]) for file in self.found.files)

    def part(self, paths: Sequence[Path]) -> Part:
        """What lies under the paths, by which the scope was found."""
        files = [file for file in self.found.files if discover.within(file, self.scope.targets) and discover.source(file)]
        lowered = self.land.lowered
        declared = [span for s in lowered.schemas.values() for span in (s.span, *(t.span for t in s.tables.values()))]
        analysed = {*lowered.analysed, *(span.path for span in declared if span is not None)}
        python, typescript = (sum(file.endswith(rewrite.LANGUAGES[name]) for file in files) for name in ("python", "typescript"))
        return Part(
            tuple(str(path) for path in paths), all(path.is_dir() for path in paths), python, typescript,
            len(files) - python - typescript, sum(file in analysed for file in files), not self.scope.targets,
        )  # fmt: skip

    def role(self, path: str) -> Role:
        """What a file is for; tests count as code where the user says so."""
        if path not in self._roles:
            self._roles[path] = Role.CODE if self.settings.include_tests else discover.role(path)
        return self._roles[path]

    @property
    def land(self) -> Archipelago:
        """The project in the shared language, read when it is first asked for."""
        if self._land is None:
            self._land = self._lowered()
        return self._land

    def program(self) -> tuple[Program, Lowered]:
        """The whole project linked."""
        return self.land.whole, self.land.lowered

    def _lowered(self) -> Archipelago:
        front_ends: list[FrontEnd] = [
            make(self.found.files, self.found.generated, self.read, self.role, self.kept)
            for make in front_ends_for(self.found, self.release)
        ]
        sizes = {
            n: f.rows if f.rows is not None else SMALL_ROWS
            for n, f in self.settings.tables.items()
            if f.rows is not None or f.size is Size.SMALL
        }
        return Archipelago(together([front_end.lower() for front_end in front_ends]), sizes)

    def check(self, rules: Iterable[Rule], names: frozenset[str]) -> Result:
        """Judge the project, then leave out what the user silenced and what was not asked for.

        A finding counts as in a file that any point of its trail lies in.
        """
        targets = self.scope.targets
        return narrowed(self.whole(rules, names), lambda f: any(discover.within(path, targets) for path in places(f)))

    def whole(
        self, rules: Iterable[Rule], names: frozenset[str], *, fixes: bool = False, wanted: Callable[[Finding], bool] | None = None
    ) -> Result:
        """What is found in the project, whichever part of it the user named; `fixes` asks for edits as well, of those that are `wanted`."""
        lowered = self.land.lowered
        active = self.settings.active(names)
        rules = [r for r in rules if r.name in active]
        said = list(judged(self.land, rules, sorted(self.settings.severity.items()), self.kept, partial(self._judged, rules)))
        findings = filters.fingerprints(_ordered(f for one in said for f in one.findings))
        sources = self._sources(findings, lowered)
        findings, made = filters.hushed(findings, sources)
        findings = filters.reasoned(findings, sources)
        filtered = filters.apply(findings, sources, active, names, self.settings.require_reason)
        kept = [
            filters.weighed(f, self.settings.severity_of(f.rule, f.severity))
            for f in filtered.kept
            if f.rule in active and not self._silenced(f)
        ]
        if fixes:
            kept = self._mendable(kept, frozenset(made), wanted)
        notes = [
            *self.notes,
            *self._unmatched(said),
            *lowered.notes,
            *hints(lowered, self.typescript),
            *(_made_by_a_tool(path) for path in made),
        ]
        return Result(
            tuple(kept),
            tuple(sorted(set(notes), key=lambda n: (n.path, n.line, n.message))),
            summary([one.census for one in said], lowered, len(self.found.files), len(filtered.suppressed)),
            sources,
            tuple(lowered.schemas[key] for key in sorted(lowered.schemas)),
            (*rules, *_own(kept)),
            suppressed=filtered.suppressed,
        )

    def _unmatched(self, said: Iterable[Judged]) -> list[Note]:
        """What the settings name and the project does not have."""
        if not self.settings.named:
            return []
        from querylint.settings.unmatched import unmatched  # most projects name nothing

        known = {name for schema in self.land.lowered.schemas.values() for name in schema.tables}.union(
            *(one.census.tables for one in said)
        )
        return unmatched(self.settings, known, self.found.files, self.found.folders, self.found.idle)

    def _judged(self, rules: Iterable[Rule], program: Program) -> tuple[list[Finding], bool]:
        """What the rules say of an island, and whether none has failed."""
        before = len(self.notes)
        return self.judge(program, rules), len(self.notes) == before

    def judge(self, program: Program, rules: Iterable[Rule]) -> list[Finding]:
        """Run the rules. A rule that fails is a bug of ours: it is noted, and the others still speak."""
        found: list[Finding] = []
        for rule in rules:
            try:
                found.extend(self._stamp(rule, _told(program, hit)) for hit in rule.check(program))
            except Exception:  # one broken rule must not take the report of the others with it
                self.notes.append(Note(NoteKind.BUG, f"rule {rule.name} failed: {mishap()}; please report it"))
        return _ordered(once_for_each_choice(program, found))

    def mended(self, findings: Iterable[Finding]) -> list[Finding]:
        """Findings of this project with their fixes, for who needs those of a few only."""
        found = list(findings)
        written = {f.found.span.path: self.read(f.found.span.path) for f in found}
        made = frozenset(path for path, data in written.items() if data and filters.generated(data))
        return self._mendable(found, made, None)

    def _mendable(self, findings: Iterable[Finding], made: frozenset[str], wanted: Callable[[Finding], bool] | None) -> list[Finding]:
        """The findings, each with its fix or with the reason why there is none. A rewriter that fails is a bug of ours like any other.

        What a tool has `made` is left to that tool.
        """
        sources = rewrite.Sources(self.read, rewrite.unchanged(self._disk.parsed, self.read), self.found.files)
        offered: list[Finding] = []
        for finding in findings:
            if wanted is not None and not wanted(finding):
                offered.append(finding)
                continue
            try:
                answer = rewrite.propose(rewrite.Task(finding.found, self.land.whole, sources))
            except Exception:  # one broken rewriter must not take the report with it
                self.notes.append(Note(NoteKind.BUG, f"the fix for {finding.rule} failed: {mishap()}; please report it"))
                answer = rewrite.Unfit("the rewriter failed")
            if isinstance(answer, Fix) and made & set(answer.paths):
                answer = rewrite.Unfit("a tool writes this file, and would write it again")
            fit = None if isinstance(answer, rewrite.Unfit) else answer
            offered.append(replace(finding, fix=fit, unfit=answer.reason if isinstance(answer, rewrite.Unfit) else ""))
        self._disk.parsed = sources.parsed
        return offered

    def _stamp(self, rule: Rule, found: Found) -> Finding:
        own = found.severity or rule.severity
        return Finding(rule.name, rule.pattern, self.settings.severity_of(rule.name, own), found)

    def _silenced(self, finding: Finding) -> bool:
        """Whether the settings say nothing of this kind is wanted about this file or table."""
        found = finding.found
        return finding.rule in self.settings.ignored_in(found.span.path) or found.table in self.settings.ignore_tables

    def _sources(self, findings: Iterable[Finding], lowered: Lowered) -> dict[str, LineIndex]:
        paths = {*lowered.analysed, *(s.span.path for s in lowered.schemas.values() if s.span is not None)}
        paths |= {path for finding in findings for path in places(finding)}
        return {path: LineIndex(path, data) for path in sorted(paths) if (data := self._read.get(path)) is not None}


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by their places, each once: a query that ends in two places is one query."""
    unique: dict[tuple[object, ...], Finding] = {}
    for f in sorted(findings, key=lambda f: f.found.span):
        unique.setdefault((f.rule, f.found.span.path, f.found.span.line, f.found.span.column, f.found.message), f)
    return sorted(unique.values(), key=lambda f: (f.found.span, f.rule, f.found.message))


def _own(findings: Iterable[Finding]) -> tuple[Rule, ...]:
    """The pages of those findings that no rule has made."""
    names = {finding.rule for finding in findings} & filters.PSEUDO_RULES
    if not names:
        return ()
    from querylint.filters.own import OWN

    return tuple(rule for rule in OWN if rule.name in names)


def _told(program: Program, found: Found) -> Found:
    """A finding in the words of the stack that its place belongs to; a hint where that place hangs on an argument that nobody gives."""
    if not program.asked(found.span):
        found = demoted(found, "no call in the project gives the argument that leads here")
    function = program.functions.get(found.function)
    schema = program.schema(function) if function is not None else None
    if function is None:  # an index, which belongs to a table
        holding = [s for s in program.schemas.values() if found.table in s.tables]
        schema = holding[0] if len(holding) == 1 else None
    if schema is None:
        return found
    own = _declaring(schema, found.table) or (schema.dialect(function.key, function.path).stack if function is not None else schema.stack)
    found = replace(found, stack=own) if own != found.stack else found
    if function is None or program.facts(function).pages or found.remedy is None or not by_pages(found.remedy, found.stack):
        return found
    return replace(found, help="; ".join(filter(None, (found.help, UNPAGED))))


def _declaring(schema: Schema, table: str | None) -> str:
    """The one stack that declares a table; empty where that is not known."""
    declared = schema.tables.get(table) if table is not None else None
    return declared.stack if declared is not None else ""


def summary(counted: Iterable[Census], lowered: Lowered, files: int, suppressed: int = 0) -> Summary:
    """What was looked at, `counted` by island."""
    counts = list(counted)
    tables = [t for s in lowered.schemas.values() for t in s.tables.values() if t.declared]
    return Summary(
        lowered.roots,
        files,
        len(lowered.analysed),
        sum(one.functions for one in counts),
        sum(one.reads for one in counts),
        sum(one.writes for one in counts),
        len(tables),
        sum(1 for t in tables for i in t.indexes if not i.implicit and i.kind in IndexKind),
        suppressed,
        sum(one.unresolved for one in counts),
        tuple(dict.fromkeys(place for one in counts for place in one.unnamed)),
    )


def _made_by_a_tool(path: str) -> Note:
    return Note(NoteKind.HINT, "is generated, as its head says: warnings here are shown as hints", path)


def hints(lowered: Lowered, typescript: bool) -> list[Note]:
    """What a reader of a silent report should know; `typescript` says that some of the project could be of Convex."""
    notes: list[Note] = []
    if typescript and not lowered.roots:
        notes.append(
            Note(NoteKind.HINT, "no Convex functions folder was found (a convex/ folder with a schema or _generated, or convex.json)")
        )
    used = {root for file in lowered.files for root in file.outline.roots}
    for key, schema in sorted(lowered.schemas.items()):
        if not schema.tables and key in used:
            notes.append(Note(NoteKind.HINT, f"no schema was found for {key or 'the project root'}, so its indexes are not checked"))
    return notes
