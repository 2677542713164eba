"""Compare the index advice with that of experts: how many of the queries that their indexes serve ours serve, and by how many.

    python benchmarks/experts.py LABELS CHECKOUTS [--show info] [--list]

LABELS is a file of JSON lines; those with `index_advice` say which indexes an expert adds to a repository and which queries (`path:line`)
each serves. CHECKOUTS holds the repositories at the labeled commits, as `owner+name`. Search indexes, and fields that the schema has not,
are left out: they are not asked of the advice.

A query is served if indexes that are kept or added bind what the expert's index has of it: all its fields, or those of them that the
query asks for (of parts of a message, which are deleted, no index can spare one). Which these are is read off the text from the query on
to the next one: a field that stands there, and not only in a sum, is asked for. `--list` names the fields that are left out in this way.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from querylint import indexing
from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict
from querylint.advise.demands import Demand


@dataclass(frozen=True, slots=True)
class Asked:
    """An index that an expert adds, and one query that it is for."""

    table: str
    fields: tuple[str, ...]
    path: str
    line: int


def main() -> None:
    """Print one line a repository, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--show", choices=("warning", "info"), default="warning")
    parser.add_argument("--list", action="store_true", help="name the queries that are not served, and the indexes of both sides")
    given = parser.parse_args()
    sums = [0, 0, 0, 0]
    for entry in map(json.loads, given.labels.read_text(encoding="utf-8").splitlines()):
        root = given.checkouts / str(entry.get("repo", "")).replace("/", "+")
        if entry.get("index_advice") and root.is_dir():
            found = _compared(entry["repo"], root, entry["index_advice"], every=given.show == "info", named=given.list)
            sums = [one + more for one, more in zip(sums, found, strict=True)]
    print(_line("all", sums))


def _line(name: str, counts: list[int]) -> str:
    served, asked, ours, theirs = counts
    return f"{name}: {served} of {asked} queries served; new indexes that serve them: {ours}, the experts' {theirs}"


def _compared(name: str, root: Path, advice: list[dict[str, object]], *, every: bool, named: bool) -> list[int]:
    tables = {table.table.name: table for table in indexing.indexes([root], every=every).tables}
    new: set[tuple[str, str]] = set()
    asked = list(_asked(advice))
    served = 0
    for one in asked:
        homes, way = _homes(root, tables[one.table], one) if one.table in tables else ([], "unknown table")
        served += bool(homes)
        new |= {(one.table, home.name) for home in homes if home.verdict is Verdict.ADD}
        if named:
            print(f"  {'served' if homes else 'NOT SERVED'}: {one.table} ({', '.join(one.fields)}) {one.path}:{one.line} {way}")
    counts = [served, len(asked), len(new), len({(one.table, one.fields) for one in asked})]
    print(_line(name, counts))
    return counts


def _asked(advice: list[dict[str, object]]) -> Iterator[Asked]:
    for one in advice:
        table, fields, serves = one["table"], one["fields"], one["serves"]
        assert isinstance(table, str)
        assert isinstance(fields, list)
        assert isinstance(serves, list)
        if "kind" in one or "denormalised" in str(one.get("note")):
            continue
        for place in serves:
            path, _, line = str(place).rpartition(":")
            yield Asked(table, tuple(fields), path, int(line))


def _homes(root: Path, table: TableAdvice, one: Asked) -> tuple[list[IndexAdvice], str]:
    """The indexes that serve the query, and how; none where they leave out what it asks for."""
    strange = [f for f in one.fields if table.table.field(f) is None and not f.startswith("_")]
    if strange:
        return [], f"the table has no field {', '.join(strange)}"
    found = [(i, d) for i in table.indexes if i.verdict is not Verdict.DROP for d in i.serves if _here(d, one)]
    bound = {f for _, demand in found for f in demand.fields}
    left = [f for f in one.fields if f not in bound]
    text = _text(root, table, one)
    missed = [f for f in left if any(hit[1] is None for hit in re.finditer(rf"(\+=? *[\w?!]+)?[\"'.]{f}\b", text))]
    if not found or missed:
        return [], f"asks for {', '.join(missed)}" if found else "no query seen"
    most = max(len(set(d.fields) & set(one.fields)) for _, d in found)
    homes = [i for i, d in found if len(set(d.fields) & set(one.fields)) == most]
    shown = " and ".join(dict.fromkeys(f"{i.verdict.value} ({', '.join(i.fields)})" for i in homes))
    return homes, shown + (f", asks for no {', '.join(left)}" if left else "")


def _here(demand: Demand, one: Asked) -> bool:
    spans = (demand.span, demand.access.span, demand.access.chain)
    return any(s.path == one.path and s.line <= one.line <= s.end_line for s in spans)


def _text(root: Path, table: TableAdvice, one: Asked) -> str:
    """The source from a query on to the next one of its function, or to the end of that."""
    demands = [d for i in table.indexes for d in i.serves] + [*table.spare, *table.over]
    mine = next((d for d in demands if _here(d, one)), None)
    lines = (root / one.path).read_text(encoding="utf-8").splitlines()
    end = mine.function.span.end_line if mine is not None else len(lines)
    later = (n for n in range(one.line + 1, end) if ".query(" in lines[n - 1])
    return "\n".join(lines[one.line - 1 : next(later, end)])


if __name__ == "__main__":
    main()
