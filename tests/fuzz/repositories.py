"""Little repositories to begin from: every case of the fixtures, the bundled applications, and settings files of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from fuzz.mutations import mutated
from literate import FixtureError, cases

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
SUFFIXES = frozenset((".ts", ".tsx", ".js", ".py", ".html", ".sql", ".json"))
SETTINGS = {
    "tsconfig.json": b'{"extends": "./tsconfig.json", "compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["./*"], "~/*": ["../../*"]}}}',
    "convex.json": b'{"functions": "convex/"}',
    "package.json": b'{"name": "app", "dependencies": {"convex": "1"}, "imports": {"#lib/*": "./lib/*"}, "workspaces": ["packages/*"]}',
    "pyproject.toml": b'[project]\nname = "app"\n\n[tool.querylint]\nignore = []\n',
    "querylint.toml": b'fail-on = "info"\nexclude = ["x/**"]\n\n[tables.posts]\nrows = "small"\n\n[gates]\nloop-read = 3\n',
    ".gitignore": b"node_modules/\n*.log\n!keep.log\n/build/**\n",
    ".querylint-baseline.json": b'{"version": 1, "findings": []}',
}
Repository = dict[str, bytes]


@cache
def originals() -> tuple[Repository, ...]:
    """Every repository to begin from, in a fixed order."""
    found: list[Repository] = []
    for page in sorted((FIXTURES / "rules").glob("*.md")):
        try:
            found += [{path: case.written(path).encode() for path in case.files} for case in cases(page.read_text(encoding="utf-8"))]
        except FixtureError as error:
            raise AssertionError(f"{page.name}: {error}") from error
    for app in sorted((FIXTURES / "apps").iterdir()):
        files = [file for file in sorted(app.rglob("*")) if file.suffix in SUFFIXES and "_generated" not in file.parts]
        if files:
            found.append({file.relative_to(app).as_posix(): file.read_bytes() for file in files})
    return tuple(found)


@cache
def sources() -> tuple[bytes, ...]:
    """All the files, to splice from."""
    return tuple(text for repository in originals() for text in repository.values())


def invented(seed: int, seeds: Sequence[bytes] | None = None) -> Repository:
    """The repository of a seed: a real one, of which some files, names and settings went wrong."""
    random = Random(seed)
    repository = dict(random.choice(originals()))
    pool = seeds or sources()
    if random.random() < 0.2:
        repository |= random.choice(originals())
    for path in random.sample(sorted(repository), min(len(repository), random.choice((1, 1, 2, 3)))):
        repository[path] = mutated(repository[path], random, pool)
    if random.random() < 0.15:
        name = random.choice(sorted(SETTINGS))
        text = SETTINGS[name]
        repository[name] = mutated(text, random, pool) if random.random() < 0.7 else text
    if random.random() < 0.05:
        path = random.choice(sorted(repository))
        repository[f"{random.choice(('', 'convex/', 'app/'))}{random.choice(NAMES)}{Path(path).suffix}"] = repository[path]
    return repository


NAMES = (
    "a b",
    "::warning::x",
    "$(x)",
    "%0Ax",
    "\u202e",
    "<b>",
    "&amp;",
    "'",
    "x\ty",
    "-rf",
    "é" * 60,
    "[id]",
    "..x",
    "x;y",
    "`",
    "{{x}}",
    "|",
)
