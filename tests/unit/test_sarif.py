from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from querylint.patch import Fix, NewFile, Safety, TextEdit
from querylint.report import Options, render
from querylint.report.sarif.descriptors import NOTE_LEVELS, NOTE_MEANINGS
from querylint.report.sarif.line_hash import line_hashes, line_hashes_at
from querylint.report.sarif.places import uri, utf16_column
from querylint.report.sarif.taxonomy import CWE_TITLES
from querylint.result import NoteKind, Result
from querylint.rule import Age, Found, Point
from querylint.text import LineIndex, Span
from report_sample import BATCHED, BROKEN, LOOP_READ, NOTHING, POSTS, RESULT, RULES, SCAN, SOURCES, UNUSED, finding, result

SCHEMA = json.loads((Path(__file__).parents[1] / "sarif" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
LINK = re.compile(r"(?<!\\)\[((?:\\.|[^\]\\])*)\]\(([^)]*)\)")


def run(of: Result = RESULT, options: Options | None = None) -> dict[str, Any]:
    log = json.loads(render("sarif", of, options or Options()))
    VALIDATOR.validate(log)
    [only] = log["runs"]
    return dict(only)


def results(of: Result = RESULT) -> dict[str, dict[str, Any]]:
    return {each["ruleId"]: each for each in run(of)["results"]}


def walk(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key), inner
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


@pytest.mark.parametrize("of", [RESULT, NOTHING, BROKEN, result(BATCHED), replace(RESULT, sources={}), replace(RESULT, rules=())])
def test_every_log_follows_the_official_schema(of: Result) -> None:
    run(of)


def test_every_link_leads_to_a_related_location() -> None:
    linked = 0
    for each in run()["results"]:
        ids = [location["id"] for location in each.get("relatedLocations", [])]
        assert ids == list(range(1, len(ids) + 1))
        for text in each["message"].values():
            targets = [target for _, target in LINK.findall(text)]
            assert sorted(targets) == [str(number) for number in ids]
            linked += len(targets)
    assert linked


def test_brackets_of_the_source_are_no_links() -> None:
    found = replace(LOOP_READ.found, message="`args[0](1)` calls [x](9)", trail=())
    message = results(result(replace(LOOP_READ, found=found)))["loop-read"]["message"]["text"]
    assert not LINK.findall(message)
    assert results()["loop-read"]["message"]["text"].startswith("`users` is read once for every item of `args.ids[0]`. ")
    assert r"[reads one row of `users` \[by id\](here)](3)" in results()["loop-read"]["message"]["text"]


def test_the_flow_leads_from_the_loop_to_the_place() -> None:
    [flow] = results()["loop-read"]["codeFlows"]
    [thread] = flow["threadFlows"]
    assert [step["nestingLevel"] for step in thread["locations"]] == [1, 2, 3, 4]
    last = thread["locations"][-1]["location"]
    assert last["physicalLocation"]["region"]["startLine"] == 7
    assert "codeFlows" not in results()["scan-filter"]


def test_a_fix_says_how_far_it_may_be_trusted() -> None:
    line = LineIndex(LOOP_READ.found.span.path, SOURCES[LOOP_READ.found.span.path].source)
    safe = Fix("read with .take(1)", Safety.SAFE, (TextEdit(line.span(0, 6), "x"), TextEdit(line.span(9, 9), "y")))
    unsafe = replace(safe, safety=Safety.UNSAFE, caveats=("another order",))
    said = [run(result(replace(LOOP_READ, fix=fix)))["results"][0]["fixes"][0] for fix in (safe, unsafe)]
    assert [fix["description"]["text"] for fix in said] == ["read with .take(1)", "read with .take(1) (unsafe: another order)"]
    first, second = said[0]["artifactChanges"][0]["replacements"]
    assert first["insertedContent"] == {"text": "x"}
    assert (first["deletedRegion"]["startColumn"], first["deletedRegion"]["endColumn"]) == (1, 7)
    assert second["deletedRegion"]["startColumn"] == second["deletedRegion"]["endColumn"] == 10


def test_a_new_file_is_text_at_the_beginning_of_one_that_is_not_there() -> None:
    line = LineIndex(LOOP_READ.found.span.path, SOURCES[LOOP_READ.found.span.path].source)
    new = NewFile("shop/migrations/0002_more.py", "operations = []\n", "shop/migrations")
    fix = Fix("add an index", Safety.UNSAFE, (TextEdit(line.span(0, 6), "x"),), ("mind",), (new,))
    said = run(result(replace(LOOP_READ, fix=fix)))["results"][0]["fixes"][0]
    assert said["description"]["text"] == "add an index; new file shop/migrations/0002_more.py (unsafe: mind)"
    change = next(c for c in said["artifactChanges"] if c["artifactLocation"]["uri"] == new.path)
    assert change["replacements"] == [
        {"deletedRegion": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}, "insertedContent": {"text": new.text}}
    ]
    assert "index" not in change["artifactLocation"]


def test_a_long_way_is_cut_in_its_middle_and_repeats_nothing() -> None:
    points = [Point(SOURCES["convex/posts.ts"].span(at, at + 1), f"step {at}") for at in range(30)]
    found = replace(LOOP_READ.found, trail=(points[0], *points))
    each = results(result(replace(LOOP_READ, found=found)))["loop-read"]
    words = [location["message"]["text"] for location in each["relatedLocations"]]
    assert words == [f"step {at}" for at in (0, 1, 2, 3, 22, 23, 24, 25, 26, 27, 28, 29)]


def test_columns_are_utf16_units_and_the_end_is_exclusive() -> None:
    region = results()["scan-filter"]["locations"][0]["physicalLocation"]["region"]
    line = POSTS.splitlines()[region["startLine"] - 1]
    units = line.encode("utf-16-le")
    assert units[2 * (region["startColumn"] - 1) : 2 * (region["endColumn"] - 1)].decode("utf-16-le") == 'ctx.db.query("posts").collect()'
    assert region["startColumn"] == SCAN.found.span.column + 1
    assert region["snippet"]["text"] == 'ctx.db.query("posts").collect()'


@pytest.mark.parametrize(
    ("line", "column", "units"), [("abc", 3, 3), ("한국어", 3, 3), ("🎉a", 2, 3), ("a🎉🎉b", 4, 6), ("", 1, 1), ("🎉", 9, 10)]
)
def test_utf16_columns(line: str, column: int, units: int) -> None:
    assert utf16_column(line, column) == units


def test_the_context_stays_within_the_file_and_around_the_place() -> None:
    context = results()["index-unused"]["locations"][0]["physicalLocation"]["contextRegion"]
    assert (context["startLine"], context["endLine"]) == (1, 3)
    assert context["snippet"]["text"].count("\n") == 2


def test_minified_lines_are_not_copied() -> None:
    source = LineIndex("a.js", b"x" * 50_000)
    huge = finding("loop-read", source.span(0, 40_000), "everything")
    place = results(replace(result(huge), sources={"a.js": source}))["loop-read"]["locations"][0]["physicalLocation"]
    assert "snippet" not in place["region"]
    assert "contextRegion" not in place


def test_levels_ranks_and_functions() -> None:
    each = results()
    assert {name: r["level"] for name, r in each.items()} == {
        "loop-read": "warning", "scan-filter": "error", "waterfall": "warning", "index-unused": "note",
    }  # fmt: skip
    assert each["scan-filter"]["rank"] > each["loop-read"]["rank"] > each["index-unused"]["rank"]
    assert each["loop-read"]["locations"][0]["logicalLocations"] == [
        {"name": "list", "fullyQualifiedName": "convex/posts.ts::list", "kind": "function"}
    ]
    assert all(len(r["locations"]) == 1 for r in each.values())


def test_an_index_to_add_is_linked_to_its_table() -> None:
    assert "The index goes into [table `posts`](2)." in results()["scan-filter"]["message"]["text"]
    assert results()["scan-filter"]["relatedLocations"][1]["physicalLocation"]["artifactLocation"]["uri"] == "convex/schema.ts"
    twice = replace(RESULT, schemas=RESULT.schemas * 2)
    assert "The index goes into" not in results(twice)["scan-filter"]["message"]["text"]


def test_rules_come_with_page_tags_and_weakness() -> None:
    driver = run()["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == sorted(rule.name for rule in RULES)
    loop_read = driver["rules"][1]
    assert loop_read["properties"]["tags"] == ["performance", "database", "external/cwe/cwe-1050"]
    assert loop_read["relationships"][0]["target"] == {"id": "CWE-1050", "index": 0, "toolComponent": {"name": "CWE", "index": 0}}
    assert loop_read["fullDescription"]["markdown"].startswith("A read that waits inside a loop")
    assert "security-severity" not in {key for key, _ in walk(driver)}
    assert all(rule.get("name", "").lower() != rule["id"] for rule in driver["rules"])
    for each in run()["results"]:
        assert driver["rules"][each["ruleIndex"]]["id"] == each["ruleId"]


def test_every_weakness_that_is_referred_to_is_in_the_taxonomy() -> None:
    only = run()
    taxa = [taxon["id"] for taxon in only["taxonomies"][0]["taxa"]]
    assert taxa == ["CWE-1050", "CWE-1067", "CWE-1089"]
    assert {rule.cwe for rule in RULES if rule.cwe} <= set(CWE_TITLES)


def test_a_finding_of_no_rule_is_described_too() -> None:
    stray = finding("unused-ignore", LOOP_READ.found.span, "nothing is ignored here")
    only = run(result(stray))
    assert only["tool"]["driver"]["rules"][only["results"][0]["ruleIndex"]]["id"] == "unused-ignore"


def test_notes_become_notifications_with_help() -> None:
    only = run()
    [invocation] = only["invocations"]
    kinds = [only["tool"]["driver"]["notifications"][n["descriptor"]["index"]]["id"] for n in invocation["toolExecutionNotifications"]]
    assert kinds == ["hint", "parse"]
    assert all(descriptor["help"]["text"] for descriptor in only["tool"]["driver"]["notifications"])
    assert set(NOTE_LEVELS) == set(NOTE_MEANINGS) == set(NoteKind)


def test_the_invocation_says_how_the_run_went() -> None:
    assert run(options=Options(exit_code=1))["invocations"][0]["exitCode"] == 1
    assert run()["invocations"][0]["executionSuccessful"] is True
    assert run(BROKEN)["invocations"][0]["executionSuccessful"] is False


def test_files_are_listed_with_their_hash_and_every_index_is_right() -> None:
    only = run()
    artifacts = [artifact["location"]["uri"] for artifact in only["artifacts"]]
    assert artifacts == ["convex/helpers.ts", "convex/posts.ts", "convex/schema.ts"]
    assert only["artifacts"][1]["hashes"]["sha-256"] == sha256(POSTS.encode()).hexdigest()
    for key, value in walk(only["results"]):
        if key == "artifactLocation" and isinstance(value, dict):
            assert artifacts[value["index"]] == value["uri"]


def test_no_path_is_absolute() -> None:
    for key, value in walk(run()):
        if key == "uri":
            assert not re.match(r"/|file:|[A-Za-z]:", str(value))
    assert list(run()["originalUriBaseIds"]["%SRCROOT%"]) == ["description"]


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("convex/a b.ts", "convex/a%20b.ts"),
        ("app/[id]/글.ts", "app/%5Bid%5D/%EA%B8%80.ts"),
        ("a:b.ts", "a%3Ab.ts"),
        ("a%20#?.ts", "a%2520%23%3F.ts"),
    ],
)
def test_paths_become_uris(path: str, quoted: str) -> None:
    assert uri(path) == quoted


def test_equal_results_give_equal_logs_whatever_their_order() -> None:
    turned = replace(RESULT, findings=RESULT.findings[::-1], notes=RESULT.notes[::-1], rules=RESULT.rules[::-1])
    assert render("sarif", RESULT, Options()) == render("sarif", turned, Options())


def test_alerts_are_told_apart_by_both_fingerprints() -> None:
    prints = results()["loop-read"]["partialFingerprints"]
    assert prints == {"querylint/v1": LOOP_READ.fingerprint, "primaryLocationLineHash": line_hashes(POSTS)[6]}


@pytest.mark.parametrize(
    ("count", "snippets", "context", "kept", "notes"),
    [(4_000, True, True, 4_000, 0), (4_001, True, False, 4_001, 1), (8_001, False, False, 8_001, 1), (25_002, False, False, 25_000, 2)],
)
def test_large_logs_shrink_in_steps_and_say_so(count: int, snippets: bool, context: bool, kept: int, notes: int) -> None:
    cheap = Found(UNUSED.found.span, "no query uses it")
    many = (SCAN, *(replace(UNUSED, found=cheap) for _ in range(count - 1)))
    only = json.loads(render("sarif", result(*many), Options()))["runs"][0]
    assert len(only["results"]) == kept
    place = only["results"][0]["locations"][0]["physicalLocation"]
    assert only["results"][0]["ruleId"] == "scan-filter"
    assert ("snippet" in place["region"], "contextRegion" in place) == (snippets, context)
    assert len(only["invocations"][0]["toolExecutionNotifications"]) == notes


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        ("", "c129715d7a2bc9a3:1"),
        (" a\nb\n  \t\tc\n d", "271789c17abda88f:1 54703d4cd895b18:1 180aee12dab6264:1 a23a3dc5e078b07b:1"),
        (
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
            "8b7cf3e952e7aeb2:1 b1ae1287ec4718d9:1 bff680108adb0fcc:1 c6805c5e1288b612:1 b86d3392aea1be30:1 e6ceba753e1a442:1",
        ),
        (
            " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n",
            (
                "e9496ae3ebfced30:1 fb7c023a8b9ccb3f:1 ce8ba1a563dcdaca:1 e20e36e16fcb0cc8:1 b3edc88f2938467e:1"
                " c8e28b0b4002a3a0:1 c129715d7a2bc9a3:1"
            ),
        ),
        (
            "Lorem ipsum dolor sit amet.\n" * 10,
            (
                "a7f2ff13bc495cf2:1 a7f2ff13bc495cf2:2 a7f2ff13bc495cf2:3 a7f2ff13bc495cf2:4 a7f2ff13bc495cf2:5"
                " a7f2ff13bc495cf2:6 a7f2ff1481e87703:1 a9cf91f7bbf1862b:1 55ec222b86bcae53:1 cc97dc7b1d7d8f7b:1 c129715d7a2bc9a3:1"
            ),
        ),
    ],
)
def test_line_hashes_are_those_of_the_upload_action(text: str, hashes: str) -> None:
    assert line_hashes(text) == hashes.split()
    assert line_hashes_at(text, {1}) == {1: hashes.split()[0]}


def test_a_line_behind_the_file_has_no_hash() -> None:
    beyond = finding("loop-read", Span("convex/posts.ts", 99, 1, 99, 2), "nowhere")
    assert "primaryLocationLineHash" not in results(result(beyond))["loop-read"]["partialFingerprints"]


def test_paths_lead_from_the_top_of_the_repository_and_tell_projects_apart() -> None:
    log = run(RESULT, Options(lead="packages/api/"))
    assert {uri for key, uri in walk(log) if key == "uri"} == {f"packages/api/{path}" for path in (*SOURCES, "convex/broken.ts")}
    assert log["automationDetails"]["id"] == "querylint/packages/api/convex/"


def test_what_was_known_is_there_with_its_age() -> None:
    aged = replace(RESULT, findings=(replace(SCAN, age=Age.NEW),), known=(replace(LOOP_READ, age=Age.UNCHANGED),), against="`main`")
    assert {rule: each["baselineState"] for rule, each in results(aged).items()} == {"scan-filter": "new", "loop-read": "unchanged"}
    assert all("baselineState" not in each for each in results().values())
