"""The formats that people and coding agents read."""

from __future__ import annotations

import re
from dataclasses import replace

from markdown_it import MarkdownIt

from querylint.patch import Fix, Safety
from querylint.report import Options
from querylint.report.markdown import fitted
from report_formats import GATED, HOSTILE, said
from report_sample import LOOP_READ, MANY, NOTHING, RESULT, UNUSED, result

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
            "  path: loop over `args.ids`, size unknown (convex/posts.ts:6) -> calls `authorOf` (convex/posts.ts:7)"
            " -> reads one row of `users` [by id](here) (convex/helpers.ts:2)"
        ),
        "  cost: n reads, one after another -> n reads together",
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
