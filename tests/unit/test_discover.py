"""Which files belong to a project, on real folders."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from querylint.discover import LIMIT, Discovery, Scope, discover, locate, read, role, within
from querylint.errors import PathError
from querylint.ir import Role
from querylint.result import NoteKind


def plant(root: Path, *paths: str) -> Path:
    for path in paths:
        file = root / path
        if path.endswith("/"):
            file.mkdir(parents=True, exist_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
    return root


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def walk(root: Path, *targets: str, excludes: tuple[str, ...] = (), force: bool = True) -> Discovery:
    return discover(Scope(root, targets), excludes, force)


# --- where the project begins


@pytest.mark.parametrize(
    "marker",
    [".git/", "package.json", "convex.json", "querylint.toml", "pyproject.toml", "tsconfig.json", "setup.py", "manage.py", "convex/"],
)
def test_a_folder_with_a_marker_is_the_root_though_one_above_has_one_too(tmp_path: Path, marker: str) -> None:
    plant(tmp_path, ".git/", "package.json", f"app/{marker}", "app/src/a.ts")
    assert locate([tmp_path / "app"]) == Scope(tmp_path / "app", ())


def test_a_folder_without_marker_belongs_to_the_nearest_project_around_it(tmp_path: Path) -> None:
    plant(tmp_path, ".git/", "package.json", "app/package.json", "app/src/deep/a.ts")
    assert locate([tmp_path / "app/src/deep"]) == Scope(tmp_path / "app", ("src/deep",))


def test_a_file_belongs_to_the_nearest_project_around_it(tmp_path: Path) -> None:
    plant(tmp_path, ".git/", "app/package.json", "app/src/a.ts", "tool/b.py")
    assert locate([tmp_path / "app/src/a.ts"]) == Scope(tmp_path / "app", ("src/a.ts",))
    assert locate([tmp_path / "tool/b.py"]) == Scope(tmp_path, ("tool/b.py",))


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    plant(tmp_path, "package.json", "repo/.git/", "repo/src/a.ts")
    assert locate([tmp_path / "repo/src"]).root == tmp_path / "repo"


def test_without_any_project_the_folder_stands_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    plant(tmp_path, "package.json", "loose/sub/a.py")
    assert locate([tmp_path / "loose/sub"]) == Scope(tmp_path / "loose/sub", ())
    assert locate([tmp_path / "loose/sub/a.py"]) == Scope(tmp_path / "loose/sub", ("a.py",))
    assert locate([tmp_path]) == Scope(tmp_path, ()), "the home directory counts when it is named"


@pytest.mark.parametrize("sign", ["schema.ts", "schema.js", "_generated/"])
def test_the_functions_of_convex_belong_to_the_package_around_them(tmp_path: Path, sign: str) -> None:
    plant(tmp_path, ".git/", "app/package.json", f"app/convex/{sign}", "app/convex/tsconfig.json", "app/convex/model/users.ts")
    assert locate([tmp_path / "app/convex"]) == Scope(tmp_path / "app", ("convex",))
    assert locate([tmp_path / "app/convex/model"]) == Scope(tmp_path / "app", ("convex/model",))
    assert locate([tmp_path / "app/convex/model/users.ts"]) == Scope(tmp_path / "app", ("convex/model/users.ts",))


def test_a_package_file_among_the_functions_makes_them_no_project(tmp_path: Path) -> None:
    plant(tmp_path, ".git/", "app/package.json", "app/convex/schema.ts", "app/convex/package.json", "app/convex/lib/package.json")
    assert locate([tmp_path / "app/convex"]).root == tmp_path / "app"
    assert locate([tmp_path / "app/convex/lib"]).root == tmp_path / "app"


def test_a_package_with_a_schema_of_its_own_is_a_project(tmp_path: Path) -> None:
    plant(tmp_path, ".git/", "packages/db/package.json", "packages/db/schema.ts")
    assert locate([tmp_path / "packages/db"]).root == tmp_path / "packages/db"


def test_functions_beside_their_own_settings_are_a_project(tmp_path: Path) -> None:
    plant(tmp_path, ".git/", "backend/convex.json", "backend/schema.ts", "backend/_generated/")
    assert locate([tmp_path / "backend"]).root == tmp_path / "backend"


def test_several_paths_share_the_nearest_common_root(tmp_path: Path) -> None:
    plant(tmp_path, ".git/", "packages/a/package.json", "packages/a/x.ts", "packages/b/package.json", "packages/b/y.ts")
    assert locate([tmp_path / "packages/a/x.ts", tmp_path / "packages/b"]) == Scope(tmp_path, ("packages/a/x.ts", "packages/b"))
    assert locate([tmp_path / "packages/a/x.ts", tmp_path / "packages/a"]) == Scope(tmp_path / "packages/a", ())


def test_paths_of_no_common_project_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    plant(tmp_path, "a/package.json", "b/package.json")
    with pytest.raises(PathError, match="no common project"):
        locate([tmp_path / "a", tmp_path / "b"])


def test_no_paths_mean_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "package.json", "src/a.ts")
    monkeypatch.chdir(tmp_path)
    assert locate() == Scope(tmp_path, ())
    assert locate([Path("src/a.ts")]) == Scope(tmp_path, ("src/a.ts",))


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"^`.*gone\.ts` does not exist$"):
        locate([tmp_path / "gone.ts"])
    plant(tmp_path, "a.ts")
    with pytest.raises(PathError, match="does not exist"):
        locate([tmp_path / "a.ts" / "b.ts"])


def test_a_circle_of_links_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("y")
    (tmp_path / "y").symlink_to("x")
    with pytest.raises(PathError, match="cannot be read"):
        locate([tmp_path / "x"])
    os.mkfifo(tmp_path / "pipe.ts")
    with pytest.raises(PathError, match="neither a file nor a folder"):
        locate([tmp_path / "pipe.ts"])


def test_within_goes_by_whole_folders() -> None:
    assert within("src/a.ts", ())
    assert within("src/a.ts", ("",))
    assert within("src/a.ts", ("lib", "src"))
    assert within("src/a.ts", ("src/a.ts",))
    assert not within("srcs/a.ts", ("src",))
    assert not within("src/a.ts", ("src/a",))


# --- what is listed


def test_sources_and_configuration_are_listed_and_sorted(tmp_path: Path) -> None:
    wanted = [
        "a.cjs", "a.cts", "a.js", "a.jsx", "a.mjs", "a.mts", "a.py", "a.pyi", "a.ts", "a.tsx", "convex.json", "jsconfig.json",
        "package.json", "sub/tsconfig.app.json", "sub/z.ts", "tsconfig.json",
    ]  # fmt: skip
    plant(tmp_path, *wanted, "readme.md", "data.json", "a.tsx.bak", "Makefile", "x.d.ts", "x.d.mts", "x.d.cts", "x.min.js", "x.bundle.js")
    found = walk(tmp_path)
    assert list(found.files) == wanted
    assert found.folders == ("", "sub")
    assert found.notes == ()


def test_what_is_installed_built_or_generated_is_passed_over(tmp_path: Path) -> None:
    plant(tmp_path, *(f"{name}/a.ts" for name in ("node_modules", "dist", "build", ".next", "__pycache__", "coverage", ".git", "out")))
    plant(tmp_path, "env/pyvenv.cfg", "env/lib/site.py", "convex/_generated/api.ts", "convex/a.ts", ".storybook/main.ts")
    found = walk(tmp_path)
    assert found.files == (".storybook/main.ts", "convex/a.ts")
    assert found.generated == ("convex",)


def test_a_generated_folder_is_recorded_though_it_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "_generated/\n")
    plant(tmp_path, "app/convex/_generated/api.ts", "app/convex/a.ts", "_generated/")
    assert walk(tmp_path).generated == ("", "app/convex")


def test_ignore_files_nest_negate_anchor_and_tell_folders_from_files(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "*.gen.ts\n/top.ts\nbuilt/\n# comment\nlogs/*\n!logs/keep.ts\n")
    write(tmp_path, "sub/.gitignore", "!special.gen.ts\nlocal.ts\n")
    plant(
        tmp_path, "a.gen.ts", "top.ts", "sub/top.ts", "sub/special.gen.ts", "sub/other.gen.ts", "sub/local.ts", "local.ts", "x/built/a.ts",
        "y/built.ts", "logs/a.ts", "logs/keep.ts",
    )  # fmt: skip
    assert walk(tmp_path).files == ("local.ts", "logs/keep.ts", "sub/special.gen.ts", "sub/top.ts", "y/built.ts")


def test_everything_ignored_but_folders_and_one_suffix(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "*\n!*/\n!*.ts\n")
    plant(tmp_path, "src/a.ts", "src/b.js")
    assert walk(tmp_path).files == ("src/a.ts",)


def test_the_repository_above_the_root_has_its_say(tmp_path: Path) -> None:
    plant(tmp_path, ".git/info/", "app/a.ts", "app/b.gen.ts", "app/c.ts", "app/d.ts", "app/sub/d.ts")
    write(tmp_path, ".gitignore", "*.gen.ts\n/app/c.ts\n")
    write(tmp_path, ".git/info/exclude", "d.ts\n")
    assert walk(tmp_path / "app").files == ("a.ts",)
    assert walk(tmp_path).files == ("app/a.ts",)


def test_a_root_that_is_ignored_itself_is_still_walked(tmp_path: Path) -> None:
    plant(tmp_path, ".git/", "scratch/app/a.ts", "scratch/app/b.gen.ts")
    write(tmp_path, ".gitignore", "scratch/\n*.gen.ts\n")
    assert walk(tmp_path / "scratch/app").files == ("a.ts", "b.gen.ts")


def test_ignore_files_outside_the_repository_have_none(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "*.ts\n")
    plant(tmp_path, "repo/.git/", "repo/a.ts")
    assert walk(tmp_path / "repo").files == ("a.ts",)
    assert "repo/a.ts" in walk(tmp_path).files, "a repository inside another one is its own"


def test_excludes_are_relative_to_the_settings(tmp_path: Path) -> None:
    plant(tmp_path, "legacy/a.ts", "src/legacy/b.ts", "src/c.ts")
    assert walk(tmp_path, excludes=("/legacy",)).files == ("src/c.ts", "src/legacy/b.ts")
    assert walk(tmp_path, excludes=("legacy/**",)).files == ("src/c.ts", "src/legacy/b.ts")
    assert walk(tmp_path, excludes=("legacy",)).files == ("src/c.ts",)
    assert discover(Scope(tmp_path / "src"), ["src/legacy/*.ts"], prefix="src").files == ("c.ts",)


def test_what_was_named_is_listed_though_it_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "secret/\nhidden.ts\n")
    plant(tmp_path, "a.ts", "hidden.ts", "secret/deep/x.ts", "secret/deep/y.ts", "secret/z.ts")
    assert walk(tmp_path).files == ("a.ts",)
    assert walk(tmp_path, "hidden.ts", "secret/deep/x.ts").files == ("a.ts", "hidden.ts", "secret/deep/x.ts")
    assert walk(tmp_path, "secret/deep").files == ("a.ts", "secret/deep/x.ts", "secret/deep/y.ts")


def test_what_was_named_and_excluded_is_listed_only_without_force(tmp_path: Path) -> None:
    plant(tmp_path, "old/a.ts", "old/b.ts", "c.ts")
    assert walk(tmp_path, "old/a.ts", excludes=("old/",)).files == ("c.ts",)
    assert walk(tmp_path, "old/a.ts", excludes=("old/",), force=False).files == ("c.ts", "old/a.ts")
    assert walk(tmp_path, "old/a.ts", excludes=("a.ts",), force=False).files == ("c.ts", "old/a.ts", "old/b.ts")


def test_a_named_folder_of_installed_code_is_walked_but_hooks_name_files(tmp_path: Path) -> None:
    plant(tmp_path, "a.ts", "node_modules/lib/src/b.ts", "node_modules/lib/c.ts", "convex/_generated/api.js", "x.d.ts")
    assert walk(tmp_path, "node_modules/lib/src").files == ("a.ts", "node_modules/lib/src/b.ts")
    found = walk(tmp_path, "a.ts", "convex/_generated/api.js", "x.d.ts")
    assert found.files == ("a.ts",)
    assert [(note.kind, note.path) for note in found.notes] == [(NoteKind.HINT, "convex/_generated/api.js")]
    assert "2 are" in found.notes[0].message


def test_silence_about_what_was_named_is_explained(tmp_path: Path) -> None:
    plant(tmp_path, "a.ts", "notes.md", "docs/b.md")
    found = walk(tmp_path, "a.ts", "notes.md", "docs")
    assert [note.path for note in found.notes] == ["docs", "notes.md"]
    assert "holds nothing to read" in found.notes[0].message
    assert "neither TypeScript" in found.notes[1].message


def test_links_are_not_followed_out_of_the_root_nor_walked_twice(tmp_path: Path) -> None:
    plant(tmp_path, "outside/x.ts", "root/real/a.ts", "root/real/sub/b.ts", "root/node_modules/lib/c.ts", "root/hidden/d.ts", "root/e.md")
    root = tmp_path / "root"
    write(root, ".gitignore", "hidden/\n")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "away").symlink_to(tmp_path / "outside")
    (root / "away.ts").symlink_to(tmp_path / "outside/x.ts")
    (root / "again").symlink_to("real")
    (root / "real/sub/loop").symlink_to("..")
    (root / "same.ts").symlink_to("real/a.ts")
    (root / "lib.ts").symlink_to("node_modules/lib/c.ts")
    (root / "other.ts").symlink_to("hidden/d.ts")
    (root / "twin.ts").symlink_to("hidden/d.ts")
    (root / "dangling.ts").symlink_to("nowhere.ts")
    (root / "folder.ts").symlink_to("real")
    assert walk(root).files == ("other.ts", "real/a.ts", "real/sub/b.ts")


def test_a_folder_that_cannot_be_read_is_noted_and_the_walk_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "a.ts", "shut/b.ts", "z/c.ts")
    scandir = os.scandir

    def guarded(path: str) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = walk(tmp_path)
    assert found.files == ("a.ts", "z/c.ts")
    assert [(note.kind, note.path) for note in found.notes] == [(NoteKind.READ, "shut")]
    assert found.notes[0].message == "the folder cannot be read (permission denied)"


def test_a_name_that_cannot_be_printed_is_noted(tmp_path: Path) -> None:
    plant(tmp_path, "a.ts", "é.ts")
    with open(os.fsencode(tmp_path) + b"/\xff.ts", "wb"):
        pass
    found = walk(tmp_path)
    assert found.files == ("a.ts", "é.ts")
    assert [note.kind for note in found.notes] == [NoteKind.READ]


def test_a_pipe_is_not_listed(tmp_path: Path) -> None:
    plant(tmp_path, "a.ts")
    os.mkfifo(tmp_path / "pipe.ts")
    assert walk(tmp_path).files == ("a.ts",)


def test_a_deep_tree_is_walked(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 1200)
    folder = tmp_path
    for _ in range(20):
        folder = folder / "/".join(["d"] * 20)
        folder.mkdir(parents=True)
    (folder / "a.ts").write_text("")
    assert walk(tmp_path).files == (f"{deep[: 20 * 20 * 2 - 1]}/a.ts",)


_NAMES = st.sampled_from(["a", "b", "ab", "a.ts", "b.ts", "a b.ts", "x-1.ts", "!c.ts", "#d.ts"])
_GLOBS = st.sampled_from([
    "a", "b", "/a", "a/", "/b/", "*", "*/", "/*", "**", "**/", "/**", "*.ts", "?.ts", "a*", "**/a", "a/**", "a/**/b.ts", "a/*", "*/b",
    "a/b", "[ab].ts", "[!a]*", "[^a].ts", "[a-c].ts", "[[:alpha:]].ts", "[]a].ts", "[a", "a\\", "\\a.ts", "\\!c.ts", "\\#d.ts", "#d.ts",
    "a b.ts ", "a b.ts\\ ", "a/**b/", "**b", "***/a.ts", "x[-]1.ts", "x[!-z]1.ts", "[z-a].ts", "a.ts\r", "", " ", "/", "//", "a//b",
    "**/*/b.ts", "/*/*/*.ts", "[[:nonsense:]]", "[\\]ab].ts", "a/?", "b.ts/",
])  # fmt: skip
_LINES = st.lists(st.builds(lambda mark, glob: mark + glob, st.sampled_from(["", "", "!"]), _GLOBS), max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    paths=st.sets(st.lists(_NAMES, min_size=1, max_size=3).map("/".join), min_size=1, max_size=10), top=_LINES, nested=_LINES, info=_LINES
)
def test_the_walk_lists_what_git_lists(paths: set[str], top: list[str], nested: list[str], info: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": folder}
        subprocess.run(["git", "init", "-q", "."], cwd=root, check=True, env=environment)
        (root / ".git/info").mkdir(exist_ok=True)
        (root / ".git/info/exclude").write_bytes("\n".join(info).encode())
        (root / ".gitignore").write_bytes("\n".join(top).encode())
        for path in sorted(paths):
            file = root / path
            if file.exists() or any(parent.is_file() for parent in file.parents):
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
        if (root / "a").is_dir():
            (root / "a/.gitignore").write_bytes("\n".join(nested).encode())
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--others", "--exclude-standard"], cwd=root, check=True, env=environment, capture_output=True
        ).stdout.decode()
        expected = sorted(path for path in listed.split("\0") if path.endswith(".ts"))
        assert list(walk(root).files) == expected


# --- what is in a file


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes("naïve 🙂".encode() * 200_000)
    data, note = read(tmp_path, "a.ts")
    assert data == "naïve 🙂".encode() * 200_000
    assert note is None
    (tmp_path / "empty.ts").write_bytes(b"")
    assert read(tmp_path, "empty.ts") == (b"", None)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ts")
    answers: list[object] = []
    reader = threading.Thread(target=lambda: answers.extend(read(tmp_path, "pipe.ts")), daemon=True)
    reader.start()
    reader.join(5)
    assert not reader.is_alive()
    assert answers[0] is None
    assert "not a regular file" in str(answers[1])


@pytest.mark.parametrize(("path", "words"), [("gone.ts", "vanished"), ("folder", "not a regular file"), ("a.ts/b.ts", "not a directory")])
def test_what_cannot_be_read_is_said(tmp_path: Path, path: str, words: str) -> None:
    plant(tmp_path, "folder/", "a.ts")
    data, note = read(tmp_path, path)
    assert data is None
    assert note is not None
    assert (note.kind, note.path) == (NoteKind.READ, path)
    assert words in note.message


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "big.ts").write_bytes(b"x" * (LIMIT + 1))
    (tmp_path / "fits.ts").write_bytes(b"x" * LIMIT)
    data, note = read(tmp_path, "big.ts")
    assert data is None
    assert note is not None
    assert note.kind is NoteKind.LIMIT
    assert note.message == "the file is larger than 5 MB and is not read"
    assert read(tmp_path, "fits.ts") == (b"x" * LIMIT, None)


def test_text_in_another_encoding_is_read_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"x = 1\ny = '\xe9'\n")
    data, note = read(tmp_path, "latin.py")
    assert data == b"x = 1\ny = '\xe9'\n"
    assert note is not None
    assert (note.kind, note.line) == (NoteKind.READ, 2)
    assert "UTF-8" in note.message


@pytest.mark.parametrize(("data", "words"), [("const a = 1".encode("utf-16"), "UTF-16"), (b"G@\x11\x00B\xf0 video", "not text")])
def test_what_is_no_text_is_not_read(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.ts").write_bytes(data)
    content, note = read(tmp_path, "a.ts")
    assert content is None
    assert note is not None
    assert words in note.message


# --- what a file is for


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/a.test.ts", Role.TEST),
        ("src/a.spec.tsx", Role.TEST),
        ("src/Button.stories.tsx", Role.TEST),
        ("src/app.e2e-spec.ts", Role.TEST),
        ("src/__tests__/a.ts", Role.TEST),
        ("tests/a.py", Role.TEST),
        ("test/fixtures/a.py", Role.TEST),
        ("e2e/login.ts", Role.TEST),
        ("app/conftest.py", Role.TEST),
        ("app/tests.py", Role.TEST),
        ("app/test_views.py", Role.TEST),
        ("app/views_test.py", Role.TEST),
        ("convex/test.setup.ts", Role.TEST),
        ("convex/testHelpers.ts", Role.TEST),
        ("convex/seed.ts", Role.SEED),
        ("convex/seedData.ts", Role.SEED),
        ("convex/dev_seed.ts", Role.SEED),
        ("db/seeds/users.ts", Role.SEED),
        ("fixtures/users.ts", Role.SEED),
        ("src/mockData.ts", Role.SEED),
        ("src/__mocks__/api.ts", Role.SEED),
        ("convex/migrations.ts", Role.MIGRATION),
        ("convex/migrations/x.ts", Role.MIGRATION),
        ("convex/migrateUsers.ts", Role.MIGRATION),
        ("convex/backfillUsers.ts", Role.MIGRATION),
        ("convex/user-backfill.ts", Role.MIGRATION),
        ("app/migrations/0002_seed.py", Role.MIGRATION),
        ("app/data_migrations/x.py", Role.MIGRATION),
        ("convex/testimonials.ts", Role.CODE),
        ("convex/contest.ts", Role.CODE),
        ("convex/latest.ts", Role.CODE),
        ("convex/tests.ts", Role.CODE),
        ("convex/seedling.ts", Role.CODE),
        ("convex/immigration.ts", Role.CODE),
        ("convex/mockups.ts", Role.CODE),
        ("convex/mockInterviews.ts", Role.CODE),
        ("convex/testScores.ts", Role.CODE),
        ("src/attestation/a.ts", Role.CODE),
        ("spec.ts", Role.CODE),
        ("app/models.py", Role.CODE),
        ("Makefile", Role.CODE),
    ],
)
def test_the_role_of_a_file(path: str, expected: Role) -> None:
    assert role(path) is expected
