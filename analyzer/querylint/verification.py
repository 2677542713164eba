"""Fixes tried out: the functions that each would change are run before and after it, in the lab."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from querylint import discover, engine, filters, review
from querylint.benches import RUNNABLE, Tools, bench, modules, tools_of
from querylint.engine import Project
from querylint.errors import LabError
from querylint.ir import Function, Kind, Program
from querylint.lab.experiment import Experiment
from querylint.lab.marks import marked
from querylint.lab.trial import Freedom, Outcome, Trial
from querylint.patch import Fix, Safety
from querylint.report.order import by_place
from querylint.rewrite import LANGUAGES, edits
from querylint.rewrite.typescript import drop_index, gather, hoist, loops, memory_filter, push_down, ranges
from querylint.rule import Finding, Rule

MOST_FUNCTIONS = 3
"""Through how many registered functions one fix is tried; more would seldom tell more."""
MOST_WORDS = 24
TEXT = re.compile(rb"\"([^\"\\\n]{1,40})\"|'([^'\\\n]{1,40})'")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which fixes are tried, on which cases.

    `only` names places (`file:line`) and functions; empty means all. `packages` is a folder with a `node_modules` that holds convex-test,
    `install` puts them into the cache folder of the user first.
    """

    cases: int
    seed: int
    unsafe: bool = False
    select: frozenset[str] | None = None
    only: tuple[str, ...] = ()
    packages: Path | None = None
    install: bool = False
    without_baseline: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """One fix, and what came of each function that it was tried through; `reason` says why there are none.

    `lines` are those statements that it changes which tell whether they ran.
    """

    finding: Finding
    fix: Fix
    outcomes: tuple[Outcome, ...] = ()
    reason: str = ""
    lines: tuple[str, ...] = ()

    @property
    def unreached(self) -> tuple[str, ...]:
        """The changed lines that no case ran which succeeds."""
        reached = {line for outcome in self.outcomes for line in outcome.reached}
        return tuple(line for line in self.lines if line not in reached)

    @property
    def state(self) -> str:
        """`verified`, `differs`, or `not run`."""
        if any(outcome.difference is not None for outcome in self.outcomes):
            return "differs"
        return "verified" if any(outcome.verified for outcome in self.outcomes) and not self.unreached else "not run"


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of it. `python` is the number of fixes of Python code, which are not tried; `unsafe` of those that `--unsafe` would try."""

    checks: tuple[Verified, ...]
    python: int
    unsafe: int
    broken: bool


def verify(
    paths: Sequence[Path], config: Path | None, overrides: dict[str, object], choice: Choice, told: Callable[[Verified], None]
) -> Verification:
    """Try the fixes of a project; each is `told` as soon as it has been.

    This runs code of the project. Raises LabError where Node or a package is missing, and where `only` names nothing.
    """
    tools = tools_of(choice.packages, install=choice.install)
    rules = engine.load_rules()
    scope = discover.locate(paths)
    if choice.select:
        engine.settings_for(scope.root, rules, config, {**overrides, "select": sorted(choice.select)})
    project = Project(scope, engine.settings_for(scope.root, rules, config, overrides))
    findings, broken = _findings(project, rules, choice)
    convex = [f for f in findings if f.fix is not None and f.fix.paths[0].endswith(LANGUAGES["typescript"])]
    wanted = [f for f in convex if f.fix is not None and (choice.unsafe or f.fix.safety is Safety.SAFE)]
    if not wanted:
        return Verification((), len(findings) - len(convex), len(convex), broken)
    lab = _Lab(project, tools, choice)
    checks = []
    try:
        for finding in wanted:
            checks.append(lab.check(finding))
            told(checks[-1])
    finally:
        lab.close()
    return Verification(tuple(checks), len(findings) - len(convex), len(convex) - len(wanted), broken)


def freedom(caveats: Iterable[str]) -> Freedom:
    """What a fix may do differently, by its caveats."""
    said = frozenset(caveats)
    order = bool(said & {ranges.OTHER_ORDER, drop_index.OTHER_ORDER})
    return Freedom(
        order=order,
        errors=order or bool(said & {gather.SEVERAL_ERRORS, loops.MANY_ERRORS}),
        numbers=memory_filter.NUMBERS in said,
        reads=hoist.EMPTY in said,
        pages=push_down.CURSORS in said,
    )


def trial(project: Project, functions: Sequence[Function], changed: dict[str, bytes], caveats: Iterable[str]) -> Trial:
    """A change of the project's files, to be tried through registered functions of one backend."""
    program, _ = project.program()
    root = functions[0].root
    schema = program.schemas.get(root)
    declared = schema.span.path if schema is not None and schema.span is not None else None
    nodes = any(function.kind is Kind.ACTION for function in functions)
    return Trial(
        tuple(function.route or "" for function in functions),
        changed,
        modules(project, root, nodes=nodes),
        declared,
        freedom(caveats),
        tuple(_words(project, functions)),
        _tables(program, functions),
    )


def _findings(project: Project, rules: Sequence[Rule], choice: Choice) -> tuple[list[Finding], bool]:
    """What has a fix that may be applied, and is asked for."""
    result = engine.run(partial(project.whole, fixes=True), rules)
    known = () if choice.without_baseline else review.usual_baseline(project.scope.root) or ()
    fixable = [f for f in filters.compare(result.findings, known).new if f.fix is not None and f.fix.safety is not Safety.DISPLAY]
    shown = [f for f in fixable if f.severity.rank >= project.settings.show.rank and (choice.select is None or f.rule in choice.select)]
    inside = [f for f in shown if any(discover.within(path, project.scope.targets) for path in engine.places(f))]
    named = [f for f in inside if not choice.only or any(_named(project, f, name) for name in choice.only)]
    if choice.only and not named:
        raise LabError(f"no fix belongs to {' or '.join(f'`{name}`' for name in choice.only)}; `querylint fix --diff --unsafe` lists them")
    return by_place(named), result.broken


def _named(project: Project, finding: Finding, name: str) -> bool:
    """Whether `file:line` or the name of a function means this finding."""
    path, _, line = name.rpartition(":")
    span = finding.found.span
    if line.isdigit():
        real = os.path.relpath(os.path.realpath(path), project.scope.root).replace(os.sep, "/")
        return int(line) == span.line and span.path in (path, real)
    function = project.program()[0].functions.get(finding.found.function)
    return function is not None and name in (function.name, function.route, function.key)


def _tables(program: Program, functions: Sequence[Function]) -> tuple[str, ...] | None:
    """The tables that some functions use; None where that cannot be told."""
    found: set[str] = set()
    for function in functions:
        for effect in program.effects.get(function.key, ()):
            if effect.access.table is None:
                return None
            found.add(effect.access.table)
        if function.kind is Kind.ACTION or program.remotes.get(function.key):
            return None
    return tuple(sorted(found))


def _words(project: Project, functions: Sequence[Function]) -> Iterator[str]:
    """Texts that stand in the files of some functions, the functions' own first: what their code compares with."""
    found: dict[str, None] = {}
    for function in functions:
        data = project.read(function.path) or b""
        for part in (data[function.span.start : function.span.end], data):
            for double, single in TEXT.findall(part):
                text = (double or single).decode("utf-8", "replace")
                if not text.startswith((".", "@", "convex/")):
                    found.setdefault(text)
    yield from list(found)[:MOST_WORDS]


@dataclass(slots=True)
class _Lab:
    """The benches of a run, one for each backend that the project holds."""

    project: Project
    tools: Tools
    choice: Choice
    experiments: dict[str, Experiment] = field(default_factory=dict)

    def check(self, finding: Finding) -> Verified:
        """Try one fix by itself."""
        assert finding.fix is not None
        program, _ = self.project.program()
        functions = _through(program, finding)
        if not functions:
            return Verified(finding, finding.fix, reason="no registered function that can be called leads to it")
        sources = {path: data for path in finding.fix.paths if (data := self.project.read(path)) is not None}
        changed, lines = marked(edits.edited(sources, [finding.fix]), edits.placed(sources, finding.fix))
        asked = replace(trial(self.project, functions, changed, finding.fix.caveats), marks=lines)
        seeds = range(self.choice.seed, self.choice.seed + self.choice.cases)
        return Verified(finding, finding.fix, tuple(self._experiment(functions[0].root).run(asked, seeds)), lines=lines)

    def close(self) -> None:
        """Take the benches down."""
        for experiment in self.experiments.values():
            experiment.bench.close()

    def _experiment(self, root: str) -> Experiment:
        if root not in self.experiments:
            self.experiments[root] = Experiment(bench(self.project, self.tools, root))
        return self.experiments[root]


def _through(program: Program, finding: Finding) -> list[Function]:
    """The registered functions that run what a fix changes: those of its function, or those that read the table of its index."""
    key = finding.found.function
    keys = [key] if key else sorted({site.function.key for site, access in program.reads() if access.table == finding.found.table})
    if key and key not in program.functions:
        return []
    found = {f.key: f for k in keys for f in program.hosts(k) if f.kind in RUNNABLE and f.route}
    if not found:
        found = {f.key: f for k in keys for f in program.entries(k) if f.kind in RUNNABLE and f.route}
    first = next(iter(found.values()), None)
    return [f for f in found.values() if first is not None and f.root == first.root][:MOST_FUNCTIONS]
