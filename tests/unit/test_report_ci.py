"""The formats of CI systems, read back by what these systems do with them, also where names are hostile."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from querylint.patch import Fix, Safety
from querylint.report import Options, render
from querylint.report.markdown import fitted
from querylint.result import Gate, Result
from querylint.rule import Age, Cost, Found, Point, Severity
from querylint.text import LineIndex, Span
from report_sample import BROKEN, LOOP_READ, MANY, NOTHING, RESULT, SCAN, UNUSED, place, result

NASTY = "a%0A::error::x,y:z;]]>|<img src=x>`b`\n::error::owned\n##vso[task.complete result=Failed;]##[error]\x1b[31m\x00@all #1 $x$ _u_"
NASTY_SPAN = replace(LOOP_READ.found.span, path=NASTY)
HOSTILE = replace(
    RESULT,
    findings=(
        replace(
            LOOP_READ,
            found=Found(
                NASTY_SPAN, NASTY, trail=(Point(NASTY_SPAN, NASTY),), cost=Cost(NASTY, NASTY), help=NASTY, function=NASTY, table=NASTY
            ),
        ),
    ),
    sources={NASTY: LineIndex(NASTY, f"{NASTY}\n".encode() * 40)},
    notes=(),
)
GATED = replace(NOTHING, gates=(Gate("loop-read", 0, 3), Gate("error", 2, 1)))


def said(style: str, of: Result = RESULT, **options: Any) -> str:
    return render(style, of, Options(**options))


def loaded(style: str, of: Result = RESULT, **options: Any) -> Any:
    return json.loads(said(style, of, **options))


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


# GitLab: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format

GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "not": {"pattern": "^(/|\\./)"}},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}


@pytest.mark.parametrize("of", [RESULT, NOTHING, HOSTILE, MANY])
def test_gitlab_gets_what_it_reads(of: Result) -> None:
    Draft202012Validator(GITLAB).validate(loaded("gitlab", of))


def test_gitlab_in_full() -> None:
    assert loaded("gitlab", result(SCAN), lead="packages/api/") == [{
        "description": "all rows of `posts` are read to keep those with one `author`; add index `by_author` on posts (author) "
        "and bind these fields in its range; rows then come in the order of that index",
        "check_name": "scan-filter",
        "fingerprint": "fedcba9876543210fedcba9876543210",
        "severity": "critical",
        "location": {"path": "packages/api/convex/posts.ts", "lines": {"begin": 10, "end": 10}},
    }]  # fmt: skip
    assert loaded("gitlab", NOTHING) == []


# JUnit: https://github.com/jenkinsci/xunit-plugin, junit-10.xsd

JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"testcase"}),
    "testcase": ({"name", "classname"}, {"failure", "system-out"}),
    "failure": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}


def junit(of: Result, **options: Any) -> ElementTree.Element:
    root = ElementTree.fromstring(said("junit", of, **options))
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = JUNIT[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= children
    for suite in (root, *root.iter("testsuite")):
        assert int(suite.attrib["tests"]) == len(list(suite.iter("testcase"))) > 0
        assert int(suite.attrib["failures"]) == len(list(suite.iter("failure")))
    return root


@pytest.mark.parametrize("of", [RESULT, NOTHING, HOSTILE, MANY, GATED, BROKEN])
def test_junit_follows_its_schema_and_counts_right(of: Result) -> None:
    junit(of)


def test_junit_groups_by_file_and_fails_each_finding() -> None:
    root = junit(RESULT, show=Severity.INFO)
    assert [(suite.attrib["name"], suite.attrib["tests"]) for suite in root] == [("convex/posts.ts", "3"), ("convex/schema.ts", "1")]
    case = root[0][0]
    assert (case.attrib["name"], case.attrib["classname"]) == ("loop-read at 7:23", "convex/posts.ts")
    assert case[0].attrib == {"type": "warning: loop-read", "message": LOOP_READ.found.message}
    assert "cost: n reads, one after another; after the change: n reads together" in (case[0].text or "")


def test_junit_keeps_what_xml_can_hold_of_a_name() -> None:
    name = junit(HOSTILE)[0].attrib["name"]
    assert name == NASTY.replace("\x1b", "\ufffd").replace("\x00", "\ufffd")


def test_junit_has_a_case_that_passes_where_nothing_was_found_and_one_for_each_gate() -> None:
    assert (junit(NOTHING).attrib["tests"], junit(NOTHING).attrib["failures"]) == ("1", "0")
    gates = junit(GATED)
    assert (gates.attrib["tests"], gates.attrib["failures"]) == ("2", "1")


# Reviewdog: https://github.com/reviewdog/reviewdog/tree/master/proto/rdf

RD_POSITION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["line", "column"],
    "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
}
RD_RANGE = {"type": "object", "additionalProperties": False, "properties": {"start": RD_POSITION, "end": RD_POSITION}}
RD_SOURCE = {"type": "object", "additionalProperties": False, "properties": {"name": {"type": "string"}, "url": {"type": "string"}}}
RD_SEVERITY = {"enum": ["UNKNOWN_SEVERITY", "ERROR", "WARNING", "INFO"]}
RDJSON = {
    "type": "object",
    "additionalProperties": False,
    "required": ["source", "severity", "diagnostics"],
    "properties": {
        "source": RD_SOURCE,
        "severity": RD_SEVERITY,
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["message", "location"],
                "properties": {
                    "message": {"type": "string", "minLength": 1},
                    "location": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["path", "range"],
                        "properties": {
                            "path": {"type": "string"},
                            "range": RD_RANGE,
                        },
                    },
                    "severity": RD_SEVERITY,
                    "source": RD_SOURCE,
                    "code": {"type": "object", "additionalProperties": False, "properties": {"value": {"type": "string"}, "url": {}}},
                },
            },
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("of", [RESULT, NOTHING, HOSTILE, MANY])
def test_rdjson_follows_its_protocol(of: Result) -> None:
    Draft202012Validator(RDJSON).validate(loaded("rdjson", of))


def test_rdjson_counts_columns_in_bytes() -> None:
    found = loaded("rdjson", result(SCAN))["diagnostics"][0]
    line = RESULT.sources["convex/posts.ts"].line(10).encode()
    where = found["location"]["range"]
    assert line[where["start"]["column"] - 1 : where["end"]["column"] - 1].decode() == 'ctx.db.query("posts").collect()'
    assert where["start"]["column"] > SCAN.found.span.column
    assert (found["severity"], found["code"]["value"]) == ("ERROR", "scan-filter")


# SonarQube: https://docs.sonarsource.com/sonarqube-server/analyzing-source-code/importing-external-issues/generic-issue-import-format/

SONAR_LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message", "filePath", "textRange"],
    "properties": {
        "message": {"type": "string", "minLength": 1},
        "filePath": {"type": "string", "minLength": 1},
        "textRange": {
            "type": "object",
            "additionalProperties": False,
            "required": ["startLine"],
            "properties": {
                "startLine": {"type": "integer", "minimum": 1}, "endLine": {"type": "integer", "minimum": 1},
                "startColumn": {"type": "integer", "minimum": 0}, "endColumn": {"type": "integer", "minimum": 0},
            },
        },
    },
}  # fmt: skip
SONARQUBE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rules", "issues"],
    "properties": {
        "rules": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "name", "engineId", "cleanCodeAttribute", "impacts"],
                "properties": {
                    "id": {"type": "string"}, "name": {"type": "string"}, "description": {"type": "string"}, "engineId": {"type": "string"},
                    "cleanCodeAttribute": {"const": "EFFICIENT"},
                    "impacts": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "properties": {
                                "softwareQuality": {"enum": ["MAINTAINABILITY", "RELIABILITY"]},
                                "severity": {"enum": ["HIGH", "MEDIUM", "LOW"]},
                            },
                        },
                    },
                },
            },
        },
        "issues": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["ruleId", "primaryLocation"],
                "properties": {
                    "ruleId": {"type": "string"}, "effortMinutes": {"type": "integer"}, "primaryLocation": SONAR_LOCATION,
                    "secondaryLocations": {"type": "array", "items": SONAR_LOCATION},
                },
            },
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("of", [RESULT, NOTHING, HOSTILE, MANY])
def test_sonarqube_gets_what_it_reads_and_knows_every_rule(of: Result) -> None:
    report = loaded("sonarqube", of, show=Severity.INFO)
    Draft202012Validator(SONARQUBE).validate(report)
    assert {issue["ruleId"] for issue in report["issues"]} == {rule["id"] for rule in report["rules"]}


def test_sonarqube_counts_columns_from_zero_in_utf16_and_gets_no_empty_range() -> None:
    where = loaded("sonarqube", result(SCAN))["issues"][0]["primaryLocation"]["textRange"]
    units = RESULT.sources["convex/posts.ts"].line(10).encode("utf-16-le")
    assert units[2 * where["startColumn"] : 2 * where["endColumn"]].decode("utf-16-le") == 'ctx.db.query("posts").collect()'
    empty = replace(SCAN, found=replace(SCAN.found, span=Span("convex/posts.ts", 3, 2, 3, 2)))
    assert loaded("sonarqube", result(empty))["issues"][0]["primaryLocation"]["textRange"] == {"startLine": 3, "endLine": 3}


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


# Markdown: what a reader of it shows.


def shown(text: str) -> list[str]:
    """The texts of the inline elements, in order, by a parser; raw HTML may only be what folds."""
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text)
    html = [t.content for t in tokens if t.type == "html_block"] + [
        c.content for t in tokens for c in t.children or () if c.type == "html_inline"
    ]
    assert all(re.fullmatch(r"\s*(<details><summary>\d+ more</summary>|</details>)\s*", piece) for piece in html), html
    links = [c.attrs["href"] for t in tokens for c in t.children or () if c.type == "link_open"]
    assert all(str(link).startswith("https://github.com/querylint/querylint/") for link in links), links
    assert not [c for t in tokens for c in t.children or () if c.type in ("image", "em_open", "s_open")]
    return [
        "".join(c.content if c.type in ("text", "code_inline") else " " for c in t.children or ()) for t in tokens if t.type == "inline"
    ]


def test_markdown_says_the_verdict_the_costliest_and_the_rest() -> None:
    texts = shown(said("markdown", replace(MANY, findings=(*MANY.findings, LOOP_READ)), lead="api/"))
    assert texts[0] == "querylint"
    assert "Found 31 warnings, 2 suppressed." in texts[1]
    assert "The costliest" in texts
    assert any("api/convex/posts.ts:7:23" in text and "help: start the reads together" in text for text in texts)
    assert sum("api/convex/posts.ts:8" in text for text in texts) == 30


def test_markdown_shows_hostile_names_as_they_are() -> None:
    (text,) = [t for t in shown(said("markdown", HOSTILE)) if "path: " in t]
    assert "<img src=x>" in text
    assert "@all #1 $x$ _u_" in text
    assert "::error::owned" in text


def test_markdown_fits_where_it_has_to() -> None:
    small = fitted(MANY, Options(), 4_000)
    assert len(small.encode()) <= 4_000
    assert re.search(r"\n\d+ findings did not fit here and were left out\.", small)
    assert "did not fit" not in fitted(MANY, Options(), 900_000)
    shown(small)


def test_markdown_names_gates_and_notes() -> None:
    texts = shown(said("markdown", GATED)) + shown(said("markdown", RESULT))
    assert " Gate loop-read failed: 3 found, none allowed. " in texts
    assert "note: convex/broken.ts:3 this does not parse; the rest of the file was analyzed" in texts


# Agents.


def test_an_agent_gets_few_words_and_the_next_command() -> None:
    assert said("agent", result(LOOP_READ)).splitlines() == [
        "convex/posts.ts:7:23: warning loop-read `users` is read once for every item of `args.ids[0]`",
        (
            "  path: loop over `args.ids`, size unknown (convex/posts.ts:6) > calls `authorOf` (convex/posts.ts:7)"
            " > reads one row of `users` [by id](here) (convex/helpers.ts:2)"
        ),
        "  cost: n reads, one after another > n reads together",
        "  do: start the reads together and await them with one Promise.all",
        "1 finding, 1 shown; next: querylint explain loop-read; after an edit: querylint check --format agent --select loop-read",
    ]
    assert [line.split()[2] for line in said("agent").splitlines() if not line.startswith(" ")][:3] == [
        "scan-filter",
        "loop-read",
        "waterfall",
    ]


def test_an_agent_hears_which_command_shows_the_edits() -> None:
    def last(*safeties: Safety) -> str:
        fixable = [replace(LOOP_READ, fix=Fix("start them together", safety, ())) for safety in safeties]
        return said("agent", result(*fixable)).splitlines()[-1]

    assert "; 1 with a safe fix (1 more with --unsafe): querylint fix --diff; after" in last(Safety.SAFE, Safety.UNSAFE)
    assert "; 1 with a fix that is not safe: querylint fix --unsafe --diff; after" in last(Safety.UNSAFE, Safety.DISPLAY)
    assert "querylint fix" not in last(Safety.DISPLAY)


def test_an_agent_takes_no_line_of_a_source_for_one_of_ours() -> None:
    lines = said("agent", HOSTILE).splitlines()
    assert len(lines) == 5
    assert all(len(line) < 220 for line in lines)
    assert "\x1b" not in "".join(lines)


def test_an_agent_hears_that_there_is_nothing() -> None:
    assert said("agent", NOTHING).startswith("0 findings. Looked at 5 files")
    assert said("agent", result(UNUSED)).startswith("0 findings. 1 finding below the floor: --show info. ")


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
