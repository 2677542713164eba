"""Suppression comments, identities, the floor of severity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from querylint.filters import BAD, UNUSED, Filtered, apply, fingerprints, visible
from querylint.remedy import Advice
from querylint.rule import Finding, Found, Point, Severity
from querylint.text import LineIndex, Span

RULES = frozenset({"loop-read", "mem-filter", "scan-filter"})


def at(line: int, path: str = "convex/a.ts", column: int = 1) -> Span:
    return Span(path, line, column, line, column + 5)


def finding(line: int, rule: str = "loop-read", path: str = "convex/a.ts", trail: tuple[Point, ...] = ()) -> Finding:
    return Finding(rule, "loop-read", Severity.WARNING, Found(at(line, path), "a read in a loop", trail=trail))


def run(
    source: str,
    *findings: Finding,
    path: str = "convex/a.ts",
    active: frozenset[str] = RULES,
    require_reason: bool = True,
    others: tuple[LineIndex, ...] = (),
) -> Filtered:
    sources = {index.path: index for index in (LineIndex(path, source.encode("utf-8", "surrogateescape")), *others)}
    return apply(findings, sources, active, RULES, require_reason)


def reports(filtered: Filtered) -> list[tuple[str, int, str]]:
    return [(f.rule, f.found.span.line, f.found.message) for f in filtered.kept if f.pattern == "suppression"]


# --- where a comment counts


@pytest.mark.parametrize(
    ("source", "line", "path"),
    [
        ("await get(id); // querylint: ignore[loop-read] -- few rows", 1, "convex/a.ts"),
        ("await get(id);// querylint:ignore [ loop-read ]--few rows", 1, "convex/a.ts"),
        ("await get(id); /* querylint: ignore[loop-read] -- few rows */ more();", 1, "convex/a.ts"),
        ("get(id)  # querylint: ignore[loop-read] -- few rows", 1, "app/a.py"),
        ("get(id)  # noqa: E501  # querylint: ignore[loop-read] -- few rows", 1, "app/a.py"),
        ("get(id); // eslint-disable-line // querylint: ignore[loop-read] -- few rows", 1, "convex/a.ts"),
        ("// querylint: ignore[loop-read] -- few rows\nawait get(id);", 2, "convex/a.ts"),
        ("  # querylint: ignore[loop-read] -- few rows\n  get(id)", 2, "app/a.py"),
        ("# querylint: ignore[loop-read] -- few rows\n# prose\nget(id)", 3, "app/a.py"),
        ("// querylint: ignore[loop-read] -- few rows\n{/* prose */}\n{ /* prose */ }\nget(id)", 4, "convex/a.tsx"),
        ("// querylint: ignore[loop-read] -- few rows\n// prose\n/* more */\nawait get(id);", 4, "convex/a.ts"),
        ("{/* querylint: ignore[loop-read] -- few rows */}\n<Rows get={id} />", 2, "convex/a.tsx"),
        ("{ /* querylint: ignore[loop-read] -- few rows */ }\n<Rows get={id} />", 2, "convex/a.tsx"),
        ("/* querylint: ignore[loop-read] -- few rows,\n   as told */\nawait get(id);", 3, "convex/a.ts"),
        ("first();\nawait get(id);\n\n// querylint: ignore-file[loop-read] -- few rows", 2, "convex/a.ts"),
        ("<p>Don't</p> {/* querylint: ignore[loop-read] -- few rows */}", 1, "convex/a.tsx"),
        ("end of a long text`); // querylint: ignore[loop-read] -- few rows", 1, "convex/a.ts"),
        ("log('it\\'s // fine', \"//\"); // querylint: ignore[loop-read] -- few rows", 1, "convex/a.ts"),
        ("\ufeff// querylint: ignore[loop-read] -- few rows\nget(id);", 2, "convex/a.ts"),
        ("\ufeff# querylint: ignore[loop-read] -- few rows\nget(id)", 2, "app/a.py"),
        ("get(id);\r\n// querylint: ignore[loop-read] -- few rows\r\nget(id);\r\n", 3, "convex/a.ts"),
        ("def broken(:\n    get('x')  # querylint: ignore[loop-read] -- few rows", 2, "app/a.py"),
    ],
)
def test_a_comment_with_a_reason_silences(source: str, line: int, path: str) -> None:
    filtered = run(source, finding(line, path=path), path=path)
    assert filtered.kept == ()
    (suppressed,) = filtered.suppressed
    assert suppressed.finding == finding(line, path=path)
    assert suppressed.reason.startswith("few rows")
    assert "*/" not in suppressed.reason


def test_comments_above_stack() -> None:
    above = "// querylint: ignore[loop-read] -- one\n// querylint: ignore[mem-filter] -- two\n"
    source = f"{above}get(id); // querylint: ignore[scan-filter] -- three"
    filtered = run(source, finding(3), finding(3, "mem-filter"), finding(3, "scan-filter"))
    assert filtered.kept == ()
    assert [s.reason for s in filtered.suppressed] == ["one", "two", "three"]


def test_several_rules_share_a_comment() -> None:
    filtered = run("get(id); // querylint: ignore[loop-read, mem-filter] -- both", finding(1), finding(1, "mem-filter"))
    assert filtered.kept == ()


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("get(a); // querylint: ignore[loop-read] -- for the first\nget(b);", 2),
        ("// querylint: ignore[loop-read] -- not across a blank line\n\nget(b);", 3),
        ("// querylint: ignore[loop-read] -- only the next line\nget(a);\nget(b);", 3),
        ("// querylint: ignore[mem-filter] -- another rule\nget(a);", 2),
        ("/* querylint: ignore[loop-read] -- a comment that\nget(a);\nnever ends", 3),
        ("/* querylint: ignore[loop-read] -- this code */ get(a);\nget(b);", 2),
        ("// querylint: ignore[loop-read] -- above half a comment\n/* prose */ get(a);\nget(b);", 3),
    ],
)
def test_a_comment_elsewhere_silences_nothing_and_is_unused(source: str, line: int) -> None:
    filtered = run(source, finding(line))
    assert filtered.suppressed == ()
    assert filtered.kept[0] == finding(line)
    assert [rule for rule, _, _ in reports(filtered)] == [UNUSED]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("const text = '// querylint: ignore[loop-read] -- x';", "convex/a.ts"),
        ('const text = "a \\" // querylint: ignore[loop-read] -- x";', "convex/a.ts"),
        ("const text = `// querylint: ignore[loop-read] -- x`;", "convex/a.ts"),
        ("querylint: ignore[loop-read] -- x", "convex/a.ts"),
        ("get(a); // see querylint: ignore[loop-read] -- x", "convex/a.ts"),
        ("get(a); // write `// querylint: ignore[loop-read] -- x`", "convex/a.ts"),
        ("get(a); // querylint: the best", "convex/a.ts"),
        ("# querylint: ignore[loop-read] -- x", "convex/a.ts"),
        ("text = '# querylint: ignore[loop-read] -- x'", "app/a.py"),
        ('"""\n# querylint: ignore[loop-read] -- x\n"""', "app/a.py"),
        ("def broken(:\n    get('a # querylint: ignore[loop-read] -- x')", "app/a.py"),
        ("a // b  # some querylint: ignore[loop-read] -- x", "app/a.py"),
    ],
)
def test_what_is_no_comment_of_ours_says_nothing(source: str, path: str) -> None:
    findings = [finding(line, path=path) for line in range(1, 4)]
    assert run(source, *findings, path=path).kept == tuple(findings)


def test_a_comment_at_the_query_of_a_helper_silences_every_way_to_it() -> None:
    helper = LineIndex("convex/lib.ts", b"export f() {\n  // querylint: ignore[loop-read] -- at most three\n  return get(id);\n}")
    there = Point(at(3, "convex/lib.ts"), "`users` is read")
    between = Point(at(9, "convex/mid.ts"), "`g` calls `f`")
    ways = [finding(line, trail=(between, there)) for line in (1, 2)]
    filtered = run("f();\nf();", *ways, others=(helper,))
    assert filtered.kept == ()
    assert len(filtered.suppressed) == 2


def test_a_comment_at_one_call_silences_only_that_way() -> None:
    there = Point(at(3, "convex/lib.ts"), "`users` is read")
    ways = [finding(line, trail=(there,)) for line in (1, 2)]
    filtered = run("f(); // querylint: ignore[loop-read] -- few\nf();", *ways)
    assert filtered.kept == (ways[1],)


def test_a_comment_in_the_middle_of_a_trail_silences_nothing() -> None:
    middle = LineIndex("convex/mid.ts", b"f(); // querylint: ignore[loop-read] -- few")
    trail = (Point(at(1, "convex/mid.ts"), "calls"), Point(at(3, "convex/lib.ts"), "reads"))
    filtered = run("g();", finding(1, trail=trail), others=(middle,))
    assert filtered.suppressed == ()
    assert reports(filtered) == [(UNUSED, 1, "there is nothing here for `loop-read` to suppress")]


# --- comments that do nothing


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("// querylint: ignore[loop-read]", "the suppression of `loop-read` gives no reason, so it silences nothing"),
        ("// querylint: ignore[loop-read] --", "the suppression of `loop-read` gives no reason, so it silences nothing"),
        ("// querylint: ignore[loop-read] -- ...", "the suppression of `loop-read` gives no reason, so it silences nothing"),
        ("// querylint: ignore[loop-read] because", "the suppression of `loop-read` gives no reason, so it silences nothing"),
        ("/* querylint: ignore[loop-read] */", "the suppression of `loop-read` gives no reason, so it silences nothing"),
        ("// querylint: ignore", "`ignore` names no rule in brackets, so it silences nothing"),
        ("// querylint: ignore -- all of it", "`ignore` names no rule in brackets, so it silences nothing"),
        ("// querylint: ignore[] -- all of it", "`ignore` names no rule in brackets, so it silences nothing"),
        ("// querylint: ignore[loop-read -- x", "`ignore` names no rule in brackets, so it silences nothing"),
        ("// querylint: ignore-file -- all of it", "`ignore-file` names no rule in brackets, so it silences nothing"),
        ("// querylint: disable-next-line", "`disable-next-line` is not a kind of suppression, so it silences nothing"),
        ("// querylint: ignored[loop-read] -- x", "`ignored` is not a kind of suppression, so it silences nothing"),
    ],
)
def test_a_comment_that_cannot_work_is_reported(comment: str, message: str) -> None:
    filtered = run(f"get(id); {comment}", finding(1))
    assert filtered.suppressed == ()
    assert filtered.kept[0] == finding(1)
    assert reports(filtered) == [(BAD, 1, message)]
    assert filtered.kept[1].severity is Severity.WARNING


def test_a_reason_may_be_left_out_where_the_settings_say_so() -> None:
    filtered = run("get(id); // querylint: ignore[loop-read]", finding(1), require_reason=False)
    assert filtered.kept == ()
    assert filtered.suppressed[0].reason == ""


def test_an_unknown_rule_is_reported_and_the_others_still_count() -> None:
    filtered = run("get(id); // querylint: ignore[lop-read, mem-filter, zzz] -- x", finding(1, "mem-filter"))
    assert len(filtered.suppressed) == 1
    assert reports(filtered) == [(BAD, 1, "`lop-read` is not a rule; did you mean `loop-read`?"), (BAD, 1, "`zzz` is not a rule")]


def test_an_unused_comment_names_what_it_does_not_need() -> None:
    filtered = run("get(id); // querylint: ignore[loop-read, mem-filter] -- x", finding(1))
    assert len(filtered.suppressed) == 1
    assert reports(filtered) == [(UNUSED, 1, "there is nothing here for `mem-filter` to suppress")]
    whole = run("get(id); // querylint: ignore-file[loop-read, mem-filter] -- x")
    assert reports(whole) == [(UNUSED, 1, "there is nothing in this file for `loop-read`, `mem-filter` to suppress")]


def test_rules_that_did_not_run_are_not_missed() -> None:
    filtered = run("get(id); // querylint: ignore[loop-read, mem-filter] -- x", active=frozenset({"mem-filter"}))
    assert reports(filtered) == [(UNUSED, 1, "there is nothing here for `mem-filter` to suppress")]
    assert run("get(id); // querylint: ignore[loop-read] -- x", active=frozenset({"mem-filter"})).kept == ()


def test_a_report_says_what_to_do_about_which_rules() -> None:
    source = "// querylint: ignore[lop-read, zzz, mem-filter, loop-read] -- x\nget(id); // querylint: ignore[loop-read, scan-filter] -- x"
    said = [(f.rule, f.found.fields, f.found.remedy) for f in run(source, finding(2)).kept]
    assert said == [
        (BAD, ("lop-read",), Advice("write `loop-read`")),
        (BAD, ("zzz",), Advice("remove the name")),
        (UNUSED, ("mem-filter",), Advice("remove `mem-filter` from the comment")),
        (UNUSED, ("scan-filter",), Advice("remove `scan-filter` from the comment")),
    ]
    (bare,) = run("// querylint: ignore[loop-read]").kept
    assert (bare.found.fields, bare.found.remedy) == (("loop-read",), Advice("add `-- ` and the reason after the brackets"))
    (whole,) = run("// querylint: ignore[loop-read] -- x").kept
    assert whole.found.remedy == Advice("remove the comment")


def test_silencing_a_finding_leaves_the_identity_of_its_twin() -> None:
    twins = fingerprints([about(1), about(2)])
    filtered = run("get(a); // querylint: ignore[loop-read] -- x\nget(b); // querylint: ignore", *twins)
    assert [f.fingerprint for f in filtered.kept[:-1]] == [twins[1].fingerprint]
    assert len({f.fingerprint for f in (*twins, *filtered.kept)} - {""}) == 3


def test_a_report_points_at_the_comment_in_characters_and_bytes() -> None:
    source = b'say("\xc3\xa9\xff"); /* querylint: ignore[loop-read] */ more();'
    index = LineIndex("convex/a.ts", b"first();\n" + source)
    (report,) = apply((), {"convex/a.ts": index}, RULES, RULES).kept
    span = report.found.span
    assert index.source[span.start : span.end] == b"/* querylint: ignore[loop-read] */"
    assert (span.line, span.column) == (2, 12)


def test_reports_stand_behind_the_findings_in_the_order_of_the_files() -> None:
    other = LineIndex("b.ts", b"// querylint: ignore")
    filtered = run("x();\n// querylint: ignore", finding(1), path="z.ts", others=(other,))
    assert [f.found.span.path for f in filtered.kept] == ["convex/a.ts", "b.ts", "z.ts"]


# --- identity


def about(line: int, column: int = 1, **changes: Any) -> Finding:
    values: dict[str, Any] = {"function": "convex/a.ts::list", "table": "users", "fields": ("b", "a"), "operation": "collect"}
    values.update(changes)
    return Finding("loop-read", "loop-read", Severity.WARNING, Found(at(line, column=column), "a message", **values))


def prints(*findings: Finding) -> list[str]:
    return [f.fingerprint for f in fingerprints(findings)]


_FINDINGS = st.lists(
    st.builds(
        about,
        st.integers(1, 40),
        st.integers(1, 9),
        function=st.sampled_from(["convex/a.ts::list", "convex/a.ts::get"]),
        table=st.sampled_from(["users", None]),
    ),
    max_size=8,
)


@given(findings=_FINDINGS, before=st.integers(0, 40), many=st.integers(1, 9), indent=st.integers(0, 8))
def test_identity_survives_inserted_lines_and_indentation(findings: list[Finding], before: int, many: int, indent: int) -> None:
    def moved(finding: Finding) -> Finding:
        span = finding.found.span
        line = span.line + (many if span.line > before else 0)
        return replace(finding, found=replace(finding.found, span=at(line, column=span.column + indent), message="other words"))

    assert prints(*findings) == prints(*map(moved, findings))


@given(findings=_FINDINGS)
def test_identities_differ_and_do_not_depend_on_the_order_of_arrival(findings: list[Finding]) -> None:
    unique = list({f.found.span: f for f in findings}.values())
    forward = dict(zip([f.found.span for f in unique], prints(*unique), strict=True))
    backward = dict(zip([f.found.span for f in reversed(unique)], prints(*reversed(unique)), strict=True))
    assert forward == backward
    assert len(set(forward.values())) == len(unique)


def test_identity_is_32_hexadecimal_digits_and_leaves_the_rest_alone() -> None:
    (stamped,) = fingerprints([about(3)])
    assert len(stamped.fingerprint) == 32
    assert int(stamped.fingerprint, 16)
    assert replace(stamped, fingerprint="") == about(3)


@pytest.mark.parametrize(
    "change",
    [
        {"table": "posts"},
        {"function": "convex/a.ts::get"},
        {"operation": "first"},
        {"fields": ("a",)},
    ],
)
def test_identity_changes_with_what_the_finding_is_about(change: dict[str, Any]) -> None:
    assert prints(about(3)) != prints(about(3, **change))


def test_identity_changes_with_rule_and_path() -> None:
    one = about(3)
    assert prints(one) != prints(replace(one, rule="mem-filter"))
    assert prints(one) != prints(replace(one, found=replace(one.found, span=at(3, "convex/b.ts"))))


def test_identity_ignores_the_order_of_fields_the_trail_and_the_severity() -> None:
    one = about(3)
    other = about(3, fields=("a", "b"), trail=(Point(at(9), "through `f`"),))
    assert prints(one) == prints(replace(other, severity=Severity.INFO))


# --- the floor


def test_what_lies_below_the_floor_is_not_shown() -> None:
    all_three = tuple(replace(finding(1), severity=severity) for severity in Severity)
    assert [f.severity for f in visible(all_three, Severity.WARNING)] == [Severity.WARNING, Severity.ERROR]
    assert visible(all_three, Severity.INFO) == all_three
    assert [f.severity for f in visible(all_three, Severity.ERROR)] == [Severity.ERROR]


TEMPLATE = "blog/templates/blog/index.html"


@pytest.mark.parametrize(
    "source",
    [
        "{# querylint: ignore[loop-read] -- few rows #}\n{{ row.author }}\n",
        "<p>\n{{ row.author }} {# querylint: ignore[loop-read] -- it's few rows #} <b>x</b>\n",
        "<a href='//x'>\n{{ row.author }} {#- querylint: ignore[loop-read] -- few rows -#}\n",
        "{# querylint: ignore-file[loop-read] -- a page of one row #}\n{{ row.author }}\n",
    ],
)
def test_a_comment_of_a_template_silences(source: str) -> None:
    filtered = run(source, finding(2, path=TEMPLATE), path=TEMPLATE)
    assert [f for f in filtered.kept if f.rule == "loop-read"] == []
    assert filtered.suppressed[0].reason in ("few rows", "it's few rows", "a page of one row")


def test_text_of_a_template_silences_nothing() -> None:
    filtered = run("# querylint: ignore[loop-read] -- no comment\n{{ row.author }}\n", finding(2, path=TEMPLATE), path=TEMPLATE)
    assert [f.rule for f in filtered.kept] == ["loop-read"]
