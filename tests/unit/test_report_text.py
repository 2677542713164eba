from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from querylint.report import Options, render
from querylint.report.order import by_cost, by_place, rank
from querylint.report.paint import links_wanted, wanted
from querylint.report.prose import plain, shortened
from querylint.report.snippet import display_width, printable, snippet
from querylint.result import Note, NoteKind
from querylint.rule import Found, Severity
from querylint.text import LineIndex, Span
from report_sample import BROKEN, LOOP_READ, NOTES, NOTHING, RESULT, SCAN, SEVERAL_LINES, UNUSED, finding, result

ALL = Options(show=Severity.INFO)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def text(of: object = RESULT, options: Options = ALL) -> str:
    assert of is not None
    return render("text", of, options)  # type: ignore[arg-type]


def test_a_finding_shows_its_source_its_way_its_cost_and_its_help() -> None:
    assert text(result(LOOP_READ)).partition("\n\n")[0] == (
        "convex/posts.ts:7:23: warning loop-read `users` is read once for every item of `args.ids[0]`\n"
        "   6 |   for (const id of args.ids) {\n"
        "     |   -------------------------- loop over `args.ids`, size unknown\n"
        "   7 |     const who = await authorOf(ctx, id);\n"
        "     |                       ^^^^^^^^^^^^^^^^^\n"
        "     = path: loop over `args.ids`, size unknown (convex/posts.ts:6:3)\n"
        "             calls `authorOf` (convex/posts.ts:7:23)\n"
        "             reads one row of `users` [by id](here) (convex/helpers.ts:2:16)\n"
        "     = cost: n reads, one after another; after the change: n reads together\n"
        "     = help: start the reads together and await them with one Promise.all"
    )


def test_a_way_that_the_snippet_shows_whole_is_not_told_twice() -> None:
    assert "= path:" not in text(result(SCAN))
    assert "-----… filtered in memory" in text(result(SCAN))


def test_remedy_and_help_are_both_said() -> None:
    assert text(result(UNUSED)).count("= help:") == 2


def test_underlines_stand_under_wide_characters_and_behind_tabs() -> None:
    line, underline = text(result(SCAN)).splitlines()[1:3]
    cells_before = display_width(line[: line.index("ctx.db")])
    assert len(underline) - len(underline.lstrip(" |")) == cells_before
    assert underline.count("^") == len('ctx.db.query("posts").collect()')


def test_only_the_first_line_of_a_long_place_is_underlined() -> None:
    lines = text(result(SEVERAL_LINES)).splitlines()
    assert lines[1:3] == ["  11 |   return posts", "     |          ^^^^^…"]


def test_a_place_in_a_very_long_line_stays_in_view() -> None:
    source = LineIndex("a.js", f"{'x' * 5000}TARGET{'y' * 5000}".encode())
    rows = snippet(source, source.span(5000, 5006), (), 60)
    assert all(display_width(row.body) <= 60 for row in rows)
    at = rows[0].body.index("TARGET")
    assert rows[1].body == " " * at + "^^^^^^"


def test_an_empty_place_and_one_behind_the_file_are_shown_without_harm() -> None:
    source = LineIndex("a.ts", b"a\n")
    assert snippet(source, Span("a.ts", 1, 1, 1, 1), (), 60)[1].body == "^"
    assert snippet(source, Span("a.ts", 9, 1, 9, 5), (), 60)[0].body == ""


def test_a_source_that_is_not_at_hand_costs_only_the_snippet() -> None:
    shown = text(replace(result(LOOP_READ), sources={}))
    assert "= path:" in shown
    assert " | " not in shown


def test_the_source_cannot_steer_the_terminal() -> None:
    hostile = Found(Span("a\x1b]0;x\x07.ts", 1, 1, 1, 5), "a\nb \x1b[2J \u202etxt", help="x\ry\x9b2J")
    shown = text(result(replace(LOOP_READ, found=hostile)))
    assert not set(shown) & set("\x1b\x07\r\x9b\u202e")
    assert shown.splitlines()[0].endswith("a b \ufffd[2J \ufffdtxt")


def test_widths() -> None:
    assert [display_width(word) for word in ("abc", "한국어", "🎉", "é", "e\u0301", "\ufeffa", "ｱ")] == [3, 6, 2, 1, 1, 1, 1]
    assert printable("\ta") == "    a"


def test_what_is_hidden_is_counted() -> None:
    shown = text(options=Options())
    assert "index-unused" not in shown
    assert "1 hint: --show info shows it" in shown
    assert "2 warnings: --show warning shows them" in text(options=Options(show=Severity.ERROR))


def test_a_person_gets_the_dearest_first_and_the_rest_in_short() -> None:
    shown = text(options=Options(show=Severity.INFO, full=1, by_cost=True))
    assert shown.count("= help:") == 1
    heads = [line for line in shown.splitlines() if re.match(r"convex/\S+:\d+:\d+: ", line)]
    assert [head.split()[1] for head in heads] == ["error", "warning", "warning", "info"]


def test_order_by_cost_and_by_place() -> None:
    assert [f.rule for f in by_place(RESULT.findings)] == ["loop-read", "scan-filter", "waterfall", "index-unused"]
    assert [f.rule for f in by_cost(RESULT.findings)] == ["scan-filter", "loop-read", "waterfall", "index-unused"]
    assert all(0 <= rank(f) <= 100 for f in RESULT.findings)


def test_silence_is_explained() -> None:
    said = (
        "Found nothing to report, 2 suppressed. Looked at 5 files (3 with database code) in `convex`: "
        "2 functions, 2 reads, 0 writes, 2 tables and 1 index.\n"
        "1 access to a table that the source does not name could not be checked"
    )
    assert text(NOTHING, options=Options(show=Severity.WARNING)) == f"{said}; --show info says where it is.\n"
    assert text(NOTHING, options=Options(show=Severity.INFO)) == f"{said}: convex/posts.ts:7\n"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"files": 0, "analysed": 0}, "There was no TypeScript, JavaScript or Python file to look at"),
        ({"analysed": 0}, "None of the 5 files uses a database in a way that querylint knows"),
        ({"tables": 0, "indexes": 0}, "No table or model was found, so no index could be checked"),
    ],
)
def test_what_was_not_there_is_said_loudly(changes: dict[str, int], words: str) -> None:
    assert words in text(replace(NOTHING, summary=replace(NOTHING.summary, **changes)))  # type: ignore[arg-type]


def test_only_rules_with_a_page_are_offered_for_explaining() -> None:
    stray = finding("unused-ignore", LOOP_READ.found.span, "nothing is ignored here")
    assert "querylint explain" not in text(result(stray))
    assert "`querylint explain scan-filter`" in text(result(stray, SCAN))


def test_notes_name_their_place_and_are_not_endless() -> None:
    assert "note: convex/broken.ts:3: this does not parse; the rest of the file was analyzed" in text()
    many = tuple(Note(NoteKind.READ, "cannot be read", f"a{number}.ts") for number in range(25))
    shown = text(replace(RESULT, notes=many))
    assert shown.count("note: a") == 10
    assert "15 more notes: --format json lists them all" in shown


def test_a_run_that_cannot_be_trusted_says_so_first() -> None:
    shown = text(replace(BROKEN, notes=(*NOTES, *BROKEN.notes)))
    assert shown.startswith("internal error: rule `loop-read` failed: KeyError: 'x'\n")
    assert "A part of querylint failed" in shown
    assert "Found nothing" not in shown


def test_statistics_count_by_rule() -> None:
    twice = result(SCAN, LOOP_READ, finding("loop-read", SCAN.found.span, "again"))
    assert text(twice, Options(statistics=True)).startswith("2  warning  loop-read\n1  error    scan-filter\n\nFound ")
    assert text(NOTHING, Options(statistics=True)).startswith("Found nothing")


def test_quiet_says_nothing_but_findings() -> None:
    assert text(NOTHING, Options(quiet=True)) == ""
    assert "Found" not in text(options=Options(quiet=True))


def test_color_changes_no_word() -> None:
    painted = text(options=replace(ALL, color=True))
    assert "\x1b[" in painted
    assert ESCAPES.sub("", painted) == text()


def test_concise_is_a_line_each() -> None:
    assert render("concise", RESULT, Options()) == (
        "convex/posts.ts:7:23: warning loop-read `users` is read once for every item of `args.ids[0]`\n"
        "convex/posts.ts:10:39: error scan-filter all rows of `posts` are read to keep those with one `author`\n"
        "convex/posts.ts:11:10: warning waterfall this waits for what it does not need\n"
    )
    assert render("concise", NOTHING, Options()) == ""


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "color"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"FORCE_COLOR": ""}, False, False),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "1", "TERM": "dumb"}, False, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_who_decides_about_color(choice: str, environment: dict[str, str], terminal: bool, color: bool) -> None:
    assert wanted(choice, environment, terminal) is color


def test_what_can_be_fixed_is_pointed_to() -> None:
    assert "`querylint fix --diff` shows what it can fix for you" in text(result(LOOP_READ))
    assert "querylint fix" not in text(replace(RESULT, findings=()))


def test_a_place_that_is_cut_is_followed_by_one_mark() -> None:
    source = LineIndex("a.ts", b"const rows = list.filter((row) => row.owner === owner && row.open); // and so on for a long while\n")
    rows = snippet(source, source.span(18, 66), (), 40)
    assert rows[0].body.endswith("…")
    assert not rows[0].body.endswith("……")
    assert max(display_width(row.body) for row in rows) <= 40


def test_markdown_becomes_plain() -> None:
    assert plain("**loop-read** (warning)") == "loop-read (warning)"
    page = "# A\n\nSee [b](https://x.y/z).\n\n```ts\n# c\n```"
    assert plain(page) == "A\n\nSee b (https://x.y/z).\n\n    # c"
    assert shortened("one two three", 9) == "one two…"
    assert shortened("one", 9) == "one"


@pytest.mark.parametrize(
    ("environment", "terminal", "links"),
    [
        ({}, True, False),
        ({"TERM_PROGRAM": "vscode"}, True, True),
        ({"TERM_PROGRAM": "vscode"}, False, False),
        ({"TERM_PROGRAM": "Apple_Terminal"}, True, False),
        ({"TERM": "xterm-kitty"}, True, True),
        ({"TERM": "dumb", "VTE_VERSION": "6800"}, True, False),
        ({"VTE_VERSION": "6800"}, True, True),
        ({"VTE_VERSION": "4600"}, True, False),
        ({"WT_SESSION": "x"}, True, True),
        ({"FORCE_HYPERLINK": "1"}, False, True),
        ({"FORCE_HYPERLINK": "0", "TERM_PROGRAM": "vscode"}, True, False),
    ],
)
def test_who_decides_about_links(environment: dict[str, str], terminal: bool, links: bool) -> None:
    assert links_wanted(environment, terminal) is links


@pytest.mark.parametrize("style", ["text", "concise"])
def test_a_link_leads_to_the_page_of_a_rule_that_has_one_and_changes_no_word(style: str) -> None:
    stray = replace(LOOP_READ, rule="unused-suppression")
    linked = render(style, result(LOOP_READ, stray), Options(links=True))
    assert "\x1b]8;;https://github.com/querylint/querylint/blob/main/docs/rules/loop-read.md\x1b\\loop-read\x1b]8;;\x1b\\" in linked
    assert "rules/unused-suppression" not in linked
    assert re.sub(r"\x1b\]8;;.*?\x1b\\", "", linked) == render(style, result(LOOP_READ, stray), Options())


def test_a_hint_says_why_it_is_only_one_in_every_format_that_has_room() -> None:
    hints = Options(show=Severity.INFO)
    assert "     = only a hint: the table holds few rows\n" in text(options=hints)
    for style in ("github", "rdjson", "junit", "markdown", "agent", "sarif"):
        told = render(style, RESULT, hints)
        assert re.search("only a hint: the table holds few rows", told, re.IGNORECASE), style
        assert "only a hint: ." not in told
    assert [f["because"] for f in json.loads(render("json", RESULT, hints))["findings"]].count("the table holds few rows") == 1


def test_what_was_less_severe_before_is_told_as_such() -> None:
    worse = result(replace(LOOP_READ, was=Severity.INFO), SCAN)
    assert "(was a hint)\n" in text(worse)
    assert "1 of them less severe before" in text(worse)
    for style in ("concise", "github", "gitlab", "rdjson", "junit", "sonarqube", "azure", "markdown", "agent"):
        assert render(style, worse, Options()).count("(was a hint)") >= 1, style
