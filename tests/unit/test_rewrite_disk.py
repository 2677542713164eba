from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from querylint.errors import PathError
from querylint.revisions import uncommitted
from querylint.rewrite.disk import replace_files


def lay(root: Path, **files: bytes) -> dict[str, bytes]:
    for name, data in files.items():
        (root / name).write_bytes(data)
    return dict(files)


def test_all_files_get_their_new_content_and_keep_their_mode(tmp_path: Path) -> None:
    before = lay(tmp_path, a=b"1", b=b"2")
    (tmp_path / "a").chmod(0o640)
    replace_files(tmp_path, before, {"a": b"3", "b": b"4"})
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"3", b"4")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["a", "b"], "nothing is left beside them"


def test_a_file_that_has_changed_stops_all_of_it(tmp_path: Path) -> None:
    before = lay(tmp_path, a=b"1", b=b"2")
    (tmp_path / "b").write_bytes(b"somebody else")
    with pytest.raises(PathError, match="`b` has changed since it was analyzed; nothing was written"):
        replace_files(tmp_path, before, {"a": b"3", "b": b"4"})
    assert (tmp_path / "a").read_bytes() == b"1"


def test_when_one_file_cannot_be_replaced_the_others_are_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = lay(tmp_path, a=b"1", b=b"2", c=b"3")
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "b":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(PathError, match=r"`b` cannot be written \(no space left on device\); nothing was written"):
        replace_files(tmp_path, before, {"a": b"4", "b": b"5", "c": b"6"})
    assert [(tmp_path / name).read_bytes() for name in "abc"] == [b"1", b"2", b"3"]
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    lay(tmp_path, secret=b"1")
    (root / "a").symlink_to(tmp_path / "secret")
    with pytest.raises(PathError, match="a link that leads out of the project"):
        replace_files(root, {"a": b"1"}, {"a": b"2"})
    assert (tmp_path / "secret").read_bytes() == b"1"


def git(root: Path, *args: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


def test_files_are_dirty_when_no_commit_holds_their_content(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    inner = tmp_path / "app"
    inner.mkdir()
    lay(inner, clean=b"1", changed=b"2", staged=b"3", ignored=b"4")
    (tmp_path / ".gitignore").write_text("ignored\n")
    git(tmp_path, "add", "app/clean", "app/changed", "app/staged", ".gitignore")
    git(tmp_path, "commit", "-qm", "one")
    lay(inner, changed=b"two", staged=b"three", new=b"5")
    git(tmp_path, "add", "app/staged")
    assert uncommitted(inner, ["clean", "changed", "staged", "new", "ignored"]) == {"changed", "staged", "new", "ignored"}


def test_outside_of_a_repository_nothing_is_dirty(tmp_path: Path) -> None:
    lay(tmp_path, a=b"1")
    assert uncommitted(tmp_path, ["a"]) == frozenset()
