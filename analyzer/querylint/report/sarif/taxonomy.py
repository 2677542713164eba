"""The weaknesses of MITRE's catalog that rules relate to: quality weaknesses, never security findings."""

from __future__ import annotations

from querylint.report.json import Json

CWE_VERSION = "4.20"

CWE_TITLES = {
    405: "Asymmetric Resource Consumption (Amplification)",
    770: "Allocation of Resources Without Limits or Throttling",
    1049: "Excessive Data Query Operations in a Large Data Table",
    1050: "Excessive Platform Resource Consumption within a Loop",
    1060: "Excessive Number of Inefficient Server-Side Data Accesses",
    1067: "Excessive Execution of Sequential Searches of Data Resource",
    1072: "Data Resource Access without Use of Connection Pooling",
    1073: "Non-SQL Invokable Control Element with Excessive Number of Data Resource Accesses",
    1089: "Large Data Table with Excessive Number of Indices",
    1094: "Excessive Index Range Scan for a Data Resource",
}


def taxonomy(numbers: list[int]) -> dict[str, Json]:
    """The part of the catalog that is referred to."""
    return {
        "name": "CWE",
        "version": CWE_VERSION,
        "organization": "MITRE",
        "informationUri": "https://cwe.mitre.org/",
        "isComprehensive": False,
        "shortDescription": {"text": "The MITRE Common Weakness Enumeration."},
        "taxa": [_taxon(number) for number in numbers],
    }


def relationship(numbers: list[int], number: int) -> dict[str, Json]:
    """A rule lies within a weakness, which is the wider of the two."""
    return {
        "target": {"id": f"CWE-{number}", "index": numbers.index(number), "toolComponent": {"name": "CWE", "index": 0}},
        "kinds": ["superset"],
    }


def tag(number: int) -> str:
    """The tag by which code hosts filter."""
    return f"external/cwe/cwe-{number}"


def _taxon(number: int) -> dict[str, Json]:
    title = CWE_TITLES.get(number, f"CWE-{number}")
    page = f"https://cwe.mitre.org/data/definitions/{number}.html"
    return {
        "id": f"CWE-{number}",
        "name": "".join(word.capitalize() for word in "".join(c if c.isalnum() else " " for c in title).split()),
        "shortDescription": {"text": f"{title}."},
        "help": {"text": f"MITRE describes it at {page}."},
        "helpUri": page,
    }
