"""The formats of CI systems that read a log, read back as they do, also where names are hostile; and what holds for all formats."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from querylint.rule import Age, Severity
from report_formats import GATED, HOSTILE, NASTY, said
from report_sample import BROKEN, LOOP_READ, MANY, NOTHING, RESULT, SCAN, UNUSED, place, result

# GitHub: what its runner makes of a log, https://github.com/actions/runner, as the toolkit writes it.


def runner(log: str) -> list[tuple[str, dict[str, str], str]]:
    """The commands that a runner carries out; the old form in brackets counts wherever it stands in a line."""
    carried_out, stopped = [], None
    for line in log.split("\n"):
        command = re.match(r"\s*::([\w-]+)(?: ([^:]*(?::(?!:)[^:]*)*?))?::(.*)", line)
        old = re.search(r"##\[([\w-]+)[^\]]*\]", line)
        if stopped is not None:
            if command is not None and command[1] == stopped:
                stopped = None
        elif command is not None:
            if command[1] == "stop-commands":
                stopped = command[3]
                continue
            properties = dict(pair.split("=", 1) for pair in (command[2] or "").split(",") if pair)
            unescaped = {name: unescape(value) for name, value in properties.items()}
            carried_out.append((command[1], unescaped, unescape(command[3])))
        elif old is not None:
            carried_out.append((old[1], {}, line))
    assert stopped is None
    return carried_out


def unescape(value: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        value = value.replace(code, char)
    return value


def test_github_annotates_and_folds_the_log() -> None:
    commands = runner(said("github", result(LOOP_READ)))
    assert [name for name, _, _ in commands] == ["warning", "group", "endgroup"]
    _, properties, message = commands[0]
    assert properties == {
        "file": "convex/posts.ts", "line": "7", "endLine": "7", "col": "23", "endColumn": "40", "title": "querylint: loop-read",
    }  # fmt: skip
    assert message.splitlines()[0] == LOOP_READ.found.message
    assert "help: start the reads together and await them with one Promise.all" in message


def test_github_does_nothing_that_a_name_asks_for() -> None:
    commands = runner(said("github", HOSTILE))
    assert [name for name, _, _ in commands] == ["warning", "group", "endgroup"]
    assert commands[0][1]["file"] == NASTY
    assert commands[0][2].startswith(NASTY)


def test_github_gets_no_more_than_it_shows_and_hears_how_many_there_are() -> None:
    many = replace(MANY, findings=(*MANY.findings, SCAN))
    commands = runner(said("github", many))
    kinds = [name for name, _, _ in commands]
    assert (kinds.count("error"), kinds.count("warning"), kinds.count("notice")) == (1, 10, 1)
    assert "The 11 costliest ones of 31 are annotated" in commands[11][2]


def test_github_folds_nothing_where_nothing_was_found() -> None:
    assert runner(said("github", NOTHING)) == []
    assert "Found nothing to report" in said("github", NOTHING)


def test_github_hears_of_gates_and_of_bugs() -> None:
    assert [c[2] for c in runner(said("github", GATED)) if c[0] == "error"] == ["Gate `loop-read` failed: 3 found, none allowed."]
    assert [c[0] for c in runner(said("github", BROKEN))] == ["error"]


# Azure Pipelines: what its task library makes of a line.


def agent_of_azure(log: str) -> list[tuple[str, dict[str, str], str]]:
    commands = []
    for line in log.splitlines():
        command = re.match(r"##vso\[([\w.]+) ([^\]]*)\](.*)", line)
        if command is None:
            assert "##vso[" not in line
            continue
        properties = dict(pair.split("=", 1) for pair in command[2].split(";") if pair)
        commands.append((command[1], {name: unescape_azure(value) for name, value in properties.items()}, unescape_azure(command[3])))
    return commands


def unescape_azure(value: str) -> str:
    for code, char in (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%AZP25", "%")):
        value = value.replace(code, char)
    return value


def test_azure_logs_issues_the_dearest_first() -> None:
    commands = agent_of_azure(said("azure", RESULT, lead="api/"))
    assert [(name, p["type"], p["code"]) for name, p, _ in commands] == [
        ("task.logissue", "error", "scan-filter"), ("task.logissue", "warning", "loop-read"), ("task.logissue", "warning", "waterfall"),
    ]  # fmt: skip
    assert (commands[1][1]["sourcepath"], commands[1][1]["linenumber"], commands[1][1]["columnnumber"]) == (
        "api/convex/posts.ts",
        "7",
        "23",
    )


def test_azure_does_nothing_that_a_name_asks_for() -> None:
    ((name, properties, message),) = agent_of_azure(said("azure", HOSTILE))
    assert (name, properties["sourcepath"]) == ("task.logissue", NASTY)
    assert message.startswith(NASTY)
    assert [c[2] for c in agent_of_azure(said("azure", GATED))] == ["Gate `loop-read` failed: 3 found, none allowed."]


# All of them.

ALL = ("github", "gitlab", "junit", "rdjson", "sonarqube", "azure", "markdown", "agent")


@pytest.mark.parametrize("style", ALL)
def test_hints_are_left_out_unless_asked_for_and_so_is_what_was_known(style: str) -> None:
    known = replace(RESULT, findings=(UNUSED,), known=(replace(SCAN, age=Age.UNCHANGED),), against="`main`")
    assert "index-unused" not in said(style, known)
    assert "scan-filter" not in said(style, known, show=Severity.INFO)
    assert "index-unused" in said(style, known, show=Severity.INFO)


@pytest.mark.parametrize("style", ALL)
def test_equal_results_give_equal_text_whatever_their_order(style: str) -> None:
    turned = replace(RESULT, findings=RESULT.findings[::-1], notes=RESULT.notes[::-1], rules=RESULT.rules[::-1])
    assert said(style, turned) == said(style)


@pytest.mark.parametrize("style", ALL)
def test_a_span_over_several_lines_is_no_trouble(style: str) -> None:
    several = replace(SCAN, found=replace(SCAN.found, span=place("convex/posts.ts", "posts\n    .filter((post)")))
    assert "11" in said(style, result(several))
