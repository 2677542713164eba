"""Stories and constructs: what a front end lowers code to, as text.

A page of `fixtures/stories` tells one story in every stack, all of which must lower to the same dump; a page of `fixtures/frontends`
holds the constructs of one stack, each with its dump. A case is a heading with files and one `ir` fence, which lists the functions
of the first file.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from laid import lay
from literate import cases
from querylint import settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.ir.dump import dump

FIXTURES = Path(__file__).parent.parent / "fixtures"
PAGES = [*sorted((FIXTURES / "stories").glob("*.md")), *sorted((FIXTURES / "frontends").glob("*.md"))]
HEADINGS = re.compile(r"(?m)^(?=#{1,6} (?![\w./-]+\.\w+$))")  # the path of a Python file looks like one
IR = re.compile(r"```ir\n(.*?)```\n", re.DOTALL)


def _split(page: Path) -> list[tuple[str, str]]:
    """The text under each heading that has an `ir` fence, with that fence."""
    found = []
    for part in HEADINGS.split(page.read_text(encoding="utf-8")):
        hit = IR.search(part)
        if hit:
            found.append((part, hit[1]))
    return found


CASES = [
    pytest.param(page, part, ir, id=f"{page.stem}: {part.splitlines()[0].lstrip('# ')}") for page in PAGES for part, ir in _split(page)
]


def _lowered(part: str, folder: Path) -> str:
    """The dump of the functions of the first file."""
    (case,) = cases(IR.sub("", part))
    lay(folder, {path: case.written(path) for path in case.files})
    program, _ = Project(Scope(folder), settings.Settings()).program()
    return "\n".join(dump(f) for f in program.functions.values() if f.path == case.code[0])


@pytest.mark.parametrize(("page", "part", "ir"), CASES)
def test_lowers_to(page: Path, part: str, ir: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    found = _lowered(part, tmp_path)
    if request.config.getoption("--update") and found != ir:
        page.write_text(
            page.read_text(encoding="utf-8").replace(part, part.replace(f"```ir\n{ir}```", f"```ir\n{found}```")), encoding="utf-8"
        )
        return
    assert found == ir


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_case_has_a_dump(page: Path) -> None:
    for part in HEADINGS.split(page.read_text(encoding="utf-8")):
        assert ("```ts" not in part and "```py" not in part) or IR.search(part), f"{part.splitlines()[0]} has no ir fence"
