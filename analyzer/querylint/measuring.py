"""What the functions of Convex backends take, on generated databases of several sizes, as they are and after their fixes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from fnmatch import fnmatchcase
from itertools import accumulate
from math import inf
from pathlib import Path

from querylint import discover, engine, mend
from querylint.benches import RUNNABLE, Tools, bench, modules, tools_of
from querylint.engine import Project
from querylint.errors import LabError
from querylint.evidence.budget import OF_SCALES, Budget, Excess
from querylint.evidence.costs import Call, Growth, Sample, exponent, growth
from querylint.evidence.recorded import Earlier, read
from querylint.ir import Function, Kind, Program, Role
from querylint.lab.scales import PASSES, Scales, Setting, Subject
from querylint.rewrite import LANGUAGES
from querylint.settings.values import Size

MOST_WORDS = 8
COMPARED = re.compile(r"\.(\w+)\s*[!=]==?\s*[\"']([^\"'\\\n]{1,40})[\"']")
EQUAL = re.compile(r"\beq\(\s*(?:\w+\.field\()?\s*[\"'](\w+)[\"']\s*\)?\s*,\s*[\"']([^\"'\\\n]{1,40})[\"']")
INCLUDED = re.compile(r"\[((?:\s*[\"'][^\"'\\\n]{1,40}[\"']\s*,?)+)\]\s*(?:as const\s*)?\.includes\(\s*[\w.!?]*\.(\w+)")
QUOTED = re.compile(r"[\"']([^\"'\\\n]{1,40})[\"']")

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is measured: which functions (globs of their names; empty means all), on tables of which sizes, after which fixes.

    `packages` is a folder with a `node_modules` that holds convex-test, `install` puts them into the cache folder of the user first.
    `against` is the JSON of another run, which this one is compared with. What takes more than `budget` and the settings allow fails, and
    what grows like `slowest` or faster, but for what grew no slower there.
    """

    sizes: tuple[int, ...]
    unsafe: bool = False
    only: tuple[str, ...] = ()
    packages: Path | None = None
    install: bool = False
    without_baseline: bool = False
    against: Path | None = None
    budget: Budget = field(default_factory=Budget)
    slowest: Growth | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One function: what the call takes that it was measured by, as it is and after the fixes; `after` is empty where there are none.

    `reason` says why no call of it could be measured.
    """

    function: Function
    call: Call | None = None
    before: tuple[Sample, ...] = ()
    after: tuple[Sample, ...] = ()
    reason: str = ""

    @property
    def name(self) -> str:
        """The route of the function, by which remote callers know it."""
        return self.function.route or ""

    @property
    def runs(self) -> bool:
        """Whether anything was measured."""
        return any(sample.cost is not None for sample in self.before)


@dataclass(frozen=True, slots=True)
class TooFast:
    """A function of which a measure grows faster than it may; `was` is how it grew in the other run, None where that is not known."""

    function: Measured
    measure: str
    growth: Growth
    was: Growth | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of it. `fixes` were made for the state after; `unsafe` is the number of those that `--unsafe` would make as well.

    `earlier` is the other run: its file, and what functions took there, by backend and name.
    """

    functions: tuple[Measured, ...]
    sizes: tuple[int, ...]
    fixes: int
    unsafe: int
    broken: bool
    earlier: Earlier | None = None
    excess: tuple[Excess, ...] = ()
    too_fast: tuple[TooFast, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether something takes or grows more than it may."""
        return bool(self.excess or self.too_fast)


def measure(paths: Sequence[Path], config: Path | None, overrides: dict[str, object], choice: Choice, told: Told) -> Measurement:
    """Measure the functions of a project; `told` hears of each step that is done, and how many there are at most.

    This runs code of the project. Raises LabError where Node or a package is missing, where there is no function of Convex, where `only`
    names none, and where `against` cannot be read.
    """
    earlier = read(choice.against) if choice.against is not None else None
    tools = tools_of(choice.packages, install=choice.install)
    rules = engine.load_rules()
    scope = discover.locate(paths)
    project = Project(scope, engine.settings_for(scope.root, rules, config, overrides))
    program, _ = project.program()
    runnable = [f for f in program.functions.values() if f.kind in RUNNABLE and f.route and f.role is not Role.TEST]
    every = sorted(runnable, key=lambda function: (function.root, function.route or ""))
    chosen = [function for function in every if _wanted(project, function, choice.only)]
    if not chosen:
        asked = " or ".join(f"`{name}`" for name in choice.only)
        raise LabError(f"no function of Convex is called {asked}" if choice.only else "there is no function of Convex to measure")
    mended = mend.mend(paths, config, overrides, mend.Choice(unsafe=choice.unsafe, without_baseline=choice.without_baseline))
    changed = {path: data for path, data in mended.after.items() if path.endswith(LANGUAGES["typescript"])}
    roots = list(dict.fromkeys(function.root for function in chosen))
    progress = _Progress(told, len(chosen) * (1 + 2 * len(choice.sizes)) + PASSES * len(roots))
    measured: list[Measured] = []
    for root in roots:
        own = [function for function in every if function.root == root]
        wanted = [function for function in chosen if function.root == root]
        measured += _Backend(project, program, tools, choice, progress.step).run(root, own, wanted, changed)
    made = sum(1 for made in mended.made if any(path in changed for path in made.fix.paths))
    waiting = sum(1 for left in mended.left if left.waiting is not None and left.waiting.paths[0].endswith(LANGUAGES["typescript"]))
    excess = tuple(_exceeding(measured, project.settings.budget.joined(choice.budget)))
    fast = tuple(_too_fast(measured, choice.slowest, earlier)) if choice.slowest is not None else ()
    return Measurement(tuple(measured), choice.sizes, made, waiting, mended.result.broken, earlier, excess, fast)


@dataclass(slots=True)
class _Progress:
    told: Told
    every: int
    done: int = 0

    def step(self) -> None:
        self.done += 1
        self.told(self.done, self.every)


def _exceeding(functions: Sequence[Measured], budget: Budget) -> Iterator[Excess]:
    """What takes more than it may as it is, on the largest tables; what Convex would not let go on takes more than anything."""
    for measured in functions:
        for measure, allowed in budget.of(measured.name).items():
            if measure not in OF_SCALES or not measured.before:
                continue
            last = measured.before[-1]
            found = inf if last.over else last.cost.of(OF_SCALES[measure]) if last.cost is not None else 0
            if found > allowed:
                yield Excess(measured.name, measure, allowed, found)


def _too_fast(functions: Sequence[Measured], slowest: Growth, earlier: Earlier | None) -> Iterator[TooFast]:
    """What grows like `slowest` or faster as it is, but for what grew no slower in the other run."""
    for measured in functions:
        then = earlier.functions.get((measured.function.root, measured.name), ()) if earlier is not None else ()
        for measure in OF_SCALES.values():
            now, was = growth(exponent(measured.before, measure)), growth(exponent(then, measure))
            if now is not None and now.rank >= slowest.rank and (was is None or was.rank < now.rank):
                yield TooFast(measured, measure, now, was)


def _wanted(project: Project, function: Function, only: tuple[str, ...]) -> bool:
    """Whether a function lies in what is looked at, and is called what is asked for."""
    named = not only or any(fnmatchcase(name, glob) for glob in only for name in (function.route or "", function.name, function.path))
    return named and discover.within(function.path, project.scope.targets)


def _touched(project: Project, program: Program, changed: Mapping[str, bytes]) -> set[str]:
    """The functions that may run something that the fixes change, by key: those that lead to a function in whose text a line changes."""
    found: set[str] = set()
    for path, data in changed.items():
        places = list(_differing(project.read(path) or b"", data))
        own = [f for f in program.functions.values() if f.path == path and f.kind is not Kind.MODULE]
        keys = {f.key for f in own for start, end in places if f.span.start < end and start < f.span.end}
        found |= keys | {entry.key for key in keys for entry in program.entries(key)}
    return found


def _differing(old: bytes, new: bytes) -> Iterator[tuple[int, int]]:
    """The stretches of a text in which it is not what it becomes, in bytes; where something is only added, the lines around it."""
    lines, others = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0, *accumulate(len(line) for line in lines)]
    for tag, first, last, _, _ in SequenceMatcher(None, lines, others, autojunk=False).get_opcodes():
        if tag != "equal":
            yield starts[max(0, first - 1)], starts[min(len(lines), last + 1)]


@dataclass(slots=True)
class _Backend:
    """One backend of the project on its bench."""

    project: Project
    program: Program
    tools: Tools
    choice: Choice
    step: Callable[[], None]
    files: tuple[str, ...] = field(default=(), init=False)

    def run(self, root: str, every: Sequence[Function], wanted: Sequence[Function], changed: Mapping[str, bytes]) -> Iterator[Measured]:
        """Bundle it once as it is and once after the fixes, and measure the functions that are `wanted` in both.

        What there is to be found is learned from `every` function, so that a part is measured as the whole is.
        """
        self.files = modules(self.project, root, nodes=any(not function.kind.transactional for function in every))
        schema = self.program.schemas.get(root)
        declared = schema.span.path if schema is not None and schema.span is not None else None
        setting = Setting(len(schema.tables) if schema is not None else 0, self.choice.sizes, self._most(), self._words())
        subjects = {function.key: Subject(function.route or "", self._near(function)) for function in every}
        with bench(self.project, self.tools, root) as made:
            scales = Scales(made, setting, tuple(subjects.values()), tuple(subjects[function.key] for function in wanted), self.step)
            try:
                before = made.bundle({}, self.files, declared)
            except LabError as error:
                yield from (Measured(function, reason=str(error)) for function in wanted)
                return
            calls = scales.calls(before)
            found = {name: call for name, call in calls.items() if isinstance(call, Call)}
            was = scales.measured(before, found)
            now: dict[str, tuple[Sample, ...]] = {}
            if any(path.startswith(f"{root}/" if root else "") for path in changed):
                touched = {subjects[key].function for key in _touched(self.project, self.program, changed) if key in subjects}
                same = {name: samples for name, samples in was.items() if name not in touched}
                now = scales.measured(made.bundle(changed, self.files, declared), found, same)
        for function in wanted:
            name = subjects[function.key].function
            call = calls[name]
            if isinstance(call, Call):
                yield Measured(function, call, was[name], now.get(name, ()), "" if was[name][0].cost else was[name][0].trouble)
            else:
                yield Measured(function, reason=call)

    def _near(self, function: Function) -> tuple[str, ...]:
        """The tables that a function uses, the one that it uses first before the others."""
        tables = (effect.access.table for effect in self.program.effects.get(function.key, ()))
        return tuple(dict.fromkeys(table for table in tables if table is not None))

    def _most(self) -> dict[str, int]:
        """The tables that the settings say are small, with the rows that they get at most."""
        facts = self.project.settings.tables
        least = self.choice.sizes[0]
        return {
            name: max(1, one.rows) if one.rows is not None else least
            for name, one in facts.items()
            if one.rows is not None or one.size is Size.SMALL
        }

    def _words(self) -> dict[str, list[str]]:
        """The texts that the code compares fields with, by the name of the field."""
        found: dict[str, dict[str, None]] = {}
        for path in self.files:
            text = (self.project.read(path) or b"").decode("utf-8", "replace")
            for name, word in (*COMPARED.findall(text), *EQUAL.findall(text)):
                found.setdefault(name, {}).setdefault(word)
            for words, name in INCLUDED.findall(text):
                for word in QUOTED.findall(words):
                    found.setdefault(name, {}).setdefault(word)
        return {name: list(words)[:MOST_WORDS] for name, words in found.items()}
