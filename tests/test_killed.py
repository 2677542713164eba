"""`kill -9` while files are replaced, between any two calls that write: no file is half there, and no change for long."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from querylint import cli
from querylint.errors import PathError
from querylint.rewrite import disk, journal

RUNS = int(os.environ.get("KILLS", "150"))
WRITING = (
    (os, "open"), (os, "write"), (os, "fsync"), (os, "ftruncate"), (os, "close"), (os, "fdopen"),
    (Path, "replace"), (Path, "unlink"), (Path, "chmod"),
)  # fmt: skip


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a process of its own that is killed before its `step`th call that writes; whether it came that far."""
    child = os.fork()
    if child == 0:
        left = step

        def counted(call: Callable[..., object]) -> Callable[..., object]:
            def counting(*args: object, **named: object) -> object:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **named)

            return counting

        for owner, name in WRITING:
            setattr(owner, name, counted(getattr(owner, name)))
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def lay(root: Path, random: Random) -> tuple[dict[str, bytes | None], dict[str, bytes]]:
    before: dict[str, bytes | None] = {}
    for name in random.sample(["a.ts", "b.ts", "in/c.ts", "in/d.ts", "in/deep/e.py"], random.randint(1, 5)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        before[name] = None if random.random() < 0.2 else random.randbytes(random.choice((0, 10, 100_000)))
        if (old := before[name]) is not None:
            (root / name).write_bytes(old)
    return before, {name: random.randbytes(random.choice((1, 50, 200_000))) for name in before}


def state(root: Path, names: dict[str, bytes]) -> dict[str, bytes | None]:
    return {name: (root / name).read_bytes() if (root / name).exists() else None for name in names}


def strays(root: Path, names: dict[str, bytes]) -> list[str]:
    found = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return [path for path in found if path not in names]


@pytest.mark.parametrize("seed", range(RUNS))
def test_no_file_is_half_written_and_the_next_run_finds_all_of_a_change_or_nothing(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    before, after = lay(tmp_path, random)
    if not killed_at(random.randint(0, 40), lambda: disk.replace_files(tmp_path, before, after)):
        assert state(tmp_path, after) == after
        assert strays(tmp_path, after) == []
        return
    assert all(now in (before[name], after[name]) for name, now in state(tmp_path, after).items())
    while killed_at(random.randint(0, 12), lambda: disk.recover(tmp_path)):  # and whoever mends it may be killed as well
        assert all(now in (before[name], after[name]) for name, now in state(tmp_path, after).items())
    disk.recover(tmp_path)
    assert state(tmp_path, after) in (before, after)
    assert strays(tmp_path, after) == []


def test_what_was_edited_since_is_left_alone(tmp_path: Path) -> None:
    before: dict[str, bytes | None] = {"a": b"1", "b": b"2", "c": b"3"}
    for name, old in before.items():
        (tmp_path / name).write_bytes(old or b"")
    after = {"a": b"4", "b": b"5", "c": b"6"}
    step = next(n for n in range(200) if killed_at(n, lambda: disk.replace_files(tmp_path, before, after)) and _some(tmp_path, before))
    assert step
    (tmp_path / "c").write_bytes(b"by hand")
    assert disk.recover(tmp_path)
    assert (tmp_path / "c").read_bytes() == b"by hand"
    assert strays(tmp_path, after) == []


def _some(root: Path, before: dict[str, bytes | None]) -> bool:
    """Whether some files were replaced and others not; otherwise all is put back as it was."""
    names = dict.fromkeys(before, b"")
    replaced = [name for name, now in state(root, names).items() if now != before[name]]
    if 0 < len(replaced) < len(before):
        return True
    disk.recover(root)
    for name, old in before.items():
        (root / name).write_bytes(old or b"")
    return False


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    with journal.held(tmp_path), pytest.raises(PathError, match="another querylint is writing to this project; nothing was written"):
        disk.replace_files(tmp_path, {"a": b"1"}, {"a": b"2"})
    assert (tmp_path / "a").read_bytes() == b"1"
    disk.replace_files(tmp_path, {"a": b"1"}, {"a": b"2"})
    assert (tmp_path / "a").read_bytes() == b"2"


@pytest.mark.parametrize(
    "note",
    [
        b'{"version": 1, "steps": [["a", "../x.part", null, ""]]}',
        b'{"version": 1, "steps": [["../../a", "../../x.part", null, ""]]}',
        b'{"version": 1, "steps": [["a", "a", null, ""]]}',
        b'{"version": 1, "steps": [[1, 2, 3, 4]]}',
    ],
)
def test_a_note_that_is_not_ours_moves_nothing_and_stays(note: bytes, tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "x.part").write_bytes(b"secret")
    (root / "a").write_bytes(b"1")
    (root / journal.JOURNAL).write_bytes(note)
    with pytest.raises(PathError, match="was not written by querylint"):
        disk.replace_files(root, {"a": b"1"}, {"a": b"2"})
    assert (root / "a").read_bytes() == b"1"
    assert (root / journal.JOURNAL).read_bytes() == note
    assert (tmp_path / "x.part").read_bytes() == b"secret"


def test_the_commands_tell_and_finish_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "a.ts").write_text("export const a = 1;\n")
    (tmp_path / journal.JOURNAL).write_text("")
    assert cli.run(["check", str(tmp_path)]) == 0
    assert "a change of the project was cut off here; `querylint fix` finishes it" in capsys.readouterr().out
    assert cli.run(["fix", str(tmp_path)]) == 0
    assert not (tmp_path / journal.JOURNAL).exists()
