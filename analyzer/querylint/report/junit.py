"""JUnit XML, for CI systems that know tests only: a suite for each file with findings, and one for the gates."""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from querylint.report import Options
from querylint.report.order import at_least, by_place
from querylint.report.wording import details, gate, looked_at, message, verdict
from querylint.result import Result
from querylint.rule import Finding

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""


def render(result: Result, options: Options) -> str:
    """A failed case for each finding; one case that passes where there is none, since an empty file counts as a failure with some."""
    by_file: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in by_place(at_least(result.findings, options.show)):
        by_file[options.lead + finding.found.span.path].append(finding)
    root = Element("testsuites", name="querylint")
    for path, findings in by_file.items():
        suite = _suite(root, path, len(findings), len(findings))
        for finding in findings:
            _failed(suite, finding, path, options.lead)
    if result.gates:
        suite = _suite(root, "gates", len(result.gates), sum(judged.failed for judged in result.gates))
        for judged in result.gates:
            case = _case(suite, "gates", judged.name)
            if judged.failed:
                _element(case, "failure", {"type": "gate", "message": gate(judged)})
    if not len(root):
        suite = _suite(root, "querylint", 1, 0)
        _element(_case(suite, "querylint", verdict(result)), "system-out", {}).text = _clean(looked_at(result))
    totals = {name: str(sum(int(suite.get(name, "0")) for suite in root)) for name in ("tests", "failures", "errors")}
    root.attrib.update(totals)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _failed(suite: Element, finding: Finding, path: str, lead: str) -> None:
    found = finding.found
    case = _case(suite, path, f"{finding.rule} at {found.span.line}:{found.span.column}")
    failure = _element(case, "failure", {"type": f"{finding.severity.value}: {finding.rule}", "message": found.message})
    place = f"{path}:{found.span.line}:{found.span.column}"
    failure.text = _clean("\n".join([f"{place}: {finding.severity.value} {finding.rule} {message(finding)}", *details(finding, lead)]))


def _suite(root: Element, name: str, tests: int, failures: int) -> Element:
    return _element(root, "testsuite", {"name": name, "tests": str(tests), "failures": str(failures), "errors": "0"})


def _case(suite: Element, group: str, name: str) -> Element:
    return _element(suite, "testcase", {"classname": group, "name": name})


def _element(parent: Element, tag: str, attributes: dict[str, str]) -> Element:
    return SubElement(parent, tag, {name: _clean(value) for name, value in attributes.items()})


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
