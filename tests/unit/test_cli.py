from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import querylint
from fake_engine import FakeEngine
from interrupts import interruptible
from querylint import cli
from querylint.cli.reporting import FULL_AT_TERMINAL
from querylint.errors import SettingsError
from querylint.report import FORMATS, Options, pages, render
from report_sample import BROKEN, NOTHING, RESULT, SCAN, UNUSED, result

ROOT = Path(__file__).parents[2]
PYTHONPATH = os.pathsep.join(str(ROOT / folder) for folder in ("analyzer", "rules", "reports_templates", "tests"))
QUIET_ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")}
FAKE = [sys.executable, str(ROOT / "tests" / "fake_engine.py")]


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Door = Callable[..., Said]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    fake = FakeEngine(RESULT)
    for room in ("engine", "review"):
        monkeypatch.setitem(sys.modules, f"querylint.{room}", fake)
        monkeypatch.setattr(querylint, room, fake, raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    return fake


@pytest.fixture
def door(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> Door:
    def call(*args: str) -> Said:
        code = cli.run(args)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call


def child(name: str, *args: str, **extra: object) -> subprocess.Popen[bytes]:
    environment = QUIET_ENVIRONMENT | {"PYTHONPATH": PYTHONPATH}
    return subprocess.Popen([*FAKE, name, *args], env=environment, stderr=subprocess.PIPE, **extra)  # type: ignore[call-overload, no-any-return]


def in_terminal(name: str, *args: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    process = child(name, *args, stdout=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side has closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    return process.wait(20), said.decode().replace("\r\n", "\n")


def test_every_command_is_summed_up_without_being_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    assert cli.run(["baseline", "--help"]) == 0
    assert "..." not in capsys.readouterr().out.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("of", "args", "code"),
    [
        (RESULT, [], 1),
        (RESULT, ["--fail-on", "error"], 1),
        (RESULT, ["--fail-on", "never"], 0),
        (RESULT, ["--exit-zero"], 0),
        (result(UNUSED), [], 0),
        (result(UNUSED), ["--fail-on", "info"], 1),
        (result(SCAN), ["--fail-on", "error"], 1),
        (NOTHING, [], 0),
        (NOTHING, ["--fail-on", "info"], 0),
        (BROKEN, [], 2),
        (BROKEN, ["--exit-zero"], 2),
        (RESULT, ["missing"], 2),
        (RESULT, ["--select", "lop-read"], 2),
        (RESULT, ["--fail-on", "high"], 2),
        (RESULT, ["--format", "xml"], 2),
        (RESULT, ["--nonsense"], 2),
        (RESULT, ["--statistics", "--format", "json"], 2),
    ],
)
def test_exit_codes(engine: FakeEngine, door: Door, of: object, args: list[str], code: int) -> None:
    engine.result = of  # type: ignore[assignment]
    assert door("check", *args).code == code
    assert door(*args).code == code


@pytest.mark.parametrize("style", FORMATS)
def test_every_format_is_the_only_thing_on_stdout(door: Door, style: str) -> None:
    said = door("--format", style)
    assert said.out == render(style, RESULT, Options(exit_code=1))
    assert style == "concise" or said.err == ""


def test_concise_says_beside_it_what_was_looked_at(engine: FakeEngine, door: Door) -> None:
    engine.result = NOTHING
    assert door("--format", "concise").err.startswith("Found nothing to report, 2 suppressed. Looked at 5 files")
    assert door("--format", "concise", "--quiet").err == ""


def test_a_broken_run_prints_what_it_has_and_says_so(engine: FakeEngine, door: Door) -> None:
    engine.result = BROKEN
    said = door("--format", "json")
    assert json.loads(said.out)["notes"][0]["kind"] == "bug"
    assert said.err.startswith("querylint: the run cannot be trusted")


def test_what_the_engine_is_asked(engine: FakeEngine, door: Door, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    door()
    door("a", "--select", "loop-read, scan-filter", "--select", "waterfall", "--ignore", "waterfall")
    door("--show", "info", "--fail-on", "never", "--config", "x.toml")
    assert engine.asked == [
        ((Path(),), None, {}),
        ((Path("a"),), None, {"select": ["loop-read", "scan-filter", "waterfall"], "ignore": ["waterfall"]}),
        ((Path(),), Path("x.toml"), {"show": "info", "fail-on": "never"}),
    ]


def test_edits_are_made_up_only_for_formats_that_carry_them(engine: FakeEngine, door: Door, tmp_path: Path) -> None:
    for args in (["--format", "json"], ["--format", "agent"], ["--output", f"sarif={tmp_path / 'out.sarif'}"], [], ["--format", "junit"]):
        door(*args)
    assert engine.fixes == [True, True, True, False, False]


def test_show_lowers_the_floor(door: Door) -> None:
    assert "index-unused" in door("--show", "info").out
    assert "loop-read" not in door("--show", "error").out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["missing"], ["querylint: `missing` does not exist"]),
        (["--select", "x"], ["querylint: `x` is not a rule; did you mean `loop-read`?", "querylint: another mistake"]),
        (
            ["chek"],
            [
                "querylint: `chek` is neither a path nor a command; did you mean `check`?",
                "querylint: see `querylint --help`",
            ],
        ),
        (["explain", "lop_read"], ["querylint: there is no rule `lop_read`; did you mean `loop-read`?"]),
        (["explain", "zzz"], ["querylint: there is no rule `zzz`; `querylint rules` lists all of them"]),
    ],
)
def test_mistakes_are_sentences(door: Door, args: list[str], words: list[str]) -> None:
    said = door(*args)
    assert said.code == 2
    assert said.out == ""
    assert said.err.splitlines() == words


def test_a_wrong_option_leads_to_the_help_of_its_command(door: Door) -> None:
    said = door("check", "--formt", "json")
    assert said.err.startswith("querylint: No such option")
    assert said.err.endswith("\nquerylint: see `querylint check --help`\n")


def test_a_path_that_looks_like_a_command_is_a_path(engine: FakeEngine, door: Door, tmp_path: Path) -> None:
    (tmp_path / "chek").mkdir()
    assert door("chek").code == 1
    assert engine.asked[0][0] == (Path("chek"),)


def test_settings_mistakes_take_a_line_each(engine: FakeEngine, door: Door) -> None:
    engine.raises = SettingsError("querylint.toml:1: one\nquerylint.toml:2: two")
    assert door().err == "querylint: querylint.toml:1: one\nquerylint: querylint.toml:2: two\n"


def test_a_defect_of_ours_is_not_taken_for_findings(engine: FakeEngine, door: Door) -> None:
    engine.raises = RuntimeError("boom")
    said = door()
    assert said.code == 2
    assert "boom" in said.err
    assert "please report it" in said.err


def test_reports_go_to_files_beside_the_text(door: Door, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    said = door("--output", "sarif=out/a.sarif", "--output", "json=b.json")
    assert said.out == render("text", RESULT, Options())
    assert (tmp_path / "out" / "a.sarif").read_text(encoding="utf-8") == render("sarif", RESULT, Options(exit_code=1))
    assert json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))["version"] == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.sarif", "b.json", "out"]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("sarif=no/a.sarif", "the folder `no` does not exist"),
        ("xml=a.xml", "`xml=a.xml` is not FORMAT=PATH with one of the formats text, concise, json, sarif"),
        ("sarif", "`sarif` is not FORMAT=PATH"),
        ("sarif=", "`sarif=` is not FORMAT=PATH"),
        ("json=.", "`.` is a folder"),
    ],
)
def test_outputs_that_cannot_be_are_refused_before_the_run(engine: FakeEngine, door: Door, output: str, words: str) -> None:
    said = door("--output", output)
    assert said.code == 2
    assert words in said.err
    assert engine.asked == []


def test_github_gets_a_summary_of_the_job_beside_the_log(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "summary.md").write_text("## Of another step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert door("--format", "github").code == 1
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert text.startswith("## Of another step\n## querylint\n")
    door("--format", "sarif")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == text
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "summary.md"))
    said = door("--format", "github")
    assert said.code == 1
    assert said.err == "querylint: the job summary cannot be written (no such file or directory)\n"


def test_a_failed_write_leaves_what_was_there(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text("old")

    def full(_path: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    said = door("--output", "json=a.json")
    assert said.code == 2
    assert "a.json` cannot be written (no space left on device)" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "old"


def test_a_link_is_written_through_and_a_device_is_not_replaced(door: Door, tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    assert door("--output", "json=link.json", "--output", "json=/dev/null").code == 1
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text(encoding="utf-8"))["version"] == 1
    assert Path("/dev/null").is_char_device()


def test_rules_in_three_forms(door: Door) -> None:
    lines = door("rules").out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["index-unused", "info"], ["loop-read", "warning"], ["scan-filter", "error"], ["waterfall", "warning"],
    ]  # fmt: skip
    listed = json.loads(door("rules", "--format", "json").out)["rules"]
    assert listed[1]["name"] == "loop-read"
    assert listed[1]["doc"].startswith("# A database read")
    assert "| [`loop-read`](docs/rules/loop-read.md) | warning | A database read" in door("rules", "--format", "markdown").out


def test_explain_prints_the_page_plainly(door: Door) -> None:
    said = door("explain", "loop-read")
    assert said.code == 0
    assert said.out.startswith(
        "loop-read · warning · pattern loop-read · since 0.1.0 · CWE-1050\n\nA database read for every item of a loop\n"
    )
    assert "#" not in said.out
    assert "\n    await Promise.all(" in said.out


def test_color_only_where_it_is_wanted(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in door().out
    assert "\x1b[" in door("--color", "always").out
    assert "\x1b[" in door("explain", "loop-read", "--color", "always").out
    assert "\x1b[" not in door("--color", "always", "--format", "json").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in door().out
    assert "\x1b[" not in door("--color", "never").out


def test_pages_are_kept_equal_to_the_rules(engine: FakeEngine, door: Door, tmp_path: Path) -> None:
    assert door("docs").code == 2
    folder = tmp_path / "docs" / "rules"
    folder.mkdir(parents=True)
    (folder / "gone.md").write_text("a rule that was")
    index = tmp_path / "docs" / "rules.md"
    index.write_text("# Q\n<!-- rules -->old<!-- /rules -->\nend\n")
    assert door("docs", "--check").code == 1
    assert (folder / "gone.md").exists()
    assert door("docs", "--write").code == 0
    own = {"bad-suppression.md", "stale-baseline.md", "unused-suppression.md"}
    assert {path.name for path in folder.iterdir()} == {"index-unused.md", "loop-read.md", "scan-filter.md", "waterfall.md", *own}
    assert index.read_text() == f"# Q\n<!-- rules -->\n\n{pages.rules_table(engine.result.rules, 'rules')}\n<!-- /rules -->\nend\n"
    assert door("docs", "--check") == Said(0, "", "")


def test_a_page_says_how_to_silence_and_ends_well() -> None:
    page = pages.rule_page(RESULT.rules[0])
    assert "\n# A database read for every item of a loop\n" in page
    assert "// querylint: ignore[loop-read] -- why this is fine here" in page
    assert "[CWE-1050](https://cwe.mitre.org/data/definitions/1050.html)" in page
    assert page.endswith("```\n")
    assert "\n\n\n" not in page
    assert "CWE" not in pages.rule_page(RESULT.rules[3])


def test_a_page_without_markers_stays() -> None:
    assert pages.with_table("# A\n", RESULT.rules) == "# A\n"
    assert pages.with_table("<!-- rules --> never closed", RESULT.rules) == "<!-- rules --> never closed"


def test_help_and_version(door: Door) -> None:
    assert door("--version").out == f"querylint {querylint.__version__}\n"
    for args in (["-h"], ["--help"]):
        said = door(*args)
        assert said.code == 0
        assert all(command in said.out for command in ("check", "rules", "explain"))
        assert "docs" not in said.out
    assert "--fail-on" in door("check", "-h").out


def test_a_person_gets_the_dearest_first_and_the_tail_in_short() -> None:
    code, said = in_terminal("MANY")
    assert code == 1
    assert "\x1b[" in said
    assert said.count("= help:") == FULL_AT_TERMINAL
    _, asked = in_terminal("MANY", "--format", "text", "--color", "never")
    assert asked.count("= help:") == 30
    assert "\x1b[" not in asked


def test_a_reader_that_leaves_early_costs_no_traceback() -> None:
    reading, writing = os.pipe()
    process = child("MANY", "--format", "json", stdout=writing)
    os.close(reading)
    os.close(writing)
    _, err = process.communicate(timeout=20)
    assert err == b""
    assert process.returncode == 1


def test_an_interrupt_is_quiet() -> None:
    with interruptible():
        process = child("slow", stdout=subprocess.PIPE)
    assert process.stderr
    assert process.stderr.readline() == b"waiting\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")


def test_words_that_the_terminal_cannot_show_do_not_stop_the_run() -> None:
    environment = QUIET_ENVIRONMENT | {"PYTHONPATH": PYTHONPATH, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*FAKE, "RESULT", "--show", "info"], env=environment, capture_output=True, check=False, timeout=20)
    assert done.returncode == 1
    assert b"\\u" in done.stdout
    done = subprocess.run([*FAKE, "RESULT", "--format", "json"], env=environment, capture_output=True, check=False, timeout=20)
    assert done.stdout == render("json", RESULT, Options()).encode()


def test_output_does_not_depend_on_where_it_is_run(engine: FakeEngine, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = door("--format", "sarif").out
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    engine.result = replace(RESULT)
    assert door("--format", "sarif").out == first


def test_commands_have_room_for_deep_calls() -> None:
    def depth(left: int) -> int:
        return 0 if left == 0 else 1 + depth(left - 1)

    assert cli._with_room(lambda: depth(500)) == 500
    assert cli._with_room.__code__.co_stacksize * 8 > 1 << 20
