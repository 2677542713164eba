"""What a change of the tool changes on real projects: the findings of two of its commits over the same checkouts, side by side.

    python -m benchmarks.ecosystem BASE CHECKOUTS [CHECKOUTS ...] [--head REVISION] [--show info] [--limit SECONDS] [--output FILE]

BASE and the head are revisions of this repository (the head is the working tree where none is given). CHECKOUTS are folders that hold
projects, each in a folder of its own, or projects themselves. Both states of the tool read every project without a cache, one after the
other; the answer is Markdown for the reviewer of a change: per project the time of both, the counts, and every finding that came, went, or
weighs otherwise now, with its place. Exit code 1 says that a state failed on some project; nothing of a project is run or written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
ROOMS = ("analyzer", "rules", "reports_templates")
SEVERITIES = ("error", "warning", "info")
MARKS = (".git", "package.json", "pyproject.toml", "setup.py", "convex", "manage.py")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one state of the tool says of one project: its findings by identity, in words why there are none, and seconds on the clock."""

    findings: Mapping[str, Mapping[str, Any]]
    failure: str
    seconds: float

    def counts(self) -> str:
        """Errors, warnings and hints."""
        if self.failure:
            return self.failure
        by = Counter(f["severity"] for f in self.findings.values())
        return " / ".join(str(by[severity]) for severity in SEVERITIES)


def main() -> None:
    """Compare, print, and keep where that is asked for."""
    given = _options()
    with tempfile.TemporaryDirectory() as scratch:
        base = _state(given.base, Path(scratch) / "base")
        head = _state(given.head, Path(scratch) / "head") if given.head else HERE
        try:
            rows = [
                (p.name, _asked(base, p, given.show, given.limit), _asked(head, p, given.show, given.limit))
                for p in _projects(given.checkouts)
            ]
        finally:
            for state in (base, head) if given.head else (base,):
                _git("worktree", "remove", "--force", str(state))
    text = "\n".join(_report(given.base, given.head or "the working tree", rows)) + "\n"
    print(text, end="")
    if given.output is not None:
        given.output.write_text(text, encoding="utf-8")
    raise SystemExit(any(before.failure or after.failure for _, before, after in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ecosystem", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", help="a revision of this repository")
    parser.add_argument("checkouts", type=Path, nargs="+", help="a project, or a folder that holds projects")
    parser.add_argument("--head", default="", help="another revision (default: the working tree)")
    parser.add_argument("--show", choices=("warning", "info"), default="warning", help="the least severe findings that count (%(default)s)")
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a run is stopped (%(default)s)")
    parser.add_argument("--output", type=Path, help="a file that keeps the answer")
    return parser.parse_args()


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(HERE), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"git {words[0]} {words[1]}: {done.stderr.strip()}", file=sys.stderr)
        raise SystemExit(2)
    return done.stdout


def _state(revision: str, folder: Path) -> Path:
    """The tool as it was at a revision."""
    _git("worktree", "add", "--detach", str(folder), revision)
    return folder


def _projects(folders: Sequence[Path]) -> Iterator[Path]:
    """The projects that folders are or hold."""
    for folder in folders:
        inside = sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
        yield from [folder] if any((folder / mark).exists() for mark in MARKS) else inside


def _asked(state: Path, project: Path, show: str, limit: float) -> Answer:
    """What a state of the tool says of a project."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(state / room) for room in ROOMS)}
    command = [sys.executable, "-m", "querylint", "check", "--no-cache", "--format", "json", "--show", show, str(project.resolve())]
    started = time.monotonic()
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=limit, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        return Answer({}, f"did not end within {limit:g} s", limit)
    took = time.monotonic() - started
    if done.returncode not in (0, 1):
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing said"]
        return Answer({}, f"ended with exit code {done.returncode}: {last[0]}", took)
    found = json.loads(done.stdout)["findings"]
    return Answer({f["fingerprint"]: f for f in found}, "", took)


def _report(base: str, head: str, rows: Sequence[tuple[str, Answer, Answer]]) -> Iterator[str]:
    changes = {name: list(_changes(before, after)) for name, before, after in rows}
    kinds = Counter(f"{mark} {f['rule']}" for found in changes.values() for mark, f, _ in found)
    changed = sum(1 for found in changes.values() if found)
    yield f"# {base} against {head}"
    yield ""
    yield f"{changed} of {len(rows)} projects changed. Counts are errors / warnings / hints; seconds are on the clock."
    yield ""
    yield "| project | before | after | + | - | ~ | s before | s after |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for name, before, after in rows:
        marks = Counter(mark for mark, _, _ in changes[name])
        yield (
            f"| {name} | {before.counts()} | {after.counts()} | {marks['+']} | {marks['-']} | {marks['~']} "
            f"| {before.seconds:.1f} | {after.seconds:.1f} |"
        )
    if kinds:
        yield ""
        yield "By rule: " + ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items(), key=lambda one: -one[1])) + "."
    for name, found in changes.items():
        if found:
            yield ""
            yield f"## {name}"
            yield ""
            yield from (f"- `{mark}` {f['path']}:{f['start']['line']} {weight} {f['rule']}: {f['message']}" for mark, f, weight in found)


def _changes(before: Answer, after: Answer) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """What came (`+`), went (`-`) or weighs otherwise (`~`), by place, each with its severity."""
    if before.failure or after.failure:
        return
    every = {**before.findings, **after.findings}
    for key, f in sorted(every.items(), key=lambda one: (one[1]["path"], one[1]["start"]["line"], one[1]["rule"])):
        old, new = before.findings.get(key), after.findings.get(key)
        if old is None or new is None:
            yield ("+" if old is None else "-"), f, f["severity"]
        elif old["severity"] != new["severity"]:
            yield "~", new, f"{old['severity']} -> {new['severity']}"


if __name__ == "__main__":
    main()
