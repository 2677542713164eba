"""Literate fixtures of fixes: a little repository before, and under a heading `after` the files that change.

On the line of a finding stands `// fix: rule-name safe`, `// fix: rule-name unsafe "words of a caveat"` or `// no edit: rule-name "words of
the reason"` (`#` in Python, `{# #}` in templates). The marks are no part of the files. Files under the heading of a stack itself belong to
every case below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from literate import Case, FixtureError, cases

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "fixtures/fixes").glob("*.md"))
MARK = re.compile(r' *(?://|#|\{#) (fix|no edit): ([a-z-]+)(?: (safe|unsafe))?(?: "([^"]+)")?(?: #\})?$')


@dataclass(frozen=True)
class Mark:
    """What is to become of one finding."""

    path: str
    line: int
    rule: str
    level: str
    words: str


@dataclass
class FixCase:
    """One case: the files before, the files that change, and the marks."""

    page: str
    stack: str
    title: str
    before: dict[str, str]
    after: dict[str, str] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.page}: {self.title}" if self.stack == "Convex" else f"{self.page}: {self.stack}: {self.title}"


def fix_cases() -> Iterator[FixCase]:
    """Every case of every page."""
    for page in PAGES:
        found: dict[tuple[str, ...], FixCase] = {}
        common: dict[str, dict[str, str]] = {}
        for case in cases(page.read_text(encoding="utf-8")):
            if len(case.headings) == 2:
                common[case.stack] = dict(case.files)
            elif case.headings[-1] == "after":
                found[case.headings[:-1]].after.update({path: case.written(path) for path in case.files})
            else:
                case.files = {**common.get(case.stack, {}), **case.files}
                found[case.headings] = _before(page.stem, case)
        for case in found.values():
            for path in case.after.keys() - case.before.keys():  # a file that is new has no line of the page in it
                case.after[path] = case.after[path].partition("\n")[2]
            if bool(case.after) != any(mark.level for mark in case.marks):
                raise FixtureError(f"{case.name}: what comes after does not fit the marks")
            yield case


def _before(page: str, case: Case) -> FixCase:
    made = FixCase(page, case.stack, case.headings[-1], {})
    for path, text in case.files.items():
        lines = []
        for number, line in enumerate(text.splitlines(), 1):
            mark = MARK.search(line)
            if mark is None and any(f"{sign} {word}:" in line for sign in ("//", "#", "{#") for word in ("fix", "no edit")):
                raise FixtureError(f"{made.name}: {path}:{number}: cannot read the mark in {line.strip()!r}")
            if mark is not None:
                if (mark[1] == "fix") != bool(mark[3]):
                    raise FixtureError(f"{made.name}: {path}:{number}: a fix is safe or unsafe")
                made.marks.append(Mark(path, number, mark[2], mark[3] or "", mark[4] or ""))
                line = line[: mark.start()]
            lines.append(line)
        case.files[path] = "\n".join(lines) + "\n"
    made.before = {path: case.written(path) for path in case.files}
    return made
