from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from querylint.patch import Fix, NewFile, Safety, TextEdit
from querylint.remedy import (
    AddIndex,
    Advice,
    Batch,
    Chunk,
    Counter,
    DropIndex,
    Gather,
    Hoist,
    Limit,
    Narrow,
    Preload,
    Probe,
    PushDown,
    Remedy,
    Rename,
    Reuse,
)
from querylint.report import Options, render
from querylint.result import NoteKind, Result, Summary
from querylint.text import Span
from report_sample import BATCHED, BROKEN, LOOP_READ, NOTHING, RESULT, SUMMARY, result

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "check-v1.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
PLACE = Span("convex/a.ts", 1, 2, 3, 4)

REMEDIES: list[Remedy] = [
    Gather(steps=(PLACE,), loop=PLACE),
    Batch(how="pass them all"),
    Preload((("author",),), (("tags", "owner"),)),
    Probe(),
    PushDown("posts", "by_author", ("author",), create=False),
    AddIndex("posts", "by_author", ("author",)),
    DropIndex("posts", "by_author", "by_author_title"),
    Rename("posts", "byAuthor", "by_author"),
    Limit(count=5),
    Hoist(PLACE),
    Reuse(PLACE),
    Counter("posts"),
    Narrow("posts", ("title",)),
    Chunk(),
    Advice("think"),
]


def report(of: Result = RESULT) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(render("json", of, Options()))
    VALIDATOR.validate(data)
    return data


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("of", [RESULT, NOTHING, BROKEN, result(BATCHED)])
def test_every_report_follows_the_schema(of: Result) -> None:
    report(of)


def test_a_finding_in_full() -> None:
    assert report(result(LOOP_READ))["findings"] == [
        {
            "rule": "loop-read",
            "pattern": "loop-read",
            "also": ["waterfall"],
            "severity": "warning",
            "because": None,
            "confidence": "sure",
            "message": "`users` is read once for every item of `args.ids[0]`",
            "path": "convex/posts.ts",
            "start": {"line": 7, "column": 23},
            "end": {"line": 7, "column": 40},
            "function": "list",
            "table": "users",
            "fields": ["_id"],
            "trail": [
                {"path": "convex/posts.ts", "line": 6, "column": 3, "text": "loop over `args.ids`, size unknown"},
                {"path": "convex/posts.ts", "line": 7, "column": 23, "text": "calls `authorOf`"},
                {"path": "convex/helpers.ts", "line": 2, "column": 16, "text": "reads one row of `users` [by id](here)"},
            ],
            "remedy": {
                "kind": "gather",
                "steps": [{"path": "convex/helpers.ts", "start": {"line": 2, "column": 16}, "end": {"line": 2, "column": 30}}],
                "loop": {"path": "convex/posts.ts", "start": {"line": 6, "column": 3}, "end": {"line": 6, "column": 29}},
                "text": "start the reads together and await them with one Promise.all",
            },
            "cost": {"now": "n reads, one after another", "after": "n reads together"},
            "fix": None,
            "fingerprint": "0123456789abcdef0123456789abcdef",
            "baselineState": None,
            "severityBefore": None,
        }
    ]


def test_a_fix_is_in_the_report_with_its_edits() -> None:
    edit = TextEdit(Span("convex/users.ts", 3, 5, 3, 14, 40, 49), "take(1)")
    new = NewFile("shop/migrations/0002_more.py", "operations = []\n", "shop/migrations")
    fix = Fix("read with .take(1)", Safety.UNSAFE, (edit,), ("look at it",), (new,))
    assert report(result(replace(LOOP_READ, fix=fix)))["findings"][0]["fix"] == {
        "title": "read with .take(1)",
        "safety": "unsafe",
        "caveats": ["look at it"],
        "edits": [
            {"path": "convex/users.ts", "start": {"line": 3, "column": 5}, "end": {"line": 3, "column": 14}, "text": "take(1)"},
        ],
        "creates": [{"path": "shop/migrations/0002_more.py", "text": "operations = []\n"}],
    }


def test_every_remedy_has_a_form_and_the_schema_knows_it() -> None:
    assert {type(remedy) for remedy in REMEDIES} == set(get_args(Remedy))
    for remedy in REMEDIES:
        found = replace(LOOP_READ.found, remedy=remedy)
        said = report(result(replace(LOOP_READ, found=found)))["findings"][0]["remedy"]
        assert set(said) == {"kind", "text", *(field.name for field in fields(remedy))}


def test_all_severities_are_there_in_the_order_of_the_source() -> None:
    data = report()
    assert [f["severity"] for f in data["findings"]] == ["warning", "error", "warning", "info"]
    places = [(f["path"], f["start"]["line"], f["start"]["column"], f["rule"]) for f in data["findings"]]
    assert places == sorted(places)


def test_columns_count_characters() -> None:
    assert report()["findings"][1]["start"] == {"line": 10, "column": 39}


def test_help_without_a_remedy_is_advice() -> None:
    data = report()
    assert data["findings"][2]["remedy"] == {"kind": "advice", "text": "swap the two"}
    assert data["findings"][3]["remedy"]["text"] == "drop index `by_title` of posts; make sure that no other deployment reads it"


def test_the_summary_counts_findings_and_says_what_was_looked_at() -> None:
    summary = report()["summary"]
    assert (summary["error"], summary["warning"], summary["info"]) == (1, 2, 1)
    assert summary["roots"] == ["convex"]
    assert set(summary) == {"error", "warning", "info", "known", *(field.name for field in fields(Summary))}
    assert summary["files"] == SUMMARY.files


def test_the_schema_knows_every_kind_of_note() -> None:
    assert SCHEMA["$defs"]["note"]["properties"]["kind"]["enum"] == [kind.value for kind in NoteKind]


def test_equal_results_give_equal_text_whatever_their_order() -> None:
    turned = replace(RESULT, findings=RESULT.findings[::-1], notes=RESULT.notes[::-1], rules=RESULT.rules[::-1])
    assert render("json", RESULT, Options()) == render("json", turned, Options())


def test_words_of_the_reader_stay_readable() -> None:
    found = replace(LOOP_READ.found, message="`한국어` 🎉")
    assert "`한국어` 🎉" in render("json", result(replace(LOOP_READ, found=found)), Options())
