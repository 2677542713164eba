"""What a file is for, as its path says."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from querylint.ir import Role
from querylint.pattern import Pattern

_TEST_FOLDERS = frozenset(
    {"__tests__", "tests", "test", "e2e", "unittests", "unit_tests", "functional_tests", "integration_tests", "test_utils", "testutils"}
)
_PACKAGE_FOLDERS = frozenset({"packages", "libs", "modules"})
_TEST_PARTS = frozenset({"test", "tests", "spec", "stories", "e2e", "e2e-spec", "vitest", "jest", "cy", "bench", "example", "sample"})
_TEST_FILES = frozenset({"conftest.py", "tests.py"})
_TEST_TAILS = frozenset({"helper", "helpers", "util", "utils", "setup"})
_TOOLS = frozenset({"test", "tests", "testing", "mocks", "fixtures"})
_SEED_FOLDERS = frozenset({"seed", "seeds", "seeders", "fixtures", "__fixtures__", "mock", "mocks", "__mocks__"})
_FIRST_DATA = "init"  # what `convex dev --run init` calls by convention: the rows that a deployment starts with
_SEED_WORDS = frozenset({"seed", "seeds", "seeder", "seeders", "seeding", "fixture", "fixtures"})
_MOCK_WORDS = frozenset({"mock", "mocks"})
_MOCK_PRODUCTS = frozenset({"interview", "interviews", "exam", "exams", "test", "tests"})
_INVENTED = frozenset({"test", "sample", "fake", "dummy", "demo", "mock", "dev", "uat"})  # `create_test_data`: rows to try a program
_TRIED = frozenset({"clear", "clean", "cleanup", "reset", "wipe", "purge", "populate", "setup", "verify"})  # and what is done with them
_RUN = frozenset({"task", "tasks", "job", "jobs", "command", "commands", "generator", "script"})
_MIGRATION_WORDS = frozenset({"migration", "migrations", "migrate", "backfill", "backfills"})
_MIGRATION_FOLDERS = frozenset({"fixes"})
_WORD = Pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def role(path: str) -> Role:
    """The role of a file, by its path relative to the root."""
    *folders, name = path.split("/")
    if any(folder in _TEST_FOLDERS for folder in folders) or _tests(name) or _tests_package(folders):
        return Role.TEST
    stem = name.rpartition(".")[0] or name
    words = _words(stem)
    if "schema" in folders and "delta" in folders[folders.index("schema") :]:
        return Role.MIGRATION
    if (
        not _MIGRATION_FOLDERS.isdisjoint(folders)
        or not _MIGRATION_WORDS.isdisjoint(words)
        or any(not _MIGRATION_WORDS.isdisjoint(_words(folder)) for folder in folders)
    ):
        return Role.MIGRATION
    if _invents(words) or not (_INVENTED.isdisjoint(words) or _TRIED.isdisjoint(words)):
        return Role.SEED
    if stem == _FIRST_DATA or any(_seeds(folder) for folder in folders) or not _SEED_WORDS.isdisjoint(words) or _mocks(words):
        return Role.SEED
    return Role.CODE


def _invents(words: tuple[str, ...]) -> bool:
    """Whether a file makes rows up: `create_test_data`, `dummy_data_task`."""
    while words and words[-1] in _RUN:
        words = words[:-1]
    return words[-1:] == ("data",) and not _INVENTED.isdisjoint(words[:-1])


def _tests(name: str) -> bool:
    if name in _TEST_FILES:
        return True
    *parts, suffix = name.split(".")
    if len(parts) > 1 and not _TEST_PARTS.isdisjoint(parts):
        return True
    stem = parts[0] if parts else name
    if suffix in ("py", "pyi") and (stem.startswith("test_") or stem.endswith("_test")):
        return True
    words = _words(stem)
    return len(words) == 2 and words[0] == "test" and words[1] in _TEST_TAILS


def _tests_package(folders: list[str]) -> bool:
    """Whether a package of a monorepo is a tool of its tests: `packages/convex-test`."""
    named = (name for home, name in pairwise(folders) if home in _PACKAGE_FOLDERS)
    return any(not _TOOLS.isdisjoint(_words(name)[-1:]) for name in named)


def _seeds(folder: str) -> bool:
    """Whether a folder holds first or invented rows: `seeds`, `demoSeed`."""
    return folder in _SEED_FOLDERS or not _SEED_WORDS.isdisjoint(_words(folder))


def _mocks(words: tuple[str, ...]) -> bool:
    """Whether a file name speaks of mocked data; a mock interview is a product, not a mock."""
    return bool(words) and words[0] in _MOCK_WORDS and _MOCK_PRODUCTS.isdisjoint(words)


@cache  # most files lie in the same few folders
def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))
