"""Kept answers: the same question is answered without a run, and never otherwise than a run would answer it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from querylint import cli
from querylint.cache import parts, place
from querylint.cache.digest import digest
from querylint.cache.entry import Entry, Filter, decode
from querylint.cache.question import Question, asked
from querylint.cache.record import Said, Seen, entry

POSTS = """
import { query } from "./_generated/server";
export const list = query({
  handler: async (ctx) => {
    const posts = await ctx.db.query("posts").collect();
    return posts.filter((post) => post.draft);
  },
});
"""
SCHEMA = """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ posts: defineTable({ draft: v.boolean(), author: v.id("users") }).index("by_draft", ["draft"]) });
"""
LOOP = """
import { mutation } from "./_generated/server";
export const drop = mutation({
  handler: async (ctx, { ids }) => {
    for (const id of ids) { const post = await ctx.db.get(id); await ctx.db.patch(post.author, { seen: true }); }
  },
});
"""
ARGS = ["check", "--format", "json", "--show", "info"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(place.FOLDER, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return made(tmp_path / "project")


def made(root: Path) -> Path:
    (root / "convex" / "_generated").mkdir(parents=True)
    (root / "convex.json").write_text("{}")
    (root / "convex" / "schema.ts").write_text(SCHEMA)
    (root / "convex" / "posts.ts").write_text(POSTS)
    for folder, _, files in os.walk(root):  # long enough ago for the clock of any file system
        for path in (folder, *(os.path.join(folder, file) for file in files)):
            os.utime(path, (1_700_000_000, 1_700_000_000))
    return root


def ask(root: Path, capfdbinary: pytest.CaptureFixture[bytes], *more: str) -> tuple[bool, int, bytes, bytes]:
    """Whether the answer was a kept one, the exit code, and what was printed."""
    args = [*ARGS, str(root), *more]
    question = asked(args)
    code = question.answered() if question is not None else None
    kept = code is not None
    if code is None:
        code = cli.run(args, question)
    sys.stdout.flush()
    out, err = capfdbinary.readouterr()
    return kept, int(code), out, err


def truth(root: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> tuple[int, bytes, bytes]:
    code = cli.run([*ARGS, str(root), "--no-cache"])
    sys.stdout.flush()
    out, err = capfdbinary.readouterr()
    return int(code), out, err


@pytest.fixture
def outs(capfdbinary: pytest.CaptureFixture[bytes]) -> pytest.CaptureFixture[bytes]:
    return capfdbinary


def test_the_second_run_says_the_same_without_analysis(project: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    first = ask(project, outs)
    second = ask(project, outs)
    assert (first[0], second[0]) == (False, True)
    assert first[1:] == second[1:]
    assert b"posts.ts" in second[2]


def test_no_cache_asks_and_keeps_nothing(project: Path, cache: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    ask(project, outs, "--no-cache")
    assert not cache.exists()
    ask(project, outs)
    assert not ask(project, outs, "--no-cache")[0]


def test_an_empty_variable_turns_it_off(project: Path, outs: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(place.FOLDER, "")
    assert not ask(project, outs)[0]
    assert not ask(project, outs)[0]


@pytest.mark.parametrize("more", [("--show", "error"), ("--select", "loop-read"), ("--format", "concise"), ("--no-baseline",)])
def test_another_question_is_another_answer(project: Path, outs: pytest.CaptureFixture[bytes], more: tuple[str, ...]) -> None:
    ask(project, outs)
    kept, *first = ask(project, outs, *more)
    assert not kept
    assert ask(project, outs, *more) == (True, *first)


def test_files_that_only_look_changed_are_compared(project: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    ask(project, outs)
    os.utime(project / "convex" / "posts.ts")
    assert ask(project, outs)[0]


def test_an_edit_that_hides_its_time_is_seen(project: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    path = project / "convex" / "posts.ts"
    before = path.stat()
    ask(project, outs)
    path.write_text(POSTS.replace("post.draft", "post.craft"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not ask(project, outs)[0]


def test_files_of_no_interest_make_no_difference(project: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    ask(project, outs)
    (project / "convex" / "debug.log").write_text("x")
    (project / "node_modules" / "left-pad").mkdir(parents=True)
    assert ask(project, outs)[0]


@pytest.mark.parametrize("name", ["querylint.toml", "pyproject.toml", ".gitignore", "convex/.gitignore", "querylint-baseline.json"])
def test_settings_that_come_and_go_are_seen(project: Path, outs: pytest.CaptureFixture[bytes], name: str) -> None:
    texts = {
        "querylint.toml": 'ignore = ["overfetch"]\n',
        "pyproject.toml": '[tool.querylint]\nexclude = ["convex/posts.ts"]\n',
        "querylint-baseline.json": '{"version": 1, "findings": []}',
    }
    ask(project, outs)
    (project / name).write_text(texts.get(name, "posts.ts\n"))
    kept, *answer = ask(project, outs)
    assert not kept
    assert tuple(answer) == truth(project, outs)
    (project / name).unlink()
    assert tuple(ask(project, outs)[1:]) == truth(project, outs)


def test_settings_around_the_project_are_seen(project: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    ask(project, outs)
    (project.parent / "querylint.toml").write_text('select = ["loop-read"]\n')
    assert not ask(project, outs)[0]


def test_a_run_that_is_not_about_the_disk_alone_is_not_kept(project: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project, check=True, capture_output=True)
    ask(project, outs, "--changed")
    assert not ask(project, outs, "--changed")[0]


# Hostile caches.


def answers(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.answer"))


def spoiled(data: bytes) -> Iterator[bytes]:
    yield b""
    for cut in range(0, len(data), max(1, len(data) // 40)):
        yield data[:cut]
    for at in range(0, len(data), max(1, len(data) // 40)):
        yield data[:at] + bytes((data[at] ^ 0x10,)) + data[at + 1 :]
    yield data + b"\0"
    yield data.replace(b"answer 1", b"answer 2", 1)
    yield b"\xff" * len(data)


def test_a_spoiled_answer_is_no_answer(project: Path, cache: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    ask(project, outs)
    (path,) = answers(cache)
    data = path.read_bytes()
    assert decode(data) is not None
    for number, bad in enumerate(spoiled(data)):
        assert decode(bad) is None, number
        path.write_bytes(bad)
        question = asked([*ARGS, str(project)])
        assert question is not None
        assert question.answered() is None


def test_spoiled_parts_are_no_parts(project: Path, cache: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    ask(project, outs)
    (path,) = cache.glob("*.parts")
    data = path.read_bytes()
    assert parts.load(str(cache), str(project)) is not None
    for number, bad in enumerate((*list(spoiled(data))[::8], data.replace(b"parts 2", b"parts 1", 1))):
        path.write_bytes(bad)
        assert parts.load(str(cache), str(project)) is None, number
    (project / "convex" / "posts.ts").write_text(POSTS.replace("draft", "title"))
    assert ask(project, outs)[1:] == truth(project, outs)
    assert parts.load(str(cache), str(project)) is not None


def test_parts_that_other_code_has_made_are_none(
    project: Path, cache: Path, outs: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(project, outs)
    monkeypatch.setattr(parts, "__version__", "0.0.0")
    assert parts.load(str(cache), str(project)) is None


def test_parts_that_another_parser_has_made_are_none(
    project: Path, cache: Path, outs: pytest.CaptureFixture[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(project, outs)
    parts._code.cache_clear()
    assert parts.load(str(cache), str(project)) is not None
    (tmp_path / "newer" / "tree_sitter_typescript").mkdir(parents=True)
    (tmp_path / "newer" / "tree_sitter_typescript" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "newer")
    parts._code.cache_clear()
    assert parts.load(str(cache), str(project)) is None
    parts._code.cache_clear()


@pytest.mark.skipif(sys.platform == "win32", reason="no such rights")
def test_what_others_may_have_written_is_no_answer(project: Path, cache: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    ask(project, outs)
    (path,) = answers(cache)
    path.chmod(0o666)
    assert not ask(project, outs)[0]
    real = path.rename(cache / "elsewhere")
    path.symlink_to(real)
    assert not ask(project, outs)[0]
    assert ask(project, outs)[0], "the link gave way to an answer"
    path.unlink()
    path.mkdir()
    assert [ask(project, outs)[0] for _ in range(2)] == [False, False]


def test_a_folder_that_cannot_be_written_stops_nothing(project: Path, cache: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    cache.write_text("a file where the folder should be")
    assert ask(project, outs)[1:] == truth(project, outs)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_an_answer_that_cannot_be_printed_is_not_passed_off_as_given(project: Path, cache: Path) -> None:
    command = [sys.executable, "-m", "querylint", *ARGS, str(project)]
    environment = {**os.environ, place.FOLDER: str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    first = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert first.returncode == 1
    assert len(answers(cache)) == 1
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2


def test_only_so_many_answers_are_kept(project: Path, cache: Path, outs: pytest.CaptureFixture[bytes]) -> None:
    cache.mkdir()
    for number in range(140):
        old = cache / f"{number:032x}.answer"
        old.touch()
        os.utime(old, (number, number))
    ask(project, outs)
    assert len(answers(cache)) == 128
    assert ask(project, outs)[0]


# Whatever happens to a project between two runs.

NAMES = st.sampled_from(["convex/posts.ts", "convex/more.ts", "convex/schema.ts", "lib/tool.ts", "convex/deep/x.ts", "app.py", "notes.log"])
TEXTS = st.sampled_from([POSTS, LOOP, SCHEMA, "", "export const x = 1;", POSTS.replace("filter", "map"), "\xff(("])


@st.composite
def deeds(draw: st.DrawFn) -> tuple[str, ...]:
    deed = draw(st.sampled_from(["write", "write", "quietly", "remove", "touch", "link", "ignore", "set", "nothing"]))
    return deed, draw(NAMES), draw(TEXTS)


def carry_out(root: Path, deed: str, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    match deed:
        case "write" | "quietly":
            before = path.stat() if path.is_file() else None
            if path.is_symlink():
                path.unlink()
            path.write_bytes(text.encode("latin-1"))
            if deed == "quietly" and before is not None:
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        case "remove":
            path.unlink(missing_ok=True)
        case "touch" if path.exists():
            os.utime(path)
        case "link" if not path.exists() and not path.is_symlink():
            path.symlink_to(root / "convex" / "posts.ts")
        case "ignore":
            (root / ".gitignore").write_text(name.rpartition("/")[2] + "\n")
        case "set":
            (root / "querylint.toml").write_text(f'exclude = ["{name}"]\n')


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(deeds(), min_size=1, max_size=4))
def test_a_kept_answer_is_what_a_run_would_say(outs: pytest.CaptureFixture[bytes], steps: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = made(Path(folder) / "project")
        ask(root, outs)
        for step in steps:
            carry_out(root, *step)
            expected = truth(root, outs)
            assert ask(root, outs)[1:] == expected
            assert ask(root, outs)[1:] == expected


def test_a_kept_answer_loads_next_to_nothing(project: Path, cache: Path) -> None:
    started = "import sys; sys.argv = ['querylint', *sys.argv[1:]]; from querylint.__main__ import main; main()"
    command = [sys.executable, "-X", "importtime", "-c", started, *ARGS, str(project)]
    environment = {**os.environ, place.FOLDER: str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    runs = [subprocess.run(command, env=environment, capture_output=True, check=False) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    bare = subprocess.run([sys.executable, "-X", "importtime", "-c", ""], env=environment, capture_output=True, check=True)
    own = {f"querylint.cache.{name}" for name in ("digest", "entry", "place", "probes", "question")}
    allowed = own | {"querylint", "querylint.__main__", "querylint.cache", "__future__", "_blake2", "time"}
    assert imported(runs[1].stderr) - imported(bare.stderr) <= allowed


def imported(trace: bytes) -> set[str]:
    """The modules in a trace of imports."""
    lines = [line for line in trace.decode().splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def recorded(root: Path, read: bytes, packages: frozenset[str] = frozenset()) -> Entry | None:
    """The answer to keep of a run that read a file of a project and began when its stamp was old already."""
    question = Question(["check"], str(root / "cache"))
    question.began += 10_000_000_000
    nothing = frozenset[str]()
    seen = Seen(str(root), {"a.ts": digest(read)}, (), (), (), (), packages, nothing, Filter(nothing, nothing, nothing))
    return entry(question, Said(b"", b"", 0), seen)


def test_what_was_read_must_be_there_whatever_its_stamp(tmp_path: Path) -> None:
    """A folder that is renamed into place brings files with old stamps, and so does the clock of a file system that is behind."""
    (tmp_path / "a.ts").write_bytes(b"const a = 1;\n")
    assert recorded(tmp_path, b"const a = 1;\n") is not None
    assert recorded(tmp_path, b"const a = 2;\n") is None


def test_an_answer_hangs_on_the_library_of_compiled_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.ts").write_bytes(b"")
    library = types.ModuleType("0a1b__mypyc")
    library.__file__ = str(tmp_path / "0a1b__mypyc.so")
    (tmp_path / "0a1b__mypyc.so").write_bytes(b"code")
    monkeypatch.setitem(sys.modules, "0a1b__mypyc", library)
    made = recorded(tmp_path, b"", frozenset({"querylint"}))
    assert made is not None
    assert library.__file__ in {probe.path for probe in made.files}
