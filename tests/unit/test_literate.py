"""The reader of fixtures refuses what would test nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from literate import FixtureError, cases, run
from querylint import engine

RULE = engine.load_rules()[0]


def page(*lines: str) -> str:
    return "\n".join(("# rule", "## Convex", "### Case", *lines)) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        page("```ts", "const a = 1;", "```"),
        page("```ts", "// convex/a.ts", "const a = 1;"),
        page("```rust", "// convex/a.rs", "fn", "```"),
        page("```ts", "// convex/a.py", "```"),
        page("```ts", "// convex/a.ts", "```", "```ts", "// convex/a.ts", "```"),
        page("```ts", "// convex/a.ts", "```", "### Case"),
        page("```ts", "```"),
        page("// expect: rule"),
    ],
)
def test_a_page_that_misleads_is_refused(text: str) -> None:
    with pytest.raises(FixtureError):
        list(cases(text))


@pytest.mark.parametrize("comment", ["// expect: Rule", "// expect: a-rule 'words'", '// expect: a-rule "words', "// expect:a-rule"])
def test_an_expectation_that_cannot_be_read_is_refused(comment: str) -> None:
    (case,) = cases(page("```ts", "// convex/a.ts", f"const a = 1; {comment}", "```"))
    with pytest.raises(FixtureError):
        case.expected()


def test_expectations_carry_place_and_words() -> None:
    (case,) = cases(page("```ts", "// convex/a.ts", 'f(); // expect: a-rule "some words" // expect: a-rule', "```"))
    found = [(e.path, e.line, e.rule, e.words) for e in case.expected()]
    assert found == [("convex/a.ts", 2, "a-rule", "some words"), ("convex/a.ts", 2, "a-rule", "")]


def test_imports_that_go_without_saying_are_added_below() -> None:
    (case,) = cases(page("```ts", "// convex/deep/a.ts", "export const q = query(async (ctx) => internal.a.b);", "```"))
    lines = case.written("convex/deep/a.ts").splitlines()
    assert lines[:2] == case.files["convex/deep/a.ts"].splitlines()
    assert lines[2:] == ['import { query } from "../_generated/server";', 'import { internal } from "../_generated/api";']


@pytest.mark.parametrize(
    "fence",
    [
        ("```ts", "// lib/a.ts", "export const a = () => 1;", "```"),
        ("```ts", "// convex/a.ts", "export const a = 1;", "```"),
        ("```ts", "// convex/a.ts", "export const a = query(async (ctx) => {{{ );", "```"),
        ("```json", "// package.json", "{}", "```"),
    ],
)
def test_a_case_that_no_front_end_reads_is_refused(fence: tuple[str, ...], tmp_path: Path) -> None:
    (case,) = cases(page(*fence))
    with pytest.raises(FixtureError):
        run(case, RULE, frozenset({RULE.name}), tmp_path)
