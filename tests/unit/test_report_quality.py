"""The formats of systems that keep findings, read back by what these systems do with them, also where names are hostile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from querylint.result import Result
from querylint.rule import Severity
from querylint.text import Span
from report_formats import GATED, HOSTILE, NASTY, loaded, said
from report_sample import BROKEN, LOOP_READ, MANY, NOTHING, RESULT, SCAN, result

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
        "and bind the tested fields in its range; rows then come in the order of the index",
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
