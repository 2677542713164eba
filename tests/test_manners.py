"""How the command behaves at a terminal and in a shell."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from git_project import READING_HELPERS, ROOT, GitProject, environment
from interrupts import interruptible
from querylint import cli
from tools import needs

WORKING = (
    "import sys, time\nfrom querylint.cli.progress import working\nwith working():\n    time.sleep(float(sys.argv[1]))\nprint('done')\n"
)


def at_terminal(*args: str) -> str:
    """What a child says on standard error, which is a terminal."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen([sys.executable, *args], env=environment(), stderr=theirs, stdout=subprocess.PIPE)
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 65536)
        except OSError:  # Linux says so when the other side has closed
            break
    os.close(ours)
    out, _ = child.communicate(timeout=20)
    assert out == b"done\n"
    return said.decode()


def test_a_person_who_waits_gets_a_sign_of_life_which_is_then_gone() -> None:
    said = at_terminal("-c", WORKING, "0.9")
    assert "querylint is reading the project (1 s)" in said or "querylint is reading the project (0 s)" in said
    assert said.endswith("\r\x1b[2K")


def test_who_does_not_wait_gets_none() -> None:
    assert at_terminal("-c", WORKING, "0.05") == ""
    done = subprocess.run([sys.executable, "-c", WORKING, "0.9"], env=environment(), capture_output=True, check=True)
    assert done.stderr == b""


def test_a_group_alone_prints_its_help_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["baseline"]) == 2
    alone = capsys.readouterr()
    assert cli.run(["baseline", "--help"]) == 0
    assert (alone.out, alone.err) == ("", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("querylint ba", ["baseline"]),
        ("querylint baseline pr", ["prune"]),
        ("querylint check --stag", ["--staged"]),
        ("querylint check --format jun", ["junit"]),
        ("querylint completion f", ["fish"]),
        ("querylint ver", ["verify"]),
        ("querylint verify --pack", ["--packages"]),
        ("querylint meas", ["measure"]),
        ("querylint measure --fail-on-growth s", ["square"]),
    ],
)
def test_bash_completes_with_the_code_that_it_was_given(tmp_path: Path, line: str, offers: list[str]) -> None:
    (tmp_path / "querylint").write_text(f'#!/bin/sh\nexec {sys.executable} -m querylint "$@"\n')
    (tmp_path / "querylint").chmod(0o755)
    words = line.split()
    script = (
        'eval "$(querylint completion bash)"\n'
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        '_querylint_completion querylint\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    done = subprocess.run(["bash", "-c", script], env=environment() | {"PATH": path}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == offers


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_code_for_a_shell_is_code_of_that_shell(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["completion", shell]) == 0
    code = capsys.readouterr().out
    assert f"_QUERYLINT_COMPLETE={shell}_complete" in code
    if shutil.which(shell):
        (tmp_path / "code").write_text(code)
        assert subprocess.run([shell, "-n", str(tmp_path / "code")], capture_output=True, check=False).returncode == 0


def test_watching_checks_again_after_a_change_and_ends_quietly(tmp_path: Path) -> None:
    project = GitProject(tmp_path / "repo")
    command = [sys.executable, "-m", "querylint", "check", "--watch", "--format", "concise"]
    with interruptible():
        child = subprocess.Popen(command, cwd=project.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stderr is not None
    heard: list[bytes] = []
    listener = Thread(target=lambda: heard.extend(iter(child.stderr.readline, b"")), daemon=True)  # type: ignore[union-attr]
    listener.start()

    def rounds(number: int) -> None:
        deadline = time.monotonic() + 30
        while sum(b"waiting for changes" in line for line in heard) < number:
            assert time.monotonic() < deadline, heard
            time.sleep(0.05)

    rounds(1)
    time.sleep(0.5)  # the watcher starts behind the sentence
    project.write({"convex/helpers.ts": READING_HELPERS})
    rounds(2)
    project.write({"querylint.toml": "nonsense = 1\n"})
    rounds(3)
    child.send_signal(signal.SIGINT)
    out = child.stdout.read() if child.stdout else b""
    assert child.wait(20) == 130
    listener.join(5)
    assert [line.split()[2] for line in out.decode().splitlines()] == ["loop-read"]
    assert any(b"querylint.toml:1: unknown key `nonsense`" in line for line in heard)
    assert not any(b"Traceback" in line for line in heard)


def example(language: str) -> str:
    page = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return str(found)


@pytest.fixture
def concise(tmp_path: Path) -> str:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/helpers.ts": READING_HELPERS})
    return project.querylint("check", "--format", "concise").stdout


def test_the_task_of_the_page_takes_a_line_apart(concise: str) -> None:
    pattern = json.loads(example("json"))["tasks"][0]["problemMatcher"]["pattern"]
    match = re.fullmatch(pattern["regexp"], concise.splitlines()[0])
    assert match is not None
    assert [match[pattern[part]] for part in ("file", "line", "column", "severity", "code")] == [
        "convex/posts.ts", "10", "24", "warning", "loop-read",
    ]  # fmt: skip


@needs("vim")
def test_vim_takes_a_line_apart_as_the_page_says(concise: str, tmp_path: Path) -> None:
    (tmp_path / "lines").write_text(concise)
    look = "map(getqflist(), 'join([bufname(v:val.bufnr), v:val.lnum, v:val.col, v:val.type], \" \")')"
    script = f"{example('vim')}cgetfile {tmp_path}/lines\ncall writefile({look}, '{tmp_path}/out')\nqall!\n"
    (tmp_path / "script").write_text(script)
    subprocess.run(["vim", "-es", "-u", "NONE", "-S", str(tmp_path / "script")], check=False, timeout=20, stdin=subprocess.DEVNULL)
    assert (tmp_path / "out").read_text() == "convex/posts.ts 10 24 w\n"


@pytest.mark.parametrize(
    ("library", "args", "words"),
    [
        ("watchfiles", ["check", "--watch"], "pip install 'querylint[watch]'"),
        ("mcp", ["mcp"], "pip install 'querylint[mcp]'"),
        ("pygls", ["lsp"], "pip install 'querylint[lsp]'"),
    ],
)
def test_a_library_that_is_not_there_is_named(
    library: str, args: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.chdir(tmp_path)
    assert cli.run(args) == 2
    assert words in capsys.readouterr().err
