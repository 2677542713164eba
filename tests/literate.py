"""Literate fixtures: a heading is a test, a fence is a file, a comment at the end of a line is an expectation.

The fences under one heading make one little repository. A fence begins with a comment that names its path; a `toml` fence without a
path holds the settings. `// expect: rule-name "words of the message"` (or `# expect:`) stands on the line where a finding starts; what
is not expected must not be found. Code under a functions folder may leave out the imports that every such file has: those of names
that it uses and does not define are added below its last line, so that fixtures stay short and lines keep their numbers.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from laid import lay
from querylint import settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.filters import PSEUDO_RULES
from querylint.result import NoteKind, Result
from querylint.rule import Rule

HEADING = re.compile(r"^(#{1,6}) (\S.*)$")
FENCE = re.compile(r"^```(\S*)$")
PATH = re.compile(r"^(?://|#|--|\{#) ([\w./@#\[\]-]+\.\w+)(?: #\})?$")
EXPECT = re.compile(r'(?://|#|--|\{/\*) expect: ([a-z][a-z-]*)(?: "([^"]+)")?(?: \*/\}| #\})?(?=$| (?://|#|--|\{/\*) expect: )')
CODE = frozenset(("ts", "tsx", "mts", "js", "jsx", "mjs", "py"))
OTHER = frozenset(("json", "jsonc", "html"))
SCRIPTS = frozenset(("sql",))
DECLARING = re.compile(r"^(?:schema|convex\.config)\.\w+$")
SETTINGS = "querylint.toml"
IMPORTS = {
    "_generated/server": ("query", "mutation", "action", "internalQuery", "internalMutation", "internalAction", "httpAction"),
    "_generated/api": ("api", "internal", "components"),
    "convex/server": ("defineSchema", "defineTable", "defineComponent", "defineApp", "cronJobs", "httpRouter", "paginationOptsValidator"),
    "convex/values": ("v",),
}


class FixtureError(AssertionError):
    """A fixture that would test something else than it says."""


@dataclass(frozen=True)
class Expected:
    """One finding that a fixture asks for."""

    path: str
    line: int
    rule: str
    words: str


@dataclass
class Case:
    """One little repository. `headings` lead to it from the top of the page."""

    headings: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return " > ".join(self.headings[1:]) or self.headings[0]

    @property
    def stack(self) -> str:
        return self.headings[1] if len(self.headings) > 1 else ""

    @property
    def code(self) -> tuple[str, ...]:
        return tuple(path for path in self.files if path.rpartition(".")[2] in CODE)

    def expected(self) -> list[Expected]:
        """What the comments ask for, in the order of the places."""
        found = []
        for path, text in self.files.items():
            for number, line in enumerate(text.splitlines(), 1):
                hits = list(EXPECT.finditer(line))
                if len(hits) != line.count("expect:"):
                    raise FixtureError(f"{self.title}: {path}:{number}: cannot read the expectation in {line.strip()!r}")
                found += [Expected(path, number, hit[1], hit[2] or "") for hit in hits]
        return sorted(found, key=lambda e: (e.path, e.line, e.rule))

    def written(self, path: str) -> str:
        """A file with the imports that go without saying."""
        text = self.files[path]
        root = self._root(path)
        if root is None or path.rpartition(".")[2] not in CODE - {"py"}:
            return text
        up = posixpath.relpath(root or ".", posixpath.dirname(path) or ".")
        lines = []
        for source, names in IMPORTS.items():
            used = [name for name in names if _uses(text, name)]
            if used:
                place = f"{up}/{source}" if source.startswith("_") else source
                lines.append(f'import {{ {", ".join(used)} }} from "{place}";')
        return text + "".join(f"{line}\n" for line in lines)

    def _root(self, path: str) -> str | None:
        folder = posixpath.dirname(path)
        while True:
            inside = {posixpath.basename(p) for p in self.files if posixpath.dirname(p) == folder}
            if posixpath.basename(folder) == "convex" or any(DECLARING.match(name) for name in inside):
                return folder
            if not folder:
                return None
            folder = posixpath.dirname(folder)


def _uses(text: str, name: str) -> bool:
    used = rf"(?<![\w.$]){name}\." if name in ("api", "internal", "components", "v") else rf"(?<![\w.$]){name}\("
    known = rf"import\b[^;]*\b{name}\b|\b(?:const|let|var|function|class)\s+{name}\b"
    return re.search(used, text) is not None and re.search(known, text) is None


def cases(text: str) -> Iterator[Case]:
    """The cases of one page."""
    trail: tuple[str, ...] = ()
    case: Case | None = None
    block: list[str] | None = None
    language = ""
    seen: set[tuple[str, ...]] = set()
    for line in text.splitlines():
        if block is not None:
            if line != "```":
                block.append(line)
                continue
            if case is None:
                case = Case(trail)
            path, content = _file(language, block, trail)
            if path in case.files:
                raise FixtureError(f"{case.title}: two fences for {path}")
            case.files[path] = content
            block = None
        elif fence := FENCE.match(line):
            language, block = fence[1], []
            if not trail:
                raise FixtureError("a fence must stand under a heading")
        elif heading := HEADING.match(line):
            if case is not None:
                yield case
            case = None
            trail = (*trail[: len(heading[1]) - 1], heading[2])
            if trail in seen:
                raise FixtureError(f"two headings read {' > '.join(trail)!r}")
            seen.add(trail)
        elif "expect:" in line and "`" not in line:
            raise FixtureError(f"an expectation outside of a fence: {line!r}")
    if block is not None:
        raise FixtureError(f"{' > '.join(trail)}: a fence is not closed")
    if case is not None:
        yield case


def _file(language: str, block: list[str], trail: tuple[str, ...]) -> tuple[str, str]:
    where = " > ".join(trail)
    if language not in CODE | OTHER | SCRIPTS | {"toml"}:
        raise FixtureError(f"{where}: a fence of language {language!r}, which nobody reads")
    found = PATH.match(block[0]) if block else None
    if found is None:
        if language == "toml" and block:
            return SETTINGS, "\n".join(block) + "\n"
        raise FixtureError(f"{where}: a fence must open with its path, got {block[:1]!r}")
    path = found[1]
    suffix = path.rpartition(".")[2]
    if language in CODE and (suffix not in CODE or (suffix == "py") != (language == "py")):
        raise FixtureError(f"{where}: {path} is no {language} file")
    lines = block[1:] if language in OTHER - {"html"} else block
    return path, "\n".join(lines) + "\n"


def run(case: Case, rule: Rule, names: frozenset[str], folder: Path) -> Result:
    """Write the little repository to disk and judge it by one rule, as the engine does."""
    if not case.code:
        raise FixtureError(f"{case.title}: there is no code in this case")
    lay(folder, {path: case.written(path) for path in case.files})
    known = names | PSEUDO_RULES
    project = Project(Scope(folder), settings.load(folder, rule_names=known))
    _, lowered = project.program()
    declared = {s.span.path for s in lowered.schemas.values() if s.span is not None}
    for path in case.code:
        name = posixpath.basename(path)
        read = path in declared if name.startswith("schema.") else name.startswith("convex.config.") or path in lowered.analysed
        if not read:
            raise FixtureError(f"{case.title}: no front end has read {path}")
    if not lowered.functions and any(not DECLARING.match(posixpath.basename(p)) for p in case.code):
        raise FixtureError(f"{case.title}: no function was found")
    result = project.check([rule], known)
    for note in result.notes:
        if note.kind in (NoteKind.BUG, NoteKind.PARSE) or (note.kind is NoteKind.READ and note.path in case.files):
            raise FixtureError(f"{case.title}: {note.path}:{note.line}: {note.message}")
    return result
