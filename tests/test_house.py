"""The house keeps its own rules."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from querylint import engine
from querylint.pattern import Pattern
from querylint.rule import Rule

ROOT = Path(__file__).parent.parent
SOURCES = ("analyzer", "rules", "reports_templates")
SECTIONS = ["What it finds", "Why it costs", "Instead", "When it stays silent"]
KEBAB = re.compile(r"[a-z]+(?:-[a-z]+)*")
MOST_LINES = 400
REASON = "# long: "
RULES = engine.load_rules()


def test_one_module_one_rule_one_fixture() -> None:
    modules = {p.stem.replace("_", "-") for p in (ROOT / "rules/querylint_rules").glob("[!_]*.py")}
    fixtures = {p.stem for p in (ROOT / "fixtures/rules").glob("*.md")}
    rules = {rule.name for rule in RULES}
    assert rules == modules
    assert rules == fixtures
    assert len(RULES) == len(rules)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_page_has_its_headings_in_order(rule: Rule) -> None:
    prose = re.sub(r"^```.*?^```$", "", rule.doc, flags=re.MULTILINE | re.DOTALL)
    first, *rest = re.findall(r"^#+ .+$", prose, flags=re.MULTILINE)
    assert rule.doc.startswith(f"{first}\n")
    assert re.fullmatch(r"# \S.*[^.\s]", first), "the first heading is a sentence without a full stop"
    assert rest == [f"## {section}" for section in SECTIONS]
    assert all(rule.section(section) for section in SECTIONS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_names_are_kebab_case(rule: Rule) -> None:
    assert KEBAB.fullmatch(rule.name)
    assert KEBAB.fullmatch(rule.pattern)
    assert re.fullmatch(r"\d+\.\d+\.\d+", rule.since)


def test_source_roots_are_no_packages() -> None:
    assert [source for source in SOURCES if (ROOT / source / "__init__.py").exists()] == []


def test_no_long_file_without_a_reason() -> None:
    long = []
    for path in (p for source in SOURCES[:2] for p in sorted((ROOT / source).rglob("*.py"))):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > MOST_LINES and not lines[0].startswith(REASON):
            long.append(f"{path.relative_to(ROOT)} ({len(lines)} lines)")
    assert long == [], f"split these, or say why not in a first line `{REASON}...`"


def test_every_regular_expression_can_be_compiled() -> None:
    tried = 0
    for path in (p for source in SOURCES[:2] for p in sorted((ROOT / source).rglob("*.py"))):
        if re.search(r"= Pattern\(", path.read_text(encoding="utf-8")):
            inside = path.relative_to(ROOT).with_suffix("").parts[1:]
            module = import_module(".".join(inside).removesuffix(".__init__"))
            for pattern in (value for value in vars(module).values() if isinstance(value, Pattern)):
                assert pattern.made.pattern == pattern.pattern
                tried += 1
    assert tried > 100
