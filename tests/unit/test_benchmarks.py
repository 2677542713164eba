"""The meter of the benchmarks, on processes that are known."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.measure import Contestant, Measured, Took, in_turns, ratio, run
from benchmarks.trees import tree

BUSY = "import time\nstart = time.process_time()\nwhile time.process_time() - start < 0.2: pass"


def python(name: str, code: str, folder: Path, codes: tuple[int, ...] = (0,)) -> Contestant:
    return Contestant(name, (sys.executable, "-c", code), folder, codes=codes)


def test_cpu_and_memory_are_those_of_the_process(tmp_path: Path) -> None:
    took = run(python("busy", BUSY, tmp_path), 30)
    assert isinstance(took, Took)
    assert 0.2 <= took.cpu < 2
    large = run(python("large", "x = b'x' * 80_000_000", tmp_path), 30)
    assert isinstance(large, Took)
    assert large.peak > 80


def test_what_does_not_end_or_fails_is_said(tmp_path: Path) -> None:
    assert run(python("sleeper", "import time; time.sleep(60)", tmp_path), 0.5) == "did not end within 0.5 s"
    assert run(python("failure", "raise SystemExit(3)", tmp_path), 30) == "ended with exit code 3"


def test_contestants_run_in_turns(tmp_path: Path) -> None:
    said: list[str] = []
    measured = in_turns([python("one", "", tmp_path), python("two", "", tmp_path)], 2, 30, said.append)
    assert [line.split()[1].rstrip(":") for line in said] == ["one", "two", "two", "one"]
    assert [len(one.runs) for one in measured] == [2, 2]


def test_a_ratio_is_the_median_over_the_rounds() -> None:
    def took(*seconds: float) -> Measured:
        return Measured("", tuple(Took(cpu, 0, 0) for cpu in seconds))

    assert ratio(took(1, 2, 9), took(2, 2, 3)) == 1


def test_a_tree_is_counted_without_what_is_built(tmp_path: Path) -> None:
    for name in ("a.ts", "dist/b.js", "c.txt", "d/e.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1\n2\n")
    counted = tree("t", tmp_path)
    assert (counted.files, counted.lines) == (2, 4)
