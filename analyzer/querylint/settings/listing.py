"""The settings as they would stand in a file, with where each comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Union

from querylint.construction import dataclass
from querylint.evidence.budget import Budget
from querylint.rule import Severity
from querylint.settings.values import Settings, TableFacts

Value = Union[
    str,
    int,
    bool,
    "list[str]",
    "dict[str, str]",
    "dict[str, int]",
    "dict[str, list[str]]",
    "dict[str, dict[str, str | int]]",
    "dict[str, float | dict[str, float]]",
    None,
]

DEFAULT = "default"
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Item:
    """One key; `value` is None where it is not set and nothing stands for that in a file. `origin` is a place, or `default`."""

    key: str
    value: Value
    origin: str


def listing(settings: Settings) -> list[Item]:
    """Every key, in the order in which the documentation has them."""
    values: dict[str, Value] = {
        "fail-on": _word(settings.fail_on, "never"),
        "show": settings.show.value,
        "select": None if settings.select is None else sorted(settings.select),
        "extend-select": sorted(settings.extend_select),
        "ignore": sorted(settings.ignore),
        "exclude": list(settings.exclude),
        "include-tests": settings.include_tests,
        "require-reason": settings.require_reason,
        "ignore-tables": sorted(settings.ignore_tables),
        "severity": {name: _word(severity, "off") for name, severity in sorted(settings.severity.items())},
        "per-file-ignores": {glob: sorted(rules) for glob, rules in settings.per_file_ignores},
        "gates": dict(settings.gates),
        "budget": _budget(settings.budget),
        "tables": {name: {"rows": _rows(facts)} for name, facts in sorted(settings.tables.items())},
    }
    return [Item(key, value, settings.given.get(key, DEFAULT)) for key, value in values.items()]


def as_toml(items: list[Item]) -> str:
    """The items as a settings file, each with its origin in a comment; what is not set stands in a comment too."""
    flat = [item for item in items if not isinstance(item.value, Mapping)]
    tables = [item for item in items if isinstance(item.value, Mapping)]
    lines = [_aligned(f"{item.key} = {_toml(item.value)}" if item.value is not None else f"# {item.key}: not set", item) for item in flat]
    for item in tables:
        assert isinstance(item.value, Mapping)
        lines += ["", _aligned(f"[{item.key}]" if item.value else f"# [{item.key}]: nothing", item)]
        lines += [f"{key(name)} = {_toml(value)}" for name, value in item.value.items()]
    return "\n".join(lines) + "\n"


def key(name: str) -> str:
    """A name as a key of TOML."""
    return name if _BARE.fullmatch(name) else _text(name)


def _aligned(text: str, item: Item) -> str:
    return f"{text:<32}  # {item.origin}"


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case list():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case Mapping():
            return f"{{ {', '.join(f'{key(name)} = {_toml(item)}' for name, item in value.items())} }}"
    return str(value)


def _text(text: str) -> str:
    # What JSON escapes, TOML escapes alike; the delete character it lets stand.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _word(severity: Severity | None, otherwise: str) -> str:
    return otherwise if severity is None else severity.value


def _budget(budget: Budget) -> dict[str, float | dict[str, float]]:
    return {**budget.limits, **{name: dict(own) for name, own in budget.special.items()}}


def _rows(facts: TableFacts) -> str | int:
    return facts.size.value if facts.rows is None else facts.rows
