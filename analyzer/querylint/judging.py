"""What the rules say of one island of a project, and the same from an earlier look, where all that they see is as it was."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from querylint.cache import parts
from querylint.cache.digest import digest
from querylint.construction import dataclass
from querylint.frontends.kept import KeptParts
from querylint.frontends.lowered import Lowered, LoweredFile
from querylint.frontends.packed import UnpackableError, packed, signature, unpacked
from querylint.ir import Branch, Call, Program, Schema, Target
from querylint.ir.program import place
from querylint.link import Island, Routes, islands, link, merged
from querylint.rule import Finding, Rule

MOST_LINKED = 10_000
"""How many functions of linked islands are kept at hand."""


@dataclass(frozen=True, slots=True)
class Census:
    """What there is on an island: functions that somebody calls, reads and writes, those of unknown tables, and the tables accessed.

    `unnamed` are the places of those whose table is not known.
    """

    functions: int = 0
    reads: int = 0
    writes: int = 0
    unresolved: int = 0
    tables: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say of an island, before anybody is asked whether it is wanted, and what there is."""

    findings: tuple[Finding, ...]
    census: Census


def census(program: Program) -> Census:
    """What there is in a program."""
    reads = [a for _, a in program.reads()]
    writes = [a for _, a in program.writes()]
    unnamed = [a.span for a in (*reads, *writes) if a.table is None]
    return Census(
        sum(1 for f in program.functions.values() if f.route is not None or not program.facts(f).once),
        len(reads),
        len(writes),
        len(unnamed),
        tuple(sorted({a.table for a in (*reads, *writes) if a.table is not None})),
        tuple(map(place, sorted(set(unnamed), key=lambda span: (span.path, span.line)))),
    )


def once_for_each_choice(program: Program, findings: list[Finding]) -> list[Finding]:
    """Findings, those at a call of one of several functions once where the same is to be done about each of these: the most severe one."""
    together: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        found = finding.found
        if found.remedy is not None:
            together.setdefault((finding.rule, found.function, found.span, found.remedy), []).append(finding)
    dropped: set[int] = set()
    for (_, function, span, _), same in together.items():
        if len(same) > 1 and function in program.functions and len(_called_at(program, str(function), span)) > 1:
            first = max(same, key=lambda finding: finding.severity.rank)
            dropped.update(id(finding) for finding in same if finding is not first)
    return [finding for finding in findings if id(finding) not in dropped]


def _called_at(program: Program, function: str, span: object) -> set[Target]:
    """The functions that the calls at one place may reach, of which one is called: each in an arm of its own."""
    for step in program.functions[function].steps():
        if isinstance(step, Branch) and step.span == span:
            return {inner.target for arm in step.arms for inner in arm if isinstance(inner, Call) and inner.span == span}
    return set()


class Archipelago:
    """A lowered project, island by island. An island is linked when somebody asks for it, and that may be never.

    `rows` are the sizes of tables that the user stated.
    """

    def __init__(self, lowered: Lowered, rows: Mapping[str, int]) -> None:
        self.lowered = lowered
        self._rows = rows
        self._files: dict[str, LoweredFile] = {file.path: file for file in lowered.files}
        outlines = {path: file.outline for path, file in self._files.items()}
        self._routes = Routes(outlines.values(), lowered.aliases)
        self.islands = islands(outlines, lowered.schemas, self._routes)
        self._linked: dict[Island, Program] = {}
        self._functions = 0

    def program(self, island: Island) -> Program:
        """The program of one island. Of a large project those that were linked first are dropped, and linked again for who comes back."""
        if island not in self._linked:
            while self._linked and self._functions > MOST_LINKED:
                self._functions -= len(self._linked.pop(next(iter(self._linked))).functions)
            functions = [function for path in island.paths for function in self._files[path].functions.value]
            schemas = {root: self.lowered.schemas[root] for root in island.roots}
            self._linked[island] = link(functions, schemas, self._routes, *self._named(island), self._rows)
            self._functions += len(functions)
        return self._linked[island]

    @cached_property
    def whole(self) -> Program:
        """The program of the whole project."""
        keys = (key for file in self.lowered.files for key in file.outline.keys)
        return merged([self.program(island) for island in self.islands], dict.fromkeys(keys))

    def _named(self, island: Island) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Of the names that stand somewhere in the project those that mean something of the island: indexes, functions, routes."""
        outlines = [self._files[path].outline for path in island.paths]
        routes = {route for outline in outlines for _, route, _ in outline.routes}
        keys = {key for outline in outlines for key in outline.keys}
        indexes = {i.name for root in island.roots for table in self.lowered.schemas[root].tables.values() for i in table.indexes}
        lowered = self.lowered
        return lowered.words & indexes, lowered.mentioned & (routes | keys), lowered.manual & routes

    def sign(self, island: Island) -> bytes:
        """A short name for all that the program of an island is made of. Raises UnpackableError where that cannot be written down."""
        files = [self._files[path] for path in island.paths]
        remote = [(*one, self._routes.remote(*one)) for file in files for one in file.outline.remote]
        words = repr(([*map(sorted, self._named(island))], sorted(self._rows.items()), remote, island.roots, island.paths))
        schemas = [signature(Schema, self.lowered.schemas[root]) for root in island.roots]
        return digest(b"\0".join((words.encode("utf-8", "surrogateescape"), *map(digest, schemas), *(f.functions.sign for f in files))))


def judged(
    land: Archipelago, rules: Sequence[Rule], words: object, kept: KeptParts | None, judge: Callable[[Program], tuple[list[Finding], bool]]
) -> Iterator[Judged]:
    """What the rules say of each island: as it was kept where all that they see is as it was, else what `judge` finds, which says too
    whether it may be kept.

    `words` is whatever else decides what is found, by its `repr`.
    """
    if kept is None:
        for island in land.islands:
            program = land.program(island)
            yield Judged(tuple(judge(program)[0]), census(program))
        return
    spoken: dict[bytes, bytes] = {}
    code = digest(repr((words, [rule.name for rule in rules], sorted(_packs(rules)))).encode("utf-8", "surrogateescape"))
    for island in land.islands:
        try:
            key = digest(code + land.sign(island))
            one: Judged | None = unpacked(Judged, kept.judged[key]) if key in kept.judged else None
        except UnpackableError:
            key, one = b"", None
        if one is None:
            program = land.program(island)
            findings, whole = judge(program)
            one = Judged(tuple(findings), census(program))
            if key and whole:
                spoken[key] = packed(Judged, one)
        else:
            spoken[key] = kept.judged[key]
        yield one
    kept.speak(spoken)


def _packs(rules: Iterable[Rule]) -> set[str]:
    """The code of the rules as it lies on the disk."""
    found: set[str] = set()
    for name in {rule.check.__module__.partition(".")[0] for rule in rules}:
        for folder in getattr(sys.modules.get(name), "__path__", ()):
            found.update(parts.stamps(os.path.abspath(folder)))
    return found
