"""Which files belong to a project, on real folders and beside git."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from querylint.discover import Discovery, Scope, discover
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


def test_a_folder_of_installed_packages_is_passed_over_unless_named(tmp_path: Path) -> None:
    plant(tmp_path, "libs/orm-2.0.dist-info/top_level.txt", "libs/orm/query.py", "libs/orm.py", "app/a.py", "own-1.0.dist-info/x.txt")
    assert walk(tmp_path).files == ("app/a.py",)
    assert walk(tmp_path).environments == ("libs",)
    assert "libs/orm/query.py" in walk(tmp_path, "libs/orm").files


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


def test_anchors_hold_at_every_height_above_and_below_the_root(tmp_path: Path) -> None:
    plant(tmp_path, ".git/", *(f"one/two/root/{name}.ts" for name in "abcd"), "one/two/root/sub/d.ts", "one/two/root/sub/deep/d.ts")
    write(tmp_path, ".gitignore", "/one/two/root/a.ts\n")
    write(tmp_path, "one/.gitignore", "/two/root/b.ts\n/root/d.ts\n")
    write(tmp_path, "one/two/.gitignore", "/root/c.ts\n")
    write(tmp_path, "one/two/root/sub/.gitignore", "/d.ts\n")
    assert walk(tmp_path / "one/two/root").files == ("d.ts", "sub/deep/d.ts")
    write(tmp_path, "one/two/root/.gitignore", "/d.ts\n")
    assert walk(tmp_path / "one/two/root").files == ("sub/deep/d.ts",)


def test_an_ignore_file_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    plant(tmp_path, "sub/.gitignore/", "sub/a.ts")
    found = walk(tmp_path)
    assert found.files == ("sub/a.ts",)
    assert [(note.kind, note.path) for note in found.notes] == [(NoteKind.READ, "sub/.gitignore")]


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
    plant(tmp_path, "a.ts", "hidden.ts", "secret/deep/x.ts", "secret/deep/y.ts", "secret/z.ts", "secret/other/w.ts")
    assert walk(tmp_path).files == ("a.ts",)
    assert walk(tmp_path, "hidden.ts", "secret/deep/x.ts").files == ("a.ts", "hidden.ts", "secret/deep/x.ts")
    assert walk(tmp_path, "secret/deep").files == ("a.ts", "secret/deep/x.ts", "secret/deep/y.ts")


def test_what_was_named_and_excluded_is_listed_only_without_force(tmp_path: Path) -> None:
    plant(tmp_path, "old/a.ts", "old/b.ts", "c.ts")
    assert walk(tmp_path, "old/a.ts", excludes=("old/",)).files == ("c.ts",)
    assert walk(tmp_path, "old/a.ts", excludes=("old/",), force=False).files == ("c.ts", "old/a.ts")
    assert walk(tmp_path, "old/a.ts", excludes=("*.ts",), force=False).files == ("old/a.ts",)
    assert walk(tmp_path, "old/a.ts", excludes=("*.ts",)).files == ()
    assert walk(tmp_path, "old", excludes=("old/",), force=False).files == ("c.ts", "old/a.ts", "old/b.ts")


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
