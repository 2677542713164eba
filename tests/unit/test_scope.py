"""Where a project begins, on real folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from querylint.discover import Scope, locate, within
from querylint.errors import PathError


def plant(root: Path, *paths: str) -> Path:
    for path in paths:
        file = root / path
        if path.endswith("/"):
            file.mkdir(parents=True, exist_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
    return root


@pytest.mark.parametrize(
    "marker",
    [
        ".git/",
        "package.json",
        "convex.json",
        "querylint.toml",
        "pyproject.toml",
        "tsconfig.json",
        "setup.py",
        "manage.py",
        "convex/posts.ts",
    ],
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


def test_a_common_folder_that_is_no_project_stands_for_itself_or_for_the_one_around_it(tmp_path: Path) -> None:
    plant(tmp_path, "deep/er/a/package.json", "deep/er/b/package.json")
    paths = [tmp_path / "deep/er/a", tmp_path / "deep/er/b"]
    assert locate(paths) == Scope(tmp_path / "deep/er", ("a", "b"))
    plant(tmp_path, "deep/convex")
    assert locate(paths).root == tmp_path / "deep/er", "a file of that name is no folder of functions"
    plant(tmp_path, "deep/package.json")
    assert locate(paths) == Scope(tmp_path / "deep", ("er/a", "er/b"))


def test_paths_of_no_common_project_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    plant(tmp_path, "a/package.json", "b/package.json")
    with pytest.raises(PathError, match="do not belong to one project"):
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
