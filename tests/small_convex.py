"""Small Convex queries carried out on rows, by a reading of their text of its own: what `fix` writes is read in the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FIELDS = ("a", "b", "c", "n")
CREATION = "_creationTime"

Row = Mapping[str, Any]

_INDEX = re.compile(r"""\.index\(\s*["'](\w+)["'],\s*\[([^\]]*)\]\s*\)""")
_FUNCTION = re.compile(r"export const (\w+) = query\(\{ args: \{[^}]*\}, handler: async \(ctx, args\) => \{(.*?)\}? \}\);\n", re.DOTALL)
_CHAIN = re.compile(r"""ctx\.db\s*\.query\(["']events["']\)""")
_RANGE = re.compile(r"""\.(eq|gt|gte|lt|lte)\(["'](\w+)["'],\s*args\.(\w+)\)""")
_TEST = re.compile(r"""q\.(eq|gt|gte|lt|lte)\(q\.field\(["'](\w+)["']\),\s*args\.(\w+)\)""")
_KEPT = re.compile(r"r\.(\w+) (===|>|>=|<|<=) args\.(\w+)")
_SORTED = re.compile(r"\.sort\(\(x, y\) => (x|y)\.(\w+) - ")
_NAMED = re.compile(r"""\s*\.withIndex\(\s*["'](\w+)["']\s*(,)?""")

COMPARE = {
    "eq": lambda x, y: x == y, "===": lambda x, y: x == y,
    "gt": lambda x, y: x > y, ">": lambda x, y: x > y,
    "gte": lambda x, y: x >= y, ">=": lambda x, y: x >= y,
    "lt": lambda x, y: x < y, "<": lambda x, y: x < y,
    "lte": lambda x, y: x <= y, "<=": lambda x, y: x <= y,
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What a query gives back, and how many rows entered it."""

    rows: Any
    scanned: int


def indexes(schema: str) -> dict[str, tuple[str, ...]]:
    """The indexes that a schema declares."""
    return {name: tuple(re.findall(r"\w+", fields)) for name, fields in _INDEX.findall(schema)}


def functions(code: str) -> dict[str, str]:
    """The queries of a module, each with its body."""
    return dict(_FUNCTION.findall(code))


def ask(body: str, keys: Mapping[str, tuple[str, ...]], rows: Sequence[Row], args: Row) -> Asked:
    """Carry out the one query of a body."""
    start = _CHAIN.search(body)
    assert start is not None, body
    rest = body[start.end() :]
    found = _NAMED.match(rest)
    key: tuple[str, ...] = ()
    kept = list(rows)
    if found is not None:
        key = keys[found[1]]
        head = found[0]
        if found[2]:
            head = rest[: _closed(rest, found.end())]
            bounds = _RANGE.findall(head)
            _fits(key, [(how, name) for how, name, _ in bounds])
            kept = [row for row in kept if all(COMPARE[how](row[name], args[value]) for how, name, value in bounds)]
        rest = rest[len(head) :]
    scanned = len(kept)
    kept.sort(key=lambda row: tuple(row[name] for name in (*key, CREATION)))
    if '.order("desc")' in rest:
        kept.reverse()
        rest = rest.replace('.order("desc")', "")
    chain, _, after = rest.partition(";")
    while (at := re.match(r"\s*\.filter\(\(q\)", chain)) is not None:
        end = _closed(chain, at.end())
        tests = _TEST.findall(chain[:end])
        assert tests
        kept = [row for row in kept if all(COMPARE[how](row[name], args[value]) for how, name, value in tests)]
        chain = chain[end:]
    return Asked(_ended(chain + ";" + after, kept, args), scanned)


def _closed(text: str, at: int) -> int:
    """Where the parenthesis that is open once at a place is closed, as the first one of a call."""
    depth = text[:at].count("(") - text[:at].count(")")
    while depth:
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def _fits(key: tuple[str, ...], bounds: list[tuple[str, str]]) -> None:
    """Whether Convex would take the range."""
    names = list(dict.fromkeys(name for _, name in bounds))
    assert names == [*key, CREATION][: len(names)], (key, bounds)
    assert all(how == "eq" for how, name in bounds if name != names[-1]), bounds


def _ended(rest: str, kept: list[Row], args: Row) -> Any:
    given: Any = kept
    if ".first()" in rest:
        given = kept[0] if kept else None
    elif ".unique()" in rest:
        given = kept[0] if len(kept) == 1 else len(kept)
    elif (taken := re.search(r"\.take\((\d+)\)", rest)) is not None:
        given = kept[: int(taken[1])]
    if isinstance(given, list):
        for test in re.findall(r"\.filter\(\(r\) => ([^)]*)\)", rest):
            given = [row for row in given if all(COMPARE[sign](row[name], args[value]) for name, sign, value in _KEPT.findall(test))]
        if (order := _SORTED.search(rest)) is not None:
            given = sorted(given, key=lambda row: row[order[2]], reverse=order[1] == "y")
        if (cut := re.search(r"\.slice\(0, (\d+)\)", rest)) is not None:
            given = given[: int(cut[1])]
        if "rows.length" in rest:
            return len(given)
    return given
