# long: one list of what settings may say, and what is said of those that may not
"""Settings files and the command line over them."""

from __future__ import annotations

import pickle
import tomllib
from pathlib import Path
from typing import Any

import pytest

from querylint.errors import SettingsError
from querylint.rule import Severity
from querylint.settings import Settings, Size, TableFacts, load
from querylint.settings.lines import KeyPath, key_lines

RULES = frozenset({"loop-read", "missing-index", "scan-filter", "unbounded-read"})


def project(root: Path, own: str | None = None, shared: str | None = None) -> Path:
    (root / ".git").mkdir(exist_ok=True)
    if own is not None:
        (root / "querylint.toml").write_text(own)
    if shared is not None:
        (root / "pyproject.toml").write_text(shared)
    return root


def mistakes(root: Path, own: str, **options: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(project(root, own), rule_names=RULES, **options)
    return str(caught.value).split("\n")


# --- where they come from


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    found = load(project(tmp_path), rule_names=RULES)
    assert found == Settings()
    assert (found.fail_on, found.show, found.require_reason, found.include_tests) == (Severity.WARNING, Severity.WARNING, True, False)
    assert found.active(RULES) == RULES


FULL = """
select = ["loop-read", "scan-filter"]
ignore = ["scan-filter"]
extend-select = ["missing-index"]
fail-on = "never"
show = "info"
exclude = ["legacy/**"]
ignore-tables = ["logs"]
include-tests = true
require-reason = false

[severity]
loop-read = "error"
missing-index = "off"

[per-file-ignores]
"scripts/**" = ["loop-read"]

[tables]
users = { rows = 20000 }
plans.rows = 7
roles = { rows = "small" }

[tables.events]
rows = "unbounded"
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    found = load(project(tmp_path, FULL), rule_names=RULES)
    assert found.select == frozenset({"loop-read", "scan-filter"})
    assert found.ignore == {"scan-filter"}
    assert found.extend_select == {"missing-index"}
    assert found.severity == {"loop-read": Severity.ERROR, "missing-index": None}
    assert found.fail_on is None
    assert found.show is Severity.INFO
    assert found.exclude == ("legacy/**",)
    assert found.per_file_ignores == (("scripts/**", frozenset({"loop-read"})),)
    assert found.ignore_tables == {"logs"}
    assert found.include_tests is True
    assert found.require_reason is False
    assert found.tables == {
        "users": TableFacts("users", 20_000, Size.LARGE),
        "plans": TableFacts("plans", 7, Size.SMALL),
        "roles": TableFacts("roles", None, Size.SMALL),
        "events": TableFacts("events", None, Size.UNBOUNDED),
    }
    assert found.origin == tmp_path / "querylint.toml"
    assert found.given["tables"] == "querylint.toml:19"
    assert found.given["select"] == "querylint.toml:2"


@pytest.mark.parametrize(("rows", "size"), [(0, Size.SMALL), (1000, Size.SMALL), (1001, Size.LARGE)])
def test_a_number_of_rows_has_a_size(tmp_path: Path, rows: int, size: Size) -> None:
    found = load(project(tmp_path, f"[tables]\nusers.rows = {rows}\n"), rule_names=RULES)
    assert found.tables == {"users": TableFacts("users", rows, size)}


def test_settings_travel_to_other_processes(tmp_path: Path) -> None:
    found = load(project(tmp_path, FULL), rule_names=RULES)
    assert pickle.loads(pickle.dumps(found)) == found


def test_the_table_of_pyproject_is_read(tmp_path: Path) -> None:
    found = load(project(tmp_path, shared='[project]\nname = "x"\n[tool.querylint]\nfail-on = "error"\n'), rule_names=RULES)
    assert found.fail_on is Severity.ERROR
    assert found.origin == tmp_path / "pyproject.toml"
    assert found.notes == ()


def test_the_own_file_wins_and_says_so(tmp_path: Path) -> None:
    root = project(tmp_path, 'fail-on = "error"\n', '[tool.querylint]\nfail-on = "info"\n')
    found = load(root, rule_names=RULES)
    assert found.fail_on is Severity.ERROR
    assert [note.message for note in found.notes] == [
        "`querylint.toml` is used and [tool.querylint] in `pyproject.toml` is not; keep one of them"
    ]
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["querylint"]\n')
    assert load(root, rule_names=RULES).notes == ()


def test_the_nearest_file_upward_is_read_but_none_above_the_repository(tmp_path: Path) -> None:
    project(tmp_path, 'fail-on = "info"\n')
    inner = tmp_path / "repo"
    deep = inner / "packages" / "app"
    deep.mkdir(parents=True)
    assert load(deep, rule_names=RULES).fail_on is Severity.INFO
    project(inner)
    assert load(deep, rule_names=RULES).origin is None
    (inner / "querylint.toml").write_text('fail-on = "error"\n')
    (deep / "pyproject.toml").write_text("[project]\n")
    found = load(deep, rule_names=RULES)
    assert (found.fail_on, found.prefix) == (Severity.ERROR, "packages/app")


def test_a_pyproject_that_is_not_about_us_is_not_judged(tmp_path: Path) -> None:
    assert load(project(tmp_path, shared="this is [not TOML"), rule_names=RULES) == Settings()


def test_a_named_file_is_read_instead(tmp_path: Path) -> None:
    project(tmp_path, 'fail-on = "error"\n')
    other = tmp_path / "strict.toml"
    other.write_text('fail-on = "info"\n')
    assert load(tmp_path, other, rule_names=RULES).fail_on is Severity.INFO
    with pytest.raises(SettingsError, match=r"gone\.toml` does not exist"):
        load(tmp_path, tmp_path / "gone.toml", rule_names=RULES)
    shared = tmp_path / "pyproject.toml"
    shared.write_text("[project]\n")
    with pytest.raises(SettingsError, match=r"pyproject\.toml: there is no \[tool\.querylint\]"):
        load(tmp_path, shared, rule_names=RULES)


# --- what they mean


def test_the_rules_that_run() -> None:
    chosen = Settings(select=frozenset({"loop-read"}), extend_select=frozenset({"scan-filter"}))
    assert chosen.active(RULES) == {"loop-read", "scan-filter"}
    assert Settings(ignore=frozenset({"loop-read"})).active(RULES) == RULES - {"loop-read"}
    assert Settings(severity={"loop-read": None, "scan-filter": Severity.INFO}).active(RULES) == RULES - {"loop-read"}


def test_the_severity_of_a_finding() -> None:
    found = Settings(severity={"loop-read": Severity.ERROR})
    assert found.severity_of("loop-read", Severity.INFO) is Severity.ERROR
    assert found.severity_of("scan-filter", Severity.INFO) is Severity.INFO


def test_rules_ignored_in_files_go_by_the_folder_of_the_settings(tmp_path: Path) -> None:
    own = '[per-file-ignores]\n"app/scripts/**" = ["loop-read"]\n"*.gen.ts" = ["scan-filter"]\n'
    project(tmp_path, own)
    (tmp_path / "app").mkdir()
    found = load(tmp_path / "app", rule_names=RULES)
    assert found.ignored_in("scripts/deep/a.ts") == {"loop-read"}
    assert found.ignored_in("scripts/a.gen.ts") == {"loop-read", "scan-filter"}
    assert found.ignored_in("app/scripts/a.ts") == frozenset()


def test_the_command_line_replaces_key_by_key(tmp_path: Path) -> None:
    project(tmp_path, 'ignore = ["loop-read", "scan-filter"]\nfail-on = "error"\nshow = "error"\n[severity]\nunbounded-read = "off"\n')
    found = load(tmp_path, overrides={"fail-on": "never", "show": None, "include-tests": True}, rule_names=RULES)
    assert (found.fail_on, found.show, found.include_tests) == (None, Severity.ERROR, True)
    assert (found.given["fail-on"], found.given["show"]) == ("the command line", "querylint.toml:3")
    assert found.active(RULES) == {"missing-index"}


def test_a_rule_selected_on_the_command_line_runs_whatever_the_file_says(tmp_path: Path) -> None:
    project(tmp_path, 'ignore = ["loop-read", "scan-filter"]\n[severity]\nunbounded-read = "off"\n')
    found = load(tmp_path, overrides={"select": ("loop-read", "unbounded-read")}, rule_names=RULES)
    assert found.active(RULES) == {"loop-read", "unbounded-read"}
    found = load(tmp_path, overrides={"select": ["loop-read"], "ignore": ["loop-read"]}, rule_names=RULES)
    assert found.active(RULES) == frozenset()


# --- mistakes

KEYS = (
    "`budget`, `exclude`, `extend-select`, `fail-on`, `gates`, `ignore`, `ignore-tables`, `include-tests`, `per-file-ignores`, "
    "`require-reason`, `select`, `severity`, `show`, `tables`"
)
ROWS = 'must be a number of rows or one of "small", "large" or "unbounded"'


def test_all_mistakes_are_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    own = """\
selct = ["loop-read"]
ignore = [
  "loop-read",
  "lop-read",
  3,
]
fail-on = "high"
show = 2
exclude = "legacy"
include-tests = "yes"
color = "blue"

[severity]
scan-filtr = "warning"
loop-read = "fatal"

[per-file-ignores]
"a/**" = "loop-read"

[tables]
users = 5
posts = { rows = true, size = "small" }
likes = { rows = "smal" }
teams = { rows = -1 }
"""
    assert mistakes(tmp_path, own) == [
        "querylint.toml:1: unknown key `selct`; did you mean `select`?",
        "querylint.toml:4: `lop-read` in `ignore` is not a rule; did you mean `loop-read`?",
        "querylint.toml:5: `ignore` must be a list of rule names, but holds 3",
        'querylint.toml:7: `fail-on` must be one of "error", "warning", "info" or "never", not "high"',
        'querylint.toml:8: `show` must be one of "error", "warning" or "info", not 2',
        'querylint.toml:9: `exclude` must be a list of globs, not "legacy"',
        'querylint.toml:10: `include-tests` must be true or false, not "yes"',
        f"querylint.toml:11: unknown key `color`; known here: {KEYS}",
        "querylint.toml:14: `scan-filtr` in `severity.scan-filtr` is not a rule; did you mean `scan-filter`?",
        'querylint.toml:15: `severity.loop-read` must be one of "error", "warning", "info" or "off", not "fatal"',
        'querylint.toml:18: `per-file-ignores.a/**` must be a list of rule names, not "loop-read"',
        'querylint.toml:21: `tables.users` must be a table of facts such as { rows = "small" }, not 5',
        "querylint.toml:22: unknown key `size` in `tables.posts`; known here: `rows`",
        f"querylint.toml:22: `tables.posts.rows` {ROWS}, not true",
        f'querylint.toml:23: `tables.likes.rows` {ROWS}, not "smal"; did you mean `small`?',
        f"querylint.toml:24: `tables.teams.rows` {ROWS}, not -1",
    ]


def test_mistakes_in_pyproject_have_their_line_too(tmp_path: Path) -> None:
    project(tmp_path, shared='[project]\nname = "x"\n\n[tool.querylint]\nshow = "info"\nfail_on = "error"\n')
    with pytest.raises(SettingsError, match=r"^pyproject\.toml:6: unknown key `fail_on`; did you mean `fail-on`\?$"):
        load(tmp_path, rule_names=RULES)


def test_a_file_above_the_root_is_named_from_there(tmp_path: Path) -> None:
    project(tmp_path, "nonsense = 1\n")
    (tmp_path / "app").mkdir()
    with pytest.raises(SettingsError, match=r"^\.\./querylint\.toml:1: unknown key"):
        load(tmp_path / "app", rule_names=RULES)


def test_mistakes_on_the_command_line_join_those_of_the_file(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "selct = []\n", overrides={"select": ("loop-raed",), "fail-on": "hgih"})
    assert found == [
        "querylint.toml:1: unknown key `selct`; did you mean `select`?",
        "the command line: `loop-raed` in `select` is not a rule; did you mean `loop-read`?",
        'the command line: `fail-on` must be one of "error", "warning", "info" or "never", not "hgih"',
    ]


def test_settings_that_are_no_table_are_refused(tmp_path: Path) -> None:
    project(tmp_path, shared="[tool]\nquerylint = 3\n")
    with pytest.raises(SettingsError, match=r"^pyproject\.toml: `tool\.querylint` must be a table$"):
        load(tmp_path, rule_names=RULES)


def test_the_wrong_table_in_the_own_file_is_explained(tmp_path: Path) -> None:
    assert mistakes(tmp_path, '[tool.querylint]\nshow = "info"\n') == [
        "querylint.toml:1: in this file the keys stand at the top, not under [tool.querylint]"
    ]


@pytest.mark.parametrize(
    ("own", "place"),
    [("show = \n", "querylint.toml:1: "), ('a = 1\nshow = "x\n', "querylint.toml:2: "), ("a = 1\n\n[b", "querylint.toml:3: ")],
)
def test_what_is_no_toml_is_said_with_its_line(tmp_path: Path, own: str, place: str) -> None:
    (sentence,) = mistakes(tmp_path, own)
    assert sentence.startswith(f"{place}this is not TOML: ")
    assert "at line" not in sentence


@pytest.mark.parametrize(
    ("own", "reason"),
    [("a = " + "[" * 100_000, "its lists or tables are nested too deeply"), (f"a = {'9' * 10_000}", "a number in it has too many digits")],
)
def test_what_its_parser_cannot_bear_is_refused_in_one_sentence(tmp_path: Path, own: str, reason: str) -> None:
    assert mistakes(tmp_path, own) == [f"querylint.toml: this cannot be read: {reason}"]


def test_words_of_the_file_are_repeated_briefly_and_on_one_line(tmp_path: Path) -> None:
    long = "x" * 5_000
    own = f'{long} = 1\nfail-on = "{long}"\nshow = "a\\nb"\nignore = ["{long}"]\ninclude-tests = 0x{long.replace("x", "f")}\n'
    own += f"tables.{long} = 1\n"
    found = mistakes(tmp_path, own)
    assert [sentence.partition(": ")[0] for sentence in found] == [f"querylint.toml:{line}" for line in range(1, 7)]
    assert f'not "{"x" * 59}…"' in found[1]
    assert found[2].endswith('not "a\\nb"')
    assert found[4].endswith("not a number of many digits")
    assert max(map(len, found)) < 400
    assert len(mistakes(tmp_path, f"[{long}]\n[{long}]\n")[0]) < 400


def test_a_key_of_endless_names_is_told_by_what_holds_it(tmp_path: Path) -> None:
    assert mistakes(tmp_path, f"show{'.a' * 2_000} = 1\n") == [
        'querylint.toml:1: `show` must be one of "error", "warning" or "info", not a table'
    ]
    assert max(map(len, key_lines(f"show{'.a' * 2_000} = 1\n"))) == 50


def test_a_file_that_is_not_utf8_is_said_with_its_line(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "querylint.toml").write_bytes(b"# one\n# \xe9\n")
    with pytest.raises(SettingsError, match=r"^querylint\.toml:2: the file is not valid UTF-8$"):
        load(tmp_path, rule_names=RULES)


def test_a_mark_of_byte_order_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "querylint.toml").write_bytes(b'\xef\xbb\xbfshow = "info"\r\nfail-on = "error"\r\n')
    found = load(tmp_path, rule_names=RULES)
    assert (found.show, found.given["fail-on"]) == (Severity.INFO, "querylint.toml:2")


# --- on which line a key stands

TOML = '''\
# a = 0
"quoted key" = "x = 1 # no comment"
a.b . c = [1, 2, # two
  3, { d = 4, 'e f' = [5,
    6] } ]
text = """
fake = 1
[fake]
still \\
"quoted" \\""""
raw = \'\'\'
other = 2\'\'\'\'
date = 1979-05-27T07:32:00Z
"\\u00e9\\t\\U0001F642x" = true

[x . "y.z"]
k = { m.n = 1 }
[[list]]
one = 1
[list.sub]
two = 2
[[list]]
one = 3
[[list.inner]]
four = 4
'''


def paths(value: Any, at: KeyPath = ()) -> set[KeyPath]:
    if isinstance(value, dict):
        return {place for key, item in value.items() for place in ((*at, key), *paths(item, (*at, key)))}
    if isinstance(value, list):
        return {place for number, item in enumerate(value) for place in ((*at, number), *paths(item, (*at, number)))}
    return set()


def test_mistakes_in_a_budget(tmp_path: Path) -> None:
    own = """\
[budget]
p95 = "fast"
p90 = 5
failures = -1
documents = true
"jobs:*" = { p99 = inf, speed = 4 }
"jobs:all" = { p99 = 5000 }
"""
    known = "known here: `conflicts`, `documents`, `failures`, `mean`, `p50`, `p95`, `p99`, `round-trips`"
    assert mistakes(tmp_path, own) == [
        'querylint.toml:2: `budget.p95` must be a number of milliseconds from 0 up, not "fast"',
        "querylint.toml:3: unknown key `p90` in `budget`; did you mean `p99`?",
        "querylint.toml:4: `budget.failures` must be a number of percent from 0 up, not -1",
        "querylint.toml:5: `budget.documents` must be a number from 0 up, not true",
        "querylint.toml:6: `budget.jobs:*.p99` must be a number of milliseconds from 0 up, not inf",
        f"querylint.toml:6: unknown key `speed` in `budget.jobs:*`; {known}",
    ]


def test_every_key_that_the_parser_sees_has_a_line_and_no_other() -> None:
    assert set(key_lines(TOML)) == paths(tomllib.loads(TOML))


def test_the_lines_are_right() -> None:
    lines = key_lines(TOML)
    expected: dict[KeyPath, int] = {
        ("quoted key",): 2,
        ("a", "b", "c"): 3,
        ("a", "b", "c", 1): 3,
        ("a", "b", "c", 2): 4,
        ("a", "b", "c", 3, "e f"): 4,
        ("a", "b", "c", 3, "e f", 1): 5,
        ("text",): 6,
        ("raw",): 11,
        ("date",): 13,
        ("é\t🙂x",): 14,
        ("x", "y.z"): 16,
        ("x", "y.z", "k", "m", "n"): 17,
        ("list", 0, "sub", "two"): 21,
        ("list", 1): 22,
        ("list", 1, "inner", 0, "four"): 25,
    }
    assert {path: lines[path] for path in expected} == expected
