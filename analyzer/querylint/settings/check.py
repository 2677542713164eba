"""Check what stands in the settings, key by key, and collect every mistake as a sentence with its place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Any

from querylint.evidence.budget import UNITS, Budget
from querylint.rule import Severity
from querylint.settings.lines import KeyPath, key_lines
from querylint.settings.quoting import brief
from querylint.settings.values import Named, Size, TableFacts

_SEVERITIES: dict[str, Severity | None] = {severity.value: severity for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)}
_OFF = {**_SEVERITIES, "off": None}
_FAIL = {**_SEVERITIES, "never": None}
_SIZES = {size.value: size for size in Size}
_SMALL = 1_000
"""A table with at most this many rows can be read whole."""
_MOST_BITS = 64
"""Of an integer that a message repeats; the interpreter refuses to write out very long ones."""


class Checker:
    """Turns raw settings into values of `Settings`, by field name, and keeps the mistakes and the place of every key."""

    def __init__(self, rule_names: frozenset[str], patterns: frozenset[str] = frozenset()) -> None:
        self.rule_names = rule_names
        self.patterns = patterns
        self.mistakes: list[str] = []
        self.places: dict[str, str] = {}
        self.named: list[Named] = []
        self._name = ""
        self._at: tuple[str, ...] = ()
        self._lines: Mapping[KeyPath, int] = {}
        self._readers: dict[str, Callable[[KeyPath, Any], Any]] = {
            "select": self._rules,
            "ignore": self._rules,
            "extend-select": self._rules,
            "severity": self._severity,
            "fail-on": lambda path, value: self._choice(path, value, _FAIL),
            "show": lambda path, value: self._choice(path, value, _SEVERITIES),
            "exclude": lambda path, value: tuple(self._names(path, value, "globs")),
            "per-file-ignores": self._per_file,
            "tables": self._tables,
            "ignore-tables": lambda path, value: frozenset(self._names(path, value, "table names")),
            "include-tests": self._flag,
            "gates": self._gates,
            "budget": self._budget,
            "require-reason": self._flag,
        }

    def file(self, table: Mapping[str, Any], name: str, text: str, at: tuple[str, ...]) -> dict[str, Any]:
        """The values of a settings file; `at` is where in the file its table stands."""
        self._name, self._at, self._lines = name, at, key_lines(text)
        values = self._values(table)
        for key in table:
            self.places[key] = self._place((key,))
        self.mistakes.sort(key=_line)
        return values

    def options(self, given: Mapping[str, object]) -> dict[str, Any]:
        """The values of the command line."""
        self._name, self._at, self._lines = "the command line", (), {}
        return self._values(given)

    def _values(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in raw.items():
            reader = self._readers.get(key)
            if reader is None:
                self._unknown((key,), key, self._readers)
                continue
            before = len(self.mistakes)
            checked = reader((key,), value)
            if len(self.mistakes) == before:
                values[key.replace("-", "_")] = checked
        return values

    def _unknown(self, path: KeyPath, key: str, known: Collection[str]) -> None:
        if path == ("tool",) and not self._at:
            self._wrong(path, "in this file the keys stand at the top, not under [tool.querylint]")
            return
        inside = f" in `{_dotted(path[:-1])}`" if path[:-1] else ""
        self._wrong(path, f"unknown key `{brief(key)}`{inside}; {_offer(key, known)}")

    def _rules(self, path: KeyPath, value: Any) -> frozenset[str]:
        names = self._texts(path, value, "rule names")
        for number, name in enumerate(names):
            self._rule((*path, number), name)
        return frozenset(names)

    def _rule(self, path: KeyPath, name: str) -> None:
        if name not in self.rule_names:
            self._wrong(path, f"`{brief(name)}` in `{_dotted(path)}` is not a rule{_hint(name, self.rule_names)}")

    def _severity(self, path: KeyPath, value: Any) -> dict[str, Severity | None]:
        chosen: dict[str, Severity | None] = {}
        for name, word in self._table(path, value, "rules and their severities").items():
            self._rule((*path, name), name)
            chosen[name] = self._choice((*path, name), word, _OFF)
        return chosen

    def _per_file(self, path: KeyPath, value: Any) -> tuple[tuple[str, frozenset[str]], ...]:
        table = self._table(path, value, "globs and the rules to ignore there")
        for glob in table:
            self._note(path, glob, glob)
        return tuple((glob, self._rules((*path, glob), rules)) for glob, rules in table.items())

    def _tables(self, path: KeyPath, value: Any) -> dict[str, TableFacts]:
        facts: dict[str, TableFacts] = {}
        for name, entry in self._table(path, value, "table names and facts about them").items():
            place = (*path, name)
            self._note(path, name, name)
            inner = self._table(place, entry, 'facts such as { rows = "small" }')
            for key in inner:
                if key != "rows":
                    self._unknown((*place, key), key, ("rows",))
            if "rows" in inner:
                facts[name] = self._facts((*place, "rows"), name, inner["rows"])
        return facts

    def _facts(self, path: KeyPath, name: str, rows: Any) -> TableFacts:
        if isinstance(rows, int) and not isinstance(rows, bool) and rows >= 0:
            return TableFacts(name, rows, Size.SMALL if rows <= _SMALL else Size.LARGE)
        if isinstance(rows, str) and rows in _SIZES:
            return TableFacts(name, None, _SIZES[rows])
        offer = _hint(rows, _SIZES) if isinstance(rows, str) else ""
        self._wrong(path, f"`{_dotted(path)}` must be a number of rows or one of {_listed(_SIZES)}, not {_shown(rows)}{offer}")
        return TableFacts(name, None, Size.LARGE)

    def _gates(self, path: KeyPath, value: Any) -> dict[str, int]:
        gates: dict[str, int] = {}
        known = {*self.rule_names, *self.patterns, *_SEVERITIES}
        for name, most in self._table(path, value, "rules, patterns or severities and how many findings each may have").items():
            if name not in known:
                self._wrong((*path, name), f"`{brief(name)}` in `{_dotted(path)}` is not a rule, pattern or severity{_hint(name, known)}")
            elif not isinstance(most, int) or isinstance(most, bool) or most < 0:
                self._wrong((*path, name), f"`{_dotted((*path, name))}` must be a number of findings from 0 up, not {_shown(most)}")
            else:
                gates[name] = most
        return gates

    def _budget(self, path: KeyPath, value: Any) -> Budget:
        """Limits of all functions, and tables of those of some: `"reports:*" = { p95 = 30_000 }`."""
        given = self._table(path, value, "measures and their limits")
        own = {name: most for name, most in given.items() if isinstance(most, Mapping)}
        limits = self._limits(path, {name: most for name, most in given.items() if name not in own})
        return Budget(limits, {name: self._limits((*path, name), most) for name, most in own.items()})

    def _limits(self, path: KeyPath, given: Mapping[str, Any]) -> dict[str, float]:
        limits = {name: self._limit((*path, name), name, most) for name, most in given.items()}
        return {name: limit for name, limit in limits.items() if limit is not None}

    def _limit(self, path: KeyPath, name: str, most: Any) -> float | None:
        if name not in UNITS:
            self._unknown(path, name, UNITS)
        elif not isinstance(most, (int, float)) or isinstance(most, bool) or not 0 <= most < inf:
            unit = {"ms": "of milliseconds ", "%": "of percent ", "": ""}[UNITS[name]]
            self._wrong(path, f"`{_dotted(path)}` must be a number {unit}from 0 up, not {_shown(most)}")
        else:
            return most
        return None

    def _table(self, path: KeyPath, value: Any, what: str) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self._wrong(path, f"`{_dotted(path)}` must be a table of {what}, not {_shown(value)}")
        return {}

    def _texts(self, path: KeyPath, value: Any, what: str) -> list[str]:
        if not isinstance(value, (list, tuple, set, frozenset)):
            self._wrong(path, f"`{_dotted(path)}` must be a list of {what}, not {_shown(value)}")
            return []
        for number, item in enumerate(value):
            if not isinstance(item, str):
                self._wrong((*path, number), f"`{_dotted(path)}` must be a list of {what}, but holds {_shown(item)}")
        return [item for item in value if isinstance(item, str)]

    def _names(self, path: KeyPath, value: Any, what: str) -> list[str]:
        texts = self._texts(path, value, what)
        for number, name in enumerate(texts):
            self._note(path, number, name)
        return texts

    def _note(self, path: KeyPath, at: str | int, name: str) -> None:
        """Remember where the file names something that the project may not have."""
        line = self._lines.get((*self._at, *path, at))
        if line is not None:
            self.named.append(Named(_dotted(path), name, self._name, line))

    def _choice(self, path: KeyPath, value: Any, choices: Mapping[str, Severity | None]) -> Severity | None:
        if isinstance(value, str) and value in choices:
            return choices[value]
        offer = _hint(value, choices) if isinstance(value, str) else ""
        self._wrong(path, f"`{_dotted(path)}` must be one of {_listed(choices)}, not {_shown(value)}{offer}")
        return None

    def _flag(self, path: KeyPath, value: Any) -> bool:
        if not isinstance(value, bool):
            self._wrong(path, f"`{_dotted(path)}` must be true or false, not {_shown(value)}")
        return value is True

    def _wrong(self, path: KeyPath, sentence: str) -> None:
        self.mistakes.append(f"{self._place(path)}: {sentence}")

    def _place(self, path: KeyPath) -> str:
        """Where a key stands: its own line, or that of the nearest thing around it that has one."""
        whole = (*self._at, *path)
        while whole:
            if whole in self._lines:
                return f"{self._name}:{self._lines[whole]}"
            whole = whole[:-1]
        return self._name


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that somebody who wrote this one probably meant."""
    import difflib  # only mistakes need it

    close = difflib.get_close_matches(name.lower().replace("_", "-"), sorted(known), n=1)
    return close[0] if close else None


def _hint(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"; did you mean `{close}`?" if close else ""


def _offer(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"did you mean `{close}`?" if close else f"known here: {', '.join(f'`{key}`' for key in sorted(known))}"


def _dotted(path: KeyPath) -> str:
    return ".".join(brief(part) for part in path if isinstance(part, str))


def _listed(choices: Collection[str]) -> str:
    *most, last = (f'"{choice}"' for choice in choices)
    return f"{', '.join(most)} or {last}"


def _shown(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{brief(value)}"'
        case int():
            return str(value) if value.bit_length() <= _MOST_BITS else "a number of many digits"
        case float():
            return str(value)
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a table"
        case _:
            return "a date or time"


def _line(mistake: str) -> int:
    number = mistake.split(": ", 1)[0].rpartition(":")[2]
    return int(number) if number.isdigit() else 0
